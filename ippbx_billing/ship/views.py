"""How shipping looks: how far the centre is with our events."""

from datetime import datetime

from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.settings import Settings
from ippbx_billing.ship.looking import waiting
from ippbx_billing.ship.state import load


def state(using: Settings) -> Listing:
    """One row; moments on the site's clock, null where there was none."""
    found = load(using.data_dir)

    def told(moment: int | None) -> str | None:
        return None if moment is None else datetime.fromtimestamp(moment, using.site_zone).isoformat()

    row = {
        "to": found.url or using.ship_to or None,
        "site": found.site or using.ship_site or None,
        "epoch": found.epoch or None,
        "position": found.position,
        "waiting": waiting(using, found),
        "last_shipped": told(found.shipped_at),
        "behind_since": told(found.behind_since),
        "problem": found.problem or None,
    }
    columns = [
        Column("to", tr("Centre")),
        Column("site", tr("Site")),
        Column("position", tr("Position"), "number"),
        Column("waiting", tr("Waiting"), "number"),
        Column("last_shipped", tr("Last shipped"), "time"),
        Column("behind_since", tr("Behind since"), "time"),
        Column("problem", tr("Problem")),
    ]
    return Listing([row], columns)
