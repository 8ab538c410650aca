"""Departments, employees and extensions.

A sibling is a group of commands for one kind of entry; `lists` is what they share.
"""
