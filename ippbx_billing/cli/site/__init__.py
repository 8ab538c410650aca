"""Set up and keep an installation: `init`, `listen`, `service`, `backup`, `doctor`.

A sibling is a command or a group of commands.
"""
