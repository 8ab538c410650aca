"""How the service looks: whether it is installed, starts at boot, and runs."""

from collections.abc import Mapping

from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.service import NAME


def service(known: Mapping[str, str]) -> Listing:
    """What `systemd.status` tells, a single row; what systemd leaves empty is null."""
    row = {
        "service": NAME,
        "installed": known.get("LoadState") == "loaded",
        "enabled": known.get("UnitFileState") == "enabled",
        "state": known.get("ActiveState") or None,
        "detail": known.get("SubState") or None,
        "pid": int(known.get("MainPID") or 0) or None,
        "restarts": int(known.get("NRestarts") or 0),
        "since": known.get("ActiveEnterTimestamp") or None,
    }
    headings = [
        Column("service", tr("Service")),
        Column("installed", tr("Installed"), "flag"),
        Column("enabled", tr("At boot"), "flag"),
        Column("state", tr("State"), "word"),
        Column("pid", tr("Process"), "code"),
        Column("restarts", tr("Restarts"), "number"),
        Column("since", tr("Since")),
    ]
    return Listing([row], headings)


def is_running(known: Mapping[str, str]) -> bool:
    """Whether systemd says that it runs."""
    return known.get("ActiveState") == "active"
