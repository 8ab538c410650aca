"""Why a number is what it is: a code with facts, whose sentence is made where it is read."""

import json
from typing import Any

import pytest

from ippbx_billing.calls import Direction, Reason
from ippbx_billing.language import speaking, tr
from ippbx_billing.language.reasons import english, sentence, told_why
from ippbx_billing.ledger.reasons import loaded_why, stored_why
from ippbx_billing.numbering import Numbering, Override
from ippbx_billing.numbering.tables import blocks, carrier_prefixes, short_codes

TIANJIN: dict[str, Any] = {"country": "CN", "area_code": "022", "outside_prefix": "9", "extension_patterns": ["8XXX"]}
SITE = Numbering(**TIANJIN, overrides=[Override("022885", place="塘沽")])
BERLIN = Numbering(country="DE", area_code="030")

SAID = [  # number, code, English, Chinese
    (
        "913800138000",
        "mobile-prefix",
        "1380013 is a mobile prefix of 北京, area code 010; block 138 (mobile) was given to 中国移动; "
        "outside the home area 022",
        "1380013 为北京（区号 010）的手机号段；号段 138（移动电话）属中国移动；在本地区号 022 之外",
    ),
    (
        "902162345678",
        "area-code",
        "area code 021 is Shanghai; outside the home area 022",
        "区号 021 属上海；在本地区号 022 之外",
    ),
    (
        "9041423456789",
        "no-rule",
        "no rule of the numbering plan of CN fits 9041423456789",
        "中国的号码规则中没有 9041423456789",
    ),
    (
        "958674577",
        "local-length",
        "8 digits are a number of the home area 022; in the home area 022",
        "8 位号码属于本地区号 022；在本地区号 022 内",
    ),
    (
        "9110",
        "service-number",
        "110 is the emergency number of the police; traffic type other",
        "110 是报警电话；话务类型为其它",
    ),
    (
        "900442079460123",
        "number-of-country",
        "+442079460123 is a fixed line of GB; dialled from CN",
        "+442079460123 的国家代码属英国，为固定电话；从中国拨打",
    ),
    (
        "917951013800138000",
        "behind-carrier-prefix",
        "17951 is IP long distance; behind it, 1380013 is a mobile prefix of 北京, area code 010; "
        "block 138 (mobile) was given to 中国移动; outside the home area 022",
        "17951 是IP长途；其后的号码：1380013 为北京（区号 010）的手机号段；"
        "号段 138（移动电话）属中国移动；在本地区号 022 之外",
    ),
    (
        "988512345",
        "override",
        "the site's override for 022885 says so; by the plan, 8 digits are a number of the home area 022; "
        "in the home area 022",
        "按本单位对 022885 的号段修正；按号码规则：8 位号码属于本地区号 022；在本地区号 022 内",
    ),
    ("8001", "extension-of-site", "8001 is an extension of the site", "8001 是本单位的分机"),
    ("anonymous", "no-telephone-number", "'anonymous' is not a telephone number", "'anonymous' 不是电话号码"),
    ("", "no-number", "no number was given", "没有给出号码"),
]


@pytest.mark.parametrize(("number", "code", "in_english", "in_chinese"), SAID, ids=[code for _, code, _, _ in SAID])
def test_a_number_says_why_in_the_language_of_its_reader(
    number: str, code: str, in_english: str, in_chinese: str
) -> None:
    """The code stays, the facts are in both sentences, and programs get the English one beside them."""
    why = SITE.classify(number).why
    with speaking("zh"):
        assert sentence(why) == in_chinese
        assert told_why(why)["why"] == in_english
    assert (why.code, english(why)) == (code, in_english)
    assert told_why(why)["why_code"] == code
    assert json.loads(json.dumps(told_why(why)["why_facts"])) == told_why(why)["why_facts"]


@pytest.mark.parametrize("number", [number for number, *_ in SAID])
def test_the_ledger_keeps_code_and_facts(number: str) -> None:
    """They come back as they were, whatever stands within; seen from abroad as well."""
    for site in (SITE, BERLIN):
        for direction in Direction:
            why = site.classify(number, direction).why
            assert loaded_why(stored_why(why)) == why
            assert stored_why(loaded_why(stored_why(why))) == stored_why(why)


def test_sentences_of_earlier_releases_are_still_read() -> None:
    """As they were told, and kept so when they are written again."""
    old = "021 is the area code of Shanghai; outside the home area 022"
    assert loaded_why(old) == Reason("text", {"text": old})
    assert english(loaded_why(old)) == stored_why(loaded_why(old)) == old
    assert (loaded_why(""), stored_why(Reason())) == (Reason(), "")
    assert told_why(Reason()) == {"why": "", "why_code": None, "why_facts": None}


def test_what_the_tables_say_of_a_number_is_translated() -> None:
    """Short codes, carriers' prefixes and kinds of blocks have Chinese words."""
    with speaking("zh"):
        countries = ("CN", "JP", "TW", "MO", "US", "CA")
        said = {one.about for country in countries for one in short_codes(country)}
        said |= {one.about for one in carrier_prefixes()} | {one.kind for one in blocks().values()}
        assert len(said) > 20
        assert sorted(text for text in said if tr(text) == text) == []


def test_numbers_that_are_alike_share_what_is_said_but_for_their_digits() -> None:
    """The second of a kind is cast in the mould of the first: its own prefix and block, the order of facts too."""
    first, second = SITE.classify("913800138000").why, SITE.classify("915901238000").why
    assert second.facts["prefix"] == "1590123"
    assert list(first.facts) == list(second.facts)
    again = SITE.classify("913800138111").why
    assert again == first
    assert list(again.facts) == list(first.facts)
