"""What every report asks for in the same words: a period, conditions, and the form of the answer.

    @app.command("ranking")
    @asked
    def ranking(asking: Asking, top: TopOption = 20) -> None:
        with asking.ledger() as ledger: ...

The one idea: the options stand once, as the parameters of `_options`; `asked` gives them to a command in front of its
own, and hands them over as one `Asking`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.calls import Direction, Disposition, LineKind, TrafficType
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption
from ippbx_billing.cli.given import not_empty
from ippbx_billing.documents.columns import Format
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.reports import Period, Where
    from ippbx_billing.settings import Settings

PERIOD = ("month", "first", "last", "year")
FORM = ("plot", "form", "output")
OPTIONS = {"first": "--from", "last": "--to"}  # that are not called like their parameter


def _options(
    month: MonthOption = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=en("the first day"))] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help=en("the last day; default: today"))
    ] = None,
    year: Annotated[str | None, typer.Option(metavar="YYYY|last|this", help=en("a whole year"))] = None,
    department: Annotated[str | None, typer.Option(help=en("only this department and those below it"))] = None,
    employee: Annotated[str | None, typer.Option(help=en("only this employee, by number or name"))] = None,
    extension: Annotated[
        str | None, typer.Option(help=en("only these extensions: 8001, or a pattern such as 80.. or 8*"))
    ] = None,
    number: Annotated[str | None, typer.Option(help=en("only calls with this number"))] = None,
    trunk: Annotated[str | None, typer.Option(help=en("only this trunk"))] = None,
    carrier: Annotated[str | None, typer.Option(help=en("only this carrier"))] = None,
    traffic_type: Annotated[TrafficType | None, typer.Option(help=en("only this traffic type"))] = None,
    line_kind: Annotated[LineKind | None, typer.Option(help=en("only this kind of line"))] = None,
    direction: Annotated[Direction | None, typer.Option(help=en("only this direction"))] = None,
    disposition: Annotated[Disposition | None, typer.Option(help=en("only calls that ended so"))] = None,
    country: Annotated[str | None, typer.Option(metavar="CN", help=en("only this country, by its two letters"))] = None,
    region: Annotated[str | None, typer.Option(help=en("only this region"))] = None,
    place: Annotated[str | None, typer.Option(help=en("only this place"))] = None,
    pin: Annotated[str | None, typer.Option(help=en("only calls with this PIN"))] = None,
    min_fee: Annotated[str | None, typer.Option(metavar="AMOUNT", help=en("only calls that cost this or more"))] = None,
    plot: Annotated[bool, typer.Option("--plot", help=en("a chart as wide as the terminal"))] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The options of every report, as the command line knows them."""


SHARED = inspect.signature(_options).parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What was asked for: the values of the options, and what follows from them."""

    form: Format = Format.TABLE
    output: Path | None = None
    plot: bool = False
    days: dict[str, str | None] = field(default_factory=dict)
    conditions: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, given: dict[str, Any]) -> "Asking":
        """The options as they were given."""
        conditions = {name: value for name, value in given.items() if name not in (*PERIOD, *FORM)}
        days = {name: given[name] for name in PERIOD}
        for name, value in (days | conditions).items():
            if isinstance(value, str):
                not_empty(OPTIONS.get(name) or f"--{name.replace('_', '-')}", value)
        return cls(**{name: given[name] for name in FORM}, days=days, conditions=conditions)

    @property
    def names_days(self) -> bool:
        """Whether any days were asked for."""
        return any(self.days.values())

    def period(self, using: "Settings") -> "Period":
        """The days asked for, this month where nothing was said; UsageError where two options disagree."""
        from ippbx_billing.reports import Period

        today = common.today(using)
        month, first, last, year = (self.days[name] for name in PERIOD)
        if len(list(filter(None, (month, year, first or last)))) > 1:
            raise UsageError(
                tr("--month, --year and --from with --to each say which days: give one of them"),
                tr("e.g. --month last"),
            )
        if year:
            return Period.year(year, today)
        if not (first or last):
            return Period.month(month or "this", today)
        if not first:
            raise UsageError(tr("--to needs --from"), tr("write it like 2026-10-01"))
        return self._span(common.day(first), common.day(last) if last else today)

    def where(self) -> "Where":
        """The conditions; UsageError for a fee that is not an amount or a country that is not two letters."""
        from ippbx_billing import money
        from ippbx_billing.reports import Where

        least, country = self.conditions["min_fee"], self.conditions["country"]
        try:
            money.parse(least or 0)
        except ValueError:
            raise UsageError(tr("{text!r} is not an amount", text=least), tr("write it like 1.50")) from None
        if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise UsageError(
                tr("{text!r} is not a country", text=country),
                tr("its two letters, as in `report --by country --format csv`"),
            )
        given: dict[str, Any] = {name: str(value) for name, value in self.conditions.items() if value is not None}
        return Where(**given | ({"country": country.upper()} if country else {}))

    def told(self) -> list[tuple[str, str]]:
        """The conditions with their options, as they were written: what a reader must know of a report."""
        return [(f"--{name.replace('_', '-')}", str(value)) for name, value in self.conditions.items() if value]

    @staticmethod
    def _span(first: Any, last: Any) -> "Period":
        from ippbx_billing.reports import Period

        if first > last:
            raise UsageError(tr("{first} is after {last}", first=first, last=last), tr("--from is the earlier day"))
        return Period.days(first, last)


def asked(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the shared options around its own; it is given them as `asking`."""
    return _with_options(command, SHARED)


def asked_of_list(command: Callable[..., None]) -> Callable[..., None]:
    """The same without a chart, for what is a list of single things."""
    return _with_options(command, {name: one for name, one in SHARED.items() if name != "plot"})


def _with_options(command: Callable[..., None], options: Mapping[str, inspect.Parameter]) -> Callable[..., None]:
    own = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.name != "asking"]
    before = [one for name, one in options.items() if name not in FORM]
    behind = [one for name, one in options.items() if name in FORM]

    @wraps(command)
    def run(**given: Any) -> None:
        shared = {name: given.pop(name) for name in options}
        command(asking=Asking.of({"plot": False, **shared}), **given)

    parameters = [one.replace(kind=one.KEYWORD_ONLY) for one in (*before, *own, *behind)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run
