"""Who had which extension when, the lists it comes from, and what the calls of a month make of it."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlite_utils
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing.errors import BillingError, NotFoundError, UsageError
from ippbx_billing.ledger import Ledger, migrations
from ippbx_billing.ledger.directory import EVER, DirectoryTables
from ippbx_billing.lists.people import bring_in
from ippbx_billing.lists.people import files as lists
from ippbx_billing.lists.people.entries import ExtensionEntry
from tests.conftest import Cli

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
TODAY = date(2026, 11, 20)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def directory(ledger: Ledger) -> DirectoryTables:
    return ledger.directory


def holder(directory: DirectoryTables, extension: str, day: date) -> tuple[str | None, str | None]:
    """Name and department as calls are joined to them."""
    row = directory.connection.execute(
        "SELECT e.name, h.department_id FROM holders h LEFT JOIN employees e ON e.id = h.employee_id "
        "WHERE h.extension = ? AND h.first_day <= ? AND ? < h.end_day",
        [extension, day.isoformat(), day.isoformat()],
    ).fetchall()
    assert len(row) <= 1, "two holders on one day"
    return (row[0]["name"], directory.paths().get(row[0]["department_id"])) if row else (None, None)


def test_october_stays_with_whoever_had_the_extension_in_october(directory: DirectoryTables) -> None:
    """A later holder and a later department change nothing about earlier days."""
    directory.add_employee("1001", "张三", "公司/工程部")
    directory.add_employee("1002", "李四", "公司/销售部")
    directory.assign("8001", EVER, employee="1001")
    directory.assign("8001", NOVEMBER, employee="1002")
    directory.place("1001", date(2026, 10, 15), "公司/外包")
    assert holder(directory, "8001", date(2026, 10, 14)) == ("张三", "公司/工程部")
    assert holder(directory, "8001", date(2026, 10, 15)) == ("张三", "公司/外包")
    assert holder(directory, "8001", NOVEMBER) == ("李四", "公司/销售部")


def test_an_extension_may_be_a_departments_or_nobodys(directory: DirectoryTables) -> None:
    """The phone in the hall has no person; one that is kept for the next person has nobody."""
    directory.assign("8100", EVER, department="公司")
    directory.assign("8100", NOVEMBER)
    assert holder(directory, "8100", OCTOBER) == (None, "公司")
    assert holder(directory, "8100", NOVEMBER) == (None, None)
    assert [one.number for one in directory.extensions(NOVEMBER)] == ["8100"]
    directory.remove_extension("8100", NOVEMBER)
    assert directory.extensions(NOVEMBER) == []
    assert [one.number for one in directory.extensions(OCTOBER)] == ["8100"]


def test_who_leaves_releases_the_extensions_and_keeps_the_past(directory: DirectoryTables) -> None:
    """Also what was meant for a later day."""
    directory.add_employee("1001", "张三", "工程部")
    directory.assign("8001", EVER, employee="1001")
    directory.assign("8002", date(2026, 12, 1), employee="1001")
    assert directory.remove_employee("1001", NOVEMBER) == ["8001", "8002"]
    assert holder(directory, "8001", OCTOBER) == ("张三", "工程部")
    assert holder(directory, "8001", NOVEMBER) == holder(directory, "8002", date(2027, 1, 1)) == (None, None)
    assert directory.employees(NOVEMBER) == []
    with pytest.raises(UsageError, match="is not here on 2026-11-05"):
        directory.assign("8001", date(2026, 11, 5), employee="1001")
    directory.add_employee("1001", "张三", "销售部", date(2026, 12, 1))
    assert [one.department for one in directory.employees(date(2026, 12, 1))] == ["销售部"]


def test_a_number_that_was_never_in_use_is_free_again(directory: DirectoryTables) -> None:
    """Who leaves before the first day was never here; the next one has the number with their own name."""
    directory.add_employee("1001", "张三", None, NOVEMBER)
    directory.remove_employee("1001", OCTOBER)
    assert directory.employee_history() == []
    assert directory.add_employee("1001", "李四", "工程部").name == "李四"


def test_taking_a_change_back_leaves_no_trace(directory: DirectoryTables) -> None:
    """A fact that says nothing new is not kept, so an export stays as short as the truth."""
    directory.add_employee("1001", "张三")
    directory.add_employee("1002", "李四")
    directory.assign("8001", EVER, employee="1001")
    directory.assign("8001", NOVEMBER, employee="1002")
    directory.assign("8001", NOVEMBER, employee="1001")
    assert [(one.employee, one.first_day) for one in directory.extension_history()] == [("1001", EVER)]


def test_a_department_is_named_by_its_path_or_a_plain_end_of_it(directory: DirectoryTables) -> None:
    """Two departments with one name are both listed."""
    for path in ("公司/工程部/一组", "公司/销售部/一组"):
        directory.add_department(path)
    assert directory.department("工程部").path == "公司/工程部"
    assert directory.department("工程部／一组").path == "公司/工程部/一组"
    with pytest.raises(UsageError, match="公司/工程部/一组, 公司/销售部/一组"):
        directory.department("一组")
    with pytest.raises(NotFoundError) as caught:
        directory.department("公司/工程")
    assert "公司/工程部" in caught.value.hint


def test_the_tree_can_be_reshaped_but_not_into_a_knot(directory: DirectoryTables) -> None:
    """Everything below goes along; two of one name in one place are refused."""
    directory.add_department("公司/工程部/一组")
    directory.add_department("公司/销售部")
    assert directory.move_department("工程部", "销售部").path == "公司/销售部/工程部"
    assert "公司/销售部/工程部/一组" in directory.paths().values()
    with pytest.raises(UsageError, match="a part of it"):
        directory.move_department("销售部", "工程部")
    assert directory.move_department("工程部", None).path == "工程部"
    with pytest.raises(UsageError, match="already a department 公司"):
        directory.rename_department("工程部", "公司")


def test_a_removed_department_stays_in_the_past(directory: DirectoryTables) -> None:
    """It must be empty, and comes back when somebody is put into it."""
    directory.add_employee("1001", "张三", "外包")
    with pytest.raises(BillingError, match="外包 still has 1001 张三"):
        directory.remove_department("外包", TODAY)
    directory.place("1001", NOVEMBER, None)
    directory.remove_department("外包", TODAY)
    assert directory.departments() == []
    assert [one.department for one in directory.employees(OCTOBER)] == ["外包"]
    directory.place("1001", TODAY, "外包")
    assert [one.path for one in directory.departments()] == ["外包"]


def test_a_shared_name_lists_both_with_their_numbers(cli: Cli) -> None:
    """Nobody has to guess whose bill it is."""
    for number, place in (("1001", "工程部"), ("1002", "销售部")):
        assert cli("employees", "add", number, "张三", "--department", place).exit_code == 0
    result = cli("employees", "show", "张三")
    assert result.exit_code == 2
    assert "2 employees are named 张三: 1001 张三 (工程部), 1002 张三 (销售部)" in result.stderr
    assert json.loads(cli("employees", "show", "1002", "--format", "json").stdout)["name"] == "张三"


def test_entries_of_the_former_table_become_people(tmp_path: Path) -> None:
    """Valid from the beginning; paths become a tree; an entry without a name is its department's."""
    path = tmp_path / "ledger.db"
    with closing(sqlite_utils.Database(path)) as old:
        migrations.ledger.apply(old, stop_before="m008_directory")
        old.table("extensions").insert_all(
            [
                {"number": "8001", "name": "张三", "department": "公司/工程部"},
                {"number": "8002", "name": " 张三 ", "department": "公司/工程部"},
                {"number": "8100", "name": "", "department": "公司"},
                {"number": "8101", "name": None, "department": None},
            ]
        )
        old.execute("PRAGMA user_version = 7")
    with Ledger(path) as opened:
        found = [(one.number, one.name, one.employee, one.department) for one in opened.directory.extensions(OCTOBER)]
        before = opened.connection.execute("SELECT * FROM holders").fetchall()
        with opened.directory.changing():
            pass
        assert opened.connection.execute("SELECT * FROM holders").fetchall() == before
    assert found == [
        ("8001", "张三", "8001", "公司/工程部"),
        ("8002", "张三", "8002", "公司/工程部"),
        ("8100", None, None, "公司"),
        ("8101", None, None, None),
    ]


