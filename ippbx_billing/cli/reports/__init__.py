"""Reports, bills, comparisons and exports.

A sibling is a command; `options` are those that several share, and `present` writes what they found.
"""
