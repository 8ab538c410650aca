"""How prices look: as rows with the keys of the contract, as tables, and as a few words."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ippbx_billing import money
from ippbx_billing.documents.columns import Column
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.tariffs import Changes, Figures, Price, Window


def price_row(price: "Price") -> dict[str, Any]:
    """A price with the keys of the contract; fees are exact texts, what is not said is null."""
    return {
        "id": price.id,
        "carrier": price.carrier,
        "traffic_type": price.traffic_type.value,
        "direction": price.direction.value,
        "line_kind": price.line_kind.value if price.line_kind else None,
        "match": price.match,
        "value": price.value or None,
        **_figures_row(price.figures),
        "connection_fee": money.text(price.connection_fee_micro),
        "free_s": price.free_s,
        "minimum_fee": money.text(price.minimum_fee_micro),
        "add_local": price.add_local,
        "effective_from": price.effective_from.isoformat(),
        "windows": [_window_row(window) for window in price.windows],
        "note": price.note or None,
        "status": price.status,
    }


def _figures_row(figures: "Figures") -> dict[str, Any]:
    return {
        "initial_s": figures.initial_s,
        "initial_fee": money.text(figures.initial_fee_micro),
        "step_s": figures.step_s,
        "step_fee": money.text(figures.step_fee_micro),
        "per_s": figures.per_s or None,
    }


def _window_row(window: "Window") -> dict[str, Any]:
    from ippbx_billing.tariffs.prices import clock

    return {
        "kind": window.kind,
        "from": clock(window.start_s),
        "to": clock(window.end_s),
        **_figures_row(window.figures),
        "priority": window.priority,
        "name": window.name or None,
    }


def shown(price: "Price") -> dict[str, Any]:
    """A price as people read it in a table."""
    return {
        "id": price.id,
        "carrier": price.carrier,
        "traffic_type": tr(price.traffic_type.value),
        "line_kind": tr(price.line_kind.value) if price.line_kind else "",
        "to": destination(price),
        "price": in_words(price),
        "effective_from": price.effective_from.isoformat(),
    }


def columns(*, carrier: bool) -> list[Column]:
    """The columns of `shown`."""
    return [
        Column("id", tr("ID"), "number", 1),
        *([Column("carrier", tr("Carrier"), rank=2)] if carrier else []),
        Column("traffic_type", tr("Traffic type")),
        Column("line_kind", tr("Line")),
        Column("to", tr("To")),
        Column("price", tr("Price")),
        Column("effective_from", tr("Valid from"), "time"),
    ]


def destination(price: "Price") -> str:
    """For which numbers it is, in a few words."""
    words = {
        "any": tr("all"),
        "area": tr("area {value}", value=price.value),
        "country": price.value,
        "prefix": f"{price.value}…",
        "pattern": price.value,
        "called": tr("to our {value}", value=price.value),
    }
    incoming = {"inbound": tr("incoming"), "internal": tr("internal")}.get(price.direction.value, "")
    return ", ".join(filter(None, (incoming, words[price.match])))


def in_words(price: "Price") -> str:
    """All that it costs: figures, connection, free seconds, minimum, windows; or that it has come to an end."""
    if price.status != "open":
        return {"ended": tr("has ended"), "blocked": tr("not connected by the carrier")}[price.status]
    extras = [
        tr("connection {fee}", fee=money.text(price.connection_fee_micro)) if price.connection_fee_micro else "",
        tr("{seconds} s free", seconds=price.free_s) if price.free_s else "",
        tr("at least {fee}", fee=money.text(price.minimum_fee_micro)) if price.minimum_fee_micro else "",
        tr("plus the local fee") if price.add_local else "",
    ]
    windows = [f"{_label(window)}: {figures_in_words(window.figures)}" for window in price.windows]
    return "; ".join(filter(None, (figures_in_words(price.figures), *extras, *windows)))


def _label(window: "Window") -> str:
    from ippbx_billing.tariffs.prices import clock

    return window.name or f"{tr(window.kind)} {clock(window.start_s)}-{clock(window.end_s)}"


def figures_in_words(figures: "Figures") -> str:
    """`0.22/180s + 0.11/60s`, a flat fee, or a rate with its increments."""
    initial, step = money.text(figures.initial_fee_micro), money.text(figures.step_fee_micro)
    if not figures.step_s:
        return tr("{fee} a call", fee=initial) if figures.initial_fee_micro else tr("free of charge")
    if figures.per_s:
        initial, step, per_s = rates(figures)
        unit = tr("min") if per_s == 60 else f"{per_s}s"
        both = step if initial == step else f"{initial} + {step}"
        return f"{both}/{unit} ({figures.initial_s}/{figures.step_s}s)"
    if (figures.initial_s, initial) == (figures.step_s, step):
        return f"{step}/{figures.step_s}s"
    return f"{initial}/{figures.initial_s}s + {step}/{figures.step_s}s"


def rates(figures: "Figures") -> tuple[str, str, int]:
    """The rates with all their decimals and for how many seconds: 31.135104 for 100 minutes is 0.31135104 a minute."""
    per_s, places = figures.per_s, 0
    while per_s % 600 == 0:
        per_s, places = per_s // 10, places + 1
    return _moved(figures.initial_fee_micro, places), _moved(figures.step_fee_micro, places), per_s


def _moved(micro: int, places: int) -> str:
    """The amount with its decimal point so many places further left."""
    if not places:
        return money.text(micro)
    digits = str(micro).zfill(7 + places)
    left, right = digits[: -6 - places], digits[-6 - places :].rstrip("0")
    return f"{left}.{right:0<2}"


# -- what would change


def change_rows(changes: "Changes", settings: Iterable[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """Every change with the keys of the contract: what it is, what was there before, what is there after."""
    rows: list[dict[str, Any]] = [
        {"change": "setting", "setting": name, "before": before, "after": after} for name, before, after in settings
    ]
    rows += [{"change": "added", "before": None, "after": price_row(new)} for new in changes.added]
    rows += [{"change": "changed", "before": price_row(old), "after": price_row(new)} for old, new in changes.changed]
    rows += [{"change": "removed", "before": price_row(old), "after": None} for old in changes.removed]
    return rows


def shown_changes(changes: "Changes", settings: Iterable[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """The same as people read it in a table."""
    rows = [
        {"change": "setting", "what": tr(name), "before": _setting(before), "after": _setting(after)}
        for name, before, after in settings
    ]
    pairs: list[tuple[str, Price | None, Price | None]] = [("added", None, new) for new in changes.added]
    pairs += [("changed", old, new) for old, new in changes.changed]
    pairs += [("removed", old, None) for old in changes.removed]
    for word, old, new in pairs:
        price = new or old
        assert price is not None
        rows.append(
            {
                "change": word,
                "what": what(price),
                "effective_from": price.effective_from.isoformat(),
                "before": in_words(old) if old else None,
                "after": in_words(new) if new else None,
            }
        )
    return rows


def what(price: "Price") -> str:
    """For which calls a price is, in a line."""
    kind = tr(price.line_kind.value) if price.line_kind else ""
    return " ".join(filter(None, (tr(price.traffic_type.value), kind, destination(price))))


def _setting(value: Any) -> str | None:
    return None if value is None else str(value)


def change_columns() -> list[Column]:
    """The columns of `shown_changes`."""
    return [
        Column("change", tr("Change"), "word"),
        Column("what", tr("What")),
        Column("effective_from", tr("Valid from"), "time"),
        Column("before", tr("Before")),
        Column("after", tr("After")),
    ]
