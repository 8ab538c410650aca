"""`carriers`: who charges the calls, and from which home area."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.rules import tariffs
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import rules

if TYPE_CHECKING:
    from ippbx_billing.settings import Settings
    from ippbx_billing.tariffs import Carrier

app = Commands()


@app.command("list", help=en("List the carriers."))
def list_carriers(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """All carriers in use, by name."""
    with common.open_ledger(common.settings()) as ledger:
        show_listing(rules.carriers(ledger.book.carriers()), form, output)


@app.command("add", help=en("Add a carrier, with the standard tariff of its operator where there is one."))
def add(
    name: Annotated[str | None, typer.Argument(help=en("e.g. 010-北京-电信; default: made from the options"))] = None,
    area_code: Annotated[str | None, typer.Option(help=en("home area code, e.g. 010"))] = None,
    operator: Annotated[str | None, typer.Option(help=en("e.g. 电信"))] = None,
    place: Annotated[str | None, typer.Option(help=en("default: the area code's place"))] = None,
    default: Annotated[bool, typer.Option("--default", help=en("for calls whose trunk has no carrier"))] = False,
    standard: Annotated[bool, typer.Option(help=en("load the operator's standard tariff"))] = True,
) -> None:
    """Add a carrier; an existing one named with --default becomes the default."""
    from ippbx_billing.tariffs import Carrier

    using = common.settings()
    with common.open_ledger(using) as ledger:
        if name and default and any(one.name == name for one in ledger.book.carriers()):
            ledger.book.change_carrier(name, is_default=1)
            say(tr("{name} is the default carrier now", name=name))
            return
        area_code, place, operator = _parts(using, name, area_code, place, operator)
        carrier = Carrier(name or f"{area_code}-{place}-{operator}", area_code, place, operator, default)
        with ledger.transaction():
            ledger.book.add_carrier(carrier)
            count = len(ledger.book.add_prices(_standard_prices(using, carrier))) if standard else 0
    say(tr("added {name} with {count} prices", name=carrier.name, count=count))


def _parts(
    using: "Settings", name: str | None, area_code: str | None, place: str | None, operator: str | None
) -> tuple[str, str, str]:
    """Area code, place and operator, from the options or from a name written 022-天津-电信."""
    from ippbx_billing.lists.carriers import place_of

    pieces = (name or "").split("-", 2)
    if len(pieces) == 3:
        area_code, place, operator = area_code or pieces[0], place or pieces[1], operator or pieces[2]
    area_code = using.area_code if area_code is None else area_code
    if not operator:
        raise UsageError(
            tr("the carrier's operator is missing"), tr("write the name as 022-天津-电信, or give --operator")
        )
    return area_code, place or place_of(area_code, using.country), operator


def _standard_prices(using: "Settings", carrier: "Carrier") -> list[Any]:
    from ippbx_billing.tariffs import standard

    carriers, prices = standard(using.country, carrier.area_code, carrier.place)
    twin = next((one for one in carriers if one.operator == carrier.operator), None)
    return [replace(price, carrier=carrier.name) for price in prices if twin and price.carrier == twin.name]


@app.command("set-region", help=en("Move a carrier to another home area; place and name follow."))
def set_region(
    name: Annotated[str, typer.Argument(help=en("the carrier"))],
    area_code: Annotated[str, typer.Option(help=en("the new home area code"))],
    place: Annotated[str | None, typer.Option(help=en("default: the area code's place"))] = None,
    operator: Annotated[str | None, typer.Option(help=en("default: stays as it is"))] = None,
) -> None:
    """What the right click on a carrier did: 所属地名 follows the 区号, the name is made of both."""
    from ippbx_billing.lists.carriers import moved

    using = common.settings()
    with common.open_ledger(using) as ledger:
        new_name = moved(ledger, name, area_code, country=using.country, place=place, operator=operator)
    say(tr("{old} is now {new}", old=name, new=new_name))


@app.command(
    "set", help=en("Set how a carrier rounds its fees, its tax, and what a call over a window's border costs.")
)
def set_rules(
    name: Annotated[str, typer.Argument(help=en("the carrier"))],
    decimals: Annotated[
        int | None, typer.Option(min=-6, max=6, help=en("a fee is rounded to so many; -2 are hundreds"))
    ] = None,
    rounding: Annotated[
        Literal["half_up", "half_even", "up", "down"] | None, typer.Option(help=en("how a fee is rounded"))
    ] = None,
    crossing: Annotated[
        Literal["start", "split", "step"] | None,
        typer.Option(
            help=en("start: by the call's start; split: each part by its own window; step: each step by its start")
        ),
    ] = None,
    part_second: Annotated[
        Literal["up", "down", "half_up", "half_even", "exact"] | None,
        typer.Option(help=en("how a part of a second that the PBX tells is charged")),
    ] = None,
    tax: Annotated[str | None, typer.Option(metavar="PERCENT", help=en("tax on top of each fee; 0 for none"))] = None,
) -> None:
    """Holds for calls that come later; earlier ones follow with `rerate`."""
    changes: dict[str, Any] = {
        "decimals": decimals,
        "rounding": rounding,
        "crossing": crossing,
        "part_second": part_second,
        "tax_micro": None if tax is None else _tax(tax),
    }
    given = {key: value for key, value in changes.items() if value is not None}
    if not given:
        raise UsageError(tr("nothing to set"), tr("give --decimals, --rounding, --crossing, --part-second or --tax"))
    with common.open_ledger(common.settings()) as ledger:
        ledger.book.change_carrier(name, **given)
        carrier = ledger.book.carrier(name)
    say(rules.charging(carrier))


def _tax(text: str) -> int:
    from ippbx_billing.tariffs.spelling import tax

    try:
        return tax(text)
    except ValueError as error:
        raise UsageError(tr("{option} is {text!r}", option="--tax", text=text), str(error)) from error


@app.command("remove", help=en("Take a carrier out of use; calls already rated keep it."))
def remove(name: Annotated[str, typer.Argument(help=en("the carrier"))]) -> None:
    """Refused for the default carrier and for one that trunks use."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.book.remove_carrier(name)
    say(tr("removed {name}", name=name))


# A carrier goes in and out of the book with its whole tariff, so these two are the tariffs' own.
app.command("import", help=en("Import a carrier with its tariff, or a new tariff for it."))(tariffs.import_file)
app.command("export", help=en("Write a carrier with its tariff to a file."))(tariffs.export)
