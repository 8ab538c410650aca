"""Closes months: their calls become files of the history, and what changes them later is told in the next month.

    closed = close(connection, history, "hq", "2026-10", now)
    closed.adjusted       # calls of earlier closed months that came late or were corrected

A closed month is never changed by a late record: the difference is an adjustment of the month that is closed next.
PostgreSQL says which files are in force; `agreed` brings a `month.json` up to that where a process died in between.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ippbx_billing.centre.opening import Connection, Row, tuple_row
from ippbx_billing.centre.registry import SiteTable
from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.history import months, pieces
from ippbx_billing.history.months import ClosedMonth
from ippbx_billing.language import tr
from ippbx_billing.reports import Period

_STORED = {"window": "window_name"}
_COLUMNS = ", ".join(_STORED.get(name, name) for name in pieces.COLUMNS)
_DIGEST = (
    "coalesce(sum(hashtextextended(id || ':' || event_id || ':' || coalesce(fee_micro::text, ''), 0)::numeric), 0)"
)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What changed in months that were closed earlier: how many calls, what they cost more, in micro-units."""

    calls: int = 0
    fee_micro: int = 0


@dataclass(frozen=True, slots=True)
class Closing:
    """A month that is closed now; `new` is false where it was closed before."""

    month: ClosedMonth
    adjusted: Adjusted
    new: bool


def close(
    connection: Connection, history: Path, site: str, month: str, now: datetime, *, accept_gaps: bool = False
) -> Closing:
    """Close a month of a site; UsageError where it is not over, or not all of it has come and been rated."""
    SiteTable(connection).named(site)
    period = Period.month(month, now.date())
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('close ' || %s))", [site])
        if (standing := agreed(connection, history, site, month)) is not None:
            return Closing(standing, Adjusted(), False)
        _must_be_complete(connection, site, period, now, accept_gaps)
        made = months.write(history, site, month, _rows(connection, site, period), now)
        adjusted = _adjust(connection, history, site, month)
        totals = made.totals
        connection.execute(
            "INSERT INTO closed_months (site, month, files, calls, fee_micro, digest, closed_at) VALUES "
            f"(%s, %s, %s, %s, %s, (SELECT {_DIGEST} FROM calls WHERE site = %s AND day BETWEEN %s AND %s), %s)",
            [site, month, _names(made), totals.calls, totals.fee_micro, site, period.first, period.last, now],
        )
    return Closing(made, adjusted, True)


def _names(month: ClosedMonth) -> str:
    return json.dumps([piece.name for piece in month.pieces])


def _must_be_complete(connection: Connection, site: str, period: Period, now: datetime, accept_gaps: bool) -> None:
    (standing,) = SiteTable(connection).standing(site)
    over = datetime.combine(period.last + timedelta(days=1), clock_time(), ZoneInfo(standing["zone"]))
    if now < over:
        raise UsageError(
            tr("{month} is not over at {site}", month=period.name, site=site), tr("close it when it is over")
        )
    if standing["last_at"] is None or standing["last_at"] < over:
        raise UsageError(
            tr("{site} has sent nothing since {month} was over", site=site, month=period.name),
            tr("wait for the site, or close the others with --site"),
        )
    if standing["waiting"]:
        problem = tr("{count} rows of {site} are not rated yet", count=standing["waiting"], site=site)
        raise UsageError(problem, "ippbx-bill centre rate --until-done")
    if standing["missing"] and not accept_gaps:
        raise UsageError(
            tr("{count} rows of {site} are missing", count=standing["missing"], site=site),
            tr("have the site send them again, or say --accept-gaps where they are lost for good"),
        )
    connection.execute("UPDATE gaps SET accepted_at = %s WHERE site = %s AND accepted_at IS NULL", [now, site])


def _rows(connection: Connection, site: str, period: Period) -> Iterator[tuple[Any, ...]]:
    """The calls of a month in the order of `pieces.COLUMNS`, streamed."""
    with connection.cursor("closing", row_factory=tuple_row) as cursor:
        cursor.itersize = pieces.ROWS_AT_ONCE
        cursor.execute(
            f"SELECT {_COLUMNS} FROM calls WHERE site = %s AND day BETWEEN %s AND %s ORDER BY id",
            [site, period.first, period.last],
        )
        yield from cursor


# -- what changed after the closing


def _adjust(connection: Connection, history: Path, site: str, told_in: str) -> Adjusted:
    """Tell what became of the calls of months that were closed before; each difference is told once."""
    found = Adjusted()
    for row in connection.execute("SELECT month, digest FROM closed_months WHERE site = %s", [site]).fetchall():
        period = Period.month(row["month"], datetime.min.date())
        digest = _digest(connection, site, period)
        if digest != row["digest"]:
            one = _differences(connection, months.read(months.folder_of(history, site, row["month"])), period, told_in)
            found = Adjusted(found.calls + one.calls, found.fee_micro + one.fee_micro)
            connection.execute(
                "UPDATE closed_months SET digest = %s WHERE site = %s AND month = %s", [digest, site, row["month"]]
            )
    return found