# -- lists


def enter(
    directory: DirectoryTables, kind: lists.ListKind, text: str, *, dry_run: bool = False
) -> list[tuple[object, ...]]:
    """Import a text; gives what changed."""
    found = lists.read(kind, "list.csv", text.encode())
    outcome = bring_in(directory, found.entries, TODAY, dry_run=dry_run)
    assert not outcome.problems, outcome.problems
    return [(one.key, one.first_day, one.before, one.after) for one in outcome.changes]


def test_a_list_of_staff_moves_only_those_who_moved(directory: DirectoryTables) -> None:
    """New people are so from the beginning, a known one who is elsewhere now moves today; a repeat changes nothing."""
    text = "工号,姓名,部门\n1001,张三,工程部\n1002,李四,销售部\n"
    enter(directory, lists.EMPLOYEES, text)
    assert enter(directory, lists.EMPLOYEES, text) == []
    assert enter(directory, lists.EMPLOYEES, text.replace("李四,销售部", "李四,工程部")) == [
        ("1002", TODAY, "李四 · 销售部", "李四 · 工程部")
    ]
    assert [one.department for one in directory.employees(TODAY - timedelta(days=1))] == ["工程部", "销售部"]


def test_a_preview_is_the_import_rolled_back(directory: DirectoryTables) -> None:
    """It tells the same changes and leaves the database as it was."""
    before = "\n".join(directory.connection.iterdump())
    text = "分机,姓名,部门\n8001,张三,公司/工程部\n8100,,公司\n"
    preview = enter(directory, lists.EXTENSIONS, text, dry_run=True)
    assert "\n".join(directory.connection.iterdump()) == before
    assert enter(directory, lists.EXTENSIONS, text) == preview
    assert ("8001", EVER, None, "8001 张三") in preview
    assert ("公司/工程部", EVER, None, "in use") in preview


