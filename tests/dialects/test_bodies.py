"""Whatever a PBX posts becomes documents with every value as it was written, or a problem with a sentence."""

import base64
import gzip
import json
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ippbx_billing.calls import EventKind, RawEvent, Reason
from ippbx_billing.dialects import bodies
from ippbx_billing.dialects.bodies import Bounds, Opened, open_body
from ippbx_billing.language.reasons import sentence


def opened(body: str | bytes, query: str = "") -> Opened:
    raw = body if isinstance(body, bytes) else body.encode()
    return open_body(
        RawEvent(1, datetime(2026, 3, 1, tzinfo=UTC), EventKind.CDR, "192.0.2.7", "POST", "/", query, "", raw)
    )


def event_with(body: bytes, headers: str = "") -> RawEvent:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return RawEvent(1, moment, EventKind.CDR, "192.0.2.7", "POST", "/", "", headers, body)


def under(headers: str, body: bytes) -> Opened:
    """The body opened as these headers announce it."""
    return open_body(event_with(body, headers))


def documents(body: str | bytes, query: str = "") -> list[bodies.Document]:
    found = opened(body, query)
    assert found.problems == []
    return found.documents


def refusal(body: str | bytes) -> str:
    [problem] = opened(body).problems
    return sentence(problem.reason)


# -- JSON


def test_numbers_keep_their_text() -> None:
    """1495779310.3710 is an identifier; as a number it would be another one."""
    assert documents('{"callid": 1495779310.3710, "caller": 90532000000, "n": -0, "e": 1e3}') == [
        {"callid": "1495779310.3710", "caller": "90532000000", "n": "-0", "e": "1e3"}
    ]


def test_a_name_given_twice_keeps_both_values() -> None:
    """Old firmwares name both parties `ext`; the last must not hide the first."""
    assert documents('{"ext":{"extid":"1002"},"ext":{"extid":"1000"},"a":1}') == [
        {"ext": [{"extid": "1002"}, {"extid": "1000"}], "a": "1"}
    ]


@pytest.mark.parametrize("between", ["", "\n", "\r\n", " , ", "\x1e", ";\n"])
def test_objects_one_after_the_other(between: str) -> None:
    """A flushed buffer is several objects in one body."""
    assert documents('{"a":"1"}' + between + '{"a":"2"}') == [{"a": "1"}, {"a": "2"}]


@pytest.mark.parametrize("wrapped", ["\ufeff{}", "{}\0\r\n", " \r\n\t{}", "\0{}\0"])
def test_marks_and_blanks_around_the_document(wrapped: str) -> None:
    """BOM, NUL and blank lines around a document say nothing."""
    assert documents(wrapped.replace("{}", '{"a":"1"}')) == [{"a": "1"}]


def test_a_raw_newline_inside_a_text() -> None:
    """Firmwares print line breaks into texts unescaped."""
    assert documents('{"a":"one\ntwo"}') == [{"a": "one\ntwo"}]


def test_a_document_made_text_once_too_often() -> None:
    """A JSON string that holds the record is opened."""
    assert documents(json.dumps('{"a":"1"}')) == [{"a": "1"}]


@pytest.mark.parametrize(
    ("misprint", "meant"),
    [
        ('{"a":"1",,"b":"2"}', {"a": "1", "b": "2"}),
        ('{"a":"1" "b":2 "c":"3"}', {"a": "1", "b": "2", "c": "3"}),
        ('{"time":"12:18:21"\n"id":007}', {"time": "12:18:21", "id": "007"}),
        ('{"msg":"{"type":"Internal","n":1}"}', {"msg": {"type": "Internal", "n": "1"}}),
        ('{"id":""dan" <1001>","b":"2"}', {"id": '"dan" <1001>', "b": "2"}),
        ("{'a':'1'}", {"a": "1"}),
    ],
)
def test_what_a_vendor_misprints_is_repaired_and_said_so(misprint: str, meant: dict[str, object]) -> None:
    """Doubled and missing commas, lost escapes: the record is read, with a note."""
    found = opened(misprint)
    assert (found.documents, found.notes) == ([meant], [Reason("json-repaired")])