def _digest(connection: Connection, site: str, period: Period) -> Any:
    sql = f"SELECT {_DIGEST} AS digest FROM calls WHERE site = %s AND day BETWEEN %s AND %s"
    return _one(connection, sql, [site, period.first, period.last])["digest"]


def _one(connection: Connection, sql: str, values: list[Any]) -> Row:
    row = connection.execute(sql, values).fetchone()
    assert row is not None
    return dict(row)


def _differences(connection: Connection, month: ClosedMonth, period: Period, told_in: str) -> Adjusted:
    """What the calls of a month are now beside its files, less what was told before."""
    put_charges(connection, month)
    row = _one(
        connection,
        """
        WITH now_and_then AS (
            SELECT coalesce(c.id, f.id) AS id,
                (c.id IS NOT NULL)::int - (f.id IS NOT NULL)::int AS calls,
                coalesce(c.fee_micro, 0) - coalesce(f.fee_micro, 0) AS fee_micro
            FROM (SELECT * FROM calls WHERE site = %s AND day BETWEEN %s AND %s) c
                FULL JOIN closed_charges f ON f.id = c.id
        ), told AS (
            SELECT call_id, sum(calls) AS calls, sum(fee_micro) AS fee_micro
            FROM adjustments WHERE site = %s AND month = %s GROUP BY call_id
        ), news AS (
            INSERT INTO adjustments (site, call_id, month, told_in, calls, fee_micro)
            SELECT %s, n.id, %s, %s, n.calls - coalesce(t.calls, 0), n.fee_micro - coalesce(t.fee_micro, 0)
            FROM now_and_then n LEFT JOIN told t ON t.call_id = n.id
            WHERE n.calls <> coalesce(t.calls, 0) OR n.fee_micro <> coalesce(t.fee_micro, 0)
            RETURNING fee_micro
        )
        SELECT count(*) AS calls, coalesce(sum(fee_micro), 0)::bigint AS fee_micro FROM news
        """,
        [
            *(month.site, period.first, period.last),
            *(month.site, month.month),
            *(month.site, month.month, told_in),
        ],
    )
    return Adjusted(row["calls"], row["fee_micro"])


def put_charges(connection: Connection, month: ClosedMonth) -> None:
    """The charges of a month's files as the table `closed_charges`, until the transaction ends."""
    names = ("id", "event_id", *pieces.CHARGED)
    columns = ", ".join(_STORED.get(name, name) for name in names)
    connection.execute("DROP TABLE IF EXISTS closed_charges")
    connection.execute(f"CREATE TEMP TABLE closed_charges ON COMMIT DROP AS SELECT {columns} FROM calls WITH NO DATA")
    with connection.cursor() as cursor, cursor.copy(f"COPY closed_charges ({columns}) FROM STDIN") as copy:
        for path in month.paths:
            for batch in pieces.batches(path):
                for values in zip(*(batch.values(name) for name in names), strict=True):
                    copy.write_row(values)
    connection.execute("CREATE INDEX ON closed_charges (id)")
    connection.execute("ANALYZE closed_charges")


# -- which files are in force


def agreed(connection: Connection, history: Path, site: str, month: str) -> ClosedMonth | None:
    """The closed month as PostgreSQL knows it, None where it is open; its description follows where it is behind.

    DataError where the files are not in this folder.
    """
    row = connection.execute("SELECT files FROM closed_months WHERE site = %s AND month = %s", [site, month]).fetchone()
    if row is None:
        return None
    folder = months.folder_of(history, site, month)
    if not (folder / months.NAME).exists():
        raise DataError(
            tr(
                "{month} of {site} is closed, but its files are not in {folder}", month=month, site=site, folder=history
            ),
            tr("name the history's folder with --history, or take it from a backup"),
        )
    standing = months.read(folder)
    if [piece.name for piece in standing.pieces] == row["files"]:
        return standing
    return months.bring_in_force(standing, row["files"])


def all_agreed(connection: Connection, history: Path, month: str, sites: list[str]) -> list[ClosedMonth]:
    """The closed months of this name, of these sites or of all; UsageError where there is none."""
    rows = connection.execute(
        "SELECT site FROM closed_months WHERE month = %s AND (%s = '{}'::text[] OR site = ANY(%s)) ORDER BY site",
        [month, sites, sites],
    ).fetchall()
    found = [agreed(connection, history, row["site"], month) for row in rows]
    if not found:
        raise UsageError(tr("{month} is closed at no site", month=month), f"ippbx-bill centre close --month {month}")
    return [one for one in found if one is not None]
