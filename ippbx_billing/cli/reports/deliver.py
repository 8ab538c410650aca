"""`deliver`: bills and reports by mail, period by period; what was sent stays in an archive."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show
from ippbx_billing.language import en, language, tr

if TYPE_CHECKING:
    from ippbx_billing.delivery.mails.sending import MailRound
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.ledger.deliveries import Mailing
    from ippbx_billing.reports.views.deliveries import Row
    from ippbx_billing.settings import Settings

app = Commands(no_args_is_help=False)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help=en("from `deliver list`"))]


@app.callback(invoke_without_command=True)
def deliver(
    ctx: typer.Context,
    due: Annotated[bool, typer.Option("--due", help=en("make and send what is due, for cron or a timer"))] = False,
) -> None:
    """`deliver --due` is `deliver due`; without anything the list is shown."""
    if ctx.invoked_subcommand is None:
        if due:
            send_due()
        else:
            list_deliveries()


@app.command("add", help=en("Mail a bill or a report period by period: `deliver add month --bill all --to a@b.cn`."))
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help=en("a name of your own"))],
    to: Annotated[
        list[str], typer.Option("--to", metavar="ADDRESS", help=en("addresses; `employee`: each its own bill"))
    ],
    bill: Annotated[
        str | None,
        typer.Option(
            metavar="WHOSE",
            help=en("company, all, employee or department (each its own), employee:1001, department:PATH"),
        ),
    ] = None,
    report: Annotated[
        str | None, typer.Option(metavar="REPORT", help=en("sums, ranking, time-of-day, regions, numbers, …"))
    ] = None,
    asked: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help=en("by=employee, top=20, department=…; of a bill: calls=yes")),
    ] = None,
    form: Annotated[str, typer.Option("--format", help=en("pdf, xlsx, html, csv, json or markdown"))] = "pdf",
    every: Annotated[str, typer.Option(metavar="month|week|day", help=en("the period"))] = "month",
    on: Annotated[int, typer.Option(metavar="DAY", help=en("on which day after the period"))] = 1,
    at: Annotated[str, typer.Option(metavar="HH:MM", help=en("from when on, by the site's clock"))] = "08:00",
    lang: Annotated[
        str | None, typer.Option("--in", metavar="en|zh", help=en("its language; default: the site's"))
    ] = None,
    note: Annotated[str, typer.Option(help=en("a line of your own in each mail"))] = "",
    first: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=en("no period before this one; default: today's"))
    ] = None,
) -> None:
    """Periods that were over before are not mailed unless --from says so."""
    from ippbx_billing.delivery.mails.periods import period_of
    from ippbx_billing.delivery.mails.wanted import checked

    using = common.settings()
    day = common.day(first) if first else common.today(using)
    bill = bill or (to[0] if to in (["employee"], ["department"]) and report is None else None)
    with common.open_ledger(using) as ledger:
        wanted = checked(
            ledger, name=name, bill=bill, report=report, asked=asked or (), to=to, form=form, every=every, on_day=on,
            at=at, lang=lang or using.lang or language(), note=note, first_day=day,
        )  # fmt: skip
        from dataclasses import replace

        row = _row(using, ledger, ledger.deliveries.add(replace(wanted, first_day=period_of(every, day).first)))
    say(tr("delivery {name} is set; next: {moment}", name=name, moment=(row["next"] or "–")[:16].replace("T", " ")))
    _say_what_lacks(using)


def _say_what_lacks(using: "Settings") -> None:
    from ippbx_billing.delivery.alerts.channels import load

    if not load(using.data_dir).server("mail"):
        say(tr("no mail server is set"))
        say("ippbx-bill alerts channels server mail host=smtp.example.com sender=billing@example.com")


@app.command("list", help=en("What is mailed to whom, when next, and how the mails fare."))
def list_deliveries(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """By name."""
    from ippbx_billing.reports.views import deliveries as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        rows = [_row(using, ledger, one) for one in ledger.deliveries.listed()]
    told = rows if form is Format.JSON else [views.told_row(row) for row in rows]
    show(told, views.delivery_columns(), form, output, empty=tr("nothing is mailed"))


def _row(using: "Settings", ledger: "Ledger", one: "Mailing") -> "Row":
    from ippbx_billing.delivery.mails.sending import next_mail
    from ippbx_billing.reports.views import deliveries as views

    counts, last = ledger.deliveries.counts(), ledger.deliveries.last_sent()
    due = next_mail(using, ledger, one, common.now())
    return views.delivery_row(one, counts.get(one.id, {}), last.get(one.id), due, using.site_zone)


@app.command("show", help=en("One delivery with its mails, the newest first."))
def show_one(
    name: NameArgument,
    limit: Annotated[int, typer.Option(min=1, help=en("at most so many"))] = 100,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Each mail with what became of it."""
    from ippbx_billing.reports.views import deliveries as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        row = _row(using, ledger, ledger.deliveries.get(name))
        mails = ledger.deliveries.mails(name=name, limit=limit)
    rows = [views.mail_row(one, name, using.site_zone) for one in mails]
    if form is Format.TABLE:
        show([views.told_row(row)], views.delivery_columns(), form, output)
    show(rows, views.mail_columns(), form, output, document={**row, "mails": rows}, empty=tr("no mail yet"))


