"""One listener with its console, and one browser, for all tests of a worker; each test finds the browser as new."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.browser.chromium import Chromium, binaries
from tests.service_process import Service


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def service(made_office: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The listener with the console, over the office's calls."""
    binaries()
    office = Path(shutil.copytree(made_office, tmp_path_factory.mktemp("browsed") / "data"))
    with Service(office, "--console", IPPBX_BILL_CONSOLE_PORT="0") as running:
        running.base = running.console_address()
        yield running


@pytest.fixture(scope="session")
def window(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(service.base, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(window: Chromium) -> Iterator[Chromium]:
    """As new before the test; after it, nothing was refused and nobody else was asked."""
    window.begin()
    yield window
    assert window.violations() == []
    assert window.elsewhere() == []
    window.open("about:blank")  # its stream ends


@pytest.fixture
def anna(browser: Chromium) -> Chromium:
    """The administrator at the browser."""
    browser.sign_in("anna")
    return browser
