"""Proposing a dialect: what names and values prove, what they never may, how much is found of real vendors' bodies."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from hypothesis import given, settings
from hypothesis import strategies as st

from ippbx_billing import dialects
from ippbx_billing import language as texts
from ippbx_billing.calls import Call, Direction, Disposition, EventKind, RawEvent
from ippbx_billing.dialects.suggest import Proposal, Suggestion, suggest
from tests.benchmarks.suggest import MODES, Vendor, measure, vendors

SHANGHAI = ZoneInfo("Asia/Shanghai")
KNOWN = dialects.load()


def is_extension(number: str) -> bool:
    return re.fullmatch(r"[1-8]\d{3}", number) is not None


def event_of(body: str | bytes) -> RawEvent:
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return RawEvent(1, datetime(2026, 10, 1, tzinfo=UTC), EventKind.CDR, "192.0.2.7", "POST", "/", "", "", content)


def proposed(bodies: Sequence[str | bytes], **how: bool) -> Suggestion:
    return suggest([event_of(body) for body in bodies], known=KNOWN, zone=SHANGHAI, is_extension=is_extension, **how)


def of_records(*records: Mapping[str, Any], **how: bool) -> Proposal:
    """What is proposed for these records, each a JSON body of its own."""
    return proposed([json.dumps(record) for record in records], **how).proposals[0]


def by_values(*records: Mapping[str, Any]) -> dict[str, str]:
    return of_records(*records, use_names=False).paths


def evidence(proposal: Proposal, field: str) -> list[str]:
    return [str(one) for finding in proposal.findings if finding.field == field for one in finding.evidence]


def read_with(suggestion: Suggestion, body: str, directory: Path) -> tuple[Call, ...]:
    """The body's calls by the dialect file that the suggestion makes, and by no other."""
    (directory / "mine.toml").write_text(suggestion.as_toml("mine"), encoding="utf-8")
    known = dialects.load(directory)
    reading = dialects.read(event_of(body), known, chosen="mine", zone=SHANGHAI, is_extension=is_extension)
    assert reading.problems == ()
    return reading.calls


# Names that say nothing, so that only values speak.
RECORD = {"a": "2026-10-13 10:00:00", "b": "2026-10-13 10:00:07", "c": "2026-10-13 10:01:11", "d": 71, "e": 64}
UNANSWERED = {"a": "2026-10-13 10:05:00", "b": "", "c": "2026-10-13 10:05:22", "d": 22, "e": 0}


# -- the clock


def test_differences_of_times_tell_talk_from_total() -> None:
    """One record is enough: 71 s from the first time to the last, 64 s from the middle one."""
    proposal = of_records(RECORD, use_names=False)
    assert proposal.paths == {
        "started_at": "a",
        "answered_at": "b",
        "ended_at": "c",
        "duration_s": "d",
        "billed_s": "e",
    }
    assert evidence(proposal, "duration_s") == ["equals `c` − `a` in 1 of 1 records, so it is the total"]
    assert evidence(proposal, "billed_s") == ["equals `c` − `b` in 1 of 1 records, so it is talk time"]
    assert evidence(proposal, "started_at") == ["always a time, and never later than `b`, `c`"]


def test_an_answer_is_missing_where_nobody_talked() -> None:
    """The time that an unanswered call lacks is the answer, whatever order the columns have."""
    proposal = of_records({"e": 64, "b": RECORD["b"], **RECORD}, {"e": 0, "b": "", **UNANSWERED}, use_names=False)
    assert proposal.paths["answered_at"] == "b"
    assert evidence(proposal, "answered_at") == ["a time that is missing exactly where `e` is 0"]


def test_a_duration_that_falls_short_of_the_call_is_talk() -> None:
    """Start and end, but no answer: what is never longer than the call and sometimes shorter is talk."""
    proposal = of_records(
        {"x": "20170309175037", "y": "20170309175055", "z": 13},
        {"x": "20160504165621", "y": "20160504165726", "z": 30},
        use_names=False,
    )
    assert proposal.paths == {"started_at": "x", "ended_at": "y", "billed_s": "z"}
    assert evidence(proposal, "billed_s") == [
        "never longer than `y` − `x` and shorter in 2 of 2 records, so it is talk and not the total"
    ]


