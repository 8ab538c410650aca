"""A report by its name, as a page asks for it: the answer and how it looks, with the addresses behind its rows.

    wanted = WantedReport(name="ranking", by=("employee",), sort="calls", top=20)
    sheet = asked(ledger, view, query.period, query.where(scope), wanted).sheet

The one idea: whatever the command line can ask is one `WantedReport`, so that a page needs one way for all reports.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from ippbx_billing.calls import Reason
from ippbx_billing.documents import Document
from ippbx_billing.documents.columns import all_columns
from ippbx_billing.documents.drawings import chart
from ippbx_billing.documents.listing import Listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import GROUPS, Period, Report, View, Where, named, report
from ippbx_billing.reports.categories import categories
from ippbx_billing.reports.conditions import is_exact
from ippbx_billing.reports.coverage import Coverage
from ippbx_billing.reports.named import Answer
from ippbx_billing.reports.queries import LONGEST, Query
from ippbx_billing.reports.trunk_load import busy_hour
from ippbx_billing.reports.views import named as looks
from ippbx_billing.reports.views import sums
from ippbx_billing.reports.views.conditions import facts
from ippbx_billing.reports.views.sheets import ReportSheet, paper, title_of_key

if TYPE_CHECKING:
    from ippbx_billing.reports.views.sheets import Row

BY_KEYS = "sums"
MOST_ROWS = 1_000  # of a page; a file has them all
SHOWN = ("fee", "calls", "billed_s")
SORTS = ("fee", "calls", "answered", "billed_s", "duration_s", "answer_rate", "average_fee", "average_s")
COMPARED = ("previous", "last-year")
LEADS_ON = {  # the keys of rows that are conditions on calls
    "extension", "employee", "department", "trunk", "carrier", "traffic_type", "line_kind", "direction", "disposition",
    "country", "region", "place", "number", "pin",
}  # fmt: skip


def titles() -> dict[str, str]:
    """The reports as people choose them."""
    return {
        BY_KEYS: tr("Sums"),
        "ranking": tr("Ranking"),
        "time-of-day": tr("Time of day"),
        "regions": tr("Regions"),
        "numbers": tr("Numbers"),
        "pins": tr("PINs"),
        "categories": tr("By category"),
        "busy-hour": tr("Busy hour"),
        "idle": tr("Extensions without a call"),
        "unrated": tr("Without price"),
    }


def key_titles() -> dict[str, str]:
    """What calls can be summed by, as people choose it."""
    return {key: title_of_key(key) for key in GROUPS}


def sort_titles() -> dict[str, str]:
    """What rows can be sorted by."""
    return {
        "fee": tr("Fee"),
        "calls": tr("Calls"),
        "answered": tr("Answered"),
        "billed_s": tr("Talk time"),
        "duration_s": tr("Duration"),
        "answer_rate": tr("Answer rate"),
        "average_fee": tr("Average fee"),
        "average_s": tr("Average talk (s)"),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedReport:
    """Which report, and how: `by` are one or two keys, `show` what the cells of a bill by category hold."""

    name: str = BY_KEYS
    by: tuple[str, ...] = ("extension",)
    sort: str = ""
    top: int | None = None
    compare: str = ""
    show: str = "fee"

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "WantedReport":
        """What the parameters of an address ask for; UsageError where one of them cannot be meant."""
        given = {name: values.get(name, "").strip() for name in ("report", "by", "and", "sort", "compare", "show")}
        for name, known in {"report": titles(), "by": GROUPS, "and": GROUPS, "sort": SORTS, "compare": COMPARED,
                            "show": SHOWN}.items():  # fmt: skip
            if given[name] and given[name] not in known:
                raise UsageError(tr("{text!r} is not one of them", text=given[name][:LONGEST]), ", ".join(known))
        keys = tuple(dict.fromkeys(filter(None, (given["by"] or "extension", given["and"]))))
        return cls(
            name=given["report"] or BY_KEYS,
            by=keys,
            sort=given["sort"],
            top=_top(values.get("top", "").strip()),
            compare=given["compare"],
            show=given["show"] or "fee",
        )

    def kept(self) -> dict[str, str]:
        """The same as parameters of an address."""
        given = {"report": self.name, "by": self.by[0], "and": self.by[1] if len(self.by) > 1 else "",
                 "sort": self.sort, "top": str(self.top or ""), "compare": self.compare, "show": self.show}  # fmt: skip
        return {name: value for name, value in given.items() if value}


def _top(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text[:9]) > 0 and len(text) < 7):
        raise UsageError(tr("{text!r} is not a number of rows", text=text[:LONGEST]), tr("ask for at least one"))
    return int(text)


@dataclass(frozen=True, slots=True)
class AskedReport:
    """A report that was answered: what it says, what is not in it, and how it looks."""

    answer: Report | Answer
    sheet: ReportSheet

    @property
    def gaps(self) -> Mapping[Reason, int]:
        """The calls without a price by reason."""
        return self.answer.gaps


def asked(ledger: Ledger, view: View, period: Period, where: Where, wanted: WantedReport) -> AskedReport:
    """Ask the ledger; UsageError and NotFoundError as the reports have them."""
    if wanted.name == BY_KEYS:
        sort, compare = wanted.sort or None, wanted.compare or None
        answer = report(ledger, view, period, wanted.by, where=where, sort=sort, top=wanted.top, compare=compare)
        return AskedReport(answer, sums.sheet(answer, sort, wanted.top))
    ask, look = _NAMED[wanted.name]
    found = ask(wanted)(ledger, view, period, where)
    return AskedReport(found, look(found, wanted))


Ask = Callable[[Ledger, View, Period, Where], Answer]


def _ranking(wanted: WantedReport) -> Ask:
    return partial(named.ranking, by=wanted.by, sort=wanted.sort or "fee", top=wanted.top or 20)


def _regions(wanted: WantedReport) -> Ask:
    return partial(named.regions, by=wanted.by[0] if wanted.by[0] in named.REGIONS else "region", top=wanted.top)


def _numbers(wanted: WantedReport) -> Ask:
    return partial(named.numbers, sort=wanted.sort or "fee", top=wanted.top or 50)


def _pins(wanted: WantedReport) -> Ask:
    return partial(named.pins, sort=wanted.sort or None)


_NAMED: Mapping[str, tuple[Callable[[WantedReport], Ask], Callable[[Answer, WantedReport], ReportSheet]]] = {
    "ranking": (_ranking, lambda answer, _: looks.ranking(answer)),
    "time-of-day": (lambda _: named.time_of_day, lambda answer, _: looks.time_of_day(answer)),
    "regions": (_regions, lambda answer, _: looks.regions(answer)),
    "numbers": (_numbers, lambda answer, _: looks.numbers(answer)),
    "pins": (_pins, lambda answer, _: looks.pins(answer)),
    "categories": (lambda _: categories, lambda answer, wanted: looks.categories(answer, wanted.show)),
    "busy-hour": (lambda _: busy_hour, lambda answer, _: looks.busy_hour(answer)),
    "idle": (lambda _: named.idle, lambda answer, _: looks.idle(answer)),
    "unrated": (lambda _: named.unrated, lambda answer, _: looks.unrated(answer)),
}


# -- how it is handed on


def listing(sheet: ReportSheet, told: Coverage, conditions: Mapping[str, str], view: View) -> Listing:
    """The sheet for any writer, with what it does not cover and the conditions it was asked with."""
    return Listing(
        sheet.rows if sheet.flat is None else sheet.flat,
        sheet.columns,
        for_people=sheet.rows,
        csv=all_columns(sheet.keys),
        document={**sheet.document, "coverage": told.document()},
        paper=paper(sheet, told, conditions, facts(sheet.period, conditions, view)),
        total=sheet.footer,
        title=sheet.title,
        empty=sheet.empty,
    )


def drawing(document: Document, rows: Sequence["Row"], leads: Sequence[str | None]) -> str:
    """The document's chart as SVG, a bar leading where its row does; empty where there is none."""
    section = document.sections[0]
    if section.chart is None:
        return ""
    value = section.chart.value_key
    links = [address for row, address in zip(rows, leads, strict=True) if row.get(value) is not None]
    return chart(section.chart, section.columns, rows, lambda place: links[place])


