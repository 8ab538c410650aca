"""The questions that the centre answers: a month's calls over all sites, or of some, told apart as is wanted.

    totals(connection, period, by="site")
    calls(connection, period, sites=["hq"], limit=100)

Whatever the sums tell apart is asked of them; what they do not, of the calls themselves.
"""

from collections.abc import Sequence

from ippbx_billing.centre.opening import Connection, Row
from ippbx_billing.centre.wanted import CentreBy
from ippbx_billing.reports import Period

_OF_CALLS = {CentreBy.EXTENSION}  # what the sums do not tell apart
_SUMS = (
    "sum(calls)::bigint AS calls, sum(answered)::bigint AS answered, sum(billed_s)::bigint AS billed_s, "
    "sum(fee_micro)::bigint AS fee_micro, coalesce(sum(calls) FILTER (WHERE status = 'unrated'), 0)::bigint AS unpriced"
)
_COUNTED = (
    "(SELECT site, day, extension, status, 1 AS calls, (disposition = 'answered')::int AS answered, billed_s, "
    "coalesce(fee_micro, 0) AS fee_micro FROM calls) c"
)


def totals(connection: Connection, period: Period, by: CentreBy, sites: Sequence[str] = ()) -> list[Row]:
    """The sums of these local days, a row for each value and currency; of no site: of all that may be seen."""
    source = _COUNTED if by in _OF_CALLS else "rollups"
    key = {CentreBy.SITE: "site", CentreBy.EXTENSION: "site || '/' || coalesce(extension, '')"}.get(by, by.value)
    return connection.execute(
        f"SELECT {key} AS name, currency, {_SUMS} FROM {source} JOIN sites USING (site) "
        "WHERE day BETWEEN %s AND %s AND (%s = '{}'::text[] OR site = ANY(%s)) GROUP BY 1, 2 ORDER BY 1, 2",
        [period.first, period.last, list(sites), list(sites)],
    ).fetchall()


def calls(connection: Connection, period: Period, sites: Sequence[str] = (), limit: int = 100) -> list[Row]:
    """The calls of these local days, the newest first."""
    return connection.execute(
        "SELECT c.*, s.zone, s.currency FROM calls c JOIN sites s USING (site) WHERE day BETWEEN %s AND %s "
        "AND (%s = '{}'::text[] OR site = ANY(%s)) ORDER BY started_at DESC, site, id DESC LIMIT %s",
        [period.first, period.last, list(sites), list(sites), limit],
    ).fetchall()