@app.command("remove", help=en("Mail it no more; what was sent stays in the archive."))
def remove(name: NameArgument) -> None:
    """What waits is not sent."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.deliveries.set_state(name, "removed")
    say(tr("removed {name}", name=name))


@app.command("enable", help=en("Switch a delivery on again, or off."))
def enable(
    name: NameArgument,
    off: Annotated[bool, typer.Option("--off", help=en("make nothing until further notice"))] = False,
) -> None:
    """Off: nothing new is made; what waits is still sent."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.deliveries.set_state(name, "off" if off else "on")
    say(tr("delivery {name} is switched off", name=name) if off else tr("delivery {name} is switched on", name=name))


@app.command("due", help=en("Make and send what is due, for cron or a timer; nothing is sent twice."))
def send_due() -> None:
    """Exit 1 where something could not be made or sent; 0 where another process is at it."""
    from ippbx_billing.delivery.mails.sending import Mailer, only_mailer
    from ippbx_billing.errors import BusyError

    using = common.settings()
    with common.open_ledger(using) as ledger:
        try:
            with only_mailer(using.data_dir):
                done = Mailer(using, ledger, common.now).run()
        except BusyError as error:
            say(error.message)
            return
    _tell(done)
    if done.troubles:
        raise typer.Exit(1)


def _tell(done: "MailRound") -> None:
    """Quiet where nothing was due, so that cron mails nothing."""
    from ippbx_billing.reports.views.deliveries import nobodys

    for trouble in dict.fromkeys(done.troubles):
        say(trouble)
    if done.nobody:
        for line in nobodys(done.nobody):
            say(line)
    if done.made or done.sent or done.troubles:
        say(
            tr(
                "{made} files made, {sent} mails sent, {failed} are tried again, {dead} were given up",
                made=done.made,
                sent=done.sent,
                failed=done.failed,
                dead=done.dead,
            )
        )


@app.command("again", help=en("Send again what was given up, after its cause was removed."))
def again(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=en("of this delivery only"))] = None,
) -> None:
    """They wait, and are sent by the next `deliver --due` or the service."""
    from ippbx_billing.delivery.mails.sending import send_again

    with common.open_ledger(common.settings()) as ledger:
        count = send_again(ledger, name, int(common.now().timestamp()))
    say(tr("{count} messages are tried again", count=count))


@app.command("archive", help=en("What was sent to whom, with the file and its SHA-256, checked against the file."))
def show_archive(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=en("of this delivery only"))] = None,
    limit: Annotated[int, typer.Option(min=1, help=en("at most so many"))] = 1_000,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The files lie below `sent` in the data directory; exit 1 where one is not what was sent."""
    from ippbx_billing.delivery.mails.making import file_states
    from ippbx_billing.reports.views import deliveries as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        mails = ledger.deliveries.mails(name=name, states=["sent"], limit=limit)
        names = {number: ledger.deliveries.by_id(number).name for number in {one.delivery_id for one in mails}}
    states = file_states(using, mails)
    rows = views.archive_rows(mails, names, states, using.site_zone)
    show(rows, views.archive_columns(), form, output, empty=tr("nothing was sent"))
    if set(states.values()) - {"intact"}:
        raise typer.Exit(1)


@app.command("bounced", help=en("Take in a mail server's report that a mail came back: a .eml file, - is stdin."))
def take_bounced(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=en("reports as mails; - is stdin"))],
) -> None:
    """For a filter of the sender's mailbox; reports about other mails are left alone."""
    from ippbx_billing.delivery.mails.bounces import bounced

    with common.open_ledger(common.settings()) as ledger:
        for path in files:
            found = bounced(ledger, _content(path), int(common.now().timestamp()))
            for mail, error in found:
                say(tr("the mail to {recipient} came back: {error}", recipient=mail.recipient, error=error))
            if not found:
                say(tr("{path} is about none of our mails", path=path))


def _content(path: Path) -> bytes:
    from ippbx_billing import files

    return sys.stdin.buffer.read() if str(path) == "-" else files.read(path)
