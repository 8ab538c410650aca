"""`numbers`: what a number is and why, the site's corrections of prefixes, newer number data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.cli import common, given
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import rules

if TYPE_CHECKING:
    from ippbx_billing.numbering import Numbering, Override
    from ippbx_billing.settings import Settings

app = Commands()
override = Commands(help=en("Correct the numbering plan for this site, by prefix."))
app.add_typer(override, name="override")

PrefixArgument = Annotated[
    str, typer.Argument(metavar="PREFIX", help=en("first digits, e.g. +8190, 022885, 4006; the longest prefix wins"))
]


@app.command("lookup", help=en("Look up what numbers are, seen from this site, and which rule says so."))
def lookup(
    numbers: Annotated[
        list[str] | None, typer.Argument(metavar="NUMBER...", help=en("numbers as dialled, or as shown for callers"))
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help=en("a file with a number on each line; - is stdin"))
    ] = None,
    direction: Annotated[
        Direction, typer.Option(help=en("outbound: dialled here; inbound: the caller's number"))
    ] = Direction.OUTBOUND,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Classify each number in the order asked."""
    if not numbers and file is None:
        raise UsageError(tr("no number was given"), tr("name numbers, or a file with --file"))
    asked = [*map(given.number, numbers or ()), *(_lines(file) if file else ())]
    numbering = _numbering(common.settings())
    show_listing(rules.numbers(numbering.classify(number, direction) for number in asked), form, output)


def _lines(path: Path) -> list[str]:
    """The file's lines; an empty one is an empty number, so that answers and lines stay side by side."""
    try:
        content = typer.get_binary_stream("stdin").read() if str(path) == "-" else path.read_bytes()
        return content.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(tr("{path} cannot be read: {error}", path=path, error=error.strerror or error)) from error
    except UnicodeDecodeError as error:
        raise DataError(tr("{path} is not UTF-8 text", path=path), tr("save it as UTF-8")) from error


def _numbering(using: "Settings") -> "Numbering":
    """The numbering plan as the site's default carrier sees it; before `init`, as the settings say."""
    from ippbx_billing.numbering import Numbering, mobile_places_in

    area_code = using.area_code
    overrides: list[Override] = []
    extensions: list[str] = []
    if using.ledger_path.exists():
        with common.open_ledger(using) as ledger:
            area_code = next((one.area_code for one in ledger.book.carriers() if one.default), area_code)
            overrides = ledger.book.overrides()
            extensions = ledger.directory.numbers()
    return Numbering(
        country=using.country,
        area_code=area_code,
        outside_prefix=using.outside_prefix,
        extension_patterns=using.extension_patterns,
        extensions=extensions,
        overrides=overrides,
        mobile_places=mobile_places_in(using.numbers_dir),
    )


@app.command("update", help=en("Use a newer phone.dat, or a CSV, for the places of Chinese mobile numbers."))
def update(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help=en("phone.dat, or prefix,region,place,area_code as CSV"))
    ],
) -> None:
    """Check the file, then put it in place of the one in use."""
    from ippbx_billing.numbering import install_mobile_places

    places = install_mobile_places(file, common.settings().numbers_dir)
    say(tr("mobile places: version {version} is now in use", version=places.version))
    say(tr("calls already rated keep what they were until `ippbx-bill rerate --reclassify`"))


@override.command("add", help=en("Set what numbers with a prefix are; what is not given stays as the plan says."))
def add(
    prefix: PrefixArgument,
    traffic_type: Annotated[TrafficType | None, typer.Option(help=en("its price list"))] = None,
    line_kind: Annotated[LineKind | None, typer.Option(help=en("what sort of line"))] = None,
    country: Annotated[str | None, typer.Option(help=en("two letters, e.g. CN"))] = None,
    region: Annotated[str | None, typer.Option(help=en("province or region"))] = None,
    place: Annotated[str | None, typer.Option(help=en("city or district"))] = None,
) -> None:
    """Add a correction, or replace the one of that prefix."""
    from ippbx_billing.lists.rules import override as checked

    one = checked(prefix, traffic_type, line_kind, country, region, place)
    with common.open_ledger(common.settings()) as ledger:
        ledger.book.put_override(one)
    say(tr("numbers beginning with {prefix}: corrected from now on", prefix=one.prefix))


@override.command("list", help=en("List the corrections in force."))
def list_overrides(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """All corrections by prefix."""
    with common.open_ledger(common.settings()) as ledger:
        show_listing(rules.overrides(ledger.book.overrides()), form, output)


@override.command("remove", help=en("Go back to what the plan says."))
def remove(prefix: PrefixArgument) -> None:
    """Take a correction out."""
    from ippbx_billing.lists.rules import override_prefix

    with common.open_ledger(common.settings()) as ledger:
        ledger.book.remove_override(override_prefix(prefix))
    say(tr("the override of {prefix} is removed", prefix=prefix))
