"""`alerts`: what was found, whom it is told, by which rules; a rule tried on the past, a channel tried for real."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

app = Commands()
channels = Commands()
app.add_typer(channels, name="channels", help=en("Set where messages go: mail, DingTalk, WeCom, Feishu, webhooks."))

PATIENCE_S = 30
PairsArgument = Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help=en("what is set"))]


@app.command("list", help=en("List incidents that go on; with --all also those that are over."))
def list_incidents(
    everything: Annotated[bool, typer.Option("--all", help=en("also those that are over"))] = False,
    rule: Annotated[str | None, typer.Option(help=en("of this rule only"))] = None,
    limit: Annotated[int, typer.Option(min=1, help=en("at most so many"))] = 100,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The newest first."""
    from ippbx_billing.delivery.alerts.asking import rule_named
    from ippbx_billing.reports.views import alerts as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        found = ledger.incidents.listed(everything=everything, rule=rule and rule_named(rule), limit=limit)
    rows = [views.incident_row(one, using.site_zone) for one in found]
    show(rows, views.incident_columns(), form, output, empty=tr("no incidents"))


@app.command("show", help=en("Show one incident: what, since when, who was told, what to do."))
def show_incident(
    number: Annotated[int, typer.Argument(metavar="ID", help=en("from `alerts list`"))],
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The incident and its messages."""
    from ippbx_billing.language.advice import ADVICE
    from ippbx_billing.reports.views import alerts as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        one = ledger.incidents.get(number)
        posts = [views.post_row(post, using.site_zone) for post in ledger.posts.of_incident(number)]
    row = views.incident_row(one, using.site_zone)
    if form is Format.TABLE:
        show([row], views.incident_columns(), form, output)
        say(tr(ADVICE[one.rule]) if one.rule in ADVICE else "")
    document = {**row, "advice": tr(ADVICE[one.rule]) if one.rule in ADVICE else None, "messages": posts}
    show(posts, views.post_columns(), form, output, document=document, empty=tr("nobody has been told"))


@app.command("ack", help=en("Acknowledge an incident: nobody else is called."))
def acknowledge(
    number: Annotated[int, typer.Argument(metavar="ID", help=en("from `alerts list`"))],
    by: Annotated[str, typer.Option(help=en("who"))] = "",
) -> None:
    """An incident that is acknowledged goes on until it is over."""
    import getpass

    with common.open_ledger(common.settings()) as ledger:
        one = ledger.incidents.acknowledge(number, by or getpass.getuser(), int(common.now().timestamp()))
    say(tr("incident {number} is acknowledged by {who}", number=one.id, who=one.acked_by))


@app.command("mute", help=en("Mute a rule for an extension, a country, or 8001/US, until a day."))
def mute(
    rule: Annotated[str | None, typer.Argument(metavar="RULE", help=en("a rule, or * for all"))] = None,
    what: Annotated[str, typer.Argument(metavar="OBJECT", help=en("extension, country, extension/country, PBX"))] = "*",
    until: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help=en("the last day; default: until further notice"))
    ] = None,
    note: Annotated[str, typer.Option(help=en("why"))] = "",
    shown: Annotated[bool, typer.Option("--list", help=en("show what is muted"))] = False,
    remove: Annotated[int | None, typer.Option(metavar="ID", help=en("be told of it again"))] = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Exceptions by rule and object."""
    from ippbx_billing.alerts import Exception_
    from ippbx_billing.delivery.alerts.asking import rule_named
    from ippbx_billing.reports.views import alerts as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        if remove is not None:
            ledger.incidents.remove_exception(remove)
            say(tr("removed {name}", name=remove))
        elif shown or rule is None:
            rows = [views.exception_row(number, one) for number, one in ledger.incidents.exceptions().items()]
            show(rows, views.exception_columns(), form, empty=tr("nothing is muted"))
        else:
            last = common.day(until) if until else None
            one = Exception_(rule if rule == "*" else rule_named(rule), what, last, note)
            number = ledger.incidents.add_exception(one)
            say(tr("exception {number}: {rule} for {what}", number=number, rule=one.rule, what=one.object))


@app.command("rules", help=en("List every rule with its settings."))
def rules(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """As they stand now."""
    from ippbx_billing.reports.views import alerts as views

    with common.open_ledger(common.settings()) as ledger:
        rows = views.rule_rows(ledger.incidents.config())
    show(rows, views.rule_columns(), form, output)


@app.command("set", help=en("Set a rule: `alerts set burst calls=30`, `alerts set dear-call on`; NAME= puts it back."))
def set_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", help=en("from `alerts rules`"))], values: PairsArgument
) -> None:
    """Takes effect with the next call."""
    from ippbx_billing.delivery.alerts.asking import pairs_of, rule_named, settings_of, told

    name = rule_named(rule)
    found = settings_of(name, pairs_of(name, values))
    with common.open_ledger(common.settings()) as ledger:
        ledger.incidents.set(name, found)
        config = ledger.incidents.config()
    say(tr("{rule}: {settings}", rule=name, settings=told(config, name)))


@app.command("try", help=en("Count how often a rule would have spoken in the past, before it is switched on."))
def try_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", help=en("from `alerts rules`"))],
    values: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]…", help=en("settings to try"))] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=en("default: 28 days ago"))] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help=en("default: yesterday"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Nothing is written and nobody is told."""
    from ippbx_billing.delivery.alerts.asking import pairs_of, rule_named, settings_of
    from ippbx_billing.delivery.alerts.trying import days_to_try, try_on
    from ippbx_billing.reports.views import alerts as views

    using, today = common.settings(), common.today(common.settings())
    days = days_to_try(common.day(first) if first else None, common.day(last) if last else None, today)
    found = settings_of(rule_named(rule), pairs_of(rule, values or []))
    wanted = {name: value for name, value in found.items() if value is not None}
    with common.open_ledger(using) as ledger:
        incidents = try_on(ledger, using, rule, wanted, days[0], days[-1])
    rows = views.tried_rows(incidents, using.site_zone)
    show(rows, views.tried_columns(), form, output, empty=tr("it would not have spoken"))
    say(tr("{count} times in {days} days", count=len(rows), days=len(days)))


