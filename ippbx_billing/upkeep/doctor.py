"""The whole installation looked over: each check is a function that gives findings, and no check stops the others.

    for finding in examine(settings, now): ...

A finding is `ok`, a `warning` (worth a look) or `wrong` (must be put right), with a hint for what to do.
"""

import os
import shutil
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from ippbx_billing.alerts import Severity
from ippbx_billing.calls import FROM_FILE, Reading
from ippbx_billing.dialects.reading import DATE_ORDER_OPEN
from ippbx_billing.errors import BillingError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.recounting import wrong_sums
from ippbx_billing.pipeline import Rules
from ippbx_billing.reports import Period, View, report
from ippbx_billing.service.installation import asked, health, installation
from ippbx_billing.settings import FILE_NAME, Settings
from ippbx_billing.ship import state as ship_state

LOOKED_AT_EVENTS = 100
LITTLE_DISK_BYTES = 1024**3
NO_DISK_BYTES = 100 * 1024**2
CLOCK_TOLERANCE_S = 60
ZONE_TOLERANCE_H = 0.4  # zones differ by half an hour at least
BEHIND_EVENTS = 10_000
UNSENT_S = 600
SHIPPED_LATE_S = 3_600
UNMAILED_S = 86_400  # a mailing at night may wait for the one timer of the day
BACKUP_IS_OLD = timedelta(days=8)
SILENT_IS_LONG = timedelta(days=1)


