"""Exports for cron: whole or not at all, the same bytes again, two runs apart, and nothing missed between two feeds."""

import csv
import json
import shutil
import sys
from decimal import Decimal
from functools import partial
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from ippbx_billing.cli.app import app
from ippbx_billing.delivery import exports
from ippbx_billing.delivery.exports import alone
from ippbx_billing.ledger import Ledger
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

OCTOBER = ("export", "--month", "2026-10")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--data-dir", str(data_dir), *arguments])


@pytest.fixture(scope="module")
def october(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with three calls in October, of two departments and of nobody, and one in November; copy it."""
    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("october") / "data"))
    run(site, "extensions", "add", "8001", "--name", "张伟", "--department", "公司/工程部")
    run(site, "extensions", "add", "8002", "--name", "=cmd()", "--department", "公司/销售部")
    calls = (
        ("8001", "2026-10-05", 80),
        ("8002", "2026-10-06", 64),
        ("8003", "2026-10-07", 4),
        ("8001", "2026-11-05", 80),
    )
    receive(partial(run, site), site, *calls)
    return site


@pytest.fixture
def site(october: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(october, tmp_path / "data"))


@pytest.fixture
def busy(site: Path) -> Path:
    """The test's own copy, which `cli` works on."""
    return site


def receive(cli: Cli, site: Path, *calls: tuple[str, str, int]) -> None:
    """Calls of extension, day and seconds, delivered and rated."""
    found = [gateway_cdr(who, "902162345678", talk_s, start=f"{day} 10:00:00") for who, day, talk_s in calls]
    fill(site / "inbox.db", found)
    assert cli("events", "replay").exit_code == 0


def test_a_month_is_its_calls_and_its_sums(cli: Cli, busy: Path, tmp_path: Path) -> None:
    """The files say what they hold, are named on stdout, and agree with each other."""
    out = tmp_path / "out"
    result = cli(*OCTOBER, "--out-dir", str(out), "--formats", "csv,json")
    wanted = ["calls-2026-10.csv", "calls-2026-10.json", "sums-2026-10.csv", "sums-2026-10.json"]
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split() == [str(out / name) for name in wanted]
    assert names(out) == wanted
    listed = rows(out / "calls-2026-10.csv")
    assert [row["extension"] for row in listed] == ["8001", "8002", "8003"]
    assert listed[1]["name"] == "'=cmd()"  # a spreadsheet would compute it
    assert json.loads((out / "calls-2026-10.json").read_text(encoding="utf-8"))[0]["name"] == "张伟"
    sums = rows(out / "sums-2026-10.csv")
    assert sum(Decimal(row["fee"]) for row in sums) == sum(Decimal(row["fee"]) for row in listed) > 0


def test_a_department_has_files_of_its_own(cli: Cli, busy: Path, tmp_path: Path) -> None:
    """Each call stands in exactly one of them; a slash in a name is not a folder."""
    cli(*OCTOBER, "--out-dir", str(tmp_path / "out"), "--split", "department", "--formats", "csv,xlsx")
    found = {name: rows(tmp_path / "out" / name) for name in names(tmp_path / "out") if name.endswith("csv")}
    assert {name: [row["extension"] for row in listed] for name, listed in found.items()} == {
        f"{what}-2026-10-{department}.csv": [extension]
        for what in ("calls", "sums")
        for department, extension in (("公司-工程部", "8001"), ("公司-销售部", "8002"), ("without-department", "8003"))
    }
    sheet = openpyxl.load_workbook(tmp_path / "out" / "sums-2026-10-公司-工程部.xlsx", data_only=True).worksheets[0]
    fee = [cell.value for cell in sheet[1]].index("Fee (CNY)")
    assert [row[fee].value for row in sheet.iter_rows(min_row=2)] == [0.98, 0.98]  # the extension, and the total


def test_names_never_meet() -> None:
    """Departments that differ in signs, which a file name cannot hold, or in case keep files of their own."""
    found = exports._names(["a/b", "a-b", "A*B", None, "../..", "x" * 300])
    assert len({name.casefold() for name in found.values()}) == 6
    assert all("/" not in name and not name.startswith(".") and len(name) < 70 for name in found.values())


def test_a_repeat_gives_the_same_bytes(cli: Cli, busy: Path, tmp_path: Path) -> None:
    """In every form: who compares, or keeps copies by content, sees that nothing is new."""
    forms = [form for form in exports.FORMS if form != "parquet"]
    for folder in ("first", "second"):
        assert cli(*OCTOBER, "--out-dir", str(tmp_path / folder), "--formats", ",".join(forms), "-q").stdout == ""
    assert names(tmp_path / "first") == names(tmp_path / "second")
    assert len(names(tmp_path / "first")) == 2 * len(forms)
    for name in names(tmp_path / "first"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_all_files_or_none(cli: Cli, busy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last of several files cannot be written, the earlier export stays as it was."""
    out = tmp_path / "out"
    cli(*OCTOBER, "--out-dir", str(out))
    before = {name: (out / name).read_bytes() for name in names(out)}
    receive(cli, busy, ("8001", "2026-10-08", 600))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports.Export, "_sums", full)
    result = cli(*OCTOBER, "--out-dir", str(out))
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{out} cannot be written: No space left on device" in result.stderr
    assert {name: (out / name).read_bytes() for name in names(out)} == before


def test_a_disk_that_is_full_is_a_sentence(cli: Cli, busy: Path) -> None:
    """A device that takes nothing, as the system reports it."""
    result = cli("calls", "list", "--format", "csv", "--output", "/dev/full")
    assert result.exit_code == 1
    assert "/dev/full cannot be written: No space left on device" in result.stderr


def test_a_folder_that_cannot_be_made_is_a_sentence(cli: Cli, busy: Path, tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "taken").write_text("")
    result = cli(*OCTOBER, "--out-dir", str(tmp_path / "taken" / "out"))
    assert result.exit_code == 1
    assert "taken/out cannot be written: Not a directory" in result.stderr


def test_two_runs_are_kept_apart(cli: Cli, busy: Path, tmp_path: Path) -> None:
    """The second is told at once, with the exit code by which cron and systemd know that later will do."""
    with alone(busy / "export.lock"):
        result = cli(*OCTOBER, "--out-dir", str(tmp_path / "out"))
    assert (result.exit_code, names(tmp_path / "out")) == (75, [])
    assert "another export is running" in result.stderr
    assert cli(*OCTOBER, "--out-dir", str(tmp_path / "out")).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--formats", "csv,doc"), "nothing can be exported as doc"),
        (("--formats", ","), "nothing can be exported as ','"),
        (("--month", "2026-13"), "'2026-13' is not a month"),
        (("--since-last", "--month", "last"), "--since-last goes by calls"),
    ],
)
def test_mistakes_are_named(cli: Cli, tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """Exit code 2 and no file."""
    result = cli("export", "--out-dir", str(tmp_path / "out"), *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not (tmp_path / "out").exists()


class Feed:
    """The incremental export of a site: each time, which calls came with which fees."""

    def __init__(self, cli: Cli, folder: Path) -> None:
        self.cli, self.folder = cli, folder

    def __call__(self) -> list[tuple[str, str]]:
        result = self.cli("export", "--since-last", "--out-dir", str(self.folder))
        assert result.exit_code == 0, result.stderr
        return [(row["extension"], row["fee"]) for name in result.stdout.split() for row in rows(Path(name))]


@pytest.fixture
def feed(cli: Cli, busy: Path, tmp_path: Path) -> Feed:
    return Feed(cli, tmp_path / "feed")


def test_a_feed_brings_each_call_once(feed: Feed, cli: Cli, busy: Path) -> None:
    """First all, then what came since, then nothing and no file."""
    assert feed() == [("8001", "0.98"), ("8002", "0.77"), ("8003", "0.07"), ("8001", "0.98")]
    assert feed() == []
    receive(cli, busy, ("8002", "2026-11-06", 4))
    assert feed() == [("8002", "0.07")]
    assert names(feed.folder) == ["calls-changes-000001.csv", "calls-changes-000002.csv"]


def test_a_feed_brings_again_what_changed(feed: Feed, cli: Cli, busy: Path) -> None:
    """A call that was rated again, and one whose event was read again, come as they are now."""
    feed()
    price = ("tariffs", "set", "022-天津-电信", "domestic", "--initial", "60:1.00", "--step", "60:1.00")
    assert cli(*price, "--from", "2026-11-01").exit_code == 0
    assert cli("rerate", "--from", "2026-10-01", "--to", "2026-11-30").exit_code == 0
    assert feed() == [("8001", "2.00")]
    (event,) = {
        row["event"] for row in json.loads(cli("calls", "list", "--day", "2026-11-05", "--format", "json").stdout)
    }
    assert cli("events", "replay", "--id", str(event)).exit_code == 0
    assert feed() == [("8001", "2.00")]


def test_a_feed_brings_a_corrected_call_again(feed: Feed, cli: Cli, busy: Path) -> None:
    """The record's later version takes the place of the earlier one, also in the feed."""
    record = (
        "<Cdr id='7'><callid>7</callid><Type>FXO</Type><Route>OP</Route><CPN>8002</CPN><CDPN>58674577</CDPN>"
        "<TimeStart>20261013100000</TimeStart><TimeEnd>20261013101000</TimeEnd><Duration>{}</Duration></Cdr>"
    )
    feed()
    for talk_s, fee in ((64, "0.22"), (285, "0.44")):
        fill(busy / "inbox.db", [record.format(talk_s).encode()])
        cli("events", "replay")
        assert feed() == [("8002", fee)]


def test_a_feed_that_fails_is_made_up_for(feed: Feed, cli: Cli, busy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor moves only when the files are in place; the next run writes the same number."""
    feed()
    receive(cli, busy, ("8002", "2026-11-06", 4))
    with monkeypatch.context() as patched:
        patched.setattr(exports, "show", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        assert cli("export", "--since-last", "--out-dir", str(feed.folder)).exit_code == 1
    assert feed() == [("8002", "0.07")]
    assert names(feed.folder)[-1] == "calls-changes-000002.csv"


def test_an_export_is_of_one_moment(busy: Path) -> None:
    """What is written meanwhile is not seen by half."""
    with Ledger(busy / "ledger.db") as reader, Ledger(busy / "ledger.db") as writer:
        with reader.reading():
            before = reader.journey.state("seen")
            with writer.transaction():
                writer.journey.set_state("seen", "now")
            assert reader.journey.state("seen") == before
        assert reader.journey.state("seen") == "now"


def test_parquet_has_exact_fees_and_true_times(cli: Cli, busy: Path, tmp_path: Path) -> None:
    """One folder a month, as DuckDB, pandas and Spark take it."""
    dataset = pytest.importorskip("pyarrow.dataset")
    for month in ("2026-10", "2026-11", "2026-12"):
        result = cli("export", "--month", month, "--out-dir", str(tmp_path / "out"), "--formats", "parquet")
        assert result.exit_code == 0, result.stderr
    assert names(tmp_path / "out")[0] == "calls/month=2026-10/calls.parquet"
    found = dataset.dataset(tmp_path / "out" / "calls", partitioning="hive").to_table().to_pylist()
    assert [(row["month"], row["extension"], row["fee"]) for row in found] == [
        ("2026-10", "8001", Decimal("0.98")),
        ("2026-10", "8002", Decimal("0.77")),
        ("2026-10", "8003", Decimal("0.07")),
        ("2026-11", "8001", Decimal("0.98")),
    ]
    assert found[0]["started_at"].isoformat() == "2026-10-05T02:00:00+00:00"


def test_without_pyarrow_the_hint_says_how_to_get_it(
    cli: Cli, busy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parquet is an extra; nothing is written by half."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = cli(*OCTOBER, "--out-dir", str(tmp_path / "out"), "--formats", "csv,parquet")
    assert result.exit_code == 1
    assert "pip install 'ippbx-bill[parquet]'" in result.stderr
    assert names(tmp_path / "out") == []
