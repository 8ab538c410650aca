"""Reasons out of the sentences that the ledger held before reasons were codes with facts; only a migration asks.

recognised("left out by call filter 3: trunk FXO-1")   ->  Reason("left-out", {"filter": 3, "trunk": "FXO-1"})

What nobody recognises is kept word by word: `Reason("text", {"text": …})`.
"""

import re
from ast import literal_eval
from collections.abc import Callable, Iterator

from ippbx_billing.calls import Fact, Reason

_TRAFFIC = {
    "local": "local",
    "domestic long distance": "domestic",
    "Hong Kong, Macao and Taiwan": "hk_mo_tw",
    "international": "international",
    "IP long distance": "ip_long_distance",
    "audiotex": "audiotex",
    "dial-up": "dialup",
    "400/800 service": "service_400_800",
    "other": "other",
    "internal": "internal",
}
_LINES = {
    "fixed line": "fixed",
    "mobile phone": "mobile",
    "satellite phone": "satellite",
    "service number": "service",
    "extension": "extension",
}
_TYPE = f"(?P<traffic_type>{'|'.join(_TRAFFIC)})"
_KIND = rf"(?: \((?P<line_kind>{'|'.join(_LINES)})\))?"
_SAID = r"""(?P<said>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_FIELD = r"(?P<field>\S(?:(?!: ).)*): "
_PLACE = r"(?P<error>.+): line (?P<line>\d+) column (?P<column>\d+) \(char (?P<position>\d+)\)"
_DOUBTS = r"(?: \((?P<reasons>.+)\))?: (?P<dialect>[\w.-]+) looks for (?P<names>.+)"

_SENTENCES = {
    code: re.compile(pattern, re.DOTALL)
    for code, pattern in {
        "not-answered": "not answered",
        "no-talk": "answered without talk time",
        "emergency": "emergency call",
        "incoming-without-price": "incoming call without a price",
        "internal-without-price": "internal call without a price",
        "no-direction": "the direction of the call is unknown",
        "impossible-length": r"a call of (?P<seconds>-?\d+) s cannot be right",
        "fee-too-large": r"the fee of (?P<seconds>\d+) s is too large an amount",
        "unknown-carrier": r"trunk (?P<trunk>.+) belongs to carrier (?P<carrier>.+), which does not exist",
        "unknown-trunk": r"trunk (?P<trunk>.+) is not configured and there is no default carrier",
        "no-trunk": "the call names no trunk and there is no default carrier",
        "no-local-price": rf"(?P<carrier>.+) has no local price to add to its {_TYPE} price",
        "no-price": rf"(?P<carrier>.+) has no price for {_TYPE} calls to "
        rf"(?P<match>area|country|number|a withheld number)(?: (?P<value>.+?))?{_KIND}",
        "left-out": r"left out by call filter (?P<filter>\d+): (?:direction (?P<direction>\w+))?"
        r"(?:(?:, )?extension (?P<extension>.+?))?(?:(?:, )?number (?P<number>.+?))?(?:(?:, )?trunk (?P<trunk>.+))?",
        "delivered-before": r"delivered before with event (?P<event>\d+)",
        "corrected-by": r"corrected by event (?P<event>\d+)",
        "correction": r"corrected: the record was delivered before with event (?P<event>\d+)",
        "internal-error": r"internal error, please report it: (?P<error>.+)",
        "more-problems": r"and (?P<count>\d+) problems more",
        "empty-body": "an empty body",
        "empty-probe": "an empty probe",
        "no-state": "an event without a state",
        "no-step": rf"an event {_SAID} that is no step of a call",
        "list-of-no-records": r"a list of (?P<count>\d+) values that are no records",
        "single-value": "a single value, not a record",
        "nested-too-deeply": "nested too deeply to be a call record",
        "too-many-records": r"(?P<count>\d+) records in one body; only the first (?P<most>\d+) are read",
        "nested-deeper": r"nested deeper than (?P<deepest>\d+) levels",
        "unknown-compression": r"the body is compressed as (?P<encoding>\S+), which is not read",
        "compression-damaged": "the compressed body is damaged",
        "compression-too-large": r"the compressed body is cut off, or more than (?P<most>\d+) bytes when unpacked",
        "not-json": rf"not valid JSON: {_PLACE}",
        "json-cut-off": rf"JSON that is cut off: {_PLACE}",
        "json-repaired": "not valid JSON, repaired",
        "xml-with-doctype": "XML with a document type of its own is not read",
        "xml-repaired": "not well-formed XML, repaired",
        "not-xml": "not readable as XML",
        "form-too-large": r"a form of more than (?P<most>\d+) fields",
        "multipart-without-field": "a multipart body without a readable field",
        "unknown-kind": "neither JSON, XML, a form nor lines of a known kind",
        "not-csv": r"not readable as comma-separated values: (?P<error>.+)",
        "no-such-dialect": r"there is no dialect '(?P<dialect>.*)'; known are (?P<known>.*)",
        "other-dialect-fits": r"the body does not fit the dialect (?P<dialect>\S+): "
        r"(?:it looks for (?P<wanted>.+)|none of its marks is there); the dialect (?P<other>\S+) would fit",
        "dialect-does-not-fit": r"the body does not fit the dialect (?P<dialect>\S+): "
        r"(?:it looks for (?P<wanted>.+)|none of its marks is there)",
        "no-dialect": r"no dialect knows this body; its names are (?P<names>.+)",
        "several-dialects": r"the body fits several dialects equally well: (?P<dialects>.+); "
        r"choose one of them in the settings",
        "no-time": rf"no time of start, answer or end{_DOUBTS}",
        "no-party": rf"no caller or callee{_DOUBTS}",
        "not-a-time": rf"{_FIELD}{_SAID} is not a time",
        "outside-years": rf"{_FIELD}{_SAID} is outside the years (?P<first>\d+) to (?P<last>\d+)",
        "not-a-duration": rf"{_FIELD}{_SAID} is not a duration",
        "negative-duration": rf"{_FIELD}the duration {_SAID} is negative",
        "duration-too-long": rf"{_FIELD}the duration {_SAID} is longer than a month",
        "unknown-word": rf"{_FIELD}the word {_SAID} is not known",
        "called-inbound": "called inbound by the PBX, but an extension of the site called a number outside",
        "past-midnight": "a time most of a day before the start is taken as the next day's",
        "unclear-duration": "the record does not tell whether its duration is the whole call or the talk; "
        "taken as the whole",
        "contradicted-outcome": r"called (?P<disposition>\w+) by the PBX, but with (?P<seconds>\d+) s of talk",
        "talk-not-told": r"the record does not tell the talk time; all of its (?P<seconds>\d+) s count as talk",
        "length-not-told": "answered, but the record does not tell for how long",
        "end-before-start": "the end lies before the start and is not used",
        "answer-outside": "the answer does not lie between start and end and is not used",
        "talk-exceeds-call": r"(?P<billed_s>\d+) s of talk in a call of (?P<duration_s>\d+) s",
        "duration-exceeds-span": r"a duration of (?P<duration_s>\d+) s, but (?P<span_s>\d+) s from start to end",
    }.items()
}
_WHERE = re.compile(r"(?:record (?P<record>\d+)(?: (?P<inner>\d+))?|(?P<part>\d+)): (?P<rest>.+)", re.DOTALL)
_NUMBERS = {
    "seconds", "filter", "event", "count", "most", "deepest", "line", "column", "position", "first", "last", "billed_s",
    "duration_s", "span_s",
}  # fmt: skip


def recognised(text: str, otherwise: str = "text") -> Reason:
    """The reason that a sentence told, or several; what is not recognised becomes the code `otherwise`."""
    if not text:
        return Reason()
    found = list(_all(text))
    if len(found) == 1:
        return found[0] if found[0].code != "text" else _unknown(text, otherwise)
    if any(one.code == "text" for one in found):
        return _unknown(text, otherwise)
    return Reason("several", {"reasons": tuple(found)})


def _unknown(text: str, otherwise: str) -> Reason:
    return Reason(otherwise, {"text" if otherwise == "text" else "because": text})


def _all(text: str) -> Iterator[Reason]:
    """The reasons that were joined by semicolons, some of which hold semicolons themselves."""
    while text:
        pieces = text.split("; ")
        for length in range(len(pieces), 0, -1):
            reason = _one("; ".join(pieces[:length]))
            if reason is not None:
                break
        else:
            length, reason = 1, Reason("text", {"text": pieces[0]})
        yield reason
        text = "; ".join(pieces[length:])


def _one(text: str) -> Reason | None:
    """A single reason, with the place where it was met."""
    for code, pattern in _SENTENCES.items():
        match = pattern.fullmatch(text)
        if match:
            return _made(code, {name: value for name, value in match.groupdict().items() if value is not None})
    where = _WHERE.fullmatch(text)
    inner = _one(where["rest"]) if where else None
    if where is None or inner is None:
        return None
    if where["part"]:
        return Reason("in-part", {"part": where["part"], "reasons": (inner,)})
    if where["inner"]:
        return Reason(
            "in-part-of-record", {"record": int(where["record"]), "part": where["inner"], "reasons": (inner,)}
        )
    return Reason("in-record", {"record": int(where["record"]), "reasons": (inner,)})


def _made(code: str, said: dict[str, str]) -> Reason:
    """The facts in the form they have today."""
    facts: dict[str, Fact] = {name: int(value) if name in _NUMBERS else value for name, value in said.items()}
    return Reason(code, _COMPLETE[code](facts) if code in _COMPLETE else _plain(facts))


def _plain(facts: dict[str, Fact]) -> dict[str, Fact]:
    if "said" in facts:
        facts["said"] = str(literal_eval(str(facts["said"])))
    if "traffic_type" in facts:
        facts["traffic_type"] = _TRAFFIC[str(facts["traffic_type"])]
    return facts


def _missing_price(facts: dict[str, Fact]) -> dict[str, Fact]:
    kind = _LINES.get(str(facts.get("line_kind", "")), "unknown")
    match = "number" if facts["match"] == "a withheld number" else facts["match"]
    traffic_type = _TRAFFIC[str(facts["traffic_type"])]
    value = facts.get("value", "")
    return {
        "carrier": facts["carrier"], "traffic_type": traffic_type, "line_kind": kind, "match": match, "value": value
    }  # fmt: skip


def _names(facts: dict[str, Fact]) -> dict[str, Fact]:
    names = str(facts["names"])
    doubts = tuple(_all(str(facts["reasons"]))) if "reasons" in facts else ()
    return {"dialect": facts["dialect"], "names": "" if names == "none" else names, "reasons": doubts}


def _lack(facts: dict[str, Fact]) -> dict[str, Fact]:
    return {"wanted": "", **facts}


_COMPLETE: dict[str, Callable[[dict[str, Fact]], dict[str, Fact]]] = {
    "no-price": _missing_price,
    "no-time": _names,
    "no-party": _names,
    "dialect-does-not-fit": _lack,
    "other-dialect-fits": _lack,
    "no-dialect": lambda facts: {"names": "" if facts["names"] == "none" else facts["names"]},
}