def test_a_duration_shorter_than_the_ringing_is_no_total() -> None:
    """A gateway's 3 s after 11 s of ringing cannot be the whole call, though its name says duration."""
    proposal = of_records(
        {
            "start_date": "2015-07-21 16:35:20",
            "answer_date": "2015-07-21 16:35:31",
            "duration": 3,
            "from": "1010",
            "to": "6717",
        }
    )
    assert "duration_s" not in proposal.paths
    assert proposal.paths["billed_s"] == "duration"


def test_milliseconds_and_microseconds_are_recognised(tmp_path: Path) -> None:
    """A duration may be told in another unit than the times."""
    record = {
        "a": 1760320800123,
        "b": 1760320807123,
        "c": 1760320871123,
        "d": 71000,
        "e": 64000000,
        "f": "8001",
        "g": "13512345678",
    }
    suggestion = proposed([json.dumps(record)], use_names=False)
    units = {one.field: one.unit for one in suggestion.proposals[0].findings}
    assert (units["duration_s"], units["billed_s"]) == ("ms", "us")
    (call,) = read_with(suggestion, json.dumps(record), tmp_path)
    assert (call.duration_s, call.billed_s) == (71, 64)


def test_values_win_over_a_name_that_they_contradict() -> None:
    """What is called start lies between begin and stop, so it is the answer."""
    proposal = of_records(
        {
            "beginTime": "2026-10-13 10:00:00",
            "startTime": "2026-10-13 10:00:07",
            "stopTime": "2026-10-13 10:01:11",
            "talk": 64,
        }
    )
    assert proposal.paths["started_at"] == "beginTime"
    assert proposal.paths["answered_at"] == "startTime"
    assert proposal.paths["ended_at"] == "stopTime"


def test_a_waiting_time_is_never_talk() -> None:
    """A ring time that happens to be shorter than the call is not proposed as talk."""
    proposal = of_records(
        {
            "timestart": "2022-04-27 19:04:36",
            "call_duraction": 24,
            "agent_ring_time": 21,
            "callfrom": "2005",
            "callto": "2002",
        },
    )
    assert proposal.paths.get("billed_s") != "agent_ring_time"


MOMENTS = st.integers(0, 40).map(lambda second: f"2026-10-13 10:00:{second:02d}")
VALUES = st.one_of(MOMENTS, st.just(""), st.integers(0, 60), st.sampled_from(["8001", "02258674577", "ANSWERED", "x"]))
NAMES = st.sampled_from(["start", "answer", "end", "duration", "billsec", "talk", "src", "dst", "a", "b", "c"])


@settings(deadline=None)
@given(st.lists(st.dictionaries(NAMES, VALUES, min_size=3, max_size=9), min_size=1, max_size=4))
def test_nothing_proposed_contradicts_its_own_times(records: list[dict[str, Any]]) -> None:
    """In no record does a proposed start follow the end, or a duration disagree with the times beside it."""
    for proposal in proposed([json.dumps(one) for one in records]).proposals:
        for record in records:
            if not {name for name, value in record.items() if value != ""} <= set(proposal.columns):
                continue  # a record of another make
            times = [record.get(proposal.paths.get(name, "")) for name in ("started_at", "answered_at", "ended_at")]
            present = [one for one in times if one]
            assert present == sorted(present)
            total, talk = (record.get(proposal.paths.get(name, "")) for name in ("duration_s", "billed_s"))
            if times[0] and times[2] and total not in (None, "") and "duration_s" in proposal.paths:
                assert abs(int(times[2][-2:]) - int(times[0][-2:]) - int(total)) <= 1
            if times[1] and times[2] and talk not in (None, "") and "billed_s" in proposal.paths:
                assert abs(int(times[2][-2:]) - int(times[1][-2:]) - int(talk)) <= 1


# -- numbers, words, ids


def test_the_extension_goes_with_the_direction() -> None:
    """Numbers are told by the extensions; which of them called follows from the direction's word."""
    proposal = of_records(
        {**RECORD, "p": "02258674577", "q": "8001", "w": "Outbound"},
        {**UNANSWERED, "p": "8002", "q": "13512345678", "w": "Inbound"},
        use_names=False,
    )
    assert (proposal.paths["caller"], proposal.paths["callee"]) == ("q", "p")
    assert "the side that is ours goes with the direction's word in 2 of 2" in evidence(proposal, "caller")


