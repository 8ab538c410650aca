"""What people do with the console in a real browser, and what the browser has to say against it."""

import re
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from lxml import html
from selenium.webdriver.common.keys import Keys
from starlette.routing import Match, Route

from ippbx_billing.console.app import application
from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import load
from tests.bodies import gateway_cdr
from tests.console.browser.chromium import NARROW, PATIENCE_S, WIDE, Chromium
from tests.console.visitor import PASSWORD
from tests.service_process import Service

LIVE_WITHIN_S, TRIES = 2.0, 10
ROWS = "#live tr"
STORY = "main a[href^='/calls/']"


def call_now(number: str) -> bytes:
    """A call of a few minutes ago by the clock of the PBX in Tianjin."""
    start = datetime.now(UTC).astimezone(timezone(timedelta(hours=8))) - timedelta(minutes=5)
    return gateway_cdr("8001", number, 65, start=f"{start:%Y-%m-%d %H:%M:%S}")


def has_row(browser: Chromium, number: str) -> str:
    return browser.until(
        "return [...document.querySelectorAll('#live tr')].find(r => r.textContent.includes(arguments[0]))?.innerText",
        number,
    )


# -- signing in and out


def test_the_one_time_address_makes_an_operator_who_signs_out(service: Service, browser: Chromium) -> None:
    """A colleague sets a password at the address that was handed over; it works once; after sign-out nothing shows."""
    with OperatorFile(load(service.data_dir).operators_path) as file:
        newcomer = file.operators.named("victor")
        secret = file.operators.invite(newcomer, datetime.now(UTC))
    browser.open(f"/welcome/{secret}")
    browser.type("password", PASSWORD)
    browser.type("again", PASSWORD + Keys.ENTER)
    browser.until("return location.pathname === '/'")
    assert "victor" in browser.texts("header nav")[0]
    cookie = browser.driver.get_cookie("ippbx_visit")
    assert cookie
    assert cookie["httpOnly"]
    assert browser.ask("return document.cookie") == ""
    browser.click("form[action='/sign-out'] button")
    browser.until("return location.pathname === '/sign-in'")
    browser.open("/calls")
    assert browser.path == "/sign-in?next=/calls"
    browser.open(f"/welcome/{secret}")
    assert not browser.all("input[type=password]")


def test_a_wrong_password_is_told_and_the_page_asked_for_comes_after_the_right_one(browser: Chromium) -> None:
    browser.open("/calls?period=today")
    browser.type("name", "carla")
    browser.type("password", "not this one, surely" + Keys.ENTER)
    browser.until("return document.querySelector('[role=alert]') !== null")
    browser.type("password", PASSWORD + Keys.ENTER)
    browser.until("return location.pathname === '/calls'")
    assert browser.path == "/calls?period=today"


# -- the live table


def test_a_posted_call_is_a_row_within_two_seconds(service: Service, anna: Chromium) -> None:
    """From the PBX's POST to the row on the screen; one of a few tries, so that a busy machine decides nothing."""
    anna.until("return document.getElementById('live-state').textContent === 'live'")
    times = []
    for turn in range(TRIES):
        number = f"9021623456{turn:02d}"
        posted = time.monotonic()
        assert service.post(call_now(number)).status_code == 200
        row = has_row(anna, number)
        times.append(time.monotonic() - posted)
        assert "张三" in row
        if times[-1] <= LIVE_WITHIN_S:
            break
    assert min(times) <= LIVE_WITHIN_S, times
    anna.until("return [...document.querySelectorAll('.figure strong')][0].textContent.trim() !== '0'")


def test_the_stream_ends_with_the_page(service: Service, anna: Chromium) -> None:
    """A page that is left behind keeps no connection; the one behind it, come back to, is live again."""
    anna.until("return document.getElementById('live-state').textContent === 'live'")
    anna.click("header a[href='/calls']")
    anna.until("return location.pathname === '/calls'")
    anna.driver.back()
    anna.until("return document.getElementById('live-state')?.textContent === 'live'")
    service.post(call_now("902162349999"))
    assert has_row(anna, "902162349999")


