"""How the log of who did what looks."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from ippbx_billing.documents.columns import Column, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.operators.log import LogEntry


def rows(entries: Iterable[LogEntry], zone: tzinfo) -> list[dict[str, Any]]:
    """Each entry, times on the site's clock; `before` and `after` are what was there and what is there."""
    return [
        {
            "id": one.id,
            "at": one.at.astimezone(zone).isoformat(),
            "who": one.actor.name or None,
            "role": one.actor.role or None,
            "face": one.actor.face,
            "address": one.actor.address or None,
            "action": one.action,
            "object": one.object or None,
            "before": one.before,
            "after": one.after,
            "reason": one.reason or None,
        }
        for one in entries
    ]


def listing(found: list[dict[str, Any]]) -> Listing:
    """The rows of `rows`, for any face."""
    return Listing(
        found, columns(), for_people=shown(found), csv=all_columns(found[0]) if found else None, empty=tr("nothing yet")
    )


def shown(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows for people: before and after as words."""
    return [
        {**row, "change": change(row["before"], row["after"]), "action": tr(row["action"]), "face": tr(row["face"])}
        for row in found
    ]


def change(before: Any, after: Any) -> str:
    """`role viewer → accountant, department – → 公司`: what differs, each with both values."""
    if isinstance(before, dict) or isinstance(after, dict):
        one, other = before or {}, after or {}
        names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
        return ", ".join(f"{name} {_told(one.get(name))} → {_told(other.get(name))}" for name in names)
    return "" if before is None and after is None else f"{_told(before)} → {_told(after)}"


def _told(value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, list):
        return "; ".join(map(_told, value))
    if isinstance(value, dict):
        return " ".join(f"{name}={part}" for name, part in value.items() if part is not None)
    return str(value)


def columns() -> list[Column]:
    """The columns of `shown`."""
    return [
        Column("at", tr("Time"), "time"),
        Column("who", tr("Who")),
        Column("role", tr("Role"), "word", rank=3),
        Column("face", tr("With"), "text", rank=2),
        Column("address", tr("From"), "code", rank=1),
        Column("action", tr("Action")),
        Column("object", tr("What")),
        Column("change", tr("Before → after")),
    ]
