"""Every command of the README and of the manual runs, in the order of its page, in one folder, in both languages."""

import shutil
from pathlib import Path

import pytest

from ippbx_billing.cli import common
from tests.manual import site as demo
from tests.manual.pages import blocks, commands, every_page
from tests.manual.typist import NOT_RUN, Typist, not_run

PAGES = {(language, topic): text for language, topic, text in every_page()}
WORKED = ("plans", "tariff-terms")  # run by tests of their own, which read every line of the answers as well
TYPED = [key for key, text in PAGES.items() if key[1] not in WORKED and any(not not_run(one) for one in commands(text))]
ON_A_SITE_OF_THEIR_OWN = (
    "README",
    "start",
    "install",
    "connect",
)  # with the true clock; the others use the demo's data


@pytest.fixture(scope="module")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `ippbx-bill demo --keep demo-data` leaves; copy it, do not touch it."""
    folder = tmp_path_factory.mktemp("demo") / "demo-data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "now", lambda: demo.NOW)
        demo.make(folder)
    return folder


SHORT = ("README", "start", "people", "reports")


@pytest.mark.parametrize(
    ("language", "topic"),
    # Both languages have the same commands, which a test holds; so most Chinese pages are typed with --slow alone.
    [
        pytest.param(*key, id="-".join(key), marks=[pytest.mark.slow] if key[0] == "zh" and key[1] not in SHORT else [])
        for key in TYPED
    ],
)
def test_the_commands_of_a_page_run(
    language: str, topic: str, demo_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first line to the last, each as it stands there."""
    data_dir = "data" if topic in ON_A_SITE_OF_THEIR_OWN else "demo-data"
    monkeypatch.setenv("IPPBX_BILL_DATA_DIR", data_dir)
    if topic not in ON_A_SITE_OF_THEIR_OWN:
        shutil.copytree(demo_data, tmp_path / data_dir)
        monkeypatch.setattr(common, "now", lambda: demo.NOW)
    with Typist(tmp_path, language, monkeypatch) as typist:
        if topic == "connect":  # its first sentence
            typist.type("ippbx-bill init --area-code 022")
        for block in blocks(PAGES[language, topic]):
            typist.write(block)
        for line in commands(PAGES[language, topic]):
            if not not_run(line):
                typist.type(line)


@pytest.mark.parametrize("topic", WORKED)
def test_worked_examples_have_their_own_test(topic: str) -> None:
    """Which names the page."""
    tests = [path for path in Path(__file__).parents[1].rglob("test_*.py") if path != Path(__file__)]
    assert any(topic in path.read_text("utf-8") for path in tests)


def test_what_is_not_run_stands_on_a_page() -> None:
    """A reason that nothing needs any more goes."""
    lines = [line for text in PAGES.values() for line in commands(text)]
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)] == []
