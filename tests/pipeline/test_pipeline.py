"""From inbox to ledger: each call once in effect, whatever is delivered twice, late, wrong or in pieces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ippbx_billing.calls import Call, ChargeStatus, Classification, EventStatus
from ippbx_billing.inbox import Inbox
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules, unsettled
from ippbx_billing.reports import View, WantedCalls, calls
from ippbx_billing.settings import load
from ippbx_billing.tariffs import Trunk
from tests.bodies import RUBBISH, fill, gateway_cdr


class Bench:
    """An inbox to put bodies into, and the pipeline behind it."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.settings = load(site)
        self.inbox = Inbox(self.settings.inbox_path)
        self.ledger = Ledger(self.settings.ledger_path)
        self.pipeline = self.make_pipeline()

    def make_pipeline(self, batch_size: int = 100) -> Pipeline:
        return Pipeline(self.inbox, self.ledger, lambda: Rules.of(self.ledger, self.settings), batch_size=batch_size)

    def deliver(self, *bodies: bytes) -> None:
        """As the listener would keep them; then everything that waits is read."""
        fill(self.settings.inbox_path, bodies)
        self.pipeline.drain()

    def calls(self, **wanted: object) -> list[dict[str, object]]:
        view = View(self.settings.site_zone, "CNY")
        return list(calls(self.ledger, view, WantedCalls(**wanted)))  # type: ignore[arg-type]

    def outcomes(self) -> dict[int, tuple[EventStatus, str]]:
        found = self.ledger.journey.outcomes(range(1, self.inbox.last_id() + 1))
        return {number: (status, sentence(reason)) for number, (status, reason) in found.items()}


@pytest.fixture
def bench(site: Path) -> Iterator[Bench]:
    bench = Bench(site)
    yield bench
    bench.ledger.close()
    bench.inbox.close()


def test_a_posted_record_becomes_a_rated_call(bench: Bench) -> None:
    """Every key of the contract, with what the PBX told and what we know."""
    bench.deliver(gateway_cdr("8001", "902162345678", 80, start="2026-10-13 10:00:00"))
    (call,) = bench.calls()
    assert call["started_at"] == "2026-10-13T10:00:00+08:00"
    assert call["answered_at"] == "2026-10-13T10:00:05+08:00"
    assert (call["extension"], call["number"], call["direction"]) == ("8001", "902162345678", "outbound")
    assert (call["region"], call["place"], call["traffic_type"], call["line_kind"]) == (
        "上海",
        "上海",
        "domestic",
        "fixed",
    )
    assert (call["fee"], call["currency"], call["status"], call["carrier"]) == ("0.98", "CNY", "rated", "022-天津-电信")
    assert (call["billed_s"], call["disposition"], call["trunk"], call["event"]) == (80, "answered", "1", 1)


def test_the_same_delivery_twice_is_one_call(bench: Bench) -> None:
    """The second stays in the inbox as a duplicate that names the first."""
    bench.deliver(gateway_cdr("8001", "58674577", 64), gateway_cdr("8001", "58674577", 64))
    bench.deliver(gateway_cdr("8001", "58674577", 64))
    assert len(bench.calls()) == 1
    assert bench.outcomes() == {
        2: (EventStatus.DUPLICATE, "delivered before with event 1"),
        3: (EventStatus.DUPLICATE, "delivered before with event 1"),
    }


def test_calls_that_differ_in_one_fact_are_two_calls(bench: Bench) -> None:
    """Another second, another port, another PBX: without a record id every fact counts."""
    bench.deliver(
        gateway_cdr("8001", "58674577", 64),
        gateway_cdr("8001", "58674577", 65),
        gateway_cdr("8001", "58674577", 64, port=2),
        gateway_cdr("8001", "58674577", 64, sn="db01-0000-0002"),
    )
    assert len(bench.calls()) == 4


def newrock(record_id: str, seconds: int) -> bytes:
    """A NewRock record: its `id` attribute is the record's own id."""
    return (
        f'<Cdr id="{record_id}"><callid>5</callid><TimeStart>20261013100000</TimeStart><Type>OU</Type><Route>IP</Route>'
        f"<CPN>8001</CPN><CDPN>58674577</CDPN><TimeEnd>20261013101000</TimeEnd><Duration>{seconds}</Duration>"
        "<TrunkNumber>1</TrunkNumber></Cdr>"
    ).encode()


def test_a_later_version_of_a_record_corrects_it(bench: Bench) -> None:
    """The same record id with other facts: the latest is rated, the earlier is kept and both say so."""
    bench.deliver(newrock("7", 64))
    bench.deliver(newrock("7", 285))
    (call,) = bench.calls()
    assert (call["billed_s"], call["fee"], call["event"]) == (285, "0.44", 2)
    assert call["notes"] == ["corrected: the record was delivered before with event 1"]
    assert bench.outcomes() == {1: (EventStatus.DONE, "corrected by event 2")}


def test_a_correction_in_the_same_batch_counts_too(bench: Bench) -> None:
    """Whether both versions arrive together or apart makes no difference; nor does a third, equal one."""
    bench.deliver(newrock("7", 64), newrock("7", 285), newrock("7", 285))
    (call,) = bench.calls()
    assert (call["billed_s"], call["event"]) == (285, 2)
    assert bench.outcomes()[3][0] is EventStatus.DUPLICATE


