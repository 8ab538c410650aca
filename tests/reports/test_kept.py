"""Answers that many ask for at once are worked out once."""

import threading

import pytest

from ippbx_billing.reports import kept as module
from ippbx_billing.reports.kept import MOST_KEPT, Kept


def test_an_answer_is_worked_out_once_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [100.0], list[str]()
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    kept = Kept()

    def work_out() -> str:
        asked.append("once")
        return f"answer {len(asked)}"

    assert [kept.get("a", 3, work_out) for _ in range(5)] == ["answer 1"] * 5
    assert kept.get("b", 3, work_out) == "answer 2"
    now[0] += 2.9
    assert kept.get("a", 3, work_out) == "answer 1"
    now[0] += 0.1
    assert kept.get("a", 3, work_out) == "answer 3"


def test_those_who_ask_meanwhile_wait_for_it() -> None:
    """Ten threads, one piece of work."""
    kept, asked, begun = Kept(), list[int](), threading.Event()

    def work_out() -> int:
        asked.append(1)
        begun.wait(60)
        return len(asked)

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(kept.get("a", 60, work_out))) for _ in range(10)]
    for one in threads:
        one.start()
    begun.set()
    for one in threads:
        one.join()
    assert found == [1] * 10


def test_an_error_is_not_kept_and_old_keys_go() -> None:
    kept = Kept()
    with pytest.raises(ZeroDivisionError):
        kept.get("a", 60, lambda: 1 / 0)
    assert kept.get("a", 60, lambda: "well") == "well"
    for number in range(3 * MOST_KEPT):
        kept.get(number, 60, lambda: "x")
    assert len(kept._answers) <= MOST_KEPT
