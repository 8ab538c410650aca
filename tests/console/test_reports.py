"""Reports and bills: every report of the command line, its rows a click away from its calls, its files, its scopes."""

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import GROUPS, Period, View, Where, report
from ippbx_billing.reports.views.asked import SHOWN, titles
from ippbx_billing.settings import load
from tests.console.test_scopes import OWN, seen
from tests.console.visitor import NOW, Visitor

OCTOBER = "from=2026-10-01&to=2026-10-31"


def of_list(visitor: Visitor, path: str) -> list[str]:
    """The calls of a list, the filtered ones left out."""
    body = visitor.get(f"{path.replace('/calls?', '/calls/file?')}&form=csv").body.decode("utf-8-sig")
    return [row["id"] for row in csv.DictReader(io.StringIO(body)) if row["status"] != "filtered"]


@pytest.mark.parametrize("name", [one for one in titles() if one != "unrated"])
def test_every_report_has_its_page_and_its_files(anna: Visitor, name: str) -> None:
    """The same rows on the page, as CSV and as JSON."""
    page = anna.get(f"/reports?{OCTOBER}&report={name}")
    assert page.status == 200
    told = json.loads(anna.get(f"/reports/file?{OCTOBER}&report={name}&form=json").body)
    body = anna.get(f"/reports/file?{OCTOBER}&report={name}&form=csv").body.decode("utf-8-sig")
    assert (
        len(page.tree().xpath("//main//tbody/tr")) == len(told["rows"]) == len(list(csv.reader(io.StringIO(body)))) - 1
    )
    assert told["coverage"]
    for form, start in (("xlsx", b"PK"), ("pdf", b"%PDF"), ("html", b"<!doctype html"), ("markdown", b"# ")):
        assert anna.get(f"/reports/file?{OCTOBER}&report={name}&form={form}").body.lower().startswith(start.lower())


LED = [*(("anna", by) for by in GROUPS), *((name, by) for name in OWN for by in ("department", "extension", "day"))]


@pytest.mark.parametrize(("name", "by"), LED)
def test_a_row_leads_to_its_calls(visitor: Visitor, office: Path, name: str, by: str) -> None:
    """Each row's link lists as many calls as the row counts, whatever is summed by and whoever asks."""
    visitor.sign_in(name)
    page = visitor.get(f"/reports?{OCTOBER}&by={by}&direction=outbound")
    using = load(office)
    rows = page.tree().xpath("//main//tbody/tr[td/a]")
    assert rows or by in ("weekday", "hour", "pin") or name != "anna"
    headings = page.texts("th")
    for row in rows:
        count = int(row.xpath("td")[headings.index("Calls")].text)
        assert len(of_list(visitor, row.xpath("td/a/@href")[0])) == count, row.xpath("td/a/@href")
    with Ledger(using.ledger_path) as ledger:
        whole = report(ledger, View(using.site_zone, "CNY"), Period.month("2026-10", NOW.date()), (by,),
                       where=Where(direction="outbound"))  # fmt: skip
    if name == "anna":
        assert page.tree().xpath("//tfoot//td")[headings.index("Calls")].text == str(whole.total["calls"])


def test_a_filtered_report_leads_on_with_its_filter(anna: Visitor) -> None:
    """Conditions and shortcut go along, also through the bars of the chart; the sum of a department above too."""
    page = anna.get("/reports?period=this-month&by=department&department=公司/工程部&traffic_type=domestic")
    leads = page.tree().xpath("//main//tbody//a/@href")
    assert leads == page.tree().xpath("//svg//a/@href") != []
    assert all("traffic_type=domestic" in one and "period=this-month" in one for one in leads)
    for row in page.tree().xpath("//main//tbody/tr[td/a]"):
        assert len(of_list(anna, row.xpath("td/a/@href")[0])) == int(row.xpath("td")[1].text)
    assert "report=sums" in page.tree().xpath("//a[text()='Yesterday']/@href")[0]


def test_a_report_is_compared_sorted_and_cut(anna: Visitor) -> None:
    page = anna.get(f"/reports?{OCTOBER}&by=extension&and=traffic_type&sort=calls&top=2&compare=previous")
    assert "Fee before" in page.texts("th")
    assert len(page.tree().xpath("//main//tbody/tr")) == 2
    assert page.tree().xpath("//select[@name='compare']/option[@selected]/@value") == ["previous"]
    for show in SHOWN:
        assert anna.get(f"/reports?{OCTOBER}&report=categories&show={show}").status == 200


