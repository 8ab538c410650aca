"""A reason in the ledger: its code in one column, its facts as JSON in the next; notes as one JSON list.

stored(Reason("left-out", {"filter": 3}))   ->  ("left-out", '{"filter":3}')       # no facts: ''
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ippbx_billing.calls import Fact, Reason
from ippbx_billing.language.reasons import plain, sentence

AS_TOLD = "text"  # the code of what an earlier release kept as a sentence
_BEGINS = '["'  # what is stored as code and facts; no sentence begins so
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # one for all: to make it takes longest


@lru_cache(maxsize=4_096)
def stored(reason: Reason) -> tuple[str, str]:
    """The code, and the facts as JSON; empty where there are none."""
    return reason.code, _encoded(plain(reason.facts)) if reason.facts else ""


@lru_cache(maxsize=4_096)
def loaded(code: str, facts: str) -> Reason:
    """The reason that was stored so."""
    return Reason(code, facts_of(json.loads(facts))) if facts else Reason(code)


def stored_notes(notes: Iterable[Reason]) -> str:
    """Notes as a JSON list of code and facts; empty where there are none."""
    found = [[one.code, plain(one.facts)] for one in notes]
    return _encoded(found) if found else ""


@lru_cache(maxsize=4_096)
def loaded_notes(text: str) -> tuple[Reason, ...]:
    """The notes that were stored so."""
    return tuple(Reason(code, facts_of(facts)) for code, facts in json.loads(text)) if text else ()


@lru_cache(maxsize=4_096)
def stored_why(why: Reason) -> str:
    """What a number is: code and facts as a JSON list; the sentence of an earlier release as it was."""
    if why.code == AS_TOLD:
        return str(why.facts["text"])
    return _encoded([why.code, plain(why.facts)]) if why else ""


@lru_cache(maxsize=4_096)
def loaded_why(text: str) -> Reason:
    """The same from the ledger, where earlier releases kept a sentence."""
    if not text.startswith(_BEGINS):
        return Reason(AS_TOLD, {"text": text}) if text else Reason()
    code, facts = json.loads(text)
    return Reason(code, facts_of(facts))


def reason_of(row: Mapping[str, Any]) -> Reason:
    """The reason that a row or a document of the contract tells with `reason_code` and `reason_facts`."""
    return Reason(row["reason_code"] or "", facts_of(row["reason_facts"] or {}))


def sentence_of(row: Mapping[str, Any]) -> str:
    """The same as a sentence, in the language in use."""
    return sentence(reason_of(row))


def facts_of(values: Mapping[str, Any]) -> dict[str, Fact]:
    """Facts from JSON: a list holds the reasons within."""
    return {
        name: tuple(Reason(one["code"], facts_of(one["facts"])) for one in value) if isinstance(value, list) else value
        for name, value in values.items()
    }
