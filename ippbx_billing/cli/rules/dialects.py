"""`dialects`: how each PBX model spells a call; what a body is read to mean, and a proposal where nobody knows it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.calls import Disposition
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import lines, show_listing
from ippbx_billing.errors import BillingError, NotFoundError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.reports.views import dialects as views

if TYPE_CHECKING:
    from ippbx_billing.calls import RawEvent
    from ippbx_billing.dialects import Dialects
    from ippbx_billing.dialects.checking import Checked
    from ippbx_billing.dialects.suggest import Suggestion
    from ippbx_billing.numbering import Numbering
    from ippbx_billing.settings import Settings

app = Commands()
words_app = Commands(no_args_is_help=False)
app.add_typer(words_app, name="words")

SHOWN_CHARACTERS = 48  # of a text in a table; JSON has all of it
SHOWN_LEFT_OVER = 40
AUTO = "auto"

FilesArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="FILE...", help=en("files that each hold a body; - is stdin"))
]
EventOption = Annotated[
    list[int] | None, typer.Option("--event", metavar="ID", help=en("an event's id, see `events list`; repeatable"))
]


# -- list and show


@app.command("list", help=en("List the dialects: the packaged ones and the site's own."))
def list_dialects(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Name, title, where it comes from, what it reads."""
    from ippbx_billing import dialects

    known = dialects.load(common.settings().dialects_dir)
    show_listing(views.dialects(known, spoken=not form.is_data), form, output)


@app.command("show", help=en("Print a dialect's file, to be copied and edited."))
def show_dialect(name: Annotated[str, typer.Argument(help=en("a name from `dialects list`"))]) -> None:
    """The TOML as it is: the site's own, else the packaged one."""
    from ippbx_billing import dialects

    using = common.settings()
    known = dialects.load(using.dialects_dir)
    _must_be_known(name, known)
    directory = using.dialects_dir if known[name].own else dialects.PACKAGED
    typer.echo((directory / f"{name}.toml").read_text(encoding="utf-8"), nl=False)


# -- check


