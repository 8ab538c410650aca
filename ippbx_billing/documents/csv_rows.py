"""Rows as CSV for spreadsheets: each cell as it should be taken, never as a formula.

write_csv(sys.stdout, rows, columns)
"""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from operator import itemgetter
from types import NoneType
from typing import IO, Any

from ippbx_billing.documents.batches import Batches, each
from ippbx_billing.documents.columns import Column, Row, harmless

FORMULA_SIGNS = "=+-@\t\r\n＝＋－＠"  # what spreadsheets take for the beginning of a formula, the wide ones too

_NO_FORMULA, _FIRST = frozenset(FORMULA_SIGNS).isdisjoint, itemgetter(0)


def write_csv(stream: IO[str], rows: Iterable[Row], columns: Sequence[Column]) -> None:
    """A heading of the columns' keys, then a row a line; texts that begin like a formula become plain texts."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.key for column in columns])
    if isinstance(rows, Batches):
        for batch in rows.batches:
            cells = (each(batch[column.key], _csv_texts) for column in columns)
            stream.write("".join([f"{','.join(line)}\n" for line in zip(*cells, strict=True)]))
        return
    for row in rows:
        writer.writerow([_csv_cell(row.get(column.key)) for column in columns])


def _csv_texts(values: Sequence[Any]) -> Sequence[str]:
    """The cells of a column as they stand in the file; texts of which none needs more are taken as they are."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return list(map(str, values))
    if not kinds <= {str, NoneType}:
        known = {number: _csv_text(value) for number, value in dict(zip(map(id, values), values, strict=True)).items()}
        return [known[id(value)] for value in values]
    texts = [one for one in values if one]
    together = "".join(texts)
    if together.isprintable() and not any(sign in together for sign in ',"') and _NO_FORMULA(map(_FIRST, texts)):
        return values if len(texts) == len(values) else [one or "" for one in values]
    return list(map(_csv_text, values))


def _csv_text(value: Any) -> str:
    """One cell, in quotation marks where it needs them, as the `csv` module sets them."""
    text = str(_csv_cell(value))
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text


def _csv_cell(value: Any) -> Any:
    """The value as a spreadsheet should take it: text that begins like a formula becomes plain text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        text = harmless(value)
        return "'" + text if _computes(value) else text
    return value


def _computes(text: str) -> bool:
    """Whether a spreadsheet would compute it; a number with its sign is what it looks like."""
    return text[:1] in FORMULA_SIGNS and text != "" and not re.fullmatch(r"[+-]\d[\d.,]*", text)
