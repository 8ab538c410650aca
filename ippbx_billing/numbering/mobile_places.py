"""Which city a Chinese mobile number was issued in: seven digits -> place.

    packaged_places().find("13800138000")  ->  MobilePlace(region="北京", place="北京", area_code="010")

The table is `phone.dat` of the Python package `phone`, or a newer one, or a CSV with the columns
`prefix,region,place,area_code`. What it holds for a thousand prefixes is unpacked when the first of them is asked for.
A hit alone says nothing: the file has rows in blocks that are not mobile.
"""

import csv
import io
import struct
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from ippbx_billing import files
from ippbx_billing.errors import DataError
from ippbx_billing.language import tr
from ippbx_billing.numbering.tables import areas

PHONE_DAT, PLACES_CSV = "phone.dat", "mobile_places.csv"
CSV_COLUMNS = ("prefix", "region", "place", "area_code")

_HEADER = struct.Struct("<4si")
_ENTRY = struct.Struct("<iib")


class MobilePlace(NamedTuple):
    """Province, city and the area code whose calls to it are local."""

    region: str
    place: str
    area_code: str


class MobilePlaces(Protocol):
    """A table of mobile places; `version` changes whenever the data does."""

    @property
    def version(self) -> str: ...

    def find(self, number: str) -> MobilePlace | None:
        """The place of an eleven-digit mobile number."""


def load_mobile_places(path: Path) -> MobilePlaces:
    """The checked table in a `phone.dat` or a CSV file; DataError says what is wrong with it and where."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            tr("{path} cannot be read: {error}", path=path, error=tr(error.strerror or str(error))),
            tr("name a phone.dat or a CSV file"),
        ) from error
    if path.suffix.lower() == ".csv":
        return PlaceList.read(path, content)
    table = PhoneDat(path, content)
    table.check()
    return table


def mobile_places_in(directory: Path) -> MobilePlaces:
    """The table that was put into this directory, else the packaged one."""
    if (directory / PLACES_CSV).exists():
        return load_mobile_places(directory / PLACES_CSV)
    if (directory / PHONE_DAT).exists():
        return PhoneDat(directory / PHONE_DAT)
    return packaged_places()


def install_mobile_places(path: Path, directory: Path) -> MobilePlaces:
    """Check the file and put a copy in the directory, where it takes the place of what was there."""
    places = load_mobile_places(path)
    name = PLACES_CSV if path.suffix.lower() == ".csv" else PHONE_DAT
    try:
        directory.mkdir(parents=True, exist_ok=True)
        files.write(directory / name, path.read_bytes(), hint=tr("check its owner"))
        for other in {PLACES_CSV, PHONE_DAT} - {name}:
            (directory / other).unlink(missing_ok=True)
    except OSError as error:
        problem = tr("{path} cannot be written: {error}", path=directory, error=tr(error.strerror or str(error)))
        raise DataError(problem, tr("check its owner")) from error
    return places


@lru_cache(maxsize=1)
def packaged_places() -> MobilePlaces:
    """The `phone.dat` of the package `phone`; an empty table where that is not installed."""
    from importlib.util import find_spec

    spec = find_spec("phone")
    for directory in (spec.submodule_search_locations or []) if spec else []:
        path = Path(directory) / PHONE_DAT
        if path.exists():
            return PhoneDat(path)
    return PlaceList("none", array("I"), array("H"), [])


class PhoneDat:
    """A `phone.dat`: version, places as text, then nine bytes for each prefix, sorted."""

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        self._path = path
        self._loaded = content
        self._offsets: dict[str, list[int]] = {}  # by the first four digits of a prefix
        self._places: dict[int, MobilePlace | None] = {0: None}

    @property
    def version(self) -> str:
        """The year and month of the file, such as `2312`."""
        return self._content[:4].decode("ascii", "replace")

    def find(self, number: str) -> MobilePlace | None:
        offsets = self._offsets.get(number[:4])
        if offsets is None:
            offsets = self._offsets[number[:4]] = self._offsets_of(int(number[:4]))
        offset = offsets[int(number[4:7])]
        if offset not in self._places:
            self._places[offset] = self._place(offset)
        return self._places[offset]

    def check(self) -> None:
        """DataError unless the whole file is sound: header, sorted prefixes, readable places."""
        content = self._content
        size = len(content)
        first = self._first if size > _HEADER.size and content[:4].isdigit() else -1
        if not _HEADER.size < first < size or (size - first) % _ENTRY.size:
            raise DataError(
                tr("{path} is not a phone.dat", path=self._path),
                tr("its header or its length does not fit; download it again"),
            )
        last, offsets = 0, set()
        for code, offset, _ in _ENTRY.iter_unpack(content[first:]):
            if code <= last or not _HEADER.size <= offset < first:
                raise self._damaged(tr("the entry for {code} is out of order", code=code))
            last = code
            offsets.add(offset)
        for offset in offsets:
            if self._place(offset) is None:
                raise self._damaged(tr("the place at byte {offset} cannot be read", offset=offset))

    def _damaged(self, problem: str) -> DataError:
        return DataError(f"{self._path}: {problem}", tr("download the file again"))

    @property
    def _content(self) -> bytes:
        if self._loaded is None:
            self._loaded = self._path.read_bytes()
        return self._loaded

    @property
    def _first(self) -> int:
        """Where the prefixes begin."""
        return int(_HEADER.unpack_from(self._content)[1])

    def _offsets_of(self, head: int) -> list[int]:
        """Where the place begins of each of the thousand prefixes with these four digits; 0 where there is none."""
        codes, offsets = self._columns
        base, found = head * 1_000, [0] * 1_000
        first, behind = bisect_left(codes, base), bisect_left(codes, base + 1_000)
        for code, offset in zip(codes[first:behind], offsets[first:behind], strict=True):
            found[code - base] = offset
        return found

    @cached_property
    def _columns(self) -> tuple["array[int]", "array[int]"]:
        """The prefixes, and where the place of each begins."""
        entries = self._content[self._first :]
        return _column(entries, 0), _column(entries, 4)

    def _place(self, offset: int) -> MobilePlace | None:
        return _place_in(self._content[offset : self._content.index(b"\0", offset)])


def _column(entries: bytes, at: int) -> "array[int]":
    """A number of four bytes out of each entry, byte by byte for all of them, which is quick."""
    count = len(entries) // _ENTRY.size
    unpacked = bytearray(4 * count)
    for byte in range(4):
        unpacked[byte::4] = entries[at + byte : count * _ENTRY.size : _ENTRY.size]
    column = array("i", bytes(unpacked))
    if sys.byteorder == "big":
        column.byteswap()
    return column


@lru_cache(maxsize=1024)
def _place_in(record: bytes) -> MobilePlace | None:
    """The place of one record, `region|place|postcode|area code`."""
    try:
        region, place, _, code = record.decode("utf-8").split("|")
    except ValueError:
        return None
    return _tidy(region, place, code)


def _tidy(region: str, place: str, code: str) -> MobilePlace:
    """The place in the words of the area table: `00479` is 0479, an old name is today's, a merged code its heir."""
    area = areas().get("0" + code.lstrip("0"))
    if area is None:
        return MobilePlace(region, place, code)
    sharers = {area.place, *area.also_serves}
    return MobilePlace(area.region, place if place in sharers else area.place, area.active_code)


