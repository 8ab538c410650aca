"""Closed months as files: exact, in force as a whole or not at all, rated again to the same digit anywhere."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.calls import Disposition, TrafficType
from ippbx_billing.errors import BillingError, DataError, NotFoundError, UsageError
from ippbx_billing.history import months, pieces, questions, rating, spreading
from ippbx_billing.history.books import Books
from ippbx_billing.history.months import ClosedMonth
from ippbx_billing.ledger import Ledger
from tests.pipeline.test_rerating import MORNING, dearer, put, rerate, rules_of, talk
from tests.pipeline.test_rerating import ledger as ledger  # the same site as there

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")
pytest.importorskip("distributed")

CLOSED = datetime(2026, 11, 5, tzinfo=UTC)
NUMBERS = ("902162345678", "58674577", "9013800138000", "900442079460000", "8002", "110", "914", "9028123")


def many(count: int) -> Iterator[Any]:
    """Calls of October of every kind: with prices and without, answered and not, to the mobile and abroad."""
    for place in range(count):
        yield talk(
            NUMBERS[place % len(NUMBERS)],
            7 * place % 600 + (place % 7 == 0),  # a begun second counts
            started_at=MORNING.astimezone(UTC) + timedelta(minutes=place),
            disposition=Disposition.ANSWERED if place % 5 else Disposition.NO_ANSWER,
            trunk="unicom" if place % 3 else None,
            billed_ms=7000 * place % 600_000 + 500 if place % 7 == 0 else None,
            answered_at=MORNING.astimezone(UTC) + timedelta(minutes=place, seconds=9) if place % 5 else None,
        )


def close(ledger: Ledger, history: Path, site: str = "hq", **changes: Any) -> ClosedMonth:
    rows = months.of_ledger(ledger, "2026-10-01", "2026-10-31")
    return months.write(history, site, "2026-10", rows, CLOSED, **changes)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of forty calls, so that a month of some hundreds has several."""
    monkeypatch.setattr(months, "ROWS_IN_A_PIECE", 40)


def stored(ledger: Ledger) -> list[tuple[Any, ...]]:
    """What the ledger holds of each call, in the columns of the files."""
    return [tuple(row) for row in months.of_ledger(ledger, "2026-10-01", "2026-10-31")]


def kept(month: ClosedMonth) -> list[tuple[Any, ...]]:
    """What the files hold of each call."""
    rows: list[tuple[Any, ...]] = []
    for path in month.paths:
        for batch in pieces.batches(path):
            rows += zip(*(batch.values(name) for name in pieces.COLUMNS), strict=True)
    return rows


@pytest.mark.usefixtures("small_pieces")
def test_a_month_is_in_its_files_to_the_digit(ledger: Ledger, tmp_path: Path) -> None:
    """Every value of every call comes back; closing again changes nothing, and other calls are refused."""
    put(ledger, *many(100))
    month = close(ledger, tmp_path)
    assert len(month.pieces) == 3
    assert kept(month) == stored(ledger)
    assert month.totals.calls == 100
    assert month.totals.fee_micro == sum(row[pieces.COLUMNS.index("fee_micro")] or 0 for row in stored(ledger)) > 0
    assert months.closed_months(tmp_path) == [close(ledger, tmp_path)] == [month]
    put(ledger, talk("58674577", 64))
    with pytest.raises(DataError, match="2026-10 of hq is closed with other calls"):
        close(ledger, tmp_path)
    assert months.closed_months(tmp_path) == [month]


def test_a_month_without_calls_is_closed_as_well(ledger: Ledger, tmp_path: Path) -> None:
    month = close(ledger, tmp_path)
    assert (month.totals.calls, kept(month)) == (0, [])
    assert questions.ask(tmp_path, "SELECT count(*) FROM calls").rows == [(0,)]


@pytest.mark.usefixtures("small_pieces")
def test_rated_again_it_is_what_the_ledger_rates_again(ledger: Ledger, tmp_path: Path) -> None:
    """The same difference, the same charges, the old files kept; what did not change keeps its file."""
    put(ledger, *many(100))
    month = close(ledger, tmp_path)
    for kind in (TrafficType.DOMESTIC, TrafficType.LOCAL):
        dearer(ledger, kind)
    [again] = rating.rate_again([month], {"hq": Books.of(rules_of(ledger))})
    assert kept(months.read(month.folder)) == stored(ledger)  # not in force yet
    outcome = rerate(ledger)
    found = again.difference
    assert (found.calls, found.before_micro, found.after_micro) == (
        outcome.changed,
        outcome.before_micro,
        outcome.after_micro,
    )
    after = months.put_in_force(month, again.pieces)
    assert kept(after) == stored(ledger)
    assert months.read(month.folder).earlier == (month.pieces,)
    [same] = rating.rate_again([after], {"hq": Books.of(rules_of(ledger))})
    assert same.pieces == after.pieces
    with pytest.raises(DataError, match="changed meanwhile"):
        months.put_in_force(month, again.pieces)