@pytest.mark.parametrize("wrong", ["by=colour", "report=x", "sort=rm", "top=0", "top=-1", "top=99999999", "compare=x",
                                   "show=x", "and=1"])  # fmt: skip
def test_reports_that_cannot_be_meant_are_told_so(anna: Visitor, wrong: str) -> None:
    assert anna.get(f"/reports?{wrong}").status == 400


def test_without_price_is_told_with_what_to_do(anna: Visitor, office: Path) -> None:
    with Ledger(load(office).ledger_path) as ledger:
        ledger.connection.execute(
            "UPDATE charges SET status = 'unrated', fee_micro = NULL, reason = 'no-price', reason_facts = "
            '\'{"carrier": "default"}\' WHERE id = 21'
        )
    page = anna.get(f"/reports?{OCTOBER}&report=unrated")
    assert page.status == 200
    assert "tariffs set" in page.text


def test_bills_lead_to_the_paper(anna: Visitor) -> None:
    """The company, departments and employees; the preview is the very document that is printed."""
    page = anna.get("/bills?period=this-month")
    assert "the whole company" in page.text
    assert "&lt;b&gt;赵六&lt;/b&gt;" in page.text
    shown = anna.get("/bills/file?period=this-month&of=employee:1001&form=html&calls=1")
    assert "张三 (1001)" in shown.text
    assert "inline" in shown.headers["content-disposition"]
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "901062345678"[1:] in shown.text
    one = anna.get("/bills/file?period=this-month&of=employee:1001&form=json").body
    assert json.loads(one)["total"]["calls"] == 5
    sheet = openpyxl.load_workbook(io.BytesIO(anna.get("/bills/file?period=this-month&of=all&form=xlsx").body))
    assert sheet.sheetnames
    assert anna.get("/bills/file?period=this-month&of=all&calls=1&form=pdf").body.startswith(b"%PDF")
    assert json.loads(anna.get("/bills/file?period=this-month&of=company&form=json").body)["total"]["calls"] == 18
    assert anna.get("/bills/file?of=somebody:1&form=pdf").status == 404
    assert anna.get("/bills/file?of=employee:999&form=pdf").status == 404


@pytest.mark.parametrize("name", OWN)
def test_bills_are_ones_own(visitor: Visitor, office: Path, name: str) -> None:
    """A bill of anybody else is not there, and the name of nobody else either."""
    own, _ = seen(office, name)
    visitor.sign_in(name)
    page = visitor.get(f"/bills?{OCTOBER}")
    hidden = {"hans": ("王五", "赵六", "钱七", "销售部"), "emil": ("张三", "李四", "赵六", "钱七", "工程部")}[name]
    for word in hidden:
        assert word not in page.text
    for of in (
        "company",
        "employee:1004",
        "department:公司",
        "employee:1009",
        "extension:8004",
        "department:公司/销售部",
    ):
        answer = visitor.get(f"/bills/file?{OCTOBER}&of={of}&form=json")
        assert answer.status == 404, of
    told = json.loads(visitor.get(f"/bills/file?{OCTOBER}&of=all&form=json").body)
    assert sum(bill["total"]["calls"] for bill in told["bills"]) == sum(row["status"] != "filtered" for row in own)
    text = json.dumps(told, ensure_ascii=False)
    assert not any(word in text for word in hidden)


@pytest.mark.parametrize("name", OWN)
def test_no_report_or_bill_names_a_call_of_others(visitor: Visitor, office: Path, name: str) -> None:
    own, others = seen(office, name)
    hidden = {str(row["number"]) for row in others} - {str(row["number"]) for row in own}
    visitor.sign_in(name)
    paths = [f"/reports?{OCTOBER}&report={one}" for one in titles()]
    paths += [f"/reports/file?{OCTOBER}&report={one}&form=json" for one in titles()]
    paths += [f"/reports?{OCTOBER}&by=number", f"/bills/file?{OCTOBER}&of=all&calls=1&form=html",
              f"/bills/file?{OCTOBER}&of=all&calls=1&form=json"]  # fmt: skip
    for path in paths:
        page = visitor.get(path)
        assert page.status == 200
        assert not any(number.encode() in page.body for number in hidden), path


def test_both_pages_in_chinese(anna: Visitor) -> None:
    anna.post("/account/language", {"language": "zh"})
    assert "报表" in anna.get("/reports").texts("h1")[0]
    assert "话费账单" in anna.get("/bills").texts("h1")[0]
