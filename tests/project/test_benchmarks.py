"""Figures in the manual are those that were measured and saved, and the benchmarks that measure them exist."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import PROJECT
from tests.benchmarks.figures import Figure, rounded
from tests.benchmarks.readme import BENCHMARKS, PAGES, saved, section, with_section


@pytest.mark.parametrize("language", PAGES)
def test_what_the_manual_says_was_measured_is_what_was_saved(language: str) -> None:
    """`python -m tests.benchmarks.readme` would change nothing: no figure was typed, and none is out of date."""
    text = PAGES[language].read_text("utf-8")
    assert with_section(text, section(saved(), language)) == text
    assert set(saved()) <= set(BENCHMARKS)
    assert section(saved()).count("`python -m tests.benchmarks.") == len(saved()) > 0


def test_a_saved_figure_becomes_a_line() -> None:
    """Figure, ratio and what was required of them, rounded as far as they are worth."""
    rows = [
        Figure("fast", 12_345.6, "calls/s", 0.876, 0.85).as_json(),
        Figure("late", 0.12345, "s", None, 1.0, at_most=True).as_json(),
    ]
    made = section({"chain": {"command": "python -m x", "load": "0.1 on 2 cores", "rows": rows}})
    assert made.splitlines()[0] == "`python -m x` (load before it: 0.1 on 2 cores)"
    assert made.splitlines()[-2:] == ["| fast | 12,346 calls/s | 0.88 | ≥ 0.85 |", "| late | 0.123 s |  | ≤ 1.0 |"]


@pytest.mark.parametrize(
    ("figure", "missed"),
    [
        (Figure("", 5, "s"), False),
        (Figure("", 5, "s", None, 4), False),
        (Figure("", 5, "s", None, 4, at_most=True), True),
        (Figure("", 5, "s", 0.5, 0.6), True),
        (Figure("", 5, "s", 0.5, 0.6, at_most=True), False),
    ],
)
def test_what_was_required(figure: Figure, missed: bool) -> None:
    """Of the ratio where there is one, else of the figure; from below or from above."""
    assert figure.missed is missed


def test_rounding_keeps_three_digits() -> None:
    """Neither more than was measured, nor an exponent."""
    assert [rounded(value) for value in (5_000.4, 99.95, 0.036_54, 0)] == [5_000, 100.0, 0.0365, 0]


def test_the_marks_must_be_there() -> None:
    """A page without its two marks is not touched."""
    with pytest.raises(ValueError, match="needs the lines"):
        with_section("no marks", "| a |")


def test_every_benchmark_has_its_module() -> None:
    """Each name that can be run stands beside the generator and takes `--json`."""
    folder = PROJECT / "tests" / "benchmarks"
    for name in BENCHMARKS:
        source = (folder / f"{name}.py").read_text("utf-8")
        assert "--json" in source or "add_options(" in source


@pytest.mark.parametrize(
    ("command", "measured"),
    [
        ("worker 200", {"worker, numbers repeat", "worker, all numbers differ", "worker, numbers repeat: rating"}),
        ("numbering --quick", {"numbers, all different", "numbers, of the world, all different"}),
        ("rebuild 200", {"rebuild, events", "rebuild, memory"}),
        ("rating 2000", {"rating, rate", "rating, explain"}),
        ("rerate 3000", {"rerate, nothing changed", "rerate, every price dearer", "rerate, memory"}),
        ("startup 1", {"start-up, more than bare Python: report --month"}),
        pytest.param("suggest", {"suggest, both"}, marks=pytest.mark.slow),  # a third of a minute, and no requirement
        pytest.param(
            "bills 4 --calls-each 2", {"4 employees with 8 calls: `bill --all` as PDF"}, marks=pytest.mark.slow
        ),
        pytest.param(
            "edits 60 --per-second 100 --edits 1",
            {"an edit beside 60 rows: the worker stands still"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "peers 400 --deck 60",
            {"ours: POST to rated row, durable", "SQLite: arithmetic", "DuckDB: arithmetic"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_benchmark_runs_in_a_small_size(command: str, measured: set[str], tmp_path: Path) -> None:
    """It comes to its end and tells what it measures, whatever that is."""
    name, *arguments = command.split()
    saved_to = tmp_path / "figures.json"
    run = [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments, "--json", str(saved_to)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {row["name"] for row in json.loads(saved_to.read_text("utf-8"))} >= measured


def test_the_whole_chain_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """A hundred records through the true listener and its worker: each is one call with one charge, and is told of."""
    saved_to = tmp_path / "chain.json"
    command = [sys.executable, "-m", "tests.benchmarks.chain", "--seconds", "1", "--per-second", "100"]
    done = subprocess.run([*command, "--json", str(saved_to)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acknowledged 100; kept 100, events with a call 100, calls 100, charges 100, in the sums 100" in done.stdout
    assert {row["name"] for row in json.loads(saved_to.read_text("utf-8"))} >= {
        "chain, auto: acknowledged",
        "chain, auto: arrival to rated row, p99",
    }


def measured(tmp_path: Path, name: str, *arguments: str) -> list[str]:
    """The names of the figures of a tiny run."""
    saved_to = tmp_path / "figures.json"
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments, "--json", str(saved_to)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [row["name"] for row in json.loads(saved_to.read_text("utf-8"))]


def test_a_tiny_export_is_measured(tmp_path: Path) -> None:
    """Each form, its time and its memory."""
    assert measured(tmp_path, "exports", "200", "--rounds", "1") == [
        f"export of 200 calls as {form}{what}" for form in ("CSV", "XLSX", "Parquet") for what in ("", ", memory")
    ]


@pytest.mark.slow
def test_tiny_growth_is_measured(tmp_path: Path) -> None:
    """Report, export and rating again of two ledgers, the second beside the first."""
    names = measured(tmp_path, "growth", "600", "1200", "--extensions", "5")
    assert len(names) == 12
    assert names[-2] == "1,200 calls: a year rated again"


@pytest.mark.slow
def test_tiny_lists_are_measured(tmp_path: Path) -> None:
    """A list is brought in and checked, and a price asked for beside it."""
    assert measured(tmp_path, "decks", "60", "--checked", "40", "--rounds", "1") == [
        "`tariffs import` of 60 rows",
        "`tariffs import` of 60 rows, memory",
        "`tariffs check` of 40 rows",
        "`tariffs check` of 40 rows ÷ of 4",
        "`quote` beside 60 rows, above one without",
    ]


def test_tiny_reports_are_measured(tmp_path: Path) -> None:
    """Questions of a year of few calls, as whole processes too."""
    names = measured(tmp_path, "reports", "3000", "--extensions", "20", "--rounds", "1")
    assert "reports: report --month 2026-02 --by number, its processor time above bare Python" in names


@pytest.mark.slow
def test_a_tiny_console_is_measured(tmp_path: Path) -> None:
    """Two open pages beside a listener that takes records, and every page over few calls."""
    tiny = "--pages 2 --per-second 50 --seconds 0.5 --turns 1 --calls 2000 --rounds 1"
    names = measured(tmp_path, "console", *tiny.split())
    assert "console, 2 open pages: answer with them, p99" in names
    assert "console, 2 open pages: memory of the console" in names
    assert "console, a call's story over 2,000 calls" in names
