"""`configure-pbx` and the `pbx` commands, on a practice PBX: what they do, say, keep and undo."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.cells import cell_len

from ippbx_billing import language as texts
from ippbx_billing.cli.pbx import access as pbx_access
from ippbx_billing.pbx import remembered, tokens
from ippbx_billing.simulation.practice_pbx import Firmware, PracticeFault, PracticePbx
from ippbx_billing.simulation.practice_pbx.identity import certificate, fingerprint
from tests.conftest import Cli
from tests.practice import app as practice_app
from tests.practice import served, served_with
from tests.service_process import Service

SECRET = "pa55-for-admin"
ENVIRONMENT = "IPPBX_BILL_PBX_ADMIN_PASSWORD"


@pytest.fixture(autouse=True)
def admin_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, SECRET)
    monkeypatch.setattr("ippbx_billing.pbx.session.RETRY_PAUSE_S", 0.01)
    monkeypatch.setattr("ippbx_billing.pbx.session.SETTLE_S", 0.01)


def device(**more: Any) -> PracticePbx:
    return PracticePbx(Firmware(admin_password=SECRET, **more))


def configured(cli: Cli, address: str, *more: str) -> Result:
    return cli("configure-pbx", "--pbx", address, "--server", "192.0.2.27", "--yes", *more)


def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is there, and types what stands in `stdin`."""
    monkeypatch.setattr(pbx_access, "attended", lambda: True)


