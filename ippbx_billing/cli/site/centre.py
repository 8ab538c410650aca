"""`centre`: where many sites meet in one PostgreSQL: its tables, its doors, its raters, its sites."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.centre.wanted import CentreBy
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.centre.registry import SiteTable
    from ippbx_billing.reports import Period

app = Commands()
sites = Commands()
app.add_typer(sites, name="sites", help=en("The sites that may send, and how far each is."))

DsnOption = Annotated[
    str,
    typer.Option("--centre", metavar="DSN", envvar="IPPBX_BILL_CENTRE", help=en("the centre's PostgreSQL")),
]
SitesOption = Annotated[
    list[str] | None, typer.Option("--site", metavar="SITE", help=en("of this site alone; several times for several"))
]
TenantOption = Annotated[str | None, typer.Option(help=en("of this tenant's sites alone, as its reader sees them"))]
SiteArgument = Annotated[str, typer.Argument(metavar="SITE", help=en("the site's name"))]
BookOption = Annotated[
    Path, typer.Option("--book", metavar="DIR", help=en("a data directory with the site's settings and prices"))
]

HistoryOption = Annotated[
    Path,
    typer.Option("--history", metavar="DIR", envvar="IPPBX_BILL_HISTORY", help=en("the folder of the closed months")),
]


@app.command("init", help=en("Make the centre's tables, or bring them up to date."))
def init(
    dsn: Annotated[str, typer.Argument(metavar="DSN", help=en("a database in PostgreSQL, e.g. postgresql://…"))],
) -> None:
    """Harmless to repeat."""
    from ippbx_billing.centre import opening, schema

    with opening.plainly():
        connection = opening.connected(dsn)
        try:
            done = schema.install(connection)
        finally:
            connection.close()
    say(tr("the centre is set up; {count} steps were missing", count=done))


@app.command("collect", help=en("Take the sites' batches; any number of copies may run."))
def collect(
    dsn: DsnOption,
    host: Annotated[str, typer.Option(help=en("address to listen on; 0.0.0.0 is every interface"))] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help=en("port for batches; 0: a free one"))] = 8190,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help=en("PEM file; with it and its key HTTPS only"))
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help=en("PEM file with the certificate's key"))] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from ippbx_billing.centre import opening, serving
    from ippbx_billing.centre.collecting import Collector, Connections

    if (certificate is None) != (key is None):
        raise UsageError(tr("a certificate and its key belong together"), "--certificate FILE --key FILE")
    with opening.opened(dsn):
        pass  # what is wrong with the centre is told before the door opens
    connections = Connections(dsn)
    try:
        serving.run(
            Collector(connections),
            host,
            port,
            lambda address: say(tr("taking batches at {address}", address=address)),
            str(certificate) if certificate else None,
            str(key) if key else None,
        )
    finally:
        connections.close()


@app.command("rate", help=en("Make calls and charges of what came; any number of processes may run."))
def rate(
    dsn: DsnOption,
    until_done: Annotated[bool, typer.Option("--until-done", help=en("end when nothing waits"))] = False,
) -> None:
    """Rate until SIGTERM or Ctrl-C, or until nothing waits."""
    from ippbx_billing.centre import opening, rating

    ended = threading.Event()
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), lambda *_: ended.set())

    def goes_on(done: int) -> bool:
        if done or ended.is_set():
            return not ended.is_set()
        return not until_done and not ended.wait(rating.POLL_S)

    with opening.opened(dsn) as connection, opening.opened(dsn) as notes:
        rating.serve(connection, notes, goes_on)


@app.command("report", help=en("A month's sums over all sites, or of some."))
def report(
    dsn: DsnOption,
    month: MonthOption = "this",
    by: Annotated[CentreBy, typer.Option(help=en("what is told apart"))] = CentreBy.SITE,
    site: SitesOption = None,
    tenant: TenantOption = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Days and months are those of each site's clock."""
    from ippbx_billing.centre import opening, reporting, views

    period = _period(month)
    with opening.opened(dsn, tenant) as connection:
        rows = reporting.totals(connection, period, by, site or ())
    show_listing(views.totals(rows, by.value), form, output)


