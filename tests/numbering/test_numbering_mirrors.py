"""The siblings of the collected number cases: what else is dialled, in all its spellings, from many homes."""

import csv
from itertools import groupby

import pytest

from ippbx_billing.calls import Direction
from ippbx_billing.numbering import Numbering, clean
from tests import DATA

CASES_FILE = DATA / "number_mirrors.csv"
HOME = ("group", "home_country", "home_area", "outside_prefix", "direction")
FACTS = ("traffic_type", "line_kind", "country", "place", "emergency")

with CASES_FILE.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
GROUPS = [(home, list(rows)) for home, rows in groupby(ROWS, key=lambda row: tuple(row[name] for name in HOME))]


def _differs(row, found):
    """What was expected and what came, where they differ."""
    came = (
        found.traffic_type.value,
        found.line_kind.value,
        found.country or "",
        found.place or "",
        "yes" if found.emergency else "",
    )
    wanted = tuple(row[name] for name in FACTS)
    if all(want in ("*", fact) for want, fact in zip(wanted, came, strict=True)):
        return None
    return f"{row['number']!r}: expected {wanted}, came {came}: {found.why}"


@pytest.mark.parametrize(("home", "rows"), GROUPS, ids=[" ".join(filter(None, home)) for home, _ in GROUPS])
def test_numbers_of_a_group(home, rows):
    """Every number of the group comes out in all its facts."""
    _, country, area_code, outside_prefix, direction = home
    site = Numbering(country=country, area_code=area_code, outside_prefix=outside_prefix)
    differences = [_differs(row, site.classify(row["number"], Direction(direction))) for row in rows]
    assert [one for one in differences if one] == []


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("02258674577@192.168.1.1", "02258674577"),
        ('"Front desk" <8001>', "8001"),
        ("tel:58674577;phone-context=+86-21", "+862158674577"),
        ("tel:8001;phone-context=+8622", "8001"),
        ("tel:58674577;phone-context=pbx.example", "58674577"),
        ("sip:58674577;phone-context=+8621@host;user=phone", "+862158674577"),
        ("58674577#", "58674577"),
        ("*72#", "*72#"),
        ("*72*8001#", "*72*8001#"),
        ("022-58674577-801", "02258674577"),
        ("0755 82345678-12", "075582345678"),
        ("138-0013-8000", "13800138000"),
        ("022-58674577x801", "02258674577"),
        ("1-800-FLOWERX", ""),
        ("'02258674577", "02258674577"),
        ("+86%2022%2058674577", "+862258674577"),
        ("٠٢٢٥٨٦٧٤٥٧٧", "02258674577"),
        ("9+8613800138000", "9+8613800138000"),
        ("9,+8613800138000", "9,+8613800138000"),
        ("++8613800138000", ""),
        ("8613+8001+38000", ""),
    ],
)
def test_spellings(text, digits):
    """URIs, names, other scripts, the key that ends dialling and the dash before an extension are understood."""
    assert clean(text) == digits


def test_abolished_code_is_not_taken_for_hong_kong():
    """With 0 for an outside line, 00852 and eight digits is Hong Kong; with seven it is old Zunyi."""
    site = Numbering(country="CN", area_code="022", outside_prefix="0")
    assert site.classify("0085223456789").country == "HK"
    assert site.classify("008522345678").place == "遵义"


def test_caribbean_by_area_code_alone():
    """An exchange that the plan does not list yet is still in the country of its area code: fraud goes there."""
    site = Numbering(country="CN", area_code="022")
    found = {code: site.classify(f"00{code}5551234").country for code in ("1242", "1246", "1345", "1758", "1868")}
    assert found == {"1242": "BS", "1246": "BB", "1345": "KY", "1758": "LC", "1868": "TT"}


def test_toll_free_numbers_of_north_america_are_of_the_country_that_dials():
    """800 is shared: from Toronto it is not an international call, from London it is."""
    facts = [
        (found.country, found.traffic_type.value)
        for found in (
            Numbering(country="CA", area_code="416").classify("18005550199"),
            Numbering(country="US", area_code="212").classify("18005550199"),
            Numbering(country="GB", area_code="020").classify("+18005550199"),
        )
    ]
    assert facts == [("CA", "service_400_800"), ("US", "service_400_800"), ("US", "international")]
