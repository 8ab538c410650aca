"""`events rebuild`: the same ledger again, whatever happened before; nothing changes until it is whole."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing.calls import TrafficType
from ippbx_billing.errors import BillingError, DataError
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.rollups import CLASS, LEVELS, SUMS
from ippbx_billing.pipeline import Pipeline, Rules, rebuilding
from ippbx_billing.pipeline.rerating import Rerating, Wanted
from ippbx_billing.settings import Settings, load
from ippbx_billing.tariffs import CallFilter, Figures, Price
from ippbx_billing.upkeep.pruning import prune
from tests.bodies import RUBBISH, fill, gateway_cdr
from tests.conftest import Cli
from tests.service_process import Service

TELECOM = "022-天津-电信"
ALWAYS = Wanted(date(2026, 1, 1), date(2026, 12, 31))


def content(ledger: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that a ledger says, with records in the place of ids, which a replay gives anew."""
    with closing(sqlite3.connect(ledger)) as database:
        calls = [row[1] for row in database.execute("PRAGMA table_info(calls)") if row[1] != "id"]
        asked = {
            "calls": f"SELECT {', '.join(f'c.{name}' for name in calls)}, g.status, g.fee_micro, g.carrier_id, "
            "g.price_id, g.window, g.reason, g.started_at, g.billed_s, g.local_hour, g.duration_s "
            "FROM calls c JOIN charges g USING (id)",
            "charges": "SELECT count(*) FROM charges",
            "outcomes": "SELECT * FROM outcomes",
            "live": "SELECT * FROM live_calls",
            "position": "SELECT value FROM state WHERE name = 'position'",
            "history": "SELECT c.key, h.run_id, h.status, h.fee_micro, h.carrier_id, h.reason, h.meaning "
            "FROM charge_history h JOIN calls c ON c.id = h.call_id",
            **{level: _sums(level, keys) for level, keys in LEVELS.items()},
        }
        return {name: sorted(database.execute(sql).fetchall(), key=repr) for name, sql in asked.items()}


def _sums(level: str, keys: tuple[str, ...]) -> str:
    """The rows of a level with names in the place of numbers; those that came down to no calls say nothing."""
    names = {"extension_id": "e.extension", "place_id": "p.country, p.region, p.place"}
    names["class_id"] = ", ".join(f"k.{name}" for name in CLASS)
    joins = {
        "extension_id": "JOIN rollup_extensions e ON e.id = r.extension_id",
        "place_id": "JOIN rollup_places p ON p.id = r.place_id",
        "class_id": "JOIN rollup_classes k ON k.id = r.class_id",
    }
    told = ", ".join(names.get(key, f"r.{key}") for key in keys)
    joined = " ".join(joins[key] for key in keys if key in joins)
    return f"SELECT {told}, {', '.join(f'r.{one}' for one in SUMS)} FROM rollup_{level} r {joined} WHERE r.calls != 0"


