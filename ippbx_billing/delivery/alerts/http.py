"""How each service is spoken to over HTTP: a pure function from text to request, and one from answer to verdict.

    request = request_for(text, channel, now)      # DingTalk's and Feishu's signatures included
    verdict = verdict_on(channel.kind, 200, {}, b'{"errcode":310000}')   ->  refused, whatever the status says

The one idea: a robot that answers 200 has not said yes. What it means stands in the body.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from ippbx_billing.delivery.alerts.channels import Channel
from ippbx_billing.delivery.alerts.texts import Text

WECOM_BYTES = 2_048
FEISHU_CHARACTERS = 4_000
DINGTALK_CHARACTERS = 4_000
STAYS_S = 300  # how long Alertmanager believes an incident that it hears nothing of
TIMEOUT_S = 15.0
WHOLE_S = 30.0
MOST_BYTES = 65_536
RATE_CODES = {"dingtalk": (130101, 130102), "wecom": (45009, 45033), "feishu": (11232, 9499, 99991400)}
SILENT_S = {"dingtalk": 600}  # how long a service takes nothing after too much


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """What is sent."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it: taken, or why not, and when the service wants to be asked again; `final` means never.

    `doubtful` where all was said and no answer came, so that it may have arrived; `alone` where the trouble is this
    message's, so that others may be taken.
    """

    taken: bool
    error: str = ""
    again_s: int | None = None
    final: bool = False
    doubtful: bool = False
    alone: bool = False


TAKEN = Verdict(True)


def request_for(text: Text, channel: Channel, now: float) -> OutgoingRequest:
    """The request that tells a channel this text."""
    made = _MAKERS[channel.kind](text, channel, now)
    return OutgoingRequest(made.url, made.body, {"Content-Type": "application/json; charset=utf-8", **made.headers})


def dingtalk_signature(secret: str, timestamp_ms: int) -> str:
    """The signature of a DingTalk robot, before it is quoted for the address."""
    return _signed(secret.encode(), f"{timestamp_ms}\n{secret}".encode())


def feishu_signature(secret: str, timestamp_s: int) -> str:
    """The signature of a Feishu robot: time and secret are the key, and nothing is signed with it."""
    return _signed(f"{timestamp_s}\n{secret}".encode(), b"")


def webhook_signature(secret: str, timestamp_s: int, body: bytes) -> str:
    """The signature of our own webhook over time and body, in hexadecimal digits."""
    return hmac.new(secret.encode(), f"{timestamp_s}.".encode() + body, hashlib.sha256).hexdigest()


def _signed(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def _dingtalk(text: Text, channel: Channel, now: float) -> OutgoingRequest:
    url, secret = channel.text("url"), channel.text("secret")
    if secret:
        moment = int(now * 1000)
        mark = "&" if "?" in url else "?"
        url += f"{mark}timestamp={moment}&sign={quote_plus(dingtalk_signature(secret, moment))}"
    mobiles = list(channel.names("mobiles"))
    content = text.whole[:DINGTALK_CHARACTERS] + "".join(f" @{one}" for one in mobiles)
    return OutgoingRequest(url, _json({"msgtype": "text", "text": {"content": content}, "at": {"atMobiles": mobiles}}))


def _wecom(text: Text, channel: Channel, now: float) -> OutgoingRequest:
    content = _cut_bytes(text.whole, WECOM_BYTES)
    told = {"content": content, "mentioned_mobile_list": list(channel.names("mobiles"))}
    return OutgoingRequest(channel.text("url"), _json({"msgtype": "text", "text": told}))


def _feishu(text: Text, channel: Channel, now: float) -> OutgoingRequest:
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text.whole[:FEISHU_CHARACTERS]}}
    if secret := channel.text("secret"):
        body = {"timestamp": str(int(now)), "sign": feishu_signature(secret, int(now)), **body}
    return OutgoingRequest(channel.text("url"), _json(body))


def _webhook(text: Text, channel: Channel, now: float) -> OutgoingRequest:
    body = _json({"id": text.id, "title": text.title, "text": text.body, **text.facts})
    headers = {
        "X-Ippbx-Bill-Id": text.id,
        "X-Ippbx-Bill-Timestamp": str(int(now)),
        "X-Ippbx-Bill-Signature": "sha256=" + webhook_signature(channel.text("secret"), int(now), body),
    }
    return OutgoingRequest(channel.text("url"), body, headers)


def _alertmanager(text: Text, channel: Channel, now: float) -> OutgoingRequest:
    return alertmanager_request([text], channel, now)


def alertmanager_request(texts: list[Text], channel: Channel, now: float) -> OutgoingRequest:
    """Several incidents at once, as Alertmanager wants to hear them again and again while they go on."""
    url = channel.text("url").rstrip("/")
    url += "" if url.endswith("/api/v2/alerts") else "/api/v2/alerts"
    authorization = channel.text("authorization")
    headers = {"Authorization": authorization} if authorization else {}
    return OutgoingRequest(url, _json([_alert(one, now) for one in texts]), headers)


def _alert(text: Text, now: float) -> dict[str, Any]:
    facts = text.facts
    began, ended = facts.get("opened_at"), facts.get("closed_at")
    until = ended or (datetime.fromtimestamp(now, UTC) + timedelta(seconds=STAYS_S)).isoformat()
    labels = {
        "alertname": "ippbx_bill_" + str(facts.get("rule", facts["kind"])).replace("-", "_"),
        "severity": str(facts["severity"]),
        "object": str(facts.get("object", "")),
        "site": text.site,
    }
    told = {"summary": text.title, "description": text.body}
    return {
        "labels": {key: value for key, value in labels.items() if value},
        "annotations": told,
        "startsAt": began or datetime.fromtimestamp(now, UTC).isoformat(),
        "endsAt": until,
    }


_MAKERS = {
    "dingtalk": _dingtalk,
    "wecom": _wecom,
    "feishu": _feishu,
    "webhook": _webhook,
    "alertmanager": _alertmanager,
}


def verdict_on(kind: str, status: int, headers: Mapping[str, str], body: bytes) -> Verdict:
    """What a service's answer means."""
    if status == 429 or status >= 500:
        return Verdict(False, f"HTTP {status}", _retry_after(headers))
    if not 200 <= status < 300:
        return Verdict(False, f"HTTP {status} {_said(body)}".strip())
    if kind not in RATE_CODES:
        return TAKEN
    try:
        answer = json.loads(body)
        code = answer.get("code", answer.get("StatusCode")) if kind == "feishu" else answer.get("errcode")
    except (ValueError, AttributeError):
        return Verdict(False, f"HTTP {status}, but no answer of {kind}: {_said(body)}")
    if code == 0:
        return TAKEN
    again = SILENT_S.get(kind, 60) if code in RATE_CODES[kind] else None
    return Verdict(False, f"{code} {answer.get('errmsg', answer.get('msg', ''))}".strip(), again)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(int(told), 3_600) if told.isdigit() else None