def test_what_cannot_be_rated_again_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    put(ledger, talk("58674577", 64))
    masked = close(ledger, tmp_path, masked=True)
    with pytest.raises(UsageError, match="anonymized"):
        list(rating.rate_again([masked], {"hq": Books.of(rules_of(ledger))}))
    other = close(ledger, tmp_path, "branch")
    with pytest.raises(NotFoundError, match="no books of the site branch"):
        list(rating.rate_again([other], {}))
    for site, month in (("../x", "2026-10"), ("hq", "2026-13")):
        with pytest.raises(UsageError):
            months.write(tmp_path, site, month, [], CLOSED)


def test_damage_is_seen(ledger: Ledger, tmp_path: Path) -> None:
    """A file whose bytes changed, a description cut off: each by its name."""
    put(ledger, *many(20))
    month = close(ledger, tmp_path)
    assert months.damaged(month) == []
    [path] = month.paths
    path.write_bytes(path.read_bytes()[:-200])
    assert months.damaged(month) == [path]
    with pytest.raises(DataError, match=path.name):
        kept(month)
    (month.folder / months.NAME).write_text('{"format": 1', encoding="utf-8")
    with pytest.raises(DataError, match=r"month\.json cannot be read"):
        months.closed_months(tmp_path)


def test_questions_are_answered_exactly_and_reach_nothing_else(ledger: Ledger, tmp_path: Path) -> None:
    """Sums are decimals; a question cannot read other files, nor write; nonsense is a clear sentence."""
    put(ledger, *many(60))
    month = close(ledger, tmp_path / "history")
    close(ledger, tmp_path / "history", "branch")
    answer = questions.ask(
        tmp_path / "history",
        "SELECT site, month, count(*) AS calls, sum(fee) AS fee FROM calls GROUP BY ALL ORDER BY 1",
    )
    fee = str(Decimal(month.totals.fee_micro).scaleb(-6))
    assert answer.columns == ("site", "month", "calls", "fee")
    assert [(*row[:3], Decimal(row[3])) for row in answer.rows] == [
        ("branch", "2026-10", 60, Decimal(fee)),
        ("hq", "2026-10", 60, Decimal(fee)),
    ]
    assert questions.ask(tmp_path / "history", "SELECT DISTINCT site FROM calls", site="hq").rows == [("hq",)]
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n", encoding="utf-8")
    for wrong in (
        f"SELECT * FROM read_csv('{secret}')",
        f"COPY calls TO '{tmp_path / 'out.csv'}'",
        "SET enable_external_access = true",
        "SELECT no_such_column FROM calls",
    ):
        with pytest.raises(UsageError, match="DuckDB does not take the question"):
            questions.ask(tmp_path / "history", wrong)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.usefixtures("small_pieces")
def test_many_processes_give_the_same_though_one_is_killed(ledger: Ledger, tmp_path: Path) -> None:
    """Two workers, one of them killed as soon as the first file is done: what comes out is what one process gives."""
    put(ledger, *many(300))
    wanted = [close(ledger, tmp_path, site) for site in ("branch", "hq")]
    dearer(ledger, TrafficType.DOMESTIC)
    books = dict.fromkeys(("branch", "hq"), Books.of(rules_of(ledger)))
    alone = list(rating.rate_again(wanted, books))
    killed: list[int] = []
    from distributed import default_client

    def kill_one(done: int, total: int) -> None:
        assert total == 16
        if not killed:
            killed.append(min(default_client().run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    assert spreading.spread(wanted, books, processes=2, progress=kill_one) == alone
    assert killed


def test_a_scheduler_that_does_not_answer_is_said(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "CONNECT_S", 1)
    put(ledger, talk("58674577", 64))
    month = close(ledger, tmp_path)
    with pytest.raises(BillingError, match=r"tcp://127\.0\.0\.1:9 does not answer"):
        spreading.spread([month], {"hq": Books.of(rules_of(ledger))}, scheduler="tcp://127.0.0.1:9")
