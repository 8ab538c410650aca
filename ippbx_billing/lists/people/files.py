"""How departments, employees and extensions stand in a CSV or XLSX file: their headings, their words, their days.

The one idea: what is written is read again without change; headings and words are known in both languages, and the
delimiter, the encoding and the order of the columns are the spreadsheet's business.

    read(EMPLOYEES, "员工.csv", "工号,姓名,部门\\n1001,张三,工程部\\n".encode()).entries
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger.departments import SEPARATOR, parts_of
from ippbx_billing.ledger.directory import EVER, DirectoryTables
from ippbx_billing.lists import sheets
from ippbx_billing.lists.people.entries import DepartmentEntry, EmployeeEntry, Entry, ExtensionEntry, Misread

SEARCHED_ROWS = 20  # titles may stand above the headings
LONGEST = 100  # characters of a number or a name
SINCE_EVER = "always"

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ListKind:
    """One kind of list: its columns as written, all headings each is known by, and both ways between line and entry."""

    name: str
    key_name: str
    headings: Mapping[str, str]
    entry: Callable[[str, Values], Entry]
    lines: Callable[[DirectoryTables], Iterator[tuple[str, ...]]]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.headings if name != "parent")

    @property
    def key(self) -> str:
        """The column that no line can do without."""
        return next(iter(self.headings))

    def names(self) -> dict[str, str]:
        """Every heading, with the column it stands for."""
        return {word: column for column, words in self.headings.items() for word in (column, *words.split())}


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says, the columns that say nothing to us, and the encoding where it was guessed."""

    entries: tuple[Entry, ...] = ()
    unknown: tuple[str, ...] = ()
    encoding: str = ""


def read(kind: ListKind, name: str, content: bytes, encoding: str = "") -> Found:
    """The entries of a file, lines that cannot be read among them; DataError where it is not such a table."""
    entries, unknown, any_table = list[Entry](), list[str](), False
    seen: dict[tuple[str, str], str] = {}
    found = _sheets(kind, name, content, encoding)
    for sheet in found:
        begin, columns, others = _headings(kind, sheet)
        if kind.key not in columns.values():
            continue
        any_table, unknown = True, [*unknown, *others]
        for row in filter(None, sheet.rows[begin:]):
            values = {column: _cell(row, place) for place, column in columns.items()}
            try:
                _only_once(kind, values, row.where, seen)
                entries.append(kind.entry(row.where, values))
            except (ValueError, UsageError) as error:
                entries.append(Misread(row.where, str(error)))
    if not any_table:
        raise DataError(
            tr("{file}, line 1: no column is headed {heading}", file=name, heading=_both_names(kind)),
            tr("begin the file with: {headings}", headings=",".join(kind.columns)),
        )
    return Found(tuple(entries), tuple(unknown), found[0].encoding)


def write(kind: ListKind, directory: DirectoryTables, form: str) -> bytes:
    """The whole list as `csv` or `xlsx`; read again it changes nothing."""
    lines = kind.lines(directory)
    if form == "csv":
        return sheets.write_csv(kind.columns, lines)
    return sheets.write_xlsx(tr(kind.name), kind.columns, lines, wide={"department"})


def _sheets(kind: ListKind, name: str, content: bytes, encoding: str) -> list[sheets.Sheet]:
    try:
        if content.startswith(b"PK"):
            return sheets.read_xlsx(content)
        if content.startswith(b"\xd0\xcf\x11\xe0"):
            raise ValueError(tr("this is an old Excel file (.xls); save it as .xlsx or .csv"))
        return [sheets.read_csv(content, kind.names(), encoding)]
    except ValueError as error:
        raise DataError(f"{name}: {error}", tr("nothing was imported")) from error


def _headings(kind: ListKind, sheet: sheets.Sheet) -> tuple[int, dict[int, str], list[str]]:
    """The row after the headings, the columns by place, and headings that say nothing to us."""
    names = kind.names()
    for number, row in enumerate(sheet.rows[:SEARCHED_ROWS], start=1):
        columns: dict[int, str] = {}
        unknown = []
        for place, cell in enumerate(row.cells):
            column = names.get(_bare(cell))
            if column and column not in columns.values():
                columns[place] = column
            elif cell.strip():
                unknown.append(cell.strip())
        if kind.key in columns.values():
            return number, columns, unknown
    return 0, {}, []


def _bare(heading: str) -> str:
    """A heading without what people write around it: `* 分机 号：`, `Display name`."""
    return re.sub(r"[\s*_:：]|[(（].*?[)）]$", "", heading).lower()


def _cell(row: sheets.Row, place: int) -> str:
    return row.cells[place].strip() if place < len(row.cells) else ""


def _only_once(kind: ListKind, values: Values, where: str, seen: dict[tuple[str, str], str]) -> None:
    number = values[kind.key]
    if not number:
        raise ValueError(tr("the {column} is missing", column=tr(kind.key_name)))
    first = seen.setdefault((number, values.get("from", "")), where)
    if first != where and kind is not DEPARTMENTS:
        raise ValueError(tr("{number} is in {first} already", number=number, first=first))


