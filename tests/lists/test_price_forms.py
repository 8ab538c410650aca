"""A price in a form: every term of it comes back, what is wrong is told, and what changed meanwhile is noticed."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists.tariffs import Assumptions, cells, forms
from ippbx_billing.settings import load
from ippbx_billing.tariffs import Changes, Figures, Price, spelling
from ippbx_billing.tariffs.changes import in_force

TODAY = date(2026, 10, 14)
RICH = Price(
    None,
    "022-天津-电信",
    TrafficType.DOMESTIC,
    replace(Figures(60, 300_000, 6, 30_000), tiers=spelling.tiers("300:60:0.05"), counting="completed",
            step_decimals=3),
    date(2026, 9, 1),
    direction=Direction.INBOUND,
    line_kind=LineKind.MOBILE,
    match="area",
    value="0755",
    connection_fee_micro=50_000,
    free_s=10,
    minimum_fee_micro=100_000,
    maximum_fee_micro=2_000_000,
    grace_s=3,
    decimals=1,
    rounding="up",
    add_local=True,
    windows=cells.windows("daily 00:00-07:00 6:0.04 6:0.04"),
    note="合同 7/2026, \"夜间\"",
)  # fmt: skip


def test_no_term_of_a_price_is_lost(fresh_site: Path) -> None:
    """A price looked at in a form and sent as it is, is the same price: each of the standard tariff, and a rich one."""
    with Ledger(load(fresh_site).ledger_path) as ledger:
        prices = [replace(one, id=None) for one in ledger.book.prices()]
    assert len(prices) > 20
    per_minute = replace(RICH, figures=Figures(60, 20_000, 1, 20_000, per_s=60), match="prefix", value="+1808")
    for price in (*prices, RICH, per_minute):
        assert forms.prices_of(forms.fields_of(price), Assumptions(TODAY)) == [price]


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("initial_fee", "cheap", "cheap"),
        ("initial_fee", "", "initial"),
        ("effective_from", "someday", "someday"),
        ("traffic_type", "x-rays", "x-rays"),
        ("windows", "at night", "window"),
    ],
)
def test_what_is_wrong_is_told(field: str, text: str, told: str) -> None:
    with pytest.raises(UsageError) as found:
        forms.prices_of(forms.fields_of(RICH) | {field: text}, Assumptions(TODAY))
    assert told in f"{found.value.message} {found.value.hint}"


def test_a_new_version_an_end_and_a_removal(site: Path) -> None:
    """From another day on it is a version beside the old one; an end is a version as well; a removal takes a row out.

    What was looked at is what is saved, or nothing is.
    """
    using = load(site)
    with Ledger(using.ledger_path) as ledger:
        old = next(one for one in ledger.book.prices() if one.traffic_type is TrafficType.DOMESTIC)
        given = {"way": "set", "id": str(old.id), **forms.fields_of(old)}
        with pytest.raises(UsageError, match="in force already"):
            forms.change_of(given, ledger, using, TODAY)
        dearer = forms.change_of(given | {"step_fee": "0.9"}, ledger, using, TODAY)
        assert [(one.id, new.figures.step_fee_micro) for one, new in dearer.changed] == [(old.id, 900_000)]
        later = forms.change_of(given | {"effective_from": "2026-11-01"}, ledger, using, TODAY)
        assert (later.changed, len(later.added)) == ((), 1)
        forms.save(ledger, later, forms.mark_of(later))
        with pytest.raises(BillingError, match="meanwhile"):
            forms.save(ledger, dearer, forms.mark_of(later))
        end = forms.change_of({"way": "end", "id": str(old.id), "effective_from": "2026-12-01"}, ledger, using, TODAY)
        forms.save(ledger, end, forms.mark_of(end))
        now = {one.status for one in in_force(ledger.book.prices(), date(2026, 12, 1)) if is_same(one, old)}
        assert now == {"ended"}
        gone = forms.change_of({"way": "remove", "id": str(old.id)}, ledger, using, TODAY)
        assert gone == Changes(removed=(old,))
        for wrong in ({"way": "x"}, {"way": "remove", "id": "x"}, {"way": "remove", "id": "999999"},
                      {"way": "end", "id": str(old.id), "effective_from": "soon"}):  # fmt: skip
            with pytest.raises(BillingError):
                forms.change_of(wrong, ledger, using, TODAY)


def is_same(one: Price, old: Price) -> bool:
    return (one.carrier, one.traffic_type, one.line_kind, one.match, one.value) == (
        old.carrier, old.traffic_type, old.line_kind, old.match, old.value)  # fmt: skip
