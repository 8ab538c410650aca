"""What an accountant does with prices, lists and causes in a real browser; the pages on the way are looked at."""

from pathlib import Path

from selenium.webdriver.common.by import By

from ippbx_billing.ledger import Ledger
from ippbx_billing.settings import load
from tests.console.browser.chromium import Chromium
from tests.console.browser.test_browser import looked_at
from tests.service_process import Service


def a_price(service: Service) -> tuple[str, int]:
    """The default carrier, and its price of domestic calls."""
    with Ledger(load(service.data_dir).ledger_path) as ledger:
        carrier = next(one.name for one in ledger.book.carriers() if one.default)
        found = (one.id for one in ledger.book.prices() if (one.carrier, one.traffic_type) == (carrier, "domestic"))
        return carrier, next(one for one in found if one is not None)


def test_a_price_is_changed_after_its_preview(service: Service, anna: Chromium) -> None:
    """From the list to the form, from there to the difference, and only then is there a new version."""
    carrier, number = a_price(service)
    anna.open(f"/carriers/prices?carrier={carrier}")
    anna.click(f"a[href='/carriers/prices/{number}']")
    anna.type("step_fee", "0.91")
    anna.ask("document.querySelector('[name=effective_from]').value = '2031-01-01'")
    anna.click("form[action='/carriers/prices/try'] button")
    anna.until_text("main", "Nothing has been changed so far")
    assert any("2031-01-01" in row for row in anna.texts("tbody tr"))
    assert anna.texts("p.difference")
    assert looked_at(anna) == []
    anna.click("form[action='/carriers/prices/save'] button")
    anna.until_text(".word.done", "1 added")
    assert any("2031-01-01" in row for row in anna.texts("tbody tr"))


def test_a_list_is_sent_with_faults_and_then_without(service: Service, anna: Chromium, tmp_path: Path) -> None:
    """Without scripts: each fault with its line; the mended list shows what it would do, and is brought in."""
    carrier, _ = a_price(service)
    head = "carrier,traffic_type,match,value,initial_s,initial_fee,step_s,step_fee,effective_from\n"
    lists = {}
    for fee in ("much", "0.40"):
        lists[fee] = tmp_path / f"{fee}.csv"
        lists[fee].write_text(f"{head}{carrier},domestic,area,0991,60,{fee},60,0.4,2031-01-01\n", encoding="utf-8")
    anna.scripts(False)
    anna.open("/carriers/import")
    send(anna, lists["much"])
    anna.until_text("[role=alert]", "line 2")
    anna.scripts(True)
    assert looked_at(anna) == []
    anna.scripts(False)
    send(anna, lists["0.40"])
    anna.until_text("h1", "1 added")
    anna.scripts(True)
    assert looked_at(anna) == []
    anna.scripts(False)
    anna.click("form[action='/carriers/import/do'] button")
    anna.until_text(".word.done", "1 added")
    assert any("area 0991" in row for row in anna.texts("tbody tr"))


def send(browser: Chromium, path: Path) -> None:
    browser.driver.find_element(By.NAME, "file").send_keys(str(path))
    browser.click("form[action='/carriers/import/try'] button")


def test_a_cause_of_the_work_list_is_mended(service: Service, anna: Chromium) -> None:
    """Tried first, then done: its call has a price, and the cause is gone."""
    anna.open("/work-list")
    before = len(anna.all("article"))
    anna.type("initial", "60:0.30")
    anna.type("step", "60:0.30")
    anna.click("article form.filter button")
    anna.until_text("main", "would price 1 calls, 0.30 CNY")
    assert looked_at(anna) == []
    anna.click("form[action='/work-list/do'] button")
    anna.until_text(".word.done", "events were read again")
    assert len(anna.all("article")) == before - 1


def test_a_bill_is_fetched(anna: Chromium) -> None:
    """The link of the page gives the file that it says."""
    anna.open("/bills?from=2026-10-01&to=2026-10-31")
    link = "return [...document.querySelectorAll('main a')].map(a => a.href).find(h => h.includes('form=pdf'))"
    found = anna.driver.execute_async_script(
        "const [href, done] = arguments; fetch(href).then(async r => "
        "done([r.status, r.headers.get('content-disposition'), (await r.text()).slice(0, 5)]))", anna.ask(link)
    )  # fmt: skip
    assert found[0] == 200
    assert ".pdf" in found[1]
    assert found[2] == "%PDF-"
