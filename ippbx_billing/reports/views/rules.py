"""How the rules look: carriers, trunks, clean-ups, call filters, days off, and what numbers are."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence, told_why

if TYPE_CHECKING:
    from ippbx_billing.calls import Classification
    from ippbx_billing.numbering import Cleanup, Override
    from ippbx_billing.tariffs import CallFilter, Carrier, DayOverride, HolidayCalendar, Trunk

Rows = list[dict[str, Any]]


# -- who charges


def carriers(found: "Iterable[Carrier]") -> Listing:
    """The carriers with their home areas."""
    headings = [
        Column("name", tr("Carrier"), "code"),
        Column("area_code", tr("Area code")),
        Column("place", tr("Place")),
        Column("operator", tr("Operator")),
        Column("default", tr("Default"), "flag"),
    ]
    return Listing(list(map(_carrier, found)), headings, empty=tr("no carriers"))


def _carrier(one: "Carrier") -> dict[str, Any]:
    from ippbx_billing.tariffs.spelling import tax_text

    return {
        "name": one.name,
        "area_code": one.area_code,
        "place": one.place,
        "operator": one.operator,
        "default": one.default,
        "decimals": one.decimals,
        "crossing": one.crossing,
        "rounding": one.rounding,
        "part_second": one.part_second,
        "tax": tax_text(one.tax_micro),
    }


def charging(one: "Carrier") -> str:
    """How a carrier rounds, cuts and taxes, in a sentence."""
    from ippbx_billing.tariffs.spelling import tax_text

    return tr("{name}: {rounding} to {decimals} decimals, crossing {crossing}, parts of a second {part_second}, "
              "tax {tax} %", name=one.name, rounding=tr(one.rounding), decimals=one.decimals, crossing=one.crossing,
              part_second=tr(one.part_second), tax=tax_text(one.tax_micro))  # fmt: skip


def trunks(found: "Iterable[Trunk]") -> Listing:
    """The trunks, and the carrier each belongs to."""
    rows: Rows = [
        {"name": one.name, "number": one.number, "outside_prefix": one.outside_prefix, "carrier": one.carrier}
        for one in found
    ]
    headings = [
        Column("name", tr("Trunk")),
        Column("number", tr("Number")),
        Column("outside_prefix", tr("Outside prefix")),
        Column("carrier", tr("Carrier")),
    ]
    return Listing(rows, headings, empty=tr("no trunks: every call goes by the default carrier"))


# -- what is not as it was dialled, and what is nobody's bill


def cleanups(found: "Iterable[Cleanup]") -> Listing:
    """The digits that are taken off dialled numbers."""
    rows: Rows = [
        {"prefix": one.prefix, "length": one.match_length or len(one.prefix), "delete": one.delete} for one in found
    ]
    headings = [
        Column("prefix", tr("Prefix"), "code"),
        Column("length", tr("Digits compared"), "number"),
        Column("delete", tr("Digits deleted"), "number"),
    ]
    return Listing(rows, headings, empty=tr("no clean-up rules"))


def filters(found: "Iterable[CallFilter]") -> Listing:
    """The filters that leave calls out of the bills."""
    rows: Rows = [
        {
            "id": one.id,
            "direction": one.direction and one.direction.value,
            "extension": one.extension,
            "number": one.number,
            "trunk": one.trunk,
            "note": one.note or None,
        }
        for one in found
    ]
    headings = [
        Column("id", tr("ID"), "code"),
        Column("direction", tr("Direction"), "word"),
        Column("extension", tr("Extension"), "code"),
        Column("number", tr("Number"), "code"),
        Column("trunk", tr("Trunk")),
        Column("note", tr("Note")),
    ]
    return Listing(rows, headings, empty=tr("no call filters"))


# -- days


def unusual_days(year: int, calendar: "HolidayCalendar", own: "Iterable[DayOverride]") -> Listing:
    """The days that are not as the day of the week says, and each that the site has an entry for."""
    entered = {one.day: one for one in own}
    kinds = {day: calendar.day_kind(day) for day in days_of(year)}
    rows: Rows = [
        {
            "day": day.isoformat(),
            "kind": kind,
            "own": day in entered,
            "note": entered[day].note if day in entered else None,
        }
        for day, kind in kinds.items()
        if day in entered or kind != _usual(day)
    ]
    headings = [
        Column("day", tr("Day"), "time"),
        Column("kind", tr("Kind"), "word"),
        Column("own", tr("Own entry"), "flag"),
        Column("note", tr("Note")),
    ]
    return Listing(rows, headings, empty=tr("no unusual days in {year}", year=year))


def days_of(year: int) -> list[date]:
    """All days of a year."""
    return days_between(date(year, 1, 1), date(year, 12, 31))


def days_between(first: date, last: date) -> list[date]:
    """All days from the first to the last one, both included; none where the last comes before the first."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _usual(day: date) -> str:
    """What the day of the week says."""
    return "weekend" if day.weekday() >= 5 else "working"


# -- numbers


def numbers(found: "Iterable[Classification]") -> Listing:
    """What numbers are and why, as they come; `rows` may be read once."""
    headings = [
        Column("number", tr("Number")),
        Column("normalized", tr("Normalized")),
        Column("traffic_type", tr("Traffic type"), "word"),
        Column("line_kind", tr("Line"), "word"),
        Column("country", tr("Country"), "country"),
        Column("region", tr("Region")),
        Column("place", tr("Place")),
        Column("operator", tr("Operator")),
        Column("emergency", tr("Emergency"), "flag"),
        Column("why", tr("Why")),
    ]
    in_words = ({**_number(one), "why": sentence(one.why)} for one in found)
    return Listing(map(_number, found), headings, for_people=in_words)


def _number(found: "Classification") -> dict[str, Any]:
    return {
        "number": found.number,
        "normalized": found.normalized or None,
        "traffic_type": found.traffic_type.value,
        "line_kind": found.line_kind.value,
        "country": found.country,
        "region": found.region,
        "place": found.place,
        "operator": found.operator,
        "emergency": found.emergency,
        **told_why(found.why),
    }


def overrides(found: "Iterable[Override]") -> Listing:
    """The site's corrections of the numbering plan."""
    headings = [
        Column("prefix", tr("Prefix")),
        Column("traffic_type", tr("Traffic type"), "word"),
        Column("line_kind", tr("Line"), "word"),
        Column("country", tr("Country")),
        Column("region", tr("Region")),
        Column("place", tr("Place")),
    ]
    return Listing(list(map(_override, found)), headings, empty=tr("no overrides"))


def _override(one: "Override") -> dict[str, Any]:
    return {
        "prefix": one.prefix,
        "traffic_type": one.traffic_type and one.traffic_type.value,
        "line_kind": one.line_kind and one.line_kind.value,
        "country": one.country,
        "region": one.region,
        "place": one.place,
    }
