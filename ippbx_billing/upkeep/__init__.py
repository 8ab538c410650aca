"""What keeps an installation well over the years: copies elsewhere, and letting go of what need not be kept.

A sibling is one piece of work: `backups` makes and checks a backup while `listen` runs, `restoring` puts one back,
`pruning` lets old events go, `masking` makes the numbers in old calls unreadable.
"""
