"""The reports that have a name of their own; `report` announces them, and brings them in when one is called."""

from functools import partial
from typing import Annotated, Literal

import typer

from ippbx_billing.cli.reports.options import Asking, asked
from ippbx_billing.cli.reports.report import GROUPS_HELP, SortOption, TopOption, tell
from ippbx_billing.language import en
from ippbx_billing.reports.views import named as named_views


@asked
def ranking(
    asking: Asking,
    by: Annotated[str, typer.Option(metavar="KEY", help=GROUPS_HELP)] = "extension",
    sort: SortOption = "fee",
    top: TopOption = 20,
) -> None:
    """The first of an order."""
    from ippbx_billing.reports import grouping, named

    tell(asking, partial(named.ranking, by=grouping(by), sort=sort, top=top), named_views.ranking)


@asked
def time_of_day(asking: Asking) -> None:
    """The 24 hours."""
    from ippbx_billing.reports import named

    tell(asking, named.time_of_day, named_views.time_of_day)


@asked
def regions(
    asking: Asking,
    by: Annotated[Literal["country", "region", "place"], typer.Option(help=en("how finely"))] = "region",
    top: TopOption = None,
) -> None:
    """Countries, their regions, or places."""
    from ippbx_billing.reports import named

    tell(asking, partial(named.regions, by=by, top=top), named_views.regions)


@asked
def numbers(asking: Asking, sort: SortOption = "fee", top: TopOption = 50) -> None:
    """The other side of the calls."""
    from ippbx_billing.reports import named

    tell(asking, partial(named.numbers, sort=sort, top=top), named_views.numbers)


@asked
def pins(asking: Asking, sort: SortOption = "fee") -> None:
    """Personal PINs."""
    from ippbx_billing.reports import named

    tell(asking, partial(named.pins, sort=sort), named_views.pins)


@asked
def idle(asking: Asking) -> None:
    """Extensions that nobody uses."""
    from ippbx_billing.reports import named

    tell(asking, named.idle, named_views.idle)


@asked
def categories(
    asking: Asking,
    show: Annotated[Literal["fee", "calls", "billed-s"], typer.Option(help=en("what the cells hold"))] = "fee",
) -> None:
    """The bill by category."""
    from ippbx_billing.reports.categories import categories

    tell(asking, categories, partial(named_views.categories, measure=show.replace("-", "_")))


@asked
def busy_hour(asking: Asking) -> None:
    """How full the lines were."""
    from ippbx_billing.reports.trunk_load import busy_hour

    tell(asking, busy_hour, named_views.busy_hour)


@asked
def unrated(asking: Asking) -> None:
    """What has no price yet."""
    from ippbx_billing.reports import named

    tell(asking, named.unrated, named_views.unrated)
