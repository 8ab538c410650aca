"""`dialects`: how each PBX model spells a call; what a body is read to mean, and a proposal where nobody knows it."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing import files
from ippbx_billing.calls import Disposition
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Column, Format, Row, harmless
from ippbx_billing.documents.render import show
from ippbx_billing.errors import BillingError, DataError, NotFoundError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.language.reasons import english, sentence, told

if TYPE_CHECKING:
    from ippbx_billing.calls import RawEvent, Reason
    from ippbx_billing.dialects import Dialects
    from ippbx_billing.dialects.checking import CheckedDocument, CheckedRecord
    from ippbx_billing.dialects.suggest import EvidenceSentence, FieldProposal, Proposal, Suggestion
    from ippbx_billing.numbering import Numbering
    from ippbx_billing.settings import Settings

app = Commands()
words_app = Commands(no_args_is_help=False)
app.add_typer(words_app, name="words")

SHOWN_CHARACTERS = 48  # of a text in a table; JSON has all of it
SHOWN_LEFT_OVER = 40
MOST_REJECTED = 200  # bodies that --rejected takes; they prove enough
AUTO = "auto"

FilesArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="FILE...", help=en("files that each hold a body; - is stdin"))
]
EventOption = Annotated[
    list[int] | None, typer.Option("--event", metavar="ID", help=en("an event's id, see `events list`; repeatable"))
]


# -- list and show


@app.command("list", help=en("The dialects: the packaged ones and the site's own."))
def list_dialects(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Name, title, where it comes from, what it reads."""
    from ippbx_billing import dialects

    rows = [
        {
            "name": name,
            "title": dialect.title,
            "origin": "own" if dialect.own else "packaged",
            "reads": dialect.description,
            "answer": dialect.answer,
        }
        for name, dialect in dialects.load(common.settings().dialects_dir).items()
    ]
    columns = [
        Column("name", tr("Dialect"), "code"),
        Column("title", tr("Title")),
        Column("origin", tr("Origin"), "word"),
        Column("reads", tr("Reads"), rank=1),
    ]
    show(rows, columns, form, output)


@app.command("show", help=en("A dialect's file, to be copied and edited."))
def show_dialect(name: Annotated[str, typer.Argument(help=en("a name from `dialects list`"))]) -> None:
    """The TOML as it is: the site's own, else the packaged one."""
    from ippbx_billing import dialects

    using = common.settings()
    known = dialects.load(using.dialects_dir)
    _must_be_known(name, known)
    directory = using.dialects_dir if known[name].own else dialects.PACKAGED
    typer.echo((directory / f"{name}.toml").read_text(encoding="utf-8"), nl=False)


# -- check


@app.command("check", help=en("What a body is read to mean, field by field: found, missing, left over."))
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
    read: list[dict[str, Any]] = []
    for name, one in _bodies(using, files, event):
        checked = check(one, known, chosen=chosen, zone=using.pbx_zone, is_extension=numbering.is_extension)
        documents = [_document(document) for document in checked.documents]
        read.append({"body": name, "documents": documents, "problems": list(map(english, checked.problems))})
    if form is Format.TABLE and output is None:
        for body in read:
            _tell_checked(body)
        return
    columns = ["body", "record", "dialect", "outcome", "field", "path", "text", "value"]
    show(_field_rows(read), [Column(key, key) for key in columns], form, output, document=read)


def _document(document: "CheckedDocument") -> dict[str, Any]:
    return {
        "dialect": document.dialect,
        "fits": [{"dialect": name, "score": score} for name, score in document.fitting],
        **_keys(document.reason),
        "records": [_record(record) for record in document.records],
    }


def _keys(reason: "Reason") -> dict[str, Any]:
    """The keys of a reason; the sentence is empty where there is none."""
    return {**told(reason), "reason": english(reason)}


def _record(record: "CheckedRecord") -> dict[str, Any]:
    return {
        "outcome": record.outcome,
        **_keys(record.reason),
        "fields": [
            {"field": one.field, "path": one.path or None, "text": one.said or None, "value": one.value or None}
            for one in record.fields
        ],
        "missing": list(record.missing),
        "left_over": dict(record.left_over),
        "notes": list(map(english, record.notes)),
    }


def _field_rows(read: Iterable[dict[str, Any]]) -> Iterator[Row]:
    for body in read:
        number = 0
        for document in body["documents"]:
            for record in document["records"]:
                number += 1
                about = {"body": body["body"], "record": number, "dialect": document["dialect"]}
                for one in record["fields"]:
                    yield {**about, "outcome": record["outcome"], **one}


def _tell_checked(body: dict[str, Any]) -> None:
    """One body for people: which dialects fit, then each record as a table with what is missing and left over."""
    for problem in body["problems"]:
        say(f"{body['body']}: {problem}")
    for document in body["documents"]:
        fits = ", ".join(f"{one['dialect']} ({one['score']})" for one in document["fits"])
        typer.echo(
            harmless(f"{body['body']}: " + (tr("fits {dialects}", dialects=fits) if fits else tr("fits no dialect")))
        )
        if document["reason"]:
            typer.echo(harmless(tr("not read: {reason}", reason=document["reason"])))
        for number, record in enumerate(document["records"], start=1):
            _tell_record(document["dialect"], number, record)
    if not body["documents"] and not body["problems"]:
        typer.echo(harmless(f"{body['body']}: " + tr("an empty body")))


