"""What leaves the house: `exports` writes a month, or what is new, as files that appear whole; `parquet` is one form.

Whoever calls says what the columns are headed; nothing here prints.
"""
