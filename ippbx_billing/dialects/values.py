"""What a PBX's text means: instants, seconds, phone numbers, and the many ways to say "nothing".

The one idea: a reader of a value gives the value, `None` where the PBX said nothing, or raises `Unreadable` with
the reason; no caller has to know the format.

    instant("2026-03-01 12:00:00", ZoneInfo("Asia/Shanghai"))  -> 2026-03-01 04:00:00+00:00
    instant("1770534293", UTC)                                  -> 2026-02-08 07:04:53+00:00
    seconds("0:01:05") -> 65        number('"Ann" <sip:1001@pbx>') -> "1001"
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from ippbx_billing.calls import Fact, Reason
from ippbx_billing.dialects.clocks import NO_HINTS, Hints, written

EARLIEST_YEAR, LATEST_YEAR = 1990, 2099
LONGEST_TEXT = 512
LONGEST_REMEMBERED = 64
LONGEST_DURATION_S = 31 * 86_400
GREGORIAN_TO_UNIX_S = 62_167_219_200
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}  # how many of them make a second

# What PBXs write where they have nothing to say: fillers of databases, languages and templates.
ABSENT = frozenset(
    {"", "null", "<null>", "(null)", "nil", "none", "undefined", "n/a", "-", "--", "0000-00-00", "0000-00-00 00:00:00"}
)
_PLACEHOLDER = re.compile(r"\$\{?[A-Za-z_]\w*\}?")  # `$campaign_id`: a template that nobody filled in
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


class Unreadable(ValueError):
    """A value that is there but cannot be understood; `code` and `facts` say why."""

    def __init__(self, code: str, **facts: Fact) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts

    def of(self, name: str) -> Reason:
        """The reason, with the name that the value stood under."""
        return Reason(self.code, {"field": name, **self.facts})


@lru_cache(maxsize=8_192)
def fold(name: str) -> str:
    """A name or word as it is compared: lower case, without blanks, `_`, `-` and dots."""
    return name.lower().translate(_SEPARATORS)


_SEPARATORS = str.maketrans("", "", " \t\r\n_-.")


_NO_ID = re.compile(
    r"[-0 {}.:_/]*|-1|[-fF]{32,}|4294967295|18446744073709551615|"
    r"unknown|anonymous|none|null|nil|nan|empty|default|undefined|no ?id|n/?a|id|false|true|未知|无|空",
    re.IGNORECASE,
)


def identity(said: str | None) -> str | None:
    """An id that can tell records apart; None for what senders write where they have none: 0, -1, a nil UUID."""
    return None if said is None or _NO_ID.fullmatch(said) else said


def text(value: object) -> str | None:
    """A scalar of a document as text, percent-decoded; None where it says nothing, or is not a scalar."""
    if isinstance(value, str):
        if "1" <= value < ":" and value.isascii() and value.isprintable() and "%" not in value and value[-1] != " ":
            return value if len(value) <= LONGEST_TEXT else _text(value)  # times, numbers and most ids never repeat
        return _short_text(value) if len(value) <= LONGEST_REMEMBERED else _text(value)
    return str(value).lower() if isinstance(value, bool) else None


def _text(value: str) -> str | None:
    if value.isdigit() and len(value) <= LONGEST_TEXT and value.isascii():
        return value
    found = value.strip("\0 \t\r\n")
    if not found or (len(found) <= 20 and found.lower() in ABSENT):
        return None
    if found.isascii() and len(found) <= LONGEST_TEXT:
        if found.isalnum():
            return found
        if "%" not in found and found[0] != "$" and found.isprintable():
            return found
    return _unwrapped(found)


_short_text = lru_cache(maxsize=16_384)(_text)  # a record's texts are asked for again and again, and many repeat


def _unwrapped(found: str) -> str | None:
    """The rarer text: percent-encoded, a placeholder, not ASCII, too long."""
    if "%" in found and _ESCAPE.search(found):
        found = unescaped(found).strip("\0 \t\r\n")
    if not found or found.lower() in ABSENT or _PLACEHOLDER.fullmatch(found):
        return None
    return _tidied(found)


def unescaped(said: str) -> str:
    """Percent-encoded text as it was: UTF-8, else what Chinese firmwares send."""
    raw = unquote_to_bytes(said)
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def _tidied(found: str) -> str:
    """Short enough to keep, and free of lone surrogates and control characters, which no database takes."""
    whole = found[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")
    return "".join(character if character.isprintable() else " " for character in whole)


# -- instants


@lru_cache(maxsize=4_096)  # the calls of a busy second have the same times
def instant(said: str | None, zone: tzinfo, *, later: bool = False) -> datetime | None:
    """A point in time in UTC; a time without a zone is in the PBX's `zone`.

    `later` chooses the second of two equal clock times at the end of summer time. Raises Unreadable.
    """
    return None if said is None or not said.strip("0 :.-") else _in_years(said, _in_utc(said, zone, later, NO_HINTS)[0])


def dated(said: str, zone: tzinfo, hints: Hints, *, later: bool = False) -> tuple[datetime | None, bool]:
    """The same where the order of day and month needs `hints`, and whether that order stays open. Raises Unreadable."""
    if not said.strip("0 :.-/"):
        return None, False
    moment, is_open = _in_utc(said, zone, later, hints)
    return _in_years(said, moment), is_open


def _in_utc(said: str, zone: tzinfo, later: bool, hints: Hints) -> tuple[datetime, bool]:
    try:
        found, is_open = _read(said, hints)
        if found.tzinfo is None:
            ahead = zone.utcoffset(found.replace(fold=1) if later else found) or timedelta()
            return _EPOCH + (found - _CLOCK_EPOCH - ahead), is_open
        return found.astimezone(UTC), is_open
    except (ValueError, OverflowError, KeyError, TypeError) as error:
        raise Unreadable("not-a-time", said=said[:60]) from error


def _in_years(said: str, in_utc: datetime) -> datetime:
    if not EARLIEST_YEAR <= in_utc.year <= LATEST_YEAR:
        raise Unreadable("outside-years", said=said[:60], first=EARLIEST_YEAR, last=LATEST_YEAR)
    return in_utc


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_EPOCH = _EPOCH.replace(tzinfo=None)


_NUMBER = re.compile(r"(?:/Date\()?([0-9]{9,20})(?:[.,][0-9]+)?(?:[+-]\d{4})?(?:\)/)?")
_COUNTED_IN = {13: 1_000, 16: 1_000_000, 19: 1_000_000_000}  # digits of an epoch in ms, µs and ns, this century
_EXCEL_DAYS = re.compile(r"([34]\d{4})[.,](\d{2,})")
_TICK = 10_000_000  # of which Windows counts so many a second, since the year 1601, and .NET since the year 1
_WINDOWS_TO_UNIX_S = 11_644_473_600
_DOTNET_TO_UNIX_S = 62_135_596_800


def _counted(said: str) -> datetime | None:
    """A time that is a number: its magnitude tells what it counts."""
    match = _NUMBER.fullmatch(said)
    if match is None:
        return _excel(said)
    digits = match[1]
    if len(digits) in (12, 14) and digits[:2] in ("19", "20"):
        return None  # a date without separators
    count = int(digits)
    if len(digits) == 11 and digits[0] == "6":  # seconds since the year 0, as Erlang counts
        return _EPOCH + timedelta(seconds=count - GREGORIAN_TO_UNIX_S)
    if len(digits) == 14 and digits[0] == "6":
        return _EPOCH + timedelta(seconds=count // 1_000 - GREGORIAN_TO_UNIX_S)
    if len(digits) == 18:
        before_s = _DOTNET_TO_UNIX_S if digits[0] == "6" else _WINDOWS_TO_UNIX_S
        return _EPOCH + timedelta(seconds=count // _TICK - before_s)
    if len(digits) == 12:
        return None
    return _EPOCH + timedelta(seconds=count if len(digits) <= 10 else count // _COUNTED_IN[len(digits)])


def _excel(said: str) -> datetime | None:
    """Days since the end of 1899 with a fraction, as spreadsheets count; on the PBX's clock."""
    match = _EXCEL_DAYS.fullmatch(said)
    if match is None:
        return None
    seconds_of_day = round(int(match[2]) * 86_400 / 10 ** len(match[2]))
    return datetime(1899, 12, 30) + timedelta(days=int(match[1]), seconds=seconds_of_day)


