"""The sums beside the calls: whatever happens to calls, charges and the directory, every report is that of the calls."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from ippbx_billing import migrations, rerating
from ippbx_billing.calls import Call, Classification, Direction, Disposition, TrafficType
from ippbx_billing.ledger import SCHEMA, Ledger, RatedCall
from ippbx_billing.ledger.rollups import LEVELS, SUMS
from ippbx_billing.numbering import Override
from ippbx_billing.pipeline import Rules
from ippbx_billing.reports import GROUPS, Period, Report, View, Where, report
from ippbx_billing.reports.sources import Question, _pieces
from ippbx_billing.tariffs import CallFilter, Trunk, standard
from tests.test_rerating import UNICOM, ZONE, dearer, rules_of

FIRST, LAST = date(2026, 9, 25), date(2026, 12, 5)
VIEW = View(ZONE, "CNY")
NUMBERS = ["58674577", "902162345678", "913812345678", "900441632960000", "16812345", "95588", "8002", "garbage", None]
TODAY = date(2026, 11, 22)

periods = st.one_of(
    st.sampled_from(["2026-09", "2026-10", "2026-11"]).map(lambda text: Period.month(text, TODAY)),
    st.just(Period.year("2026", TODAY)),
    st.tuples(st.dates(FIRST, LAST), st.dates(FIRST, LAST)).map(lambda days: Period.days(min(days), max(days))),
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "department": st.sampled_from(["公司", "公司/工程部", "一组"]),
        "employee": st.sampled_from(["E1", "E2", "E3"]),
        "extension": st.sampled_from(["8001", "80..", "8XX2,8003", "8*"]),
        "trunk": st.sampled_from(["line-1", "unicom"]),
        "carrier": st.sampled_from(["022-天津-电信", UNICOM]),
        "traffic_type": st.sampled_from(["local", "domestic", "international"]),
        "direction": st.sampled_from(["outbound", "inbound"]),
        "disposition": st.sampled_from(["answered", "busy"]),
        "region": st.just("天津"),
        "country": st.sampled_from(["CN", "GB"]),
        "number": st.sampled_from(["58674577", "+8613812345678"]),
        "pin": st.just("1234"),
        "min_fee": st.sampled_from(["0", "0.50", "3"]),
    },
)
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
            direction=choose([*Direction, None]),
            pin=choose(["1234", "", None]),
            twin=choose(["another leg", *[None] * 8]),
        )

    def rated(self, call: Call) -> RatedCall:
        rules = self.rules()
        meaning, charge = rules.rate(call)
        start = rules.local_start(call)
        return RatedCall(
            self.chance.randrange(1, 20), call, meaning, charge, start.date().isoformat(), "test", start.hour
        )

    def arrive(self) -> None:
        """Some calls come, in one transaction or, now and then, not at all."""
        last = self.ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0]
        fresh = [self.rated(self.call(f"{last}-{self.chance.random()}")) for _ in range(self.chance.randrange(1, 12))]
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
        match self.chance.randrange(4):
            case 0:
                for traffic_type in self.chance.sample(list(TrafficType), 5):
                    dearer(self.ledger, traffic_type)
            case 1:
                prices = [one.id for one in self.ledger.book.prices() if self.chance.random() < 0.3]
                self.ledger.book.end_prices(one for one in prices if one)
            case 2:
                self.ledger.rules.add_filter(CallFilter(extension=self.chance.choice(["8001", "800X"])))
            case 3:
                self.ledger.book.put_override(
                    Override("586", region="河北", place=self.chance.choice(["唐山", "保定"]))
                )
                self.prefix = self.chance.choice(["9", "8", ""])
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


def told(answer: Report) -> dict[str, Any]:
    return answer.document()


def told_sums(ledger: Ledger) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every row of the sums, with names in the place of ids."""
    names = {
        "extension_id": "(SELECT extension FROM rollup_extensions x WHERE x.id = s.extension_id)",
        "place_id": "(SELECT country || '|' || region || '|' || place FROM rollup_places x WHERE x.id = s.place_id)",
        "class_id": "(SELECT trunk || '|' || direction || '|' || disposition || '|' || traffic_type || '|' || line_kind "
        "|| '|' || carrier_id || '|' || status FROM rollup_classes x WHERE x.id = s.class_id)",
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
            both = [
                told(report(ledger, VIEW, period, by, where=Where(**where), compare=compare, source=source))
                for source in ("auto", "calls")
            ]
            assert both[0] == both[1]
        before = told_sums(ledger)
        with ledger.transaction():
            ledger.rollups.rebuild()
        assert before == told_sums(ledger)
