"""What people type at the centre: sites, ship, report and calls, and what they read then."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ippbx_billing.ship import keys
from tests.centre.sites import at_home, fill, records
from tests.conftest import Cli


@pytest.fixture
def address(dsn: str) -> Iterator[str]:
    """A collector as a process of its own."""
    command = [sys.executable, "-m", "ippbx_billing", "centre", "collect", "--centre", dsn, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield process.stderr.readline().split()[-1]
        process.terminate()


def test_a_site_is_let_in_ships_and_is_seen_in_the_report(
    cli: Cli, site: Path, dsn: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the key to the report, each step a command, over real HTTP."""
    monkeypatch.setenv("IPPBX_BILL_CENTRE", dsn)
    fill(site, records(30))
    book = shutil.copytree(site, tmp_path / "book")
    key = tmp_path / "hq.key"
    assert cli("centre", "sites", "add", "hq", "--book", str(book), "--key-file", str(key)).exit_code == 0
    assert cli("centre", "sites", "add", "hq", "--book", str(book), "--key-file", str(key)).exit_code == 2
    assert len(keys.read(key)) == 32
    shipped = cli("ship", "--to", address, "--site", "hq", "--key", str(key), "--until-done")
    assert shipped.exit_code == 0, shipped.output
    assert cli("centre", "rate", "--until-done").exit_code == 0
    state = json.loads(cli("ship", "--show", "--format", "json").stdout)[0]
    (known,) = json.loads(cli("centre", "sites", "list", "--format", "json").stdout)
    assert (state["waiting"], known["waiting"], known["missing"]) == (0, 0, 0)
    assert state["position"] == known["position"]
    for by in ("site", "day", "department", "traffic_type", "direction", "extension"):
        rows = json.loads(cli("centre", "report", "--month", "2026-10", "--by", by, "--format", "json").stdout)
        assert sum(row["calls"] for row in rows) == 30
        fees = sum(round(float(row["fee"]) * 1_000_000) for row in rows)
        assert fees == sum(fee for _, _, fee in at_home(site).values())
    told = json.loads(cli("centre", "calls", "--month", "2026-10", "--site", "hq", "--format", "json").stdout)
    assert len(told) == 30
    assert {row["site"] for row in told} == {"hq"}
    assert json.loads(cli("centre", "calls", "--month", "2026-10", "--tenant", "x", "--format", "json").stdout) == []
    assert cli("centre", "sites", "revoke", "hq").exit_code == 0
    fill(site, records(1, seed=2))
    refused = cli("ship", "--to", address, "--site", "hq", "--key", str(key), "--until-done")
    assert (refused.exit_code, "revoked" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    "words",
    [("report",), ("close", "--history", "x"), ("sites", "list"), ("rate",), ("ask", "SELECT 1", "--history", "x")],
)
def test_without_psycopg_each_command_says_what_to_install(site: Path, words: tuple[str, ...]) -> None:
    """A sentence and a command, no traceback."""
    blocked = "import sys; sys.modules['psycopg'] = None; from ippbx_billing.cli import main; sys.exit(main())"
    where = [] if words[0] == "ask" else ["--centre", "host=nowhere"]
    command = [sys.executable, "-c", blocked, "--data-dir", str(site), "centre", *words, *where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "pip install 'ippbx-bill[centre]'" in done.stderr
