"""Alerts (业务预警): what was found, whom it is told, by which rules; a rule tried on the past, a channel for real."""

from typing import Any

from starlette.responses import Response

from ippbx_billing.alerts import RULES, Exception_
from ippbx_billing.alerts.rules import SWITCH
from ippbx_billing.alerts.trying import can_be_tried
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.delivery.alerts import channels as outlets
from ippbx_billing.delivery.alerts.asking import rule_named, send_test, settings_of, told
from ippbx_billing.delivery.alerts.trying import days_to_try, try_on
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.advice import ADVICE
from ippbx_billing.lists.people.deeds import first_day
from ippbx_billing.operators import Role
from ippbx_billing.reports.views import alerts as views

PATH, RULES_PATH, CHANNELS_PATH = "/alerts", "/alerts/rules", "/alerts/channels"
MOST_SHOWN = 200
PATIENCE_S = 15
STATES = ("waiting", "sending", "sent", "dead", "merged", "cancelled")


# -- incidents


def incidents(desk: Desk) -> Response:
    """Those that go on, or all; and what nobody wants to hear of."""
    given = desk.request.query_params
    rule, every = given.get("rule", ""), bool(given.get("all"))
    found = desk.ledger.incidents.listed(everything=every, rule=rule_named(rule) if rule else None, limit=MOST_SHOWN)
    return desk.page(
        "alerts.html",
        rows=[views.incident_row(one, desk.using.site_zone) for one in found],
        columns=views.incident_columns(),
        muted=[views.exception_row(number, one) for number, one in desk.ledger.incidents.exceptions().items()],
        muted_columns=views.exception_columns(),
        rules=list(RULES),
        rule=rule,
        every=every,
        administrator=Role.ADMINISTRATOR,
        accountant=Role.ACCOUNTANT,
    )


def incident(desk: Desk) -> Response:
    """One: what, since when, whom it was told, what to do."""
    number = desk.number("incident")
    one = desk.ledger.incidents.get(number)
    return desk.page(
        "alerts_incident.html",
        one=one,
        row=views.incident_row(one, desk.using.site_zone),
        columns=views.incident_columns(),
        advice=tr(ADVICE[one.rule]) if one.rule in ADVICE else "",
        posts=[views.post_row(post, desk.using.site_zone) for post in desk.ledger.posts.of_incident(number)],
        post_columns=views.post_columns(),
        accountant=Role.ACCOUNTANT,
    )


def acknowledge(desk: Desk) -> Response:
    """Somebody is at it: nobody else is called."""
    one = desk.ledger.incidents.acknowledge(desk.number("incident"), desk.operator.name, int(desk.now.timestamp()))
    desk.note("alerts ack", str(one.id), after={"rule": one.rule, "object": one.object})
    done = tr("incident {number} is acknowledged by {who}", number=one.id, who=one.acked_by)
    return desk.back(f"{PATH}/{one.id}", done=done)


def mute(desk: Desk) -> Response:
    """Hear nothing of a rule for something until a day."""
    rule, what = desk.text("rule"), desk.text("object") or "*"
    last = first_day(desk.text("until"), desk.today) if desk.text("until") else None
    one = Exception_(rule if rule == "*" else rule_named(rule), what, last, desk.text("note"))
    number = desk.ledger.incidents.add_exception(one)
    desk.note("alerts mute", str(number), after=views.exception_row(number, one))
    return desk.back(PATH, done=tr("exception {number}: {rule} for {what}", number=number, rule=one.rule, what=what))


def hear_again(desk: Desk) -> Response:
    """What was muted is heard of again."""
    number = desk.number("exception")
    before = desk.ledger.incidents.exceptions().get(number)
    desk.ledger.incidents.remove_exception(number)
    desk.note("alerts mute", str(number), before=views.exception_row(number, before) if before else None)
    return desk.back(PATH, done=tr("removed {name}", name=number))


# -- rules


def rules(desk: Desk) -> Response:
    """Every rule with its settings, one a click away."""
    return desk.page(
        "alerts_rules.html", rows=views.rule_rows(desk.ledger.incidents.config()), columns=views.rule_columns()
    )


