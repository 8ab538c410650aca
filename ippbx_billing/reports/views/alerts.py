"""How incidents, rules, channels and messages look."""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from ippbx_billing.alerts import RULES, Config, Exception_
from ippbx_billing.alerts.rules import SWITCH
from ippbx_billing.alerts.trying import Tried
from ippbx_billing.documents.columns import Column
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence, told
from ippbx_billing.ledger.incidents import Incident
from ippbx_billing.ledger.posts import QueuedMessage


def incident_columns() -> list[Column]:
    """The columns of `incident_row` for people."""
    return [
        Column("id", tr("ID"), "code"),
        Column("severity", tr("Severity"), "word"),
        Column("rule", tr("Rule"), "code"),
        Column("state", tr("State"), "word"),
        Column("opened_at", tr("Since"), "time"),
        Column("last_at", tr("Last"), "time", rank=1),
        Column("count", tr("Times"), "number", rank=2),
        Column("text", tr("What")),
    ]


def incident_row(one: Incident, zone: tzinfo) -> dict[str, Any]:
    """An incident as lists show it and programs read it."""
    return {
        "id": one.id,
        "rule": one.rule,
        "object": one.object,
        "severity": one.severity.value,
        "state": one.state,
        "opened_at": _moment(one.opened_at, zone),
        "last_at": _moment(one.last_at, zone),
        "closed_at": _moment(one.closed_at, zone),
        "acknowledged_at": _moment(one.acked_at, zone),
        "acknowledged_by": one.acked_by,
        "count": one.count,
        "text": sentence(one.reason),
        **told(one.reason),
    }


def post_columns() -> list[Column]:
    """The columns of `post_row` for people."""
    return [
        Column("id", tr("ID"), "code"),
        Column("channel", tr("Channel"), "code"),
        Column("state", tr("State"), "word"),
        Column("kind", tr("Kind"), "word"),
        Column("incident", tr("Incident"), "code"),
        Column("created_at", tr("Made"), "time"),
        Column("sent_at", tr("Sent"), "time"),
        Column("attempts", tr("Attempts"), "number", rank=1),
        Column("error", tr("Error")),
    ]


def post_row(one: QueuedMessage, zone: tzinfo) -> dict[str, Any]:
    """A message on its way to a channel."""
    return {
        "id": one.id,
        "channel": one.channel,
        "state": one.state,
        "kind": one.message.kind.partition("-")[0],
        "severity": one.message.severity.value,
        "incident": None if one.message.incident is None else one.message.incident.id,
        "key": one.message.key,
        "created_at": _moment(one.first_at, zone),
        "due_at": _moment(one.due_at, zone),
        "sent_at": _moment(one.sent_at, zone),
        "attempts": one.attempts,
        "error": one.error or None,
    }


def rule_columns() -> list[Column]:
    """The columns of `rule_rows` for people."""
    return [
        Column("rule", tr("Rule"), "code"),
        Column("on", tr("On"), "flag"),
        Column("severity", tr("Severity"), "word"),
        Column("settings", tr("Settings")),
        Column("about", tr("About"), rank=1),
    ]


def rule_rows(config: Config) -> list[dict[str, Any]]:
    """Every rule with its settings as they stand; those that the site has set are in `own`."""
    return [
        {
            "rule": rule.name,
            "on": config.is_on(rule.name),
            "severity": rule.severity.value,
            "settings": ", ".join(f"{name}={config.text(rule.name, name)}" for name in rule.values),
            "values": {name: config.text(rule.name, name) for name in rule.values},
            "own": {name: value for name, value in config.own.get(rule.name, {}).items() if name != SWITCH},
            "about": tr(rule.about),
        }
        for rule in RULES.values()
    ]


def tried_columns() -> list[Column]:
    """The columns of `tried_rows` for people."""
    return [
        Column("opened_at", tr("From"), "time"),
        Column("closed_at", tr("To"), "time"),
        Column("severity", tr("Severity"), "word"),
        Column("object", tr("Object"), "code"),
        Column("count", tr("Times"), "number"),
        Column("text", tr("What")),
    ]


def tried_rows(found: Iterable[Tried], zone: tzinfo) -> list[dict[str, Any]]:
    """What a rule would have said."""
    return [
        {
            "rule": one.finding.rule,
            "object": one.finding.object,
            "severity": one.finding.severity.value,
            "opened_at": _moment(one.opened_at, zone),
            "closed_at": _moment(one.closed_at, zone),
            "count": one.count,
            "text": sentence(one.finding.reason),
            **told(one.finding.reason),
        }
        for one in found
    ]


def channel_columns() -> list[Column]:
    """The columns of a list of channels for people."""
    return [
        Column("name", tr("Channel"), "code"),
        Column("kind", tr("Kind"), "code"),
        Column("least", tr("From severity"), "word"),
        Column("settings", tr("Settings")),
        Column("last_sent_at", tr("Last sent"), "time"),
        Column("waiting", tr("Waiting"), "number"),
        Column("dead", tr("Given up"), "number"),
    ]


def channel_row(
    name: str,
    kind: str,
    least: str,
    shown: Mapping[str, Any],
    counts: Mapping[str, int],
    last: int | None,
    zone: tzinfo,
) -> dict[str, Any]:
    """A channel without its secrets, and how its messages fare."""
    return {
        "name": name,
        "kind": kind,
        "least": least,
        "settings": ", ".join(f"{key}={_plain(value)}" for key, value in shown.items()),
        "last_sent_at": _moment(last, zone),
        "sent": counts.get("sent", 0),
        "waiting": counts.get("waiting", 0) + counts.get("sending", 0),
        "dead": counts.get("dead", 0),
    }


def exception_columns() -> list[Column]:
    """The columns of a list of exceptions for people."""
    return [
        Column("id", tr("ID"), "code"),
        Column("rule", tr("Rule"), "code"),
        Column("object", tr("Object"), "code"),
        Column("until", tr("Until"), "time"),
        Column("note", tr("Note")),
    ]


def exception_row(number: int, one: Exception_) -> dict[str, Any]:
    """An exception as lists show it."""
    until = one.until and one.until.isoformat()
    return {"id": number, "rule": one.rule, "object": one.object, "until": until, "note": one.note}


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _moment(at: int | None, zone: tzinfo) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, zone).isoformat()
