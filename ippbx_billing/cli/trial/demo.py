"""`demo`: the whole journey in a minute, with nothing faked past the HTTP request.

A directory of its own, the real `init`, `extensions import` and `trunks add`, the real `listen` as a process of its
own; then an office's calls of last month, posted to both ports, shown as they are rated, and the month's report.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing import files, language
from ippbx_billing.cli import common
from ippbx_billing.cli.common import say
from ippbx_billing.cli.trial.simulate import deliveries_of
from ippbx_billing.documents.terminal import console
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ippbx_billing.cli.trial.listener_process import Listener
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.views.live_table import Board
    from ippbx_billing.settings import Settings
    from ippbx_billing.simulation.traffic import SimulatedSite
    from ippbx_billing.simulation.traffic.posting import Post, PostTally

AREA_CODE = "022"
LOOK_EVERY_S = 0.1
TELL_EVERY_S = 1.0
STANDSTILL_S = 60.0  # without a newly rated call for so long, something is wrong
STOPPED = 130


def demo(
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help=en("a new directory that keeps the data for exploring"))
    ] = None,
    calls: Annotated[int, typer.Option(min=1, max=100_000, help=en("how many calls"))] = 600,
    seed: Annotated[int, typer.Option(help=en("the same seed is the same traffic"))] = 1,
    lang: Annotated[str | None, typer.Option(metavar="en|zh", help=en("language of the texts"))] = None,
) -> None:
    """Run the whole journey of so many calls on a site of its own, and tidy up, after Ctrl-C and SIGTERM as well.

    Raises UsageError for a directory in use, BillingError where the pipeline stands still; exit 130 after Ctrl-C.
    """
    if lang is not None:
        if lang not in language.LANGUAGES:
            raise UsageError(tr("only en and zh are known"), "--lang zh")
        language.begin_in(lang)
    try:
        with _signals_end_it(), _environment_of_its_own(), _directory(keep) as data_dir:
            _journey(data_dir, calls, seed, keep is not None)
    except KeyboardInterrupt:
        say(tr("stopped; nothing is left running"))
        raise typer.Exit(STOPPED) from None


def _journey(data_dir: Path, count: int, seed: int, kept: bool) -> None:
    """From an empty directory to the month's report."""
    from ippbx_billing.cli.trial.listener_process import Listener
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.views.live_table import Board
    from ippbx_billing.simulation.traffic import SimulatedSite

    site = SimulatedSite(seed, area_code=AREA_CODE)
    _set_up(data_dir, site)
    using = common.settings()
    period = Period.month("last", common.now().astimezone(using.site_zone).date())
    board = Board(count, using.currency)
    with Listener(data_dir) as listener:
        say(listener.announcement)
        planned = site.calls(count, period.first, period.last, using.site_zone)
        deliveries = (one for call in planned for one in deliveries_of(call, listener.cdr_url, listener.status_url))
        _deliver_and_watch(deliveries, listener, using, board)
    if not sys.stdout.isatty():
        console().print(board.table(console().width))
    _command("report", "--month", period.name, "--by", "extension")
    _what_next(data_dir if kept else None, period, board)