def test_two_lines_with_one_name_are_two_people_until_a_number_says_otherwise(directory: DirectoryTables) -> None:
    """A bill that shows a part is better than one that shows a stranger's calls."""
    enter(directory, lists.EXTENSIONS, "number,name\n8001,张三\n8002,张三\n")
    assert [one.number for one in directory.employees(TODAY)] == ["8001", "8002"]
    enter(directory, lists.EXTENSIONS, "number,employee\n8002,8001\n")
    assert [one.employee for one in directory.extensions(TODAY)] == ["8001", "8001"]


def test_a_faulty_list_changes_nothing_and_names_every_line(site: Path, cli: Cli) -> None:
    """What the columns cannot hold, and what the directory cannot be."""
    assert cli("employees", "add", "1001", "张三").exit_code == 0
    file = site / "bad.csv"
    file.write_text(
        "分机,工号,姓名,起始日期,状态\n"
        "8001,1001,李四,,\n"
        "8002,1009,,,\n"
        "8003,,王芳,31.31.2026,\n"
        "8004,,王芳,,unwell\n"
        "8005,,赵六,,\n",
        encoding="utf-8",
    )
    result = cli("extensions", "import", str(file))
    assert result.exit_code == 1
    begins = (
        "line 2: 1001 is the number of 张三",
        "line 3: there is no employee 1009",
        "line 4: a day is expected",
        "line 5: unwell is not a state",
    )
    told = [line for line in result.stderr.splitlines() if line.startswith("line ")]
    assert [line.startswith(begin) for line, begin in zip(told, begins, strict=True)] == [True] * 4, told
    assert json.loads(cli("extensions", "list", "--format", "json").stdout) == []
    assert "no column is headed number (工号)" in cli("employees", "import", str(_empty(site))).stderr


def _empty(site: Path) -> Path:
    (site / "empty.csv").write_text("", encoding="utf-8")
    return site / "empty.csv"


NAMES = st.sampled_from(
    ["张三", "李四", "=1+1", "+86", "-x", "@cmd", "\ttab", "'quoted", 'a"b', "王;芳", "0x41_x0042_"]
)
PATHS = st.sampled_from(["公司", "公司/工程部", "公司/工程部/=一组", "公司/销售部", "外包"])
DAYS = st.sampled_from([EVER, *(date(2026, 9, 1) + timedelta(days=30 * number) for number in range(4))])
PEOPLE = st.sampled_from(["1001", "1002", "1003"])
PHONES = st.sampled_from(["8001", "8002", "08003"])
DEEDS = st.one_of(
    st.tuples(st.just("add_employee"), PEOPLE, NAMES.map(str.strip), PATHS, DAYS),
    st.tuples(st.just("place"), PEOPLE, DAYS, st.one_of(st.none(), PATHS)),
    st.tuples(st.just("remove_employee"), PEOPLE, DAYS),
    st.tuples(st.just("assign"), PHONES, DAYS, PEOPLE),
    st.tuples(st.just("give"), PHONES, DAYS, PATHS),
    st.tuples(st.just("assign"), PHONES, DAYS),
    st.tuples(st.just("remove_extension"), PHONES, DAYS),
    st.tuples(st.just("remove_department"), PATHS, st.just(TODAY)),
    st.tuples(st.just("move_department"), PATHS, PATHS),
)