@app.command("test", help=en("Send a test message the whole real way, and wait until it has arrived."))
def send_test(
    channel: Annotated[str | None, typer.Argument(metavar="[CHANNEL]", help=en("default: all of them"))] = None,
    wait: Annotated[int, typer.Option(min=1, metavar="SECONDS", help=en("how long to wait"))] = PATIENCE_S,
    form: FormatOption = Format.TABLE,
) -> None:
    """Through outbox and service like any alert; exit 1 where it did not arrive."""
    from ippbx_billing.delivery.alerts.asking import send_test as sent_test
    from ippbx_billing.reports.views import alerts as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        posts = sent_test(using, ledger, channel, common.now(), wait)
    rows = [views.post_row(one, using.site_zone) for one in posts]
    show(rows, views.post_columns(), form, empty=tr("nobody has taken it"))
    if not posts or any(one.state != "sent" for one in posts):
        raise typer.Exit(1)


@app.command("send", help=en("Send what waits, for cron where no service runs; nothing is sent twice."))
def send(
    again: Annotated[bool, typer.Option("--again", help=en("also what was given up"))] = False,
    channel: Annotated[str | None, typer.Option(help=en("with --again: of this channel only"))] = None,
) -> None:
    """What the service does by itself; exit 1 where a message was given up."""
    from ippbx_billing.delivery.alerts.running import Housekeeping
    from ippbx_billing.delivery.alerts.sender import Sender, is_sending, only_sender

    using = common.settings()
    with common.open_ledger(using) as ledger:
        if again:
            with ledger.transaction():
                count = ledger.posts.again(channel, int(common.now().timestamp()))
            say(tr("{count} messages are tried again", count=count))
        if is_sending(using.data_dir):
            say(tr("the running service sends; nothing need be done"))
            return
        with only_sender(using.data_dir), Sender(using, ledger) as sender:
            sender.begin()
            sender.round(common.now())
            Housekeeping(using, ledger).run(common.now(), sender)
            sender.drain(common.now)
        left, dead = ledger.posts.count("waiting"), ledger.posts.count("dead")
    say(tr("{left} messages wait, {dead} were given up", left=left, dead=dead))
    if dead:
        raise typer.Exit(1)


