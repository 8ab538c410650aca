"""One record never stops the others: what cannot be kept, lasts too long or ends the worker is set aside and listed."""

import json
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.recounting import wrong_sums
from ippbx_billing.ledger.rollups import LEVELS
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.pipeline.setting_aside import keepable
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr
from tests.service_process import Service

posix = pytest.mark.skipif(os.name != "posix", reason="only there a process has a clock of its own")

SLOW_DIALECT = """
title = "Slow"
description = "a pattern that tries everything"

[[recognise]]
all = ["slow", "start"]

[fields]
started_at = ["start"]
number = [{path = "slow", pattern = '^((a+)+)$'}]
"""


def make_sums_full(site: Path) -> None:
    """One call on the bill so dear, as an earlier version may have priced it, that no further fee can be added."""
    fill(site / "inbox.db", [gateway_cdr("8001", "922000009", 64)])
    using = load(site)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, using)).drain()
        with ledger.transaction():
            ledger.connection.execute("UPDATE charges SET fee_micro = ?", [2**63 - 1])
            ledger.rollups.rebuild()


def assert_sums_are_exact(site: Path) -> None:
    """No sum of fees became a floating-point number, and all are those of the calls."""
    with closing(Ledger(site / "ledger.db")) as ledger:
        for level in LEVELS:
            kinds = ledger.connection.execute(f"SELECT DISTINCT typeof(fee_micro) FROM rollup_{level}").fetchall()
            assert [kind[0] for kind in kinds] == ["integer"]
        assert wrong_sums(ledger) == []


def outcomes(site: Path) -> dict[int, tuple[str, str]]:
    """What became of each event: its status and the code of its reason."""
    with closing(Ledger(site / "ledger.db")) as ledger:
        rows = ledger.connection.execute("SELECT event_id, status, reason FROM outcomes")
        return {row[0]: (row[1], row[2]) for row in rows}


def test_a_sum_that_leaves_64_bits_sets_one_record_aside(site: Path) -> None:
    """The worker goes on: the call whose fee cannot be added is set aside, and the one behind it is read."""
    make_sums_full(site)
    with Service(site) as service:
        service.post(gateway_cdr("8001", "922000001", 64))
        service.post(gateway_cdr("8001", "8002", 30))
        service.wait_until_read()
        (listed,) = service.run("events", "list", "--status", "rejected")
        calls = service.run("calls", "list")
    assert outcomes(site) == {2: ("rejected", "not-kept")}
    assert (listed["id"], listed["status"]) == (2, "rejected")
    assert sorted(one["event"] for one in calls) == [1, 3]
    assert_sums_are_exact(site)


def test_the_good_records_of_an_event_are_kept(site: Path) -> None:
    """One body with three calls: the two that fit are on the bill, and the event is listed for the third."""
    make_sums_full(site)
    records = [json.loads(gateway_cdr("8001", number, 64)) for number in ("8003", "922000001", "8002")]
    records[0]["cdr"] += [record for one in records[1:] for record in one["cdr"]]
    with Service(site) as service:
        service.post(json.dumps(records[0]))
        service.wait_until_read()
    with closing(Ledger(site / "ledger.db")) as ledger:
        numbers = [row[0] for row in ledger.connection.execute("SELECT number FROM calls WHERE event_id = 2")]
    assert sorted(numbers) == ["8002", "8003"]
    assert outcomes(site) == {2: ("rejected", "not-kept")}
    assert_sums_are_exact(site)


@posix
def test_a_body_that_takes_too_long_is_set_aside(site: Path) -> None:
    """A pattern of a site's dialect that never comes to an end: after its time the next record is read."""
    (site / "dialects").mkdir(exist_ok=True)
    (site / "dialects" / "slow.toml").write_text(SLOW_DIALECT, encoding="utf-8")
    with Service(site) as service:
        service.post(gateway_cdr("8001", "922000009", 64))  # the first has more time
        service.wait_until_read()
        service.post(b'{"slow": "' + b"a" * 40 + b'!", "start": "2026-10-13 10:00:00"}')
        service.post(gateway_cdr("8001", "922000001", 64))
        service.wait_until_read()
        calls = service.run("calls", "list")
    assert outcomes(site) == {2: ("rejected", "too-slow")}
    assert sorted(one["event"] for one in calls) == [1, 3]


def test_records_that_fit_are_found_by_halving() -> None:
    """Whatever is bad; where too many are, the rest is not tried."""
    asked: list[int] = []

    def fits(some: Sequence[int]) -> bool:
        asked.append(len(some))
        return not any(one % 10 == 3 for one in some)

    assert sorted(keepable(range(100), fits)) == [one for one in range(100) if one % 10 != 3]
    assert len(asked) < 100
    assert keepable([], fits) == []
    assert keepable([3] * 1000, fits) == []
    assert len(asked) < 300