def rule(desk: Desk) -> Response:
    """One rule with its settings; with `try` how often it would have spoken with these, in these days."""
    given = desk.request.query_params
    name = rule_named(given.get("rule", ""))
    config = desk.ledger.incidents.config()
    values = {one: given.get(one, config.text(name, one)) for one in RULES[name].values}
    asked = bool(given.get("try")) and desk.may(Role.ACCOUNTANT)
    return desk.page(
        "alerts_rule.html",
        rule=RULES[name],
        values=values,
        starting=RULES[name].values,
        is_on=given.get(SWITCH, "on" if config.is_on(name) else "off") == "on",
        can_be_tried=can_be_tried(name),
        first=given.get("from", ""),
        last=given.get("to", ""),
        found=_tried(desk, name, values) if asked else None,
        columns=views.tried_columns(),
        accountant=Role.ACCOUNTANT,
        administrator=Role.ADMINISTRATOR,
    )


def _tried(desk: Desk, name: str, values: dict[str, str]) -> dict[str, Any]:
    days = days_to_try(_asked_day(desk, "from"), _asked_day(desk, "to"), desk.today)
    wanted = {one: value for one, value in settings_of(name, values).items() if value is not None}
    found = try_on(desk.ledger, desk.using, name, wanted, days[0], days[-1])
    rows = views.tried_rows(found, desk.using.site_zone)
    return {"rows": rows[:MOST_SHOWN], "count": len(rows), "days": len(days)}


def _asked_day(desk: Desk, name: str) -> Any:
    text = desk.request.query_params.get(name)
    return first_day(text, desk.today) if text else None


def set_rule(desk: Desk) -> Response:
    """Takes effect with the next call; an empty field puts its setting back."""
    name = rule_named(desk.text("rule"))
    given = {one: desk.text(one) for one in (SWITCH, *RULES[name].values) if one in desk.form}
    before = told(desk.ledger.incidents.config(), name)
    desk.ledger.incidents.set(name, _own(name, settings_of(name, given)))
    after = told(desk.ledger.incidents.config(), name)
    if before != after:
        desk.note("alerts set", name, before={"settings": before}, after={"settings": after})
    return desk.back(RULES_PATH, done=tr("{rule}: {settings}", rule=name, settings=after))


def _own(name: str, values: dict[str, str | None]) -> dict[str, str | None]:
    """What stands at its starting value is not the site's own: a later version may start elsewhere."""
    starting = {**RULES[name].values, SWITCH: "on" if RULES[name].on else "off"}
    return {one: None if value == starting[one] else value for one, value in values.items()}


# -- channels


def channels(desk: Desk, posts: Any = None) -> Response:
    """The channels without their secrets, the servers behind them, and the last messages; `posts` are a test's."""
    known, zone = outlets.load(desk.using.data_dir), desk.using.site_zone
    counts, last = desk.ledger.posts.counts(), desk.ledger.posts.last_sent()
    rows = [
        views.channel_row(
            one.name, one.kind, one.least.value, outlets.shown(one.values), counts.get(one.name, {}),
            last.get(one.name), zone,
        )
        for one in known.channels.values()
    ]  # fmt: skip
    return desk.page(
        "alerts_channels.html",
        rows=rows,
        columns=views.channel_columns(),
        kinds=list(outlets.KINDS),
        servers={name: outlets.shown(known.server(name)) for name in outlets.SERVERS},
        posts=[views.post_row(one, zone) for one in desk.ledger.posts.listed(STATES, 50)],
        post_columns=views.post_columns(),
        tested=None if posts is None else [views.post_row(one, zone) for one in posts],
    )


def test_channel(desk: Desk) -> Response:
    """A test message the whole real way, waited for."""
    name = desk.text("channel")
    posts = send_test(desk.using, desk.ledger, name or None, desk.now, PATIENCE_S)
    desk.note("alerts test", name, after={one.channel: one.state for one in posts})
    return channels(desk, posts)


def channel(desk: Desk) -> Response:
    """One channel's settings, or those of a new one of a kind; a secret that is set is not shown."""
    given, known = desk.request.query_params, outlets.load(desk.using.data_dir)
    present = known.get(given["name"]) if given.get("name") else None
    kind = present.kind if present else given.get("kind", "")
    if kind not in outlets.KINDS:
        raise UsageError(tr("there is no kind of channel {kind!r}", kind=kind), ", ".join(outlets.KINDS))
    own, needed, _ = outlets.KINDS[kind]
    return desk.page(
        "alerts_channel.html",
        title=present.name if present else tr("New channel"),
        path=CHANNELS_PATH,
        hidden={"kind": kind} | ({"name": present.name} if present else {}),
        is_new=present is None,
        fields=_fields((*own, *outlets.COMMON), present.values if present else {}, needed),
        kind=kind,
    )