def _both_names(kind: ListKind) -> str:
    return f"{kind.key} ({kind.headings[kind.key].split()[0]})"


# -- one line


def _department_entry(where: str, values: Values) -> DepartmentEntry:
    path = SEPARATOR.join(filter(None, (values.get("parent"), values["department"])))
    return DepartmentEntry(where, _path(path), _gone(values), values.get("mail", ""))


def _employee_entry(where: str, values: Values) -> EmployeeEntry:
    return EmployeeEntry(
        where,
        _short(values["number"]),
        _short(values.get("name", "")),
        _path(values.get("department", "")),
        _first_day(values),
        _gone(values),
        values.get("mail", ""),
    )


def _extension_entry(where: str, values: Values) -> ExtensionEntry:
    return ExtensionEntry(
        where,
        _short(values["number"]),
        _short(values.get("employee", "")),
        _short(values.get("name", "")),
        _path(values.get("department", "")),
        _first_day(values),
        _gone(values),
    )


def _short(text: str) -> str:
    if len(text) > LONGEST:
        raise ValueError(tr("{text} is longer than {count} characters", text=text[:20] + "…", count=LONGEST))
    return text


def _path(text: str) -> str:
    return SEPARATOR.join(map(_short, parts_of(text))) if text else ""


def _first_day(values: Values) -> date | None:
    """The day from which a line holds; None where it does not say."""
    from ippbx_billing.lists.tariffs import cells

    text = values.get("from", "")
    if text.lower() in (SINCE_EVER, "始终", "一直"):
        return EVER
    return cells.day(text) if text else None


_STATES = {
    **dict.fromkeys(("", "in use", "在用", "在职"), False),
    **dict.fromkeys(("left", "离职", "removed", "停用", "ended", "撤销"), True),
}


def _gone(values: Values) -> bool:
    state = values.get("state", "").lower()
    if state not in _STATES:
        raise ValueError(tr("{word} is not a state; write left, removed or ended, or leave it empty", word=state))
    return _STATES[state]


# -- the lists


def _day_text(day: date) -> str:
    return SINCE_EVER if day == EVER else day.isoformat()


def _department_lines(directory: DirectoryTables) -> Iterator[tuple[str, ...]]:
    mails = directory.mails("department")
    for one in directory.departments(ended=True):
        yield one.path, "ended" if one.ended else "", ", ".join(mails.get(one.id, ()))


def _employee_lines(directory: DirectoryTables) -> Iterator[tuple[str, ...]]:
    mails = directory.mails("employee")
    for one in directory.employee_history():
        state, mail = "" if one.present else "left", ", ".join(mails.get(one.id, ()))
        yield one.number, one.name, one.department or "", _day_text(one.first_day), state, mail


def _extension_lines(directory: DirectoryTables) -> Iterator[tuple[str, ...]]:
    for one in directory.extension_history():
        whose = (one.name or "", one.employee or "", one.department or "")
        yield one.number, *whose, _day_text(one.first_day), "" if one.present else "removed"


_DAY = "起始日期 生效日期 起始 from_day since"
_STATE = "状态"
_MAIL = "邮箱 邮件 电子邮箱 电子邮件 邮箱地址 邮件地址 email e-mail mailaddress"
_PATH = "部门 部门名称 部门路径 所属部门 所在部门 科室 path dept"
_GROUP = f"{_PATH} 组 分组 组别 组名 分机组 班组 小组 群组 所属组 group team unit"
_WHO = "姓名 名字 员工姓名 分机姓名 员工 姓名/名称 使用人 用户 用户名 用户姓名 fullname displayname username"
_WHOSE = f"{_WHO} 名称 分机名称 分机名 显示名 显示名称 人员 holder"
_STAFF = "工号 员工编号 员工号 人员编号 职工号 staffnumber staffno staffno. employeeid employeeno"

DEPARTMENTS = ListKind(
    "departments",
    "department",
    {"department": f"{_PATH} name 名称", "state": _STATE, "mail": _MAIL, "parent": "上级部门 上级"},
    _department_entry,
    _department_lines,
)
EMPLOYEES = ListKind(
    "employees",
    "staff number",
    {
        "number": f"{_STAFF} 编号 employee",
        "name": f"{_WHO} 名称",
        "department": _GROUP,
        "from": _DAY,
        "state": _STATE,
        "mail": _MAIL,
    },
    _employee_entry,
    _employee_lines,
)
EXTENSIONS = ListKind(
    "extensions",
    "number",
    {
        "number": "分机号码 分机号 分机 号码 内线 内线号 内线号码 短号 extension extensionnumber ext ext.",
        "name": _WHOSE,
        "employee": _STAFF,
        "department": _GROUP,
        "from": _DAY,
        "state": _STATE,
    },
    _extension_entry,
    _extension_lines,
)


def kinds() -> Iterable[ListKind]:
    """In the order in which an empty directory takes them."""
    return DEPARTMENTS, EMPLOYEES, EXTENSIONS


def kind_named(name: str) -> ListKind:
    """The kind of list of that name; UsageError for another."""
    for one in kinds():
        if one.name == name:
            return one
    raise UsageError(tr("{text!r} is not one of them", text=name), ", ".join(one.name for one in kinds()))
