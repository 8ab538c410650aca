"""Upkeep: a backup is whole or not there, a restore is undone where it fails, and what is let go was asked for."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ippbx_billing.cli.app import app
from ippbx_billing.errors import BillingError, DataError
from ippbx_billing.inbox import only_writer
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.masking import masked
from ippbx_billing.settings import load
from ippbx_billing.upkeep import backups, restoring
from tests import EXAMPLES
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli
from tests.service_process import Service

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
posix = pytest.mark.skipif(os.name != "posix", reason="modes and fcntl are those of POSIX")


def events(site: Path) -> int:
    with closing(sqlite3.connect(site / "inbox.db")) as inbox:
        return int(inbox.execute("SELECT count(*) FROM events").fetchone()[0])


def take(site: Path, cli: Cli, *numbers: str) -> None:
    """Calls to these numbers, received and rated."""
    fill(site / "inbox.db", [gateway_cdr("8001", number, 64) for number in numbers])
    assert cli("events", "replay").exit_code == 0


def calls(cli: Cli) -> list[dict[str, object]]:
    return json.loads(cli("calls", "list", "--format", "json").stdout)  # type: ignore[no-any-return]


def tree(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["", "office.zip"])
def test_what_is_restored_is_what_was_backed_up(cli: Cli, site: Path, tmp_path: Path, name: str) -> None:
    """Calls, settings, tokens and own dialects, from a directory as from an archive; what came later lies aside."""
    take(site, cli, "958674577", "902162345678")
    (site / "tokens").write_text("secret\n")
    (site / "dialects").mkdir()
    shutil.copy(EXAMPLES / "unknown-pbx.toml", site / "dialects")
    before = calls(cli)
    made = backups.make(load(site), tmp_path / "copies" / name, NOW)
    take(site, cli, "958674578")
    (site / "tokens").unlink()
    result = cli("restore", str(made.path))
    assert result.exit_code == 0, result.stderr
    assert calls(cli) == before
    assert (site / "tokens").read_text() == "secret\n"
    assert (site / "dialects" / "unknown-pbx.toml").exists()
    assert "2 events, 2 calls" in result.stderr
    assert "1 events there are newer" in result.stderr
    (aside,) = site.glob("before-restore-*")
    assert events(aside) == 3
    command = result.stderr.splitlines()[-1].split()
    assert cli(*command[1:]).exit_code == 0
    assert [call["number"] for call in calls(cli)] == ["958674577", "902162345678", "958674578"]


def test_a_backup_of_a_busy_listener_holds_one_moment(site: Path, tmp_path: Path) -> None:
    """Posted to all the while, it is complete up to an event; restored, every record is rated once."""
    stop = threading.Event()
    with Service(site) as service:

        def post() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                service.post(gateway_cdr("8001", f"9{50_000_000 + number}", 64, start=_second(number)))

        posting = threading.Thread(target=post)
        posting.start()
        try:
            while events(site) < 50:
                assert posting.is_alive()
            made = [backups.make(load(site), tmp_path / f"{one}.zip", NOW) for one in range(3)]
        finally:
            stop.set()
            posting.join()
        service.wait_until_read()
    assert 50 <= made[0].events <= made[1].events <= made[2].events <= events(site)
    elsewhere = tmp_path / "elsewhere"
    restoring.restore(made[2].path, elsewhere, NOW)
    run = CliRunner().invoke
    assert run(app, ["--data-dir", str(elsewhere), "events", "replay"]).exit_code == 0
    listed = json.loads(run(app, ["--data-dir", str(elsewhere), "calls", "list", "--format", "json"]).stdout)
    assert len(listed) == len({call["number"] for call in listed}) == made[2].events


def _second(number: int) -> str:
    return f"{datetime(2026, 10, 13) + timedelta(seconds=number):%Y-%m-%d %H:%M:%S}"


def test_rotation_keeps_the_newest_and_touches_nothing_else(cli: Cli, site: Path, tmp_path: Path) -> None:
    """What is not a backup of ours stays, also where it looks like one."""
    stranger = tmp_path / "copies" / "ippbx-bill-20000101T000000Z"
    stranger.mkdir(parents=True)
    made = [backups.make(load(site), tmp_path / "copies", NOW + timedelta(days=day), keep=2) for day in range(4)]
    assert [one.path.exists() for one in made] == [False, False, True, True]
    told = cli("restore", str(tmp_path / "copies"))
    assert (told.exit_code, f"the newest is {made[3].path}" in told.stderr) == (2, True)
    assert (made[2].removed, made[3].removed) == ((made[0].path,), (made[1].path,))
    assert sorted(path.name for path in (tmp_path / "copies").iterdir()) == sorted(
        [stranger.name, made[2].path.name, made[3].path.name]
    )


def test_the_doctor_hears_of_it(cli: Cli, site: Path, tmp_path: Path) -> None:
    """Before, it names the command; after, it is content."""
    rows = {row["check"]: row for row in json.loads(cli("doctor", "--format", "json").stdout)}
    assert "ippbx-bill backup --to" in rows["backup"]["hint"]
    assert cli("backup", "--to", str(tmp_path / "copies"), "--keep", "3").exit_code == 0
    rows = {row["check"]: row for row in json.loads(cli("doctor", "--format", "json").stdout)}
    assert rows["backup"]["state"] == "ok"


@posix
def test_a_backup_is_for_its_owner_only(site: Path, tmp_path: Path) -> None:
    """Whatever the umask: it holds numbers and secrets."""
    before = os.umask(0)
    try:
        directory = backups.make(load(site), tmp_path / "copies", NOW).path
        archive = backups.make(load(site), tmp_path / "office.zip", NOW).path
        restoring.restore(archive, tmp_path / "new", NOW)
    finally:
        os.umask(before)
    for path in (directory, *directory.rglob("*"), archive, tmp_path / "new", *(tmp_path / "new").rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("failing", ["copies.check", "backups._describe", "backups._seal"])
def test_a_backup_that_fails_leaves_nothing(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Neither half a backup nor a word to the doctor; the earlier ones stay."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    earlier = backups.make(load(site), tmp_path / "copies", NOW)
    module = "ippbx_billing.sqlite." if failing.startswith("copies") else "ippbx_billing.upkeep."
    monkeypatch.setattr(module + failing, fail)
    with pytest.raises(BillingError, match="No space left"):
        backups.make(load(site), tmp_path / "copies", NOW + timedelta(days=1), keep=1)
    assert list((tmp_path / "copies").iterdir()) == [earlier.path]


def test_a_damaged_backup_is_refused_and_nothing_changes(cli: Cli, site: Path, tmp_path: Path) -> None:
    """A byte flipped, a file missing, one too many, a row fewer with all checksums forged: each is found first."""
    take(site, cli, "958674577")
    (site / "tokens").write_text("secret\n")
    good = backups.make(load(site), tmp_path / "copies", NOW).path

    def flipped(copy: Path) -> None:
        data = bytearray((copy / "ledger.db").read_bytes())
        data[len(data) // 2] ^= 1
        (copy / "ledger.db").write_bytes(data)

    def forged(copy: Path) -> None:
        with closing(sqlite3.connect(copy / "inbox.db")) as inbox, inbox:
            inbox.execute("DELETE FROM events")
        manifest = json.loads((copy / "backup.json").read_text())
        manifest["files"]["inbox.db"]["sha256"] = backups.digest(copy / "inbox.db")
        (copy / "backup.json").write_text(json.dumps(manifest))

    present = tree(site)
    for number, harm in enumerate(
        [
            flipped,
            forged,
            lambda copy: (copy / "tokens").unlink(),
            lambda copy: (copy / "pbx.toml").write_text("[[pbx]]"),
            lambda copy: (copy / "backup.json").write_text('{"format": 1}'),
            lambda copy: (copy / "backup.json").unlink(),
        ]
    ):
        copy = Path(shutil.copytree(good, tmp_path / str(number)))
        harm(copy)
        result = cli("restore", str(copy))
        assert (result.exit_code, "hint: " in result.stderr) == (1, True), result.stderr
    assert {name: data for name, data in tree(site).items() if name in present} == present
    assert not list(site.glob("before-restore-*"))
    assert not list(site.glob(".restore*"))


def test_no_archive_writes_outside(site: Path, tmp_path: Path) -> None:
    """A name with dots in it finds nothing to overwrite."""
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("../../evil", "x")
        archive.writestr("backup.json", "{}")
    with pytest.raises(DataError, match="not a backup"):
        restoring.restore(bad, site, NOW)
    assert not list(tmp_path.rglob("evil"))


def test_a_restore_that_fails_halfway_is_undone(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is back in its place, whichever step it was."""
    made = backups.make(load(site), tmp_path / "copies", NOW).path
    present = {name: data for name, data in tree(site).items() if not name.endswith(".lock")}
    move, steps, failing_at = restoring._move, [], 0

    def failing(before: Path, after: Path, done: list[tuple[Path, Path]]) -> None:
        steps.append(after)
        if len(steps) == failing_at:
            raise OSError(5, "Input/output error")
        move(before, after, done)

    monkeypatch.setattr(restoring, "_move", failing)
    for failing_at in range(1, 7):  # noqa: B007  the step that fails reads it
        steps.clear()
        with pytest.raises(BillingError, match="Input/output error"):
            restoring.restore(made, site, NOW)
        assert {name: data for name, data in tree(site).items() if not name.endswith(".lock")} == present
    monkeypatch.undo()
    assert restoring.restore(made, site, NOW).aside is not None


