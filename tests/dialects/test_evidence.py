"""A decision that is remembered by a document's evidence is the one that would be made anew."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing import dialects
from ippbx_billing.calls import EventKind, RawEvent, Reading
from ippbx_billing.dialects import choosing
from tests import DATA

SHANGHAI = ZoneInfo("Asia/Shanghai")
CORPUS = [json.loads(line) for line in (DATA / "corpus.jsonl").read_text("utf-8").splitlines()]
FILLERS = ["", "null", "0", "ANSWERED", "outbound", "2026-03-01 12:00:00", "8001", None, True, [], {}, {"a": "1"}]


def event_of(body: str, query: str = "") -> RawEvent:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return RawEvent(1, moment, EventKind.CDR, "192.0.2.7", "POST", "/", query, "", body.encode())


def read(event: RawEvent, known: dialects.Dialects, chosen: str) -> Reading:
    return dialects.read(
        event, known, chosen=chosen, zone=SHANGHAI, is_extension=lambda said: said.isdigit() and 3 <= len(said) <= 5
    )


def corpus_events() -> list[RawEvent]:
    return [event_of(one["body"], one.get("query") or "") for one in CORPUS]


def mangled(document: Any, random: Random) -> Any:
    """The document with one value changed, or one name gone, somewhere in it."""
    if isinstance(document, list):
        return [mangled(one, random) for one in document]
    if not isinstance(document, dict) or not document:
        return random.choice(FILLERS)
    name = random.choice(list(document))
    if random.random() < 0.2:
        return {one: value for one, value in document.items() if one != name}
    return {**document, name: mangled(document[name], random)}


def mangled_events(times: int, seed: int = 1) -> list[RawEvent]:
    """Every JSON body of the corpus that many times, each a little different."""
    random, found = Random(seed), []
    for one in CORPUS:
        try:
            document = json.loads(one["body"])
        except ValueError:
            continue
        found += [event_of(json.dumps(mangled(document, random))) for _ in range(times)]
    return found


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> dialects.Dialects:
    """Dialects that make every decision anew."""
    known = dialects.load()
    monkeypatch.setattr(known.evidence, "of", lambda document, facts: None)
    return known


@pytest.mark.parametrize("chosen", ["auto", "uc", "freeswitch"])
def test_every_body_is_read_alike_with_and_without_memory(forgetful: dialects.Dialects, chosen: str) -> None:
    """The corpus and thousands of bodies that differ from it a little, in any order, each of them twice."""
    known = dialects.load()
    events = corpus_events() + mangled_events(15 if chosen == "auto" else 4)
    Random(chosen).shuffle(events)
    for event in (*events, *events):
        assert read(event, known, chosen) == read(event, forgetful, chosen), event.body


def test_equal_evidence_is_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other numbers and times are the same evidence; another name, an empty value, another word is not."""
    known, looked = dialects.load(), []
    anew = choosing.choose_anew
    monkeypatch.setattr(choosing, "choose_anew", lambda *given: looked.append(1) or anew(*given))
    record = {"sn": "db01", "cdr": [{"start_time": "2026-03-01 12:00:00", "caller": "8001", "callee": "58674577"}]}
    read(event_of(json.dumps(record)), known, "auto")
    for caller in ("8002", "02258674577", "anonymous"):
        read(event_of(json.dumps(record).replace("8001", caller)), known, "auto")
    assert len(looked) == 1
    for other in ({**record, "sms": "1"}, {**record, "sn": ""}):
        read(event_of(json.dumps(other)), known, "auto")
    assert len(looked) == 3


def test_what_is_remembered_is_bounded() -> None:
    """A stranger who never sends the same names twice fills no memory, and is read as before."""
    known = dialects.load()
    for number in range(choosing.MOST_DECISIONS + 10):
        reading = read(
            event_of(json.dumps({"caller": "1", "callee": "2", "start": "0", f"x{number}": "y"})), known, "uc"
        )
        assert len(reading.problems) == 1
        body = {"caller": "8001", "callee": "2", "start": "2026-03-01 12:00:00", f"x{number}": "y"}
        assert len(read(event_of(json.dumps(body)), known, "uc").calls) == 1
    assert len(known._decisions) <= choosing.MOST_DECISIONS


def test_large_or_deep_documents_have_no_evidence() -> None:
    """Neither a flood of names nor a long list nor a deep one is remembered; a name as long as a book is not either."""
    known = dialects.load()
    nested: dict[str, Any] = {}
    for _ in range(20):
        nested = {"a": nested}
    for document in ({str(n): "1" for n in range(500)}, {"cdr": [{"a": "1"}] * 50}, nested, {"csv": ["1", "2"]}):
        assert known.evidence.of(document, {}) is None
    event = event_of(json.dumps({"caller": "8001", "callee": "2", "start": "2026-03-01 12:00:00", "x" * 9_000: "1"}))
    assert len(read(event, known, "auto").calls) == 1
    assert not known._decisions


def test_the_path_of_the_delivery_is_evidence() -> None:
    """A sender that names its events in the URL only is not taken for another."""
    known = dialects.load()
    event = event_of('{"caller": "8001", "callee": "2", "start": "2026-03-01 12:00:00"}')
    first, second = (read(replace(event, path=path), known, "auto") for path in ("/cdr", "/sms"))
    assert first == read(replace(event, path="/cdr"), dialects.load(), "auto")
    assert second == read(replace(event, path="/sms"), dialects.load(), "auto")
