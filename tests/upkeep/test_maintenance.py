"""Maintenance that overlaps or is cut off: one at a time, told by name, completed or undone by repeating it."""

import itertools
import json
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.errors import BillingError, BusyError
from ippbx_billing.inbox import Inbox, salvage
from ippbx_billing.inbox.pruning import OldEvents
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules, rebuilding
from ippbx_billing.pipeline.replaying import replay
from ippbx_billing.pipeline.rerating import Rerating, Wanted
from ippbx_billing.settings import load
from ippbx_billing.sqlite.locks import MAINTENANCE, holder, maintenance
from ippbx_billing.tariffs import CallFilter
from ippbx_billing.upkeep import backups, restoring, salvaging
from ippbx_billing.upkeep.masking import anonymize
from ippbx_billing.upkeep.pruning import prune
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
CALLS = 40
MASKED_BEFORE = date(2026, 10, 11)  # half of the calls are earlier
WAIT_S = 120

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends processes by signal")


def read_all(site: Path) -> None:
    using = load(site)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, using)).drain()


@pytest.fixture
def busy_site(site: Path) -> Path:
    """Forty calls on as many days' hours, all rated; half of the events are old enough to be pruned."""
    bodies = [
        gateway_cdr("8001", f"9586{number:05d}", 64, start=f"2026-10-{1 + number // 2:02d} 10:{number:02d}:00")
        for number in range(CALLS)
    ]
    fill(site / "inbox.db", bodies)
    read_all(site)
    with closing(sqlite3.connect(site / "inbox.db")) as inbox, inbox:
        inbox.execute("UPDATE events SET received_at = received_at - 86400000000 * 90 WHERE id <= ?", [CALLS // 2])
    return site


# --- The works, each as its command does it -----------------------------------------------------------------------


def _rebuild(site: Path) -> None:
    using = load(site)
    rebuilding.rebuild(using.inbox_path, using.ledger_path, lambda ledger: Rules.of(ledger, using), wait_s=WAIT_S)


def _prune(site: Path) -> None:
    with Ledger(site / "ledger.db") as ledger:
        prune(site / "inbox.db", ledger, _old(site), wait_s=WAIT_S)


def _old(site: Path) -> datetime:
    with closing(sqlite3.connect(site / "inbox.db")) as inbox:
        newest = inbox.execute("SELECT max(received_at) FROM events").fetchone()[0]
    return datetime.fromtimestamp(newest / 1_000_000 - 86_400, UTC)


def _salvage(site: Path) -> None:
    using = load(site)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        salvaging.salvage(ledger, inbox, using, site / "inbox.db.damaged", wait_s=WAIT_S)


def _anonymize(site: Path) -> None:
    with Ledger(site / "ledger.db") as ledger:
        midnight = datetime(2026, 10, 11, tzinfo=UTC)
        anonymize(ledger, site / "inbox.db", MASKED_BEFORE, midnight, keep_events=True, wait_s=WAIT_S)


def _replay(site: Path) -> None:
    using = load(site)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        everything = lambda ledger: range(1, ledger.journey.position() + 1)  # noqa: E731
        replay(ledger, inbox, using, everything, wait_s=WAIT_S)


def _rerate(site: Path) -> None:
    using = load(site)
    with Ledger(using.ledger_path) as ledger:
        wanted = Wanted(date(2026, 10, 12), date(2026, 10, 31))
        Rerating(ledger, Rules.of(ledger, using), wanted).run(NOW, WAIT_S)


WORKS: dict[str, Callable[[Path], None]] = {
    "rebuild": _rebuild,
    "prune": _prune,
    "salvage": _salvage,
    "anonymize": _anonymize,
    "replay": _replay,
    "rerate": _rerate,
}


@dataclass(frozen=True)
class Told:
    """What a ledger and its inbox hold, as far as maintenance may not change it."""

    calls: int
    fee_micro: int
    masked: int
    lost: int  # calls of events that are neither in the inbox nor in the ledger


def told(site: Path) -> Told:
    with closing(sqlite3.connect(site / "ledger.db")) as ledger:
        calls, fee = ledger.execute("SELECT count(*), sum(fee_micro) FROM calls JOIN charges USING (id)").fetchone()
        masked = ledger.execute("SELECT count(*) FROM calls WHERE number LIKE '%XXXX'").fetchone()[0]
        ledger.execute("ATTACH ? AS arrived", [str(site / "inbox.db")])
        kept = ledger.execute(
            "SELECT count(DISTINCT started_at) FROM calls WHERE event_id IN (SELECT id FROM arrived.events) "
            "OR event_id <= (SELECT CAST(value AS INTEGER) FROM state WHERE name = 'pruned_through')"
        ).fetchone()[0]
    return Told(calls, fee, masked, CALLS - kept)


# --- Who waits, and what is told ------------------------------------------------------------------------------------


COMMANDS = [
    ["events", "rebuild"],
    ["events", "prune", "--before", "2026-10-05", "--yes"],
    ["events", "salvage", "{damaged}"],
    ["events", "replay", "--all"],
    ["calls", "anonymize", "--before", "2026-10-11", "--keep-events", "--yes"],
    ["rerate", "--month", "2026-10"],
    ["export", "--since-last", "--out-dir", "{out}"],
    ["restore", "{backup}"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_who_comes_second_is_told_for_whom_it_waits(
    busy_site: Path, cli: Cli, tmp_path: Path, command: list[str]
) -> None:
    """Exit 75 with the work, its process and since when; nothing is changed."""
    backup = backups.make(load(busy_site), tmp_path / "copies", NOW).path
    damaged = shutil.copy(busy_site / "inbox.db", tmp_path / "inbox.db.damaged")
    if "prune" in command:  # without a single event it has nothing to ask and nothing to do
        command = ["events", "prune", "--before", f"{datetime.now(UTC):%Y-%m-%d}", "--yes"]
    words = [word.format(damaged=damaged, backup=backup, out=tmp_path / "out") for word in command]
    before = told(busy_site)
    with maintenance(busy_site, "events rebuild"):
        refused = cli(*words)
    assert (refused.exit_code, "`events rebuild` is under way (process" in refused.stderr) == (75, True), refused.output
    assert "--wait SECONDS" in refused.stderr
    assert told(busy_site) == before
    assert (cli(*words, "--wait", "1").exit_code, (busy_site / MAINTENANCE).read_text()) == (0, "")


def test_a_lock_whose_process_was_killed_is_free(busy_site: Path) -> None:
    """The system frees it; what the killed one wrote into the file misleads nobody."""
    script = (
        "import sys, time; from pathlib import Path; from ippbx_billing.sqlite.locks import maintenance\n"
        "with maintenance(Path(sys.argv[1]), 'events prune'):\n    print('in', flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(busy_site)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in\n"
        with pytest.raises(BusyError, match="`events prune` is under way"), maintenance(busy_site, "rerate"):
            pass
        holder.kill()
    assert json.loads((busy_site / MAINTENANCE).read_text())["work"] == "events prune"
    with maintenance(busy_site, "rerate"):
        pass


def test_one_that_may_wait_goes_on_when_the_other_ends(busy_site: Path, cli: Cli) -> None:
    """`--wait` lets a nightly job follow a long rebuild; both have their effect."""
    script = (
        "import sys; from pathlib import Path; from ippbx_billing.sqlite.locks import maintenance\n"
        "with maintenance(Path(sys.argv[1]), 'events rebuild'):\n    print('in', flush=True); sys.stdin.readline()\n"
    )
    command = [sys.executable, "-c", script, str(busy_site)]
    prune_old = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(busy_site), "events", "prune"]
    prune_old += ["--before", f"{_old(busy_site):%Y-%m-%d}", "--yes", "--wait", "300"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        with subprocess.Popen(prune_old, stderr=subprocess.PIPE, text=True) as waiting:
            time.sleep(0.5)
            assert waiting.poll() is None
            holder.stdin.write("\n")
            holder.stdin.close()
            assert waiting.stderr is not None
            assert f"deleted {CALLS // 2} events" in waiting.stderr.read()
    assert told(busy_site).calls == CALLS


# --- Each edge by itself --------------------------------------------------------------------------------------------


def test_a_rebuild_refuses_to_lose_calls_whose_events_went_away_meanwhile(
    busy_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever deletes events past the lock while a rebuild reads: the ledger stays as it was."""
    using = load(busy_site)
    monkeypatch.setattr(rebuilding, "BATCH_EVENTS", 5)

    def delete_then(ledger: Ledger) -> Rules:
        with closing(sqlite3.connect(using.inbox_path)) as inbox, inbox:
            inbox.execute("DELETE FROM events WHERE id <= 10")
        return Rules.of(ledger, using)

    before = told(busy_site)
    with pytest.raises(Exception, match="5 calls would be lost"):
        rebuilding.rebuild(using.inbox_path, using.ledger_path, delete_then)
    assert told(busy_site).calls == before.calls
    read_all(busy_site)  # the ledger can be written to again


def test_an_edit_before_the_swap_is_never_lost(busy_site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that is entered at any step of the swap is in the new ledger, or the rebuild is refused."""
    using = load(busy_site)
    script = (
        "import sys; from pathlib import Path; from ippbx_billing.ledger import Ledger; "
        "from ippbx_billing.tariffs import CallFilter\n"
        "with Ledger(Path(sys.argv[1])) as ledger: ledger.rules.add_filter(CallFilter(extension='8999'))\n"
    )
    editors = []
    copy = rebuilding.copies.copy

    def edited_meanwhile(source: Path, target: Path) -> dict[str, int]:
        editors.append(subprocess.Popen([sys.executable, "-c", script, str(using.ledger_path)]))
        time.sleep(1)
        assert editors[0].poll() is None  # it waits for the swap
        return copy(source, target)

    monkeypatch.setattr(rebuilding.copies, "copy", edited_meanwhile)
    rebuilding.rebuild(using.inbox_path, using.ledger_path, lambda ledger: Rules.of(ledger, using))
    assert editors[0].wait(60) == 0
    with Ledger(using.ledger_path) as ledger:
        assert [one.extension for one in ledger.rules.filters()] == ["8999"]
    assert told(busy_site).calls == CALLS


def test_a_swap_that_was_killed_leaves_a_ledger_that_can_be_written(busy_site: Path) -> None:
    """The mark of a killed run is worth nothing, and goes."""
    with Ledger(busy_site / "ledger.db") as ledger:
        with ledger.transaction():
            ledger.journey.set_state("being_replaced", "events rebuild")
        with ledger.transaction():
            ledger.journey.set_state("x", "y")
        assert ledger.journey.state("being_replaced") is None


def test_the_next_maintenance_is_not_stopped_by_the_mark_of_a_killed_one(
    busy_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the lock itself, so the mark of whoever held it before is worth nothing."""
    monkeypatch.setattr("ippbx_billing.ledger.writing.PATIENCE_S", 0)
    with maintenance(busy_site, "events rebuild"):
        mark = holder(busy_site)
    with Ledger(busy_site / "ledger.db") as ledger:
        ledger.connection.execute("INSERT INTO state VALUES ('being_replaced', ?)", [mark])
        with maintenance(busy_site, "rerate"), ledger.transaction():
            ledger.journey.set_state("x", "y")
        ledger.connection.execute("INSERT INTO state VALUES ('being_replaced', ?)", [mark])
    _rebuild(busy_site)
    assert told(busy_site).calls == CALLS


def test_a_salvage_that_was_killed_before_reading_is_completed_by_repeating_it(busy_site: Path) -> None:
    """Events that are back in the inbox and in no ledger are read by the second run."""
    using = load(busy_site)
    damaged = Path(shutil.copy(using.inbox_path, busy_site / "inbox.db.damaged"))
    with closing(sqlite3.connect(using.inbox_path)) as inbox, inbox:
        inbox.execute("DELETE FROM events WHERE id <= 10")
    with closing(sqlite3.connect(using.ledger_path)) as ledger, ledger:
        ledger.execute("PRAGMA foreign_keys = OFF")
        ledger.execute("DELETE FROM charges WHERE id IN (SELECT id FROM calls WHERE event_id <= 10)")
        ledger.execute("DELETE FROM calls WHERE event_id <= 10")
    assert salvage.salvage(damaged, using.inbox_path).missing == 10  # and killed here
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        done = salvaging.salvage(ledger, inbox, using, damaged)
        assert (done.found.missing, done.replayed.events) == (0, 10)
        assert salvaging.salvage(ledger, inbox, using, damaged).replayed.events == 0
    assert told(busy_site).calls == CALLS


def test_salvaged_events_with_new_ids_come_back_once(busy_site: Path) -> None:
    """Where another event has its id now, it gets a later one; a repeat does not bring it a second time."""
    using = load(busy_site)
    damaged = Path(shutil.copy(using.inbox_path, busy_site / "inbox.db.damaged"))
    with closing(sqlite3.connect(using.inbox_path)) as inbox, inbox:
        inbox.execute("UPDATE events SET body = 'another', received_at = received_at + 1 WHERE id <= 5")
    assert [salvage.salvage(damaged, using.inbox_path).missing for _ in range(2)] == [5, 0]


def test_what_people_follow_is_told_again_when_runs_overlap(busy_site: Path, tmp_path: Path, cli: Cli) -> None:
    """A run that began earlier and was killed later than another ended: its changes reach the feed all the same."""
    assert cli("export", "--since-last", "--out-dir", str(tmp_path / "out"), "--formats", "csv").exit_code == 0
    with Ledger(busy_site / "ledger.db") as ledger, ledger.transaction():
        run = (
            "INSERT INTO rerate_runs (started_at, ended_at, first_day, last_day, conditions) VALUES (1, ?, '', '', '')"
        )
        killed = ledger.connection.execute(run, [None]).lastrowid
        ledger.connection.execute(run, [2])
        call = ledger.connection.execute("SELECT min(id) FROM calls").fetchone()[0]
        columns = [row[1] for row in ledger.connection.execute("PRAGMA table_info(charge_history)")]
        other = ", ".join(one if one != "meaning" else "NULL" for one in columns[2:])
        ledger.connection.execute(
            f"INSERT INTO charge_history ({', '.join(columns)}) SELECT ?, id, {other} FROM charges WHERE id = ?",
            [killed, call],
        )
    out = cli("export", "--since-last", "--out-dir", str(tmp_path / "out"), "--formats", "csv").stdout.split()
    assert [Path(one).name for one in out] == ["calls-changes-000002.csv"]
    assert len(Path(out[0]).read_text("utf-8-sig").splitlines()) == 2


def test_reading_again_says_the_sums_and_keeps_the_earlier_charges(busy_site: Path, cli: Cli) -> None:
    """A filter makes ten calls free: replay and rebuild tell what calls cost before and now; the history stays."""
    with Ledger(busy_site / "ledger.db") as ledger:
        ledger.rules.add_filter(CallFilter(number="95860000X"))
        call = ledger.connection.execute("SELECT id FROM calls ORDER BY id").fetchall()[3][0]
    said = cli("events", "replay", "--all").stderr
    assert "before: 40 calls, 8.80 CNY" in said
    assert "now: 40 calls, 6.60 CNY" in said
    assert "10 calls have another charge now" in said
    with Ledger(busy_site / "ledger.db") as ledger:
        last = ledger.connection.execute("SELECT max(id) - 39 FROM calls").fetchone()[0] + 3
        assert last > call
        ledger.rules.remove_filter(1)
    history = json.loads(cli("calls", "explain", str(last), "--history", "--format", "json").stdout)
    assert [one["fee"] for one in history["history"]] == ["0.22"]
    said = cli("events", "rebuild").stderr
    assert "before: 40 calls, 6.60 CNY" in said
    assert "now: 40 calls, 8.80 CNY" in said
    with Ledger(busy_site / "ledger.db") as ledger:
        kept = ledger.connection.execute("SELECT count(*) FROM charge_history").fetchone()[0]
    assert kept == 20


def test_a_backup_holds_what_was_read_and_pruned_between_its_copies(
    busy_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that comes after the ledger was copied, is read, and is pruned before the inbox is copied."""
    copy, done = backups.copies.copy, []

    def meanwhile(source: Path, target: Path, *more: Any) -> dict[str, int]:
        rows = copy(source, target, *more)
        if source.name == "ledger.db" and not done:
            done.append(source)
            fill(busy_site / "inbox.db", [gateway_cdr("8002", "958674577", 64)])
            read_all(busy_site)
            with Ledger(busy_site / "ledger.db") as ledger:
                prune(busy_site / "inbox.db", ledger, datetime(2100, 1, 1, tzinfo=UTC))
        return rows

    monkeypatch.setattr(backups.copies, "copy", meanwhile)
    made = backups.make(load(busy_site), tmp_path / "copies", NOW)
    with Ledger(made.path / "ledger.db") as ledger:
        assert ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0] == CALLS + 1


# --- Every pair together, killed at any moment ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Processes that have the package loaded already, so that a kill hits the work and not the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


PAIRS = list(itertools.combinations_with_replacement(WORKS, 2))


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 11))])
@pytest.mark.parametrize(("one", "other"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_every_pair_killed_at_any_moment(
    processes: multiprocessing.context.ForkServerContext, busy_site: Path, one: str, other: str, seed: int
) -> None:
    """Both run at once and are killed at random; both are repeated to their end: no call, fee or mask is missing."""
    chance = random.Random(f"{one}-{other}-{seed}")
    shutil.copy(busy_site / "inbox.db", busy_site / "inbox.db.damaged")
    running = [processes.Process(target=WORKS[name], args=(busy_site,)) for name in (one, other)]
    for process in running:
        process.start()
    for process in running:
        process.join(chance.uniform(0, 0.4))
        if process.pid and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
    for name in (one, other):
        WORKS[name](busy_site)
    masked = CALLS // 2 if "anonymize" in (one, other) else 0
    assert told(busy_site) == Told(CALLS, CALLS * 220_000, masked, 0)
    with Ledger(busy_site / "ledger.db") as ledger:
        assert not ledger.faults()
        assert ledger.connection.execute("SELECT sum(calls) FROM rollup_days").fetchone()[0] == CALLS
    assert restoring.EXCHANGING not in {path.name for path in busy_site.iterdir()}


def test_an_event_goes_only_when_what_became_of_it_is_on_the_disk(
    busy_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is synced before each step of deleting: a power cut cannot take both the event and its call."""
    order: list[str] = []
    sync, delete = Ledger.sync, OldEvents.delete
    monkeypatch.setattr(Ledger, "sync", lambda self: (order.append("sync"), sync(self)))
    monkeypatch.setattr(OldEvents, "delete", lambda self, ids: (order.append("delete"), delete(self, ids)))
    _prune(busy_site)
    assert order == ["sync", "delete"]
    with Ledger(busy_site / "ledger.db") as ledger:
        told_modes: list[int] = []
        ledger.connection.set_trace_callback(
            lambda sql: told_modes.append(1) if sql.startswith("PRAGMA synchronous = FULL") else None
        )
        ledger.sync()
        assert told_modes == [1]
        assert ledger.connection.execute("PRAGMA synchronous").fetchone()[0] == 1  # NORMAL again


def test_a_rebuild_asks_first_whether_the_disk_has_room(busy_site: Path) -> None:
    """And leaves what the listener may need: nothing is begun, nothing is left."""
    using, before = load(busy_site), sorted(path.name for path in busy_site.iterdir())
    more = shutil.disk_usage(busy_site).free + 10**12
    rules = lambda ledger: Rules.of(ledger, using)  # noqa: E731
    with pytest.raises(BillingError, match="MB are free"):
        rebuilding.rebuild(using.inbox_path, using.ledger_path, rules, min_free_bytes=more)
    assert sorted({path.name for path in busy_site.iterdir()} - {MAINTENANCE}) == sorted({*before} - {MAINTENANCE})
    assert told(busy_site).calls == CALLS


def test_a_rebuild_ends_where_the_room_runs_out(busy_site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks with every batch; the ledger stays as it was, and the space is free again."""
    using, asked = load(busy_site), []
    monkeypatch.setattr(rebuilding, "BATCH_EVENTS", 5)

    def usage(path: Path) -> object:
        asked.append(path)
        return shutil._ntuple_diskusage(10**12, 0, 10**12 if len(asked) < 4 else 10)

    monkeypatch.setattr(rebuilding.shutil, "disk_usage", usage)
    rules = lambda ledger: Rules.of(ledger, using)  # noqa: E731
    with pytest.raises(BillingError, match="MB are free"):
        rebuilding.rebuild(using.inbox_path, using.ledger_path, rules, min_free_bytes=1_000)
    assert not list(busy_site.glob("*.rebuilding*"))
    assert told(busy_site).calls == CALLS