@app.command("sent", help=en("List messages: sent, waiting, given up."))
def sent(
    state: Annotated[
        Literal["all", "waiting", "sent", "dead", "merged", "cancelled"], typer.Option(help=en("in this state"))
    ] = "all",
    limit: Annotated[int, typer.Option(min=1, help=en("at most so many"))] = 100,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The newest first."""
    from ippbx_billing.reports.views import alerts as views

    states = {"all": ["waiting", "sending", "sent", "dead", "merged", "cancelled"], "waiting": ["waiting", "sending"]}
    using = common.settings()
    with common.open_ledger(using) as ledger:
        found = ledger.posts.listed(states.get(state, [state]), limit)
    show([views.post_row(one, using.site_zone) for one in found], views.post_columns(), form, output, empty=tr("none"))


# -- channels


@channels.command("list", help=en("List the channels without their secrets, and how their messages fare."))
def list_channels(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Which channel took its last message when."""
    from ippbx_billing.delivery.alerts.channels import load, shown
    from ippbx_billing.reports.views import alerts as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        counts, last = ledger.posts.counts(), ledger.posts.last_sent()
    rows = [
        views.channel_row(
            one.name, one.kind, one.least.value, shown(one.values), counts.get(one.name, {}), last.get(one.name),
            using.site_zone,
        )
        for one in load(using.data_dir).channels.values()
    ]  # fmt: skip
    show(rows, views.channel_columns(), form, output, empty=tr("there is no channel yet"))


@channels.command("add", help=en("Add a channel, or change it: `channels add boss dingtalk url=@FILE secret=-`."))
def add_channel(
    name: Annotated[str, typer.Argument(help=en("a name of your own"))],
    kind: Annotated[str, typer.Argument(help=en("mail, webhook, dingtalk, wecom, feishu, alertmanager, apprise"))],
    values: PairsArgument,
) -> None:
    """A value of @FILE is read from there, - from stdin, so that no secret stands in the shell's history."""
    from ippbx_billing.delivery.alerts.channels import checked, put

    using = common.settings()
    put(using.data_dir, checked(name, kind, _pairs(values)))
    say(tr("channel {name} is set; try it: `ippbx-bill alerts test {name}`", name=name))


@channels.command("remove", help=en("Delete a channel and its secrets."))
def remove_channel(name: Annotated[str, typer.Argument(help=en("from `alerts channels list`"))]) -> None:
    """What waits for it is never sent."""
    from ippbx_billing.delivery.alerts.channels import remove

    remove(common.settings().data_dir, name)
    say(tr("removed {name}", name=name))


@channels.command(
    "server", help=en("Set the mail server, the HTTP proxy, the watchman's address: `channels server mail host=…`.")
)
def server(
    name: Annotated[Literal["mail", "http"], typer.Argument(help=en("mail or http"))],
    values: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]…", help=en("what is set"))] = None,
) -> None:
    """Without values it shows what is set."""
    from ippbx_billing.delivery.alerts.channels import load, put_server, shown

    using = common.settings()
    if values:
        put_server(using.data_dir, name, _pairs(values))
    told = shown(load(using.data_dir).server(name))
    say(tr("{rule}: {settings}", rule=name, settings=", ".join(f"{k}={v}" for k, v in told.items()) or tr("none")))


def _pairs(words: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark:
            raise UsageError(tr("{word!r} is not NAME=VALUE", word=word), tr("write it like {word}=…", word=word))
        found[name] = _value(value)
    return found


def _value(text: str) -> str:
    """A value, or what stands in the file or on stdin that it names."""
    if text == "-":
        return sys.stdin.readline().strip()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            tr("{path} cannot be read: {error}", path=text[1:], error=error), tr("name a file that holds the value")
        ) from error
