"""`dialects list`, `show`, `check`, `suggest`: from a body that nobody knows to a rated call, by the commands alone."""

import csv
import io
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ippbx_billing import dialects
from ippbx_billing.cli.app import app
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli
from tests.service_process import Service


def unknown(
    caller: str, callee: str, start: str, answer: str, end: str, *, total_s: int, talk_s: int, way: str, result: str
) -> bytes:
    """A record in names that no dialect has."""
    record = {
        "zj": caller, "bj": callee, "ks": start, "jt": answer, "js": end,
        "zsc": total_s, "thsc": talk_s, "fx": way, "jg": result,
    }  # fmt: skip
    return json.dumps({"sb": "UC-7731-0042", "hd": record}).encode()


ANSWERED = unknown(
    "8001", "902258674577", "2026-10-13 10:00:00", "2026-10-13 10:00:07", "2026-10-13 10:04:52",
    total_s=292, talk_s=285, way="out", result="JT",
)  # fmt: skip
UNANSWERED = unknown(
    "8002", "913820001234", "2026-10-13 10:05:00", "", "2026-10-13 10:05:22",
    total_s=22, talk_s=0, way="out", result="WJ",
)  # fmt: skip
INCOMING = unknown(
    "02258674577", "8003", "2026-10-13 10:09:00", "2026-10-13 10:09:05", "2026-10-13 10:10:05",
    total_s=65, talk_s=60, way="in", result="JT",
)  # fmt: skip
BODIES = [ANSWERED, UNANSWERED, INCOMING]


def no_site(tmp_path: Path, *arguments: str) -> Any:
    """Run a command where nobody has run `init`."""
    return CliRunner().invoke(app, ["--data-dir", str(tmp_path / "nothing"), *arguments])


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The three bodies as files."""
    paths = [tmp_path / f"{number}.json" for number in range(len(BODIES))]
    for path, body in zip(paths, BODIES, strict=True):
        path.write_bytes(body)
    return [str(path) for path in paths]


# -- the whole way


def test_a_body_that_nobody_knows_becomes_a_rated_call(site: Path, cli: Cli) -> None:
    """Posted and rejected; suggested and written; replayed; there, with its fee."""
    with Service(site) as service:
        for body in BODIES:
            assert service.post(body).status_code == 200
        service.wait_until_read()
        rejected = json.loads(cli("events", "list", "--status", "rejected", "--format", "json").stdout)
        assert [event["id"] for event in rejected] == [3, 2, 1]
        assert "no dialect knows this body" in rejected[0]["reason"]

        chosen = [word for event in (1, 2, 3) for word in ("--event", str(event))]
        written = cli("dialects", "suggest", *chosen, "--write", "mine")
        assert written.exit_code == 0, written.output
        assert "it reads 3 of 3 bodies as calls" in written.stderr
        assert "ippbx-bill events replay" in written.stderr
        assert (site / "dialects" / "mine.toml").exists()

        replayed = cli("events", "replay")
        assert replayed.exit_code == 0, replayed.output
        calls = {call["extension"]: call for call in json.loads(cli("calls", "list", "--format", "json").stdout)}
        assert calls["8001"]["number"] == "902258674577"
        assert (calls["8001"]["billed_s"], calls["8001"]["duration_s"]) == (285, 292)
        assert (calls["8001"]["status"], calls["8001"]["fee"]) == ("rated", "0.44")
        assert (calls["8002"]["disposition"], calls["8002"]["billed_s"]) == ("no_answer", 0)
        assert (calls["8003"]["direction"], calls["8003"]["pbx"]) == ("inbound", "UC-7731-0042")
        assert json.loads(cli("events", "list", "--status", "rejected", "--format", "json").stdout) == []


def test_all_rejected_events_can_be_asked_about(site: Path, cli: Cli) -> None:
    """`--rejected` takes every call record that was not understood, and no other."""
    fill(site / "inbox.db", [gateway_cdr("8001", "58674577", 5), *BODIES])
    assert cli("events", "replay").exit_code == 0
    document = json.loads(cli("dialects", "suggest", "--rejected", "--format", "json").stdout)
    assert [make["records"] for make in document["proposals"]] == [3]


# -- suggest


def test_a_proposal_needs_no_site(tmp_path: Path, files: list[str]) -> None:
    """Before `init`, files are enough; each field shows its path, an example and its evidence."""
    result = no_site(tmp_path, "dialects", "suggest", *files)
    assert result.exit_code == 0, result.output
    table = " ".join(result.stdout.split())
    assert "billed_s thsc 285" in table
    assert "so it is talk time" in table
    assert not (tmp_path / "nothing").exists()


def test_a_proposal_as_json_holds_the_whole_file(tmp_path: Path, files: list[str]) -> None:
    """Programs get every field with score, evidence and alternatives, and the TOML."""
    document = json.loads(no_site(tmp_path, "dialects", "suggest", *files, "--format", "json").stdout)
    (make,) = document["proposals"]
    billed = next(one for one in make["fields"] if one["field"] == "billed_s")
    assert (billed["path"], billed["example"], billed["unit"]) == ("thsc", "285", "s")
    assert billed["evidence"] == ["equals `js` − `jt` in 2 of 3 records, so it is talk time"]
    assert make["usable"]
    assert tomllib.loads(document["toml"])["fields"]["billed_s"] == ["thsc"]


def test_a_proposal_as_csv_has_a_row_a_field(tmp_path: Path, files: list[str]) -> None:
    """A spreadsheet gets field, path, example and evidence."""
    printed = no_site(tmp_path, "dialects", "suggest", *files, "--format", "csv").stdout
    rows = {row["field"]: row for row in csv.DictReader(io.StringIO(printed))}
    assert rows["caller"]["path"] == "zj"


def test_evidence_is_told_in_chinese(tmp_path: Path, files: list[str]) -> None:
    """The engineer on site reads why in his language; field names stay what they are in the file."""
    table = "".join(
        CliRunner()
        .invoke(app, ["--lang", "zh", "--data-dir", str(tmp_path), "dialects", "suggest", *files])
        .stdout.split()
    )
    assert "billed_s" in table
    assert "通话时长" in table


def test_an_existing_dialect_is_not_overwritten(cli: Cli, site: Path, files: list[str]) -> None:
    """The engineer's edits stay unless --force is said; then the file does not vouch for itself."""
    assert cli("dialects", "suggest", *files, "--write", "mine").exit_code == 0
    path = site / "dialects" / "mine.toml"
    path.write_text(path.read_text("utf-8") + "# edited\n", "utf-8")
    refused = cli("dialects", "suggest", *files, "--write", "mine")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert path.read_text("utf-8").endswith("# edited\n")
    assert cli("dialects", "suggest", *files, "--write", "mine", "--force").exit_code == 0
    assert "# edited" not in path.read_text("utf-8")
    assert "(mine)" not in path.read_text("utf-8")


