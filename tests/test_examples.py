"""Each file in `examples/` does what it says."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from tests.bodies import fill
from tests.conftest import Cli

EXAMPLES = Path(__file__).parent.parent / "examples"


def cron_lines() -> list[str]:
    lines = (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines()
    return [line.split(None, 5)[5] for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("line", cron_lines())
def test_the_crontab_writes_its_files(cli: Cli, tmp_path: Path, line: str) -> None:
    """Each line's command runs without a word, and its file is there."""
    words = shlex.split(line.replace("/srv/bills", str(tmp_path)))
    result = cli(*words[1:])
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert Path(words[-1]).exists()


def test_the_extensions_are_imported(cli: Cli) -> None:
    """The file as Excel in China would save it."""
    assert cli("extensions", "import", str(EXAMPLES / "extensions.csv")).exit_code == 0
    assert len(json.loads(cli("extensions", "list", "--format", "json").stdout)) == 3


def test_the_record_is_a_rated_call(cli: Cli, site: Path) -> None:
    """The body to try the listener with: 80 s to Shanghai, 0.98."""
    fill(site / "inbox.db", [(EXAMPLES / "cdr.json").read_bytes()])
    assert cli("events", "replay").exit_code == 0
    (call,) = json.loads(cli("calls", "list", "--format", "json").stdout)
    assert (call["fee"], call["place"], call["trunk"]) == ("0.98", "上海", "1")


def test_a_dialect_of_ones_own_makes_an_unknown_record_a_call(cli: Cli, site: Path) -> None:
    """Rejected with a reason; then one file put into the data directory, one replay, and the call is rated."""
    fill(site / "inbox.db", [(EXAMPLES / "unknown-pbx.json").read_bytes()])
    cli("events", "replay")
    (event,) = json.loads(cli("events", "list", "--status", "rejected", "--format", "json").stdout)
    assert event["reason"]
    (site / "dialects").mkdir()
    shutil.copy(EXAMPLES / "unknown-pbx.toml", site / "dialects")
    assert "0 are still rejected" in cli("events", "replay").stderr
    (call,) = json.loads(cli("calls", "list", "--format", "json").stdout)
    assert (call["extension"], call["fee"], call["trunk"], call["dialect"]) == ("8001", "0.98", "Amt 1", "unknown-pbx")
    assert (call["duration_s"], call["billed_s"], call["record_id"]) == (85, 80, "4711")


def test_every_example_has_its_test() -> None:
    """Nothing lies there untried; "ippbx-bill.service" is tried in test_service.py."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.iterdir() if f'"{path.name}"' not in text] == []
