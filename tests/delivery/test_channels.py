"""Channels: what is sent to each kind, what its answers mean, and where its secrets lie."""

import json
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing.alerts import RULES, Severity
from ippbx_billing.calls import Reason
from ippbx_billing.delivery.alerts.channels import (
    KINDS,
    Channel,
    checked,
    load,
    path_of,
    put,
    put_server,
    remove,
    shown,
)
from ippbx_billing.delivery.alerts.http import (
    Verdict,
    dingtalk_signature,
    feishu_signature,
    request_for,
    verdict_on,
    webhook_signature,
)
from ippbx_billing.delivery.alerts.texts import Speaker, Text, html_of, text_of
from ippbx_billing.errors import DataError, NotFoundError, UsageError
from ippbx_billing.language import speaking, tr
from ippbx_billing.language.advice import ADVICE
from ippbx_billing.ledger.incidents import Incident
from ippbx_billing.ledger.posts import Message, QueuedMessage

SECRET = "SECmadeup0123456789"
NOW = 1_700_000_000.0
TEXT = Text("incident/7/open", "严重:8001 呼出异常", "请查看", "天津", {"kind": "open", "severity": "critical"})


def test_the_signatures_are_those_of_the_services() -> None:
    """Known answers: DingTalk signs with the secret, Feishu with time and secret, and nothing is signed."""
    assert dingtalk_signature(SECRET, 1_700_000_000_000) == "zg0OgQr/aWW8mc+JNXVkK/oj8TPUV3lFeEfjB/+ZF3o="
    assert feishu_signature(SECRET, 1_700_000_000) == "SJIcWL7FdzZrCxrU9leNqUKWlYEchWVHJTW/iM+sses="


def test_dingtalk_gets_its_signature_in_the_address() -> None:
    """Quoted, beside the token; whom to call stands in the text as well."""
    channel = Channel(
        "boss", "dingtalk", {"url": "https://x/send?access_token=t", "secret": SECRET, "mobiles": ["139"]}
    )
    made = request_for(TEXT, channel, NOW)
    assert made.url == (
        "https://x/send?access_token=t&timestamp=1700000000000"
        "&sign=zg0OgQr%2FaWW8mc%2BJNXVkK%2Foj8TPUV3lFeEfjB%2F%2BZF3o%3D"
    )
    assert json.loads(made.body) == {
        "msgtype": "text",
        "text": {"content": "严重:8001 呼出异常\n请查看 @139"},
        "at": {"atMobiles": ["139"]},
    }
    assert request_for(TEXT, Channel("b", "dingtalk", {"url": "https://x/send"}), NOW).url == "https://x/send"


def test_feishu_gets_it_in_the_body_and_wecom_no_more_than_2048_bytes() -> None:
    """Without a secret Feishu gets no signature; a long Chinese text is cut between characters."""
    feishu = json.loads(request_for(TEXT, Channel("f", "feishu", {"url": "https://x", "secret": SECRET}), NOW).body)
    assert (feishu["timestamp"], feishu["sign"]) == ("1700000000", "SJIcWL7FdzZrCxrU9leNqUKWlYEchWVHJTW/iM+sses=")
    assert feishu["content"] == {"text": TEXT.whole}
    assert "sign" not in json.loads(request_for(TEXT, Channel("f", "feishu", {"url": "https://x"}), NOW).body)
    long = Text("1", "话" * 2_000, "")
    content = json.loads(request_for(long, Channel("w", "wecom", {"url": "https://x"}), NOW).body)["text"]["content"]
    assert content == "话" * 682


def test_a_webhook_is_signed_over_time_and_body() -> None:
    """Its reader can check who sent it, and sees a repetition by the id."""
    made = request_for(TEXT, Channel("own", "webhook", {"url": "https://x", "secret": SECRET}), NOW)
    assert made.headers["X-Ippbx-Bill-Signature"] == "sha256=" + webhook_signature(SECRET, 1_700_000_000, made.body)
    assert made.headers["X-Ippbx-Bill-Id"] == json.loads(made.body)["id"] == "incident/7/open"
    assert webhook_signature("k", 1, b"x") == "976cb87e4f568d1c0f03f32859e90af8597cf00b978ba37c229c97d3a15b8449"


