"""Bills as files and streams: one, all of them one after another, or a file for each, all of them or none.

count = write_each(billing.of_everybody(with_calls=True), coverage, Format.PDF, Path("bills"))
write_one(stream, statement, coverage, Format.XLSX)
write_all(stream, billing, coverage, Format.PDF, with_calls=False)
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from ippbx_billing import documents
from ippbx_billing.documents import Document
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show, show_listing, write_listing, write_to
from ippbx_billing.files import together
from ippbx_billing.reports.bills import Billing, Statement, paper
from ippbx_billing.reports.coverage import Coverage
from ippbx_billing.reports.views import bills as views

LONGEST_NAME = 70


def write_each(bills: Iterable[Statement], missing: Coverage, form: Format, folder: Path) -> int:
    """Write each bill into the folder, which is made if need be; gives how many."""
    taken = set[str]()
    with together(folder) as beside:
        write_named(((one, beside / file_name(one, form, taken)) for one in bills), missing, form)
    return len(taken)


def write_named(named: Iterable[tuple[Statement, Path]], missing: Coverage, form: Format) -> None:
    """Write each bill to its file."""
    if form.is_document:
        papers = ((paper.document(one, paper.concerning(one, missing)), path) for one, path in named)
        documents.write_each(papers, form.value)
    else:
        for one, path in named:
            _write_data(one, missing, form, path)


def _write_data(one: Statement, missing: Coverage, form: Format, path: Path) -> None:
    if form is Format.JSON:
        show((), [], form, path, document=views.single(one, missing))
    else:
        show_listing(views.rows([one]), form, path)


def write_one(stream: IO[bytes], one: Statement, missing: Coverage, form: Format) -> None:
    """One bill to a stream of bytes."""
    if form is Format.JSON:
        write_to(stream, (), [], form, document=views.single(one, missing))
    elif form is Format.CSV:
        write_listing(stream, views.rows([one]), form)
    else:
        documents.write(paper.document(one, paper.concerning(one, missing)), form.value, stream)


def write_all(stream: IO[bytes], billing: Billing, missing: Coverage, form: Format, with_calls: bool) -> None:
    """Everybody's bills to a stream of bytes."""
    bills = billing.of_everybody(with_calls=with_calls)
    if form is Format.JSON:
        write_to(stream, (), [], form, document=views.everybody(billing, bills, missing))
    elif form is Format.CSV:
        write_listing(stream, views.rows(bills), form)
    else:
        documents.write(_papers(billing, missing, form, with_calls), form.value, stream)


def _papers(billing: Billing, missing: Coverage, form: Format, with_calls: bool) -> Iterable[Document]:
    """A bill behind the other; nobody turns the leaves of a workbook with a thousand sheets."""
    bills = None if form is Format.XLSX else views.some(billing.of_everybody(with_calls=with_calls))
    if bills is None:
        return [paper.overview(billing, missing.notes(), with_calls=with_calls)]
    return (paper.document(one, paper.concerning(one, missing)) for one in bills)


def file_name(one: Statement, form: Format, taken: set[str]) -> str:
    """`bill-2026-10-1001-张三.pdf`: what it holds, in signs that every file system takes, and never twice.

    `taken` are the names given so far, and gets this one.
    """
    who = f"{one.number}-{one.name}" if one.kind == "employee" else one.department or one.kind
    return plain_name(f"bill-{one.period.name}-{who}", form, taken)


def plain_name(words: str, form: Format, taken: set[str]) -> str:
    """A file's name made of these words, with its ending."""
    ending = "md" if form is Format.MARKDOWN else form.value
    plain = re.sub(r"[^\w.-]+", "_", words)[:LONGEST_NAME].rstrip("._")
    name, again = plain, 2
    while name.casefold() in taken:
        name, again = f"{plain}-{again}", again + 1
    taken.add(name.casefold())
    return f"{name}.{ending}"
