"""The PBX in the console: shown, checked, set with was → is first, set by hand; its password is on no page."""

from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.operators import OperatorFile
from ippbx_billing.pbx import tokens, trust
from ippbx_billing.settings import load
from ippbx_billing.simulation.practice_pbx import Firmware, PracticePbx
from tests.bodies import fill
from tests.console.visitor import Visitor
from tests.practice import served

SECRET = "pa55-for-admin"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ippbx_billing.pbx.session.RETRY_PAUSE_S", 0.01)
    monkeypatch.setattr("ippbx_billing.pbx.session.SETTLE_S", 0.01)


def device(**more: Any) -> PracticePbx:
    return PracticePbx(Firmware(admin_password=SECRET, **more))


def noted(site: Path) -> str:
    with OperatorFile(load(site).operators_path) as file:
        return repr(list(file.log.entries(action="configure-pbx")))


def test_it_is_set_after_what_would_change_was_shown(anna: Visitor, office: Path) -> None:
    """Looking sends nothing; what was shown is done and told; a second time nothing is left to do."""
    pbx = device()
    with served(pbx) as address:
        form = {"address": address, "user": "admin", "password": SECRET, "server": "192.0.2.27"}
        shown = anna.post("/pbx/ask", form | {"ask": "show"})
        assert "off" in shown.text
        planned = anna.post("/pbx/ask", form | {"ask": "plan"})
        assert "off → on" in planned.text
        assert not tokens.known_tokens(office)
        (mark,) = planned.tree().xpath("//input[@name='planned']/@value")
        stale = anna.post("/pbx/configure", form | {"planned": "another"})
        assert (stale.status, tokens.known_tokens(office)) == (400, frozenset())
        done = anna.post("/pbx/configure", form | {"planned": mark})
        assert "the PBX has applied the changes" in done.text
        (token,) = tokens.known_tokens(office)
        assert pbx.reports()["cdr"].url == f"http://192.0.2.27:8181/{token}/"
        (password,) = pbx.running["openapi.main.pw"]
        assert password in done.text
        assert "nothing to do" in anna.post("/pbx/ask", form | {"ask": "plan"}).text
        checked = anna.post("/pbx/ask", form | {"ask": "check"})
        assert f"signed in to {address}" in checked.text
        assert not [one for one in (shown, planned, checked, anna.get("/pbx")) if SECRET in one.text]
    told = noted(office)
    assert "192.0.2.27" in told
    assert SECRET not in told
    assert password not in told


def test_first_contact_shows_the_fingerprint_and_sends_nothing(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "fingerprint_of", lambda *_: "AB:" * 31 + "AB")
    page = anna.post("/pbx/ask", {"address": "192.0.2.1", "password": SECRET, "ask": "show"})
    assert page.tree().xpath("//input[@name='compared']/@value") == ["AB:" * 31 + "AB"]
    assert SECRET not in page.text
    assert anna.post("/pbx/ask", {"address": "ftp://x", "ask": "show"}).status == 400
    assert anna.post("/pbx/ask", {"address": "http://192.0.2.1", "ask": "show"}).status == 400  # no password


def test_by_hand(anna: Visitor, office: Path) -> None:
    """Each text stands where it can be copied; the path is known once an event came by it."""
    form = {"address": "http://192.0.2.1", "server": "192.0.2.27"}
    page = anna.post("/pbx/guide", form)
    url = next(one for one in page.texts("pre") if ":8181/" in one)
    assert anna.post("/pbx/guide/arrived", form).status == 400
    token = tokens.token_in(url)
    fill(load(office).inbox_path, [b"{}"], path=f"/{token}/")
    assert "an event came by the new address" in anna.post("/pbx/guide/arrived", form).text
    assert tokens.known_tokens(office) == {token}


def test_administrators_alone(visitor: Visitor) -> None:
    visitor.sign_in("carla")
    assert visitor.get("/pbx").status == 403
    assert [visitor.post(f"/pbx/{one}", {}).status for one in ("ask", "configure", "guide")] == [403] * 3
