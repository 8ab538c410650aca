"""What is measured beside the calls: disk, ledger, backup, backlog, and whether the PBXs answer.

found = probes.store(settings, config, ledger, now)     # Measured, with a reason where something is wrong
"""

import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ippbx_billing.alerts import Config, Measured, Severity
from ippbx_billing.calls import Fact, Reason
from ippbx_billing.errors import BillingError
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.settings import Settings

DAY_S = 86_400
LINK_TIMEOUT_S = 5.0
GROWTH = "alerts_growth"  # in `state`: the size of the data directory, and when it was that


@dataclass(slots=True)
class Links:
    """How many times in a row each PBX did not answer."""

    failures: dict[str, int] = field(default_factory=dict)


def store(settings: Settings, config: Config, ledger: Ledger, now: datetime) -> Iterator[Measured]:
    """Everything about keeping: each finding has an object of its own."""
    yield _disk(settings, config)
    yield _growth(settings, config, ledger, now)
    yield _backup(config, ledger, now)
    yield _backlog(settings, config, ledger, now)


def _disk(settings: Settings, config: Config) -> Measured:
    usage = shutil.disk_usage(settings.data_dir)
    percent = usage.free * 100 // usage.total
    wrong = percent < config.number("store", "free_pct")
    return Measured("store", "disk", Reason("alert-store-disk", {"percent": percent}) if wrong else None)


def _growth(settings: Settings, config: Config, ledger: Ledger, now: datetime) -> Measured:
    """How long the room will last: by how much the data grew since a day ago at least."""
    size, before = size_of(settings), ledger.journey.state(GROWTH)
    if before is None:
        return Measured("store", "growth", None)
    then_s, was = map(int, before.split())
    seconds, grown = int(now.timestamp()) - then_s, size - was
    if seconds < DAY_S // 2 or grown <= 0:
        return Measured("store", "growth", None)
    days = shutil.disk_usage(settings.data_dir).free * seconds // (grown * DAY_S)
    wrong = days < config.number("store", "free_days")
    return Measured("store", "growth", Reason("alert-store-growth", {"days": days}) if wrong else None)


def size_of(settings: Settings) -> int:
    """The bytes of both files, with what is not merged into them yet."""
    paths = [path for one in (settings.inbox_path, settings.ledger_path) for path in one.parent.glob(one.name + "*")]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _backup(config: Config, ledger: Ledger, now: datetime) -> Measured:
    """A site that has never made a backup hears of it from `doctor`; here it is one that stopped."""
    done = ledger.journey.state("last_backup_at")
    hours = 0 if done is None else int((now - datetime.fromisoformat(done)).total_seconds()) // 3600
    wrong = hours > config.number("store", "backup_h")
    reason = Reason("alert-store-backup", {"hours": hours}) if wrong else None
    return Measured("store", "backup", reason, Severity.WARNING)


def _backlog(settings: Settings, config: Config, ledger: Ledger, now: datetime) -> Measured:
    """Records that the ledger has not taken, although they are minutes old."""
    with Inbox(settings.inbox_path) as inbox:
        position, last = ledger.journey.position(), inbox.last_id()
        waiting = inbox.after(position, 1) if last > position else []
    if not waiting:
        return Measured("store", "backlog", None)
    minutes = int((now - waiting[0].received_at).total_seconds()) // 60
    wrong = minutes >= config.number("store", "backlog_min")
    facts: dict[str, Fact] = {"count": last - position, "minutes": minutes}
    return Measured("store", "backlog", Reason("alert-store-backlog", facts) if wrong else None)


def unwritable(error: BillingError | Exception) -> Measured:
    """The ledger could not be written."""
    return Measured("store", "ledger", Reason("alert-store-write", {"error": str(error)}))


def links(settings: Settings, config: Config, before: Links) -> Iterator[Measured]:
    """Whether each PBX that was configured from here still takes a connection at its address."""
    from ippbx_billing.pbx import remembered

    wanted = config.number("pbx-link", "failures")
    for pbx in remembered.load(settings.data_dir):
        error = _unreached(pbx.address)
        times = before.failures[pbx.address] = before.failures.get(pbx.address, 0) + 1 if error else 0
        facts: dict[str, Fact] = {"address": pbx.address, "times": times, "error": error}
        yield Measured("pbx-link", pbx.address, Reason("alert-pbx-link", facts) if times >= wanted else None)


def _unreached(address: str) -> str:
    """Why no connection comes about; empty where one does."""
    told = urlsplit(address if "//" in address else f"http://{address}")
    port = told.port or (443 if told.scheme == "https" else 80)
    try:
        socket.create_connection((told.hostname or "", port), LINK_TIMEOUT_S).close()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def heartbeat(settings: Settings, ledger: Ledger, now: datetime) -> Mapping[str, object]:
    """The facts of the daily message: yesterday's calls, and what is open."""
    from datetime import timedelta

    day = (now.astimezone(settings.site_zone) - timedelta(days=1)).date()
    with Inbox(settings.inbox_path) as inbox:
        waiting = max(0, inbox.last_id() - ledger.journey.position())
    dead = sum(states.get("dead", 0) for states in ledger.posts.counts().values())
    told = ledger.heard.yesterday(day)
    return {"day": day.isoformat(), **told, "waiting": waiting, "open": len(ledger.incidents.listed()), "dead": dead}


def remember_size(settings: Settings, ledger: Ledger, now: datetime) -> None:
    """Once a day the size is noted, by which growth is told; in the caller's transaction."""
    before = ledger.journey.state(GROWTH)
    if before is None or int(now.astimezone(UTC).timestamp()) - int(before.split()[0]) >= DAY_S:
        ledger.journey.set_state(GROWTH, f"{int(now.timestamp())} {size_of(settings)}")