def do(directory: DirectoryTables, deed: tuple[object, ...]) -> None:
    """One change; what cannot be is refused and changes nothing."""
    name, *arguments = deed
    with suppress(BillingError):
        if name == "assign":
            directory.assign(*arguments[:2], employee=arguments[2] if len(arguments) > 2 else None)  # type: ignore[arg-type]
        elif name == "give":
            directory.assign(*arguments[:2], department=arguments[2])  # type: ignore[arg-type]
        else:
            getattr(directory, str(name))(*arguments)


def everything(directory: DirectoryTables) -> dict[str, list[tuple[str, ...]]]:
    return {kind.name: list(kind.lines(directory)) for kind in lists.kinds()}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEEDS, max_size=12), st.sampled_from(["csv", "xlsx"]))
def test_what_is_exported_and_imported_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[object, ...]], form: str
) -> None:
    """Whatever happened: into the same directory nothing changes, into an empty one the whole history comes back.

    And on every day an extension has the holder that the facts say, at most one.
    """
    folder = tmp_path_factory.mktemp("directory")
    with Ledger(folder / "one.db") as one, Ledger(folder / "other.db") as other:
        for deed in deeds:
            do(one.directory, deed)
        told = everything(one.directory)
        for kind in lists.kinds():
            content = lists.write(kind, one.directory, form)
            for target in (one, other):
                found = lists.read(kind, "list", content)
                outcome = bring_in(target.directory, found.entries, TODAY)
                assert not outcome.problems
                assert target is other or not outcome.changes
        assert everything(one.directory) == told
        assert everything(other.directory) == told
        _agree(one.directory)


def _agree(directory: DirectoryTables) -> None:
    """`holders` against the facts, day by day."""
    for day in {one.first_day for one in (*directory.employee_history(), *directory.extension_history())}:
        people = {one.number: one for one in directory.employees(day)}
        for held in directory.extensions(day):
            assert held.employee is None or held.employee in people, "held by somebody who is not here"
            expected = people[held.employee] if held.employee else None
            found = holder(directory, held.number, day)
            assert found == ((expected.name, expected.department) if expected else (None, held.department))


def test_formulas_are_defused_in_what_is_exported(site: Path, cli: Cli) -> None:
    """A name is never worked out by a spreadsheet, and comes back as it was."""
    assert cli("employees", "add", "1001", "=HYPERLINK(1)").exit_code == 0
    text = cli("employees", "export").stdout
    assert next(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))["name"] == "'=HYPERLINK(1)"
    assert cli("employees", "export", "--output", str(site / "e.xlsx")).exit_code == 0
    assert cli("employees", "import", str(site / "e.xlsx")).exit_code == 0
    assert json.loads(cli("employees", "show", "1001", "--format", "json").stdout)["name"] == "=HYPERLINK(1)"


# -- commands


def test_the_commands_tell_who_had_8001_in_october(cli: Cli) -> None:
    """From hire to history by the command line alone."""
    for command in (
        ("departments", "add", "公司/工程部/一组", "公司/销售部"),
        ("employees", "add", "1001", "张三", "--department", "公司/工程部/一组", "--extension", "8001"),
        ("employees", "add", "1002", "李四", "--department", "销售部"),
        ("extensions", "assign", "8001", "李四", "--from", "2026-11-01"),
        ("employees", "move", "张三", "公司/销售部", "--from", "2026-11-15"),
    ):
        assert cli(*command).exit_code == 0, command
    history = json.loads(cli("extensions", "history", "8001", "--format", "json").stdout)
    assert [(one["name"], one["from"], one["until"]) for one in history] == [
        ("张三", None, "2026-10-31"),
        ("李四", "2026-11-01", None),
    ]
    listed = json.loads(cli("employees", "list", "--on", "2026-10-31", "--format", "json").stdout)
    assert [(one["name"], one["department"], one["extensions"]) for one in listed] == [
        ("张三", "公司/工程部/一组", ["8001"]),
        ("李四", "销售部", []),
    ]