@pytest.mark.parametrize(
    "cut",
    ['{"sn":"x","cdr":[{"port":1', '{"a":1,"cdr":[{"port":1}', '[{"a":1},{"a"', '{"a":"1', "{", "[", '{"a":{"b":1}'],
)
def test_what_was_cut_off_is_never_repaired(cut: str) -> None:
    """A shortened record would be a wrong one; it is refused as cut off."""
    found = opened(cut)
    assert found.documents == []
    assert "cut off" in sentence(found.problems[0].reason)


def test_what_came_before_the_cut_counts() -> None:
    """The whole objects of a body that is cut off are read, the rest is a problem."""
    found = opened('{"a":"1"}\n{"a":"2"')
    assert found.documents == [{"a": "1"}]
    assert "cut off" in sentence(found.problems[0].reason)


def test_a_list_of_records_and_a_list_of_none() -> None:
    """A list of objects is so many documents; a list of numbers is none."""
    assert documents('[{"a":"1"},{"a":"2"}]') == [{"a": "1"}, {"a": "2"}]
    assert refusal("[1,2,3]") == "a list of 3 values that are not records"


@pytest.mark.parametrize("deep", ["[" * 100_000 + "]" * 100_000, '{"a":' * 200 + "1" + "}" * 200, '{"a":' * 5_000])
def test_deep_nesting_is_refused(deep: str) -> None:
    """A document nested deeper than any record does not tie up the reader."""
    found = opened(deep)
    assert found.documents == []
    assert found.problems


# -- encodings and compression


def test_chinese_in_utf_8_and_in_gb18030() -> None:
    """Chinese firmwares send either; both are read as they were meant."""
    for encoding in ("utf-8", "gb18030", "utf-16"):
        assert documents('{"name":"张三"}'.encode(encoding)) == [{"name": "张三"}]


def test_compressed_bodies() -> None:
    """gzip and zlib are told by their first bytes."""
    for packed in (gzip.compress(b'{"a":"1"}'), zlib.compress(b'{"a":"1"}')):
        assert documents(packed) == [{"a": "1"}]


def test_a_compressed_body_without_any_header() -> None:
    """Some senders take `deflate` at its word; text that only claims to be compressed is read as it is."""
    raw = zlib.compressobj(wbits=-15)
    packed = raw.compress(b'{"a":"1"}') + raw.flush()
    assert under("Content-Encoding: deflate\r\n", packed).documents == [{"a": "1"}]
    for claimed in ("gzip", "deflate", "br"):
        assert under(f"content-encoding: {claimed}\r\n", b'{"a":"1"}').documents == [{"a": "1"}]


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress"])
def test_other_compressions_are_named(encoding: str) -> None:
    """A body that nobody here can unpack is a listed problem."""
    [problem] = under(f"Content-Encoding: {encoding}\r\n", b"\x8b\x04\x80hello\x03").problems
    assert sentence(problem.reason) == f"the body is compressed as {encoding}, which is not read"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_compressed_body_cannot_fill_the_memory(pack: Callable[[bytes], bytes]) -> None:
    """A small body that unpacks to a large one is refused before it does."""
    small = Bounds(unpacked_bytes=1_000)
    [problem] = open_body(event_with(pack(b" " * 10_000)), small).problems
    assert "more than 1000 bytes" in sentence(problem.reason)
    assert refusal(gzip.compress(b'{"a":1}')[:-12]).startswith("the compressed body is")


def test_a_bomb_costs_little_memory() -> None:
    """Sixty megabytes of blanks in sixty kilobytes are a problem at once, and never unpacked beyond the bound."""
    bomb = gzip.compress(b" " * 60_000_000)
    tracemalloc.start()
    [problem] = opened(bomb).problems
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "when unpacked" in sentence(problem.reason)
    assert peak < 40 * 1024 * 1024


def test_bounds_of_records_and_nesting_are_those_given() -> None:
    """What a site sets is what holds: so many records, so deep."""
    three = open_body(event_with(b'[{"a":"1"},{"a":"2"},{"a":"3"}]'), Bounds(records=2))
    assert (len(three.documents), sentence(three.problems[0].reason)) == (
        2,
        "3 records in one body; only the first 2 are read",
    )
    deep = open_body(event_with(b'{"a":{"b":{"c":"d"}}}'), Bounds(nesting=2))
    assert (deep.documents, sentence(deep.problems[0].reason)) == ([], "nested deeper than 2 levels")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, lambda body: b"cdr=" + base64.b64encode(body)])
