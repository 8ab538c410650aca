"""How sites look at the centre: how far each is, and since when it has been silent."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any

from ippbx_billing.centre.opening import Row
from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
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