CUT_OFF = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from ippbx_billing.upkeep import restoring
move, left = restoring._move, [int(sys.argv[3])]
def cut(*steps):
    if not left[0]:
        os._exit(9)
    left[0] -= 1
    move(*steps)
restoring._move = cut
restoring.restore(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC))
"""


def test_a_restore_that_is_cut_off_is_done_again(cli: Cli, site: Path, tmp_path: Path) -> None:
    """Killed after any of its steps: `listen` would not start on the half, and the same command finishes it."""
    take(site, cli, "958674577")
    made = backups.make(load(site), tmp_path / "copies", NOW).path
    before = calls(cli)
    take(site, cli, "958674578")
    for steps in range(1, 6):  # inbox, ledger and settings aside; ledger and settings in; the inbox would be the sixth
        half = Path(shutil.copytree(site, tmp_path / str(steps)))
        killed = subprocess.run([sys.executable, "-c", CUT_OFF, str(made), str(half), str(steps)], timeout=60)
        assert killed.returncode == 9
        assert not (half / "inbox.db").exists()
        assert restoring.restore(made, half, NOW).backup.events == 1
        with Ledger(half / "ledger.db") as ledger:
            assert ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0] == len(before)
        asides = sorted(half.glob("before-restore-*"))
        assert sum(events(one) for one in asides if (one / "inbox.db").exists()) == 2
        assert not list(half.glob(".restore*"))


def test_nothing_aside_is_ever_overwritten(site: Path, tmp_path: Path) -> None:
    """Two restores within one second leave two directories."""
    made = backups.make(load(site), tmp_path / "copies", NOW).path
    asides = [restoring.restore(made, site, NOW).aside for _ in range(2)]
    assert len(set(asides)) == 2
    assert all(one and (one / "ledger.db").exists() for one in asides)


def test_restore_is_refused_while_a_listener_runs(site: Path, cli: Cli, tmp_path: Path) -> None:
    """Exit 3, like a second listener."""
    made = backups.make(load(site), tmp_path / "copies", NOW).path
    with only_writer(site / "inbox.db"):  # as `listen` does
        result = cli("restore", str(made))
    assert (result.exit_code, "another listener" in result.stderr) == (3, True)
    assert not list(site.glob("before-restore-*"))


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["backup", "--to", "office.tar"], "neither a directory nor a .zip file", 2),
        (["backup", "--to", "office.zip", "--keep", "2"], "--keep needs a directory", 2),
        (["restore", "nowhere"], "there is no nowhere", 1),
        (["restore", __file__], "is not a backup", 1),
        (["restore", "/"], "there is no backup.json", 1),
    ],
)
def test_a_mistake_gets_a_sentence(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str, code: int
) -> None:
    """What, where, what to do."""
    monkeypatch.chdir(tmp_path)
    result = cli(*arguments)
    assert (result.exit_code, message in result.stderr, "hint: " in result.stderr) == (code, True, True)


# Old events are deleted, old numbers masked.


def received(site: Path, day: str, *event_ids: int) -> None:
    """These events came at noon of that day."""
    moment = datetime.fromisoformat(f"{day}T12:00:00+08:00")
    with closing(sqlite3.connect(site / "inbox.db")) as inbox, inbox:
        for one in event_ids:
            inbox.execute("UPDATE events SET received_at = ? WHERE id = ?", [int(moment.timestamp()) * 1_000_000, one])


def kept(site: Path) -> list[int]:
    with closing(sqlite3.connect(site / "inbox.db")) as inbox:
        return [row[0] for row in inbox.execute("SELECT id FROM events ORDER BY id")]


@pytest.fixture
def years(cli: Cli, site: Path) -> Path:
    """Events 1 to 3 of 2025 (2 rejected, 3 a duplicate of 1), 4 of 2026, 5 not read yet."""
    first = gateway_cdr("8001", "913800138000", 64, start="2025-10-13 10:00:00")
    fill(site / "inbox.db", [first, b"rubbish", first, gateway_cdr("8001", "958674577", 64)])
    assert cli("events", "replay").exit_code == 0
    fill(site / "inbox.db", [gateway_cdr("8002", "958674577", 64)])
    received(site, "2025-10-13", 1, 2, 3, 5)
    return site


def test_prune_takes_what_was_understood_and_nothing_else(cli: Cli, years: Path) -> None:
    """Not the rejected, not the unread, not the younger; calls and sums stay, and a count comes first."""
    before = calls(cli), cli("report", "--year", "2025", "--format", "json").stdout
    counted = cli("events", "prune", "--before", "2026-01-01", "--dry-run")
    assert "2 events received before 2026-01-01" in counted.stderr
    assert "1 rejected ones stay" in counted.stderr
    assert kept(years) == [1, 2, 3, 4, 5]
    assert cli("events", "prune", "--before", "2026-01-01", stdin="n\n").exit_code == 1
    assert kept(years) == [1, 2, 3, 4, 5]
    result = cli("events", "prune", "--before", "2026-01-01", "--yes")
    assert (result.exit_code, "deleted 2 events" in result.stderr) == (0, True)
    assert kept(years) == [2, 4, 5]
    assert (calls(cli), cli("report", "--year", "2025", "--format", "json").stdout) == before
    listed = {row["id"]: row["status"] for row in json.loads(cli("events", "list", "--format", "json").stdout)}
    assert listed == {2: "rejected", 4: "done", 5: "new"}


def test_prune_takes_the_rejected_too_if_told(cli: Cli, years: Path) -> None:
    """Then nothing is left to be understood one day, and nobody waits for it."""
    assert cli("events", "prune", "--before", "2026-01-01", "--also-rejected", "--yes").exit_code == 0
    assert kept(years) == [4, 5]
    assert "0 are still rejected" in cli("events", "replay", "--all").stderr
    assert len(calls(cli)) == 3


def test_pruned_ids_never_come_again(cli: Cli, years: Path) -> None:
    """Also where the newest went: the ledger's position means the same event for ever."""
    cli("events", "replay")
    received(years, "2025-10-13", 4)
    assert cli("events", "prune", "--before", "2026-01-01", "--also-rejected", "--yes").exit_code == 0
    assert kept(years) == []
    take(years, cli, "902162345678")
    assert kept(years) == [6]
    assert len(calls(cli)) == 4


