"""From the bytes of a delivery to its documents, by content and never by Content-Type.

The one idea: whatever a PBX posts, JSON, XML, a form, a query string, lines of text, becomes a list of plain
documents (dict, list, text), each name as the PBX wrote it. Numbers stay text, because 1495779310.3710 is an
identifier and 02258674577 a phone number; a name that is given twice in one object keeps both values in a list.

    opened = open_body(event)
    opened.documents, opened.problems, opened.notes
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ippbx_billing.calls import Fact, Problem, RawEvent, Reason
from ippbx_billing.dialects import tables, values
from ippbx_billing.dialects.json_bodies import DECODER, JUNK, decode_json, is_whole, joined
from ippbx_billing.dialects.xml_bodies import read_xml

Document = dict[str, Any]

MOST_FIELDS = 10_000  # of a form
MOST_NAMES = 4_000  # in one object; a record of the most talkative switch has some hundreds
LONGEST_LINE = 4_000  # of text that is neither JSON, XML nor a form
# The form fields that are known to hold a whole document instead of a value.
DOCUMENT_FIELDS = ("cdr", "data", "json", "calllog.json", "payload", "body", "xml", "content", "call")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a body may hold at most; whatever is beyond is a problem, and costs neither time nor memory."""

    unpacked_bytes: int = 16 * 1024 * 1024
    records: int = 20_000
    nesting: int = 64


DEFAULT_BOUNDS = Bounds()


@dataclass
class Opened:
    """What was in a body: documents, what could not be read, and doubts about what could.

    `packed` says that the bytes as they came tell nothing of what is in them.
    """

    documents: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Reason] = field(default_factory=list)
    bounds: Bounds = DEFAULT_BOUNDS
    packed: bool = False
    nothing: Reason | None = None  # why there is no document, where that is not a problem

    def refuse(self, code: str, **facts: Fact) -> None:
        self.problems.append(Problem(Reason(code, facts)))

    def keep(self, value: object) -> None:
        """Take a decoded value: an object is a document, a list is taken apart."""
        if isinstance(value, dict):
            if value or not self.documents:
                self.documents.append(value)
        elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
            self.documents.extend(value)
        elif isinstance(value, list):
            self.documents.extend(one for one in value if isinstance(one, dict))
            self.refuse("list-of-no-records", count=len(value))
        else:
            self.refuse("single-value")


def open_body(event: RawEvent, bounds: Bounds = DEFAULT_BOUNDS) -> Opened:
    """Read an event's body, or its query string where there is no body; never raises."""
    opened = Opened(bounds=bounds)
    try:
        body = _unpacked(event, opened)
        if body is None:
            pass
        elif body.lstrip()[:2] == b"--":
            _open_multipart(body.lstrip(), opened)
        else:
            _open_text(_decoded(body), event, opened)
    except RecursionError:
        opened.documents.clear()
        opened.refuse("nested-too-deeply")
    _bound(opened, event.body)
    return opened


def _bound(opened: Opened, body: bytes) -> None:
    most, deepest = opened.bounds.records, opened.bounds.nesting
    if len(opened.documents) > most:
        opened.refuse("too-many-records", count=len(opened.documents), most=most)
        del opened.documents[most:]
    if opened.packed or (len(body) > 2 * MOST_NAMES and sum(map(body.count, _BETWEEN)) > MOST_NAMES):
        _bound_names(opened)
    if not opened.packed and sum(map(body.count, (b"{", b"[", b"<", b"%"))) < deepest:
        return  # too short to be deep
    if any(is_too_deep(document, deepest) for document in opened.documents):
        opened.documents = [one for one in opened.documents if not is_too_deep(one, deepest)]
        opened.refuse("nested-deeper", deepest=deepest)


_BETWEEN = (b":", b"=", b"<", b",", b";", b"\t", b"|")  # one of them stands at every name


def _bound_names(opened: Opened) -> None:
    """Reading a record takes longer with each of its names; one of so many is not a call's."""
    narrow = [one for one in opened.documents if not _is_too_wide(one)]
    if len(narrow) < len(opened.documents):
        opened.documents = narrow
        opened.refuse("too-many-fields", most=MOST_NAMES)