class PlaceList:
    """A table in two sorted arrays: seven-digit prefixes, and which place each belongs to."""

    def __init__(self, version: str, prefixes: "array[int]", indexes: "array[int]", places: list[MobilePlace]) -> None:
        self.version = version
        self._prefixes = prefixes
        self._indexes = indexes
        self._places = places

    @classmethod
    def read(cls, path: Path, content: bytes) -> "PlaceList":
        """The table of a CSV file; DataError lists the lines that cannot be used."""
        problems: list[str] = []
        rows = sorted(_csv_rows(path, content, problems))
        if problems:
            more = [tr("{count} more", count=len(problems) - 5)] if len(problems) > 5 else []
            raise DataError(f"{path}: " + "; ".join([*problems[:5], *more]), _columns())
        numbers = {place: index for index, place in enumerate(dict.fromkeys(place for _, place in rows))}
        prefixes = array("I", (prefix for prefix, _ in rows))
        indexes = array("H", (numbers[place] for _, place in rows))
        places = [_tidy(*place) for place in numbers]
        return cls(f"csv{zlib.crc32(content):08x}", prefixes, indexes, places)

    def find(self, number: str) -> MobilePlace | None:
        wanted = int(number[:7])
        at = bisect_left(self._prefixes, wanted)
        found = at < len(self._prefixes) and self._prefixes[at] == wanted
        return self._places[self._indexes[at]] if found else None


def _columns() -> str:
    return tr("the columns are {names}", names=",".join(CSV_COLUMNS))


def _csv_rows(path: Path, content: bytes, problems: list[str]) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """Prefix and (region, place, area code) of each good row; what is wrong with the others goes to `problems`."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise DataError(tr("{path} is not UTF-8 text", path=path), tr("save it as UTF-8")) from error
    missing = [name for name in CSV_COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise DataError(tr("{path}: line 1 lacks the column {name}", path=path, name=missing[0]), _columns())
    seen: set[str] = set()
    for row in reader:
        prefix, region, place, code = ((row[name] or "").strip() for name in CSV_COLUMNS)
        if not (prefix.isascii() and prefix.isdigit() and len(prefix) == 7):
            problem = tr("the prefix is {prefix!r}, seven digits are expected", prefix=prefix)
            problems.append(f"{tr('line {number}', number=reader.line_num)}: {problem}")
        elif prefix in seen:
            problem = tr("the prefix {prefix} stands there twice", prefix=prefix)
            problems.append(f"{tr('line {number}', number=reader.line_num)}: {problem}")
        elif "0" + code.lstrip("0") not in areas():
            problem = tr("there is no area code {code!r}", code=code)
            problems.append(f"{tr('line {number}', number=reader.line_num)}: {problem}")
        else:
            seen.add(prefix)
            yield int(prefix), (region, place, code)
