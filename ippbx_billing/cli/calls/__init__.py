"""Calls and events, one by one."""
