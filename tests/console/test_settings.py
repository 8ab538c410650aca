"""Settings: the file's lines with their comments, checked, written and noted; by administrators alone."""

from pathlib import Path

import pytest

from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import FILE_NAME, load
from ippbx_billing.upkeep.settings_file import change, setting_lines
from tests.console.visitor import Visitor


def fields(anna: Visitor) -> dict[str, str]:
    """All fields of all forms, as a browser sends them."""
    tree = anna.get("/settings").tree()
    found = {one.get("name"): one.get("value", "") for one in tree.xpath("//main//input")}
    return found | {one.get("name"): one.text or "" for one in tree.xpath("//main//textarea")}


def test_a_setting_is_changed_in_its_line(anna: Visitor, office: Path) -> None:
    """Only that line is another one; what an engineer wrote beside it stays; the log has before and after."""
    path = office / FILE_NAME
    path.write_text("# our own words\n" + path.read_text("utf-8"), "utf-8")
    before = path.read_text("utf-8").splitlines()
    page = anna.post("/settings", fields(anna) | {"site_name": '示例"公司', "bill_address": "一行\r\n二行"})
    assert 'site_name: – → 示例"公司' in page.text.replace("&#34;", '"')
    after = path.read_text("utf-8").splitlines()
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [
        'site_name = "示例\\"公司"',
        'bill_address = ["一行", "二行"]',
    ]
    assert load(office, environment={}).bill_address == ("一行", "二行")
    with OperatorFile(load(office).operators_path) as file:
        entry = next(file.log.entries())
    assert (entry.action, entry.object) == ("settings set", "site_name, bill_address")
    assert entry.after["site_name"] == '示例"公司'
    assert "nothing was changed" in anna.post("/settings", fields(anna)).text


@pytest.mark.parametrize(
    ("name", "value"),
    [("cdr_port", "99999"), ("timezone", "Mars/Base"), ("allow", "x"), ("bar_command", "rm"), ("none", "x")],
)
def test_what_cannot_be_used_is_not_written(anna: Visitor, office: Path, name: str, value: str) -> None:
    before = (office / FILE_NAME).read_bytes()
    page = anna.post("/settings", {"site_name": "new", name: value})
    assert page.status == 400
    assert name in page.texts("h1")[0]
    assert (office / FILE_NAME).read_bytes() == before


def test_no_secret_is_shown_and_the_environment_is_told(office: Path) -> None:
    path = office / FILE_NAME
    path.write_text(path.read_text("utf-8").replace('bar_command = ""', 'bar_command = "bar --key s3cret"'), "utf-8")
    lines = {one.name: one for one in setting_lines(office, {"IPPBX_BILL_CDR_PORT": "9181"})}
    assert lines["cdr_port"].environment == "9181"
    assert lines["bar_command"].is_set
    assert "s3cret" not in repr(lines)


def test_a_file_without_the_line_is_written_anew(tmp_path: Path) -> None:
    """Also a list that spans lines: what it says afterwards is what was wanted."""
    (tmp_path / FILE_NAME).write_text('[listen]\nallow = [\n  "10.0.0.0/8",\n]\n')
    assert change(tmp_path, {"allow": "10.1.0.0/16", "area_code": "022"}) == {
        "allow": ("10.0.0.0/8", "10.1.0.0/16"),
        "area_code": ("", "022"),
    }
    assert load(tmp_path, environment={}).allow == ("10.1.0.0/16",)


def test_administrators_alone(visitor: Visitor) -> None:
    visitor.sign_in("carla")
    assert visitor.get("/settings").status == 403
    assert visitor.post("/settings", {"site_name": "x"}).status == 403