def test_depth_is_seen_through_every_packing(pack: Callable[[bytes], bytes]) -> None:
    """Neither compression nor base64 hides a document that is too deep."""
    assert refusal(pack(b'{"a":' * 200 + b"1" + b"}" * 200)) == "nested deeper than 64 levels"


# -- XML


def test_attributes_and_elements_are_both_names() -> None:
    """NewRock puts data into attributes, FreeSWITCH into elements, both into either."""
    assert documents('<?xml version="1.0"?><Cdr id="5-0"><callid>3</callid><ext id="1"/><ext id="2"/></Cdr>') == [
        {"Cdr": {"id": "5-0", "callid": "3", "ext": [{"id": "1"}, {"id": "2"}]}}
    ]


def test_variable_names_as_tags_are_mended() -> None:
    """FreeSWITCH writes any variable's name as a tag; what is not a tag does not swallow its neighbours."""
    found = opened(
        "<cdr><variables><uuid>u</uuid><0>x</0><set a>y</set a><^^,x>z</^^,x><billsec>4</billsec></variables></cdr>"
    )
    variables = found.documents[0]["cdr"]["variables"]
    assert (variables["uuid"], variables["billsec"]) == ("u", "4")
    assert found.notes == [Reason("xml-repaired")]


def test_no_entity_and_no_document_type() -> None:
    """Nothing outside of the body is fetched, and no entity multiplies itself."""
    bomb = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Cdr><callid>&x;</callid></Cdr>'
    assert refusal(bomb) == "XML with a document type of its own is not read"
    assert "passwd" not in str(opened("<Cdr><callid>&x;</callid></Cdr>").documents)


def test_a_declared_encoding_does_not_matter() -> None:
    """The bytes decide, whatever the prolog claims."""
    xml = '<?xml version="1.0" encoding="gb2312"?><Cdr><name>张三</name></Cdr>'
    for encoding in ("utf-8", "gb18030"):
        assert documents(xml.encode(encoding)) == [{"Cdr": {"name": "张三"}}]


# -- forms


def test_a_form_is_a_record() -> None:
    """Fields, nested names and lists; `+` is a blank, %2B a plus, empty fields are passed over."""
    assert documents("caller=%2B86139&name=Test+Man&&custom[a]=1&list[]=x&list[]=y&at=2016-01-01 00:00:00") == [
        {"caller": "+86139", "name": "Test Man", "at": "2016-01-01 00:00:00", "custom": {"a": "1"}, "list": ["x", "y"]}
    ]


def test_a_document_in_a_form_field() -> None:
    """Percent-encoded in full, or in base64 whose `+` is a plus: the field is opened."""
    document = '{"a":"1~~~???>>>"}'
    packed = base64.b64encode(document.encode()).decode()
    assert "+" in packed or "/" in packed
    for body in (
        f"cdr={quote(document)}",
        f"cdr={packed}",
        f"x=1&data={quote(packed)}",
        f"calllog.json={quote(document)}",
    ):
        assert documents(body) == [{"a": "1~~~???>>>"}]


def test_a_plain_word_is_no_base64_document() -> None:
    """A field with such a name may hold an ordinary value."""
    assert documents("data=answered1&caller=8001") == [{"data": "answered1", "caller": "8001"}]


def test_the_query_speaks_where_the_body_is_silent() -> None:
    """A GET carries its record in the URL; the sender's second `?` is another `&`."""
    assert documents("", "token=t?uuid=a_1&x=%2B1") == [{"token": "t", "uuid": "a_1", "x": "+1"}]
    assert documents('{"a":"1"}', "uuid=2") == [{"a": "1"}]
    assert documents("") == []


def test_multipart() -> None:
    """A text field with the document, a recording beside it; or plain fields. The boundary is the first line."""
    recording = b'--B\r\nContent-Disposition: form-data; name="media"; filename="a.wav"\r\n\r\n\xff\xfe\x00RIFF\r\n'
    named = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    assert documents(named % (b"calllog.json", '{"a":"张"}'.encode()) + recording + b"--B--\r\n") == [{"a": "张"}]
    assert documents(named % (b"a", b"1") + named % (b"b", b"2") + b"--B--\r\n") == [{"a": "1", "b": "2"}]


# -- lines


