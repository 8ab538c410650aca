"""`departments terms`: mark-up and tax on the bills of a department and those below it."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views.plans import terms_columns, terms_rows

app = Commands()

DepartmentArgument = Annotated[
    str | None, typer.Argument(metavar="PATH", help=en("the department; left out: the whole site"))
]


@app.command("list", help=en("List the mark-up and tax of each department, and of the site."))
def list_terms(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """The site first, then department by department, the oldest first."""
    with common.open_ledger(common.settings()) as ledger:
        rows = terms_rows(ledger.plans.terms())
    if form is Format.TABLE:
        rows = [row | {"department": row["department"] or tr("the whole site")} for row in rows]
    show(rows, terms_columns(), form, output, empty=tr("no mark-up and no tax"))


@app.command("set", help=en("Set mark-up and tax from a day on; what is left out is as above in the tree."))
def set_terms(
    path: DepartmentArgument = None,
    markup: Annotated[str | None, typer.Option(metavar="PERCENT", help=en("mark-up on the fees, such as 10"))] = None,
    per_call: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help=en("mark-up for each call that has a fee"))
    ] = None,
    tax: Annotated[str | None, typer.Option(metavar="PERCENT", help=en("tax on the net amount, such as 6"))] = None,
    first_day: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM-DD", help=en("first day; default: the first of this month")),
    ] = None,
) -> None:
    """The terms in force on a month's last day hold for the whole of its bill."""
    from ippbx_billing.tariffs.terms import BillingTerms

    if markup is None and per_call is None and tax is None:
        raise UsageError(tr("nothing is set"), tr("say --markup 10, --per-call 0.02 or --tax 6"))
    using = common.settings()
    day = common.day(first_day) if first_day else common.today(using).replace(day=1)
    figures = _percent("--markup", markup), _amount("--per-call", per_call), _percent("--tax", tax)
    with common.open_ledger(using) as ledger:
        kept = ledger.plans.put_terms(BillingTerms(path, day, *figures))
    (row,) = terms_rows([kept])
    told = [
        tr("mark-up {percent} %", percent=row["markup_percent"]) if markup is not None else "",
        tr("mark-up {amount} a call", amount=row["markup_per_call"]) if per_call is not None else "",
        tr("tax {percent} %", percent=row["tax_percent"]) if tax is not None else "",
    ]
    say(tr("{path} from {day}: {terms}", path=kept.department or tr("the whole site"), day=day,
           terms=", ".join(filter(None, told))))  # fmt: skip


def _percent(option: str, text: str | None) -> int | None:
    from ippbx_billing.lists.plans import percent

    try:
        return None if text is None else percent(text)
    except ValueError as error:
        raise UsageError(tr("{option} is {text!r}", option=option, text=text), str(error)) from error


def _amount(option: str, text: str | None) -> int | None:
    from ippbx_billing.lists.tariffs.cells import amount

    try:
        return None if text is None else amount(text)
    except ValueError as error:
        raise UsageError(tr("{option} is {text!r}", option=option, text=text), str(error)) from error


@app.command("remove", help=en("Remove the mark-up and tax of a department, or of the site."))
def remove(
    path: DepartmentArgument = None,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=en("only what it says from this very day on"))
    ] = None,
) -> None:
    """What holds above it in the tree holds then."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.plans.remove_terms(path, common.day(first_day) if first_day else None)
    say(tr("removed {name}", name=path or tr("the whole site")))