def _read(said: str, hints: Hints) -> tuple[datetime, bool]:
    """A time that is a count, or written out: ISO and its relatives, and what `clocks` knows; a mere day is none."""
    if ":" not in said and (counted := _counted(said)) is not None:
        return counted, False
    if len(said) > len("2026-10-13") or ":" in said:
        try:
            found = datetime.fromisoformat(said)
            return (found.replace(microsecond=0) if found.microsecond else found), False
        except ValueError:
            pass
    try:
        return written(said, hints)
    except ValueError:
        if len(said) <= len("2026-10-13"):
            raise
        return _from_mail(said), False


def _from_mail(said: str) -> datetime:
    """The dates of mail and HTTP headers, `Sun, 08 Feb 2026 07:04:53 +0000`."""
    from email.utils import parsedate_to_datetime

    if re.search(_HALF_OF_DAY, said):
        raise ValueError(said)  # which mail does not have, and would pass over
    return parsedate_to_datetime(said)


_HALF_OF_DAY = re.compile(r"\b[ap]\.?m\b", re.IGNORECASE)


# -- durations

_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{1,2})(?:[.,]\d+)?")
_QUANTITY = re.compile(r"(-?\d+)(?:[.,](\d+))?\s*(?:\(?\s*(s|sec|secs|seconds|秒|ms)\s*\)?)?", re.IGNORECASE)