def test_reading_the_older_version_again_does_not_undo_the_correction(bench: Bench) -> None:
    """A replay of the first event leaves the corrected call alone."""
    bench.deliver(newrock("7", 64), newrock("7", 285))
    bench.pipeline.replay([1])
    (call,) = bench.calls()
    assert (call["billed_s"], call["event"]) == (285, 2)


@pytest.mark.parametrize("name", sorted(RUBBISH))
def test_rubbish_is_a_problem_and_the_next_call_is_rated(bench: Bench, name: str) -> None:
    """Kept, listed with a reason where it holds no call, and never in the way of what follows."""
    bench.deliver(RUBBISH[name], gateway_cdr("8001", "58674577", 64))
    assert [call["fee"] for call in bench.calls(event=2)] == ["0.22"]
    assert bench.ledger.journey.position() == 2
    outcome = bench.outcomes().get(1)
    assert outcome is not None
    assert outcome[1]
    assert (outcome[0] is EventStatus.REJECTED) == (name not in ("empty", "only a BOM"))
    assert bench.calls(event=1) == []


def test_a_fault_of_ours_is_recorded_and_passed_by(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a bug in a rule stops nothing: the event is listed, the next one is rated, a replay puts it right."""
    sound = Rules.classify

    def faulty(self: Rules, call: Call) -> Classification:
        if call.caller == "8002":
            raise ZeroDivisionError("oops")
        return sound(self, call)

    monkeypatch.setattr(Rules, "classify", faulty)
    bench.deliver(gateway_cdr("8002", "58674577", 64), gateway_cdr("8001", "58674577", 64))
    assert [call["extension"] for call in bench.calls()] == ["8001"]
    assert bench.outcomes()[1] == (EventStatus.REJECTED, "internal error, please report it: ZeroDivisionError('oops')")
    monkeypatch.setattr(Rules, "classify", sound)
    assert bench.pipeline.replay(unsettled(bench.ledger)).events == 1
    assert [call["extension"] for call in bench.calls()] == ["8001", "8002"] or len(bench.calls()) == 2
    assert bench.outcomes() == {}


def test_a_failure_while_writing_leaves_no_half(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls and position stand in one transaction: after the failure all is as before, and then all is there."""
    fill(bench.settings.inbox_path, [gateway_cdr("8001", "58674577", 64)])
    monkeypatch.setattr(bench.ledger.journey, "advance", lambda position: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bench.pipeline.step()
    assert bench.calls() == []
    monkeypatch.undo()
    assert bench.pipeline.drain() == 1
    assert len(bench.calls()) == 1


def test_two_pipelines_count_no_call_twice(bench: Bench) -> None:
    """While one has read a batch and not yet written it, another may have taken it."""
    fill(bench.settings.inbox_path, [gateway_cdr("8001", "58674577", 64)])
    other = bench.make_pipeline()
    position = bench.ledger.journey.position
    first = [True]

    def overtaken() -> int:
        if first[0]:
            first[0] = False
            result = position()
            other.step()
            return result
        return position()

    bench.ledger.journey.position = overtaken  # type: ignore[method-assign]
    assert bench.pipeline.step() == 1
    assert len(bench.calls()) == 1


def test_an_edit_of_the_tariff_book_holds_from_the_next_batch(bench: Bench) -> None:
    """A trunk given to another carrier by another process is noticed without a restart."""
    bench.deliver(gateway_cdr("8001", "58674577", 64, port=5))
    with Ledger(bench.settings.ledger_path) as other:
        other.book.put_trunk(Trunk("5", "022-天津-联通"))
    bench.deliver(gateway_cdr("8001", "58674577", 64, port=5, start="2026-10-13 11:00:00"))
    assert [call["carrier"] for call in bench.calls()] == ["022-天津-电信", "022-天津-联通"]


def test_an_unrated_call_is_rated_after_the_cause_was_mended(bench: Bench) -> None:
    """No carrier, no price, no guess: the reason is told, and a replay applies what was added."""
    bench.ledger.connection.execute("UPDATE carriers SET is_default = 0")
    bench.pipeline = bench.make_pipeline()
    bench.deliver(gateway_cdr("8001", "58674577", 64, port=5))
    (call,) = bench.calls(status=ChargeStatus.UNRATED)
    assert call["fee"] is None
    assert call["reason"] == "trunk 5 is not configured and there is no default carrier"
    bench.ledger.book.put_trunk(Trunk("5", "022-天津-联通"))
    bench.pipeline = bench.make_pipeline()
    assert bench.pipeline.replay(unsettled(bench.ledger)).events == 1
    assert [(call["fee"], call["status"]) for call in bench.calls()] == [("0.22", "rated")]


def test_batches_of_any_size_give_the_same_ledger(site: Path) -> None:
    """One event a batch or all at once: the calls are the same."""
    bodies = [gateway_cdr("8001", "58674577", 60 + number % 7, port=number % 3) for number in range(50)]
    bodies += [newrock(str(number % 5), 10 + number) for number in range(20)]
    found = []
    for size in (1, 7, 1_000):
        bench = Bench(site)
        bench.pipeline = bench.make_pipeline(size)
        if not found:
            fill(bench.settings.inbox_path, bodies)
        else:
            bench.ledger.connection.executescript(
                "DELETE FROM calls; DELETE FROM charges; DELETE FROM outcomes; DELETE FROM state;"
            )
        bench.pipeline.drain()
        found.append((bench.calls(), bench.outcomes()))
        bench.ledger.close()
        bench.inbox.close()
    assert found[0] == found[1] == found[2]