@pytest.mark.parametrize(
    ("kind", "status", "body", "wanted"),
    [
        ("dingtalk", 200, b'{"errcode":0,"errmsg":"ok"}', Verdict(True)),
        ("dingtalk", 200, b'{"errcode":310000,"errmsg":"sign not match"}', Verdict(False, "310000 sign not match")),
        ("dingtalk", 200, b'{"errcode":130101,"errmsg":"too fast"}', Verdict(False, "130101 too fast", 600)),
        ("wecom", 200, b'{"errcode":45009,"errmsg":"limit"}', Verdict(False, "45009 limit", 60)),
        ("wecom", 200, b'{"errcode":93000,"errmsg":"invalid"}', Verdict(False, "93000 invalid")),
        ("feishu", 200, b'{"code":0,"msg":"success"}', Verdict(True)),
        ("feishu", 200, b'{"StatusCode":0,"StatusMessage":"success"}', Verdict(True)),
        ("feishu", 200, b'{"code":11232,"msg":"limited"}', Verdict(False, "11232 limited", 60)),
        ("feishu", 200, b'{"code":19021,"msg":"sign match fail"}', Verdict(False, "19021 sign match fail")),
        ("feishu", 200, b"<html>login</html>", Verdict(False, "HTTP 200, but no answer of feishu: <html>login</html>")),
        ("dingtalk", 200, b"[]", Verdict(False, "HTTP 200, but no answer of dingtalk: []")),
        ("webhook", 204, b"", Verdict(True)),
        ("webhook", 302, b"", Verdict(False, "HTTP 302")),
        ("webhook", 403, b"no", Verdict(False, "HTTP 403 no")),
        ("webhook", 503, b"", Verdict(False, "HTTP 503", 120)),
        ("alertmanager", 200, b"", Verdict(True)),
        ("alertmanager", 400, b"bad label", Verdict(False, "HTTP 400 bad label")),
    ],
)
def test_a_refusal_within_a_200_is_a_refusal(kind: str, status: int, body: bytes, wanted: Verdict) -> None:
    """What counts is what the service says, not that it answered."""
    assert verdict_on(kind, status, {"Retry-After": "120"}, body) == wanted


def test_the_file_is_its_owners_and_says_what_is_wrong(tmp_path: Path) -> None:
    """Secrets stand in a file of mode 0600, are shown to nobody, and come back as they were put in."""
    odd = 'a"b\\c\n话'
    put(tmp_path, checked("boss", "dingtalk", {"url": "https://u:p@x.example/send?access_token=t", "secret": odd}))
    put(tmp_path, checked("post", "mail", {"to": "a@example.com, b@example.com", "least": "critical", "rate": "5"}))
    put_server(tmp_path, "mail", {"host": "smtp.example.com", "password": "geheim", "port": "2525"})
    path = path_of(tmp_path)
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    found = load(tmp_path)
    assert found.get("boss").text("secret") == odd.strip()
    assert (found.get("post").names("to"), found.get("post").rate) == (("a@example.com", "b@example.com"), 5)
    assert found.server("mail")["port"] == 2525
    told = str([shown(one.values) for one in found.channels.values()]) + str(shown(found.server("mail")))
    assert "https://x.example/…" in told
    assert not any(secret in told for secret in ("access_token", "geheim", "话", "u:p"))
    put_server(tmp_path, "mail", {"port": ""})
    assert "port" not in load(tmp_path).server("mail")
    remove(tmp_path, "post")
    with pytest.raises(NotFoundError):
        load(tmp_path).get("post")
    path.chmod(0o644)
    if os.name == "posix":
        with pytest.raises(DataError, match="can be read by others"):
            load(tmp_path)


@pytest.mark.parametrize(
    ("name", "kind", "values", "said"),
    [
        ("a b", "mail", {"to": "x"}, "not a valid name for a channel"),
        ("boss", "pigeon", {}, "no kind of channel"),
        ("boss", "dingtalk", {}, "needs url"),
        ("boss", "dingtalk", {"url": "oapi.dingtalk.com"}, "must begin with http"),
        ("boss", "mail", {"to": "x", "colour": "red"}, "no setting 'colour'"),
        ("boss", "mail", {"to": "x", "least": "loud"}, "cannot be 'loud'"),
        ("boss", "mail", {"to": "x", "rate": "0"}, "whole number"),
        ("boss", "mail", {"to": "x", "masked": "perhaps"}, "yes or no"),
    ],
)
def test_a_channel_that_cannot_be_right_is_refused(name: str, kind: str, values: dict[str, str], said: str) -> None:
    """Before it is kept, with what would be right."""
    with pytest.raises(UsageError, match=said) as error:
        checked(name, kind, values)
    assert error.value.hint


