"""`operators` and `audit`, and the line that every command which changes something leaves."""

import json
from datetime import UTC, datetime
from pathlib import Path

from ippbx_billing.operators import OperatorFile, Role
from ippbx_billing.settings import load
from ippbx_billing.upkeep.backups import make
from ippbx_billing.upkeep.restoring import restore
from tests.conftest import Cli

PASSWORD = "correct horse battery"


def entries(cli: Cli) -> list[dict[str, object]]:
    done = cli("audit", "list", "--format", "json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_operators_are_managed_from_the_command_line(cli: Cli, site: Path) -> None:
    """Added with an address, given a password, another role, disabled; each step is in the log."""
    assert cli("operators", "add", "root", "--role", "administrator").exit_code == 0
    added = cli("operators", "add", "anna", "--role", "viewer")
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("http://127.0.0.1:8180/welcome/")
    assert cli("operators", "password", "anna", "--stdin", stdin=f"{PASSWORD}\n").exit_code == 0
    with OperatorFile(load(site).operators_path) as file:
        assert file.operators.recognized("anna", PASSWORD) is not None
    cli("departments", "add", "公司/工程部")
    assert cli("operators", "role", "anna", "head", "--department", "公司/工程部").exit_code == 0
    assert cli("operators", "role", "anna", "head", "--department", "公司/没有").exit_code == 1
    assert cli("operators", "disable", "anna").exit_code == 0
    assert cli("operators", "disable", "root").exit_code == 2
    rows = {row["name"]: row for row in json.loads(cli("operators", "list", "--format", "json").stdout)}
    assert (rows["anna"]["role"], rows["anna"]["department"], rows["anna"]["disabled"]) == ("head", "公司/工程部", True)
    role = next(one for one in entries(cli) if one["action"] == "operators role")
    assert role["before"] == {"role": "viewer"}
    assert role["after"] == {"role": "head", "department": "公司/工程部"}
    assert "before → after" in cli("audit", "list").stdout.lower()


def test_changes_by_commands_are_noted_with_before_and_after(cli: Cli) -> None:
    """What was there and what is there, from the tables themselves; commands that change nothing leave no line."""
    carrier = json.loads(cli("carriers", "list", "--format", "json").stdout)[0]["name"]
    before = len(entries(cli))
    cli("trunks", "add", "FXO-1", "--carrier", carrier)
    cli("trunks", "add", "FXO-1", "--carrier", "nobody")
    cli("trunks", "list")
    cli("tariffs", "set", carrier, "domestic", "--initial", "6:0.09", "--step", "6:0.09")
    newest = entries(cli)[: len(entries(cli)) - before]
    assert [one["action"] for one in newest] == ["tariffs set", "trunks add"]
    assert newest[1]["before"] is None
    assert newest[1]["after"] == [{"table": "trunks", "name": "FXO-1", "carrier_id": 1}]
    assert newest[1]["object"] == f"trunks add FXO-1 --carrier {carrier}"
    assert newest[1]["face"] == "command line"
    assert newest[1]["who"]
    figures = [row["step_fee"] for row in newest[0]["after"] if row["table"] == "prices" and "step_fee" in row]  # type: ignore[attr-defined]
    assert "0.09" in figures


def test_secrets_are_not_noted(cli: Cli) -> None:
    """A password on the command line is nobody's to read in the log."""
    from ippbx_billing.cli import noting

    assert {"api_password", "admin_password"} <= set(noting.SECRETS)
    done = cli("pbx", "set-password", "--pbx", "http://127.0.0.1:1", "--api-password", "the-secret")
    assert done.exit_code != 0
    assert "the-secret" not in json.dumps(entries(cli))


def test_a_secret_of_a_channel_is_not_noted(cli: Cli) -> None:
    """Neither a signing secret nor an address with a token in it; what else was typed stands there."""
    given = ("url=https://chat.example/robot?access_token=hidden-one", "secret=hidden-two")
    assert cli("alerts", "channels", "add", "boss", "dingtalk", *given).exit_code == 0
    (newest, *_) = entries(cli)
    assert newest["object"] == "alerts channels add boss dingtalk 'url=…' 'secret=…'"
    assert "hidden" not in json.dumps(entries(cli))


def test_plans_and_terms_are_noted(cli: Cli) -> None:
    """A command of three words is told whole, with the row that it made."""
    assert cli("tariffs", "plans", "set", "packet", "--free-minutes", "300", "--from", "2026-10-01").exit_code == 0
    (newest, *_) = entries(cli)
    assert str(newest["object"]).startswith("tariffs plans set packet ")
    assert [row["name"] for row in newest["after"]] == ["packet"]  # type: ignore[attr-defined]


def test_operators_are_in_the_backup(cli: Cli, site: Path, tmp_path: Path) -> None:
    """And come back with it; a backup from before there were any leaves those of today."""
    using = load(site)
    using.operators_path.unlink(missing_ok=True)
    now = datetime(2026, 10, 14, tzinfo=UTC)
    without = make(using, tmp_path / "without.zip", now)
    with OperatorFile(using.operators_path) as file:
        file.operators.add("anna", Role.ADMINISTRATOR, now)
    made = make(using, tmp_path / "with.zip", now)
    restore(without.path, site, now)
    with OperatorFile(using.operators_path) as file:
        assert [one.name for one in file.operators.all()] == ["anna"]
        file.operators.add("berta", Role.VIEWER, now)
    restore(made.path, site, now)
    with OperatorFile(using.operators_path) as file:
        assert [one.name for one in file.operators.all()] == ["anna"]
