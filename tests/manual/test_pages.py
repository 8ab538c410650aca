"""The manual is whole: both languages tell the same, links lead somewhere, and no table was typed."""

import re
from pathlib import Path

import pytest

from ippbx_billing import dialects, manual
from ippbx_billing.reports import GROUPS
from tests import PROJECT
from tests.manual.__main__ import MARKS, sections
from tests.manual.pages import blocks, commands, every_page, folder, headings
from tests.manual.pictures import FOLDER as PICTURES
from tests.manual.tables import with_section

README = PROJECT / "README.md"
EVERY = list(every_page())
TOPICS = [page.topic for page in manual.pages("en")]


def test_both_languages_have_the_same_pages() -> None:
    """And nothing else lies beside them, but for the Chinese first page."""
    english, chinese = ({path.name for path in folder(language).iterdir()} for language in ("en", "zh"))
    assert chinese - english == {"README.md"}
    assert english - chinese == set()


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_tells_the_same_in_both_languages(topic: str) -> None:
    """As many headings of each depth, the same commands in the same order, the same files."""
    english, chinese = (folder(language).joinpath(f"{topic}.md").read_text("utf-8") for language in ("en", "zh"))
    assert _depths(english) == _depths(chinese)
    assert commands(english) == commands(chinese)
    assert [one.lines for one in blocks(english) if one.file] == [one.lines for one in blocks(chinese) if one.file]


def _depths(text: str) -> list[int]:
    fenceless = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", fenceless, re.MULTILINE)]


@pytest.mark.parametrize("topic", TOPICS)
def test_the_chinese_page_is_chinese(topic: str) -> None:
    """A page that fell back to English, or was copied, is noticed; tables of keys and figures have no words."""
    text = (folder("zh") / f"{topic}.md").read_text("utf-8")
    assert all(re.search(r"[\u4e00-\u9fff]|^`", heading) for heading in headings(text))
    prose = [line for line in _prose(text) if not re.search(r"[\u4e00-\u9fff]", line)]
    assert [line for line in prose if len(re.findall(r"[A-Za-z]{2,}", line)) > 5] == []


def _prose(text: str) -> list[str]:
    """The lines that are not table, code or mark, without what stands in code signs."""
    bare = re.sub(r"^```.*?^```$|`[^`\n]*`|<!--.*?-->|\(\S+?\)", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for line in bare.splitlines() if line and not line.startswith("|")]


@pytest.mark.parametrize(("language", "topic", "text"), EVERY, ids=[f"{one[0]}-{one[1]}" for one in EVERY])
def test_links_lead_somewhere(language: str, topic: str, text: str) -> None:
    """Every file that a page links to or shows is there."""
    here = folder(language) if (language, topic) != ("en", "README") else PROJECT
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    assert [target for target in targets if not (here / target).exists()] == []


def test_the_first_page_is_short_and_leads_to_the_chinese_one() -> None:
    """At most 150 lines, whose first is for those who read Chinese; all pages of the manual are named."""
    lines = README.read_text("utf-8").splitlines()
    assert len(lines) <= 150
    assert lines[0] == "[中文说明](ippbx_billing/manual/zh/README.md)"
    chinese = (folder("zh") / "README.md").read_text("utf-8")
    for topic in TOPICS:
        assert f"(ippbx_billing/manual/en/{topic}.md)" in "\n".join(lines)
        assert f"({topic}.md)" in chinese


def test_both_first_pages_give_the_same_commands() -> None:
    """In the same order."""
    chinese = (folder("zh") / "README.md").read_text("utf-8")
    assert commands(README.read_text("utf-8")) == commands(chinese)


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], str]:
    return sections()


@pytest.mark.parametrize("topic", MARKS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_made_tables_are_up_to_date(made: dict[tuple[str, str], str], language: str, topic: str) -> None:
    """`python -m tests.manual` would change nothing."""
    text = (folder(language) / f"{topic}.md").read_text("utf-8")
    assert with_section(text, MARKS[topic], made[language, topic]) == text, "run: python -m tests.manual"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_dialect_and_grouping_is_named(language: str) -> None:
    """The list of PBX families is complete, and so is what `report --by` understands."""
    families, reports = (manual.page(topic, language) for topic in ("other-pbx", "reports"))
    assert families
    assert reports
    assert [name for name in dialects.load() if f"| `{name}` |" not in families.text] == []
    assert [name for name in GROUPS if name.replace("_", "-") not in reports.text] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_recording_is_of_the_first_page(language: str) -> None:
    """The commands in the picture are those of the page, and it ends with a bill."""
    picture = (PICTURES / f"terminal-{language}.svg").read_text("utf-8").replace("&#160;", " ")
    for line in commands((folder(language) / "start.md").read_text("utf-8"))[:3]:
        assert f"$ {line}" in picture
    assert "0.98" in picture
    assert "url(http" not in picture


def test_pictures_are_small() -> None:
    """They are looked at on the way to the text."""
    assert {path.suffix for path in PICTURES.iterdir()} == {".svg", ".png"}
    assert max(path.stat().st_size for path in PICTURES.iterdir()) < 50_000


def test_the_manual_speaks_of_no_place_of_ours() -> None:
    """No path or host of the machine that it was written on."""
    for _, topic, text in EVERY:
        assert not re.search(r"/work/|/tmp/|/root/|/home/", text), topic


def test_pages_are_read_from_the_package() -> None:
    """Where the wheel has them."""
    assert Path(manual.__file__).parent == manual.FOLDER
    assert [page.topic for page in manual.pages("en")][:2] == ["start", "install"]
