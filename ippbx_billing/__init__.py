"""ippbx-bill: from the PBX's POST to the month's bill.

The PBX posts a record  ->  `listener` commits its bytes to `inbox`, then answers 200
`pipeline` reads it with `dialects`, classifies its number with `numbering`,
finds its price with `tariffs`, works out the charge with `rating`,
and writes call and charge to the `ledger` in one transaction
`reports` asks the ledger, `render` prints the answer: a table, CSV or JSON
"""

__version__ = "0.1.0"
