"""Imports run one way, and a command loads only what it uses."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ippbx_billing

PACKAGE = Path(ippbx_billing.__file__).parent

# A room may import from itself and from the rooms above it; nobody imports the command line.
ROOMS = [
    "errors",
    "money",
    "calls",
    "language",
    "manual",
    "files",
    "dialects",
    "numbering",
    "tariffs",
    "settings",
    "sqlite",
    "inbox",
    "ledger",
    "documents",
    "service",
    "lists",
    "pbx",
    "listener",
    "pipeline",
    "reports",
    "delivery",
    "upkeep",
    "simulation",
    "cli",
]
RULES = ["dialects", "numbering", "tariffs"]
MEMORY = {"sqlite", "inbox", "ledger"}


def rooms() -> dict[str, list[Path]]:
    """Each room with its files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        found.setdefault(parts[0].removesuffix(".py"), []).append(path)
    return {room: files for room, files in found.items() if room not in ("__init__", "__main__")}


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, also inside functions, as dotted names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_every_room_has_its_line() -> None:
    """A new room says where it belongs, and a line that is no room goes."""
    assert sorted(rooms()) == sorted(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_one_way(room: str) -> None:
    """Words <- rules <- memory <- doors <- hands: a room imports only from above."""
    above = {*ROOMS[: ROOMS.index(room) + 1], "__version__"}
    for path in rooms()[room]:
        for name in imports_of(path):
            parts = name.split(".")
            if parts[0] == "ippbx_billing" and len(parts) > 1:
                assert parts[1] in above, f"{path.relative_to(PACKAGE)} imports {name}"


@pytest.mark.parametrize("room", RULES)
def test_rules_know_no_clock_socket_or_sql(room: str) -> None:
    """What a call means and costs follows from the call alone."""
    forbidden = {"sqlite3", "sqlite_utils", "socket", "httpx", "uvicorn", "starlette", "time", "asyncio", "subprocess"}
    for path in rooms()[room]:
        assert not {name.split(".")[0] for name in imports_of(path)} & forbidden, path
        text = path.read_text(encoding="utf-8")
        assert ".now(" not in text, path
        assert ".today(" not in text, path


def test_sql_stands_in_the_memory_alone() -> None:
    """Only the rooms of the memory, and the reports that ask them, speak SQL."""
    for room, files in rooms().items():
        if room in MEMORY | {"reports"}:  # the reports' own questions: see DESIGN, they follow
            continue
        for path in files:
            words = path.read_text(encoding="utf-8")
            assert not any(word in words for word in ('"SELECT ', '"INSERT ', '"UPDATE ', '"DELETE ')), path


def test_sqlite_is_spoken_to_in_the_memory_alone() -> None:
    """Elsewhere an error of the database is one of ours; a row's type is all that others may name."""
    for room, files in rooms().items():
        if room not in MEMORY | {"reports"}:
            for path in files:
                text = path.read_text(encoding="utf-8")
                assert "import sqlite3" not in text, path
                assert not re.search(r"from sqlite3 import (?!Row$)", text, re.M), path


def test_one_module_writes_files() -> None:
    """Who writes a file asks `files`, so that links, modes, pipes and killed runs are thought of once.

    What stays: logs of a child process and the packed backup, which are streams, locks, certificates in a folder that
    is gone at once, and the catalogues, which are made when the package is built.
    """
    apart = {
        "files.py",
        "language/catalogues.py",
        "documents/font_subset.py",
        "simulation/practice_pbx/identity.py",
        "cli/trial/listener_process.py",
        "upkeep/backups.py",
    }
    writes = re.compile(r"""\.write_(text|bytes)\(|mkstemp|NamedTemporaryFile|open\(.*["']w[b+t]*["']|os\.O_TRUNC""")
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).as_posix() not in apart:
            assert not writes.search(path.read_text(encoding="utf-8")), path


def test_only_the_command_line_knows_its_library() -> None:
    """Whatever a command does apart from reading options and printing, another face can do as well."""
    for room, files in rooms().items():
        if room == "cli":
            continue
        for path in files:
            assert not {name.split(".")[0] for name in imports_of(path)} & {"typer", "click"}, path


def test_documents_hold_no_circle() -> None:
    """Columns and cells stand below the model, the model below its writers."""
    below = PACKAGE / "documents"
    within = "ippbx_billing.documents"
    assert not any(name.startswith(within) for name in imports_of(below / "columns.py"))
    writers = [path for path in below.glob("*.py") if path.stem not in ("__init__", "render")]
    assert len(writers) > 5
    for path in writers:
        assert within not in imports_of(path), path
        assert f"{within}.render" not in imports_of(path), path


# Commands whose answers are still headed where they are printed; a report's, a call's and a price's are not.
HEADED_IN_CLI = {
    "calls/importing.py",
    "reports/changes.py",
    "calls/rerate.py",
    "common.py",
    "pbx/configure.py",
    "pbx/values.py",
    "people/departments.py",
    "people/employees.py",
    "people/extensions.py",
    "people/lists.py",
    "reports/bill.py",
    "reports/compare.py",
    "rules/carriers.py",
    "rules/dialects.py",
    "rules/filters.py",
    "rules/holidays.py",
    "rules/numbers.py",
    "rules/tariffs.py",
    "rules/trunks.py",
    "site/doctor.py",
    "site/help.py",
    "site/service.py",
    "trial/simulate.py",
}


def test_columns_stand_below_the_faces() -> None:
    """A command that heads columns is named here, and a name that is no longer needed goes."""
    heads = {
        path.relative_to(PACKAGE / "cli").as_posix()
        for path in rooms()["cli"]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Column"
    }
    assert heads == HEADED_IN_CLI


def test_rating_touches_no_third_party_package() -> None:
    """The core stands on the standard library."""
    for path in [PACKAGE / "tariffs" / "rating.py"]:
        outside = {name.split(".")[0] for name in imports_of(path)} - {"ippbx_billing"}
        assert outside <= set(sys.stdlib_module_names), path


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command has loaded when it is done."""
    script = (
        "import sys, json, atexit\n"
        "atexit.register(lambda: print('LOADED' + json.dumps(sorted(sys.modules))))\n"
        f"sys.argv = ['ippbx-bill', *{list(arguments)!r}]\n"
        "from ippbx_billing.cli import main\nmain()\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    return set(json.loads(printed.rpartition("LOADED")[2]))


@pytest.mark.parametrize("command", [[], ["listen"], ["report"], ["dialects"], ["pbx"]])
def test_help_loads_no_server_and_no_data(command: list[str]) -> None:
    """`--help` is quick because it imports nothing that it does not need."""
    loaded = loaded_by(*command, "--help")
    heavy = {
        "starlette",
        "uvicorn",
        "phonenumbers",
        "babel",
        "lxml",
        "httpx",
        "sqlite_utils",
        "holidays",
        "json_repair",
    }
    assert sorted(heavy & {name.split(".")[0] for name in loaded}) == []
    assert sorted(name for name in loaded if name.startswith("ippbx_billing.numbering")) == []


def test_help_loads_no_command_and_a_command_no_other() -> None:
    """The list of commands comes from the table alone; what was called brings its own modules and no neighbour's."""

    def commands(*arguments: str) -> set[str]:
        prefix = "ippbx_billing.cli."
        return {name.removeprefix(prefix) for name in loaded_by(*arguments) if name.startswith(prefix)}

    assert commands("--help") == {"announced", "app", "common"}
    assert commands("holidays", "--help") == {"announced", "app", "common", "rules", "rules.holidays"}