class Site:
    """A site whose history a test makes up step by step."""

    def __init__(self, data_dir: Path) -> None:
        self.using: Settings = load(data_dir, {}, {})

    def rules(self, ledger: Ledger) -> Rules:
        return Rules.of(ledger, self.using)

    def rebuild(self, book: Path | None = None) -> rebuilding.Rebuilt:
        return rebuilding.rebuild(self.using.inbox_path, self.using.ledger_path, self.rules, book=book)

    def arrive(self, *bodies: bytes) -> None:
        fill(self.using.inbox_path, list(bodies))

    def drain(self, replay: bool = False) -> None:
        with Inbox(self.using.inbox_path) as inbox, Ledger(self.using.ledger_path) as ledger:
            pipeline = Pipeline(inbox, ledger, lambda: self.rules(ledger), batch_size=7)
            pipeline.drain()
            if replay:
                pipeline.replay(range(1, inbox.last_id() + 1))

    def edit(self, change: Callable[[Ledger], object]) -> None:
        """A change of the rules, with the re-rating that makes it hold for earlier calls."""
        self.drain()
        with Ledger(self.using.ledger_path) as ledger:
            change(ledger)
            Rerating(ledger, self.rules(ledger), ALWAYS).run(datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
def history(site: Path) -> Site:
    """Two calls, one of them delivered twice, and something that is not a record."""
    found = Site(site)
    local = gateway_cdr("8001", "958674577", 64)
    found.arrive(local, gateway_cdr("8002", "902162345678", 64), local, *RUBBISH.values())
    found.drain()
    return found


numbers = st.sampled_from(["958674577", "902162345678", "913820000000", "900447123456789", "10086", "110", "8003"])
bodies = st.one_of(
    st.builds(gateway_cdr, st.sampled_from(["8001", "8002"]), numbers, st.integers(0, 400)),
    st.sampled_from(sorted(RUBBISH.values())),
)
domestic = st.builds(
    lambda fee, first: (
        lambda ledger: ledger.book.add_prices(
            [Price(None, TELECOM, TrafficType.DOMESTIC, Figures(60, fee, 60, fee), date(2026, first, 1))]
        )
    ),
    st.integers(0, 900_000),
    st.sampled_from([1, 10, 11]),
)
filtering = st.builds(
    lambda extension: lambda ledger: ledger.rules.add_filter(CallFilter(None, extension=extension)),
    st.sampled_from(["8001", "8XX2"]),
)
steps = st.one_of(
    st.tuples(st.just("arrive"), st.lists(bodies, max_size=6)),
    st.tuples(st.just("drain"), st.booleans()),
    st.tuples(st.just("edit"), st.one_of(domestic, filtering)),
)


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=1, max_size=8))
def test_any_history_gives_the_same_ledger_again(
    fresh_site: Path, tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, object]]
) -> None:
    """Calls, charges, outcomes, calls in progress, every sum and the earlier charges; a second time as well."""
    import shutil

    site = Site(Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("any") / "data")))
    for name, what in told:
        if name == "arrive":
            site.arrive(*what)  # type: ignore[misc]
        else:
            getattr(site, name)(what)
    site.drain()
    before = content(site.using.ledger_path)
    for _ in range(2):
        site.rebuild()
        assert content(site.using.ledger_path) == before


def test_what_people_entered_stays(cli: Cli, history: Site) -> None:
    """Directory, trunks, filters, prices and days: the lists are the same to the letter."""
    for words in (
        ["departments", "add", "公司/技术部"],
        ["extensions", "add", "8001", "--name", "王芳", "--department", "公司/技术部"],
        ["trunks", "add", "FXO-1", "--carrier", "022-天津-联通"],
        ["filters", "cdr", "add", "--extension", "8XX9"],
        ["holidays", "add", "2026-12-30", "holiday"],
        ["tariffs", "set", TELECOM, "domestic", "--rate", "0.5", "--increments", "60/60"],
    ):
        result = cli(*words)
        assert result.exit_code == 0, result.stderr
    lists = ["departments", "employees", "extensions", "trunks", "carriers"]
    asked = [[one, "list"] for one in lists] + [["filters", "cdr", "list"], ["tariffs", "show", TELECOM]]
    before = [cli(*one, "--format", "json").stdout for one in asked]
    result = cli("events", "rebuild")
    assert result.exit_code == 0, result.stderr
    assert "made 2 calls" in result.stderr
    assert [cli(*one, "--format", "json").stdout for one in asked] == before


def test_calls_get_the_charges_of_todays_rules(cli: Cli, history: Site) -> None:
    """A new price of the call's day holds for it after a rebuild, as after `events replay --all`."""
    priced = cli("tariffs", "set", TELECOM, "domestic", "--initial", "60:1", "--step", "60:1", "--from", "2026-10-01")
    assert priced.exit_code == 0, priced.stderr
    assert cli("events", "rebuild").exit_code == 0
    assert [call["fee"] for call in json.loads(cli("calls", "list", "--format", "json").stdout)] == ["0.22", "2.00"]


