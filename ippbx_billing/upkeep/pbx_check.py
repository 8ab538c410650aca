"""The questions of `pbx check`: reachable, set as wanted, our doors open, events arriving and understood.

found = diagnose(sign_in, "https://192.168.6.169", inbox, settings)
"""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ippbx_billing.calls import Call, CallStatus, RawEvent
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.pbx.session import PbxAdmin
from ippbx_billing.pbx.tokens import accepts, known_tokens
from ippbx_billing.pbx.urls import as_seen
from ippbx_billing.pipeline import Rules
from ippbx_billing.settings import Settings
from ippbx_billing.upkeep.doctor import Diagnosis, Health

LOOK_EVERY_S = 0.2
DOOR_TIMEOUT_S = 5.0

SignIn = Callable[[], AbstractContextManager[PbxAdmin]]


def diagnose(sign_in: SignIn, address: str, inbox: Inbox, using: Settings) -> list[Diagnosis]:
    """All answers, one after the other; a question whose answer needs another's says so."""
    found: list[Diagnosis] = []
    urls: dict[str, str] = {}
    try:
        with sign_in() as pbx:
            found.append(Diagnosis(tr("PBX"), Health.OK, tr("signed in to {address}", address=pbx.address)))
            found.extend(_settings(pbx, urls))
    except UsageError as error:
        found.append(Diagnosis(tr("PBX"), Health.WARNING, error.message, error.hint))
    except BillingError as error:
        found.append(Diagnosis(tr("PBX"), Health.WRONG, error.message, error.hint))
    found.extend(_doors(urls, using))
    found.append(_last_event(urlsplit(address).hostname or "", inbox, using))
    return found


def first_event(inbox: Inbox, seconds: float) -> RawEvent | None:
    """The first event that arrives from now on, or None in that time."""
    deadline = time.monotonic() + seconds
    position = inbox.last_id()
    while time.monotonic() < deadline:
        if events := inbox.after(position, 1):
            return events[0]
        time.sleep(LOOK_EVERY_S)
    return None


def understood(event: RawEvent, rules: Rules, using: Settings) -> Iterator[str]:
    """An event and how it is understood, in lines."""
    reading = rules.read(event)
    at = event.received_at.astimezone(using.site_zone)
    facts = {"id": event.id, "kind": tr(event.kind), "remote": event.remote, "bytes": len(event.body)}
    yield tr("event {id}: {kind} from {remote} at {time}, {bytes} bytes", time=f"{at:%H:%M:%S}", **facts)
    for call in reading.calls:
        yield "  " + _told_call(call)
    for status in reading.states:
        yield "  " + _told_status(status)
    for problem in reading.problems:
        yield "  " + tr("not understood: {problem}", problem=sentence(problem.told))
    if reading.nothing:
        yield "  " + tr("it tells of no call: {reason}", reason=sentence(reading.nothing))


def _settings(pbx: PbxAdmin, urls: dict[str, str]) -> Iterator[Diagnosis]:
    """Whether API and event report are on and nothing waits; the URLs in force are noted for the next question."""
    api, events = pbx.read("api"), pbx.read("events")
    configure = tr("`ippbx-bill configure-pbx` sets it")
    if api["enabled"]:
        yield Diagnosis(tr("API"), Health.OK, tr("on"))
    else:
        yield Diagnosis(tr("API"), Health.WRONG, tr("off"), configure)
    for kind, name in (("cdr", tr("Call records")), ("status", tr("Call status"))):
        url = str(events[f"{kind}_url"])
        if not (events[kind] and events[f"{kind}_report"] and url):
            yield Diagnosis(name, Health.WRONG, tr("not reported"), configure)
            continue
        urls[kind] = url
        as_json = bool(events[f"{kind}_json"])
        detail = url if as_json else tr("{url}, not as JSON", url=url)
        yield Diagnosis(name, Health.OK if as_json else Health.WARNING, detail, "" if as_json else configure)
    if pbx.staged():
        hint = tr("apply them in the PBX's own page, or undo them with `ippbx-bill pbx discard`")
        yield Diagnosis(
            tr("Unapplied"), Health.WRONG, tr("saved changes wait to be applied; they are not in force"), hint
        )


def _doors(urls: dict[str, str], using: Settings) -> Iterator[Diagnosis]:
    """Whether the addresses that the PBX was told lead to our listener."""
    import httpx

    names = {"cdr": tr("Our CDR port"), "status": tr("Our status port")}
    for kind, url in urls.items():
        parts = urlsplit(url)
        health = f"{parts.scheme}://{parts.netloc}/healthz"
        known = _knows(url, using)
        try:
            answer = httpx.get(health, timeout=DOOR_TIMEOUT_S, trust_env=False, verify=own_certificate(using))
            ours = "acknowledged" in answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            ours = False
        if not ours:
            hint = tr("start `ippbx-bill listen`; if {netloc} is not this machine, run `ippbx-bill configure-pbx`",
                      netloc=parts.netloc)  # fmt: skip
            yield Diagnosis(names[kind], Health.WRONG, tr("no listener answers at {netloc}", netloc=parts.netloc), hint)
        elif not known:
            hint = tr("`ippbx-bill configure-pbx` gives the PBX a known one")
            yield Diagnosis(
                names[kind], Health.WRONG, tr("the path in the PBX's URL is not one the listener takes"), hint
            )
        else:
            yield Diagnosis(names[kind], Health.OK, tr("a listener answers at {netloc}", netloc=parts.netloc))


def own_certificate(using: Settings) -> ssl.SSLContext | bool:
    """What our own doors are known by: their certificate, whatever name it was made for."""
    if not using.tls_certificate:
        return True
    try:
        context = ssl.create_default_context(cafile=str(using.data_dir / using.tls_certificate))
    except OSError:
        return True
    context.check_hostname = False
    return context


def _knows(url: str, using: Settings) -> bool:
    return accepts(urlsplit(url).path, known_tokens(using.data_dir))


def _last_event(host: str, inbox: Inbox, using: Settings) -> Diagnosis:
    """When the PBX was last heard of; only an event proves that no firewall lies between."""
    heard = inbox.summaries(limit=1, remote=as_seen(host)) or inbox.summaries(limit=1)
    if not heard:
        return Diagnosis(
            tr("Last event"), Health.WARNING, tr("none yet"), tr("make a test call: `ippbx-bill pbx check --wait 60`")
        )
    last = heard[0]
    minutes = int((datetime.now(UTC) - last.received_at).total_seconds() // 60)
    at = last.received_at.astimezone(using.site_zone)
    detail = tr("{time}, {minutes} min ago, from {remote}", time=f"{at:%Y-%m-%d %H:%M:%S}", minutes=minutes,
                remote=last.remote)  # fmt: skip
    return Diagnosis(tr("Last event"), Health.OK if last.remote == as_seen(host) else Health.WARNING, detail)


def _told_call(call: Call) -> str:
    return tr(
        "call of {caller} to {callee}, {seconds} s, {disposition}, understood as {dialect}",
        caller=call.caller or "–",
        callee=call.callee or "–",
        seconds=call.billed_s,
        disposition=tr(call.disposition),
        dialect=call.dialect,
    )


def _told_status(status: CallStatus) -> str:
    return tr(
        "{state}: {caller} to {callee}, understood as {dialect}",
        state=status.state,
        caller=status.caller or "–",
        callee=status.callee or "–",
        dialect=status.dialect,
    )