def _deliver_and_watch(deliveries: "Iterator[Post]", listener: "Listener", using: "Settings", board: "Board") -> None:
    """Post in one thread and look at the ledger in this one, until all that was posted has been rated."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    from ippbx_billing.simulation.traffic.posting import post

    def count(delivery: "Post") -> None:
        if delivery.url == listener.cdr_url:
            board.posted += 1

    stop = Event()
    with ThreadPoolExecutor(1, "demo") as thread:
        posting = thread.submit(post, deliveries, on_ack=count, stop=stop)
        try:
            _watch(posting, listener, using, board)
        except BaseException:
            stop.set()
            raise
    tally = posting.result()
    if tally.gave_up or tally.failed:
        problem = tally.gave_up or tr("{count} events were not acknowledged", count=tally.failed)
        raise BillingError(problem, listener.last_words())


def _watch(posting: "Future[PostTally]", listener: "Listener", using: "Settings", board: "Board") -> None:
    """Show the calls that arrive, until nothing more can; BillingError where nothing moves for long."""
    from time import monotonic, sleep

    from ippbx_billing.reports import View
    from ippbx_billing.reports.views.live_table import Arrivals

    view = View(using.site_zone, using.currency)
    told_at = moved_at = monotonic()
    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox, _screen(board):
        arrivals = Arrivals(ledger, inbox, view)
        while not (posting.done() and arrivals.complete()):
            sleep(LOOK_EVERY_S)
            if arrivals.bring(board):
                moved_at = monotonic()
            if monotonic() - moved_at > STANDSTILL_S:
                raise BillingError(tr("the pipeline has stopped"), listener.last_words())
            if monotonic() - told_at > TELL_EVERY_S and not sys.stdout.isatty():
                told_at = monotonic()
                say(board.sums())
        arrivals.bring(board)


def _screen(board: "Board") -> AbstractContextManager[object]:
    """A live table on a terminal; elsewhere nothing moves."""
    if not sys.stdout.isatty():
        return nullcontext()
    from rich.live import Live

    return Live(board, console=console(), refresh_per_second=8)


def _set_up(data_dir: Path, site: "SimulatedSite") -> None:
    """What an engineer does on site, by the same commands."""
    from ippbx_billing import numbering

    say(tr("data directory: {path}", path=data_dir))
    common.state.data_dir = data_dir
    _command("init", "--area-code", AREA_CODE, "--dialect", "uc")
    area = numbering.area(AREA_CODE)
    assert area is not None
    for line in site.lines:
        _command("trunks", "add", line.name, "--carrier", f"{area.code}-{area.place}-{line.operator}")
    people = data_dir / "extensions.csv"
    rows = [f"{one.extension},{one.name},{one.department}\n" for one in site.people]
    files.write(people, "number,name,department\n" + "".join(rows))
    _command("extensions", "import", str(people))


def _command(*arguments: str) -> None:
    """Run `ippbx-bill` with these arguments in this process, as if they had been typed."""
    import shlex

    from ippbx_billing.cli.app import app

    say(f"$ ippbx-bill {shlex.join(arguments)}")
    options = ["--data-dir", str(common.state.data_dir), "--lang", language.language()]
    code = typer.main.get_command(app).main([*options, *arguments], prog_name="ippbx-bill", standalone_mode=False)
    if code:
        raise typer.Exit(code)


def _what_next(kept: Path | None, period: "Period", board: "Board") -> None:
    """Commands worth trying, on the data that was kept or on a site of one's own."""
    import shlex

    if kept is None:
        say("\n" + tr("The data of this demonstration is gone now. Try next:"))
        _suggest("ippbx-bill demo --keep demo-data", tr("the same, and leave the data for exploring"))
        _suggest(f"ippbx-bill init --area-code {AREA_CODE}", tr("a site of your own"))
        _suggest("ippbx-bill listen", tr("then point the PBX at this machine"))
        return
    say("\n" + tr("The data stays in {path}. Try next:", path=kept))
    here = f"ippbx-bill --data-dir {shlex.quote(str(kept))}"
    _suggest(f"{here} report --month {period.name} --by traffic-type")
    _suggest(f"{here} calls list --month {period.name} --traffic-type international")
    if board.dearest is not None:
        _suggest(f"{here} calls explain {board.dearest['id']}", tr("why the dearest call cost what it cost"))
    _suggest(f"{here} quote 901062345678 --seconds 90")
    _suggest(f"{here} events list")


def _suggest(command: str, why: str = "") -> None:
    say(f"  {command:<34}  # {why}" if why else f"  {command}")


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    """The directory to keep, which must be new or empty; else one that is gone afterwards."""
    if keep is None:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="ippbx-bill-demo-") as name:
            yield Path(name)
        return
    try:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        occupied = any(keep.iterdir())
    except OSError as error:
        raise UsageError(
            tr("{path} cannot be used: {error}", path=keep, error=error.strerror), tr("name another directory")
        ) from error
    if occupied:
        raise UsageError(tr("{path} is not empty", path=keep), tr("name a new directory for the demonstration's data"))
    yield keep.resolve()


@contextmanager
def _environment_of_its_own() -> Iterator[None]:
    """No setting of the user's own site reaches the demonstration, nor the other way round."""
    own = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(ENVIRONMENT_PREFIX)}
    before = common.state.data_dir, common.state.lang
    common.state.lang = language.language()
    try:
        yield
    finally:
        os.environ.update(own)
        common.state.data_dir, common.state.lang = before


@contextmanager
def _signals_end_it() -> Iterator[None]:
    """SIGTERM and a closed terminal leave by the same way as Ctrl-C, so that everything is tidied up."""

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