def server(desk: Desk) -> Response:
    """The mail server, or what HTTP messages go by."""
    name = desk.choice("name", tuple(outlets.SERVERS), "mail")
    known = outlets.load(desk.using.data_dir)
    return desk.page(
        "alerts_channel.html",
        title=name,
        path="/alerts/server",
        hidden={"name": name},
        is_new=False,
        fields=_fields(outlets.SERVERS[name], known.server(name), ()),
        kind="",
    )


def _fields(names: tuple[str, ...], values: Any, needed: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "text": "" if name in outlets.SECRETS else _in_text(values.get(name)),
            "secret": name in outlets.SECRETS,
            "is_set": name in values,
            "needed": name in needed,
        }
        for name in names
    ]


def _in_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def put_channel(desk: Desk) -> Response:
    """A new channel, or another one in its place; a secret that is left empty stays."""
    name, kind = desk.text("name"), desk.text("kind")
    present = outlets.load(desk.using.data_dir).channels.get(name)
    own = outlets.KINDS[kind][0] if kind in outlets.KINDS else ()
    kept = present.values if present and present.kind == kind else {}
    secrets = {one: kept[one] for one in outlets.SECRETS if one in kept}
    given = {one: desk.text(one) for one in (*own, *outlets.COMMON) if desk.text(one)}
    made = outlets.checked(name, kind, secrets | given)
    outlets.put(desk.using.data_dir, made)
    before = outlets.shown(present.values) if present else None
    desk.note("alerts channels add", name, before=before, after={"kind": kind, **outlets.shown(made.values)})
    return desk.back(CHANNELS_PATH, done=tr("channel {name} is set", name=name))


def remove_channel(desk: Desk) -> Response:
    """Forget a channel and its secrets."""
    name = desk.text("name")
    present = outlets.load(desk.using.data_dir).get(name)
    outlets.remove(desk.using.data_dir, name)
    desk.note("alerts channels remove", name, before={"kind": present.kind, **outlets.shown(present.values)})
    return desk.back(CHANNELS_PATH, done=tr("removed {name}", name=name))


def put_server(desk: Desk) -> Response:
    """What is set of a server; a secret that is left empty stays, another value that is left empty is forgotten."""
    name = desk.text("name")
    known = outlets.SERVERS.get(name, ())
    given = {one: desk.text(one) for one in known if desk.text(one) or one not in outlets.SECRETS}
    before = outlets.shown(outlets.load(desk.using.data_dir).server(name))
    outlets.put_server(desk.using.data_dir, name, given)
    after = outlets.shown(outlets.load(desk.using.data_dir).server(name))
    desk.note("alerts channels server", name, before=before, after=after)
    return desk.back(CHANNELS_PATH, done=tr("saved"))


WAYS = (
    Way(PATH, incidents, Role.VIEWER),
    Way("/alerts/{incident:int}", incident, Role.VIEWER),
    Way("/alerts/{incident:int}/ack", acknowledge, Role.ACCOUNTANT, post=True),
    Way("/alerts/mute", mute, Role.ACCOUNTANT, post=True),
    Way("/alerts/muted/{exception:int}/remove", hear_again, Role.ACCOUNTANT, post=True),
    Way(RULES_PATH, rules, Role.VIEWER),
    Way("/alerts/rule", rule, Role.VIEWER),
    Way("/alerts/rule", set_rule, Role.ADMINISTRATOR, post=True),
    Way(CHANNELS_PATH, channels, Role.ADMINISTRATOR),
    Way(CHANNELS_PATH, put_channel, Role.ADMINISTRATOR, post=True),
    Way("/alerts/channel", channel, Role.ADMINISTRATOR),
    Way("/alerts/channels/test", test_channel, Role.ADMINISTRATOR, post=True),
    Way("/alerts/channels/remove", remove_channel, Role.ADMINISTRATOR, post=True),
    Way("/alerts/server", server, Role.ADMINISTRATOR),
    Way("/alerts/server", put_server, Role.ADMINISTRATOR, post=True),
)
MENU = (MenuEntry(PATH, lambda: tr("Alerts"), Role.VIEWER),)
