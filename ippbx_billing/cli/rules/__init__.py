"""What decides a fee: carriers, tariffs, trunks, filters, holidays, numbers, dialects.

A sibling is the group of commands of one kind of rule.
"""
