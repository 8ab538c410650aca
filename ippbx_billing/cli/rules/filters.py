"""`filters`: digits that are only dialled (去电号码过滤), and calls that are nobody's bill (话单过滤)."""

from typing import Annotated

import typer

from ippbx_billing.calls import Direction
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import rules

app = Commands()
cleanup = Commands()
cdr = Commands()
app.add_typer(cleanup, name="cleanup", help=en("Take digits off dialled numbers before they are classified."))
app.add_typer(cdr, name="cdr", help=en("Keep calls, but leave them out of the bills."))


@cleanup.command("list", help=en("List the clean-up rules."))
def list_cleanups(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """All rules, by prefix."""
    with common.open_ledger(common.settings()) as ledger:
        show_listing(rules.cleanups(ledger.rules.cleanups()), form, output)


@cleanup.command("add", help=en("Add a rule, or change the one of that prefix: 17951 --delete 5."))
def add_cleanup(
    prefix: Annotated[str, typer.Argument(help=en("what the dialled number begins with"))],
    delete: Annotated[int, typer.Option(min=1, max=32, help=en("how many digits are deleted"))],
    length: Annotated[int | None, typer.Option(min=1, help=en("how many digits of the prefix must agree"))] = None,
) -> None:
    """The longest rule that fits is applied, once, to outgoing numbers."""
    from ippbx_billing.lists.rules import cleanup as checked

    one = checked(prefix, delete, length)
    with common.open_ledger(common.settings()) as ledger:
        ledger.rules.put_cleanup(one)
    say(tr("numbers that begin with {prefix} lose {delete} digits", prefix=one.matched, delete=delete))


@cleanup.command("remove", help=en("Remove a rule."))
def remove_cleanup(prefix: Annotated[str, typer.Argument(help=en("the rule's prefix"))]) -> None:
    """Calls already rated keep their classification."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.rules.remove_cleanup(prefix)
    say(tr("removed {name}", name=prefix))


@cdr.command("list", help=en("List the call filters."))
def list_filters(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """All filters, in the order in which they were made."""
    with common.open_ledger(common.settings()) as ledger:
        show_listing(rules.filters(ledger.rules.filters()), form, output)


@cdr.command("add", help=en("Leave calls out of the bills; X is one character, N any run of them."))
def add_filter(
    direction: Annotated[Direction | None, typer.Option(help=en("only this direction"))] = None,
    extension: Annotated[str | None, typer.Option(help=en("pattern of our side, e.g. 80XX"))] = None,
    number: Annotated[str | None, typer.Option(help=en("pattern of the other side, e.g. 400N"))] = None,
    trunk: Annotated[str | None, typer.Option(help=en("pattern of the trunk"))] = None,
    note: Annotated[str, typer.Option(help=en("why"))] = "",
) -> None:
    """Every condition given must hold. Calls that come later are marked at once."""
    from ippbx_billing.lists.rules import call_filter, conditions

    one = call_filter(direction, extension, number, trunk, note)
    with common.open_ledger(common.settings()) as ledger:
        kept = ledger.rules.add_filter(one)
    say(tr("call filter {id}: {conditions}", id=kept.id, conditions=conditions(kept)))


@cdr.command("remove", help=en("Remove a filter."))
def remove_filter(number: Annotated[int, typer.Argument(metavar="ID", help=en("the filter's id"))]) -> None:
    """Calls that come later are billed again."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.rules.remove_filter(number)
    say(tr("removed {name}", name=number))
