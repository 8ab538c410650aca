"""A clean environment for every test, an initialised site to copy, and the command line at arm's length."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from typer.testing import CliRunner, Result

from ippbx_billing import language as texts
from ippbx_billing.cli import common
from ippbx_billing.cli.app import app
from ippbx_billing.language.catalogues import compile_all

Cli = Callable[..., Result]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the longer tests")
    parser.addoption("--renew-snapshots", action="store_true", help="write tests/data/snapshots as commands look now")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # once, before the workers of pytest-xdist start
        compile_all()
    # No time of a run decides; half of the usual examples, so that the whole suite stays short, and all with --slow.
    settings.register_profile("suite", deadline=None, max_examples=100 if config.getoption("--slow") else 50)
    settings.load_profile("suite")
    os.environ.pop("COLUMNS", None)  # what commands print does not depend on the terminal the tests are started from
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes need not compile the package each


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="a longer run; opt in with --slow"))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine reaches a test, and each begins in English."""
    for name in list(os.environ):
        if name.startswith("IPPBX_BILL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(common.state, "data_dir", None)
    monkeypatch.setattr(common.state, "lang", None)
    texts.use("en")


@pytest.fixture(scope="session")
def fresh_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a site in Tianjin as `init` leaves it; copy it, do not touch it."""
    data_dir = tmp_path_factory.mktemp("site") / "data"
    result = CliRunner().invoke(app, ["--data-dir", str(data_dir), "--lang", "en", "init", "--area-code", "022"])
    assert result.exit_code == 0, result.output
    return data_dir


@pytest.fixture
def site(fresh_site: Path, tmp_path: Path) -> Path:
    """A data directory of its own for this test."""
    return Path(shutil.copytree(fresh_site, tmp_path / "data"))


@pytest.fixture
def cli(site: Path) -> Cli:
    """Run `ippbx-bill` on the test's site: `cli("report", "--month", "2026-10")`."""

    def run(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, ["--data-dir", str(site), *arguments], input=stdin)

    return run
