"""The provider's bill beside our calls, and what changed in bills that were handed out."""

import io
from pathlib import Path

import openpyxl

from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import load
from tests.console.visitor import NOW, Visitor

BILL = """被叫号码,开始时间,通话时长(秒),费用(元)
02180010377,2026-10-03 10:05:00,63,9.99
02199999999,2026-10-05 10:00:00,60,0.50
"""


def test_a_bill_is_compared_and_downloaded(anna: Visitor, office: Path) -> None:
    """Sums, causes, each difference; the workbook says the same; a call of ours is a click away."""
    given = {"carrier": "022-天津-电信", "month": "2026-10", "tolerance": "60"}
    page = anna.post("/verify", given, files={"file": ("bill.csv", BILL.encode())})
    assert page.texts("h1") == ["The bill of 022-天津-电信 for 2026-10 (CNY) bill.csv"]
    assert "we have no such call" in page.text
    assert page.tree().xpath("//td/a[starts-with(@href, '/calls/')]")
    link = page.tree().xpath("//a[@download]/@href")[0]
    sheets = openpyxl.load_workbook(io.BytesIO(anna.get(link).body)).worksheets
    assert len(sheets) >= 2
    assert anna.get(link.replace("token=", "token=x")).status == 404
    wrong = "sixty"
    page = anna.post("/verify", given | {"tolerance": wrong}, files={"file": ("bill.csv", BILL.encode())})
    assert page.texts("h1") == ["'sixty' is not a number of seconds"]
    with OperatorFile(load(office).operators_path) as file:
        assert [one.action for one in file.log.entries()][:2] == ["verify download", "verify"]


def test_what_changed_after_a_bill_was_handed_out(anna: Visitor) -> None:
    """All calls came after that moment, so all are late; before it is asked, nothing is worked out."""
    assert not anna.get("/reports/changes").tree().xpath("//table")
    page = anna.get("/reports/changes?since=2026-10-14T01:00&month=2026-10")
    assert len(page.tree().xpath("//tbody/tr/td/a")) > 10
    assert "total" in page.texts("tfoot")[0]
    file = anna.get("/reports/changes/file?since=2026-10-14T01:00&month=2026-10&form=csv")
    assert file.text.splitlines()[0].startswith("\ufeffwhat,changed_at")
    assert anna.get("/reports/changes?since=soon").status == 400
    assert NOW.year == 2026


def test_who_may(visitor: Visitor) -> None:
    visitor.sign_in("hans")
    assert [visitor.get(one).status for one in ("/verify", "/reports/changes", "/reports/changes/file")] == [403] * 3
    assert "/reports/changes" not in visitor.get("/bills").links()
    visitor.sign_in("victor")
    assert [visitor.get(one).status for one in ("/verify", "/reports/changes")] == [403, 200]
