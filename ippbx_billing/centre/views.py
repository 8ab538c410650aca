"""How the centre's answers look: how far each site is, the sums over sites, their calls."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from ippbx_billing import money
from ippbx_billing.centre.closing import Closing
from ippbx_billing.centre.opening import Row
from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.history.questions import HistoryAnswer
from ippbx_billing.history.rating import MonthAgain
from ippbx_billing.language import tr


def sites(rows: Iterable[Row], now: datetime, zone: tzinfo) -> Listing:
    """What `SiteTable.standing` tells; moments on this machine's clock, null where nothing came yet."""
    found = [_site(row, now, zone) for row in rows]
    columns = [
        Column("site", tr("Site")),
        Column("tenant", tr("Tenant")),
        Column("position", tr("Position"), "number"),
        Column("waiting", tr("Not rated"), "number"),
        Column("missing", tr("Missing"), "number"),
        Column("set_aside", tr("Set aside"), "number"),
        Column("incidents", tr("Incidents"), "number"),
        Column("last_batch", tr("Last batch"), "time"),
        Column("revoked", tr("Revoked"), "flag"),
        Column("epochs", tr("Inboxes"), "number", rank=2),
        Column("clock_ahead_s", tr("Clock ahead, s"), "number", rank=3),
    ]
    return Listing(found, columns, empty=tr("there is none yet"))


def totals(rows: Iterable[Row], by: str) -> Listing:
    """What `reporting.totals` tells; amounts are exact text, `unpriced` counts calls that are not in them."""
    found = [
        {
            by: row["name"],
            "calls": row["calls"],
            "answered": row["answered"],
            "billed_s": row["billed_s"],
            "fee": money.text(row["fee_micro"]),
            "unpriced": row["unpriced"],
            "currency": row["currency"],
        }
        for row in rows
    ]
    columns = [
        Column(by, tr(by), "word" if by in ("traffic_type", "direction") else "text"),
        Column("calls", tr("Calls"), "number"),
        Column("answered", tr("Answered"), "number"),
        Column("billed_s", tr("Talk time"), "length"),
        Column("fee", tr("Fee"), "money", unpriced="unpriced"),
        Column("currency", tr("Currency"), "code"),
    ]
    return Listing(found, columns, empty=tr("no calls"))


def calls(rows: Iterable[Row]) -> Listing:
    """What `reporting.calls` tells, times on each site's clock; a fee that is not known is null."""
    found = [
        {
            "site": row["site"],
            "start": datetime.fromtimestamp(row["started_at"], ZoneInfo(row["zone"])).isoformat(),
            "extension": row["extension"],
            "number": row["number"],
            "direction": row["direction"],
            "traffic_type": row["traffic_type"],
            "billed_s": row["billed_s"],
            "status": row["status"],
            "fee": None if row["fee_micro"] is None else money.text(row["fee_micro"]),
            "currency": row["currency"],
            "department": row["department"] or None,
            "book": row["book"],
        }
        for row in rows
    ]
    columns = [
        Column("site", tr("Site")),
        Column("start", tr("Start"), "time"),
        Column("extension", tr("Extension"), "code"),
        Column("number", tr("Number"), "code"),
        Column("direction", tr("Direction"), "word"),
        Column("traffic_type", tr("Traffic type"), "word"),
        Column("billed_s", tr("Talk time"), "length"),
        Column("fee", tr("Fee"), "money"),
        Column("currency", tr("Currency"), "code"),
    ]
    return Listing(found, columns, empty=tr("no calls"))


def closings(found: Iterable[Closing]) -> Listing:
    """Months that are closed; `adjusted` calls are of earlier months, told in this one."""
    rows = [
        {
            "site": one.month.site,
            "month": one.month.month,
            "calls": one.month.totals.calls,
            "fee": money.text(one.month.totals.fee_micro),
            "unpriced": one.month.totals.unrated,
            "adjusted": one.adjusted.calls,
            "adjusted_fee": money.text(one.adjusted.fee_micro),
            "new": one.new,
        }
        for one in found
    ]
    columns = [
        Column("site", tr("Site")),
        Column("month", tr("Month"), "code"),
        Column("calls", tr("Calls"), "number"),
        Column("fee", tr("Fee"), "money", unpriced="unpriced"),
        Column("adjusted", tr("Adjusted calls"), "number"),
        Column("adjusted_fee", tr("Adjustment"), "money"),
        Column("new", tr("Closed now"), "flag"),
    ]
    return Listing(rows, columns)


def rerated(found: Iterable[MonthAgain]) -> Listing:
    """Months rated again: how many calls change, and what these cost before and after."""
    rows = [
        {
            "site": one.month.site,
            "month": one.month.month,
            "calls": one.month.totals.calls,
            "changed": one.difference.calls,
            "before": money.text(one.difference.before_micro),
            "after": money.text(one.difference.after_micro),
            "difference": money.text(one.difference.after_micro - one.difference.before_micro),
            "unpriced_before": one.difference.unrated_before,
            "unpriced_after": one.difference.unrated_after,
        }
        for one in found
    ]
    columns = [
        Column("site", tr("Site")),
        Column("month", tr("Month"), "code"),
        Column("calls", tr("Calls"), "number"),
        Column("changed", tr("Changed"), "number"),
        Column("before", tr("Before"), "money"),
        Column("after", tr("After"), "money"),
        Column("difference", tr("Difference"), "money"),
    ]
    return Listing(rows, columns)


def answered(answer: HistoryAnswer) -> Listing:
    """What DuckDB answers, in the columns of the question."""
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return Listing(rows, [Column(name, name) for name in answer.columns], empty=tr("no rows"))


def _site(row: Row, now: datetime, zone: tzinfo) -> dict[str, Any]:
    last = row["last_at"]
    return {
        "site": row["site"],
        "tenant": row["tenant"],
        "time_zone": row["zone"],
        "currency": row["currency"],
        "book": row["book"],
        "epochs": row["epochs"],
        "epoch": row["epoch"],
        "position": row["position"],
        "waiting": row["waiting"],
        "missing": row["missing"],
        "set_aside": row["set_aside"],
        "incidents": row["incidents"],
        "last_batch": last and last.astimezone(zone).isoformat(timespec="seconds"),
        "silent_s": last and round((now - last).total_seconds()),
        "clock_ahead_s": row["clock_ahead_s"],
        "pinned": row["pinned_epoch"],
        "revoked": row["revoked_at"] is not None,
    }
