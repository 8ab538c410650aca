"""The sums beside the calls: whatever happens to calls, charges or the directory, a report is that of the calls."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing.calls import Call, Direction, Disposition, TrafficType
from ippbx_billing.errors import NotFoundError
from ippbx_billing.ledger import Ledger, RatedCall
from ippbx_billing.ledger.calls import KIND
from ippbx_billing.ledger.rollups import LEVELS, SUMS
from ippbx_billing.numbering import Override
from ippbx_billing.pipeline import Rules, rerating
from ippbx_billing.reports import GROUPS, Period, Report, View, Where, report
from ippbx_billing.reports.sources import Question, sums
from ippbx_billing.tariffs import CallFilter, Trunk, standard
from tests.pipeline.test_rerating import UNICOM, ZONE, dearer, rules_of

FIRST, LAST = date(2026, 9, 25), date(2026, 12, 5)
VIEW = View(ZONE, "CNY")
NUMBERS = ["58674577", "902162345678", "913812345678", "900441632960000", "16812345", "95588", "8002", "garbage", None]
TODAY = date(2026, 11, 22)

periods = st.one_of(
    st.sampled_from(["2026-09", "2026-10", "2026-11"]).map(lambda text: Period.month(text, TODAY)),
    st.just(Period.year("2026", TODAY)),
    st.tuples(st.dates(FIRST, LAST), st.dates(FIRST, LAST)).map(lambda days: Period.days(min(days), max(days))),
)
CONDITIONS: list[tuple[str, str]] = [
    *(("department", one) for one in ("公司", "公司/工程部", "一组")),
    *(("employee", one) for one in ("E1", "E2")),
    *(("extension", one) for one in ("8001", "80..", "8XX2,8003", "8*")),
    *(("trunk", one) for one in ("line-1", "unicom")),
    *(("carrier", one) for one in ("022-天津-电信", UNICOM)),
    *(("traffic_type", one) for one in ("local", "domestic", "international")),
    *(("line_kind", one) for one in ("fixed", "mobile")),
    *(("direction", one) for one in ("outbound", "inbound")),
    *(("disposition", one) for one in ("answered", "busy")),
    *(("country", one) for one in ("CN", "GB")),
    *(("region", one) for one in ("上海", "河北")),
    ("place", "唐山"),
    *(("number", one) for one in ("58674577", "+8613812345678")),
    ("pin", "1234"),
    *(("min_fee", one) for one in ("0", "0.50", "3")),
]
# Few at once: with many conditions nearly every report would be empty, and say nothing.
conditions = st.lists(st.sampled_from(CONDITIONS), max_size=2).map(dict)
groupings = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True).map(tuple)


class History:
    """A ledger to which things happen by chance; the chance is given, so that a failure can be told again."""

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        self.ledger, self.chance, self.prefix = ledger, chance, "9"
        carriers, prices = standard("CN", "022", "天津")
        for carrier in carriers:
            ledger.book.add_carrier(carrier)
        ledger.book.add_prices(prices)
        ledger.book.put_trunk(Trunk("unicom", UNICOM))
        for path in ("公司/工程部/一组", "公司/工程部/二组", "公司/财务部"):
            ledger.directory.add_department(path)
        for number in ("E1", "E2", "E3"):
            ledger.directory.add_employee(number, f"name of {number}", chance.choice(self.departments()))

    def departments(self) -> list[str]:
        return [one.path for one in self.ledger.directory.departments()]

    def day(self) -> date:
        """Any day, and often the first of a month, where whole months and single days meet."""
        if self.chance.random() < 0.2:
            return self.chance.choice([date(2026, 10, 1), date(2026, 11, 1)])
        return FIRST + timedelta(days=self.chance.randrange((LAST - FIRST).days))

    def step(self) -> None:
        """Something happens."""
        self.chance.choice(
            [self.arrive, self.arrive, self.corrected, self.replayed, self.rerated, self.rerated, self.reorganised]
        )()

    def rules(self) -> Rules:
        return rules_of(self.ledger, self.prefix)

    def call(self, record: str) -> Call:
        """A call as a PBX may send it, with holes in it."""
        choose = self.chance.choice
        start = datetime.combine(self.day(), datetime.min.time(), ZONE) + timedelta(
            seconds=choose([0, 1, 40_000, 86_399])
        )
        answered = self.chance.random() < 0.7
        return Call(
            pbx="pbx-1",
            dialect="uc",
            record_id=record,
            started_at=start.astimezone(UTC),
            billed_s=self.chance.randrange(1, 400) if answered else 0,
            duration_s=choose([None, 0, 410]),
            disposition=Disposition.ANSWERED if answered else choose(list(Disposition)),
            extension=choose(["8001", "8002", "8003", "9", None]),
            number=choose(NUMBERS),
            trunk=choose(["line-1", "unicom", None]),
            direction=choose([*[Direction.OUTBOUND] * 4, *Direction, None]),
            pin=choose(["1234", "", None]),
            twin=choose(["another leg", *[None] * 8]),
        )

    def rated(self, call: Call) -> RatedCall:
        rules = self.rules()
        meaning = rules.classify(call)
        charge = rules.charge(call, meaning)
        start = rules.local_start(call)
        return RatedCall(
            self.chance.randrange(1, 20), call, meaning, charge, start.date().isoformat(), "test", start.hour
        )

    def arrive(self) -> None:
        """Some calls come, in one transaction or, now and then, not at all."""
        last = self.ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0]
        fresh = [self.rated(self.call(f"{last}-{self.chance.random()}")) for _ in range(self.chance.randrange(1, 20))]
        try:
            with self.ledger.transaction():
                self.ledger.calls.add(fresh)
                if self.chance.random() < 0.1:
                    raise InterruptedError
        except InterruptedError:
            pass

    def corrected(self) -> None:
        """A later version of a record takes the place of the first."""
        for row in self.some_calls():
            with self.ledger.transaction():
                self.ledger.calls.correct(row["id"], self.rated(self.call(row["record_id"])))

    def replayed(self) -> None:
        """The calls of an event are taken out; some come again."""
        event = self.chance.randrange(1, 20)
        rows = self.ledger.connection.execute("SELECT * FROM calls WHERE event_id = ?", [event]).fetchall()
        again = [self.rated(self.call(row["record_id"])) for row in rows if self.chance.random() < 0.7]
        with self.ledger.transaction():
            self.ledger.calls.forget_events([event])
            self.ledger.calls.add(again)

    def rerated(self) -> None:
        """A tariff, a filter or the numbering changes, and earlier calls follow."""
        rules, book, choose = self.ledger.rules, self.ledger.book, self.chance.choice
        match self.chance.randrange(5):
            case 0:
                for traffic_type in self.chance.sample(list(TrafficType), 5):
                    dearer(self.ledger, traffic_type)
            case 1:
                book.end_prices(one.id for one in book.prices() if one.id and self.chance.random() < 0.01)
            case 2:
                book.put_trunk(Trunk("line-1", choose([one.name for one in book.carriers()])))
            case 3:
                for number in [one.id for one in rules.filters() if one.id]:
                    rules.remove_filter(number)
                rules.add_filter(CallFilter(extension="8001", number=choose(["5867N", "9021N"])))
            case 4:
                book.put_override(Override("586", region="河北", place=choose(["唐山", "保定"])))
                self.prefix = choose(["9", "9", "9", ""])
        wanted = rerating.Wanted(FIRST, self.day(), reclassify=self.chance.random() < 0.5)
        rerating.Rerating(self.ledger, self.rules(), wanted).run(datetime.now(UTC))

    def reorganised(self) -> None:
        """Somebody gets an extension, or goes to another department."""
        directory, choose = self.ledger.directory, self.chance.choice
        match self.chance.randrange(3):
            case 0:
                directory.assign(choose(["8001", "8002", "8003"]), self.day(), employee=choose(["E1", "E2", "E3"]))
            case 1:
                directory.assign(choose(["8001", "8002", "8003"]), self.day(), department=choose(self.departments()))
            case 2:
                directory.place(choose(["E1", "E2", "E3"]), self.day(), choose([*self.departments(), None]))

    def some_calls(self) -> list[sqlite3.Row]:
        rows = self.ledger.connection.execute("SELECT id, record_id FROM calls").fetchall()
        return self.chance.sample(rows, min(len(rows), self.chance.randrange(1, 4)))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger file with all its tables, to copy."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    Ledger(path).close()
    return path


def assert_as_from_calls(ledger: Ledger, period: Period, by: tuple[str, ...], **asked: Any) -> Report:
    """The same report from the rollups and from the calls."""
    quick, slow = (report(ledger, VIEW, period, by, source=source, **asked) for source in ("auto", "calls"))
    assert quick.document() == slow.document()
    return quick


def assert_counted(ledger: Ledger) -> None:
    """The charges know what the calls know, and the sums are those of a new count."""
    wrong = ledger.connection.execute(
        "SELECT count(*) FROM calls c LEFT JOIN charges g USING (id) "
        "LEFT JOIN rollup_extensions e ON e.id = g.extension_id LEFT JOIN rollup_places p ON p.id = g.place_id "
        "WHERE e.extension IS NOT c.extension OR date(g.local_hour / 24 + 1721424.5) IS NOT c.day "
        "OR p.country IS NOT ifnull(c.country, '') OR p.region IS NOT ifnull(c.region, '') "
        "OR p.place IS NOT ifnull(c.place, '') OR g.duration_s IS NOT ifnull(c.duration_s, 0)"
    ).fetchone()[0]
    assert wrong == 0
    before = told_sums(ledger)
    with ledger.transaction():
        ledger.rollups.rebuild()
    assert before == told_sums(ledger)


def told_sums(ledger: Ledger) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every row of the sums, with names in the place of ids."""
    names = {
        "extension_id": "(SELECT extension FROM rollup_extensions x WHERE x.id = s.extension_id)",
        "place_id": "(SELECT country || '|' || region || '|' || place FROM rollup_places x WHERE x.id = s.place_id)",
        "class_id": "(SELECT trunk || '|' || direction || '|' || disposition || '|' || traffic_type || '|' "
        "|| line_kind || '|' || carrier_id || '|' || status FROM rollup_classes x WHERE x.id = s.class_id)",
    }
    return {
        level: Counter(
            tuple(row)
            for row in ledger.connection.execute(
                f"SELECT {', '.join(names.get(key, f's.{key}') for key in keys)}, {', '.join(SUMS)} "
                f"FROM rollup_{level} s"
            )
        )
        for level, keys in LEVELS.items()
    }