# -- to the calls behind a row


def behind(found: AskedReport, query: Query, row: "Row") -> str | None:
    """The end of the address of the list of a row's calls; None where no question has just these for an answer.

    A list has no condition for what nobody told, nor for an hour or a day of the week.
    """
    conditions: dict[str, str | None] = {}
    first, last = query.period.first, query.period.last
    for key in _keys(found, row):
        if key in ("day", "month"):
            first, last = _days(str(row[key]), query.period)
            continue
        value = _condition(key, row, query)
        if value is None:
            return None
        conditions[key] = value
    if not _keys(found, row):
        return None
    whole = query.shortcut and (first, last) == (query.period.first, query.period.last)
    days = {"period": query.shortcut} if whole else {"first": first.isoformat(), "last": last.isoformat()}
    return query.address(**days, **conditions)


def _keys(found: AskedReport, row: "Row") -> Sequence[str]:
    """By what the row is told from others."""
    if isinstance(found.answer, Report):
        return found.answer.by
    match found.answer.name:
        case "ranking" | "regions":
            return tuple(found.answer.more["by"])
        case "numbers":
            return ("number",)
        case "pins":
            return ("pin",)
        case "busy-hour":
            return ("trunk",)
        case "categories":
            return ("department",) if row["subtotal"] else ("extension",)
    return ()


def _condition(key: str, row: "Row", query: Query) -> str | None:
    """The value that finds the row's calls; None where there is none."""
    value = row["employee_number"] if key == "employee" else row[key]
    if value is None or key not in LEADS_ON or not str(value).strip():
        return None
    if key == "extension":
        return str(value) if is_exact(value) and "," not in value else None
    asked = query.given.get("department")
    if key == "department" and asked and f"/{asked}/" not in f"/{value}/":
        return asked  # a sum of a department above holds but what was asked for
    return str(value)


def _days(told: str, period: Period) -> tuple[date, date]:
    """The days of a row that is a day or a month, as far as they are in the period."""
    found = Period.month(told, period.last) if len(told) == 7 else Period.days(*2 * [date.fromisoformat(told[:10])])
    return max(found.first, period.first), min(found.last, period.last)
