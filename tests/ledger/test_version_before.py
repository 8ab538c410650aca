"""A data directory of the version before opens, and gives the same reports, bills and stories in both languages."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ippbx_billing import language
from ippbx_billing.calls import Reason
from ippbx_billing.cli.app import app
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.reasons import loaded
from ippbx_billing.ledger.sentences import recognised

KEPT = Path(__file__).parent.parent / "data" / "version_before"
TOLD: list[dict[str, Any]] = json.loads((KEPT / "told.json").read_text(encoding="utf-8"))
ENGLISH = re.compile(r"(?<![\w-])[a-z]{2,} [A-Za-z0-9]{2,}|[A-Z]+ [a-z]+")  # words in a row
CONTINUED = re.compile(r" {20}|\+ ")  # a cell's second line, which breaks elsewhere in another language


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory, made of its SQL; opened once, so that the ledger is brought up to date."""
    data_dir = tmp_path_factory.mktemp("kept")
    for name in ("inbox", "ledger"):
        with closing(sqlite3.connect(data_dir / f"{name}.db")) as connection:
            connection.executescript((KEPT / f"{name}.sql").read_text(encoding="utf-8"))
    shutil.copy(KEPT / "settings.toml", data_dir)
    Ledger(data_dir / "ledger.db").close()
    return data_dir


def answer(data_dir: Path, told: dict[str, Any]) -> str:
    options = ["--data-dir", str(data_dir), "--lang", told["lang"]]
    language.use(told["lang"])
    given = CliRunner().invoke(app, [*options, *told["command"], "--format", told["format"]], env={"COLUMNS": "200"})
    assert given.exit_code == 0, given.output
    return given.stdout


def only_known(new: Any, old: Any) -> Any:
    """The new document without the keys that the old one did not have."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            key: value if key == "hint" else with_codes(new[key]) if key == "text" else only_known(new[key], value)
            for key, value in old.items()
            if key in new
        }
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [only_known(one, other) for one, other in zip(new, old, strict=True)]
    return new


def is_english(line: str) -> bool:
    """Whether there is an English sentence in it; a command in quotes is none."""
    return ENGLISH.search(re.sub("`[^`]*`", "", line)) is not None


# Since then a story names countries where it showed their codes.
NAMED = {"United Kingdom (GB)": "GB", "英国（GB）": "GB", "英国 (GB)": "GB", "United Kingdom": "GB", "英国": "GB",
         "China": "CN", "中国": "CN"}  # fmt: skip


def with_codes(text: str) -> str:
    """The text as it was before countries had names."""
    for name, code in NAMED.items():
        text = re.sub(rf"(, |country |所属地 |国家或地区 ){re.escape(name)}(?=[.。,，的])", rf"\1{code}", text)
    return text


ADDED = "Priced by "  # what a story tells since: the moment by which a call is priced


def ident(told: dict[str, Any]) -> str:
    return "-".join([*told["command"], told["lang"]])


@pytest.mark.parametrize("told", [one for one in TOLD if one["format"] == "json"], ids=ident)
def test_programs_are_told_the_same(kept: Path, told: dict[str, Any]) -> None:
    """Keys were added, none is gone, and every value is what it was."""
    assert only_known(json.loads(answer(kept, told)), told["told"]) == told["told"]


# Since then a sum that is not whole says so, and a hint is a whole command: these are looked at as JSON alone.
REWORDED = (["report", "--month", "2026-10"], ["report", "unrated", "--month", "2026-10"])
REWORDED = (*REWORDED, ["bill", "--month", "2026-10", "--all"])
TABLES = [one for one in TOLD if one["format"] == "table" and one["command"] not in REWORDED]


@pytest.mark.parametrize("told", TABLES, ids=ident)
def test_people_are_told_the_same(kept: Path, told: dict[str, Any]) -> None:
    """Line by line; where a Chinese reader met an English sentence, there is a Chinese one now."""
    if told["lang"] == "en":
        lines = with_codes(answer(kept, told)).splitlines(keepends=True)
        assert "".join(line for line in lines if not line.startswith(ADDED)) == told["told"]
        return
    new, old = with_codes(answer(kept, told)).splitlines(), told["told"].splitlines()
    assert [line for line in new if is_english(line)] == []
    kept_lines = [line for line in old if not (is_english(line) or CONTINUED.match(line))]
    assert set(map(words_of, kept_lines)) - set(map(words_of, new)) == set()


def words_of(line: str) -> str:
    """A line without its layout: columns may be wider now, and brackets those of Chinese."""
    return "" if "─" in line else " ".join(line.replace("（", "(").replace("）", ")").split())


def test_every_reason_kept_was_recognised(kept: Path) -> None:
    """No code "text" is left of what the version before wrote."""
    with Ledger(kept / "ledger.db") as ledger:
        for table in ("charges", "charge_history", "outcomes"):
            rows = ledger.connection.execute(f"SELECT DISTINCT reason, reason_facts FROM {table}").fetchall()
            assert rows
            assert [one for one in rows if one["reason"] == "text"] == []
            assert all(loaded(*one) for one in rows if one["reason"])


def test_what_nobody_recognises_is_kept_word_by_word() -> None:
    """A sentence of a person, or of a version before the version before."""
    assert recognised("why not") == Reason("text", {"text": "why not"})
    assert recognised("a leg; of another", "twin") == Reason("twin", {"because": "a leg; of another"})