def test_the_space_goes_back_to_the_disk(cli: Cli, site: Path) -> None:
    """At once; from a file of an earlier version when nobody listens."""
    from ippbx_billing.upkeep import pruning

    inbox = site / "inbox.db"
    for present in (True, False):
        if not present:
            with closing(sqlite3.connect(inbox)) as old:
                old.execute("PRAGMA auto_vacuum = NONE")
                old.execute("VACUUM")
            with only_writer(inbox):
                assert pruning.give_back(inbox) is None
        fill(inbox, [b"x" * 100_000] * 6, kind="status")
        assert cli("events", "replay").exit_code == 0
        received(site, "2025-10-13", *kept(site))
        result = cli("events", "prune", "--before", "2026-01-01", "--also-rejected", "--yes")
        assert "MB were given back" in result.stderr, result.stderr
        with closing(sqlite3.connect(inbox)) as found:
            assert found.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        assert inbox.stat().st_size < 100_000


def test_prune_beside_a_busy_listener_loses_nothing(site: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """In many small steps; what is posted meanwhile is all taken and rated, what was old is gone."""
    monkeypatch.setattr("ippbx_billing.inbox.pruning.STEP_EVENTS", 10)
    fill(site / "inbox.db", [gateway_cdr("8001", str(950_000_000 + number), 64) for number in range(150)])
    assert cli("events", "replay").exit_code == 0
    received(site, "2025-10-13", *kept(site))
    with Service(site) as service:
        pruning = threading.Thread(target=lambda: cli("events", "prune", "--before", "2026-01-01", "--yes"))
        pruning.start()
        posted = 0
        while pruning.is_alive() or posted < 50:
            posted += 1
            assert service.post(gateway_cdr("8002", str(960_000_000 + posted), 64)).status_code == 200
        service.wait_until_read()
    rated = json.loads(cli("calls", "list", "--extension", "8002", "--format", "json").stdout)
    assert kept(site) == list(range(151, 151 + posted))
    assert len(rated) == posted


def database_text(site: Path) -> bytes:
    """All bytes of the ledger and what lies beside it."""
    return b"".join(path.read_bytes() for path in site.glob("ledger.db*"))


def sums(cli: Cli) -> list[object]:
    """The year by several keys; the reasons of unrated calls, which hold numbers, are not sums."""
    keys = ("extension", "traffic-type", "country,place", "hour")
    found = [json.loads(cli("report", "--year", "2025", "--by", key, "--format", "json").stdout) for key in keys]
    return [(one["rows"], one["total"], one["unrated"], one["filtered"]) for one in found]


def test_masked_numbers_are_nowhere_in_the_ledger_and_sums_stay(cli: Cli, site: Path) -> None:
    """Not in the call, its reasons, its history, free pages or the log; every report of sums is the same."""
    numbers = ["913800138000", "90085223456789", "912345678901234", "8002", "910086"]
    start = "2025-10-13 10:00:00"
    fill(site / "inbox.db", [gateway_cdr("8001", number, 64, start=start) for number in numbers])
    take(site, cli, "913900139000")
    assert cli("tariffs", "set", "022-天津-电信", "local", "--initial", "60:9", "--step", "60:9").exit_code == 0
    cli("rerate", "--from", "2025-10-01", "--to", "2025-10-31", "--reclassify")
    before = sums(cli)
    fees = [(call["id"], call["fee"], call["status"], call["billed_s"]) for call in calls(cli)]
    assert cli("calls", "anonymize", "--before", "2026-01-01", "--yes", "--keep-events").exit_code == 0
    found = {call["id"]: (call["callee"], call["number"], call["extension"]) for call in calls(cli)}
    assert found[1] == ("91380013XXXX", "91380013XXXX", "8001")
    assert found[4] == ("XXXX", "XXXX", "8001")
    assert found[6] == ("913900139000", "913900139000", "8001")
    for number in (b"13800138000", b"85223456789", b"2345678901234"):
        assert number not in database_text(site)
    assert [(call["id"], call["fee"], call["status"], call["billed_s"]) for call in calls(cli)] == fees
    assert sums(cli) == before
    again = cli("calls", "anonymize", "--before", "2026-01-01", "--yes", "--keep-events")
    assert "0 calls before" in again.stderr


def test_calls_are_masked_only_when_their_events_are_gone(cli: Cli, years: Path) -> None:
    """Else the numbers would stand in the next file; the way is named."""
    cli("events", "replay")
    refused = cli("calls", "anonymize", "--before", "2026-01-01", "--yes")
    assert (refused.exit_code, "events prune --before 2026-01-01" in refused.stderr) == (1, True)
    assert calls(cli)[0]["number"] == "913800138000"
    assert cli("events", "prune", "--before", "2026-01-01", "--also-rejected", "--yes").exit_code == 0
    assert cli("calls", "anonymize", "--before", "2026-01-01", "--yes").exit_code == 0
    assert calls(cli)[0]["number"] == "91380013XXXX"
    assert b"13800138000" not in b"".join(path.read_bytes() for path in years.glob("inbox.db*"))


def test_masked_calls_are_not_rated_again(cli: Cli, site: Path) -> None:
    """A tariff goes by digits that are no longer there."""
    fill(site / "inbox.db", [gateway_cdr("8001", "913800138000", 64, start="2025-10-13 10:00:00")])
    take(site, cli, "958674577")
    assert cli("calls", "anonymize", "--before", "2026-01-01", "--yes", "--keep-events").exit_code == 0
    refused = cli("rerate", "--from", "2025-12-31", "--to", "2026-10-31")
    assert (refused.exit_code, "begin with 2026-01-01" in refused.stderr) == (2, True)
    assert cli("rerate", "--from", "2026-01-01", "--to", "2026-10-31").exit_code == 0


@given(st.text(max_size=30) | st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True))
def test_masking_twice_is_masking_once(text: str) -> None:
    """The length stays, and of the last four digits none; an X of its own counts as one that was masked."""
    once = masked(text)
    assert masked(once) == once
    assert len(once or "") == len(text)
    digits = [character for character in text if character.isdigit() or character == "X"]
    assert len([character for character in once or "" if character.isdigit()]) <= max(0, len(digits) - 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["events", "prune", "--before", "2199-01-01"], "is yet to come"),
        (["events", "prune", "--before", "last year"], "is not a day"),
        (["calls", "anonymize", "--before", "2026-02-30"], "is not a day"),
    ],
)
def test_a_day_that_cannot_be_meant_is_told(cli: Cli, arguments: list[str], message: str) -> None:
    """Nothing is deleted by a slip."""
    result = cli(*arguments)
    assert (result.exit_code, message in result.stderr, "hint: " in result.stderr) == (2, True, True)