class Health(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the doctor's table."""

    check: str
    state: Health
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Files:
    """What the quick checks look at."""

    settings: Settings
    now: datetime
    inbox: Inbox
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class _Open(_Files):
    """What the checks look at."""

    rules: Rules


def examine(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    """Every finding, in the order of the table."""
    yield from _settings_file(settings)
    yield from _disk(settings)
    yield from _permissions(settings)
    yield from _damaged_files(settings)
    with ExitStack() as open_files:
        try:
            inbox = open_files.enter_context(Inbox(settings.inbox_path))
            ledger = open_files.enter_context(Ledger(settings.ledger_path))
            rules = Rules.of(ledger, settings)
        except BillingError as error:
            yield Diagnosis(tr("databases"), Health.WRONG, error.message, error.hint)
            return
        opened = _Open(settings, now, inbox, ledger, rules)
        for check in _CHECKS:
            yield from _guarded(check, opened)


def glance(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    """The findings that cost next to nothing, for a page that is looked at all day: doors, worker, PBXs, disk, backup.

    No file is gone through; `examine` does that.
    """
    with Inbox(settings.inbox_path) as inbox, Ledger(settings.ledger_path) as ledger:
        opened = _Files(settings, now, inbox, ledger)
        for check in (_ports, _worker, _waiting, _pbxs):
            yield from _guarded(check, opened)
        yield from _disk(settings)
        yield from _guarded(_backup, opened)


def _guarded(check: Callable[[Any], Iterable[Diagnosis]], opened: _Files) -> Iterator[Diagnosis]:
    """A check that fails is a finding, not the end of the examination."""
    try:
        yield from check(opened)
    except (BillingError, OSError) as error:
        name = check.__name__.strip("_").replace("_", " ")
        yield Diagnosis(name, Health.WRONG, str(error), getattr(error, "hint", ""))


def _settings_file(settings: Settings) -> Iterator[Diagnosis]:
    path = settings.data_dir / FILE_NAME
    if not path.exists():
        hint = tr("run `ippbx-bill init`, or name another --data-dir")
        yield Diagnosis(tr("settings"), Health.WRONG, tr("there is no {path}", path=path), hint)
    elif os.name == "posix" and path.stat().st_mode & 0o077:
        yield Diagnosis(
            tr("settings"), Health.WARNING, tr("{path} can be read by others", path=path), f"chmod 600 {path}"
        )
    else:
        yield Diagnosis(tr("settings"), Health.OK, str(path))


def _disk(settings: Settings) -> Iterator[Diagnosis]:
    if not settings.data_dir.exists():
        return
    free = shutil.disk_usage(settings.data_dir).free
    text = tr("{size} MB free", size=f"{free // 1024**2:,}")
    state = Health.WRONG if free < NO_DISK_BYTES else Health.WARNING if free < LITTLE_DISK_BYTES else Health.OK
    hint = "" if state is Health.OK else tr("make room on the disk of {path}", path=settings.data_dir)
    yield Diagnosis(tr("disk"), state, text, hint)


def _permissions(settings: Settings) -> Iterator[Diagnosis]:
    """Numbers of people and secrets lie here: for their owner only, and all of one owner, else `listen` cannot read."""
    if os.name != "posix" or not settings.data_dir.exists():
        return
    paths = [settings.data_dir, *settings.data_dir.rglob("*")]
    found = {path: path.lstat() for path in paths if path.exists() and not path.is_symlink()}
    open_to_others = [path for path, facts in found.items() if facts.st_mode & 0o077]
    owner = found[settings.data_dir].st_uid
    strange = [path for path, facts in found.items() if facts.st_uid != owner]
    if strange:
        text = tr("{path} has another owner than the data directory", path=_several(strange))
        yield Diagnosis(
            tr("permissions"), Health.WRONG, text, f"chown -R --reference={settings.data_dir} {settings.data_dir}"
        )
    if open_to_others:
        text = tr("{path} is open to others", path=_several(open_to_others))
        yield Diagnosis(tr("permissions"), Health.WARNING, text, f"chmod -R go= {settings.data_dir}")
    if not strange and not open_to_others:
        yield Diagnosis(tr("permissions"), Health.OK, tr("for the owner only"))


def _several(paths: list[Path]) -> str:
    more = len(paths) - 1
    return f"{paths[0]} (+{more})" if more else str(paths[0])


def _damaged_files(settings: Settings) -> Iterator[Diagnosis]:
    """Databases that were found damaged and moved aside; they may hold what nobody else has."""
    for path in sorted(settings.data_dir.glob("*.db.damaged-*")):
        if not path.name.endswith(("-wal", "-shm")):
            text = tr("{path} was damaged and moved aside", path=path)
            hint = tr("`ippbx-bill events salvage {path}`; check the disk, then keep it elsewhere", path=path)
            yield Diagnosis(tr("damaged file"), Health.WARNING, text, hint)


def _databases(opened: _Open) -> Iterator[Diagnosis]:
    for name, file in (("inbox.db", opened.inbox), ("ledger.db", opened.ledger)):
        faults = file.faults()
        if faults:
            hint = tr("restore the last backup; the ledger can also be rebuilt from the inbox")
            yield Diagnosis(name, Health.WRONG, faults, hint)
        else:
            yield Diagnosis(name, Health.OK, tr("sound"))
    yield from _waiting(opened)


def _waiting(opened: _Files) -> Iterator[Diagnosis]:
    """Events that were kept and not read yet."""
    waiting = opened.inbox.last_id() - opened.ledger.journey.position()
    if waiting > 0:
        hint = tr("`ippbx-bill listen` reads them; is it running?")
        yield Diagnosis(tr("waiting events"), Health.WARNING, str(waiting), hint)


def _sums(opened: _Open) -> Iterator[Diagnosis]:
    """Whether what reports are made of is what the calls say."""
    wrong = wrong_sums(opened.ledger)
    if wrong:
        text = tr("not those of the calls: {listed}", listed=", ".join(wrong))
        hint = tr("`ippbx-bill doctor --repair` works them out again from the calls")
        yield Diagnosis(tr("sums of reports"), Health.WRONG, text, hint)
    else:
        yield Diagnosis(tr("sums of reports"), Health.OK, tr("those of the calls"))


def _pbxs(opened: _Files) -> Iterator[Diagnosis]:
    """Since when each PBX is silent, by the last events; those that are known and not among them are told too."""
    from ippbx_billing.pbx import remembered

    last: dict[str, datetime] = {}
    for one in opened.inbox.summaries(limit=LOOKED_AT_EVENTS * 10):
        last.setdefault(one.remote, one.received_at)
    zone = opened.settings.site_zone
    for remote, at in sorted(last.items()):
        silent = opened.now - at
        text = tr("last event {time}", time=f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}")
        state = Health.WARNING if silent > SILENT_IS_LONG else Health.OK
        hint = tr("`ippbx-bill pbx check`") if state is Health.WARNING else ""
        yield Diagnosis(tr("PBX {address}", address=remote), state, text, hint)
    for pbx in remembered.load(opened.settings.data_dir):
        if not any(remote in pbx.address for remote in last):
            text = tr("none of the last events is from it")
            hint = tr("`ippbx-bill pbx check`")
            yield Diagnosis(tr("PBX {address}", address=pbx.address), Health.WARNING, text, hint)


def _ports(opened: _Files) -> Iterator[Diagnosis]:
    """Whether our own doors answer, at the address that the PBX uses where that is ours."""
    own = opened.settings.own_address
    host = own if own and _is_ours(own) else "127.0.0.1"
    tls = bool(opened.settings.tls_certificate)
    own_id = installation(opened.settings.data_dir)
    for name, port in ((tr("CDR port"), opened.settings.cdr_port), (tr("status port"), opened.settings.status_port)):
        found = asked(host, port, tls=tls)
        if found == own_id:
            yield Diagnosis(name, Health.OK, f"{host}:{port}")
        elif found is None:
            hint = tr("start `ippbx-bill listen`; check own_address and the firewall")
            yield Diagnosis(name, Health.WRONG, tr("nothing answers at {host}:{port}", host=host, port=port), hint)
        else:
            text = tr("what answers at {host}:{port} is not this installation's listener", host=host, port=port)
            yield Diagnosis(name, Health.WRONG, text, tr("end that program, or choose other ports in settings.toml"))


def _worker(opened: _Files) -> Iterator[Diagnosis]:
    """What the listener says of the process that reads and rates; nothing where no listener of ours answers."""
    own = opened.settings.own_address
    host = own if own and _is_ours(own) else "127.0.0.1"
    found = health(host, opened.settings.cdr_port, tls=bool(opened.settings.tls_certificate))
    if found.get("installation") != installation(opened.settings.data_dir) or "pipeline" not in found:
        return
    state, waiting = str(found["pipeline"]), int(found.get("pipeline_waiting", 0))
    text = tr("{state}; {count} events wait", state=tr(state), count=waiting)
    if state in ("standing", "crashing"):
        yield Diagnosis(tr("worker"), Health.WRONG, text, tr("see the log of `listen`, then start it again"))
    elif waiting > BEHIND_EVENTS:
        yield Diagnosis(tr("worker"), Health.WARNING, text, tr("it falls behind; nothing is lost, fees come later"))
    else:
        yield Diagnosis(tr("worker"), Health.OK, text)


def _own_address(opened: _Open) -> Iterator[Diagnosis]:
    address = opened.settings.own_address
    if not address:
        yield Diagnosis(tr("own address"), Health.OK, tr("not set; any interface"))
        return
    if _is_ours(address):
        yield Diagnosis(tr("own address"), Health.OK, address)
    else:
        text = tr("{address} is not an address of this machine", address=address)
        yield Diagnosis(tr("own address"), Health.WRONG, text, tr("set own_address in settings.toml"))


def _is_ours(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _clock(opened: _Open) -> Iterator[Diagnosis]:
    """Our clock beside the PBX's, by the Date header of its web admin."""
    from ippbx_billing.pbx import remembered

    known = remembered.load(opened.settings.data_dir)
    if not known:
        yield Diagnosis(tr("PBX clock"), Health.OK, tr("no PBX configured here; not compared"))
    for pbx in known:
        yield _clock_of(pbx.address, opened)


def _clock_of(address: str, opened: _Open) -> Diagnosis:
    import httpx

    try:
        # Only the time is read; nothing secret is sent, so an unknown certificate does no harm here.
        answer = httpx.head(address, timeout=5, verify=False, trust_env=False)
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx.HTTPError, KeyError, ValueError) as error:
        text = tr("{address} tells no time ({error})", address=address, error=type(error).__name__)
        return Diagnosis(tr("PBX clock"), Health.WARNING, text, tr("check that the PBX is reachable"))
    apart_s = round(abs((theirs - opened.now).total_seconds()))
    text = tr("{address} is {seconds} s apart from ours", address=address, seconds=apart_s)
    if apart_s <= CLOCK_TOLERANCE_S:
        return Diagnosis(tr("PBX clock"), Health.OK, text)
    return Diagnosis(tr("PBX clock"), Health.WARNING, text, tr("let both take the time from one NTP server"))


def _time_zone(opened: _Open) -> Iterator[Diagnosis]:
    """Records arrive when their calls end; where the two lie hours apart, the PBX's clock is read in a wrong zone."""
    last = opened.inbox.last_id()
    events = opened.inbox.after(max(0, last - LOOKED_AT_EVENTS), LOOKED_AT_EVENTS)
    late_s = sorted(
        (event.received_at - call.ended_at).total_seconds()
        for event in events
        if event.method != FROM_FILE  # history is late by itself
        for call in opened.rules.read(event).calls
        if call.ended_at is not None
    )
    if not late_s:
        return
    hours = round(late_s[len(late_s) // 2] / 3600, 1)
    if abs(hours) < ZONE_TOLERANCE_H:
        yield Diagnosis(tr("time zone"), Health.OK, tr("records arrive as their calls end"))
    else:
        text = tr("half of the last records arrive {hours} h or more after their calls end", hours=hours)
        hint = tr("set pbx_timezone, or the PBX's clock; records posted late look the same")
        yield Diagnosis(tr("time zone"), Health.WARNING, text, hint)


def _dialects(opened: _Open) -> Iterator[Diagnosis]:
    """How the last events are read by the dialects of today."""
    last = opened.inbox.last_id()
    events = opened.inbox.after(max(0, last - LOOKED_AT_EVENTS), LOOKED_AT_EVENTS)
    readings = [opened.rules.read(event) for event in events]
    if not readings:
        hint = tr("point the PBX at this machine and make a call: `ippbx-bill pbx check --wait 60`")
        yield Diagnosis(tr("dialects"), Health.WARNING, tr("no event has arrived yet"), hint)
        return
    matched = Counter(reading.dialect or tr("none") for reading in readings)
    text = ", ".join(f"{name} {count}" for name, count in matched.most_common())
    bad = sum(bool(reading.problems) for reading in readings)
    if bad:
        text += "; " + tr("{bad} of {count} not understood", bad=bad, count=len(readings))
        hint = tr("`ippbx-bill events list --status rejected`, then `dialects suggest`")
        yield Diagnosis(tr("dialects"), Health.WRONG if bad * 10 > len(readings) else Health.WARNING, text, hint)
    else:
        yield Diagnosis(tr("dialects"), Health.OK, text)
    yield from _open_dates(readings)
    yield from _unknown_words(opened)


def _open_dates(readings: Iterable[Reading]) -> Iterator[Diagnosis]:
    """Calls whose day may be another one, because nothing settles which number is the month."""
    notes = [note.code for reading in readings for call in reading.calls for note in call.notes]
    if DATE_ORDER_OPEN in notes:
        text = tr("{count} calls with a date whose day and month may be exchanged", count=notes.count(DATE_ORDER_OPEN))
        hint = tr("let the PBX write the year first, or set the country of the site")
        yield Diagnosis(tr("dates"), Health.WARNING, text, hint)


def _unknown_words(opened: _Open) -> Iterator[Diagnosis]:
    """Words for an outcome that nobody has explained; their calls wait."""
    words = opened.ledger.calls.unknown_words()
    if words:
        calls = sum(row["calls"] for row in words)
        shown = ", ".join(row["word"] for row in words[:5])
        text = tr("{calls} calls wait for the meaning of: {words}", calls=calls, words=shown)
        yield Diagnosis(
            tr("words"), Health.WARNING, text, tr("`ippbx-bill dialects words set WORD answered`, or no_answer")
        )


def _records(opened: _Open) -> Iterator[Diagnosis]:
    """Ids of this month's records that were used again, and calls that a later version corrected."""
    period = Period.month("this", opened.now.astimezone(opened.settings.site_zone).date())
    reused, corrected = opened.ledger.records.counts(str(period.first), str(period.last))
    text = tr("{reused} used again this month, {corrected} calls corrected", reused=reused, corrected=corrected)
    hint = tr("a counter started again, or two PBXs share an address: every call is kept, see its notes")
    yield Diagnosis(tr("record ids"), Health.WARNING if reused else Health.OK, text, hint if reused else "")


def _unrated(opened: _Open) -> Iterator[Diagnosis]:
    """Calls of this month that have no price, and what is missing."""
    zone = opened.settings.site_zone
    period = Period.month("this", opened.now.astimezone(zone).date())
    answer = report(opened.ledger, View(zone, opened.settings.currency), period, ("traffic_type",))
    text = tr("{unrated} of {calls} calls this month", unrated=answer.unrated, calls=answer.total["calls"])
    if not answer.unrated:
        yield Diagnosis(tr("unrated"), Health.OK, text)
        return
    hint = tr("`ippbx-bill calls list --status unrated`; set a price, then `events replay`")
    yield Diagnosis(tr("unrated"), Health.WARNING, text, hint)
    for reason, count in list(answer.gaps.items())[:5]:
        yield Diagnosis(tr("tariff hole"), Health.WARNING, f"{count} × {sentence(reason)}")


def _holidays(opened: _Open) -> Iterator[Diagnosis]:
    year = opened.now.astimezone(opened.settings.site_zone).year
    if opened.rules.book.calendar.is_provisional(year):
        text = tr("{year} is provisional: make-up working days are not published", year=year)
        yield Diagnosis(tr("holidays"), Health.WARNING, text, tr("add them with `ippbx-bill holidays add`, or update"))
    else:
        yield Diagnosis(tr("holidays"), Health.OK, str(year))


def _backup(opened: _Files) -> Iterator[Diagnosis]:
    done = opened.ledger.journey.state("last_backup_at")
    if done is None:
        hint = tr("`ippbx-bill backup --to DIR --keep 14` every night, DIR on another disk")
        yield Diagnosis(tr("backup"), Health.WARNING, tr("none known"), hint)
        return
    made_at = datetime.fromisoformat(done)
    old = opened.now - made_at > BACKUP_IS_OLD
    text = f"{made_at.astimezone(opened.settings.site_zone):%Y-%m-%d %H:%M}"
    hint = tr("`ippbx-bill backup --to DIR`") if old else ""
    yield Diagnosis(tr("backup"), Health.WARNING if old else Health.OK, text, hint)


def _incidents(opened: _Open) -> Iterator[Diagnosis]:
    """What alert rules have found and is not over."""
    found = [one for one in opened.ledger.incidents.listed() if one.severity is not Severity.INFO]
    if found:
        text = f"{len(found)}: {sentence(found[0].reason)}" + (" …" if len(found) > 1 else "")
        yield Diagnosis(tr("incidents"), Health.WARNING, text, tr("`ippbx-bill alerts list`"))
    else:
        yield Diagnosis(tr("incidents"), Health.OK, tr("none open"))


def _channels(opened: _Open) -> Iterator[Diagnosis]:
    """Whether what was found also arrives: the last message of each channel, and those that were given up."""
    from ippbx_billing.delivery.alerts.channels import load

    known = load(opened.settings.data_dir).channels
    if not known:
        hint = tr("`ippbx-bill alerts channels add NAME KIND …`")
        yield Diagnosis(tr("alerts"), Health.WARNING, tr("no channel is set: nobody is told"), hint)
        return
    last, counts = opened.ledger.posts.last_sent(), opened.ledger.posts.counts()
    waiting = opened.ledger.posts.listed(["waiting", "sending"])
    for name in known:
        troubles = [one for one in waiting if one.channel == name and one.error]
        dead = counts.get(name, {}).get("dead", 0)
        title = tr("channel {name}", name=name)
        if dead:
            hint = tr("repair it, then `ippbx-bill alerts send --again`")
            yield Diagnosis(title, Health.WRONG, tr("{count} messages were given up", count=dead), hint)
        elif troubles:
            text = tr("messages are refused: {error}", error=troubles[0].error)
            yield Diagnosis(title, Health.WRONG, text, tr("repair it; they are sent again by themselves"))
        elif name not in last:
            hint = f"ippbx-bill alerts test {name}"
            yield Diagnosis(title, Health.WARNING, tr("has never taken a message"), hint)
        else:
            moment = datetime.fromtimestamp(last[name], opened.settings.site_zone)
            yield Diagnosis(title, Health.OK, tr("last message {moment}", moment=f"{moment:%Y-%m-%d %H:%M}"))
    yield from _unsent(opened, [one.due_at for one in waiting if not one.attempts])


def _centre(opened: _Files) -> Iterator[Diagnosis]:
    """How far the centre is, where one is set."""
    if not opened.settings.ship_to:
        return
    state, title = ship_state.load(opened.settings.data_dir), tr("centre")
    waiting = max(0, opened.inbox.last_id() - state.position)
    since = state.behind_since
    if state.problem:
        hint = tr("`ippbx-bill ship --show`; the events are kept and sent again by themselves")
        yield Diagnosis(title, Health.WRONG, tr("it does not take our events: {problem}", problem=state.problem), hint)
    elif waiting and since is not None and opened.now.timestamp() - since > SHIPPED_LATE_S:
        moment = datetime.fromtimestamp(since, opened.settings.site_zone)
        text = tr("{count} events wait since {moment}", count=waiting, moment=f"{moment:%Y-%m-%d %H:%M}")
        yield Diagnosis(title, Health.WARNING, text, tr("does `ippbx-bill listen` or `ippbx-bill ship` run?"))
    else:
        yield Diagnosis(title, Health.OK, tr("it has all up to event {position}", position=state.position))


def _unsent(opened: _Open, due: list[int]) -> Iterator[Diagnosis]:
    """Messages that nobody has tried to send although they are due: the sender does not run."""
    late = opened.now.timestamp() - min(due, default=opened.now.timestamp())
    if late > UNSENT_S:
        text = tr("a message has waited for {minutes} min, and nobody sends", minutes=int(late) // 60)
        hint = tr("start `ippbx-bill listen`, or send what waits with `ippbx-bill alerts send`")
        yield Diagnosis(tr("alerts"), Health.WRONG, text, hint)


def _deliveries(opened: _Open) -> Iterator[Diagnosis]:
    """Whether bills and reports that are mailed arrive: mails that were given up, or that nobody could be sent."""
    for one in opened.ledger.deliveries.listed():
        counts = opened.ledger.deliveries.counts().get(one.id, {})
        title = tr("delivery {name}", name=one.name)
        if dead := counts.get("dead", 0):
            hint = tr("correct it, then `ippbx-bill deliver again {name}`", name=one.name)
            yield Diagnosis(title, Health.WRONG, tr("{count} mails were given up", count=dead), hint)
        elif nobody := counts.get("nobody", 0):
            hint = f"ippbx-bill deliver show {one.name}"
            yield Diagnosis(title, Health.WARNING, tr("{count} bills have no mail address", count=nobody), hint)
        elif one.state == "on":
            yield Diagnosis(title, Health.OK, tr("{count} mails sent", count=counts.get("sent", 0)))
    yield from _unmailed(opened)


def _unmailed(opened: _Open) -> Iterator[Diagnosis]:
    """Mails that nobody has tried to send although they are due."""
    moment = int(opened.now.timestamp()) - UNMAILED_S
    if waiting := [one for one in opened.ledger.deliveries.due(moment) if not one.attempts]:
        text = tr("{count} mails wait, and nobody sends", count=len(waiting))
        yield Diagnosis(
            tr("mail"), Health.WRONG, text, tr("start `ippbx-bill listen`, or let cron call `ippbx-bill deliver --due`")
        )


_CHECKS = (
    _databases,
    _sums,
    _ports,
    _worker,
    _own_address,
    _centre,
    _clock,
    _time_zone,
    _dialects,
    _records,
    _unrated,
    _holidays,
    _backup,
    _incidents,
    _channels,
    _deliveries,
)
