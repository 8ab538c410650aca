"""Imports run one way, and a command loads only what it uses."""

import ast
import hashlib
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
    "files",
    "dialects",
    "numbering",
    "tariffs",
    "alerts",  # knows calls, fees and the calendar; the ledger keeps its findings in the calls' own transaction
    "settings",
    "sqlite",
    "inbox",
    "ledger",
    "operators",
    "documents",
    "manual",
    "service",
    "ship",  # the edge of many sites: the inbox leaves the house by position
    "lists",
    "pbx",
    "listener",
    "pipeline",
    "reports",
    "delivery",
    "history",
    "upkeep",
    "simulation",
    "centre",  # where the inboxes of many sites meet, in one PostgreSQL
    "console",
    "cli",
]
RULES = ["dialects", "numbering", "tariffs", "alerts"]
LOADED = {
    "announced",
    "app",
    "common",
    "completing",
    "given",
    "helping",
    "mistakes",
    "parsing",
    "plain_values",
}  # for the names of commands
MEMORY = {"sqlite", "inbox", "ledger", "operators"}


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
    """A new room says where it belongs, and a line that is not a room goes."""
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
        if room in MEMORY | {"reports", "history", "centre"}:  # the reports' own questions; what others are asked
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


def test_columns_stand_below_the_faces() -> None:
    """No command heads a table: titles, columns and rows are where every face can call them."""
    for path in rooms()["cli"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            heads = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Column"
            assert not heads, path.relative_to(PACKAGE)


COMPUTES = {"sum", "round", "divmod", "abs", "pow", "Decimal", "Fraction"}
PLACES = ("dir", "directory", "folder", "beside", "path")  # how what a file's name is joined to is called


def is_text_or_list(node: ast.expr) -> bool:
    """What `+` joins: a text or a list as it is written, translated or joined, or one of two such."""
    if isinstance(node, ast.IfExp):
        return is_text_or_list(node.body) and is_text_or_list(node.orelse)
    if isinstance(node, ast.Call):
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        return called in ("tr", "join")
    written = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return written or isinstance(node, ast.JoinedStr | ast.List | ast.ListComp)


def counts(node: ast.expr) -> bool:
    """What a counter goes by: a whole number as it is written, or how many of something there are."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"


def is_clock(node: ast.expr) -> bool:
    """The clock by which somebody is waited for."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("monotonic")


def is_set(node: ast.expr) -> bool:
    """The keys of something, or a set as it is made."""
    return isinstance(node, ast.Set | ast.SetComp) or (
        isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".keys", "set"))
    )


def works_out(node: ast.AST) -> bool:
    """Whether an expression works out an amount or a length: more than joining, counting and waiting."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in COMPUTES
    if isinstance(node, ast.AugAssign):
        sides = [node.value]
    elif isinstance(node, ast.BinOp):
        sides = [node.left, node.right]
    else:
        return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).endswith("_micro")
    if isinstance(node.op, ast.BitOr | ast.BitAnd):
        return False
    if isinstance(node.op, ast.Div):
        return not ast.unparse(sides[0]).endswith(PLACES)
    if not isinstance(node.op, ast.Add | ast.Sub):
        return True
    allowed = (counts, is_clock, *((is_text_or_list,) if isinstance(node.op, ast.Add) else (is_set,)))
    return not any(may(side) for side in sides for may in allowed)


def test_the_command_line_works_nothing_out() -> None:
    """Fees, lengths and times are worked out below the faces; a command reads options, calls, prints.

    It may join texts and lists, put a name behind a folder, count one by one or by `len`, and wait by the clock.
    It never multiplies, divides, sums or rounds, and no micro-unit has a name there.
    """
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(node)}"  # type: ignore[attr-defined]
        for path in rooms()["cli"]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if works_out(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("written", "allowed"),
    [
        ("fee_micro", False),
        ("price.fee_micro", False),
        ("before - after", False),
        ("seconds + grace_s", False),
        ("fee * 2", False),
        ("billed_s // 60", False),
        ("size / 1024", False),
        ("sum(fees)", False),
        ("Decimal(fee)", False),
        ("total += fee", False),
        ("row['fee'] + row['tax']", False),
        ("data_dir / 'x'", True),
        ("using.data_dir / name", True),
        ("', '.join(names) + ', …'", True),
        ("'  ' + text", True),
        ("place + 1", True),
        ("len(rows) - SHOWN", True),
        ("monotonic() - begun", True),
        ("given.keys() - known", True),
        ("count += 1", True),
        ("rows += [row]", True),
    ],
)
def test_what_working_out_is(written: str, allowed: bool) -> None:
    """The rule of the test above, by examples."""
    (statement,) = ast.parse(written).body
    node = statement.value if isinstance(statement, ast.Expr) else statement
    assert works_out(node) is not allowed


def test_the_console_asks_and_shows() -> None:
    """It reckons nothing and asks no database: what it shows is what every other face shows."""
    reckons = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
    for path in rooms()["console"]:
        imported = {name.split(".")[0] for name in imports_of(path)} | imports_of(path)
        assert not imported & {"sqlite3", "sqlite_utils", "decimal", "math", "statistics"}, path
        assert not any(name.startswith("ippbx_billing.money") for name in imported), path
        tree = ast.parse(path.read_text(encoding="utf-8"))
        sums = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, reckons)
        ]
        sums += [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("sum", "round")
        ]
        if path.name == "frame.py":  # how many bytes of a body are left
            assert len(sums) == 1
        else:
            assert sums == [], path
    templates = sorted((PACKAGE / "console" / "templates").glob("*.html"))
    assert templates
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", ""), path
        assert not re.search(r"\|\s*(sum|round)|SELECT ", text), path


def test_what_the_console_ships_of_others_is_unchanged() -> None:
    """By the digests in the notice beside it; and our own style stays small."""
    static = PACKAGE / "console" / "static"
    notice = (static / "NOTICE").read_text(encoding="utf-8")
    digests = re.findall(r"^(\S+\.(?:js|css)) .*\n  sha256 ([0-9a-f]{64})$", notice, re.M)
    assert len(digests) == 2
    for name, digest in digests:
        assert hashlib.sha256((static / name).read_bytes()).hexdigest() == digest
    assert (static / "console.css").stat().st_size <= 10_000


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

    assert commands("--help") == LOADED
    assert commands("holidays", "--help") == LOADED | {"noting", "rules", "rules.holidays"}
