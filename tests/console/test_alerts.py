"""Alerts and limits: incidents, rules tried and set, channels without secrets, accounts and the plan of barring."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ippbx_billing.alerts import Occurrence, Severity
from ippbx_billing.calls import Reason
from ippbx_billing.delivery.alerts.channels import load as load_channels
from ippbx_billing.delivery.alerts.sender import Sender, only_sender
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import load
from tests.console.visitor import NOW, Answered, Visitor


def rows(page: Answered) -> list[str]:
    return [" ".join(cell.text_content().strip() for cell in row.iter("td")) for row in page.tree().iter("tr")][1:]


def noted(site: Path) -> list[str]:
    with OperatorFile(load(site).operators_path) as file:
        return [one.action for one in file.log.entries()]


@pytest.fixture
def incident(office: Path) -> int:
    with Ledger(load(office).ledger_path) as ledger, ledger.transaction():
        at = int(NOW.timestamp())
        found = Occurrence("store", "disk", Severity.CRITICAL, Reason("alert-backup", {"days": 9}), at, None)
        ledger.incidents.settle([found], [], at)
        return ledger.incidents.listed()[0].id


def test_an_incident_is_acknowledged_and_muted(anna: Visitor, office: Path, incident: int) -> None:
    """Who is at it is the operator; an exception is listed, and heard of again when it is taken back."""
    assert f"/alerts/{incident}" in anna.get("/alerts").links()
    assert "acknowledged by anna" in anna.post(f"/alerts/{incident}/ack").text
    page = anna.post("/alerts/mute", {"rule": "store", "object": "disk", "until": "2026-10-20", "note": "new disk"})
    assert any("store disk" in row and "new disk" in row for row in rows(page))
    assert anna.post("/alerts/mute", {"rule": "stor"}).status == 404
    assert anna.post("/alerts/mute", {"rule": "*", "until": "soon"}).status == 400
    (form,) = anna.get("/alerts").tree().xpath("//form[contains(@action, '/muted/')]/@action")
    assert "nothing is muted" in anna.post(form).text
    assert noted(office)[:3] == ["alerts mute", "alerts mute", "alerts ack"]


def test_a_rule_is_tried_before_it_is_set(anna: Visitor, office: Path) -> None:
    """The try changes nothing; what is saved at its starting value is not the site's own."""
    asked = "/alerts/rule?rule=dear-call&on=on&from=2026-10-01&to=2026-10-13&try=1"
    names = {one.get("name"): one.get("value") for one in anna.get("/alerts/rule?rule=dear-call").tree().iter("input")}
    fee = next(name for name in names if "fee" in str(name))
    page = anna.get(f"{asked}&{fee}=0.01")
    assert "times in 13 days" in page.text
    assert len(rows(page)) > 5
    assert "0 times in 13 days" in anna.get(f"{asked}&{fee}=9999").text
    with Ledger(load(office).ledger_path) as ledger:
        assert ledger.incidents.config().own == {}
    page = anna.post("/alerts/rule", {"rule": "dear-call", "on": "on", fee: "5"})
    assert f"{fee}=5" in page.text
    assert anna.post("/alerts/rule", {"rule": "dear-call", fee: "much"}).status == 400
    assert noted(office)[0] == "alerts set"


HEARD: list[bytes] = []


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        HEARD.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_a_channel_is_added_tested_and_its_secret_not_shown(anna: Visitor, office: Path) -> None:
    """A test arrives by way of whoever sends; a secret that is left empty stays."""
    with HTTPServer(("127.0.0.1", 0), _Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hook/t0ken"
        given = {"kind": "webhook", "name": "boss", "url": url, "secret": "s3cret", "rate": "30"}
        page = anna.post("/alerts/channels", given)
        assert "boss" in page.text
        assert not [one for one in ("t0ken", "s3cret") if one in page.text + anna.get("/alerts/channel?name=boss").text]
        anna.post("/alerts/channels", {"kind": "webhook", "name": "boss", "masked": "yes"})
        kept = load_channels(office).get("boss")
        assert (kept.text("secret"), kept.masked) == ("s3cret", True)
        assert anna.post("/alerts/channels/test", {"channel": "nobody"}).status == 404
        ended = threading.Event()
        sending = threading.Thread(target=_send, args=(office, ended))
        sending.start()
        try:
            page = anna.post("/alerts/channels/test", {"channel": "boss"})
        finally:
            ended.set()
            sending.join()
            server.shutdown()
    assert "boss sent test" in rows(page)[0]
    assert HEARD
    with OperatorFile(load(office).operators_path) as file:
        assert "s3cret" not in repr(list(file.log.entries()))
    assert "there is no channel yet" in anna.post("/alerts/channels/remove", {"name": "boss"}).text


def _send(site: Path, ended: threading.Event) -> None:
    using = load(site)
    with only_sender(site), Ledger(using.ledger_path) as ledger, Sender(using, ledger) as sender:
        sender.begin()
        while not ended.wait(0.05):
            sender.round(NOW)


def test_limits_and_accounts(anna: Visitor, office: Path) -> None:
    """Set, used, reached, planned; paid in, used and left; each in the log with before and after."""
    page = anna.post("/limits/set", {"who": "8001", "fee": "0.10", "bars": "yes"})
    assert "limit of extension 8001 is set" in page.text
    assert any(row.startswith("extension 8001 2026-10 0.10") for row in rows(page))
    assert any("bar extension 8001" in row for row in rows(page))
    assert anna.post("/limits/apply", {}).status == 400
    assert "confirmed" in anna.post("/limits/apply", {"read": "yes", "by_hand": "yes"}).text
    page = anna.post("/limits/top-up", {"who": "1003", "amount": "50", "note": "cash", "from": "2026-10-01"})
    (link,) = page.tree().xpath("//a[contains(@href, '/limits/statement')]/@href")
    assert any("cash 50" in row for row in rows(anna.get(link)))
    assert anna.get("/limits/statement?kind=x&object=1").status == 404
    assert "there is no limit" in anna.post("/limits/remove", {"key": "extension:8001"}).text
    assert noted(office)[:4] == ["limits remove", "accounts top-up", "limits apply", "limits set"]


def test_who_may(visitor: Visitor, incident: int) -> None:
    """An employee sees none of it, a viewer looks, an accountant acknowledges and pays in."""
    visitor.sign_in("emil")
    assert [visitor.get(one).status for one in ("/alerts", "/limits", f"/alerts/{incident}")] == [403] * 3
    visitor.sign_in("victor")
    assert visitor.get(f"/alerts/{incident}").status == 200
    assert visitor.post(f"/alerts/{incident}/ack").status == 403
    visitor.sign_in("carla")
    assert visitor.post(f"/alerts/{incident}/ack").status == 200
    assert [visitor.get(one).status for one in ("/alerts/channels", "/alerts/rules")] == [403, 200]
    assert visitor.post("/alerts/rule", {"rule": "dear-call"}).status == 403
    assert visitor.post("/limits/apply", {"read": "yes"}).status == 403
