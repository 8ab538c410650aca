"""What an edit changed is seen in the tables, and nothing else is read out of them."""

from pathlib import Path

from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.snapshots import MOST_TOLD, EditWatch
from ippbx_billing.tariffs import Trunk, standard


def test_only_the_rows_of_an_edit_are_told(tmp_path: Path) -> None:
    """A changed row as it was and is, one that came, one that went; of very many the number."""
    path = tmp_path / "ledger.db"
    carriers, prices = standard("CN", "022", "天津")
    with EditWatch(path) as first, Ledger(path) as ledger:
        ledger.book.add_carrier(carriers[0])
        ledger.book.put_trunk(Trunk("FXO-1", carriers[0].name))
        was, now = first.differences()
        assert not was
        assert [row["table"] for row in now] == ["carriers", "trunks"]
        with EditWatch(path) as second:
            assert_trunk_changes(ledger, second, carriers[0].name)
        own = [price for price in prices if price.carrier == carriers[0].name]
        many = [*own] * (MOST_TOLD // len(own) + 1)
        with EditWatch(path) as third:
            ledger.book.add_prices(many)
            was, now = third.differences()
            windows = sum(len(price.windows) for price in many)
            assert not was
            assert now[-1] == {"table": "", "more_rows": len(many) + windows - MOST_TOLD}
        with EditWatch(path) as fourth:
            assert fourth.differences() == ([], [])


def assert_trunk_changes(ledger: Ledger, watch: EditWatch, carrier: str) -> None:
    """One trunk gets a number, one comes; seen as of the first look, whatever is written later."""
    ledger.book.put_trunk(Trunk("FXO-1", carrier, number="27001234"))
    ledger.book.put_trunk(Trunk("FXO-2", carrier))
    was, now = watch.differences()
    assert [(row["table"], row["name"], row.get("number")) for row in was] == [("trunks", "FXO-1", None)]
    assert [(row["name"], row.get("number")) for row in now] == [("FXO-1", "27001234"), ("FXO-2", None)]
