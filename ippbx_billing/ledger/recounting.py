"""Whether the sums beside the calls are those of the calls, found out without reading every call at every level.

    wrong_sums(ledger)  # [] where all is well, else such as ["hours", "2026-10-13"]

The one idea: each level must sum up to the same as all charges together, and on some days, the newest among them, each
extension and each hour must; what went astray in between is found by the one or the other.
"""

from datetime import date
from typing import TYPE_CHECKING, Any

from ippbx_billing.ledger.rollups import LEVELS

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger

SAMPLED_DAYS = 7

_LEVEL = "SELECT sum(calls), sum(duration_s), sum(billed_s), sum(fee_micro) FROM rollup_{level} HAVING sum(calls)"
_CHARGES = "SELECT count(*), sum(duration_s), sum(billed_s), ifnull(sum(fee_micro), 0) FROM charges HAVING count(*)"

# What the charges of a day say, and what the sums say.
_OF_DAY = (
    "g.status, count(*), sum(k.disposition = 'answered'), sum(g.duration_s), sum(g.billed_s), "
    "ifnull(sum(g.fee_micro), 0) FROM charges g LEFT JOIN kinds k ON k.id = g.kind_id "
    "JOIN rollup_spans s ON s.day = :day WHERE g.id BETWEEN s.first_id AND s.last_id "
    "AND g.local_hour BETWEEN :day * 24 AND :day * 24 + 23 GROUP BY 1, 2"
)
_SUMS = "sum(r.calls), sum(r.answered), sum(r.duration_s), sum(r.billed_s), sum(r.fee_micro)"
_BY_EXTENSION = (
    f"SELECT g.extension_id, {_OF_DAY}",
    f"SELECT r.extension_id, r.status, {_SUMS} FROM rollup_days r WHERE r.day = :day GROUP BY 1, 2",
)
_BY_HOUR = (
    f"SELECT g.local_hour, {_OF_DAY}",
    f"SELECT r.hour, c.status, {_SUMS} FROM rollup_hours r JOIN rollup_classes c ON c.id = r.class_id "
    "WHERE r.hour BETWEEN :day * 24 AND :day * 24 + 23 GROUP BY 1, 2",
)


def wrong_sums(ledger: "Ledger", most_days: int = SAMPLED_DAYS) -> list[str]:
    """The levels that do not sum up to what the charges do, then the sampled days whose sums are wrong."""
    with ledger.reading():
        charged = _rows(ledger, _CHARGES)
        levels = [level for level in LEVELS if _rows(ledger, _LEVEL.format(level=level)) != charged]
        days = [str(date.fromordinal(day)) for day in _sampled(ledger, most_days) if not _is_right(ledger, day)]
    return levels + days


def recount(ledger: "Ledger") -> int:
    """Work all sums out again from the charges; gives the number of calls. Whoever writes meanwhile waits."""
    with ledger.transaction():
        ledger.rollups.rebuild()
        return int(ledger.connection.execute("SELECT count(*) FROM charges").fetchone()[0])


def _sampled(ledger: "Ledger", most: int) -> list[int]:
    """So many of the days that have calls, evenly spread, the newest among them."""
    days = sorted(row[0] for row in _rows(ledger, "SELECT day FROM rollup_spans"))
    return sorted({days[-1 - place * len(days) // most] for place in range(most)}) if days else []


def _is_right(ledger: "Ledger", day: int) -> bool:
    return all(_rows(ledger, charges, day) == _rows(ledger, sums, day) for charges, sums in (_BY_EXTENSION, _BY_HOUR))


def _rows(ledger: "Ledger", sql: str, day: int = 0) -> set[tuple[Any, ...]]:
    return {tuple(row) for row in ledger.connection.execute(sql, {"day": day})}
