"""`ship`: sends all events to the centre of many sites, and shows how far it is."""

from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en, tr


def ship(
    to: Annotated[str | None, typer.Option(metavar="URL", help=en("the centre's address"))] = None,
    site: Annotated[str | None, typer.Option(metavar="NAME", help=en("this site's name at the centre"))] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help=en("the site's key, for its owner only"))] = None,
    until_done: Annotated[bool, typer.Option("--until-done", help=en("end when the centre has all"))] = False,
    show: Annotated[bool, typer.Option("--show", help=en("only show how far the centre is"))] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help=en("first give the inbox another epoch: it was put back by hand"))
    ] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Ship until SIGTERM or Ctrl-C, or until the centre has all."""
    from ippbx_billing.inbox import epochs
    from ippbx_billing.ship import views

    using = common.settings(ship_to=to, ship_site=site, ship_key=key and str(key.absolute()))
    common.open_inbox(using).close()
    if renew:
        say(tr("the inbox is of epoch {epoch} from now on", epoch=epochs.renew(using.inbox_path)))
    if show:
        show_listing(views.state(using), form, output)
        return
    from ippbx_billing import inbox
    from ippbx_billing.ship.running import run_until_signal, shipper_of

    inbox.create(using.inbox_path)  # one of an earlier release has no epoch yet
    if not until_done:
        run_until_signal(using)
        return
    with shipper_of(using) as shipper:
        position = shipper.drain()
    say(tr("the centre has all up to event {position}", position=position))