def happened(path: Path, seed: int, steps: int) -> Ledger:
    """A ledger with a history."""
    ledger = Ledger(path)
    history = History(ledger, random.Random(seed))
    for _ in range(steps):
        history.step()
    return ledger


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    steps=st.integers(3, 25),
    asked=st.lists(st.tuples(periods, groupings, conditions), min_size=8, max_size=8),
    compare=st.sampled_from([None, "previous", "last-year"]),
)
def test_every_report_from_the_rollups_is_that_of_the_calls(
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    steps: int,
    asked: list[tuple[Period, tuple[str, ...], dict[str, Any]]],
    compare: str | None,
) -> None:
    """After any history, for any period, keys and conditions; and the sums are those a new count would give."""
    path = tmp_path_factory.mktemp("history") / "ledger.db"
    path.write_bytes(empty.read_bytes())
    with happened(path, seed, steps) as ledger:
        for period, by, where in asked:
            with suppress(NotFoundError):  # a short history need not have had the name that is asked for
                assert_as_from_calls(ledger, period, by, where=Where(**where), compare=compare)
        assert_counted(ledger)


@pytest.fixture(scope="module")
def eventful(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger to which much has happened."""
    path = tmp_path_factory.mktemp("eventful") / "ledger.db"
    path.write_bytes(empty.read_bytes())
    with happened(path, 10, 120) as ledger:
        yield ledger


PERIODS = [
    Period.month("2026-10", TODAY),
    Period.year("2026", TODAY),
    Period.days(date(2026, 9, 27), date(2026, 11, 9)),
    Period.days(date(2026, 10, 5), date(2026, 10, 20)),
]


@pytest.mark.parametrize("key", GROUPS)
def test_every_key_alone_and_with_every_other(eventful: Ledger, key: str) -> None:
    """Whole months, a year, days across months, days within one."""
    for place, other in enumerate(GROUPS):
        by = (key,) if other == key else (key, other)
        for period in PERIODS if other == key else [PERIODS[(place + GROUPS.index(key)) % len(PERIODS)]]:
            assert assert_as_from_calls(eventful, period, by).rows


@pytest.mark.parametrize(("name", "value"), CONDITIONS)
def test_every_condition_holds_in_every_period(eventful: Ledger, name: str, value: str) -> None:
    """With a key that rollups know, and with one that only calls do."""
    where = Where(**{name: value})
    keys = ("extension", "number")
    answers = [assert_as_from_calls(eventful, period, (key,), where=where) for period in PERIODS for key in keys]
    assert any(answer.rows for answer in answers)


def test_an_extension_that_changes_hands_with_the_month(empty: Path, tmp_path: Path) -> None:
    """October is one employee's, November the other's, and the month's own sums tell it."""
    path = tmp_path / "ledger.db"
    path.write_bytes(empty.read_bytes())
    with Ledger(path) as ledger:
        history = History(ledger, random.Random(1))
        for _ in range(20):
            history.arrive()
        ledger.directory.assign("8001", date(2026, 10, 1), employee="E1")
        ledger.directory.assign("8001", date(2026, 11, 1), employee="E2")
        where = Where(extension="8001")
        for month, employee in (("2026-10", "E1"), ("2026-11", "E2")):
            (row,) = assert_as_from_calls(ledger, Period.month(month, TODAY), ("employee",), where=where).rows
            assert row["employee_number"] == employee


def test_the_sums_survive_an_eventful_life(eventful: Ledger) -> None:
    """They are those of a new count."""
    assert_counted(eventful)


@pytest.mark.parametrize("key", ["extension", "department", "traffic_type", "hour", "region"])
def test_a_month_reads_no_call(eventful: Ledger, key: str) -> None:
    """Month and year are answered from the rollups alone, but for extensions that changed hands and unrated calls."""
    for period in PERIODS[:2]:
        read = []
        eventful.connection.set_trace_callback(read.append)
        sums(eventful, Question(period, (key,)))
        eventful.connection.set_trace_callback(None)
        assert read
        assert not [sql for sql in read if "FROM calls" in sql or "FROM charges" in sql]


def test_a_file_of_an_older_version_gets_its_sums(tmp_path: Path) -> None:
    """Calls of the schema before the rollups are counted on opening, to the hour."""
    path = tmp_path / "ledger.db"
    with happened(path, 3, 25) as ledger:
        wanted = told_sums(ledger)
    with closing(sqlite3.connect(path)) as connection:
        _back_to_schema_6(connection)
    with Ledger(path) as ledger:
        assert told_sums(ledger) == wanted
        assert_counted(ledger)


def test_kinds_of_an_older_version_are_told_apart_by_how_numbers_begin(tmp_path: Path) -> None:
    """Each charge has the kind that its call would have if it came today, and no kind lost its calls."""
    path = tmp_path / "ledger.db"
    told = f"SELECT g.id, {', '.join(KIND)} FROM charges g JOIN kinds k ON k.id = g.kind_id ORDER BY g.id"
    with happened(path, 3, 25) as ledger:
        before = [tuple(row) for row in ledger.connection.execute(told)]
    with closing(sqlite3.connect(path)) as connection:
        _back_to_schema_6(connection)
    with Ledger(path) as ledger:
        assert [tuple(row) for row in ledger.connection.execute(told)] == before
    starts = [row[-2:] for row in before]
    assert len(set(starts)) > 2


def _without_starts(connection: sqlite3.Connection) -> None:
    """Kinds as they were before they told how numbers begin: one in the place of those that are alike but for that."""
    told = ", ".join(KIND[: KIND.index("code")])
    made = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'kinds'").fetchone()[0]
    made = (
        made.replace(" code TEXT NOT NULL,", "").replace("abroad INTEGER NOT NULL,", "").replace(", code, abroad", "")
    )
    for statement in (
        f"CREATE TEMP TABLE alike AS SELECT id, min(id) OVER (PARTITION BY {told}) AS first FROM kinds",
        "UPDATE charges SET kind_id = (SELECT first FROM temp.alike a WHERE a.id = charges.kind_id)",
        "CREATE TEMP TABLE before AS SELECT * FROM kinds WHERE id IN (SELECT first FROM temp.alike)",
        "DROP TABLE kinds",
        made,
        f"INSERT INTO kinds (id, {told}) SELECT id, {told} FROM temp.before",
        "DROP TABLE temp.before",
        "DROP TABLE temp.alike",
    ):
        connection.execute(statement)


def _back_to_schema_6(connection: sqlite3.Connection) -> None:
    """Take away all that later steps of the migrations brought; the directory too, it has tables of its own."""
    later = [f"rollup_{name}" for name in (*LEVELS, "extensions", "places", "classes", "spans")]
    later += ["reused_ids", "call_changes", "call_links", "call_rows", "late_calls", "call_answers"]
    later += [f"alert_{name}" for name in ("settings", "exceptions", "incidents", "messages", "posts", "days")]
    later += ["usage_limits", "account_entries", "accounts", "barrings"]
    later += ["plans", "department_terms"]
    later += ["mail_addresses", "delivery_mails", "delivery_periods", "deliveries"]
    for name in (*later, "holders", "assignments", "memberships", "employees", "departments"):
        connection.execute(f"DROP TABLE {name}")
    connection.execute("DROP INDEX charges_unrated")
    for column in ("local_hour", "extension_id", "place_id", "duration_s", "ring_s"):
        connection.execute(f"ALTER TABLE charges DROP COLUMN {column}")
    for table in ("charges", "charge_history", "outcomes"):
        connection.execute(f"ALTER TABLE {table} DROP COLUMN reason_facts")
    for table in ("charges", "charge_history"):
        connection.execute(f"ALTER TABLE {table} DROP COLUMN calendar")
    connection.execute("DROP INDEX calls_in_doubt")
    connection.execute("DROP INDEX calls_by_pin")
    connection.execute("ALTER TABLE calls DROP COLUMN doubt")
    connection.execute("ALTER TABLE calls DROP COLUMN billed_ms")
    _without_starts(connection)
    for table, column in (
        ("prices", "status"),
        ("prices", "terms"),
        ("windows", "terms"),
        ("carriers", "rounding"),
        ("carriers", "part_second"),
        ("carriers", "tax_micro"),
    ):
        connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute("CREATE TABLE extensions (number TEXT PRIMARY KEY, name TEXT, department TEXT)")
    connection.execute("DELETE FROM _sqlite_migrations WHERE migration_set = 'ledger' AND name > 'm006_z'")
    connection.execute("PRAGMA user_version = 6")
    connection.commit()
