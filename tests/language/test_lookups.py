"""Why a number is what it is, in Chinese; and countries by their names where a sentence speaks of them."""

import json

import pytest

from ippbx_billing.calls import Direction
from ippbx_billing.language import speaking
from ippbx_billing.language.lookups import why
from ippbx_billing.numbering import Numbering, Override
from tests import DATA
from tests.conftest import Cli

TIANJIN = Numbering(
    country="CN",
    area_code="022",
    outside_prefix="9",
    extension_patterns=["8XXX"],
    overrides=[Override("0225867", place="滨海")],
)
TOLD = [
    ("13800138000", "1380013 为北京（区号 010）的手机号段，属中国移动；从本地区号 022 看是国内长途"),
    ("02162345678", "区号 021 属上海；从本地区号 022 看是国内长途"),
    ("22334455", "按号码长度为天津的号码；从本地区号 022 看是市话"),
    ("1795102162345678", "17951 为长途接入号；其后区号 021 属上海；从本地区号 022 看是国内长途"),
    ("00442079460123", "London，国家代码属英国，固定电话；从中国拨打，为国际长途"),
    ("0085223456789", "香港，国家代码属中国香港，固定电话；从中国拨打，为港澳台长途"),
    ("00881612345678", "卫星电话网络 Iridium"),
    ("110", "报警电话；话务类型为其它"),
    ("10086", "服务短号；话务类型为其它"),
    ("02110086", "区号 021（上海）当地的服务号码；话务类型为其它"),
    ("8001", "本单位的分机"),
    ("58674577", "按本单位的号码修正，为固定电话；从本地区号 022 看是市话"),
    ("17912345678", "号码规则中没有此号码"),
    ("abc", "不是电话号码"),
    ("", "没有号码"),
]


@pytest.mark.parametrize(("number", "sentence"), TOLD)
def test_a_number_is_explained_in_chinese(number: str, sentence: str) -> None:
    """From rule and facts alone; in English it is the plan's own sentence."""
    found = TIANJIN.classify(number)
    with speaking("zh"):
        assert why(found, "CN", "022") == sentence
    with speaking("en"):
        assert why(found, "CN", "022") == found.why


def test_every_case_of_the_corpus_has_its_chinese_reason() -> None:
    """No number of the hundreds that the plan is tested with is explained with an English word."""
    cases = [json.loads(line) for line in (DATA / "number_cases.jsonl").read_text(encoding="utf-8").splitlines()]
    numbers = {str(case.get("number") or case.get("dialled") or case.get("digits")) for case in cases}
    assert len(numbers) > 100
    with speaking("zh"):
        for number in numbers:
            for direction in (Direction.OUTBOUND, Direction.INBOUND):
                found = TIANJIN.classify(number, direction)
                told = why(found, "CN", "022")
                assert told, number
                assert not {"is", "the", "of", "in", "number"} & set(told.split()), told


def test_lookup_tells_people_in_their_language_and_programs_in_one(cli: Cli) -> None:
    """The JSON's `why` stays what it was."""
    assert "区号 021 属上海" in cli("--lang", "zh", "numbers", "lookup", "02162345678").stdout
    (row,) = json.loads(cli("--lang", "zh", "numbers", "lookup", "02162345678", "--format", "json").stdout)
    assert row["why"].startswith("area code 021 is Shanghai")


def test_stories_name_countries(cli: Cli) -> None:
    """Both the price that was found and the one that is missing."""
    set_price = ("tariffs", "set", "022-天津-电信", "international", "--match", "country=GB", "--flat", "3.00")
    assert cli(*set_price, "--from", "2026-01-01").exit_code == 0
    asked = ("quote", "00442079460123", "--seconds", "60", "--at", "2026-10-13T10:00")
    assert "国家或地区 英国（GB）" in cli("--lang", "zh", *asked).stdout
    assert "country United Kingdom (GB)" in cli("--lang", "en", *asked).stdout
    missing = cli("--lang", "zh", "quote", "00882161234567", "--seconds", "60").stdout
    assert "GB" not in missing
    unpriced = cli("--lang", "zh", "quote", "0014165550123", "--seconds", "60", "--carrier", "022-天津-移动").stdout
    assert "CA" not in unpriced
    assert "（加拿大）" in unpriced
