"""`simulate`: traffic to practise on, without a PBX around it: `call` posts one call, `calls` those of a site."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.trial.simulate_call import call
from ippbx_billing.cli.trial.simulate_pbx import pbx
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.simulation.traffic import PlannedCall
    from ippbx_billing.simulation.traffic.posting import Post

app = Commands()

Spelling = Literal["json", "form"]
Profile = Literal["office", "hotel", "school"]


@app.callback()
def simulate() -> None:
    """Traffic and a PBX to practise on; each is a command of this group."""


@app.command("calls", help=en("Post a site's calls to a listener, to try or to load it."))
def calls(
    url: Annotated[str, typer.Option(help=en("where call records go, e.g. http://127.0.0.1:8181/"))],
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help=en("how many calls"))] = 100,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help=en("calls a second; default: as fast as they are acknowledged"))
    ] = None,
    status_url: Annotated[str | None, typer.Option(help=en("where call status goes; default: nowhere"))] = None,
    dialect_form: Annotated[Spelling, typer.Option(help=en("how bodies are written"))] = "json",
    connections: Annotated[int, typer.Option(min=1, max=256, help=en("posts at once"))] = 8,
    new_connection_per_event: Annotated[
        bool, typer.Option("--new-connection-per-event", help=en("as switches without keep-alive"))
    ] = False,
    retries: Annotated[int, typer.Option(min=0, help=en("posts again on anything but 200, at most so often"))] = 0,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help=en("share of records delivered twice"))] = 0.0,
    out_of_order: Annotated[int, typer.Option(min=0, help=en("how many places an event may come late"))] = 0,
    seed: Annotated[int, typer.Option(help=en("the same seed is the same traffic"))] = 1,
    extensions: Annotated[int, typer.Option(min=2, max=5_000, help=en("how many extensions the site has"))] = 40,
    profile: Annotated[Profile, typer.Option(help=en("whose habits"))] = "office",
    area_code: Annotated[str, typer.Option(help=en("home area code, e.g. 022"))] = "022",
    outside_prefix: Annotated[str, typer.Option(help=en("dialled to get an outside line"))] = "9",
    month: MonthOption = "last",
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Make up the month's calls, post them, and count the answers; exit 1 if one was not acknowledged."""
    from random import Random

    from ippbx_billing.reports import Period
    from ippbx_billing.simulation.traffic import SimulatedSite, posts_a_second, views
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
        per_second=rate and posts_a_second(rate, with_status=bool(status_url)),
        retries=retries,
    )
    tally = post(unordered(doubled(deliveries, duplicates, habit), out_of_order, habit), manner)
    show_listing(views.tally(tally), form, output)
    if tally.gave_up:
        raise BillingError(tally.gave_up, tr("is `ippbx-bill listen` running there?"))
    if tally.failed:
        raise BillingError(tr("{count} events were not acknowledged", count=tally.failed), views.refusals(tally))


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


def _check_url(url: str) -> None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            tr("{url!r} is not an address to post to", url=url), tr("write it like http://127.0.0.1:8181/")
        )


app.command("pbx", help=en("Practise on a UC, with its web admin and its calls."))(pbx)
app.command("call", help=en("Post one call to this site's listener, and show the bill that it is on."))(call)