@app.command("check", help=en("Show what a body is read to mean, field by field: found, missing, left over."))
def check_bodies(
    files: FilesArgument = None,
    event: EventOption = None,
    dialect: Annotated[
        str | None, typer.Option("--dialect", help=en("read with this dialect; default: the one in the settings"))
    ] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Read bodies as `listen` does, and account for each field."""
    from ippbx_billing import dialects
    from ippbx_billing.dialects.checking import check

    using = common.settings()
    known = dialects.load(using.dialects_dir)
    chosen = dialect or using.dialect
    if chosen != AUTO:
        _must_be_known(chosen, known)
    numbering = _numbering(using)
    found = [
        (name, check(one, known, chosen=chosen, zone=using.pbx_zone, is_extension=numbering.is_extension))
        for name, one in _bodies(using, files, event)
    ]
    if form is not Format.TABLE or output is not None:
        show_listing(views.checked_fields([views.checked(name, one) for name, one in found]), form, output)
        return
    for name, one in found:
        _tell_checked(name, one)


def _tell_checked(name: str, found: "Checked") -> None:
    for problem in found.problems:
        say(f"{name}: {sentence(problem)}")
    for part in views.checked_told(name, found):
        if isinstance(part, str):
            lines([part])
        else:
            show_listing(part)


# -- suggest


@app.command("suggest", help=en("Propose a dialect from bodies that none knows, each field with its evidence."))
def suggest_dialect(
    files: FilesArgument = None,
    event: EventOption = None,
    rejected: Annotated[bool, typer.Option("--rejected", help=en("the rejected call records, the newest 200"))] = False,
    write: Annotated[
        str | None, typer.Option("--write", metavar="NAME", help=en("save it as a dialect of the site's own"))
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=en("with --write: replace a file that is there"))] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The more bodies, the surer the proposal; an unanswered call tells most."""
    from ippbx_billing.pipeline import proposing

    using = common.settings()
    path = None if write is None else proposing.target(using, write, force)
    events = [*(event or ()), *(_rejected(using) if rejected else ())]
    if rejected and not events and not files:
        say(tr("nothing to do: no call record was rejected"))
        return
    bodies = [one for _, one in _bodies(using, files, events)]
    numbering = _numbering(using)
    suggestion = proposing.proposed(using, numbering, bodies, write)
    _show_suggestion(suggestion, write or "mine", form, output)
    for problem in suggestion.problems:
        say(problem)
    if path is None or write is None:
        return
    proposing.save(path, suggestion, write)
    say(tr("wrote {path}", path=path))
    for text in proposing.tried(using, numbering, bodies, write).sentences(write, using.data_dir, using.dialect):
        say(text)
    say(tr("check it with `ippbx-bill dialects check`, then run `ippbx-bill events replay`"))


def _show_suggestion(suggestion: "Suggestion", name: str, form: Format, output: Path | None) -> None:
    if form is not Format.TABLE or output is not None or not suggestion.proposals:
        show_listing(views.suggestion(suggestion, name), form, output)
        return
    for make, table in views.makes(suggestion):
        show_listing(table)
        for doubt in views.doubts(make):
            say(doubt)


# -- words


@words_app.callback(
    invoke_without_command=True, help=en("Teach words for an outcome that is not known, and what they mean.")
)
def list_words(context: typer.Context, form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Without a verb: the unknown words with how many calls wait for each, then those that the site has taught."""
    if context.invoked_subcommand is not None:
        return
    from ippbx_billing.dialects.teaching import own_words

    using = common.settings()
    with common.open_ledger(using) as ledger:
        listed = views.words(ledger.calls.unknown_words(), own_words(using.dialects_dir).disposition)
    show_listing(listed, form, output)


@words_app.command("set", help=en("Set what a word means; the calls that wait for it are read again."))
def set_word(
    word: Annotated[str, typer.Argument(help=en("the word as the PBX writes it"))],
    meaning: Annotated[Disposition, typer.Argument(help=en("what it means"))],
) -> None:
    """Kept in the data directory; the running `listen` follows by itself."""
    from ippbx_billing.dialects.teaching import teach
    from ippbx_billing.dialects.values import fold
    from ippbx_billing.pipeline import Pipeline, Rules

    using = common.settings()
    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        try:
            path = teach(using.dialects_dir, word, meaning)
        except OSError as error:
            raise BillingError(
                tr("{path} cannot be written: {error}", path=using.dialects_dir, error=error.strerror)
            ) from error
        pipeline = Pipeline(inbox, ledger, lambda: Rules.of(ledger, using), batch_size=using.batch_size)
        replayed = pipeline.replay(ledger.calls.events_with_word(fold, word))
    say(tr("wrote {path}", path=path))
    say(
        tr(
            "{word} means {meaning}; {count} events were read again",
            word=word,
            meaning=tr(meaning.value),
            count=replayed.events,
        )
    )


# -- bodies


def _bodies(using: "Settings", files: list[Path] | None, events: list[int] | None) -> list[tuple[str, "RawEvent"]]:
    """The bodies asked for, each with a name to call it by."""
    if not files and not events:
        problem = tr("no body was named")
        raise UsageError(problem, tr("name files, or --event ID; see `ippbx-bill events list --status rejected`"))
    named = [(str(path), _from_file(path)) for path in files or ()]
    if events:
        with common.open_inbox(using) as inbox:
            for number in dict.fromkeys(events):
                event = inbox.get(number)
                if event is None:
                    raise NotFoundError(tr("there is no event {id}", id=number), tr("see `ippbx-bill events list`"))
                named.append((tr("event {id}", id=number), event))
    return named


def _from_file(path: Path) -> "RawEvent":
    from ippbx_billing.calls import EventKind, RawEvent

    try:
        content = typer.get_binary_stream("stdin").read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise NotFoundError(tr("{path} cannot be read: {error}", path=path, error=error.strerror or error)) from error
    return RawEvent(0, common.now(), EventKind.CDR, "", "POST", "/", "", "", content)


def _rejected(using: "Settings") -> list[int]:
    """The newest events of the CDR door that were not understood."""
    from ippbx_billing.pipeline.proposing import rejected

    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        return rejected(ledger, inbox)


def _numbering(using: "Settings") -> "Numbering":
    """The site's numbering plan with its extensions; before `init`, as the settings say."""
    from ippbx_billing.pipeline.proposing import numbering_of

    if not using.ledger_path.exists():
        return numbering_of(using, None)
    with common.open_ledger(using) as ledger:
        return numbering_of(using, ledger)


def _must_be_known(name: str, known: "Dialects") -> None:
    if name not in known:
        hint = tr("known: {names}", names=", ".join(known))
        raise UsageError(tr("there is no dialect {name}", name=name), hint)