def test_departments_are_shown_as_a_tree(cli: Cli) -> None:
    """With lines where a branch goes on below."""
    assert cli("departments", "add", "a/b/c", "a/b/d", "a/e", "f/g/h").exit_code == 0
    lines = [line.split("  0")[0].rstrip() for line in cli("departments", "list").stdout.splitlines()[3:]]
    assert [line.strip() for line in lines if line.strip()] == [
        "a",
        "├─ b",
        "│  ├─ c",
        "│  └─ d",
        "└─ e",
        "f",
        "└─ g",
        "└─ h",
    ]


@pytest.mark.parametrize(
    ("command", "message", "code"),
    [
        (("extensions", "assign", "8009", "1001"), "there is no extension 8009", 1),
        (("extensions", "assign", "8001"), "either an employee, --department or --nobody", 2),
        (("extensions", "add", "8001", "--name", "李四"), "8001 is 张三's", 2),
        (("employees", "add", "1001", "李四"), "1001 is the number of 1001 张三 (工程部)", 2),
        (("employees", "move", "1001", "nowhere"), "there is no department nowhere", 1),
        (("employees", "move", "1001", "工程部", "--from", "soon"), "'soon' is not a day", 2),
        (("employees", "rename", "1001", "--number", "1002"), "1002 is the number of 1002 王芳", 2),
        (("employees", "remove", "1001", "--entirely"), "1001 has or had the extension 8001", 1),
        (("departments", "move", "工程部"), "say where to", 2),
        (("departments", "add", "a//b"), "'a//b' is not a department", 2),
        (("departments", "remove", "工程部"), "工程部 still has 1001 张三", 1),
        (("employees", "export", "--output", "x.pdf"), "neither .csv nor .xlsx", 2),
        (("employees", "import", "missing.csv"), "missing.csv cannot be read", 1),
    ],
)
def test_mistakes_get_a_sentence_and_a_hint(cli: Cli, command: tuple[str, ...], message: str, code: int) -> None:
    """What is typed wrong changes nothing."""
    assert cli("employees", "add", "1001", "张三", "--department", "工程部", "--extension", "8001").exit_code == 0
    assert cli("employees", "add", "1002", "王芳").exit_code == 0
    result = cli(*command)
    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr
    assert "hint: " in result.stderr


def test_departments_stand_in_the_order_of_pinyin_and_of_numbers(cli: Cli) -> None:
    """In lists and wherever sums go by department; a report names them in the order of the tree."""
    assert cli("departments", "add", "销售部", "财务部", "研发部/二组", "研发部/一组", "研发部/十组").exit_code == 0
    shown = cli("departments", "list", "--format", "json").stdout
    found = [one["path"] for one in json.loads(shown)]
    assert found == ["财务部", "销售部", "研发部", "研发部/一组", "研发部/二组", "研发部/十组"]


@pytest.mark.parametrize(
    "headings",
    [
        "分机号,名字,组",
        "内线 号码：,显示名（必填）,分机组",
        "Ext.;Display name;Group",
        "* 分机,使用人,所属部门",
        "短号\t名称\t科室",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_usual_headings_of_a_list_of_extensions(directory: DirectoryTables, headings: str, encoding: str) -> None:
    """As PBXs export it and as people write it, whatever stands around a heading."""
    mark = next(one for one in ";\t," if one in headings)
    content = f"{headings}\n{mark.join(('8001', '张三', '工程部'))}\n".encode(encoding)
    found = lists.read(lists.EXTENSIONS, "list.csv", content)
    assert found.unknown == ()
    (entry,) = found.entries
    assert isinstance(entry, ExtensionEntry)
    assert (entry.extension, entry.name, entry.department) == ("8001", "张三", "工程部")


def test_a_telephone_beside_the_extension_is_not_taken_for_it() -> None:
    """The mobile number of a person is not an extension."""
    content = "姓名,电话,分机\n张三,13912345678,8001\n".encode()
    found = lists.read(lists.EXTENSIONS, "list.csv", content)
    assert [getattr(one, "extension", None) for one in found.entries] == ["8001"]
    assert found.unknown == ("电话",)
