"""What is measured beside the calls: disk, backup, backlog, whether the ledger can be written and the PBXs answer.

found = probes.store(settings, config, ledger, now)     # Measured, with a reason where something is wrong
"""

import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ippbx_billing.alerts import Config, Measured, Severity
from ippbx_billing.calls import Fact, Reason
from ippbx_billing.errors import BillingError
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.settings import Settings

if TYPE_CHECKING:
    from ippbx_billing.pbx.remembered import Remembered

DAY_S = 86_400
LINK_TIMEOUT_S = 5.0
SIGN_IN_S = 900.0
REFUSED = "!"  # before what a PBX says that does not accept the password
GROWTH = "alerts_growth"  # in `state`: the size of the data directory, and when it was that


@dataclass(slots=True)
class Links:
    """How many times in a row each PBX did not answer, and what its web admin said when it was asked.

    Signing in takes seconds, so a thread does it. It is done each quarter of an hour, and each time while it fails; one
    that is refused is not tried again with the same password, as a PBX may lock the account.
    """

    failures: dict[str, int] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)
    _asking: dict[str, tuple[str, float, Future[str]]] = field(default_factory=dict)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "pbx"))

    def asked(self, pbx: "Remembered") -> str:
        """What went wrong when the web admin was asked last; nothing where all is well, or nobody knows yet."""
        password, asked_at, answer = self._asking.get(pbx.address, ("", 0.0, None))
        if answer is not None and answer.done():
            self._said[pbx.address] = answer.result()
        said, now = self._said.get(pbx.address, ""), time.monotonic()
        refused = said.startswith(REFUSED) and password == pbx.admin_password
        if not refused and (answer is None or (answer.done() and (said or now - asked_at >= SIGN_IN_S))):
            self._asking[pbx.address] = pbx.admin_password, now, self._pool.submit(_signed_in, pbx)
        return said.removeprefix(REFUSED)


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


def unwritable(error: str) -> Measured:
    """The ledger could not be written."""
    return Measured("store", "ledger", Reason("alert-store-write", {"error": error}))


def links(settings: Settings, config: Config, before: Links) -> Iterator[Measured]:
    """Whether each PBX that was configured from here still answers.

    Its door is tried each time. Where a login is remembered, its web admin is asked for a page now and then as well.
    """
    from ippbx_billing.pbx import remembered

    wanted = config.number("pbx-link", "failures")
    for pbx in remembered.load(settings.data_dir):
        error = _unreached(pbx.address)
        silent = "" if error or not _may_sign_in(pbx) else before.asked(pbx)
        times = before.failures[pbx.address] = before.failures.get(pbx.address, 0) + 1 if error or silent else 0
        code = "alert-pbx-silent" if silent else "alert-pbx-link" if _may_sign_in(pbx) else "alert-pbx-door"
        facts: dict[str, Fact] = {"address": pbx.address, "times": times, "error": error or silent}
        yield Measured("pbx-link", pbx.address, Reason(code, facts) if times >= wanted else None)


def _may_sign_in(pbx: "Remembered") -> bool:
    """Whether a login is remembered, and a certificate for it where it goes over TLS."""
    return bool(pbx.user and pbx.admin_password and (pbx.fingerprint or not pbx.address.startswith("https:")))


def _signed_in(pbx: "Remembered") -> str:
    """What went wrong with signing in and reading a page; nothing where the PBX answered as it should."""
    from ippbx_billing.pbx.problems import SignInRefused
    from ippbx_billing.pbx.profile import load_profile
    from ippbx_billing.pbx.session import PbxAdmin
    from ippbx_billing.pbx.trust import pinned

    tls = pinned(pbx.fingerprint) if pbx.fingerprint else None
    try:
        with PbxAdmin(
            pbx.address, pbx.user, pbx.admin_password, profile=load_profile(pbx.profile or "uc"), tls=tls,
            timeout_s=LINK_TIMEOUT_S,
        ) as admin:  # fmt: skip
            admin.sign_in()
            admin.read("api")
            admin.sign_out()
    except SignInRefused as error:
        return REFUSED + error.message
    except BillingError as error:
        return error.message
    return ""


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
