"""A suggestion as a dialect file: TOML that the engine loads, with the evidence as comments.

The file is made to be edited: each field stands with what speaks for it above it, doubts stand at the top.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ippbx_billing.dialects.suggest.columns import OUTSIDE, RecordLayout, cell_name
from ippbx_billing.dialects.values import fold

if TYPE_CHECKING:
    from ippbx_billing.dialects.suggest import FieldProposal, Proposal

MOST_MARKS = 6  # names by which the dialect recognises a body
# The names that tell one PBX's body from another's best come first.
MARKS = ("started_at", "billed_s", "duration_s", "callee", "caller", "call_id", "record_id", "disposition", "ended_at")


def dialect_toml(name: str, proposals: "Sequence[Proposal]") -> str:
    """The whole file, of one proposal for each make of record."""
    lines = [*_head(name, proposals), *_marks(proposals), *_layouts(proposals), *_fields(proposals), *_words(proposals)]
    return "\n".join(lines) + "\n"


def _head(name: str, proposals: "Sequence[Proposal]") -> Iterator[str]:
    count = sum(one.records for one in proposals)
    yield f"# Proposed by `ippbx-bill dialects suggest` from {count} {'record' if count == 1 else 'different records'}."
    yield "# Check it with `ippbx-bill dialects check`, edit what is wrong, then run `ippbx-bill events replay`."
    doubts = dict.fromkeys(str(doubt) for one in proposals for doubt in one.doubts)
    yield from (_comment(f"Doubt: {doubt}") for doubt in doubts)
    yield ""
    yield f"title = {_quoted(name)}"
    yield f"description = {_quoted('proposed from bodies that no dialect knew')}"


def _marks(proposals: "Sequence[Proposal]") -> Iterator[str]:
    yield from ("", "# A body with these names is read with this dialect.")
    for one in proposals:
        for where in one.layouts:
            yield "[[recognise]]"
            yield f"all = [{', '.join(_path(_from_top(path, where)) for path in _marking(one))}]"


def _marking(one: "Proposal") -> list[str]:
    """The names that every record has."""
    paths = [one.paths[field] for field in MARKS if field in one.paths]
    return ([path for path in paths if path in one.always] or list(one.always))[:MOST_MARKS]


def _from_top(path: str, where: RecordLayout) -> str:
    """The way to a path from the top of the document."""
    return path.removeprefix(OUTSIDE) if path.startswith(OUTSIDE) else ".".join([*where.path, path])


def _layouts(proposals: "Sequence[Proposal]") -> Iterator[str]:
    layouts = [where for one in proposals for where in one.layouts]
    paths = dict.fromkeys(".".join(where.path) for where in layouts if where.path)
    opened = dict.fromkeys(name for where in layouts for name in where.opened)
    if paths or opened:
        yield from ("", "# Where the records are; `^` before a name below means the document around them.", "[records]")
    if paths:
        yield f"paths = [{_list(paths)}]"
    if opened:
        yield f"open = [{_list(opened)}]"
    if cells := max((where.cells for where in layouts), default=0):
        yield from ("", "# The lines have no names: their cells are numbered.", "[csv]")
        yield f"columns = [{_list(cell_name(place) for place in range(cells))}]"


def _fields(proposals: "Sequence[Proposal]") -> Iterator[str]:
    yield from ("", "[fields]")
    found: dict[str, list[tuple[FieldProposal, str]]] = {}
    for proposal in proposals:
        for one in proposal.findings:
            found.setdefault(one.field, []).append((one, _source(one, _guard(one, proposal, proposals))))
    for field, listed in found.items():
        yield from (line for one, _ in listed for line in _evidence(one))
        yield f"{field} = [{', '.join(dict.fromkeys(source for _, source in listed))}]"


def _guard(one: "FieldProposal", proposal: "Proposal", proposals: "Sequence[Proposal]") -> str:
    """A name that only this make of record has, where another make has the same path but means another field."""
    others = [other for other in proposals if other is not proposal]
    path = fold(one.path)
    astray = any(path in map(fold, other.columns) and fold(other.paths.get(one.field, "")) != path for other in others)
    known_there = {fold(column) for other in others for column in other.columns}
    return next((path for path in proposal.always if fold(path) not in known_there), "") if astray else ""


def _evidence(one: "FieldProposal") -> Iterator[str]:
    yield _comment(f"{one.path}, such as {one.example}:")
    yield from (_comment(f"  {sentence}") for sentence in one.evidence)
    if one.alternatives:
        yield _comment(f"  or else: {', '.join(one.alternatives)}")


def _source(one: "FieldProposal", guard: str) -> str:
    unit = f", unit = {_quoted(one.unit)}" if one.unit != "s" else ""
    when = f", when = {{ {_path(guard)} = true }}" if guard else ""
    return f"{{ path = {_path(one.path)}{unit}{when} }}" if unit or when else _path(one.path)


def _path(path: str) -> str:
    """A path as the engine reads it: a leading `@` would mean the delivery, so a pattern stands for it."""
    return _quoted(f"[@]{path[1:]}*" if path.startswith("@") else path)


def _words(proposals: "Sequence[Proposal]") -> Iterator[str]:
    """The words that the values taught us; those that every PBX uses are known to the engine."""
    for field in ("direction", "disposition"):
        words: dict[str, str] = {}
        for one in (finding for proposal in proposals for finding in proposal.findings if finding.field == field):
            words |= dict(one.words)
        if words:
            yield from ("", f"[{field}]")
        for ours in dict.fromkeys(words.values()):
            yield f"{ours} = [{_list(theirs for theirs, meaning in words.items() if meaning == ours)}]"


def _list(texts: "Sequence[str] | Iterator[str] | dict[str, None]") -> str:
    return ", ".join(map(_quoted, texts))


def _comment(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return f"# {printable[:300]}"


def _quoted(text: str) -> str:
    """A TOML string; half a surrogate pair, which TOML cannot hold, becomes any character."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "*"
    if character in '\\"':
        return "\\" + character
    return character if character.isprintable() else f"\\U{code:08x}"