# -- the list, its filter, a call's story


def test_the_filter_and_the_story_of_a_call(anna: Chromium) -> None:
    """The filter stands in the address; a row leads to its story; the browser's way back finds the same list."""
    anna.open("/calls?from=2026-10-01&to=2026-10-31")
    everybody = len(anna.all("tbody tr"))
    anna.type("extension", "8003" + Keys.ENTER)
    anna.until("return location.search.includes('extension=8003')")
    rows = anna.texts("tbody tr")
    assert 0 < len(rows) < everybody
    assert all("王五" in row for row in rows)
    asked = anna.path
    anna.click(STORY)
    anna.until("return document.querySelector('h1').textContent.startsWith('Call ')")
    assert anna.texts("main ol")[0].startswith("The call used trunk")
    anna.driver.back()
    assert anna.path == asked


def test_a_name_in_a_record_is_text(anna: Chromium) -> None:
    """A name that is markup is shown as it was written."""
    anna.open("/calls?from=2026-10-14&to=2026-10-14")
    assert "<b>赵六</b>" in anna.texts("main table")[0]
    assert anna.all("main td b") == []


# -- without a mouse, without scripts


def test_the_keyboard_alone_reaches_everything(browser: Chromium) -> None:
    """Sign in, past the menu by the skip link, to a call, its story; where the focus is can be seen; sign out."""
    browser.open("/sign-in?next=%2Fcalls%3Ffrom%3D2026-10-01%26to%3D2026-10-31")
    assert browser.ask("return document.activeElement.name") == "name"
    browser.press("anna", Keys.TAB)
    browser.press(PASSWORD, Keys.ENTER)
    browser.until("return location.pathname === '/calls'")
    browser.tab_to(".skip", most=1)
    browser.press(Keys.ENTER)
    browser.tab_to("main a")
    browser.tab_to(STORY)
    style = "const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.boxShadow]"
    assert browser.ask(style) != ["none", "none"]
    browser.press(Keys.ENTER)
    browser.until("return location.pathname.startsWith('/calls/')")
    browser.tab_to("form[action='/sign-out'] button")
    browser.press(Keys.ENTER)
    browser.until("return location.pathname === '/sign-in'")


def test_without_scripts_all_pages_work(service: Service, browser: Chromium) -> None:
    """Sign-in, filter, story, language and sign-out are links and forms; the first page loads itself anew."""
    browser.scripts(False)
    browser.open("/sign-in")
    browser.type("name", "anna")
    browser.type("password", PASSWORD)
    browser.click("main button")
    browser.until_text("header", "anna")
    assert browser.all("head meta[http-equiv=refresh]")
    service.post(call_now("902162348888"))
    service.wait_until_read()
    browser.open("/")
    assert any("902162348888" in row for row in browser.texts(ROWS))
    browser.click("header a[href='/calls']")
    browser.until_at("/calls")
    browser.type("number", "902162348888")
    browser.click("form.filter button")
    browser.until_at("/calls?")
    assert len(browser.all("tbody tr")) == 1
    browser.click(STORY)
    browser.until_at("/calls/")
    assert browser.texts("h1")[0].startswith("Call ")
    browser.click("form[action='/account/language'] button")
    browser.until_text("h1", "话单 ")
    browser.click("form[action='/account/language'] button")
    browser.until_text("h1", "Call ")
    browser.click("form[action='/sign-out'] button")
    browser.until_at("/sign-in")


# -- every page, looked at


@pytest.fixture(scope="session")
def pages(service: Service) -> list[str]:
    """One address of every page that the menu leads to, found by following links as the administrator."""
    routes = [one for one in application(load(service.data_dir)).routes if isinstance(one, Route)]
    with httpx.Client(base_url=service.base, trust_env=False, timeout=PATIENCE_S, follow_redirects=True) as client:
        client.post("/sign-in", data={"name": "anna", "password": PASSWORD}, headers={"origin": service.base})
        return list(found(client, routes))