@pytest.mark.parametrize("name", ["auto", "../evil", "Mine", ""])
def test_a_name_that_cannot_be_a_dialect_is_refused(cli: Cli, site: Path, files: list[str], name: str) -> None:
    """Nothing is written outside the directory of dialects, nor under a word that the settings understand otherwise."""
    assert cli("dialects", "suggest", *files, "--write", name).exit_code == 2
    assert not (site / "dialects").exists()


def test_nothing_is_written_of_what_is_no_call(cli: Cli, site: Path, tmp_path: Path) -> None:
    """A heartbeat makes no dialect."""
    heartbeat = tmp_path / "heartbeat.json"
    heartbeat.write_text('{"event": "heartbeat", "load": 3}')
    result = cli("dialects", "suggest", str(heartbeat), "--write", "mine")
    assert result.exit_code == 1
    assert "nothing was written" in result.stderr
    assert not (site / "dialects").exists()


def test_a_site_with_a_chosen_dialect_is_told_to_change_it(cli: Cli, site: Path, files: list[str]) -> None:
    """With `dialect = "uc"` the new file would never be asked."""
    settings = site / "settings.toml"
    settings.write_text(settings.read_text("utf-8").replace('dialect = "auto"', 'dialect = "uc"'), "utf-8")
    written = cli("dialects", "suggest", *files, "--write", "mine")
    assert 'set dialect = "mine" or dialect = "auto"' in written.stderr


# -- check


def test_check_accounts_for_every_field(cli: Cli, tmp_path: Path) -> None:
    """What was found and where, what follows from it, what is missing, what is left over, which dialects fit."""
    body = tmp_path / "body.json"
    body.write_bytes(gateway_cdr("8001", "58674577", 64))
    (checked,) = json.loads(cli("dialects", "check", str(body), "--format", "json").stdout)
    (document,) = checked["documents"]
    (record,) = document["records"]
    fields = {one["field"]: one for one in record["fields"]}
    assert document["dialect"] == "uc"
    assert document["fits"][0]["score"] > 0
    assert record["outcome"] == "call"
    assert fields["billed_s"] == {"field": "billed_s", "path": "duration", "text": "64", "value": "64"}
    assert fields["started_at"]["value"] == "2026-10-13T10:00:00+08:00"
    assert fields["ended_at"]["path"] is None
    assert "call_id" in record["missing"]
    assert record["left_over"]["codec"] == "G.711U"