def post(request: OutgoingRequest, kind: str, proxy: str = "", ca_file: str = "") -> Verdict:
    """Send it; whatever goes wrong on the way is a verdict too. It takes half a minute at most."""
    import ssl

    import httpx

    trust = ssl.create_default_context(cafile=ca_file or None)
    until = time.monotonic() + WHOLE_S
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, proxy=proxy or None, trust_env=False, verify=trust) as client,
            client.stream("POST", request.url, content=request.body, headers=dict(request.headers)) as answer,
        ):
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > MOST_BYTES or time.monotonic() > until:
                    break
            return verdict_on(kind, answer.status_code, answer.headers, body[:MOST_BYTES])
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Verdict(False, _plainly(error))


def ping(url: str, proxy: str = "", ca_file: str = "") -> Verdict:
    """A sign of life for a watchman elsewhere."""
    import ssl

    import httpx

    trust = ssl.create_default_context(cafile=ca_file or None)
    try:
        answer = httpx.get(url, timeout=TIMEOUT_S, proxy=proxy or None, trust_env=False, verify=trust)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Verdict(False, _plainly(error))
    return TAKEN if answer.is_success else Verdict(False, f"HTTP {answer.status_code}")


def _plainly(error: Exception) -> str:
    """What went wrong, without the address, which may be a secret."""
    return f"{type(error).__name__}: {error.__cause__ or ''}".rstrip(": ")


def _said(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace").replace("\n", " ").strip()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _cut_bytes(text: str, most: int) -> str:
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
