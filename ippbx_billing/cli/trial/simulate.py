"""`simulate`: traffic to practise on, without a PBX around it: `call` posts one call, `calls` those of a site."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption
from ippbx_billing.cli.trial.simulate_call import call
from ippbx_billing.cli.trial.simulate_pbx import pbx
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.render import show
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.simulation.traffic import PlannedCall
    from ippbx_billing.simulation.traffic.posting import Post, PostTally

app = typer.Typer(no_args_is_help=True)

Spelling = Literal["json", "form"]
Profile = Literal["office", "hotel", "school"]


@app.callback()
def simulate() -> None:
    """Keeps this a group of commands, whatever their number."""


@app.command("calls", help=tr("Post a site's calls to a listener, to try or to load it."))
def calls(
    url: Annotated[str, typer.Option(help=tr("where call records go, e.g. http://127.0.0.1:8181/"))],
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help=tr("how many calls"))] = 100,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help=tr("calls a second; default: as fast as they are acknowledged"))
    ] = None,
    status_url: Annotated[str | None, typer.Option(help=tr("where call status goes; default: nowhere"))] = None,
    dialect_form: Annotated[Spelling, typer.Option(help=tr("how bodies are written"))] = "json",
    connections: Annotated[int, typer.Option(min=1, max=256, help=tr("posts at once"))] = 8,
    new_connection_per_event: Annotated[
        bool, typer.Option("--new-connection-per-event", help=tr("as switches without keep-alive"))
    ] = False,
    retries: Annotated[int, typer.Option(min=0, help=tr("posts again on anything but 200, at most so often"))] = 0,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help=tr("share of records delivered twice"))] = 0.0,
    out_of_order: Annotated[int, typer.Option(min=0, help=tr("how many places an event may come late"))] = 0,
    seed: Annotated[int, typer.Option(help=tr("the same seed is the same traffic"))] = 1,
    extensions: Annotated[int, typer.Option(min=2, max=5_000, help=tr("how many extensions the site has"))] = 40,
    profile: Annotated[Profile, typer.Option(help=tr("whose habits"))] = "office",
    area_code: Annotated[str, typer.Option(help=tr("home area code, e.g. 022"))] = "022",
    outside_prefix: Annotated[str, typer.Option(help=tr("dialled to get an outside line"))] = "9",
    month: MonthOption = "last",
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Make up the month's calls, post them, and count the answers; exit 1 if one was not acknowledged."""
    from random import Random

    from ippbx_billing.reports import Period
    from ippbx_billing.simulation.traffic import SimulatedSite
    from ippbx_billing.simulation.traffic.posting import Manner, doubled, post, unordered

    for address in filter(None, [url, status_url]):
        _check_url(address)
    period = Period.month(month or "last", common.now().astimezone().date())
    site = SimulatedSite(
        seed, extensions=extensions, profile=profile, area_code=area_code, outside_prefix=outside_prefix
    )
    deliveries = (
        delivery
        for call in site.calls(count, period.first, period.last)
        for delivery in deliveries_of(call, url, status_url, dialect_form)
    )
    habit = Random(seed)
    manner = Manner(
        connections=connections,
        new_connection_per_event=new_connection_per_event,
        per_second=rate and rate * (4 if status_url else 1),
        retries=retries,
    )
    tally = post(unordered(doubled(deliveries, duplicates, habit), out_of_order, habit), manner)
    show([_row(tally)], _columns(), form, output)
    if tally.gave_up:
        raise BillingError(tally.gave_up, tr("is `ippbx-bill listen` running there?"))
    if tally.failed:
        raise BillingError(tr("{count} events were not acknowledged", count=tally.failed), _refusals(tally))


def deliveries_of(
    call: "PlannedCall", url: str, status_url: str | None = None, form: Spelling = "json"
) -> "Iterator[Post]":
    """What a PBX posts about a call: its steps, where they are wanted, and then its record."""
    from ippbx_billing.simulation.traffic import CONTENT_TYPES, cdr_body, status_bodies
    from ippbx_billing.simulation.traffic.posting import Post

    if status_url:
        for body in status_bodies(call, form):
            yield Post(status_url, body, CONTENT_TYPES[form])
    yield Post(url, cdr_body(call, form), CONTENT_TYPES[form])


def _columns() -> list[Column]:
    return [
        Column("acknowledged", tr("Acknowledged"), "number"),
        Column("refused", tr("Refused"), "number"),
        Column("unanswered", tr("Unanswered"), "number"),
        Column("repeated", tr("Posted again"), "number"),
        Column("seconds", tr("Seconds")),
        Column("per_second", tr("Per second")),
    ]


def _row(tally: "PostTally") -> dict[str, Any]:
    return {
        "acknowledged": tally.acknowledged,
        "refused": tally.refused.total(),
        "unanswered": tally.unanswered,
        "repeated": tally.repeated,
        "seconds": round(tally.seconds, 2),
        "per_second": round(tally.acknowledged / tally.seconds, 1) if tally.seconds else 0.0,
    }


def _refusals(tally: "PostTally") -> str:
    answers = [f"{status} × {count}" for status, count in sorted(tally.refused.items())]
    if tally.unanswered:
        answers.append(tr("no answer × {count}", count=tally.unanswered))
    return tr("the answers were: {answers}", answers=", ".join(answers))


def _check_url(url: str) -> None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(tr("{url!r} is no address to post to", url=url), tr("write it like http://127.0.0.1:8181/"))


app.command("pbx", help=tr("A UC to practise on, with its web admin and its calls."))(pbx)
app.command("call", help=tr("Post one call to this site's listener, and show the bill that it is on."))(call)