@app.command("calls", help=en("A month's calls over all sites, or of some; the newest first."))
def calls(
    dsn: DsnOption,
    month: MonthOption = "this",
    site: SitesOption = None,
    tenant: TenantOption = None,
    limit: Annotated[int, typer.Option(min=1, help=en("at most so many"))] = 100,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Each with the fee by the centre's own book."""
    from ippbx_billing.centre import opening, reporting, views

    period = _period(month)
    with opening.opened(dsn, tenant) as connection:
        rows = reporting.calls(connection, period, site or (), limit)
    show_listing(views.calls(rows), form, output)


@app.command("close", help=en("Close a month: its calls become files, and late ones adjustments."))
def close(
    dsn: DsnOption,
    history: HistoryOption,
    month: MonthOption = "last",
    site: SitesOption = None,
    accept_gaps: Annotated[
        bool, typer.Option("--accept-gaps", help=en("close although rows are missing that are lost for good"))
    ] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """All sites or those named, in their order; the first that is not complete ends it, the closed ones stay closed."""
    from ippbx_billing.centre import closing, opening, views
    from ippbx_billing.centre.registry import SiteTable

    name = _period(month).name
    with opening.opened(dsn) as connection:
        wanted = site or [row["site"] for row in SiteTable(connection).standing()]
        found = [closing.close(connection, history, one, name, common.now(), accept_gaps=accept_gaps) for one in wanted]
    show_listing(views.closings(found), form, output)


@app.command("rerate", help=en("Rate closed months again by the sites' books of today."))
def rerate(
    dsn: DsnOption,
    history: HistoryOption,
    month: MonthOption = "last",
    site: SitesOption = None,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help=en("a Dask scheduler whose workers rate, e.g. tcp://10.0.0.5:8786"))
    ] = "",
    processes: Annotated[int, typer.Option(min=1, help=en("processes on this machine"))] = 1,
    apply: Annotated[bool, typer.Option("--apply", help=en("put the new charges in force"))] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Without --apply it shows the differences only."""
    from ippbx_billing.centre import closing, opening, rerating, views

    name = _period(month).name
    with opening.opened(dsn) as connection:
        closed = closing.all_agreed(connection, history, name, list(site or ()))
        again = rerating.rate_again(connection, closed, scheduler=scheduler, processes=processes)
        for one in again if apply else ():
            rerating.put_in_force(connection, one)
    show_listing(views.rerated(again), form, output)
    if not apply and any(one.difference.calls for one in again):
        say(tr("nothing is changed yet; add --apply to put the new charges in force"))


@app.command("ask", help=en("Ask the closed months a question in SQL; DuckDB answers."))
def ask(
    question: Annotated[
        str,
        typer.Argument(metavar="SQL", help=en("about `calls`, e.g. SELECT site, sum(fee) FROM calls GROUP BY site")),
    ],
    history: HistoryOption,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Only the files in force are read, and nothing is written."""
    from ippbx_billing.centre import views
    from ippbx_billing.history import questions

    show_listing(views.answered(questions.ask(history, question)), form, output)


def _period(month: str | None) -> "Period":
    from ippbx_billing.reports import Period

    return Period.month(month or "this", common.today(common.settings()))


@sites.command("list", help=en("The sites: how far each is, what is missing, since when it is silent."))
def list_sites(dsn: DsnOption, form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """All sites by name."""
    from ippbx_billing.centre import opening, views
    from ippbx_billing.centre.registry import SiteTable

    with opening.opened(dsn) as connection:
        rows = SiteTable(connection).standing()
    show_listing(views.sites(rows, common.now(), common.settings().site_zone), form, output)


@sites.command("add", help=en("Let a site in; its key is written to a file for it."))
def add(
    dsn: DsnOption,
    site: SiteArgument,
    book: BookOption,
    key_file: Annotated[Path, typer.Option(metavar="FILE", help=en("a new file for the key"))],
    tenant: Annotated[str, typer.Option(help=en("whose site it is: only they see its calls"))] = "own",
) -> None:
    """The file goes to the site; the centre keeps the key beside."""
    from ippbx_billing.centre.books import packed
    from ippbx_billing.ship import keys

    made = packed(book)
    fresh = keys.fresh()
    keys.write(key_file, fresh)
    try:
        _changed(dsn, lambda table: table.add(site, tenant, made, fresh))
    except BaseException:
        key_file.unlink()
        raise
    say(tr("{site} may send; copy {path} to it as ship.key", site=site, path=key_file))


@sites.command("book", help=en("Rate a site by this book from now on: settings, prices, people, dialects."))
def put_book(dsn: DsnOption, site: SiteArgument, book: BookOption) -> None:
    """The earlier books stay, as charges name them."""
    from ippbx_billing.centre.books import packed

    made = packed(book)
    _changed(dsn, lambda table: table.put_book(site, made))
    say(tr("{site} is rated by book {hash} from now on", site=site, hash=made.hash[:12]))


@sites.command("revoke", help=en("Take nothing more from a site; what came stays."))
def revoke(dsn: DsnOption, site: SiteArgument) -> None:
    """For a key that was stolen, or a site that is no more."""
    _changed(dsn, lambda table: table.revoke(site))
    say(tr("nothing more is taken from {site}", site=site))


@sites.command("pin", help=en("Take a site's present inbox only; a copied key cannot begin another."))
def pin(dsn: DsnOption, site: SiteArgument) -> None:
    """After a restore at the site it must be unpinned first."""
    _changed(dsn, lambda table: table.pin_present(site))
    say(tr("{site} is pinned to its present inbox", site=site))


@sites.command("unpin", help=en("Take a site's next inbox as well, as after a restore there."))
def unpin(dsn: DsnOption, site: SiteArgument) -> None:
    """Any epoch is taken again."""
    _changed(dsn, lambda table: table.pin(site, None))
    say(tr("any inbox of {site} is taken", site=site))


def _changed(dsn: str, change: Callable[["SiteTable"], object]) -> None:
    from ippbx_billing.centre import opening
    from ippbx_billing.centre.registry import SiteTable

    with opening.opened(dsn) as connection:
        change(SiteTable(connection))
