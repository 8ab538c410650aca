"""What people enter of trunks, filters, days and numbers: checked once, whoever asks.

ledger.book.put_trunk(trunk("FXO-1", "022-天津-电信", outside_prefix="9"))
entered("filters cdr add", {"number": "400N"}, ledger)     # the same from the fields of a form; gives a sentence

The one idea: a command and a page hand over what was given, and get the thing itself or a UsageError that says why not.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, get_args

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.numbering import Cleanup, Override, clean
from ippbx_billing.tariffs import CallFilter, DayOverride, Trunk
from ippbx_billing.tariffs.calendar import Override as DayWord

DAYS_AT_ONCE = 366
MOST_DELETED = 32
DAY_WORDS: tuple[str, ...] = get_args(DayWord)


def trunk(name: str, carrier: str, number: str | None = None, outside_prefix: str | None = None) -> Trunk:
    """A line of the PBX."""
    if not name.strip():
        raise UsageError(tr("the trunk has no name"), tr("write it as the PBX names it in its records"))
    if outside_prefix and not (outside_prefix.isascii() and outside_prefix.isdecimal()):
        raise UsageError(
            tr("the outside-line prefix is {text!r}", text=outside_prefix), tr("only digits are expected, such as 9")
        )
    return Trunk(name, carrier, number, outside_prefix)


def cleanup(prefix: str, delete: int, length: int | None = None) -> Cleanup:
    """A rule that takes digits off dialled numbers; `length` None compares the whole prefix."""
    if not prefix or prefix.strip("0123456789*#"):
        raise UsageError(
            tr("the prefix {text!r} is not a number", text=prefix),
            tr("digits, * and # are expected, such as 17951 or *67"),
        )
    if length is not None and not 0 < length <= len(prefix):
        problem = tr("{length} digits of {prefix} cannot be compared", length=length, prefix=prefix)
        raise UsageError(problem, tr("leave the length out to compare all of them"))
    if not 0 < delete <= MOST_DELETED:
        raise UsageError(
            tr("{count} digits cannot be deleted", count=delete), tr("1 to {most} are expected", most=MOST_DELETED)
        )
    return Cleanup(prefix, length or len(prefix), delete)


def call_filter(
    direction: Direction | None, extension: str | None, number: str | None, trunk_name: str | None, note: str = ""
) -> CallFilter:
    """A filter that leaves calls out of the bills."""
    if not (direction or extension or number or trunk_name):
        problem = tr("a filter without any condition would leave out every call")
        raise UsageError(problem, tr("give a direction, an extension, a number or a trunk"))
    return CallFilter(None, direction, extension, number, trunk_name, note)


def conditions(one: CallFilter) -> str:
    """A filter's conditions as people read them."""
    words = {
        "direction": tr("direction"),
        "extension": tr("extension"),
        "number": tr("number"),
        "trunk": tr("trunk"),
    }
    told = {name: tr(value) if name == "direction" else value for name, value in one.conditions.items()}
    return ", ".join(f"{words[name]} {value}" for name, value in told.items())


def day_entries(first: date, last: date, kind: Any, note: str = "") -> list[DayOverride]:
    """What the site says of these days, both included."""
    if not 0 <= (last - first).days < DAYS_AT_ONCE:
        raise UsageError(
            tr("{first} to {last} is not a run of days", first=first, last=last), tr("at most a year at once")
        )
    return [DayOverride(first + timedelta(days=number), kind, note) for number in range((last - first).days + 1)]


def override(
    prefix: str,
    traffic_type: TrafficType | None,
    line_kind: LineKind | None,
    country: str | None,
    region: str | None,
    place: str | None,
) -> Override:
    """A correction of the numbering plan."""
    if not any((traffic_type, line_kind, country, region, place)):
        raise UsageError(tr("nothing to correct was given"), tr("give a traffic type, a place or another correction"))
    return Override(override_prefix(prefix), traffic_type, line_kind, _country(country), region, place)


def override_prefix(text: str) -> str:
    """The prefix as digits, with its + where it has one."""
    digits = clean(text)
    if not digits.removeprefix("+").isdigit():
        raise UsageError(
            tr("{prefix!r} is not a prefix", prefix=text), tr("write the first digits, e.g. +8190 or 022885")
        )
    return digits


def _country(text: str | None) -> str | None:
    if text is not None and not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise UsageError(tr("{country!r} is not a country", country=text), tr("two letters are expected, e.g. CN"))
    return text.upper() if text else None