def test_check_reads_an_event_with_the_dialect_named(cli: Cli, site: Path) -> None:
    """A dialect that does not fit is told why, and which one would."""
    fill(site / "inbox.db", [gateway_cdr("8001", "58674577", 64)])
    right = cli("dialects", "check", "--event", "1")
    assert "record 1, read with uc: call" in right.stdout
    assert "not told by the record: " in right.stdout
    wrong = cli("dialects", "check", "--event", "1", "--dialect", "newrock")
    assert "does not fit the dialect newrock" in wrong.stdout


def test_check_agrees_with_what_listen_does(cli: Cli, site: Path) -> None:
    """The account and the ledger tell the same call."""
    fill(site / "inbox.db", [gateway_cdr("8001", "58674577", 64)])
    assert cli("events", "replay").exit_code == 0
    (call,) = json.loads(cli("calls", "list", "--format", "json").stdout)
    (checked,) = json.loads(cli("dialects", "check", "--event", "1", "--format", "json").stdout)
    fields = {one["field"]: one["value"] for one in checked["documents"][0]["records"][0]["fields"]}
    assert {
        name: str(call[name]) for name in ("caller", "callee", "billed_s", "trunk", "direction", "disposition")
    } == {name: fields[name] for name in ("caller", "callee", "billed_s", "trunk", "direction", "disposition")}


def test_a_body_from_stdin_is_checked(tmp_path: Path) -> None:
    """`curl … | ippbx-bill dialects check -` works before `init`."""
    arguments = ["--data-dir", str(tmp_path), "dialects", "check", "-"]
    result = CliRunner().invoke(app, arguments, input=gateway_cdr("8001", "58674577", 64))
    assert "record 1, read with uc: call" in result.stdout


def test_an_unknown_body_fits_no_dialect(tmp_path: Path, files: list[str]) -> None:
    """The reason is a sentence, and nothing is guessed."""
    result = no_site(tmp_path, "dialects", "check", files[0])
    assert "fits no dialect" in result.stdout
    assert "no dialect knows this body" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check"], 2, "no body was named"),
        (["check", "/nowhere/body.json"], 1, "cannot be read"),
        (["check", "--event", "99"], 1, "there is no event 99"),
        (["check", "--event", "1", "--dialect", "klingon"], 2, "there is no dialect klingon"),
        (["show", "klingon"], 2, "there is no dialect klingon"),
        (["suggest", "--rejected"], 0, "no call record was rejected"),
    ],
)
def test_mistakes_are_told_in_a_sentence(cli: Cli, arguments: list[str], code: int, said: str) -> None:
    """Exit code and sentence for each."""
    result = cli("dialects", *arguments)
    assert result.exit_code == code
    assert said in result.stderr


# -- list and show


def test_list_tells_ours_from_the_sites_own(cli: Cli, files: list[str]) -> None:
    """Every packaged dialect is listed with what it reads, and the site's own beside them."""
    assert cli("dialects", "suggest", *files, "--write", "mine").exit_code == 0
    rows = {row["name"]: row for row in json.loads(cli("dialects", "list", "--format", "json").stdout)}
    assert set(rows) == {*dialects.load(), "mine"}
    assert (rows["mine"]["origin"], rows["uc"]["origin"]) == ("own", "packaged")
    assert rows["uc"]["reads"]


def test_show_prints_a_file_to_copy(cli: Cli, site: Path, tmp_path: Path) -> None:
    """What is printed is the file itself; saved under another name it is a dialect of the site's own."""
    printed = cli("dialects", "show", "uc").stdout
    (site / "dialects").mkdir()
    (site / "dialects" / "my-uc.toml").write_text(printed, "utf-8")
    assert cli("dialects", "show", "my-uc").stdout == printed


@pytest.mark.parametrize(
    ("lang", "noted", "problem"),
    [
        ("en", "note: not valid JSON, repaired", "not read: no dialect knows this body; its names are a"),
        ("zh", "注意：JSON 格式有误，已修复", "未解读：没有话单方言认识此报文；其字段名为 a"),
    ],
)
def test_check_tells_notes_in_the_readers_language(
    cli: Cli, site: Path, tmp_path: Path, lang: str, noted: str, problem: str
) -> None:
    """For people in theirs, for programs in English beside the codes."""
    repaired, unread = tmp_path / "repaired.json", tmp_path / "unread.json"
    repaired.write_bytes(gateway_cdr("8001", "902258674577", 61).replace(b"{", b"{,", 1))
    unread.write_text('{"a": 1}')
    shown = cli("--lang", lang, "dialects", "check", str(repaired), str(unread))
    assert noted in shown.stdout
    assert problem in shown.stdout
    printed = json.loads(cli("--lang", lang, "dialects", "check", str(repaired), "--format", "json").stdout)
    (record,) = printed[0]["documents"][0]["records"]
    assert record["notes"] == ["not valid JSON, repaired"]
    assert record["note_reasons"] == [{"code": "json-repaired", "facts": {}}]