def _tell_record(dialect: str, number: int, record: dict[str, Any]) -> None:
    outcome = tr(
        "record {number}, read with {dialect}: {outcome}", number=number, dialect=dialect, outcome=tr(record["outcome"])
    )
    columns = [
        Column("field", tr("Our field"), "code"),
        Column("path", tr("Their name")),
        Column("text", tr("Their text")),
        Column("value", tr("Our value")),
    ]
    rows = [{**one, "text": one["text"] and one["text"][:SHOWN_CHARACTERS]} for one in record["fields"]]
    typer.echo(harmless(outcome + (f" ({record['reason']})" if record["reason"] else "")))
    if rows:
        show(rows, columns)
    if record["missing"]:
        typer.echo(tr("not told by the record: {fields}", fields=", ".join(record["missing"])))
    if record["left_over"]:
        shown = [f"{path} = {text[:SHOWN_CHARACTERS]}" for path, text in record["left_over"].items()]
        rest = tr("… and {count} more", count=len(shown) - SHOWN_LEFT_OVER) if len(shown) > SHOWN_LEFT_OVER else ""
        typer.echo(
            harmless(tr("left over: {texts}", texts="; ".join([*shown[:SHOWN_LEFT_OVER], *([rest] if rest else [])])))
        )
    for note in record["notes"]:
        typer.echo(harmless(tr("note: {note}", note=note)))
    typer.echo()


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
    from ippbx_billing import dialects
    from ippbx_billing.dialects.suggest import suggest

    using = common.settings()
    path = None if write is None else _target(using, write, force)
    bodies = _bodies(using, files, [*(event or ()), *(_rejected(using) if rejected else ())])
    numbering = _numbering(using)
    known = dialects.load(using.dialects_dir)
    replaced = [name for name, one in known.items() if name == write and one.own]  # it must not vouch for itself
    suggestion = suggest(
        [one for _, one in bodies],
        known=known.without(*replaced),
        zone=using.pbx_zone,
        is_extension=numbering.is_extension,
        classify=numbering.classify,
    )
    _show_suggestion(suggestion, write or "mine", form, output)
    for problem in suggestion.problems:
        say(problem)
    if path is not None and write is not None:
        _write(path, suggestion.as_toml(write), bool(suggestion.usable))
        _tell_next(using, write, path, [one for _, one in bodies], numbering)


def _show_suggestion(suggestion: "Suggestion", name: str, form: Format, output: Path | None) -> None:
    columns = [
        Column("field", tr("Our field"), "code"),
        Column("path", tr("Their name")),
        Column("example", tr("Example")),
        Column("evidence", tr("Evidence")),
    ]
    makes = suggestion.proposals
    if form is Format.JSON or not makes:
        document = {"proposals": [_proposal(one) for one in makes], "problems": list(suggestion.problems)}
        show([], columns, form, output, document=document | {"toml": suggestion.as_toml(name)}, empty=tr("no records"))
        return
    if form is not Format.TABLE or output is not None:
        rows = [{"make": number, **_row(one)} for number, make in enumerate(makes, start=1) for one in make.findings]
        show(rows, [Column("make", tr("Make"), "number"), *columns], form, output)
        return
    for number, make in enumerate(makes, start=1):
        title = tr("{count} different records", count=make.records)
        show([_row(one) for one in make.findings], columns, title=f"{number}. {title}" if len(makes) > 1 else title)
        _tell_doubts(make)


def _tell_doubts(make: "Proposal") -> None:
    for doubt in make.doubts:
        say(tr("doubt: {doubt}", doubt=_told(doubt)))
    if make.left_over:
        shown = ", ".join(make.left_over[:SHOWN_LEFT_OVER]) + (", …" if len(make.left_over) > SHOWN_LEFT_OVER else "")
        say(tr("left over: {texts}", texts=shown))


def _row(finding: "FieldProposal") -> dict[str, Any]:
    others = tr("or else: {paths}", paths=", ".join(finding.alternatives)) if finding.alternatives else ""
    sentences = [*map(_told, finding.evidence), *([others] if others else [])]
    unit = f" ({finding.unit})" if finding.unit != "s" else ""
    return {
        "field": finding.field,
        "path": finding.path + unit,
        "example": finding.example[:SHOWN_CHARACTERS],
        "score": finding.score,
        "evidence": "; ".join(sentences),
    }


def _told(evidence: "EvidenceSentence") -> str:
    """The sentence in the language of the site."""
    return tr(evidence.text, **evidence.facts)


