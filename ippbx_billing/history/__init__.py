"""Closed months as files that outlive every database: calls with their charges, exact, a folder for site and month.

    month = months.write(folder, "hq", "2026-10", of_ledger(ledger, "2026-10"))
    again = rating.rate_again([month], {"hq": Books.of(rules)})        # beside it, nothing is changed
    months.put_in_force(again[0])                                      # one rename
    questions.ask(folder, "SELECT site, month, sum(fee) FROM calls GROUP BY ALL")

Bottom to top: `pieces` writes and reads one Parquet file of calls, `months` says which files are a month, `books` is
what prices its calls, `rating` rates a month again in this process, `spreading` on many by Dask, and `questions` has
DuckDB answer what people ask over years.
"""
