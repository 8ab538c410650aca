"""The doctor: every finding says what is, and where it is not well, what to do."""

import json
import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing.service.installation import installation
from ippbx_billing.settings import load
from ippbx_billing.upkeep.doctor import Diagnosis, Health, examine
from tests.bodies import RUBBISH, fill, gateway_cdr
from tests.conftest import Cli

NOW = datetime(2026, 10, 20, 4, 0, tzinfo=UTC)


def findings(site: Path, **flags: object) -> dict[str, Diagnosis]:
    return {one.check: one for one in examine(load(site, flags), NOW)}


class Door(BaseHTTPRequestHandler):
    """Answers every question as a listener of the installation `id` would."""

    id = ""

    def do_GET(self) -> None:
        body = json.dumps({"installation": self.id, "pipeline": "running", "pipeline_waiting": 0}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def doors_of(identity: str) -> Iterator[tuple[int, int]]:
    """Two ports at which a listener of this installation answers."""
    handler = type("Own", (Door,), {"id": identity})
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
    for one in servers:
        threading.Thread(target=one.serve_forever, daemon=True).start()
    yield servers[0].server_port, servers[1].server_port
    for one in servers:
        one.shutdown()
        one.server_close()


@pytest.fixture
def doors(site: Path) -> Iterator[tuple[int, int]]:
    """Two ports at which our listener answers."""
    with doors_of(installation(site)) as ports:
        yield ports


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever runs on this machine: at the ports of the site nothing answers, because they are held and not open."""
    with socket.socket() as cdr, socket.socket() as status:
        for name, held in (("IPPBX_BILL_CDR_PORT", cdr), ("IPPBX_BILL_STATUS_PORT", status)):
            held.bind(("127.0.0.1", 0))
            monkeypatch.setenv(name, str(held.getsockname()[1]))
        yield


def call_ended_now(zone: str = "Asia/Shanghai") -> bytes:
    """A record whose call ends as it is posted, on the clock of a PBX in that zone."""
    start = datetime.now(ZoneInfo(zone)) - timedelta(seconds=69)
    return gateway_cdr("8001", "58674577", 64, start=f"{start:%Y-%m-%d %H:%M:%S}")


def test_a_sound_site_has_nothing_wrong(site: Path, cli: Cli, doors: tuple[int, int]) -> None:
    """After a good call all is ok but the backup, which nobody has made, and alerts, which nobody would hear."""
    fill(site / "inbox.db", [call_ended_now()])
    cli("events", "replay")
    found = findings(site, cdr_port=doors[0], status_port=doors[1], own_address="127.0.0.1")
    wanted = {"backup": Health.WARNING, "alerts": Health.WARNING}
    assert {name: one.state for name, one in found.items() if one.state is not Health.OK} == wanted
    assert found["dialects"].text == "uc 1"
    assert found["unrated"].text.startswith("0 of ")


def test_a_pbx_in_another_time_zone_is_noticed(site: Path) -> None:
    """Its calls seem to end eight hours before their records arrive; the setting that says so puts it right."""
    fill(site / "inbox.db", [call_ended_now("UTC")])
    found = findings(site)["time zone"]
    assert (found.state, "8.0 h" in found.text) == (Health.WARNING, True)
    assert findings(site, pbx_timezone="UTC")["time zone"].state is Health.OK


def test_open_dates_and_unknown_words_are_told(site: Path, cli: Cli) -> None:
    """A date that may be another one, and a word that somebody has to explain, each in one line with what to do."""
    record = {"call_id": "c", "caller": "8001", "callee": "58674577", "duration": 25}
    bodies = [
        record | {"start_time": "07/03/2020 09:41:49"},
        record | {"start_time": "2020-07-03 09:41:49", "status": "x-17"},
    ]
    fill(site / "inbox.db", [json.dumps(one).encode() for one in bodies])
    cli("events", "replay")
    found = findings(site)
    assert (found["dates"].state, found["dates"].text[:7]) == (Health.WARNING, "1 calls")
    assert (found["words"].state, found["words"].text) == (Health.WARNING, "1 calls wait for the meaning of: x-17")
    assert found["dates"].hint
    assert found["words"].hint


def test_whatever_is_not_ok_comes_with_a_hint(site: Path) -> None:
    """A dead listener, an address that is not ours, rubbish, a hole in the tariff."""
    fill(site / "inbox.db", [*RUBBISH.values(), gateway_cdr("8001", "911185", 64)])
    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.pipeline import Pipeline, Rules

    settings = load(site)
    with Inbox(settings.inbox_path) as inbox, Ledger(settings.ledger_path) as ledger:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, settings)).drain()
    found = findings(site, cdr_port=1, status_port=1, own_address="192.0.2.77")
    wrong = {name for name, one in found.items() if one.state is Health.WRONG}
    assert wrong == {"CDR port", "status port", "own address", "dialects"}
    assert found["unrated"].state is Health.WARNING
    assert "11185" in found["tariff hole"].text
    assert [name for name, one in found.items() if one.state is not Health.OK and not one.hint] == ["tariff hole"]


def test_damage_is_seen(site: Path) -> None:
    """A ledger that is none is one finding, not a traceback."""
    (site / "ledger.db").write_bytes(b"no database at all, but long enough to be read as a header" * 100)
    found = findings(site)
    assert found["databases"].state is Health.WRONG
    assert "ledger.db" in found["databases"].text


def test_events_that_nobody_reads_are_told(site: Path) -> None:
    """The inbox is ahead of the ledger: the pipeline does not run."""
    fill(site / "inbox.db", [gateway_cdr("8001", "58674577", 64)])
    assert findings(site)["waiting events"].text == "1"


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_settings_open_to_others_are_told(site: Path) -> None:
    """The file may come to hold secrets."""
    (site / "settings.toml").chmod(0o644)
    assert findings(site)["settings"].state is Health.WARNING


def test_the_command_exits_1_when_something_is_wrong(site: Path, cli: Cli) -> None:
    """cron and a monitoring system understand that; JSON has every finding."""
    result = cli("doctor", "--format", "json")
    rows = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {"check", "state", "finding", "hint"} == set(rows[0])
    assert {row["state"] for row in rows} >= {"ok", "wrong"}


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_any_file_open_to_others_is_told(site: Path) -> None:
    """Whatever lies in the data directory; the hint is the command that puts it right."""
    assert findings(site)["permissions"].state is Health.OK
    (site / "tokens").touch(0o644)
    found = findings(site)["permissions"]
    assert (found.state, found.hint) == (Health.WARNING, f"chmod -R go= {site}")
    assert "tokens" in found.text


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_owner_is_told(site: Path) -> None:
    """root ran a command, and now the service cannot read what it wrote."""
    os.chown(site / "settings.toml", 12345, 12345)
    found = findings(site)["permissions"]
    assert (found.state, "settings.toml" in found.text, "chown" in found.hint) == (Health.WRONG, True, True)


def test_a_database_that_was_moved_aside_is_told(site: Path) -> None:
    """Once for the file, not for what lies beside it."""
    for end in ("", "-wal"):
        (site / f"inbox.db.damaged-20261013T100000Z{end}").touch(0o600)
    (found,) = [one for one in examine(load(site), NOW) if one.check == "damaged file"]
    assert found.state is Health.WARNING
    assert "inbox.db.damaged-20261013T100000Z" in found.text


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE rollup_days SET fee_micro = fee_micro + 1", "days, 2026-10-13"),
        ("UPDATE rollup_hours SET calls = calls + 1", "hours, 2026-10-13"),
        ("UPDATE rollup_hours SET hour = hour + 1", "2026-10-13"),
        ("UPDATE rollup_days SET extension_id = extension_id + 1", "2026-10-13"),
        ("DELETE FROM rollup_months", "months"),
        ("DELETE FROM rollup_month_places", "month_places"),
        ("DELETE FROM rollup_month_hours", "month_hours"),
        ("UPDATE rollup_month_extensions SET billed_s = 0", "month_extensions"),
        (
            "UPDATE charges SET fee_micro = 5",
            "months, month_extensions, month_hours, month_places, days, hours, 2026-10-13",
        ),
    ],
)
def test_sums_that_went_astray_are_told_and_mended(site: Path, cli: Cli, damage: str, told: str) -> None:
    """Whichever level it is; `doctor --repair` makes them those of the calls again."""
    fill(site / "inbox.db", [gateway_cdr("8001", "58674577", 64), gateway_cdr("8002", "911185", 30)])
    cli("events", "replay")
    assert findings(site)["sums of reports"].state is Health.OK
    with sqlite3.connect(site / "ledger.db") as ledger:
        ledger.execute(damage)
    ledger.close()
    found = findings(site)["sums of reports"]
    assert (found.state, found.text) == (Health.WRONG, f"not those of the calls: {told}")
    assert "doctor --repair" in found.hint
    assert "the sums of 2 calls were worked out again" in cli("doctor", "--repair").stderr
    assert findings(site)["sums of reports"].state is Health.OK


def test_a_stranger_on_our_port_is_no_listener_of_ours(site: Path) -> None:
    """An open port proves nothing: what answers there has another id, or none."""
    with doors_of("somebody-else") as (cdr, status):
        found = findings(site, cdr_port=cdr, status_port=status)
    assert {found["CDR port"].state, found["status port"].state} == {Health.WRONG}
    assert "not this installation's listener" in found["CDR port"].text
