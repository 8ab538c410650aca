"""The seam at SQLite, which beside `inbox` and `ledger` alone may be spoken to from here.

A sibling is one thing that both files need: `opening` connections and their errors as sentences, `steps` the
migrations, `damage` a file that is not as SQLite wrote it, `copies` of a file that others go on using.
"""
