"""What people read of a message: who, what, how much, since when, and what to do, in the language of the channel.

    text = text_of(post, Speaker(site="…", zone=…, lang="zh", masked=True))
    text.title, text.body

Numbers of people are masked where the speaker says so: chat services are others' machines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from ippbx_billing.calls import Reason
from ippbx_billing.language import speaking, tr
from ippbx_billing.language.advice import ADVICE
from ippbx_billing.language.reasons import plain, sentence
from ippbx_billing.ledger.incidents import Incident
from ippbx_billing.ledger.masking import masked
from ippbx_billing.ledger.posts import Message, QueuedMessage
from ippbx_billing.money import text as amount

MOST_IN_DIGEST = 20
_NUMBERS = ("number", "caller")


@dataclass(frozen=True, slots=True)
class Speaker:
    """To whom it is told, and how."""

    site: str
    zone: tzinfo
    lang: str
    masked: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A message as it is read; `facts` are the same for programs, `id` is that of every attempt."""

    id: str
    title: str
    body: str
    site: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def whole(self) -> str:
        """Title and body together."""
        return f"{self.title}\n{self.body}"


def text_of(post: QueuedMessage, to: Speaker) -> Text:
    """What a post says."""
    with speaking(to.lang):
        title, lines = _told(post, to)
        if post.repeat:
            lines.append(tr("sent again: an earlier attempt may have arrived"))
        where = f"[{to.site}] " if to.site else ""
        return Text(post.message.key, where + title, "\n".join(lines), to.site, _facts(post.message, to))


def _told(post: QueuedMessage, to: Speaker) -> tuple[str, list[str]]:
    message = post.message
    if message.kind == "digest":
        return _digest(post, to)
    if message.kind == "test":
        return tr("test message"), [tr("this channel works; it was sent the way alerts go")]
    if message.kind == "heartbeat":
        return _heartbeat(message.facts)
    if message.incident is None:
        return str(message.facts.get("title", message.kind)), [str(message.facts.get("text", ""))]
    return _of_incident(message, message.incident, to)


def _of_incident(message: Message, one: Incident, to: Speaker) -> tuple[str, list[str]]:
    said = reason_text(one.reason, to.masked)
    if message.kind == "close":
        assert one.closed_at is not None
        lasted = max(0, one.closed_at - one.opened_at) // 60
        return tr("over: {what}", what=said), [
            tr(
                "from {first} to {last}, {minutes} min",
                first=_at(one.opened_at, to),
                last=_at(one.closed_at, to),
                minutes=lasted,
            ),
            _where(one),
        ]
    lines = [tr("since {first}", first=_at(one.opened_at, to))]
    if one.count > 1:
        lines.append(tr("so far {count} times, the last at {last}", count=one.count, last=_at(one.last_at, to)))
    if one.rule in ADVICE:
        lines.append(tr(ADVICE[one.rule]))
    severity = tr(message.severity.value)
    return tr("{severity}: {what}", severity=severity, what=said), [*lines, _where(one)]


def _where(one: Incident) -> str:
    return tr("incident {number}: `ippbx-bill alerts show {number}`", number=one.id)


def _digest(post: QueuedMessage, to: Speaker) -> tuple[str, list[str]]:
    lines = [_told(one, to)[0] for one in post.merged[:MOST_IN_DIGEST]]
    if more := len(post.merged) - len(lines):
        lines.append(tr("and {count} more: `ippbx-bill alerts list`", count=more))
    return tr("{count} messages", count=len(post.merged)), lines


def _heartbeat(facts: Mapping[str, Any]) -> tuple[str, list[str]]:
    lines = [
        tr(
            "{day}: {calls} outgoing calls, fees {fee}",
            day=facts["day"],
            calls=facts["calls"],
            fee=amount(facts["fee_micro"]),
        ),
        tr("without a price: {count}", count=facts["unrated"]),
        tr("records that wait: {count}", count=facts["waiting"]),
        tr("open incidents: {count}", count=facts["open"]),
        tr("messages given up: {count}", count=facts["dead"]),
    ]
    well = not (facts["open"] or facts["dead"] or facts["waiting"])
    return tr("all is well") if well else tr("the service runs"), lines


def reason_text(reason: Reason, hide: bool) -> str:
    """A reason as a sentence, with people's numbers masked where they are to be hidden."""
    if not hide:
        return sentence(reason)
    facts = {name: masked(str(value)) or "" if name in _NUMBERS else value for name, value in reason.facts.items()}
    return sentence(Reason(reason.code, facts))


def _at(moment: int, to: Speaker) -> str:
    return f"{datetime.fromtimestamp(moment, to.zone):%Y-%m-%d %H:%M}"


def _facts(message: Message, to: Speaker) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": message.kind, "severity": message.severity.value}
    if (one := message.incident) is not None:
        told = {k: masked(str(v)) if to.masked and k in _NUMBERS else v for k, v in plain(one.reason.facts).items()}
        facts |= {
            "incident": one.id, "rule": one.rule, "object": one.object, "count": one.count, "reason": one.reason.code,
            "facts": told, "opened_at": _iso(one.opened_at), "closed_at": _iso(one.closed_at),
        }  # fmt: skip
    return facts | ({"facts": dict(message.facts)} if message.facts else {})


def _iso(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()


def html_of(text: Text) -> str:
    """The body as a simple page for mail."""
    from html import escape

    lines = "".join(f"<p>{escape(line)}</p>" for line in text.body.split("\n"))
    return f"<html><body><h3>{escape(text.title)}</h3>{lines}</body></html>"