def found(client: httpx.Client, routes: list[Route]) -> Iterator[str]:
    """Breadth first, one address for each way; a file is not a page."""
    known: set[str] = {"/calls"}
    waiting = deque(["/", "/calls?from=2026-10-01&to=2026-10-31"])
    yield "/sign-in"
    while waiting:
        path = waiting.popleft()
        answer = client.get(path)
        if not answer.headers["content-type"].startswith("text/html") or "<main" not in answer.text:
            continue
        yield path
        for link in html.fromstring(answer.text).xpath("//a[not(@download)]/@href"):
            parts = urlsplit(urljoin(path, link))
            way = way_of(parts.path, routes)
            if way and way not in known and not parts.netloc:
                known.add(way)
                waiting.append(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def way_of(path: str, routes: list[Route]) -> str:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
    return next((one.path for one in routes if one.matches(scope)[0] is Match.FULL and one.path != "/"), "")


def test_every_page_is_found(pages: list[str]) -> None:
    """What the two tests below look at; a page that no link leads to would be none."""
    shapes = {re.sub(r"\d+", "N", urlsplit(one).path) for one in pages}
    assert {"/", "/sign-in", "/calls", "/calls/N", "/events/N", "/account"} <= shapes
    assert {"/carriers/prices/N", "/carriers/prices/new", "/carriers/import"} <= shapes
    assert {f"/rules/{name}" for name in ("trunks", "filters", "holidays", "numbers")} <= shapes


def test_every_page_is_accessible_and_fits(anna: Chromium, pages: list[str]) -> None:
    """Nothing serious for axe-core, in light colours and dark ones; at 1280 and 390 pixels nothing sticks out."""
    wrong: list[str] = []
    for page in pages:
        if page == "/sign-in":
            continue  # looked at below, by nobody who is signed in
        anna.open(page)
        wrong += [f"{page}: {one}" for one in looked_at(anna)]
    assert wrong == []


def test_the_pages_before_sign_in_are_accessible(browser: Chromium) -> None:
    browser.open("/sign-in")
    assert looked_at(browser) == []


def test_every_page_is_chinese_and_fits(anna: Chromium, pages: list[str]) -> None:
    """The same pages in the other language: it says so, and nothing sticks out."""
    anna.click("form[action='/account/language'] button")
    wrong: list[str] = []
    for page in pages:
        if page == "/sign-in":
            continue
        anna.open(page)
        assert anna.ask("return document.documentElement.lang") == "zh-CN"
        wrong += [f"{page}: {one}" for one in sticking_out(anna)]
    anna.click("form[action='/account/language'] button")
    assert wrong == []


def looked_at(browser: Chromium) -> list[str]:
    """What is wrong with the page that is open."""
    wrong = browser.axe()
    browser.colours("dark")
    wrong += [f"dark: {one}" for one in browser.axe("color-contrast")]
    browser.colours("light")
    return wrong + sticking_out(browser)


def sticking_out(browser: Chromium) -> list[str]:
    wrong = []
    for width in (NARROW, WIDE):
        browser.width(width)
        if more := browser.too_wide():
            wrong.append(f"{more} pixels wider than {width}")
    return wrong


# -- that the checks see what they look for


def test_the_checks_can_fail(window: Chromium) -> None:
    """A foreign image is refused and noticed; text on its own colour, and a wide page, are found."""
    window.begin()
    window.open("/sign-in")
    window.ask("new Image().src = 'http://192.0.2.1/x.png'")
    window.ask("const s = document.createElement('script'); s.textContent = '1'; document.body.append(s)")
    assert len(window.violations()) >= 2
    window.ask(
        "const p = document.createElement('p'); p.textContent = 'pale words'; p.style.color = '#eee';"
        "p.style.background = '#fff'; p.style.width = '2000px'; document.querySelector('main').append(p)"
    )
    assert any(one.startswith("color-contrast") for one in window.axe())
    assert window.too_wide() > 0
    assert window.elsewhere() == ["http://192.0.2.1/x.png"]
