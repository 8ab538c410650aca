"""Rates closed months again by the sites' books of today, and puts the result in force, a month in a transaction.

    again = rate_again(connection, closed, scheduler="", processes=2)     # differences; nothing is changed
    for one in again: put_in_force(connection, one)

The files are rated, by `history` on as many processes as are there; the centre's tables follow in one transaction for
each month of a site. A call that was corrected after its month was closed keeps the charge of its correction.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from ippbx_billing.centre.books import Shelf
from ippbx_billing.centre.closing import put_charges
from ippbx_billing.centre.opening import Connection
from ippbx_billing.errors import DataError
from ippbx_billing.history import months, rating, spreading
from ippbx_billing.history.books import Books
from ippbx_billing.history.months import ClosedMonth
from ippbx_billing.history.pieces import CHARGED
from ippbx_billing.history.rating import MonthAgain
from ippbx_billing.language import tr

_CHARGE = tuple("window_name" if name == "window" else name for name in CHARGED)
_SUMS = "calls, answered, duration_s, billed_s, fee_micro"


def books_of(connection: Connection, sites: Sequence[str]) -> dict[str, Books]:
    """The books by which these sites are rated today."""
    rows = connection.execute(
        "SELECT s.site, b.content FROM sites s JOIN books b ON b.site = s.site AND b.hash = s.book "
        "WHERE s.site = ANY(%s)",
        [list(sites)],
    ).fetchall()
    return {row["site"]: _books(bytes(row["content"])) for row in rows}


def _books(content: bytes) -> Books:
    shelf = Shelf(content)
    try:
        return Books.of(shelf.rules)
    finally:
        shelf.close()


def rate_again(
    connection: Connection,
    closed: Sequence[ClosedMonth],
    *,
    scheduler: str = "",
    processes: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[MonthAgain]:
    """Rate closed months again: here, on several processes, or on the workers of a Dask scheduler."""
    books = books_of(connection, [one.site for one in closed])
    if not scheduler and processes == 1:
        return list(rating.rate_again(closed, books))
    return spreading.spread(closed, books, scheduler=scheduler, processes=processes, progress=progress)


def put_in_force(connection: Connection, again: MonthAgain) -> ClosedMonth:
    """New charges take the place of the old in tables and files; DataError where others were quicker."""
    before = again.month
    new = replace(before, pieces=again.pieces)
    with connection.transaction():
        row = connection.execute(
            "SELECT files FROM closed_months WHERE site = %s AND month = %s FOR UPDATE", [before.site, before.month]
        ).fetchone()
        if row is None or row["files"] != [piece.name for piece in before.pieces]:
            problem = tr("{month} of {site} was changed meanwhile", month=before.month, site=before.site)
            raise DataError(problem, tr("rate the month again"))
        put_charges(connection, new)
        _change(connection, before.site)
        connection.execute(
            "UPDATE closed_months SET files = %s, fee_micro = %s WHERE site = %s AND month = %s",
            [
                json.dumps([piece.name for piece in new.pieces]),
                new.totals.fee_micro,
                before.site,
                before.month,
            ],
        )
    return months.put_in_force(before, again.pieces)


def _change(connection: Connection, site: str) -> None:
    """Charges that differ, and the sums with them."""
    differs = " OR ".join(f"c.{name} IS DISTINCT FROM f.{name}" for name in _CHARGE)
    connection.execute(
        "CREATE TEMP TABLE changing ON COMMIT DROP AS SELECT c.id FROM calls c JOIN closed_charges f "
        f"ON f.id = c.id AND f.event_id = c.event_id WHERE c.site = %s AND ({differs})",
        [site],
    )
    _count(connection, site, -1)
    values = ", ".join(f"{name} = f.{name}" for name in _CHARGE)
    connection.execute(
        f"UPDATE calls c SET {values}, version = version + 1, book = (SELECT book FROM sites WHERE site = %s) "
        "FROM closed_charges f WHERE c.site = %s AND f.id = c.id AND c.id IN (SELECT id FROM changing)",
        [site, site],
    )
    _count(connection, site, 1)
    connection.execute("DELETE FROM rollups WHERE site = %s AND calls = 0", [site])


def _count(connection: Connection, site: str, sign: int) -> None:
    """The calls that change, into the sums or out of them."""
    adding = ", ".join(f"{name} = rollups.{name} + excluded.{name}" for name in _SUMS.split(", "))
    connection.execute(
        f"INSERT INTO rollups (site, day, department, traffic_type, direction, status, {_SUMS}) "
        "SELECT site, day, department, traffic_type, coalesce(direction, ''), status, %(sign)s * count(*), "
        "%(sign)s * count(*) FILTER (WHERE disposition = 'answered'), %(sign)s * sum(coalesce(duration_s, 0)), "
        "%(sign)s * sum(billed_s), %(sign)s * sum(coalesce(fee_micro, 0)) "
        "FROM calls WHERE site = %(site)s AND id IN (SELECT id FROM changing) GROUP BY 1, 2, 3, 4, 5, 6 "
        f"ON CONFLICT (site, day, department, traffic_type, direction, status) DO UPDATE SET {adding}",
        {"site": site, "sign": sign},
    )
