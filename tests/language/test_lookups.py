"""Why a number is what it is, in Chinese; and countries by their names where a sentence speaks of them."""

import json

import pytest

from ippbx_billing.calls import Direction
from ippbx_billing.language import speaking
from ippbx_billing.language.reasons import english, sentence
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
    (
        "13800138000",
        "1380013 为北京（区号 010）的手机号段；号段 138（移动电话）属中国移动；在本地区号 022 之外",
    ),
    ("02162345678", "区号 021 属上海；在本地区号 022 之外"),
    ("22334455", "8 位号码属于本地区号 022；在本地区号 022 内"),
    ("1795102162345678", "17951 是IP长途；其后的号码：区号 021 属上海；在本地区号 022 之外"),
    ("00442079460123", "+442079460123 的国家代码属英国，为固定电话；从中国拨打"),
    ("0085223456789", "+85223456789 的国家代码属中国香港，为固定电话；从中国拨打"),
    ("00881612345678", "+881612345678 是卫星网络 Iridium 的号码；从中国拨打"),
    ("110", "110 是报警电话；话务类型为其它"),
    ("10086", "10086 是中国号码规则中的短号码；话务类型为其它"),
    ("02110086", "区号 021（上海）后的 10086 是中国号码规则中的短号码；话务类型为其它"),
    ("8001", "8001 是本单位的分机"),
    ("58674577", "按本单位对 0225867 的号段修正；按号码规则：8 位号码属于本地区号 022；在本地区号 022 内"),
    ("17912345678", "中国的号码规则中没有 17912345678"),
    ("abc", "'abc' 不是电话号码"),
    ("", "没有给出号码"),
]


@pytest.mark.parametrize(("number", "chinese"), TOLD)
def test_a_number_is_explained_in_chinese(number: str, chinese: str) -> None:
    """From code and facts alone."""
    found = TIANJIN.classify(number)
    with speaking("zh"):
        assert sentence(found.why) == chinese
    with speaking("en"):
        assert sentence(found.why) == english(found.why)


def test_every_case_of_the_corpus_has_its_chinese_reason() -> None:
    """No number of the hundreds that the plan is tested with is explained with an English word."""
    cases = [json.loads(line) for line in (DATA / "number_cases.jsonl").read_text(encoding="utf-8").splitlines()]
    numbers = {str(case.get("number") or case.get("dialled") or case.get("digits")) for case in cases}
    assert len(numbers) > 100
    with speaking("zh"):
        for number in numbers:
            for direction in (Direction.OUTBOUND, Direction.INBOUND):
                found = TIANJIN.classify(number, direction)
                told = sentence(found.why)
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