def _is_too_wide(document: object) -> bool:
    level = [document]
    while level:
        if any(isinstance(one, dict) and len(one) > MOST_NAMES for one in level):
            return True
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
    return False


def is_too_deep(document: object, deepest: int = DEFAULT_BOUNDS.nesting) -> bool:
    """Whether a document is nested deeper than any call record would be."""
    level = [document]
    for _ in range(deepest):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(outer: object) -> Any:
    return outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()


# -- bytes to text


_ENCODING = re.compile(r"^content-encoding: *([\w-]+)", re.IGNORECASE | re.MULTILINE)


def _unpacked(event: RawEvent, opened: Opened) -> bytes | None:
    """The body without compression: told by its first bytes, for the header may be lost on the way, or else by that."""
    body = event.body
    if body[:2] in (b"\x1f\x8b", b"\x78\x9c", b"\x78\x01", b"\x78\xda"):
        return _inflated(body, 47, opened)  # 47: either of the two headers
    if not body or body.isascii() or "ncoding:" not in event.headers:
        return body  # text needs no unpacking, whatever a header claims
    named = _ENCODING.search(event.headers)
    encoding = named[1].lower() if named else "identity"
    if encoding == "deflate":
        return _inflated(body, -15, opened)  # -15: without any header
    if encoding in ("br", "zstd", "compress"):
        opened.refuse("unknown-compression", encoding=encoding)
        return None
    return body


def _inflated(body: bytes, header: int, opened: Opened) -> bytes | None:
    most = opened.bounds.unpacked_bytes
    unpacker = zlib.decompressobj(header)
    try:
        inflated = unpacker.decompress(body, most)
    except zlib.error:
        if body[:2] == b"\x1f\x8b":
            opened.refuse("compression-damaged")
            return None
        return body  # text that happens to begin with an x
    if unpacker.unconsumed_tail or not unpacker.eof:
        opened.refuse("compression-too-large", most=most)
        return None
    opened.packed = True
    return inflated


