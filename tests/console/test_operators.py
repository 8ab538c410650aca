"""The operators' page: add and invite, roles, disabling, sessions, and the log of who did what; for administrators."""

import re
from pathlib import Path

import pytest

from ippbx_billing.language import use
from ippbx_billing.operators import OperatorFile, Role
from ippbx_billing.settings import load
from tests.console.visitor import PASSWORD, Clock, Visitor


def of(site: Path, name: str) -> int:
    with OperatorFile(load(site).operators_path) as file:
        return file.operators.named(name).id


def test_a_new_operator_sets_a_password_at_the_address_shown_once(anna: Visitor, office: Path, clock: Clock) -> None:
    """The address is under the host that the browser used; it is on this page and on no later one."""
    page = anna.post("/operators", {"name": "nora", "role": "head", "department": "公司/销售部", "language": "zh"})
    (address,) = page.texts("pre")
    assert address.startswith("http://127.0.0.1:8180/welcome/")
    assert address not in anna.get("/operators").text
    with Visitor(office, clock) as nora:
        assert nora.post(address, {"password": PASSWORD, "again": PASSWORD}).path == "/"
        assert nora.get("/").tree().get("lang") == "zh-CN"
        assert nora.get("/operators").status == 403
    assert anna.post(f"/operators/{of(office, 'nora')}/link").texts("pre") != [address]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "anna", "role": "viewer"}, "there is an operator anna already"),
        ({"name": "", "role": "viewer"}, "'' is not a valid name"),
        ({"name": "nora", "role": "king"}, "'king' is not one of them"),
        ({"name": "nora", "role": "head"}, "a head of department has a department"),
        ({"name": "nora", "role": "head", "department": "公司/没有"}, "公司/没有"),
        ({"name": "nora", "role": "employee", "employee": "9999"}, "9999"),
    ],
)
def test_what_cannot_be_meant_is_told(anna: Visitor, office: Path, form: dict[str, str], words: str) -> None:
    page = anna.post("/operators", form)
    assert page.status in (400, 404)
    assert words in page.texts("h1")[0]
    with OperatorFile(load(office).operators_path) as file:
        assert "nora" not in [one.name for one in file.operators.all()]


def test_a_role_holds_at_once_and_the_last_administrator_stays(anna: Visitor, office: Path, clock: Clock) -> None:
    """A viewer becomes an employee while signed in: from the next click on they see their own calls alone."""
    with Visitor(office, clock) as victor:
        victor.sign_in("victor")
        assert "8001" in victor.get("/calls?period=this-month").text
        form = {"role": "employee", "employee": "1003", "department": "is not of an employee"}
        assert "victor is employee now" in anna.post(f"/operators/{of(office, 'victor')}/role", form).text
        assert "8001" not in victor.get("/calls?period=this-month").text.partition("<tbody>")[2]
    page = anna.post(f"/operators/{of(office, 'anna')}/role", {"role": "viewer"})
    assert "anna is the only administrator" in page.texts("h1")[0]
    assert anna.post(f"/operators/{of(office, 'anna')}/disable", {"disabled": "yes"}).status == 400


def test_a_disabled_operator_is_out_until_let_in(anna: Visitor, office: Path, clock: Clock) -> None:
    with Visitor(office, clock) as carla:
        carla.sign_in("carla")
        anna.post(f"/operators/{of(office, 'carla')}/disable", {"disabled": "yes"})
        assert carla.get("/calls").path.startswith("/sign-in")
        assert carla.sign_in("carla").status == 403
        anna.post(f"/operators/{of(office, 'carla')}/disable", {"disabled": "no"})
        assert carla.sign_in("carla").status == 200


def test_a_session_is_ended_from_here(anna: Visitor, office: Path, clock: Clock) -> None:
    """One of somebody else's; one's own has no such button, and what is not a session is not there."""
    with Visitor(office, clock) as emil:
        emil.sign_in("emil")
        (path,) = (one for one in anna.get("/operators").links() if re.fullmatch(r"/operators/sessions/\d+/end", one))
        assert "Signed out there" in anna.post(path).text
        assert emil.get("/").path.startswith("/sign-in")
        assert anna.post(path).status == 404


def test_the_log_tells_who_did_what(anna: Visitor, office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With before and after, of one person or kind of action, page by page."""
    anna.post(f"/operators/{of(office, 'victor')}/role", {"role": "accountant"})
    page = anna.get("/operators/log?action=operators+role&who=anna")
    (row,) = page.tree().xpath("//tbody/tr")
    assert "role viewer → accountant" in row.text_content()
    assert "192.168.6.20" in row.text_content()
    assert anna.get("/operators/log?who=nobody").texts("tbody") == []
    from ippbx_billing.console.pages import operators

    monkeypatch.setattr(operators, "MOST_SHOWN", 1)
    first = anna.get("/operators/log?who=anna")
    (older,) = first.tree().xpath("//a[@rel='next']/@href")
    assert older.startswith("/operators/log?who=anna&before=")
    assert "sign-in" in anna.get(older).texts("tbody")[0]
    assert anna.get("/operators/log?before=x").status == 400


@pytest.mark.parametrize("name", ["carla", "victor", "hans", "emil"])
def test_nobody_else_may(visitor: Visitor, office: Path, name: str) -> None:
    """Neither look nor do; nothing has changed."""
    visitor.sign_in(name)
    own = of(office, name)
    for path in ("/operators", "/operators/log"):
        assert visitor.get(path).status == 403
    for path in ("/operators", f"/operators/{own}/role", f"/operators/{own}/link", f"/operators/{own}/disable"):
        assert visitor.post(path, {"name": "nora", "role": "administrator"}).status == 403
    assert "/operators" not in visitor.get("/").links()
    with OperatorFile(load(office).operators_path) as file:
        assert [one.name for one in file.operators.all() if one.role is Role.ADMINISTRATOR] == ["anna"]


def test_the_page_is_chinese(anna: Visitor) -> None:
    use("zh")
    anna.post("/account/language", {"language": "zh"})
    for path in ("/operators", "/operators/log"):
        words = anna.get(path).tree().xpath("//main//label/text() | //main//h1/text() | //main//button/text()")
        assert [one for one in words if re.search("[A-Za-z]{3,}", one)] == []