def test_words_that_vary_with_the_outcome_are_learned(tmp_path: Path) -> None:
    """A word of no known vocabulary is taught by the records, and the dialect file says so."""
    records = [
        {**RECORD, "p": "8001", "q": "02258674577", "w": "JT"},
        {**UNANSWERED, "p": "8002", "q": "13512345678", "w": "WJ"},
    ]
    bodies = [json.dumps(record) for record in records]
    suggestion = proposed(bodies, use_names=False)
    assert evidence(suggestion.proposals[0], "disposition") == ["varies with talk = 0: JT with talk, WJ without"]
    assert [read_with(suggestion, body, tmp_path)[0].disposition for body in bodies] == [
        Disposition.ANSWERED,
        Disposition.NO_ANSWER,
    ]


def test_words_that_go_with_the_extension_are_learned(tmp_path: Path) -> None:
    """The direction's words follow from which side is ours."""
    records = [
        {**RECORD, "p": "8001", "q": "02258674577", "w": "H1"},
        {**RECORD, "p": "13512345678", "q": "8002", "w": "H2"},
        {**RECORD, "a": "2026-10-13 09:59:59", "d": 72, "p": "8001", "q": "02258674578", "w": "H1"},
    ]
    suggestion = proposed([json.dumps(record) for record in records], use_names=False)
    assert evidence(suggestion.proposals[0], "direction") == [
        "varies with which side is the extension: H1 = outbound, H2 = inbound"
    ]
    (call,) = read_with(suggestion, json.dumps(records[1]), tmp_path)
    assert call.direction is Direction.INBOUND


def test_a_record_id_must_tell_records_apart() -> None:
    """A column that repeats is not a record id even when its name is one: calls would be lost as repetitions."""
    same = {"cdr_id": "7", "callid": "1505352445.265", "src": "8001", "dst": "13512345678"}
    proposal = of_records({**RECORD, **same}, {**UNANSWERED, **same, "callid": "1505352615.274"})
    assert "record_id" not in proposal.paths
    assert proposal.paths["call_id"] == "callid"


def test_a_record_that_came_twice_proves_nothing_twice() -> None:
    """Five deliveries of one record are one record."""
    assert of_records(*[RECORD] * 5).records == 1


def test_names_are_known_misspelt_or_made_of_words() -> None:
    """Three strengths of a name, each with its sentence."""
    proposal = of_records(
        {"start": RECORD["a"], "hangupTime": RECORD["c"], "talkduracttion": 64, "src": "8001", "dst": "8002"}
    )
    assert evidence(proposal, "started_at")[0].startswith("its name is a known synonym of started_at (")
    assert "Grandstream" in evidence(proposal, "started_at")[0]
    assert "resembles talkduraction" in evidence(proposal, "billed_s")[0]
    assert evidence(of_records({"whenCallStarted": RECORD["a"], "x": RECORD["c"]}), "started_at")[0] == (
        "its name says “started”"
    )


def test_chinese_names_are_understood() -> None:
    """A firmware in Chinese or pinyin is not a riddle."""
    proposal = of_records(
        {
            "主叫号码": "8001",
            "beijiao": "13512345678",
            "开始时间": RECORD["a"],
            "jieshu_shijian": RECORD["c"],
            "通话时长": 71,
        }
    )
    paths = proposal.paths
    assert (paths["caller"], paths["callee"], paths["started_at"]) == ("主叫号码", "beijiao", "开始时间")


# -- forms of bodies

FACTS = {
    "kaishi": RECORD["a"],
    "jietong": RECORD["b"],
    "jieshu": RECORD["c"],
    "sc": "71",
    "th": "64",
    "zj": "8001",
    "bj": "02258674577",
}
XML = "".join(f"<{name}>{value}</{name}>" for name, value in FACTS.items())


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(FACTS),
        json.dumps({"head": {"sn": "UC-7731-0042"}, "body": {"cdr": FACTS}}),
        json.dumps({"sn": "UC-7731-0042", "list": [FACTS]}),
        json.dumps({"type": 7, "inner": json.dumps(FACTS)}),
        json.dumps([FACTS]),
        f"<r sn='UC-7731-0042'><hua>{XML}</hua></r>",
        "<hua " + " ".join(f'{name}="{value}"' for name, value in FACTS.items()) + "/>",
        "&".join(f"{name}={value.replace(' ', '+').replace(':', '%3A')}" for name, value in FACTS.items()),
        "X," + ",".join(FACTS.values()) + ",",
    ],
    ids=["flat", "nested", "list in an envelope", "JSON in JSON", "array", "XML", "attributes", "form", "CSV"],
)
def test_every_form_of_body_gives_a_dialect_that_reads_it(body: str, tmp_path: Path) -> None:
    """The proposed file is loaded by the engine and reads the very body it was made from."""
    (call,) = read_with(proposed([body]), body, tmp_path)
    assert call.started_at == datetime(2026, 10, 13, 2, 0, tzinfo=UTC)
    assert (call.billed_s, call.duration_s, call.extension, call.number) == (64, 71, "8001", "02258674577")


