"""Calls and events, one by one.

A sibling is a command or a group of commands; the table in `cli.app` says which is called what.
"""