def test_key_value_lines() -> None:
    """Asterisk's manager speaks in lines, a blank one between events."""
    assert documents("Event: Cdr\r\nSource: 2001\r\nAccountCode: \r\n\r\nEvent: Cdr\r\nSource: 2002\r\n\r\n") == [
        {"Event": "Cdr", "Source": "2001", "AccountCode": ""},
        {"Event": "Cdr", "Source": "2002"},
    ]


def test_a_syslog_line() -> None:
    """`name:value` after the log's own head; times keep their colons, blanks before a colon do not matter."""
    line = (
        "Sep  5 11:43:34 10.0.0.1 mpe: <1>  [   INFO] Port:6, Start Date:2017-09-05 11:43:28, "
        "Answer Date:, Source:1, Destination :2"
    )
    assert documents(line) == [
        {"Port": "6", "Start Date": "2017-09-05 11:43:28", "Answer Date": "", "Source": "1", "Destination": "2"}
    ]


def test_comma_separated_lines() -> None:
    """A line of names names the columns; without it the cells await a dialect that knows them."""
    assert documents('a,b,c,d,e,f,g\n1,"x,y",3,4,5,6,7') == [dict(zip("abcdefg", ["1", "x,y", *"34567"], strict=True))]
    assert documents('"9007","9008","","a","b","c","0"') == [
        {"csv": ["9007", "9008", "", "a", "b", "c", "0"], "line": '"9007","9008","","a","b","c","0"'}
    ]


# -- anything


@settings(deadline=None)
@given(
    st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(max_size=40),
)
def test_any_bytes_open_or_are_refused(body: bytes, query: str) -> None:
    """No body raises; each gives documents, or a problem, or nothing at all."""
    found = opened(body, query)
    assert all(isinstance(one, dict) for one in found.documents)


@example({"": None, "}": [None]}, 10)  # what is left ends like a whole one
@example({"}": {}}, 5)
@settings(deadline=None)
@given(
    st.recursive(
        st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict) and value),
    st.integers(min_value=1, max_value=30),
)
def test_any_json_object_is_read_and_its_beginning_never_is(document: dict[str, object], cut: int) -> None:
    """What `json` writes we read; with its end cut off there is no document but a problem."""
    text = json.dumps(document)
    assert len(documents(text)) == 1
    short = opened(text[:-cut]) if cut < len(text) else opened("{")
    assert short.documents == []
    assert short.problems


@pytest.mark.parametrize("size", [3_000_000])
@pytest.mark.parametrize("piece", ["{", "[1,", '{"a":"', "a=1&", "x: y\n", '"', "a,", "<a>", "\0", " ", "--x\r\n"])
def test_a_large_body_of_rubbish_takes_no_age(piece: str, size: int) -> None:
    """Megabytes of anything are opened or refused in seconds, not minutes."""
    begun = datetime.now(UTC)
    opened(piece * (size // len(piece)))
    assert (datetime.now(UTC) - begun).total_seconds() < 15


# -- size


def _wide(form: str, count: int) -> bytes:
    """One record of so many names."""
    names = [f"name{number}" for number in range(count)]
    if form == "json":
        return json.dumps(dict.fromkeys(names, "1")).encode()
    if form == "attributes":
        return b"<cdr " + " ".join(f'{name}="1"' for name in names).encode() + b"/>"
    if form == "elements":
        return b"<cdr>" + "".join(f"<{name}>1</{name}>" for name in names).encode() + b"</cdr>"
    if form == "table":
        return (";".join(names) + "\n" + ";".join(["1"] * count)).encode()
    return "&".join(f"{name}=1" for name in names).encode()


FORMS = ["json", "attributes", "elements", "form"]


@pytest.mark.parametrize("form", FORMS)
def test_a_record_of_too_many_names_is_refused(form: str) -> None:
    """Each form of body has the same bound; the reason names it."""
    found = opened(_wide(form, bodies.MOST_NAMES + 1))
    assert found.documents == []
    assert [problem.reason.code for problem in found.problems] == ["too-many-fields"]


@pytest.mark.parametrize("form", FORMS)
def test_reading_grows_with_the_size(form: str) -> None:
    """Twice as many names are at most about twice as much work, counted in calls of functions."""
    small, large = (_work(_wide(form, count)) for count in (2_100, 3_900))
    assert large < 2.5 * small


def _work(body: bytes) -> int:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        opened(body)
    finally:
        sys.setprofile(None)
    return calls