def test_makes_of_records_are_kept_apart(tmp_path: Path) -> None:
    """One file reads two firmwares, though the same name means different things in each."""
    other = {"seq": "8001", "num": "02258674577", "t1": RECORD["a"], "t2": RECORD["c"], "zj": 71, "cs": 3, "q9": "x"}
    bodies = [json.dumps({"hua": FACTS}), json.dumps({"talk": other})]
    suggestion = proposed(bodies)
    assert len(suggestion.proposals) == 2
    first, second = (read_with(suggestion, body, tmp_path)[0] for body in bodies)
    assert (first.extension, second.extension) == ("8001", "8001")
    assert first.number == second.number == "02258674577"


def test_what_is_no_call_record_says_so() -> None:
    """Bodies without times or numbers are proposed for nothing, with the doubts told."""
    suggestion = proposed(['{"event": "heartbeat", "load": 3}', "no record at all"])
    assert suggestion.usable == ()
    assert "no column holds a time, so these may not be call records" in map(str, suggestion.proposals[0].doubts)
    assert suggestion.problems


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=3))
def test_any_bytes_give_a_suggestion(bodies: list[bytes]) -> None:
    """Whatever is in a body, nothing is raised."""
    suggest(bodies, known=KNOWN, zone=SHANGHAI, is_extension=is_extension).as_toml("mine")


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=12), st.one_of(st.text(max_size=12), MOMENTS, st.integers(0, 99)), min_size=1, max_size=6
    )
)
def test_any_names_give_a_file_that_loads(tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any]) -> None:
    """Quotes, line ends, brackets and stars in a PBX's names cannot break out of the file."""
    directory = tmp_path_factory.mktemp("dialects")
    text = proposed([json.dumps({**record, "start": RECORD["a"], "src": "8001"})]).as_toml("mine")
    (directory / "mine.toml").write_text(text, encoding="utf-8")
    assert dialects.load(directory)["mine"].own


# -- the measurement

# A little below what the README's table says, vendor by vendor: values, names, both.
FLOORS = {
    "Dinstar": (0.55, 0.80, 0.95),
    "FreeSWITCH": (0.55, 0.55, 0.65),
    "NewRock (迅时)": (0.85, 0.45, 0.90),
    "Yeastar": (0.85, 0.95, 0.95),
}


@pytest.mark.parametrize("vendor", vendors(), ids=lambda vendor: vendor.name)
def test_enough_is_found_of_a_vendor_whose_knowledge_is_switched_off(vendor: Vendor) -> None:
    """The shares that the README's table shows do not fall."""
    shares = {mode: float(measure(vendor, mode)) for mode in MODES}
    floors = dict(zip(MODES, FLOORS[vendor.name], strict=True))
    assert {mode: share for mode, share in shares.items() if share < floors[mode]} == {}


def test_both_witnesses_find_more_than_either() -> None:
    """Summed over the vendors, names and values together beat each alone."""
    sums = {mode: sum(measure(vendor, mode).right for vendor in vendors()) for mode in MODES}
    assert sums["both"] > max(sums["names"], sums["values"])


def test_every_sentence_of_evidence_can_be_told_in_chinese() -> None:
    """Evidence is made in the core, in English; the command line says it in the language of the site."""
    folder = Path(dialects.__file__).parent / "suggest"
    found = extract_from_dir(str(folder), method_map=[("**.py", "python")], keywords={"said": None})
    sentences = {message for _, _, message, _, _ in found if isinstance(message, str)}
    texts.use("zh")
    assert len(sentences) > 30
    assert sorted(sentence for sentence in sentences if texts.tr(sentence) == sentence) == []