def incident(**more: object) -> Incident:
    facts = {"extension": "8001", "calls": 3, "minutes": 31, "number": "0012125550100", "country": "US"}
    told = {
        "id": 7, "rule": "after-hours-intl", "object": "8001", "severity": Severity.CRITICAL,
        "reason": Reason("alert-after-hours-intl", facts), "opened_at": 1_700_000_000, "last_at": 1_700_000_600,
        "closes_at": None, "closed_at": None, "acked_at": None, "acked_by": None, "count": 3,
    }  # fmt: skip
    return Incident(**{**told, **more})  # type: ignore[arg-type]


def post(kind: str = "open", **more: object) -> QueuedMessage:
    message = Message(1, f"incident/7/{kind}", kind, Severity.CRITICAL, {}, 1_700_000_000, incident(**more))
    return QueuedMessage(1, "boss", "waiting", 0, 0, message)


def test_numbers_are_masked_where_others_machines_read() -> None:
    """On chat services the last digits are X; our own webhook gets them."""
    zone = ZoneInfo("Asia/Shanghai")
    text = text_of(post(), Speaker("天津", zone, "zh", masked=True))
    assert "001212555XXXX" in text.title
    assert "0012125550100" not in text.whole + str(text.facts)
    assert text.facts["facts"]["number"] == "001212555XXXX"
    assert "0012125550100" in text_of(post(), Speaker("", zone, "en", masked=False)).title
    masked = {kind: Channel("x", kind).masked for kind in KINDS}
    assert [kind for kind, hidden in masked.items() if hidden] == ["dingtalk", "wecom", "feishu", "apprise"]
    assert not Channel("x", "dingtalk", {"masked": False}).masked


def test_a_text_says_what_since_when_and_what_to_do() -> None:
    """In both languages; an end says how long it was."""
    zone = ZoneInfo("Asia/Shanghai")
    text = text_of(post(), Speaker("Tianjin", zone, "en", masked=False))
    assert text.title.startswith("[Tianjin] critical: 8001: 3 far or premium calls")
    assert text.body.split("\n") == [
        "since 2023-11-15 06:13",
        "so far 3 times, the last at 2023-11-15 06:23",
        ADVICE["after-hours-intl"],
        "incident 7: `ippbx-bill alerts show 7`",
    ]
    over = text_of(post("close", closed_at=1_700_003_600), Speaker("", zone, "zh", masked=False))
    assert over.title.startswith("已结束")
    assert "60" in over.body
    assert "&lt;b&gt;" in html_of(Text("1", "<b>", "x"))


def test_every_rule_and_its_advice_is_said_in_chinese() -> None:
    """What a rule is about, and what to do."""
    with speaking("zh"):
        spoken = [rule.about for rule in RULES.values()] + list(ADVICE.values())
        assert sorted(text for text in spoken if tr(text) == text) == []
    assert set(ADVICE) == set(RULES) - {"general"}


def test_alertmanager_gets_labels_times_and_an_end() -> None:
    """What goes on ends five minutes from now unless it is told again; what is over ended then."""
    speaker = Speaker("天津", ZoneInfo("Asia/Shanghai"), "zh", masked=False)
    channel = Channel("am", "alertmanager", {"url": "http://am:9093/", "authorization": "Bearer t"})
    made = request_for(text_of(post(), speaker), channel, NOW)
    assert made.url == "http://am:9093/api/v2/alerts"
    assert made.headers["Authorization"] == "Bearer t"
    (one,) = json.loads(made.body)
    assert one["labels"] == {
        "alertname": "ippbx_bill_after_hours_intl", "severity": "critical", "object": "8001", "site": "天津",
    }  # fmt: skip
    assert (one["startsAt"], one["endsAt"]) == ("2023-11-14T22:13:20+00:00", "2023-11-14T22:18:20+00:00")
    (over,) = json.loads(request_for(text_of(post("close", closed_at=1_700_000_060), speaker), channel, NOW).body)
    assert over["endsAt"] == "2023-11-14T22:14:20+00:00"