def test_a_pbx_outside_the_usual_networks_is_let_in(cli: Cli, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the setting `allow` does not cover the PBX, it is added beside it, once, and told; a trial adds nothing."""
    monkeypatch.setenv("IPPBX_BILL_ALLOW", "192.168.6.0/24")
    with served(device()) as address:
        configured(cli, address, "--dry-run")
        assert tokens.allowed(site) == frozenset()
        said = configured(cli, address).stderr
        again = configured(cli, address).stderr
    assert tokens.allowed(site) == {"127.0.0.1"}
    assert "127.0.0.1 is outside the networks that may post, and is let in" in said
    assert "let in" not in again


def test_one_command_points_the_pbx_here(cli: Cli, site: Path) -> None:
    """API on with a strong password, both reports as JSON to secret paths, applied; each field told as was → is."""
    pbx = device()
    with served(pbx) as address:
        result = configured(cli, address)
    assert result.exit_code == 0, result.output
    reports = pbx.reports()
    (token,) = tokens.known_tokens(site)
    assert reports["cdr"].url == f"http://192.0.2.27:8181/{token}/"
    assert reports["status"].url == f"http://192.0.2.27:8182/{token}/"
    assert (reports["cdr"].json, reports["status"].json) == (True, True)
    (password,) = pbx.running["openapi.main.pw"]
    assert re.fullmatch(r"[A-Za-z0-9@#_-]{16}", password)
    assert result.stderr.count(password) == 1
    assert password not in result.stdout
    assert f"– → {reports['cdr'].url}" in result.stdout
    assert "off → on" in result.stdout
    assert "a new one" in result.stdout


def test_a_second_run_finds_nothing_to_do(cli: Cli, site: Path) -> None:
    """Nothing is posted but the sign-in, the token and the password stay, and it says so."""
    pbx = device()
    with served(pbx) as address:
        configured(cli, address)
        before, known = dict(pbx.running), tokens.known_tokens(site)
        with posts(pbx) as posted:
            result = configured(cli, address)
    assert result.exit_code == 0
    assert "nothing to do" in result.stderr
    assert "API password" not in result.stderr
    assert posted == ["/luci/"]
    assert (dict(pbx.running), tokens.known_tokens(site)) == (before, known)


def test_a_dry_run_sends_nothing_but_sign_in_and_reads(cli: Cli, site: Path) -> None:
    """It shows the whole difference; neither PBX nor token list changes."""
    pbx = device()
    with served(pbx) as address, posts(pbx) as posted:
        result = cli("configure-pbx", "--pbx", address, "--server", "192.0.2.27", "--dry-run")
    assert result.exit_code == 0, result.output
    assert posted == ["/luci/"]
    assert "– → http://192.0.2.27:8181/<token>/" in result.stdout
    assert "nothing was sent" in result.stderr
    assert pbx.staged == {}
    assert not tokens.known_tokens(site)


@contextmanager
def posts(pbx: PracticePbx) -> Iterator[list[str]]:
    """The paths that are posted to, without their session; the device must be served already."""
    from tests import practice

    seen: list[str] = []
    inner = practice_app(pbx)

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            seen.append(re.sub(";stok=[0-9a-f]+", ";stok=", scope["path"]))
        await inner(scope, receive, send)

    practice.current().device = watched
    yield seen


def test_the_change_as_json_hides_the_password(cli: Cli) -> None:
    """Programs get every field with was, is and changed; of a secret only whether there is one."""
    pbx = device()
    with served(pbx) as address:
        result = configured(cli, address, "--format", "json", "--api-password", "Own-Choice-77")
    rows = {(row["page"], row["key"]): row for row in json.loads(result.stdout)}
    assert rows["api", "password"]["was"] is False
    assert rows["api", "password"]["is"] is True
    assert rows["events", "cdr_json"] == {
        "page": "events",
        "key": "cdr_json",
        "field": "CDR Information · JSON Format",
        "was": False,
        "is": True,
        "changed": True,
        "secret": False,
    }
    assert "Own-Choice-77" not in result.output
    assert pbx.running["openapi.main.pw"] == ("Own-Choice-77",)


@pytest.mark.parametrize("command", ["configure-pbx", "pbx set-password"])
def test_the_manuals_password_is_refused(cli: Cli, command: str) -> None:
    """Everybody knows it, so it is not a password; the PBX is not even asked."""
    result = cli(*command.split(), "--pbx", "http://127.0.0.1:9", "--api-password", "admin@123#", "--yes")
    assert result.exit_code == 2
    assert "everybody knows it" in result.stderr
    assert "hint: leave it out and a strong one is made" in result.stderr


def test_the_manuals_password_is_replaced_where_it_is_set(cli: Cli) -> None:
    """A PBX that was set up by the manual gets a strong one; one of the site's own stays."""
    for present, stays in (("admin@123#", False), ("Site-Own-1", True)):
        pbx = device()
        pbx.saved["openapi.main.pw"] = (present,)
        with served(pbx) as address:
            configured(cli, address)
        assert (pbx.running["openapi.main.pw"] == (present,)) == stays


def test_plain_urls_are_the_manuals(cli: Cli, site: Path) -> None:
    """Without a secret path, and without a token that would keep other PBXs out."""
    pbx = device()
    with served(pbx) as address:
        result = configured(cli, address, "--plain-urls", "--cdr-port", "9181", "--status-port", "9182")
    assert result.exit_code == 0
    assert pbx.reports()["cdr"].url == "http://192.0.2.27:9181/"
    assert pbx.reports()["status"].url == "http://192.0.2.27:9182/"
    assert not tokens.known_tokens(site)


def test_the_own_address_is_found_and_told(cli: Cli) -> None:
    """Without --server it is the address of the interface that reaches the PBX."""
    pbx = device()
    with served(pbx) as address:
        result = cli("configure-pbx", "--pbx", address, "--yes")
    assert pbx.reports()["cdr"].url.startswith("http://127.0.0.1:8181/")
    assert "this machine is 127.0.0.1 to the PBX" in result.stderr


def test_an_ipv6_server_is_put_in_brackets(cli: Cli) -> None:
    """As an URL wants it."""
    pbx = device()
    with served(pbx) as address:
        cli("configure-pbx", "--pbx", address, "--yes", "--server", "fd00::27", "--plain-urls")
    assert pbx.reports()["cdr"].url == "http://[fd00::27]:8181/"


@pytest.mark.parametrize(
    ("option", "value"), [("--server", "http://192.0.2.27"), ("--server", "a b"), ("--api-password", "tab\tin")]
)
def test_a_value_that_no_page_should_get_is_refused(cli: Cli, option: str, value: str) -> None:
    """A slip is told of before anything is saved on the PBX."""
    pbx = device()
    with served(pbx) as address:
        result = cli("configure-pbx", "--pbx", address, "--yes", option, value)
    assert result.exit_code == 2
    assert pbx.staged == {}


def test_without_an_agreement_nothing_changes(cli: Cli, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there and no --yes is refused; a no is a no; a yes is shown the difference first."""
    pbx = device()
    with served(pbx) as address:
        ask = ["configure-pbx", "--pbx", address, "--server", "192.0.2.27"]
        alone = cli(*ask)
        answers(monkeypatch)
        refused = cli(*ask, stdin="n\n")
        assert (pbx.staged, pbx.reports()["cdr"].url, tokens.known_tokens(site)) == ({}, "", frozenset())
        agreed = cli(*ask, stdin="y\n")
    assert alone.exit_code == 2
    assert "--yes" in alone.stderr
    assert refused.exit_code == 1
    assert "nothing was changed" in refused.stderr
    assert agreed.exit_code == 0
    assert pbx.reports()["cdr"].url


FAILURES = {
    PracticeFault.IGNORE_SAVE: "did not take the values",
    PracticeFault.REFUSE_APPLY: "系统忙",
    PracticeFault.CUT_AFTER_SAVE: "was cut",
    PracticeFault.EXPIRE_EVERY_SAVE: "ended the session twice",
}


@pytest.mark.parametrize("fault", FAILURES)
def test_a_failure_says_what_was_and_was_not_done(cli: Cli, site: Path, fault: PracticeFault) -> None:
    """Exit 1, a sentence and a hint; the PBX is as it was, and no token keeps its events out."""
    pbx = device(faults=frozenset({fault}))
    before = dict(pbx.running)
    with served(pbx) as address:
        result = configured(cli, address)
    assert result.exit_code == 1
    assert FAILURES[fault] in result.stderr
    assert "Nothing was applied; what had been saved was discarded." in result.stderr
    assert "\nhint: " in result.stderr
    assert "API password" not in result.stderr
    assert (pbx.running, pbx.saved, pbx.staged) == (before, before, {})
    assert not tokens.known_tokens(site)


def test_a_token_that_may_be_in_force_is_kept(cli: Cli, site: Path) -> None:
    """When the connection is cut while the PBX applies, its events must not be refused."""
    pbx = device(faults=frozenset({PracticeFault.CUT_AFTER_APPLY}))
    with served(pbx) as address:
        result = configured(cli, address)
    assert result.exit_code == 1
    assert "pbx check --wait 60" in result.stderr
    (token,) = tokens.known_tokens(site)
    assert token in pbx.saved["evtpush.all.c2url"][0]


def test_a_failure_leaves_other_tokens_alone(cli: Cli, site: Path) -> None:
    """Those of other PBXs stay known; the new one is forgotten."""
    tokens.add_token(site, "anothers")
    with served(device(faults=frozenset({PracticeFault.REFUSE_APPLY}))) as address:
        configured(cli, address)
    assert tokens.known_tokens(site) == {"anothers"}


def test_a_wrong_password_costs_one_attempt(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names user and address, and never the password."""
    monkeypatch.setenv(ENVIRONMENT, "guess-4711")
    pbx = device()
    with served(pbx) as address:
        result = configured(cli, address)
    assert result.exit_code == 1
    assert f"{address} does not accept this password for admin" in result.stderr
    assert "guess-4711" not in result.output
    assert pbx.failures == 1


def test_a_password_that_nobody_gives_is_asked_for_or_missed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unattended it is a hint with the variable's name; attended a prompt that shows nothing."""
    monkeypatch.delenv(ENVIRONMENT)
    pbx = device()
    with served(pbx) as address:
        missed = configured(cli, address)
        answers(monkeypatch)
        asked = cli("configure-pbx", "--pbx", address, "--server", "192.0.2.27", "--yes", stdin=SECRET + "\n")
    assert missed.exit_code == 2
    assert ENVIRONMENT in missed.stderr
    assert asked.exit_code == 0
    assert SECRET not in asked.output


def test_a_password_from_a_file(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first line; a file that is missing or empty is told of."""
    monkeypatch.delenv(ENVIRONMENT)
    files = {name: tmp_path / name for name in ("admin", "api", "empty")}
    files["admin"].write_text(SECRET + "\n", encoding="utf-8")
    files["api"].write_text("From-A-File-1\n", encoding="utf-8")
    files["empty"].touch()
    pbx = device()
    with served(pbx) as address:
        given = ["--admin-password-file", str(files["admin"]), "--api-password-file", str(files["api"])]
        assert configured(cli, address, *given).exit_code == 0
        for name in ("empty", "missing"):
            result = configured(cli, address, "--admin-password-file", str(tmp_path / name))
            assert result.exit_code == 2
            assert name in result.stderr
    assert pbx.running["openapi.main.pw"] == ("From-A-File-1",)


def test_passwords_are_kept_only_when_asked(cli: Cli, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address and user always, passwords with --remember, readable by the owner only; then none is needed."""
    pbx = device()
    with served(pbx) as address:
        configured(cli, address)
        text = (site / "pbx.toml").read_text(encoding="utf-8")
        assert SECRET not in text
        assert address in text
        configured(cli, address, "--remember")
        monkeypatch.delenv(ENVIRONMENT)
        result = cli("pbx", "show")
    assert result.exit_code == 0, result.output
    known = remembered.recall(site)
    assert known.admin_password == SECRET
    assert known.api_password == pbx.running["openapi.main.pw"][0]
    assert stat.S_IMODE((site / "pbx.toml").stat().st_mode) == 0o600


def test_changes_of_somebody_else_stop_it_and_discard_undoes_them(cli: Cli) -> None:
    """Neither applied with ours nor lost unasked."""
    pbx = device()
    pbx.staged["nms.main.state"] = ("1",)
    with served(pbx) as address:
        stopped = configured(cli, address)
        assert pbx.staged == {"nms.main.state": ("1",)}
        shown = cli("pbx", "show")
        unasked = cli("pbx", "discard")
        assert pbx.staged
        discarded = cli("pbx", "discard", "--yes")
        again = cli("pbx", "discard", "--yes")
    assert stopped.exit_code == 1
    assert "pbx discard" in stopped.stderr
    assert "saved and not applied" in shown.stderr
    assert unasked.exit_code == 2
    assert (discarded.exit_code, pbx.staged) == (0, {})
    assert "nothing is waiting" in again.stderr


def test_the_single_steps_change_only_their_own(cli: Cli) -> None:
    """enable-api, set-password and set-event-urls, each alone; one URL leaves the other kind as it is."""
    pbx = device()
    with served(pbx) as address:
        more = ["--pbx", address, "--yes"]
        assert cli("pbx", "enable-api", *more).exit_code == 0
        first = pbx.running["openapi.main.pw"]
        assert pbx.running["openapi.main.state"] == ("1",)
        assert first != ()
        assert pbx.reports()["cdr"].url == ""
        assert cli("pbx", "set-password", *more).exit_code == 0
        assert pbx.running["openapi.main.pw"] not in (first, ())
        assert cli("pbx", "set-event-urls", *more, "--cdr", "http://192.0.2.9/x").exit_code == 0
        assert pbx.reports()["cdr"].url == "http://192.0.2.9/x"
        assert pbx.reports()["status"].url == ""
        assert cli("pbx", "set-event-urls", *more, "--server", "192.0.2.27").exit_code == 0
        assert pbx.reports()["status"].url.startswith("http://192.0.2.27:8182/")
        assert cli("pbx", "set-event-urls", *more, "--cdr", "ftp://x").exit_code == 2


def test_show_reads_and_changes_nothing(cli: Cli) -> None:
    """Both pages as they are; the API's password only as set."""
    pbx = device()
    pbx.saved["openapi.main.pw"] = ("Site-Own-1",)
    with served(pbx) as address, posts(pbx) as posted:
        result = cli("pbx", "show", "--pbx", address)
    assert result.exit_code == 0
    assert posted == ["/luci/"]
    assert "Site-Own-1" not in result.output
    assert "→" not in result.stdout.replace(") → ", "")


def test_which_pbx_is_asked_for(cli: Cli) -> None:
    """Without an address and none remembered, or with one that is none, it is wrong usage."""
    for arguments in (["pbx", "show"], ["pbx", "show", "--pbx", "ftp://x"], ["pbx", "show", "--pbx", "http://"]):
        result = cli(*arguments)
        assert result.exit_code == 2
        assert "--pbx https://192.168.6.169" in result.stderr or "write it like" in result.stderr


def test_plain_http_is_warned_of(cli: Cli) -> None:
    """Passwords can be read on the way."""
    with served(device()) as address:
        assert "is plain HTTP" in configured(cli, address).stderr


def test_a_certificate_is_trusted_by_a_person_or_an_option(
    cli: Cli, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--yes alone trusts nothing unseen; a fingerprint does, and is remembered; another certificate stops it."""
    pbx = device()
    with certificate("127.0.0.1") as files, served_with(files, pbx) as address:
        seen = fingerprint(files[0])
        unseen = configured(cli, address)
        assert (unseen.exit_code, pbx.failures, pbx.reports()["cdr"].url) == (2, 0, "")
        assert f"--fingerprint {seen}" in unseen.stderr
        with monkeypatch.context() as somebody:
            answers(somebody)
            refused = cli("pbx", "show", "--pbx", address, stdin="n\n")
            assert refused.exit_code == 2
            assert "nothing was sent" in refused.stderr
            assert seen[:47] in refused.stderr
            agreed = cli("pbx", "show", "--pbx", address, stdin="y\n")
            assert agreed.exit_code == 0, agreed.output
        assert configured(cli, address).exit_code == 0
        assert remembered.recall(site).fingerprint == seen
        monkeypatch.setenv(ENVIRONMENT, "must-not-be-sent")
        remembered.save(site, remembered.Remembered(address, "admin", ":".join(["00"] * 32)))
        changed = cli("pbx", "show", "--pbx", address)
    assert changed.exit_code == 1
    assert "Nothing was sent" in changed.stderr
    assert pbx.failures == 0


def test_a_certificate_signed_by_a_known_authority_needs_no_fingerprint(cli: Cli) -> None:
    """--ca checks name and date as usual."""
    pbx = device()
    with certificate("127.0.0.1") as files, served_with(files, pbx) as address:
        result = configured(cli, address, "--ca", str(files[0]))
    assert result.exit_code == 0, result.output
    assert pbx.reports()["cdr"].url


def test_the_guide_is_the_same_in_the_words_of_the_screen(cli: Cli, site: Path) -> None:
    """Menu, fields and buttons by their names, the values to type; without an event it ends with 1 and no token."""
    result = cli("configure-pbx", "--pbx", "192.168.6.169", "--server", "192.0.2.27", "--guide", "--wait", "1")
    assert result.exit_code == 1
    for words in ("https://192.168.6.169", "服务对接", "事件上报", "系统", "话单信息", "Json格式", "保存", "应用"):
        assert words in result.stdout
    assert re.search(r"密码\)\n +[A-Za-z0-9@#_-]{16}\n", result.stdout)
    assert re.search(r"http://192\.0\.2\.27:8181/[a-z2-9]{20}/", result.stdout)
    assert "no event came within 1 s" in result.stderr
    assert not tokens.known_tokens(site)


def test_urls_given_out_by_the_guide_stay_good(cli: Cli, site: Path) -> None:
    """The same each time; taken as soon as the listener takes only known paths, whoever was the reason."""
    guide = ["configure-pbx", "--pbx", "192.168.6.169", "--server", "192.0.2.27", "--guide", "--wait", "1"]
    urls = [re.findall(r"http://192\.0\.2\.27:8181/(\w+)/", cli(*guide).stdout) for _ in range(2)]
    assert urls[0] == urls[1]
    assert not tokens.known_tokens(site)
    with served(device()) as address:
        configured(cli, address)
    assert tokens.known_tokens(site) > set(urls[0])


def test_the_guide_waits_for_the_first_event(cli: Cli, site: Path) -> None:
    """Once it is set by hand, the first event is shown as it was understood."""
    body = {
        "uuid": "1",
        "caller_id_number": "8003",
        "destination_number": "913800138000",
        "direction": "outbound",
        "start_stamp": "2026-10-01 10:00:00",
        "end_stamp": "2026-10-01 10:01:10",
        "billsec": 64,
        "duration": 70,
    }
    with Service(site) as service:
        event = threading.Timer(0.5, service.post, [json.dumps({"sn": "x", "cdr": [body]})])
        event.start()
        result = cli(
            "configure-pbx", "--pbx", "192.168.6.169", "--server", "h", "--guide", "--plain-urls", "--wait", "20"
        )
        event.join()
    assert result.exit_code == 0, result.output
    assert "cdr from 127.0.0.1" in result.stdout
    assert "call of 8003 to 913800138000, 64 s" in result.stdout


def test_check_answers_each_question(cli: Cli, site: Path) -> None:
    """Before anything is set: wrong with a hint each and exit 1; afterwards, with a listener, all is good."""
    pbx = device()
    with served(pbx) as address, Service(site) as service:
        before = cli("pbx", "check", "--pbx", address, "--format", "json")
        ports = [url.rsplit(":", 1)[1].strip("/") for url in (service.cdr_url, service.status_url)]
        cli("configure-pbx", "--pbx", address, "--yes", "--cdr-port", ports[0], "--status-port", ports[1])
        service.post(b"{}", path=pbx.reports()["cdr"].url.rsplit("/", 2)[1] + "/")
        after = cli("pbx", "check", "--format", "json")
        pbx.staged["nms.main.state"] = ("1",)
        waiting = cli("pbx", "check", "--format", "json")
    states = {row["check"]: row["state"] for row in json.loads(before.stdout)}
    assert states == {
        "PBX": "ok",
        "API": "wrong",
        "Call records": "wrong",
        "Call status": "wrong",
        "Last event": "warning",
    }
    assert before.exit_code == 1
    assert "configure-pbx" in before.stdout
    assert {row["state"] for row in json.loads(after.stdout)} == {"ok"}, after.stdout
    assert after.exit_code == 0
    assert waiting.exit_code == 1


def test_check_finds_a_closed_door_and_an_unknown_path(cli: Cli, site: Path) -> None:
    """A listener that is not running, and a token that it does not know, are told apart."""
    pbx = device()
    with served(pbx) as address:
        configured(cli, address, "--server", "127.0.0.1", "--cdr-port", "9", "--status-port", "9")
        closed = cli("pbx", "check")
        with Service(site) as service:
            urls = ["--cdr", service.cdr_url + "wrong/", "--status", service.status_url]
            tokens.add_token(site, "right")
            cli("pbx", "set-event-urls", *urls, "--yes")
            unknown = cli("pbx", "check")
    assert "no listener answers at 127.0.0.1:9" in closed.stdout
    assert "start `ippbx-bill listen`" in closed.stdout
    assert "is not one the listener takes" in unknown.stdout


def test_check_goes_on_without_the_pbx(cli: Cli) -> None:
    """A PBX that is away is one line; the other questions are still answered."""
    result = cli("pbx", "check", "--pbx", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "cannot be reached" in result.stdout
    assert "Last event" in result.stdout


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_reads_well_in_eighty_columns(cli: Cli, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables, checklist and findings stay within a terminal, without colour codes, whichever language."""
    monkeypatch.setenv("COLUMNS", "80")
    texts.use(language)
    pbx = device()
    with served(pbx) as address:
        first = configured(cli, address, "--server", "192.168.106.127")
        pbx.saved["evtpush.all.c2url"] = ("http://192.168.106.126:8181/",)
        outputs = [
            first,
            configured(cli, address, "--server", "192.168.106.127"),
            cli("pbx", "show"),
            cli("pbx", "check"),
            cli("configure-pbx", "--server", "192.168.106.127", "--guide", "--wait", "1"),
        ]
    for result in outputs:
        assert result.stdout
        wide = [line for line in result.stdout.splitlines() if cell_len(line.rstrip()) > 80]
        assert not wide
        assert "\x1b" not in result.stdout


def wait_for(process: subprocess.Popen[str], pattern: str) -> str:
    """The first match in what the process says."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found.group(1)
    raise AssertionError(f"{pattern} never came; exit code {process.wait(5)}")


PATIENCE_S = 300  # what a machine under load may need; a quiet one takes a few seconds


def costs(call: dict[str, Any]) -> bool:
    return call["status"] == "rated" and call["fee"] != "0.00"


def test_from_nothing_to_rated_calls(tmp_path: Path) -> None:
    """Three real processes over loopback: a practice PBX, `listen` and `configure-pbx`; then calls are rated.

    1. `init` sets the site up, service numbers get the price that the standard tariff leaves open, so that every call
       which the practice PBX may place has one; `simulate pbx` and `listen` start on free ports.
    2. `configure-pbx` signs in, sets and applies; nothing was reported before.
    3. The calls that the practice PBX places come in by the secret path and are rated.
    4. Both processes end with 0 when they are told to.
    """
    begun = time.monotonic()
    site = tmp_path / "data"
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(site)]
    environment = {**os.environ, ENVIRONMENT: "s3same"}
    subprocess.run([*command, "init", "--area-code", "022"], check=True, capture_output=True, timeout=30)
    price = ["tariffs", "set", "022-天津-电信", "other", "--flat", "0.10", "--from", "2000-01-01"]
    subprocess.run([*command, *price], check=True, capture_output=True, timeout=30)
    options = ["--port", "0", "--admin-password", "s3same", "--calls-per-minute", "600", "--extensions", "60"]
    habits = ["--duplicates", "0.2", "--late", "0.2", "--retries", "2", "--new-connection-per-event"]
    practice = subprocess.Popen(
        [*command, "simulate", "pbx", *options, *habits], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        address = wait_for(practice, r"(http://127\.0\.0\.1:\d+)/")
        with Service(site) as service:
            ports = [url.rsplit(":", 1)[1].strip("/") for url in (service.cdr_url, service.status_url)]
            assert service.run("events", "list") == []
            configure = ["configure-pbx", "--pbx", address, "--cdr-port", ports[0], "--status-port", ports[1], "--yes"]
            subprocess.run([*command, *configure], check=True, capture_output=True, timeout=30, env=environment)
            calls: list[dict[str, Any]] = []
            while not (len(calls) >= 10 and any(map(costs, calls))) and time.monotonic() - begun < PATIENCE_S:
                time.sleep(0.3)
                calls = service.run("calls", "list")
            report = service.run("report", "--from", "2000-01-01", "--to", "2100-01-01")
            events = service.run("events", "list")
    finally:
        practice.send_signal(signal.SIGTERM)
        code = practice.wait(15)
        assert practice.stderr
        practice.stderr.close()
    assert report["total"]["calls"] >= 10
    assert report["unrated"] == 0
    assert any(map(costs, calls))
    assert {event["kind"] for event in events} == {"cdr", "status"}
    assert "rejected" not in {event["status"] for event in events}
    assert code == 0
