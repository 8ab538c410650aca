"""The codes of a price list: lists and ranges in one cell, in every way that people write them down.

The one idea: a code that is written short belongs to the country of the first one in its cell; where it might be
another country's, it is asked back and never guessed.

>>> prefixes("61 38,39"), prefixes("4915, 16, 17"), prefixes("44-79"), prefixes("61(28,29)")
(['6138', '6139'], ['4915', '4916', '4917'], ['4479'], ['6128', '6129'])
>>> prefixes("+4420; 44208-44210")
['4420', '44208', '44209', '44210']
"""

import re
from collections.abc import Iterator

from ippbx_billing.language import tr

LARGEST_RANGE = 10_000  # a range of prefixes is written out; a larger one is a mistake
LONGEST_PREFIX = 20
LONGEST_CODE = 3

_LIST = re.compile(r"[,;，；、|\n&]+|\band\b|\bor\b|和|及")
_TO = r"\s*(?:-|–|—|~|～|\.\.+|\bto\b|至|到)\s*"
_PLAIN = re.compile(r"\d{1,20}", re.ASCII)
_BRACKET = re.compile(r"[(（]([^()（）]*)[)）]")


def prefixes(text: str, access: str = "") -> list[str]:
    """The prefixes of one cell, ranges written out; digits after `+`, `00` or the `access` code, or as dialled.

    ValueError says what cannot be read, or what may be read in two ways.
    """
    plain = text.strip()
    if _PLAIN.fullmatch(plain) and not plain.startswith("0") and not (access and plain.startswith(access)):
        return [plain]
    return _Cell(access).read(plain)


class _Cell:
    """The parts of a cell from left to right; `code` is the country that the first one names by writing it apart."""

    def __init__(self, access: str) -> None:
        self._access = access
        self._code = ""
        self._first = ""
        self._alone = True

    def read(self, text: str) -> list[str]:
        parts = _parts(_opened(text))
        self._alone = len(parts) == 1
        return list(dict.fromkeys(prefix for part in parts for prefix in self._part(part)))

    def _part(self, part: str) -> Iterator[str]:
        if re.fullmatch(r"\d(?:\.\d+)?[eE]\+?\d+", part):
            raise ValueError(
                tr("a spreadsheet has made a number of it; mark the column as text, enter the digits again")
            )
        behind_access = self._without_access(part)
        full, part = behind_access != part, behind_access
        ends = re.fullmatch(rf"(.*?\d){_TO}(\d+)", part)
        if not ends or re.search(_TO, ends[1]) or self._is_code_and_area(ends[1], ends[2], part):
            yield self._one(part, full)
            return
        yield from self._range(self._one(ends[1], full), ends[2])

    def _without_access(self, part: str) -> str:
        """The part without `+`, `00` or the site's own access code in front."""
        plain = part.removeprefix("+").strip()
        for access in filter(None, (self._access, "0011", "011", "00")):
            rest = plain.removeprefix(access).lstrip(" -.")
            if rest != plain and plain.startswith(access) and rest and country_code(re.sub(r"\D", "", rest)):
                return rest
        return plain

    def _is_code_and_area(self, first: str, last: str, part: str) -> bool:
        """Whether `44-79` is a country and its area: never a range over several countries."""
        if not _is_code(first) or self._code:
            return False
        if _is_code(last) and len(last) == len(first) and int(last) > int(first):
            raise ValueError(
                tr("{text!r} may be a range or a country with its area; write the codes in full", text=part)
            )
        return True

    def _one(self, part: str, full: bool) -> str:
        """One code: a country apart from its area, the digits as they stand, or the end of the one before."""
        groups = [group for group in re.split(r"[\s.-]+" if full else r"[\s-]+", part) if group]
        if not groups or not all(_PLAIN.fullmatch(group) for group in groups):
            raise ValueError(_wanted())
        if len(groups) > 1:
            found = self._apart(groups, part, full)
        else:
            found = groups[0] if full or not self._first else self._continued(groups[0])
        self._first = self._first or found
        if len(found) > LONGEST_PREFIX:
            raise ValueError(_wanted())
        return found

    def _apart(self, groups: list[str], part: str, full: bool) -> str:
        code, *rest = groups
        if not _is_code(code):
            raise ValueError(_wanted())
        lengths = {len(group) for group in rest}
        rising = len(rest) > 1 and len(lengths) == 1 and len(rest[0]) > 1 and rest == sorted(rest) and "-" in part
        two = len(rest) == 1 and _is_code(rest[0]) and " " in part and self._alone and not full
        if rising or two:
            raise ValueError(_wanted() if rising else _two_ways(part, code + rest[0]))
        self._code = self._code or code
        return code + "".join(rest)

    def _continued(self, digits: str) -> str:
        """A code behind the first: written in full, or only what is other than in the first."""
        code = self._code or country_code(self._first)
        area = self._first[len(code) :]
        if len(digits) >= len(self._first) or not area or (digits.startswith(code) and not self._code):
            return digits
        if self._code:
            return code + digits
        if len(digits) != len(area) or _is_code(digits):
            raise ValueError(_two_ways(digits, code + digits))
        return code + digits

    def _range(self, first: str, last: str) -> Iterator[str]:
        """From the first to the last; `44208-12` and `61 38-39` name only the end of the last."""
        if len(last) < len(first):
            last = first[: -len(last)] + last
        if len(first) != len(last) or not 0 <= int(last) - int(first) < LARGEST_RANGE:
            raise ValueError(tr("a range of prefixes is expected, such as 44208-44212"))
        for number in range(int(first), int(last) + 1):
            yield str(number).zfill(len(first))


def _opened(text: str) -> str:
    """Brackets as what they mean: `+44 (0)20`, `(44) 20`, `61(28,29)` are a country and what is in it."""
    text = re.sub(r"[(（]0[)）]", " ", text)
    text = re.sub(r"^[(（]\+?(\d{1,3})[)）]", r"+\1 ", text)
    text = re.sub(r"^(\d{1,3})\s*-?\s*[(（]", r"+\1 (", text)
    return _BRACKET.sub(lambda match: f" {match[1]} ", text)


def _parts(text: str) -> list[str]:
    """The parts between commas; a stroke does where all of them are codes, or the first names its country apart."""
    pieces = [piece.strip() for piece in text.split("/")]
    alike = len({len(piece) for piece in pieces}) == 1 and len(pieces[0]) > LONGEST_CODE
    if len(pieces) > 1 and (alike or re.fullmatch(r"\+?\d{1,3}[\s-]\d+", pieces[0])):
        text = ",".join(pieces)
    return [part.strip() for part in _LIST.split(text) if part.strip()]


def _wanted() -> str:
    return tr("prefixes are expected as digits with commas between them, such as 4420, 4421")


def _two_ways(short: str, long: str) -> str:
    return tr("{short!r} may be a code of its own or {long}; write the codes in full", short=short, long=long)


def _is_code(digits: str) -> bool:
    return len(digits) <= LONGEST_CODE and country_code(digits) == digits


def country_code(digits: str) -> str:
    """The country code that a full number begins with; "" where no country has one."""
    from ippbx_billing.numbering import world

    return world.country_code(digits)


def without_trunk_zero(code: str, area: str) -> str:
    """An area code behind its country code: 030 is 30 in Germany, and 06 stays 06 in Italy."""
    from ippbx_billing.numbering import world

    return area[1:] if area.startswith("0") and len(area) > 1 and world.strips_zero(code) else area
