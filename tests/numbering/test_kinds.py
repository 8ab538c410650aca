"""A number that is classified by its kind is what care makes of it, wherever in the world it belongs."""

from collections.abc import Iterator
from random import Random
from typing import Any

import phonenumbers
import pytest

from ippbx_billing.calls import Classification, Direction, LineKind, TrafficType
from ippbx_billing.numbering import Cleanup, Numbering, Override
from ippbx_billing.numbering.kinds import Mould
from ippbx_billing.numbering.tables import areas, blocks, short_codes
from tests.benchmarks.numbering import chinese_numbers

OUT, IN = Direction.OUTBOUND, Direction.INBOUND
SITES: dict[str, dict[str, Any]] = {
    "Tianjin": {"country": "CN", "area_code": "022", "outside_prefix": "9", "extension_patterns": ["8XXX"]},
    "Chongzuo": {"country": "CN", "area_code": "0771"},
    "no area": {"country": "CN", "area_code": "", "outside_prefix": "0"},
    "corrected": {
        "country": "CN",
        "area_code": "022",
        "outside_prefix": "9",
        "overrides": [
            Override("022885", place="塘沽"),
            Override("1380013", line_kind=LineKind.SERVICE),
            Override("+4420", traffic_type=TrafficType.LOCAL),
            Override("0044207946012", place="a desk"),
        ],
        "cleanups": [Cleanup("17951", 5, 5), Cleanup("138001", 0, 1), Cleanup("02", 0, 1), Cleanup("0044207", 0, 2)],
    },
    "Berlin": {"country": "DE", "area_code": "030", "outside_prefix": "0"},
    "Boston": {"country": "US", "area_code": "617", "outside_prefix": "9"},
}


def examples() -> list[str]:
    """A number of each kind of each country, with its country code."""
    kinds = [getattr(phonenumbers.PhoneNumberType, name) for name in ("FIXED_LINE", "MOBILE", "TOLL_FREE", "VOIP")]
    kinds += [getattr(phonenumbers.PhoneNumberType, name) for name in ("PREMIUM_RATE", "SHARED_COST", "UAN", "PAGER")]
    found = [
        phonenumbers.example_number_for_type(country, kind)
        for country in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in kinds
    ]
    found += [phonenumbers.example_number_for_non_geo_entity(code) for code in (800, 870, 878, 881, 882, 883, 979)]
    return [f"{one.country_code}{phonenumbers.national_significant_number(one)}" for one in found if one]


def of_the_world(count: int, random: Random) -> Iterator[str]:
    """Numbers near those of the plans: other digits, some too many or too few, a trunk zero, country codes alone."""
    stems = examples()
    for _ in range(count):
        stem = random.choice(stems)
        kept = random.randrange(1, len(stem) + 1)
        digits = stem[:kept] + digits_of(random, len(stem) - kept)
        chance = random.random()
        if chance < 0.1:
            digits = digits[:3] + random.choice("01") + digits[3:]
        elif chance < 0.2:
            digits += digits_of(random, random.randrange(1, 6))
        elif chance < 0.3:
            digits = digits[: -random.randrange(1, 5)]
        yield random.choice(["+", "00", "900", "9+", "000", "011", "", "9"]) + digits


def of_china(count: int, random: Random) -> Iterator[str]:
    """The same around the Chinese plan: blocks, area codes of today and before, short codes, numbers without any."""
    heads = [
        *blocks(),
        *areas(),
        "86",
        "+86",
        "0086",
        "179510",
        "193",
        "1",
        "2",
        "4",
        "8",
        "9",
        "95",
        "96",
        "400",
        "16",
    ]
    codes = [code.pattern.pattern.replace("\\d", "5") for code in short_codes("CN")]
    whole = chinese_numbers(count // 4, seed=random.randrange(1_000))
    for number in range(count):
        if number % 4 == 0:
            yield whole[number // 4 - 1]
        else:
            head = random.choice(heads) if random.random() < 0.9 else random.choice(codes)
            length = random.choice([7, 8, 10, 11, 11, 11, 12, 12, 12, 13])
            yield random.choice(["", "", "9", "0"]) + (head + digits_of(random, length))[:length]


def digits_of(random: Random, count: int) -> str:
    return "".join(random.choices("0123456789", k=count))


@pytest.mark.parametrize("site", SITES)
def test_numbers_are_what_care_says(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called and calling, each kind met more than once; and many of them need no care."""
    random = Random(site)
    quick, careful = Numbering(**SITES[site]), Numbering(**SITES[site])
    monkeypatch.setattr(careful, "_by_kind", lambda *given: None)
    numbers = [*of_china(2_500, random), *of_the_world(2_500, random)]
    for number in numbers:
        for direction in (OUT, IN):
            assert quick.classify(number, direction) == careful.classify(number, direction), number
    found = [quick._by_kind(number, number, OUT) for number in numbers]
    assert sum(one is not None for one in found) > (700 if SITES[site]["country"] == "CN" else 250)


def test_a_kind_that_is_too_wide_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first number of a kind is tried beside its neighbour; where those differ, care goes on."""
    numbering = Numbering(country="CN", area_code="022", outside_prefix="9")
    monkeypatch.setattr(
        Numbering, "_kind_of", lambda self, digits, direction: ("all", digits.removeprefix("9"), None, {})
    )
    assert numbering.classify("9110").emergency
    assert numbering.classify("902258674577").place == "天津"
    assert not numbering.classify("9111").emergency


def test_a_mould_needs_the_digits() -> None:
    """What is normalized to something else has none, nor what stands behind a carrier's prefix."""
    found = Classification(
        number="1", normalized="+8613800138000", traffic_type=TrafficType.LOCAL, line_kind=LineKind.MOBILE
    )
    assert Mould.of(found, ("", "13800138000", None, {})) is not None
    assert Mould.of(found, ("", "13800138001", None, {})) is None
    found.ip_prefix = "17951"
    assert Mould.of(found, ("", "13800138000", None, {})) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of ever new kinds fill no memory."""
    monkeypatch.setattr("ippbx_billing.numbering.site.CACHE_SIZE", 50)
    numbering = Numbering(country="CN", area_code="022", outside_prefix="9")
    for number in of_the_world(2_000, Random(1)):
        numbering.classify(number)
    assert len(numbering._moulds) <= 50
