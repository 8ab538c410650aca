"""Imports run one way, and a command loads only what it uses."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import ippbx_billing

PACKAGE = Path(ippbx_billing.__file__).parent

# A room may import from its own shelf and from the shelves before it.
SHELVES = [
    {"errors", "calls", "money", "texts"},
    {"dialects", "numbering", "tariffs", "rating", "explain", "traffic", "sheets"},
    {"migrations", "copies", "pruning", "quarantine", "inbox", "ledger", "reports"},
    {"listener", "pbx_admin", "practice_pbx", "files", "render", "logs", "plots", "documents", "parquet"},
    {
        "settings",
        "pipeline",
        "worker",
        "doctor",
        "comparison",
        "rerating",
        "rebuilding",
        "exports",
        "staff",
        "bills",
        "upkeep",
        "service",
    },
    {"cli"},
]
RULES = {"dialects", "numbering", "tariffs", "rating", "explain"}


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


def shelf_of(room: str) -> int:
    return next(place for place, shelf in enumerate(SHELVES) if room in shelf)


def test_every_room_has_its_shelf() -> None:
    """A new room says where it belongs."""
    known = set.union(*SHELVES)
    assert sorted(set(rooms()) - known) == []


@pytest.mark.parametrize("room", sorted(rooms()))
def test_imports_run_one_way(room: str) -> None:
    """Words <- rules <- memory <- doors <- hands; nobody imports the command line."""
    for path in rooms()[room]:
        for name in imports_of(path):
            parts = name.split(".")
            if parts[0] != "ippbx_billing" or len(parts) < 2 or parts[1] not in set.union(*SHELVES):
                continue
            assert shelf_of(parts[1]) <= shelf_of(room), f"{path.name} imports {name}"


@pytest.mark.parametrize("room", sorted(RULES))
def test_rules_know_no_clock_socket_or_sql(room: str) -> None:
    """What a call means and costs follows from the call alone."""
    forbidden = {"sqlite3", "sqlite_utils", "socket", "httpx", "uvicorn", "starlette", "time", "asyncio", "subprocess"}
    for path in rooms()[room]:
        assert not {name.split(".")[0] for name in imports_of(path)} & forbidden, path
        text = path.read_text(encoding="utf-8")
        assert ".now(" not in text, path
        assert ".today(" not in text, path


def test_sql_stands_in_the_memory_alone() -> None:
    """Only migrations, inbox, ledger and reports speak SQL."""
    for room, files in rooms().items():
        if shelf_of(room) == 2:
            continue
        for path in files:
            words = path.read_text(encoding="utf-8")
            assert not any(word in words for word in ('"SELECT ', '"INSERT ', '"UPDATE ', '"DELETE ')), path


def test_rating_touches_no_third_party_package() -> None:
    """The core stands on the standard library."""
    for path in rooms()["rating"]:
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
    assert commands("holidays", "--help") == {"announced", "app", "common", "holidays"}