def _decoded(body: bytes) -> str:
    """UTF-8, else what Chinese firmwares send, else byte for byte."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace").strip(JUNK)
    if len(body) > 7 and {*body[:8:2]} == {0} != {*body[1:8:2]}:  # text has no zero bytes, but for those of UTF-16
        return body.decode("utf-16-be", "replace").strip(JUNK)
    if len(body) > 7 and {*body[1:8:2]} == {0} != {*body[:8:2]}:
        return body.decode("utf-16-le", "replace").strip(JUNK)
    for encoding in ("utf-8", "gb18030"):
        try:
            return body.decode(encoding).strip(JUNK)
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1").strip(JUNK)


# -- what sort of text it is


def _open_text(text: str, event: RawEvent, opened: Opened) -> None:
    if not text:
        _open_query(event, opened)
    elif text[0] in "{[":
        _open_json(text, opened)
    elif text[0] == "<":
        _open_xml(text, opened)
    elif text[0] == '"' and _holds_document(inner := _quoted(text)):
        _open_text(inner.strip(JUNK), event, opened)
    else:
        _open_lines(text, opened)


def _quoted(text: str) -> str:
    """A document that was made a JSON string once too often."""
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return ""
    return value if isinstance(value, str) else ""


def _holds_document(text: str) -> bool:
    stripped = text.strip(JUNK)
    return stripped[:1] in ("{", "[", "<") and stripped[-1:] in ("}", "]", ">")


def _open_query(event: RawEvent, opened: Opened) -> None:
    """A GET carries its record in the URL; one sender appends its own `?` to a URL that has one."""
    query = event.query.replace("?", "&").strip("&")
    if query:
        _open_form(query, opened)


# -- JSON


_GAP = re.compile(r"[\s,;\0\ufeff\x1e]*")  # between the objects of one body


def _open_json(text: str, opened: Opened) -> None:
    position = 0
    while position < len(text):
        try:
            value, position = DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            _open_broken_json(text[position:], opened, error)
            return
        opened.keep(value)
        position = _end_of_gap(text, position)


def _end_of_gap(text: str, position: int) -> int:
    match = _GAP.match(text, position)
    return match.end() if match else position


def _open_broken_json(text: str, opened: Opened, error: json.JSONDecodeError) -> None:
    try:
        value, note = decode_json(text)
    except ValueError:
        code = "not-json" if is_whole(text) else "json-cut-off"
        opened.refuse(code, error=error.msg, line=error.lineno, column=error.colno, position=error.pos)
        return
    opened.keep(value)
    opened.notes.append(note)


# -- XML


_LONG_TAG = re.compile(rf"<[^<>]{{{4 * MOST_NAMES},}}")


def _open_xml(text: str, opened: Opened) -> None:
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        opened.refuse("xml-with-doctype")
        return
    if any(tag[0].count("=") > MOST_NAMES for tag in _LONG_TAG.finditer(text)):
        opened.refuse("too-many-fields", most=MOST_NAMES)  # the parser compares each attribute with every other
        return
    found, repaired = read_xml(text)
    if repaired:
        opened.notes.append(Reason("xml-repaired"))
    if found is None:
        opened.refuse("not-xml")
    else:
        opened.keep(found)


# -- forms


def _open_form(text: str, opened: Opened) -> None:
    """`name=value&…`: one field may hold the whole document, else the fields are the record."""
    if text.count("&") > MOST_FIELDS:
        opened.refuse("form-too-large", most=MOST_FIELDS)
        return
    pairs = [(_unescaped(name), value) for name, _, value in _fields(text)]
    for name, value in pairs:
        inner = _document_in(name.lower(), value)
        if inner is not None and (len(pairs) == 1 or name.lower() in DOCUMENT_FIELDS):
            opened.packed = True  # in base64 no bracket is seen
            _open_inner(inner, opened)
            return
    document = _nested([(name, _unescaped(value)) for name, value in pairs])
    members = list(document.values())
    if len(members) == 1 and isinstance(members[0], list) and all(isinstance(one, dict) for one in members[0]):
        opened.keep(members[0])  # data[0][caller]=…&data[1][caller]=…
    else:
        opened.keep(document)


_PLUS_NUMBER = re.compile(r"\+\d[\d ().-]*")


def _unescaped(said: str) -> str:
    """A form's text as it was; a phone number's plus that nobody escaped is not a blank."""
    if _PLUS_NUMBER.fullmatch(said):
        return said
    return values.unescaped(said.replace("+", " ")) if "%" in said else said.replace("+", " ")


def _fields(text: str) -> Iterator[tuple[str, str, str]]:
    return (one.partition("=") for one in text.split("&") if one.strip("\r\n "))


def _document_in(name: str, value: str) -> str | None:
    """The document that a form field holds: percent-encoded, or base64 of which nothing was escaped."""
    plain = _unescaped(value)
    if _holds_document(plain):
        return plain
    if name in DOCUMENT_FIELDS and _BASE64.fullmatch(value):
        return _from_base64(plain if "%" in value else value)
    return None


_BASE64 = re.compile(r"(?:[A-Za-z0-9+/=_\s-]|%2[BbFf]|%3[Dd])+")


def _from_base64(value: str) -> str | None:
    """Base64 as FreeSWITCH sends it: its `+` stands for itself, not for a blank."""
    packed = re.sub(r"\s", "+", value.strip()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        text = _decoded(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None
    return text if _holds_document(text) else None


def _open_inner(text: str, opened: Opened) -> None:
    stripped = text.strip(JUNK)
    (_open_xml if stripped[0] == "<" else _open_json)(stripped, opened)


_BRACKETED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
MOST_BRACKETS = 12  # in the name of one field


def _nested(pairs: list[tuple[str, str]]) -> Document:
    """`key[sub][name]=value` and `key[]=value` as objects and lists, the rest as it is."""
    if not any("[" in name for name, _ in pairs):
        outer = {name.partition(".")[0] for name, _ in pairs}
        if len(outer) == 1 and all("." in name for name, _ in pairs):
            return {outer.pop(): joined([(name.partition(".")[2], value) for name, value in pairs])}
        return joined(list(pairs))
    return _grown([(_path(name), value) for name, value in pairs])


def _path(name: str) -> list[str]:
    match = _BRACKETED.fullmatch(name)
    if match is None or match[2].count("[") > MOST_BRACKETS:
        return [name]
    return [match[1], *match[2][1:-1].split("][")]


def _grown(members: list[tuple[list[str], str]]) -> Document:
    """One object of the members that share the way to it."""
    inner: dict[str, list[tuple[list[str], str]]] = {}
    for (first, *rest), value in members:
        inner.setdefault(first, []).append((rest, value))
    return {first: _branch(branch) for first, branch in inner.items()}


def _branch(members: list[tuple[list[str], str]]) -> Any:
    values_here = [value for rest, value in members if not rest or rest == [""]]
    if values_here:
        return values_here if len(members) > 1 or members[0][0] else values_here[0]
    grown = _grown(members)
    is_list = all(name.isdigit() for name in grown)
    return list(grown.values()) if is_list else grown


# -- multipart


def _open_multipart(body: bytes, opened: Opened) -> None:
    """Text fields, one of which may be the record; a recording beside it is passed over."""
    boundary = body.partition(b"\n")[0].rstrip()
    fields: list[tuple[str, str]] = []
    for part in body.split(boundary)[1:]:
        head, _, content = part.lstrip(b"\r\n").replace(b"\r\n", b"\n", 16).partition(b"\n\n")
        named = re.search(rb'name="?([^";\n]*)', head)
        if named is None or (content[:1] not in b"{[<" and b"filename" in head):
            continue
        value = _decoded(content)
        if _holds_document(value):
            _open_inner(value, opened)
        else:
            fields.append((_decoded(named[1]), value))
    if opened.documents or opened.problems:
        return
    if fields:
        opened.keep(_nested(fields))
    else:
        opened.refuse("multipart-without-field")


# -- lines

_HEADER_LINE = re.compile(r"[A-Za-z][\w-]*:(?: .*)?")
_FORM = re.compile(r"[\w.\-\[\]%+ @:/]{1,100}=")
_LISTED = re.compile(r"(?:^|, *|\] *)([A-Za-z][A-Za-z ]*?) *:(?=[^/])")


def _open_lines(text: str, opened: Opened) -> None:
    lines = text.splitlines()
    if sum(_HEADER_LINE.fullmatch(line) is not None for line in lines) >= max(3, len(lines) // 2):
        _each_block(lines, opened)
    elif len(lines) > 2 and "&" not in text and all(_FORM.match(line) for line in lines if line):
        opened.keep(joined([_assigned(line) for line in lines if line]))
    elif len(_LISTED.findall(lines[0][:LONGEST_LINE])) >= 4:
        _each_line(lines, _listed, opened)
    elif _FORM.match(text) and not tables.is_table(lines):
        _open_form(text, opened)
    else:
        _open_table(lines, opened)


def _open_table(lines: list[str], opened: Opened) -> None:
    """Separated cells or lines of a fixed layout: with names where a heading gives them, else for a dialect to name."""
    rows = tables.rows_of(lines)
    if rows is None:
        opened.refuse("unknown-kind")
        return
    for row in rows:
        opened.keep(row)
    if not rows:
        opened.nothing = Reason("heading-alone")


def _each_block(lines: list[str], opened: Opened) -> None:
    """`Key: value` lines, a blank line after each event (Asterisk's manager interface)."""
    block: list[tuple[str, str]] = []
    for line in [*lines, ""]:
        name, colon, value = line.partition(":")
        if colon:
            block.append((name.strip(), value.strip()))
        elif not line.strip() and block:
            opened.keep(joined(list(block)))
            block = []


def _assigned(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip()


def _each_line(lines: list[str], read: Callable[[str], Document], opened: Opened) -> None:
    for line in lines:
        if record := read(line[:LONGEST_LINE]):
            opened.keep(record)


def _listed(line: str) -> Document:
    """`… [INFO] Port:6, Start Date:2017-09-05 11:43:28, …` of a syslog line."""
    record = line.rpartition("] ")[2] if "] " in line.partition(",")[0] else line
    pairs = (piece.partition(":") for piece in re.split(r", *(?=[A-Za-z][A-Za-z ]*?:)", record.strip(JUNK)))
    return joined([(name.strip(), value.strip()) for name, colon, value in pairs if colon])
