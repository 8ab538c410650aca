"""The data tables beside the code, each read once, when the first number needs it.

area("022").place  ->  "天津"
"""

import csv
import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from ippbx_billing.calls import TrafficType

Value = TypeVar("Value")

DATA_DIR = Path(__file__).parent / "data"


class Area(NamedTuple):
    """A Chinese area code: region (province) and place (first city it serves) in zh and en.

    `merged_into` names the code that took over an abolished one; such codes live on in old records.
    """

    code: str
    region: str
    place: str
    region_en: str
    place_en: str
    also_serves: tuple[str, ...]
    subscriber_digits: tuple[int, ...]
    merged_into: str | None

    @property
    def active_code(self) -> str:
        """The code under which the area is reached today."""
        return self.merged_into or self.code


class Block(NamedTuple):
    """A block of mobile numbers with the operator it was given to; kind is mobile, satellite or resale (MVNO)."""

    prefix: str
    operator: str
    kind: str


class ShortCode(NamedTuple):
    """Service numbers that fit a pattern in full, and what they are."""

    pattern: re.Pattern[str]
    traffic_type: TrafficType
    emergency: bool
    about: str


class CarrierPrefix(NamedTuple):
    """Digits that choose another carrier for the number behind them; some only before a trunk zero or a mobile."""

    pattern: re.Pattern[str]
    operator: str | None
    is_ip: bool
    about: str


def area(code: str, country: str = "CN") -> Area | None:
    """The area of a code, `022` or `22`; only China's are known."""
    return areas().get("0" + code.lstrip("0")) if country == "CN" else None


@lru_cache(maxsize=1)
def areas() -> dict[str, Area]:
    """All Chinese area codes, active and merged."""
    return {row["code"]: _area(row) for row in _rows("area_codes")}


def _area(row: dict[str, str]) -> Area:
    return Area(
        code=row["code"],
        region=row["province_zh"],
        place=row["city_zh"],
        region_en=row["province_en"],
        place_en=row["city_en"],
        also_serves=tuple(row["also_serves_zh"].split("、")) if row["also_serves_zh"] else (),
        subscriber_digits=tuple(int(digits) for digits in (row["subscriber_digits"] or "7/8").split("/")),
        merged_into=row["merged_into"] or None,
    )


@lru_cache(maxsize=1)
def blocks() -> dict[str, Block]:
    """The Chinese mobile blocks by prefix, three to five digits."""
    return {
        row["prefix"]: Block(row["prefix"], row["operator_zh"], row["kind"]) for row in _rows("mobile_prefix_operators")
    }


@lru_cache(maxsize=64)
def short_codes(country: str) -> tuple[ShortCode, ...]:
    """The service numbers of a country that we know ourselves, the most specific first."""
    return tuple(
        ShortCode(re.compile(row["pattern"]), TrafficType(row["traffic_type"]), row["emergency"] == "yes", row["about"])
        for row in _rows("short_codes")
        if row["country"] == country
    )


@lru_cache(maxsize=1)
def carrier_prefixes() -> tuple[CarrierPrefix, ...]:
    """The prefixes that choose a carrier in China."""
    return tuple(
        CarrierPrefix(
            pattern=re.compile(f"(?:{row['pattern']})" + (r"(?=0|1[3-9]\d{9}$)" if row["follows"] == "zero" else "")),
            operator=row["operator_zh"] or None,
            is_ip=row["ip_long_distance"] == "yes",
            about=row["about"],
        )
        for row in _rows("carrier_prefixes")
    )


@lru_cache(maxsize=1)
def satellites() -> dict[str, str]:
    """The satellite networks by the first digits of their international numbers."""
    return {row["prefix"]: row["operator"] for row in _rows("satellite_prefixes")}


@lru_cache(maxsize=1)
def world_places() -> dict[str, str]:
    """Cities outside China and North America by the first digits of their international numbers."""
    return {row["prefix"]: row["place_en"] for row in _rows("world_places")}


@lru_cache(maxsize=1)
def hk_mo_tw_places() -> dict[str, tuple[str, str | None]]:
    """Region and place, in Chinese, by the first digits of the international number."""
    return {row["prefix"]: (row["region_zh"], row["place_zh"] or None) for row in _rows("hk_mo_tw_places")}


def longest(table: Mapping[str, Value], digits: str, most: int = 7) -> Value | None:
    """The table's value for the longest prefix of the digits."""
    for length in range(min(most, len(digits)), 0, -1):
        value = table.get(digits[:length])
        if value is not None:
            return value
    return None


@lru_cache(maxsize=1)
def version() -> str:
    """Eight characters that change whenever a table changes."""
    check = 0
    for path in sorted(DATA_DIR.glob("*.csv")):
        check = zlib.crc32(path.read_bytes(), check)
    return f"{check:08x}"


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA_DIR / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