def _proposal(make: "Proposal") -> dict[str, Any]:
    return {
        "records": make.records,
        "layouts": [{"path": ".".join(one.path), "open": list(one.opened)} for one in make.layouts],
        "usable": make.is_usable,
        "fields": [
            {
                "field": one.field,
                "path": one.path,
                "unit": one.unit,
                "example": one.example,
                "score": one.score,
                "evidence": [str(sentence) for sentence in one.evidence],
                "words": dict(one.words),
                "alternatives": list(one.alternatives),
            }
            for one in make.findings
        ],
        "doubts": [str(doubt) for doubt in make.doubts],
        "left_over": list(make.left_over),
    }


# -- writing


def _target(using: "Settings", name: str, force: bool) -> Path:
    """Where the dialect is saved; an existing file stays unless told otherwise."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", name) or name == AUTO:
        hint = tr("small letters, digits, - and _, such as my-pbx")
        raise UsageError(tr("{name!r} cannot be the name of a dialect", name=name), hint)
    path = using.dialects_dir / f"{name}.toml"
    if path.exists() and not force:
        raise UsageError(tr("{path} is there already", path=path), tr("choose another name, or say --force"))
    return path


def _write(path: Path, text: str, is_usable: bool) -> None:
    """The file appears whole, and only if the engine can load it."""
    from ippbx_billing import dialects

    if not is_usable:
        problem = tr("nothing was written: no record has both a time and a number")
        raise DataError(problem, tr("try more bodies, or copy a dialect: `ippbx-bill dialects show uc`"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, text, hint=tr("check its owner"))
        dialects.load(path.parent)
    except OSError as error:
        raise BillingError(tr("{path} cannot be written: {error}", path=path, error=error.strerror)) from error


def _tell_next(using: "Settings", name: str, path: Path, bodies: Iterable["RawEvent"], numbering: "Numbering") -> None:
    """What the new dialect makes of the bodies, and how to put it to use."""
    from ippbx_billing import dialects

    known = dialects.load(using.dialects_dir)
    chosen = using.dialect if using.dialect == AUTO else name
    readings = [
        dialects.read(one, known, chosen=chosen, zone=using.pbx_zone, is_extension=numbering.is_extension)
        for one in bodies
    ]
    understood = sum(bool(one.calls) and not one.problems and one.dialect == name for one in readings)
    say(tr("wrote {path}", path=path))
    say(tr("it reads {count} of {total} bodies as calls", count=understood, total=len(readings)))
    for problem in dict.fromkeys(sentence(problem.told) for one in readings for problem in one.problems):
        say(problem)
    if using.dialect in (AUTO, name):
        say(tr("the settings may stay: dialect = {name}", name=f'"{using.dialect}"'))
    else:
        say(tr("set dialect = {name} or dialect = {auto} in {path}",
               name=f'"{name}"', auto=f'"{AUTO}"', path=using.data_dir / "settings.toml"))  # fmt: skip
    say(tr("check it with `ippbx-bill dialects check`, then run `ippbx-bill events replay`"))


# -- words


@words_app.callback(invoke_without_command=True, help=en("Words for an outcome that nobody knows, and what they mean."))
def list_words(context: typer.Context, form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Without a verb: the unknown words with how many calls wait for each, then those that the site has taught."""
    if context.invoked_subcommand is not None:
        return
    from ippbx_billing.dialects.teaching import own_words

    using = common.settings()
    with common.open_ledger(using) as ledger:
        unknown = [{"word": row["word"], "dialect": row["dialect"], "calls": row["calls"], "meaning": None}
                   for row in ledger.calls.unknown_words()]  # fmt: skip
    taught = [
        {"word": word, "dialect": None, "calls": None, "meaning": meaning}
        for meaning, words in own_words(using.dialects_dir).disposition.items()
        for word in words
    ]
    columns = [
        Column("word", tr("Word")),
        Column("dialect", tr("Dialect"), "code"),
        Column("calls", tr("Calls"), "number"),
        Column("meaning", tr("Means"), "word"),
    ]
    show([*unknown, *taught], columns, form, output, empty=tr("no unknown words"))


@words_app.command("set", help=en("Say once what a word means; the calls that wait for it are read again."))
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
            count=replayed,
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
    from ippbx_billing.calls import EventKind, EventStatus

    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        newest = reversed(ledger.journey.events_with(EventStatus.REJECTED))
        records = (one for one in newest if (event := inbox.get(one)) and event.kind is EventKind.CDR)
        return sorted(islice(records, MOST_REJECTED))


def _numbering(using: "Settings") -> "Numbering":
    """The site's numbering plan with its extensions; before `init`, as the settings say."""
    from ippbx_billing.numbering import Numbering

    extensions: list[str] = []
    if using.ledger_path.exists():
        with common.open_ledger(using) as ledger:
            extensions = ledger.directory.numbers()
    return Numbering(
        country=using.country,
        area_code=using.area_code,
        outside_prefix=using.outside_prefix,
        extension_patterns=using.extension_patterns,
        extensions=extensions,
    )


def _must_be_known(name: str, known: "Dialects") -> None:
    if name not in known:
        hint = tr("known: {names}", names=", ".join(known))
        raise UsageError(tr("there is no dialect {name}", name=name), hint)
