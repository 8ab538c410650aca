"""The automaton of many patterns fits what each of them fits alone."""

import re
from random import Random

import phonenumbers
import pytest

from ippbx_billing.numbering import tables
from ippbx_billing.numbering.automaton import Automaton, NoAutomatonError

KINDS = ("general_desc", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan")


def plans() -> dict[str, list[str]]:
    """The patterns of each country's plan."""
    found = {}
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        plan = phonenumbers.PhoneMetadata.metadata_for_region(country)
        kinds = [getattr(plan, kind) for kind in (*KINDS, "voicemail", "fixed_line", "mobile")]
        found[country] = [one.national_number_pattern for one in kinds if one and one.national_number_pattern]
    return found


def test_the_first_pattern_that_fits_is_found() -> None:
    """For the plans of all countries and our own short codes, with numbers near those that they list."""
    random = Random(1)
    own = {"ours": [code.pattern.pattern for code in tables.short_codes("CN")]}
    for patterns in (plans() | own).values():
        automaton, alone = Automaton(patterns), [re.compile(one) for one in patterns]
        for _ in range(60):
            seed = re.sub(r"\\d(\{\d+(,\d+)?\})?|\D", lambda _: str(random.randrange(10)), random.choice(patterns))
            digits = seed[random.randrange(4) :][: random.randrange(2, 14)]
            first = next((place for place, one in enumerate(alone) if one.fullmatch(digits)), None)
            assert automaton.after(digits).first == first, (digits, patterns)


def test_numbers_in_one_state_fit_the_same_patterns() -> None:
    """Whatever the patterns, open-ended ones among them."""
    closed, opened = [r"7(?:4[0-5]|62\d)\d{2,4}", r"74?\d?"], ["74", "745"]
    automaton, fits = Automaton(closed, opened), {}
    for number in range(20_000):
        digits = str(number)
        told = [bool(re.fullmatch(one, digits)) for one in closed] + [digits.startswith(one) for one in opened]
        assert fits.setdefault(automaton.after(digits), told) == told
    assert 5 < len(fits) < 60


@pytest.mark.parametrize("pattern", ["(?!1)2", "1+", "a", "1*", "(1", "1)", "^1$", "{2}", "[^1]"])
def test_other_patterns_are_refused(pattern: str) -> None:
    """What is more than digits, choices and counts is left to `re`."""
    with pytest.raises(NoAutomatonError):
        Automaton([pattern])