_SPOKEN = re.compile(
    r"(?:PT)?(?:(\d{1,6})\s*(?:h|小?时))?\s*(?:(\d{1,6})\s*(?:m|min|分钟?))?\s*(?:(\d{1,6})(?:\.\d+)?\s*(?:s|sec|秒))?",
    re.IGNORECASE,
)


def seconds(said: str | None, unit: str = "s") -> int | None:
    """A duration in whole seconds; a begun second counts. Raises Unreadable."""
    if said is None:
        return None
    if said.isdigit() and unit == "s" and said.isascii():
        return _bounded(int(said[:12]), said)
    if "'" in said or "’" in said:  # minutes and seconds as printers of lines write them: 1'05"
        said = re.sub(r"['’](?=\d)", ":", said).rstrip("'’\"")
    clock = _CLOCK.fullmatch(said) or (None if said.isascii() and "m" not in said.lower() else _SPOKEN.fullmatch(said))
    if clock and any(clock.groups()):
        return _bounded(int(clock[1] or 0) * 3_600 + int(clock[2] or 0) * 60 + int(clock[3] or 0), said)
    match = _QUANTITY.fullmatch(said)
    if match is None:
        raise Unreadable("not-a-duration", said=said[:60])
    divisor = UNITS["ms" if (match[3] or "").lower() == "ms" else unit]
    whole, rest = divmod(int(match[1][:18]), divisor)
    return _bounded(whole + (1 if rest or (match[2] or "").strip("0") else 0), said)


def milliseconds(said: str, unit: str = "s") -> int | None:
    """A plain quantity of time in milliseconds, a begun one counts; None for what is spelled otherwise."""
    match = _QUANTITY.fullmatch(said)
    if match is None:
        return None
    divisor = UNITS["ms" if (match[3] or "").lower() == "ms" else unit]
    decimals = (match[2] or "").strip(".,")[:9]
    parts: int = divisor * 10 ** len(decimals)
    return -(-int(match[1][:18] + decimals) * 1000 // parts)


def _bounded(found: int, said: str) -> int:
    if found < 0:
        raise Unreadable("negative-duration", said=said[:60])
    if found > LONGEST_DURATION_S:
        raise Unreadable("duration-too-long", said=said[:60])
    return found


# -- phone numbers

_NAMED = re.compile(r".*<\s*([^<>]*?)\s*>[^<>]*")
_CHANNEL = re.compile(r"(?:PJSIP|SIP|IAX2|SCCP|Local)/([^-@/]+)(?:[-@].*)?", re.IGNORECASE)
# A label around a number: `Ext. 8001`, `Extn8001`, `Front desk (8001)`, `8001 (Anna)`, `分机8001`, `Anna - 8001`.
_LABEL = re.compile(
    r"(?:ext(?:n|ension)?|tel|phone|station|user|分机号?|内线|坐席|工号)[\s.:#_-]*(?=\+?\d)", re.IGNORECASE
)
_AROUND = re.compile(r"(?<![\w.+*#-])(?:[+*#]{0,3}\d[\d*#]{2,})(?![\w.])")
_LETTERS = re.compile(r"[^\W\d_]")


def number(said: str | None) -> str | None:
    """The number in a caller's or callee's text: out of SIP addresses, display names, labels and channel names.

    Digits, `+`, hyphens and what else was dialled stay as they are; cleaning is the numbering plan's.
    """
    return said if said is None or said.isdigit() else _bare(said)


@lru_cache(maxsize=4_096)
def _bare(said: str) -> str | None:
    named = _NAMED.fullmatch(said)
    found = named[1] if named and named[1] else said
    scheme, colon, rest = found.partition(":")
    if colon and scheme.lower() in ("sip", "sips", "tel", "callto"):
        found = rest
    found = found.partition(";")[0]
    channel = _CHANNEL.fullmatch(found)
    found = channel[1] if channel else found.partition("@")[0]
    return _without_label(found.strip('" ')) or None


def _without_label(found: str) -> str:
    """A number with a word beside it is that number, if there is but one; a name such as `trunk1` stays."""
    if not _LETTERS.search(found):
        return found
    label = _LABEL.match(found)
    bare = found[label.end() :] if label else found
    if label and re.fullmatch(r"[+*#\d][\d*# -]*", bare):
        return bare
    runs = _AROUND.findall(bare)
    return str(runs[0]) if len(runs) == 1 else found