# -- from the fields of a form


Given = Mapping[str, str]


def entered(action: str, given: Given, ledger: Ledger) -> str:
    """Carry out what a form asks for, `action` being the command that does the same; a sentence of what was done."""
    return _DEEDS[action](given, ledger)


def _put_trunk(given: Given, ledger: Ledger) -> str:
    one = trunk(given.get("name", ""), given.get("carrier", ""), given.get("number"), given.get("outside_prefix"))
    ledger.book.put_trunk(one)
    return tr("trunk {name} belongs to {carrier}", name=one.name, carrier=one.carrier)


def _remove_trunk(given: Given, ledger: Ledger) -> str:
    ledger.book.remove_trunk(given.get("name", ""))
    return tr("removed {name}", name=given["name"])


def _put_cleanup(given: Given, ledger: Ledger) -> str:
    length = _whole(tr("Digits compared"), given["length"]) if "length" in given else None
    one = cleanup(given.get("prefix", ""), _whole(tr("Digits deleted"), given.get("delete", "")), length)
    ledger.rules.put_cleanup(one)
    return tr("numbers that begin with {prefix} lose {delete} digits", prefix=one.matched, delete=one.delete)


def _remove_cleanup(given: Given, ledger: Ledger) -> str:
    ledger.rules.remove_cleanup(given.get("prefix", ""))
    return tr("removed {name}", name=given["prefix"])


def _add_filter(given: Given, ledger: Ledger) -> str:
    direction = _one_of(Direction, given.get("direction"))
    one = call_filter(direction, given.get("extension"), given.get("number"), given.get("trunk"), given.get("note", ""))
    kept = ledger.rules.add_filter(one)
    return tr("call filter {id}: {conditions}", id=kept.id, conditions=conditions(kept))


def _remove_filter(given: Given, ledger: Ledger) -> str:
    ledger.rules.remove_filter(_whole(tr("ID"), given.get("id", "")))
    return tr("removed {name}", name=given["id"])


def _put_days(given: Given, ledger: Ledger) -> str:
    first = _day(given.get("day", ""))
    last = _day(given["to"]) if "to" in given else first
    if given.get("kind") not in DAY_WORDS:
        raise UsageError(tr("{text!r} is not one of them", text=given.get("kind", "")[:100]), ", ".join(DAY_WORDS))
    days = day_entries(first, last, given["kind"], given.get("note", ""))
    ledger.rules.put_days(days)
    return tr("{count} days are {kind} now", count=len(days), kind=tr(given["kind"]))


def _remove_day(given: Given, ledger: Ledger) -> str:
    ledger.rules.remove_day(_day(given.get("day", "")))
    return tr("removed {name}", name=given["day"])


def _put_override(given: Given, ledger: Ledger) -> str:
    kinds = _one_of(TrafficType, given.get("traffic_type")), _one_of(LineKind, given.get("line_kind"))
    one = override(given.get("prefix", ""), *kinds, given.get("country"), given.get("region"), given.get("place"))
    ledger.book.put_override(one)
    return tr("numbers beginning with {prefix}: corrected from now on", prefix=one.prefix)


def _remove_override(given: Given, ledger: Ledger) -> str:
    prefix = override_prefix(given.get("prefix", ""))
    ledger.book.remove_override(prefix)
    return tr("the override of {prefix} is removed", prefix=prefix)


_DEEDS: dict[str, Callable[[Given, Ledger], str]] = {
    "trunks add": _put_trunk,
    "trunks remove": _remove_trunk,
    "filters cleanup add": _put_cleanup,
    "filters cleanup remove": _remove_cleanup,
    "filters cdr add": _add_filter,
    "filters cdr remove": _remove_filter,
    "holidays add": _put_days,
    "holidays remove": _remove_day,
    "numbers override add": _put_override,
    "numbers override remove": _remove_override,
}


def _whole(title: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(tr("{option} is {text!r}", option=title, text=text[:100]), tr("a whole number is expected"))
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(tr("{text!r} is not a day", text=text[:100]), tr("write it like 2026-10-01")) from None


def _one_of(kinds: Any, text: str | None) -> Any:
    if not text:
        return None
    if text not in tuple(kinds):
        raise UsageError(tr("{text!r} is not one of them", text=text[:100]), ", ".join(kinds))
    return kinds(text)
