"""A file for each bill, all of them or none.

count = write_each(billing.of_everybody(with_calls=True), coverage, Format.PDF, Path("bills"))
"""

import re
from collections.abc import Iterable
from pathlib import Path

from ippbx_billing import documents
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show, show_listing
from ippbx_billing.files import together
from ippbx_billing.reports.bills import Statement, paper
from ippbx_billing.reports.coverage import Coverage
from ippbx_billing.reports.views import bills as views

LONGEST_NAME = 70


def write_each(bills: Iterable[Statement], missing: Coverage, form: Format, folder: Path) -> int:
    """Write each bill into the folder, which is made if need be; gives how many."""
    taken = set[str]()
    with together(folder) as beside:
        named = ((one, beside / file_name(one, form, taken)) for one in bills)
        if form.is_document:
            papers = ((paper.document(one, paper.concerning(one, missing)), path) for one, path in named)
            documents.write_each(papers, form.value)
        else:
            for one, path in named:
                _write_data(one, missing, form, path)
    return len(taken)


def _write_data(one: Statement, missing: Coverage, form: Format, path: Path) -> None:
    if form is Format.JSON:
        show((), [], form, path, document=views.single(one, missing))
    else:
        show_listing(views.rows([one]), form, path)


def file_name(one: Statement, form: Format, taken: set[str]) -> str:
    """`bill-2026-10-1001-张三.pdf`: what it holds, in signs that every file system takes, and never twice.

    `taken` are the names given so far, and gets this one.
    """
    ending = "md" if form is Format.MARKDOWN else form.value
    whole = re.sub(r"[^\w.-]+", "_", f"bill-{one.period.name}-{one.number}-{one.name}")
    plain = whole[:LONGEST_NAME].rstrip("._")
    name, again = plain, 2
    while name.casefold() in taken:
        name, again = f"{plain}-{again}", again + 1
    taken.add(name.casefold())
    return f"{name}.{ending}"
