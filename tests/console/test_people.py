"""People: the tree, employees and extensions over time, changed singly and by a list; who sees and who may."""

from pathlib import Path

import pytest

from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import load
from tests.console.visitor import Answered, Visitor

LIST = "工号,姓名,部门\n1001,张三,公司/销售部\n2001,孙八,公司/新部门\n".encode()


def rows(page: Answered) -> list[str]:
    return [" ".join(cell.text_content() for cell in row.iter("td")) for row in page.tree().iter("tr")][1:]


def last(site: Path) -> tuple[str, str]:
    with OperatorFile(load(site).operators_path) as file:
        entry = next(file.log.entries())
    return entry.actor.name, entry.action


def test_the_tree_and_its_lists_are_shown(anna: Visitor) -> None:
    """A department leads to its people, a person to their time, an extension to whoever had it."""
    page = anna.get("/people")
    assert [one for one in page.texts("a") if "工程部" in one]
    assert "1001 张三 公司/工程部 8001" in rows(anna.get("/people/employees?department=公司/工程部"))
    assert "8001 张三 公司/工程部 1001" in rows(anna.get("/people/extensions"))
    held = rows(anna.get("/people/extension?number=8002"))
    assert held == [
        "2026-01-01 2026-10-09 钱七 公司/销售部 1009 in use",
        "2026-10-10 until further notice 李四 公司/工程部/一组 1002 in use",
    ]
    assert "8002 钱七 公司/销售部 1009" in rows(anna.get("/people/extensions?on=2026-10-09"))
    assert anna.get("/people/employee?number=1004").text.count("<b>赵六") == 0


def test_people_come_move_and_go(anna: Visitor, office: Path) -> None:
    """Each deed says what is so now, and stands in the log."""

    def done(deed: str, **fields: str) -> str:
        page = anna.post(f"/people/{deed}", fields)
        assert page.status == 200, page.texts("h1")
        assert last(office) == ("anna", deed.replace("/", " "))
        return page.tree().xpath("string(//p[contains(@class, 'done')])").strip()

    assert "公司/法务部" in done("departments/add", path="公司/法务部")
    assert done("departments/rename", path="公司/法务部", name="法律部") == "公司/法务部 is 公司/法律部 now"
    assert done("departments/move", path="公司/法律部", under="") == "公司/法律部 is 法律部 now"
    assert "2001" in done("employees/add", number="2001", name="孙八", department="法律部", extensions="8010, 8011")
    assert "from 2026-10-14 on" in done("employees/move", number="2001", department="公司/销售部")
    assert "孙九" in done("employees/rename", number="2001", name="孙九", new_number="2002")
    assert "8010 is 1001 张三" in done("extensions/assign", number="8010", employee="张三", **{"from": "2026-10-20"})
    assert "8012" in done("extensions/add", number="8012", employee="2002")
    assert done("extensions/remove", number="8012", entirely="yes") == "removed 8012"
    assert "without a holder now: 8010, 8011" in done("employees/remove", number="2002")
    assert done("departments/remove", path="法律部") == "removed 法律部"
    assert anna.post("/people/departments/remove", {"path": "公司/销售部"}).status == 400
    assert anna.post("/people/employees/add", {"number": " ", "name": "x"}).status == 400


def test_a_list_is_looked_at_and_then_brought_in(anna: Visitor, office: Path) -> None:
    """The look changes nothing; the deed does what the look showed, once."""
    before = rows(anna.get("/people/employees"))
    look = anna.post("/people/import/try", {"list": "employees"}, files={"file": ("员工.csv", LIST)})
    assert "would change: 3, of them new: 2" in look.text
    assert "employee 1001 2026-10-14 张三 · 公司/工程部 张三 · 公司/销售部" in rows(look)
    assert rows(anna.get("/people/employees")) == before
    given = {one.get("name"): one.get("value") for one in look.tree().xpath("//main//input")}
    page = anna.post("/people/import/do", given)
    assert "imported; changed: 3, of them new: 2" in page.text
    assert last(office) == ("anna", "employees import")
    assert any("孙八" in row for row in rows(anna.get("/people/employees")))
    again = anna.post("/people/import/do", given)
    assert (again.status, again.texts("h1")) == (404, ["the file is not here any more"])
    assert anna.get("/people/file?list=employees&form=csv").text.startswith("\ufeffnumber,name,department,from")


def test_problems_of_a_list_are_told_by_line(anna: Visitor) -> None:
    wrong = LIST + "9999,,公司\n1001,张三,,yesterday\n".encode()
    page = anna.post("/people/import/try", {"list": "employees"}, files={"file": ("x.csv", wrong)})
    assert [one.partition(":")[0] for one in page.texts("li") if one.startswith("line")] == ["line 4", "line 5"]
    assert not page.tree().xpath("//form[@action='/people/import/do']")
    assert anna.post("/people/import/try", {"list": "employees"}, files={"file": ("x.xlsx", b"PK123")}).status >= 400
    assert anna.post("/people/import/try", {"list": "employees"}).texts("h1") == ["no file was chosen"]


@pytest.mark.parametrize(
    ("name", "people", "extensions"), [("hans", ["1001", "1002"], ["8001", "8002"]), ("emil", ["1003"], ["8003"])]
)
def test_each_sees_their_own(visitor: Visitor, name: str, people: list[str], extensions: list[str]) -> None:
    """No name, number or department of others, not even in a hint; nothing can be changed."""
    visitor.sign_in(name)
    assert [row.split()[0] for row in rows(visitor.get("/people/employees"))] == people
    assert [row.split()[0] for row in rows(visitor.get("/people/extensions"))] == extensions
    others = {"hans": ["销售部", "赵六", "钱七", "王五"], "emil": ["工程部", "赵六", "钱七", "张三"]}[name]
    paths = ["", "/employees", "/extensions?on=2026-10-01", "/extension?number=8002", "/extension?number=8003",
             "/employee?number=1001", "/employee?number=1004", "/employee?number=赵",
             "/employees?department=公司", "/employees?department=销售"]  # fmt: skip
    for path in paths:
        page = visitor.get(f"/people{path}")
        told = page.text.partition("<main")[2]
        assert not [one for one in others if one in told.replace("department 销售", "").replace('"销售"', "")], path
    assert visitor.post("/people/departments/add", {"path": "x"}).status == 403
    assert visitor.get("/people/file?list=employees").status == 403
