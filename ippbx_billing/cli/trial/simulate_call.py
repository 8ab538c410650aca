"""`simulate call`: one record posted to this site's listener as a PBX posts it, waited for, and the bill it is on."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import say
from ippbx_billing.language import en, tr


def call(
    number: Annotated[str, typer.Argument(help=en("the number as dialled, or as shown for an incoming call"))],
    seconds: Annotated[int, typer.Option(min=0, help=en("talk time in seconds"))] = 80,
    extension: Annotated[str, typer.Option(help=en("the extension that calls"))] = "8001",
    trunk: Annotated[str | None, typer.Option(help=en("the trunk it goes through"))] = None,
    url: Annotated[str | None, typer.Option(help=en("where call records go; default: this site's listener"))] = None,
) -> None:
    """Post, wait until the worker has read it, and show the extension's bill of that month."""
    from ippbx_billing.cli.reports.bill import bill
    from ippbx_billing.simulation.traffic.single import door_of, just_ended, post_to, rated_as

    using = common.settings()
    planned = just_ended(
        number, seconds=seconds, extension=extension, trunk=trunk, now=common.now(), zone=using.pbx_zone
    )
    with common.open_inbox(using) as inbox, common.open_ledger(using) as ledger:
        since = inbox.last_id()
        post_to(url or door_of(using), planned)
        event, number_of_call = rated_as(planned, since=since, inbox=inbox, ledger=ledger)
    say(tr("posted, kept as event {event}, rated as call {call}", event=event, call=number_of_call))
    say(tr("why it costs what it costs: `ippbx-bill calls explain {call}`", call=number_of_call))
    bill(month=f"{planned.started_at.astimezone(using.site_zone):%Y-%m}", extension=extension)
