"""The standard tariff a new site begins with: three carriers of its area and what carriers published.

    carriers, prices = standard("CN", "022", "天津")
    carriers[0].name   ->  "022-天津-电信"

Only China has one (`standard_cn.toml`, each row with its source). A site elsewhere gets one carrier named after its
area and no prices: its calls are unrated until its own tariff is entered.
"""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from ippbx_billing import money
from ippbx_billing.calls import LineKind, TrafficType
from ippbx_billing.tariffs.prices import Carrier, Figures, Price, Window

LOCAL_OPERATOR = "local"


def standard(country: str, area_code: str, place: str) -> tuple[list[Carrier], list[Price]]:
    """Carriers of the home area, the first one the default, and their prices (none outside China)."""
    if country.upper() != "CN":
        return [_carrier(area_code, place or country.upper(), LOCAL_OPERATOR, default=True)], []
    document = _document()
    carriers = [
        _carrier(area_code, place, row["operator"], default=row.get("default", False)) for row in document["carriers"]
    ]
    names = {carrier.operator: carrier.name for carrier in carriers}
    return carriers, [price for row in document["prices"] for price in _prices(row, names, document)]


def _carrier(area_code: str, place: str, operator: str, *, default: bool) -> Carrier:
    name = "-".join(part for part in (area_code, place, operator) if part)
    return Carrier(name=name, area_code=area_code, place=place, operator=operator, default=default)


def _prices(row: dict[str, Any], names: dict[str, str], document: dict[str, Any]) -> list[Price]:
    """The row's prices: one for each of its operators and values."""
    source = document["sources"][row["source"]]
    effective_from: date = document["effective_from"]
    return [
        Price(
            id=None,
            carrier=names[operator],
            traffic_type=TrafficType(row["traffic_type"]),
            line_kind=LineKind(row["line_kind"]) if "line_kind" in row else None,
            match=row.get("match", "any"),
            value=value,
            figures=_figures(row["figures"]),
            windows=tuple(map(_window, row.get("windows", ()))),
            effective_from=effective_from,
            note="; ".join(filter(None, (row.get("note"), f"source: {source}"))),
        )
        for operator in row["operators"]
        for value in row.get("values", [""])
    ]


def _figures(row: dict[str, Any]) -> Figures:
    return Figures(row["initial_s"], money.parse(row["initial_fee"]), row["step_s"], money.parse(row["step_fee"]))


def _window(row: dict[str, Any]) -> Window:
    return Window(row["kind"], _second(row["from"]), _second(row["to"]), _figures(row["figures"]))


def _second(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("standard_cn.toml").read_text(encoding="utf-8"))
