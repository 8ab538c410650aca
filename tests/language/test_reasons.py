"""Every reason in both languages, with its facts; and two readers in one process."""

import asyncio
import doctest
import re
import string
import threading

import pytest

from ippbx_billing import language
from ippbx_billing.calls import Fact, Reason, together
from ippbx_billing.dialects import load
from ippbx_billing.language import reasons, speaking, tr
from ippbx_billing.language.reasons import SENTENCES, english, plain, sentence, told
from ippbx_billing.ledger.reasons import facts_of, loaded, loaded_notes, stored, stored_notes

# What is not a number in a reason's facts; a fact that is not listed here is one.
FACTS: dict[str, Fact] = {
    "about": "the emergency number of the police",
    "because": "an SMS",
    "block_kind": "mobile",
    "carrier": "022-天津-电信",
    "country": "CN",
    "dialect": "uc",
    "dialects": "uc, yeastar",
    "direction": "outbound",
    "disposition": "no_answer",
    "encoding": "br",
    "error": "Expecting value",
    "extension": "807X",
    "field": "start_date",
    "known": "uc",
    "line_kind": "mobile",
    "match": "area",
    "names": "start_date",
    "network": "Iridium",
    "number": "100X",
    "operator": "China Mobile",
    "other": "newrock",
    "place": "天津",
    "place_en": "Tianjin",
    "reasons": (Reason("not-xml"), Reason("unknown-word", {"field": "type", "said": "soon"})),
    "said": "soon",
    "text": "由人写下",
    "traffic": "local",
    "traffic_type": "domestic",
    "trunk": "FXO-1",
    "value": "022",
    "wanted": "action",
}
MADE_OF = {  # what a sentence says of several facts
    "city": ("place", "place_en"),
    "conditions": ("direction", "extension", "number", "trunk"),
    "destination": ("match", "value"),
    "doubts": ("reasons",),
    "fee": ("fee_micro",),
    "kind": ("line_kind",),
    "kind_of_line": ("line_kind",),
    "lack": ("wanted",),
    "limit_fee": ("limit_micro",),
    "minute_fee": ("minute_micro",),
    "balance_fee": ("balance_micro",),
    "reserve_fee": ("reserve_micro",),
    "the_country": ("country",),
    "whose": ("country", "line_kind"),
}


def example(code: str) -> Reason:
    """The reason with a value for each of its facts."""
    said = [name for _, name, _, _ in string.Formatter().parse(SENTENCES[code]) if name]
    names = [one for name in said for one in MADE_OF.get(name, (name,))]
    return Reason(code, {name: FACTS.get(name, 7) for name in names})


def test_the_codes_stand_in_order() -> None:
    """So that two who add one seldom meet in a line."""
    assert list(SENTENCES) == sorted(SENTENCES)


@pytest.mark.parametrize("code", SENTENCES)
def test_every_code_has_its_sentence_in_both_languages(code: str) -> None:
    """All facts are in it, the Chinese one holds no English words, and neither is shown by its code."""
    reason = example(code)
    with speaking("zh"):
        chinese = sentence(reason)
    for spoken in (english(reason), chinese):
        assert spoken
        assert "{" not in spoken
        assert not spoken.startswith(f"{code}: ")
    assert re.findall(r"(?<!['\w-])[a-z]{3,} [a-z]{2,}", chinese) == []
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert english(reason).isascii() or code in ("text", *_WITH_A_NAME)


_WITH_A_NAME = ("mobile-prefix", "no-local-price", "no-price", "unknown-carrier")  # of a carrier or a place


@pytest.mark.parametrize("code", SENTENCES)
def test_a_reason_comes_back_as_it_was_stored(code: str) -> None:
    """Code and JSON hold all of it, reasons within reasons too."""
    reason = example(code)
    assert loaded(*stored(reason)) == reason
    assert loaded_notes(stored_notes([reason, Reason("not-xml")])) == (reason, Reason("not-xml"))
    assert facts_of(plain(reason.facts)) == reason.facts


def test_no_reason_is_no_sentence() -> None:
    """Nothing is nothing, in every form."""
    assert (sentence(Reason()), stored(Reason()), stored_notes(())) == ("", ("", ""), "")
    assert set(told(Reason()).values()) == {None}
    assert not together(())


def test_a_reason_of_another_release_is_shown_by_its_facts() -> None:
    """An unknown code, and a known one whose facts have changed."""
    assert sentence(Reason("surcharge", {"percent": 5})) == "surcharge: percent 5"
    assert sentence(Reason("no-trunk-left", {})) == "no-trunk-left: "
    assert sentence(Reason("impossible-length", {"minutes": 5})) == "impossible-length: minutes 5"


def test_what_packaged_dialects_say_of_a_record_is_translated() -> None:
    """Why a record is not a call, or another's twin."""
    with speaking("zh"):
        said = {rule.because for one in load().values() for rule in (*one.kinds, *one.twins) if rule.because}
        assert said
        assert sorted(text for text in said if tr(text) == text) == []


def test_the_examples_of_the_documentation_are_true() -> None:
    """What the module says about itself is what it does."""
    assert doctest.testmod(reasons).failed == 0


# -- two readers in one process


def test_two_threads_speak_two_languages() -> None:
    """Each its own, at the same time; neither changes what this one speaks."""
    both = threading.Barrier(2, timeout=10)
    heard: dict[str, str] = {}

    def read(one: str) -> None:
        language.use(one)
        both.wait()
        heard[one] = sentence(Reason("not-answered"))

    readers = [threading.Thread(target=read, args=(one,)) for one in ("en", "zh")]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert heard == {"en": "not answered", "zh": "未接通"}
    assert language.language() == "en"


def test_two_tasks_speak_two_languages() -> None:
    """As two requests to one web page."""

    async def read(one: str, mine: asyncio.Event, other: asyncio.Event) -> str:
        language.use(one)
        mine.set()
        await other.wait()
        return sentence(Reason("not-answered"))

    async def both() -> list[str]:
        first, second = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(read("en", first, second), read("zh", second, first))

    assert asyncio.run(both()) == ["not answered", "未接通"]
    assert language.language() == "en"


def test_a_language_is_lent_and_given_back() -> None:
    """What was spoken before is spoken again."""
    with speaking("zh"):
        assert tr("not answered") == "未接通"
    assert tr("not answered") == "not answered"
