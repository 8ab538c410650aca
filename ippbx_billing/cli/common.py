"""What all commands share: the global options, the settings in force, the two files, the format options."""

import errno
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ippbx_billing import language
from ippbx_billing.cli import completing, given, mistakes
from ippbx_billing.cli.helping import HelpedGroup
from ippbx_billing.cli.parsing import state as state
from ippbx_billing.documents.columns import Format
from ippbx_billing.errors import BillingError, NotFoundError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.language.commands import command_line
from ippbx_billing.settings import Settings, default_data_dir, load

if TYPE_CHECKING:
    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger

Item = TypeVar("Item")
SHOWN_AFTER_S = 1.0  # what is done sooner needs no bar


def _form(ctx: typer.Context, form: Format) -> Format:
    """The form that was asked for by name, else by the ending of --output."""
    source = ctx.get_parameter_source("form")
    output = ctx.params.get("output")
    if source is not None and source.name == "DEFAULT" and output:
        return given.form_of(str(output)) or form
    return form


FormatOption = Annotated[
    Format, typer.Option("--format", callback=_form, help=en("how it is written; left out, --output's ending says it"))
]
# Read before --format, which goes by it.
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", is_eager=True, help=en("write to this file; - is stdout"))
]
MonthOption = Annotated[
    str | None, typer.Option("--month", metavar="YYYY-MM|last|this", callback=given.month, help=en("the month"))
]


WaitOption = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help=en("wait so long for other maintenance to end"))
]


class ErrorsAsSentences(HelpedGroup):
    """A group whose errors become a sentence, a blank line and a hint on stderr, with the error's exit code."""

    def main(self, *args: Any, **given: Any) -> Any:
        """A wrong use is an error like any other, whoever finds it: Typer or one of ours."""
        if not given.get("standalone_mode", True):
            return super().main(*args, **given)
        state.data_dir = state.lang = None
        if os.environ.get(completing.ASKED_BY):
            completing.answered(lambda: super(ErrorsAsSentences, self).main(*args, **given))
        try:
            code = super().main(*args, **given | {"standalone_mode": False})
        except BillingError as error:
            complain(error)
            code = error.exit_code
        except typer.Abort:
            say(tr("Aborted!"))
            code = 1
        except mistakes.AnyOfTheirs as error:
            code = _tell_of_misuse(error)
        sys.exit(code if isinstance(code, int) else 0)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, completing.with_shell(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
            return answer
        except BillingError as error:
            complain(error)
            raise typer.Exit(error.exit_code) from error
        except BrokenPipeError:  # the reader of our output has seen enough, as `head` does
            _write_no_more()
            raise typer.Exit(1) from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
                raise
            _write_no_more()
            problem = tr("the output cannot be written: {error}", error=tr(str(error.strerror)))
            complain(BillingError(problem, tr("make room, or write elsewhere")))
            raise typer.Exit(1) from error


def _tell_of_misuse(error: Any) -> int:
    if isinstance(error, mistakes.ShowsHelp):
        typer.echo(error.format_message(), err=True)
    else:
        complain(mistakes.as_usage_error(error))
    return int(error.exit_code)


def _write_no_more() -> None:
    """What is still to be written to stdout goes nowhere, so that its end is not one more error."""
    with suppress(ValueError):  # a stdout that is not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(error: BillingError) -> None:
    """Tell the operator what went wrong, on stderr."""
    say(f"{tr('error')}: {error.message}")
    if error.hint:
        say("")
        say(f"{tr('hint')}: {error.hint}")


def say(text: str) -> None:
    """Talk: a line on stderr, so that stdout stays data."""
    from ippbx_billing.documents.columns import harmless

    typer.echo("\n".join(harmless(line) for line in text.split("\n")), err=True)


def say_wrapped(text: str) -> None:
    """A sentence on stderr, in lines that fit the terminal; whole where there is none, for who searches in it."""
    from ippbx_billing.documents.terminal import wrapped

    say("\n".join(wrapped(text, sys.stderr)))


def settings(**flags: Any) -> Settings:
    """The settings in force, this run's flags first; the file's language is spoken unless another was asked for."""
    chosen = load(state.data_dir or default_data_dir(), flags)
    if chosen.lang and not state.lang:
        language.begin_in(chosen.lang)
    return chosen


def open_ledger(using: Settings) -> "Ledger":
    """The ledger of an initialised data directory."""
    from ippbx_billing.ledger import Ledger

    if not using.ledger_path.exists():
        raise NotFoundError(tr("there is no ledger in {path}", path=using.data_dir), _init_hint())
    return Ledger(using.ledger_path)


def open_inbox(using: Settings) -> "Inbox":
    """The inbox of an initialised data directory, to read from."""
    from ippbx_billing.inbox import Inbox

    if not using.inbox_path.exists():
        raise NotFoundError(tr("there is no inbox in {path}", path=using.data_dir), _init_hint())
    return Inbox(using.inbox_path)


def day(text: str) -> date:
    """A day that was written as YYYY-MM-DD; UsageError for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(tr("{text!r} is not a day", text=text), tr("write it like 2026-10-01")) from None


def _init_hint() -> str:
    return tr("run `ippbx-bill init --area-code 022` first, or name another --data-dir")


def now() -> datetime:
    """The present moment; the one clock that commands read, so that tests can set it."""
    from datetime import UTC

    return datetime.now(UTC)


def today(using: Settings) -> date:
    """The present day on the site's calendar."""
    return now().astimezone(using.site_zone).date()


Told = Callable[[int, int | None], None]


@contextmanager
def progress(about: str) -> Iterator[Told]:
    """Hears how many of how many (None: nobody knows) are done: a bar on the terminal's stderr from the second second
    on, with the time it has taken so far; nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*shown, console=Console(stderr=True), transient=True, redirect_stdout=False)  # stdout is data
    task = bar.add_task(about, total=None)
    soon = Timer(SHOWN_AFTER_S, bar.start)
    soon.daemon = True
    soon.start()
    try:
        yield lambda done, total: bar.update(task, completed=done, total=total)
    finally:
        soon.cancel()
        soon.join()
        bar.stop()


def counted(items: Iterable[Item], told: Told, total: int | None = None) -> Iterator[Item]:
    """The same items; after each it is told how many have gone by."""
    for number, item in enumerate(items, 1):
        yield item
        told(number, total)


@contextmanager
def nothing_collected() -> Iterator[None]:
    """For hundreds of thousands of objects none of which is garbage: nobody looks through them again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def this_command(context: typer.Context, **changed: Any) -> str:
    """The command that runs, with some parameters (by their Python names) changed, as it is typed into a shell."""
    values = {**context.params, **changed}
    arguments, options = [], []
    for one in context.command.params:
        value = values.get(one.name or "")
        if value is None or value in (one.default, False, (), []):
            continue
        if one.param_type_name == "argument":
            arguments += [_spelt(single) for single in _each(value)]
        else:
            options += [word for single in _each(value) for word in _option(one.opts[0], single)]
    return command_line(*_names(context), *arguments, *options)


def _names(context: typer.Context) -> list[str]:
    """The words that name the command, without the program's own."""
    names: list[str] = []
    one: Any = context
    while one is not None and one.parent is not None:
        names.insert(0, one.info_name or "")
        one = one.parent
    return names


def _option(name: str, value: Any) -> list[str]:
    return [name] if value is True else [name, _spelt(value)]


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _spelt(value: Any) -> str:
    return str(getattr(value, "value", value))