def test_pruned_events_leave_their_calls(history: Site) -> None:
    """What the inbox no longer holds is taken over as it is, and counted in the sums."""
    before = content(history.using.ledger_path)
    with Ledger(history.using.ledger_path) as ledger:
        prune(history.using.inbox_path, ledger, datetime(2100, 1, 1, tzinfo=UTC))
    done = history.rebuild()
    assert (done.calls, done.kept) == (0, 2)
    after = content(history.using.ledger_path)
    kept = ("calls", "charges", *LEVELS)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    later = gateway_cdr("8001", "958674577", 64)
    history.arrive(later)
    history.drain()
    assert content(history.using.ledger_path)["charges"] == [(2,)]


def test_a_run_that_is_cut_off_changes_nothing(history: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor leaves a file behind; the next one does it all."""
    before = content(history.using.ledger_path)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "_replaced", cut)
        with pytest.raises(KeyboardInterrupt):
            history.rebuild()
    assert content(history.using.ledger_path) == before
    assert {path.name for path in history.using.data_dir.glob("ledger.db*")} <= {
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
    }
    history.rebuild()
    assert content(history.using.ledger_path) == before


def test_an_edit_meanwhile_is_not_lost(history: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody adds a filter while the events are read: the run says so and leaves it in place."""
    filled = rebuilding._filled

    def busy(*given: object) -> object:
        done = filled(*given)  # type: ignore[arg-type]
        with Ledger(history.using.ledger_path) as ledger:
            ledger.rules.add_filter(CallFilter(None, extension="8009"))
        return done

    monkeypatch.setattr(rebuilding, "_filled", busy)
    with pytest.raises(BillingError, match="call_filters"):
        history.rebuild()
    with Ledger(history.using.ledger_path) as ledger:
        assert [one.extension for one in ledger.rules.filters()] == ["8009"]


def test_the_ledger_as_it_was_stays(history: Site) -> None:
    """As a file that can be opened, for its owner alone."""
    before = content(history.using.ledger_path)
    done = history.rebuild()
    assert done.before is not None
    assert content(done.before) == before
    assert done.before.stat().st_mode & 0o077 == 0


def test_a_damaged_ledger_is_made_anew_with_the_book_of_a_backup(history: Site, tmp_path: Path) -> None:
    """Without one the sentence says what is missing; with it all calls are there, and the damaged file is kept."""
    before = content(history.using.ledger_path)
    ledger, backup = history.using.ledger_path, tmp_path / "backup.db"
    with closing(sqlite3.connect(ledger)) as database, closing(sqlite3.connect(backup)) as copy:
        database.backup(copy)
    for path in history.using.data_dir.glob("ledger.db-*"):
        path.unlink()
    ledger.write_bytes(b"nothing that SQLite would read " * 1_000)
    with pytest.raises(DataError, match="damaged") as told:
        history.rebuild()
    assert "--book" in told.value.hint
    done = history.rebuild(backup)
    assert content(ledger) == before
    assert done.before is not None
    assert done.before.read_bytes().startswith(b"nothing that SQLite")


@pytest.fixture
def service(history: Site) -> Iterator[Service]:
    with Service(history.using.data_dir) as running:
        yield running


def test_a_running_listener_goes_on_with_the_new_ledger(history: Site, service: Service) -> None:
    """Its pipeline has the file open all the while: what arrives afterwards is rated into the new one, once."""
    history.rebuild()
    for number in range(20):
        service.post(gateway_cdr("8001", f"90216234{number:04}", 64, start=f"2026-10-20 10:{number:02}:00"))
    service.wait_until_read()
    found = content(history.using.ledger_path)
    assert found["charges"] == [(22,)]
    history.rebuild()
    assert content(history.using.ledger_path) == found
