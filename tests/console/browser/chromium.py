"""A person at a browser: they open pages, click, type, and see what the page shows.

with Chromium(base) as browser:
    browser.sign_in("anna")
    browser.texts("h1")
"""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.console.visitor import PASSWORD

PATIENCE_S = 60
NAMES = ("chromium", "chromium-browser", "google-chrome")
VENDORED = Path(__file__).parents[1] / "vendored"
WIDE, NARROW = 1280, 390


def binaries() -> tuple[str, str]:
    """Browser and driver of this machine; skips the test where one is missing."""
    browser = next((found for name in NAMES if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no browser here: apt-get install chromium chromium-driver")
    return browser, driver


class Chromium:
    """One browser with one window; `base` is the console's address."""

    def __init__(self, base: str, folder: Path) -> None:
        self.base = base
        browser, driver = binaries()
        options = ChromeOptions()
        options.binary_location = browser
        for word in (
            "headless=new",
            "no-sandbox",  # containers and root have none
            "disable-dev-shm-usage",
            "disable-gpu",
            "disable-background-networking",
            "no-first-run",
            "ignore-certificate-errors",
            "no-proxy-server",
            "force-color-profile=srgb",
            f"user-data-dir={folder}",
        ):
            options.add_argument(f"--{word}")
        options.add_experimental_option("prefs", {"intl.accept_languages": "en"})
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver = Chrome(options, ChromeService(driver))
        self.driver.set_page_load_timeout(PATIENCE_S)
        self.driver.set_script_timeout(PATIENCE_S)
        self.console: list[str] = []
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def begin(self) -> None:
        """As new: nobody signed in, a wide window, light, with scripts."""
        self.tell("Network.clearBrowserCookies")
        self.tell("Emulation.setScriptExecutionDisabled", value=False)
        self.width(WIDE)
        self.colours("light")
        self.look()
        self.console, self.asked = [], []

    # -- what one does

    def open(self, path: str) -> None:
        self.driver.get(self.base + path if path.startswith("/") else path)

    def sign_in(self, name: str) -> None:
        self.open("/sign-in")
        self.type("name", name)
        self.type("password", PASSWORD + Keys.ENTER)
        self.until("return location.pathname === '/'")

    def type(self, field: str, text: str) -> None:
        found = self.driver.find_element(By.NAME, field)
        found.clear()
        found.send_keys(text)

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def press(self, *keys: str) -> None:
        """Keys to whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def tab_to(self, selector: str, most: int = 80) -> None:
        """Tab until the focus is there, as somebody without a mouse does."""
        for _ in range(most):
            self.press(Keys.TAB)
            if self.ask("return document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"{most} tabs do not lead to {selector}")

    def width(self, pixels: int) -> None:
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=pixels, height=900, deviceScaleFactor=1, mobile=pixels < 600
        )

    def colours(self, scheme: str) -> None:
        """Light or dark; nothing moves, for a colour on its way is none."""
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        self.tell("Emulation.setEmulatedMedia", features=[{"name": k, "value": v} for k, v in wanted.items()])

    def scripts(self, on: bool) -> None:
        self.tell("Emulation.setScriptExecutionDisabled", value=not on)

    def tell(self, command: str, **given: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, given)

    # -- what one sees

    @property
    def path(self) -> str:
        parts = urlsplit(self.driver.current_url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return [" ".join(one.text.split()) for one in self.all(selector)]

    def ask(self, script: str, *given: Any) -> Any:
        return self.driver.execute_script(script, *given)

    def until(self, script: str, *given: Any) -> Any:
        """Wait until the script gives something true."""
        return WebDriverWait(self.driver, PATIENCE_S, 0.02).until(lambda _: self.ask(script, *given), script)

    def until_at(self, path: str) -> None:
        """Wait until the address begins so; works without scripts."""
        WebDriverWait(self.driver, PATIENCE_S, 0.02).until(lambda _: self.path.startswith(path), path)

    def until_text(self, selector: str, text: str) -> None:
        """Wait until some such element has this text in it; works without scripts."""
        waiting = WebDriverWait(self.driver, PATIENCE_S, 0.02, [StaleElementReferenceException])
        waiting.until(lambda _: any(text in one for one in self.texts(selector)), text)

    def too_wide(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.ask("const e = document.documentElement; return e.scrollWidth - e.clientWidth"))

    def axe(self, *rules: str) -> list[str]:
        """What axe-core calls serious or critical; of these rules only, if any are named."""
        if not self.ask("return typeof axe !== 'undefined'"):
            self.ask(_axe())
        how = {"resultTypes": ["violations"], **({"runOnly": {"type": "rule", "values": rules}} if rules else {})}
        found = self.driver.execute_async_script(
            "const [how, done] = arguments; axe.run(document, how).then(r => done(r.violations), e => done(`${e}`))",
            how,
        )
        assert isinstance(found, list), found
        return [
            f"{one['id']}: {node['html'][:150]} {node.get('failureSummary', '')[:200]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    # -- what the browser says of it

    def look(self) -> None:
        """Take what has gathered in the browser's logs."""
        self.console += [entry["message"] for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])

    def violations(self) -> list[str]:
        """What the content security policy refused, and errors of our scripts."""
        self.look()
        return [one for one in self.console if "Content Security Policy" in one or "Uncaught" in one]

    def elsewhere(self) -> list[str]:
        """Requests to anybody but the console."""
        self.look()
        return [one for one in self.asked if not one.startswith((f"{self.base}/", "data:", "about:", "blob:"))]


@cache
def _axe() -> str:
    (path,) = VENDORED.glob("axe-*.min.js")
    return path.read_text(encoding="utf-8")
