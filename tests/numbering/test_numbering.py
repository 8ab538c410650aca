"""Numbering: what a number is, seen from one site."""

import csv
import json
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.cli.app import app
from ippbx_billing.errors import DataError
from ippbx_billing.numbering import (
    Cleanup,
    Numbering,
    Override,
    area,
    clean,
    country_name,
    data_version,
    install_mobile_places,
    load_mobile_places,
    mobile_places_in,
)
from ippbx_billing.numbering.mobile_places import packaged_places
from ippbx_billing.numbering.tables import DATA_DIR
from tests import DATA

CASES_FILE = DATA / "number_cases.jsonl"
CASES = [json.loads(line) for line in CASES_FILE.read_text("utf-8").splitlines()]

TIANJIN = Numbering(country="CN", area_code="022")
TIANJIN_9 = Numbering(country="CN", area_code="022", outside_prefix="9")


def _facts(found):
    """The fields that matter most, short enough to read in a table."""
    return found.traffic_type.value, found.line_kind.value, found.country, found.place


# -- the collection


def _expected(case):
    """The fields that a case names; `kind` tells resale from own blocks, which a classification does not."""
    names = {"operator_network": "operator"}
    wanted = {names.get(key, key): value for key, value in case["expect"].items() if key != "kind"}
    return {key: value for key, value in wanted.items() if key not in case.get("ignore", ())}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['group']} {case['home_country']} {case['number']}")
def test_case_of_the_collection(case):
    """Every case comes out in all fields that it names, with the rule and a sentence."""
    settings = case.get("settings", {})
    numbering = Numbering(
        country=case["home_country"],
        area_code=case["home_area"],
        outside_prefix=settings.get("outside_prefix", ""),
        extension_patterns=settings.get("internal_patterns", ()),
    )
    found = numbering.classify(case["number"], Direction(case["direction"]))
    expected = _expected(case)
    assert {key: getattr(found, key) for key in expected} == expected, found.why
    assert found.rule
    assert found.why


# -- cleaning


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("（022）５８６７－４５７７", "02258674577"),
        ("+44 (0)20 7946 0123", "+442079460123"),
        ("sip:+862258674577@pbx.example;user=phone", "+862258674577"),
        ('"Front desk" <sip:8001@10.0.0.1>', "8001"),
        ("tel:+86-22-58674577;ext=5", "+862258674577"),
        ("sip:%2B862258674577@pbx", "+862258674577"),
        ("021-62345678转801", "02162345678"),
        ("9,02162345678", "9,02162345678"),
        ("9w02162345678", "9,02162345678"),
        ("4008001234,,1", "4008001234,1"),
        ("*72", "*72"),
        ("\u202a02258674577\u202c", "02258674577"),
        ("anonymous", ""),
        ("8001; DROP TABLE", ""),
        ("1-800-FLOWERS", ""),
        ("+", ""),
        ("", ""),
    ],
)
def test_cleaning(text, digits):
    """Decoration goes, the leading + and pauses stay; whatever has letters is not a number."""
    assert clean(text) == digits


# -- the outside-line prefix


@pytest.mark.parametrize(
    ("number", "normalized"),
    [
        ("902162345678", "+862162345678"),
        ("9,02162345678", "+862162345678"),
        ("9 02162345678", "+862162345678"),
        ("958674577", "+862258674577"),
        ("913800138000", "+8613800138000"),
        ("90085223456789", "+85223456789"),
        ("91795102162345678", "+862162345678"),
        ("9110", "110"),
        ("995555", "95555"),
        ("95555", "95555"),
        ("967777", "967777"),
        ("95105105", "95105105"),
        ("95040012345", "95040012345"),
        ("02162345678", "+862162345678"),
    ],
)
def test_outside_prefix_goes_when_the_rest_is_a_number(number, normalized):
    """The 9 is taken off where a number remains, and left where it is the number's own first digit."""
    assert TIANJIN_9.classify(number).normalized == normalized


def test_outside_prefix_is_not_looked_for_in_callers_numbers():
    """A caller's number is as the carrier sent it."""
    assert TIANJIN_9.classify("958674577", Direction.INBOUND).line_kind is LineKind.UNKNOWN


def test_digits_after_a_pause_are_not_dialled():
    """What is keyed to the answering machine does not belong to the number."""
    assert TIANJIN.classify("4008001234,,1").normalized == "4008001234"
    assert TIANJIN.classify("9,4008001234,1").normalized == "4008001234"


def test_longer_outside_prefix():
    """A prefix may have several digits."""
    numbering = Numbering(country="CN", area_code="022", outside_prefix="88")
    assert numbering.classify("8802162345678").place == "上海"
    assert numbering.classify("88123456").normalized == "+862288123456"


# -- extensions


def test_extensions_by_pattern_and_list():
    """X is one digit, N any run of digits; patterns and the list must fit in full."""
    numbering = Numbering(
        country="CN", area_code="022", extension_patterns=["[1-8]XXX", r"6\d{2,3}", "77N"], extensions={"55555"}
    )
    own = [number for number in ("8001", "601", "6012", "77", "77123", "55555") if numbering.is_extension(number)]
    others = [number for number in ("80011", "9001", "60", "5555555", "", "abc") if numbering.is_extension(number)]
    assert own == ["8001", "601", "6012", "77", "77123", "55555"]
    assert others == []
    assert numbering.classify("8001").traffic_type is TrafficType.INTERNAL


def test_extensions_go_before_the_outside_prefix():
    """A configured extension is one, whatever it begins with."""
    numbering = Numbering(country="CN", area_code="022", outside_prefix="9", extension_patterns=["9XXX"])
    assert numbering.classify("9110").line_kind is LineKind.EXTENSION


def test_internal_calls_have_internal_numbers():
    """What the PBX calls internal is internal, even if no pattern knows the extension."""
    found = TIANJIN.classify("70", Direction.INTERNAL)
    assert (found.traffic_type, found.rule) == (TrafficType.INTERNAL, "internal-call")


def test_pattern_that_is_none():
    """The error names the pattern and says what would be right."""
    with pytest.raises(DataError, match=r"8\[XX") as raised:
        Numbering(country="CN", area_code="022", extension_patterns=["8[XX"])
    assert "8XXX" in raised.value.hint


# -- clean-up rules


def test_cleanup_of_the_manual():
    """17951, length 5, delete 5: the number is billed as if it had been dialled without."""
    numbering = Numbering(country="CN", area_code="022", cleanups=[Cleanup("17951", 5, 5)])
    found = numbering.classify("1795102258674577")
    assert (found.normalized, found.traffic_type, found.ip_prefix) == ("+862258674577", TrafficType.LOCAL, None)


def test_cleanup_longest_first_and_once():
    """Of several rules the longest that fits is applied, behind the outside-line prefix as well."""
    rules = [Cleanup("179", 3, 3), Cleanup("17951", 0, 5), Cleanup("17909999", 5, 5)]
    numbering = Numbering(country="CN", area_code="022", outside_prefix="9", cleanups=rules)
    assert numbering.classify("91795102162345678").normalized == "+862162345678"
    assert numbering.classify("1790902162345678").normalized == "+862162345678"
    assert numbering.classify("1795102162345678", Direction.INBOUND).ip_prefix == "17951"


# -- the Chinese plan


@pytest.mark.parametrize(
    ("number", "traffic_type", "line_kind", "place"),
    [
        ("8658674577", "local", "fixed", "天津"),
        ("+86 0 22 58674577", "local", "fixed", "天津"),
        ("02212345", "other", "service", "天津"),
        ("01012345", "other", "service", "北京"),
        ("053196001", "other", "service", "济南"),
        ("010086", "other", "service", None),
        ("+8610086", "other", "service", None),
        ("116114", "other", "service", None),
        ("10105757", "other", "service", None),
        ("1680000", "audiotex", "service", None),
        ("16000000", "audiotex", "service", None),
        ("169", "dialup", "service", None),
        ("2212345", "other", "unknown", None),
        ("19412345678", "other", "unknown", None),
        ("16312345678", "other", "unknown", None),
        ("14412345678", "other", "unknown", None),
        ("02162345678901", "other", "unknown", None),
        ("0801234567", "other", "unknown", None),
        ("06342123456", "domestic", "fixed", "莱芜"),
        ("1790913800138000", "ip_long_distance", "mobile", "北京"),
        ("1795102258674577", "ip_long_distance", "fixed", "天津"),
        ("1795158674577", "ip_long_distance", "fixed", "天津"),
        ("17951", "other", "service", None),
        ("17909999999", "other", "unknown", None),
        ("1960085223456789", "hk_mo_tw", "fixed", "香港"),
        ("00886912345678", "hk_mo_tw", "mobile", None),
        ("0085271234567", "hk_mo_tw", "unknown", "香港"),
    ],
)
def test_chinese_plan(number, traffic_type, line_kind, place):
    """From Tianjin: short codes behind zeros and area codes, incomplete and unassigned numbers, carrier prefixes."""
    found = TIANJIN.classify(number)
    assert (found.traffic_type.value, found.line_kind.value, found.place) == (traffic_type, line_kind, place)


@pytest.mark.parametrize("number", ["110", "119", "120", "122", "999", "0110", "022119", "9110"])
def test_emergency(number):
    """Emergency numbers are marked, also behind a zero, an area code or the outside-line prefix."""
    assert TIANJIN_9.classify(number).emergency


def test_numbers_of_the_home_area_have_its_length():
    """Seven digits are local in Tangshan and nothing in Tianjin; eight the other way round."""
    tangshan = Numbering(country="CN", area_code="0315")
    assert _facts(tangshan.classify("2212345")) == ("local", "fixed", "CN", "唐山")
    assert tangshan.classify("58674577").line_kind is LineKind.UNKNOWN
    assert _facts(TIANJIN.classify("58674577")) == ("local", "fixed", "CN", "天津")


def test_merged_area_codes_are_one_home():
    """A site still set to an abolished code is local to its heir, and the other way round."""
    jinan, laiwu = (Numbering(country="CN", area_code=code) for code in ("0531", "0634"))
    for number in ("053182345678", "06346123456"):
        assert [site.classify(number).traffic_type for site in (jinan, laiwu)] == [TrafficType.LOCAL] * 2
    assert jinan.classify("06346123456").area_code == "0531"


def test_own_area_mobile_is_local_with_and_without_zero():
    """The trunk zero before a mobile says nothing about its distance."""
    assert TIANJIN.classify("13001357804").traffic_type is TrafficType.LOCAL
    assert TIANJIN.classify("013001357804").traffic_type is TrafficType.LOCAL


def test_ip_prefix_keeps_what_stands_behind_it():
    """An IP call tells its prefix and the traffic type that the number itself would have."""
    found = TIANJIN.classify("179510085366123456")
    assert (found.ip_prefix, found.underlying, found.country) == ("17951", TrafficType.HK_MO_TW, "MO")
    assert TIANJIN.classify("19302162345678").ip_prefix == "193"
    assert TIANJIN.classify("19302162345678").underlying is None


@pytest.mark.parametrize(
    ("number", "facts"),
    [
        ("2258674577", ("local", "fixed", "CN", "天津")),
        ("1062345678", ("domestic", "fixed", "CN", "北京")),
        ("75582345678", ("domestic", "fixed", "CN", "深圳")),
        ("58674577", ("local", "fixed", "CN", "天津")),
        ("85223456789", ("hk_mo_tw", "fixed", "HK", "香港")),
        ("886227208889", ("hk_mo_tw", "fixed", "TW", "台北")),
        ("12125551234", ("international", "unknown", "US", None)),
        ("81352345678", ("international", "fixed", "JP", "Tokyo")),
        ("3151234567", ("other", "unknown", None, None)),
        ("10086", ("other", "service", "CN", None)),
        ("", ("other", "unknown", None, None)),
    ],
)
def test_callers_numbers(number, facts):
    """Carriers leave out the trunk zero or the 00; a reading at home goes before one abroad."""
    assert _facts(TIANJIN.classify(number, Direction.INBOUND)) == facts


def test_called_numbers_are_not_completed():
    """What a caller's number may lack, a dialled one needs: without 0 or 00 it reaches nobody."""
    assert TIANJIN.classify("2162345678").line_kind is LineKind.UNKNOWN
    assert TIANJIN.classify("442079460123").line_kind is LineKind.UNKNOWN


def test_home_without_area_code_in_china():
    """Nothing is claimed about distance that the settings do not say."""
    nowhere = Numbering(country="CN", area_code="")
    assert _facts(nowhere.classify("58674577")) == ("local", "fixed", "CN", None)
    assert nowhere.classify("02258674577").traffic_type is TrafficType.DOMESTIC


# -- other homes


@pytest.mark.parametrize(
    ("country", "area_code", "number", "facts"),
    [
        ("US", "212", "2125551234", ("local", "unknown", "US", None)),
        ("US", "212", "5551234", ("local", "unknown", "US", None)),
        ("US", "212", "3105550123", ("domestic", "unknown", "US", None)),
        ("US", "212", "911", ("other", "service", "US", None)),
        ("US", "212", "14165550123", ("international", "unknown", "CA", None)),
        ("US", "212", "19005551234", ("audiotex", "service", "US", None)),
        ("US", "212", "011442079460123", ("international", "fixed", "GB", "London")),
        ("US", "212", "01185223456789", ("international", "fixed", "HK", None)),
        ("JP", "03", "12345678", ("local", "fixed", "JP", "Tokyo")),
        ("JP", "03", "0611112222", ("domestic", "fixed", "JP", "Osaka")),
        ("JP", "03", "0120123456", ("service_400_800", "service", "JP", None)),
        ("DE", "030", "123456", ("local", "fixed", "DE", "Berlin")),
        ("DE", "030", "08912345678", ("domestic", "fixed", "DE", "Munich")),
        ("GB", "020", "02079460123", ("local", "fixed", "GB", "London")),
        ("GB", "020", "79460123", ("local", "fixed", "GB", "London")),
        ("IT", "02", "021234567", ("local", "fixed", "IT", "Milan")),
        ("ES", "91", "932345678", ("domestic", "fixed", "ES", "Barcelona")),
        ("MX", "55", "12345678", ("local", "mobile", "MX", None)),
        ("SG", "", "61234567", ("local", "fixed", "SG", None)),
        ("HK", "", "0018613800138000", ("international", "mobile", "CN", "北京")),
        ("HK", "", "71234567", ("other", "unknown", None, None)),
        ("DK", "", "32123456", ("local", "mobile", "DK", None)),
        ("MO", "", "110", ("other", "service", "MO", None)),
    ],
)
def test_other_home_countries(country, area_code, number, facts):
    """Any country can be home; without area codes the whole country is local."""
    assert _facts(Numbering(country=country, area_code=area_code).classify(number))[:3] == facts[:3]
    assert Numbering(country=country, area_code=area_code).classify(number).place == facts[3]


def test_callers_from_elsewhere_in_another_home():
    """A caller's number without trunk prefix, or with a bare country code."""
    london = Numbering(country="GB", area_code="020")
    assert _facts(london.classify("2079460123", Direction.INBOUND)) == ("local", "fixed", "GB", "London")
    assert _facts(london.classify("8613800138000", Direction.INBOUND)) == ("international", "mobile", "CN", "北京")


def test_chinese_services_from_abroad_are_international():
    """A 400 number called from Singapore is not a 400 call there."""
    found = Numbering(country="SG", area_code="").classify("+864008001234")
    assert (found.traffic_type, found.normalized) == (TrafficType.INTERNATIONAL, "+864008001234")


def test_country_that_does_not_exist():
    """A wrong setting still classifies what begins with a country code, and raises nothing."""
    nowhere = Numbering(country="XX", area_code="1")
    assert nowhere.classify("+442079460123").country == "GB"
    assert nowhere.classify("123").line_kind is LineKind.UNKNOWN


# -- overrides


def test_longest_override_wins():
    """Of two prefixes that fit, the longer one decides, and `why` names it."""
    numbering = Numbering(
        country="CN",
        area_code="022",
        overrides=[Override("022", place="天津市区"), Override("022885", place="塘沽", region="滨海")],
    )
    assert numbering.classify("88512345").place == "塘沽"
    assert numbering.classify("02288512345").region == "滨海"
    assert numbering.classify("58674577").place == "天津市区"
    assert numbering.classify("88512345").rule == "override"
    assert numbering.classify("88512345").why.facts["prefix"] == "022885"


@pytest.mark.parametrize(
    ("prefix", "number"),
    [
        ("+8190", "00819012345678"),
        ("0081 90", "+819012345678"),
        ("1380013", "013800138000"),
        ("4006", "4006123456"),
        ("022586", "58674577"),
        ("586", "02258674577"),
        ("95555", "995555"),
        ("19412", "19412345678"),
        ("7777", "97777"),
    ],
)
def test_overrides_are_written_as_dialled_or_with_country_code(prefix, number):
    """A prefix fits a number however either is written, also numbers that the plan does not know."""
    numbering = Numbering(
        country="CN", area_code="022", outside_prefix="9", overrides=[Override(prefix, TrafficType.AUDIOTEX)]
    )
    assert numbering.classify(number).traffic_type is TrafficType.AUDIOTEX


def test_override_of_digits_leaves_other_areas_alone():
    """Plain digits are those of the home area: 21 is not Shanghai."""
    numbering = Numbering(country="CN", area_code="022", overrides=[Override("21", TrafficType.AUDIOTEX)])
    assert numbering.classify("02162345678").traffic_type is TrafficType.DOMESTIC
    assert numbering.classify("21345678").traffic_type is TrafficType.AUDIOTEX


def test_override_changes_only_what_it_says():
    """What an override leaves open stays as the plan says."""
    numbering = Numbering(country="CN", area_code="022", overrides=[Override("+8190", line_kind=LineKind.FIXED)])
    assert _facts(numbering.classify("00819012345678")) == ("international", "fixed", "JP", None)


# -- places of mobiles


def _phone_dat(entries, version=b"2601"):
    """A phone.dat with these (prefix, record) entries."""
    records, offsets = b"", {}
    for record in dict.fromkeys(record for _, record in entries):
        offsets[record] = 8 + len(records)
        records += record.encode() + b"\0"
    index = b"".join(struct.pack("<iib", prefix, offsets[record], 1) for prefix, record in entries)
    return struct.pack("<4si", version, 8 + len(records)) + records + index


def test_newer_phone_dat(tmp_path):
    """A site's own phone.dat decides, with wrong codes corrected and merged ones followed."""
    path = tmp_path / "phone.dat"
    entries = [
        (1380013, "山东|莱芜|271100|0634"),
        (1380014, "内蒙古|锡林郭勒|26000|00479"),
        (1380015, "云南|思茅|665000|0879"),
    ]
    path.write_bytes(_phone_dat(entries))
    places = load_mobile_places(path)
    numbering = Numbering(country="CN", area_code="0531", mobile_places=places)
    found = [numbering.classify(f"{prefix}8000") for prefix, _ in entries]
    assert [(one.region, one.place, one.area_code) for one in found] == [
        ("山东", "莱芜", "0531"),
        ("内蒙古", "锡林郭勒", "0479"),
        ("云南", "普洱", "0879"),
    ]
    assert [one.traffic_type.value for one in found] == ["local", "domestic", "domestic"]
    assert numbering.classify("13800128000").place is None
    assert numbering.data_version.endswith("-2601")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no phone.dat at all",
        _phone_dat([(1380013, "山东|莱芜|271100|0634")])[:-1],
        _phone_dat([(1380014, "山东|莱芜|271100|0634"), (1380013, "山东|莱芜|271100|0634")]),
        _phone_dat([(1380013, "not four fields")]),
    ],
)
def test_broken_phone_dat(content, tmp_path):
    """A file that is cut off, out of order or something else is refused by name."""
    path = tmp_path / "phone.dat"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"phone\.dat"):
        load_mobile_places(path)


def test_places_from_csv(tmp_path):
    """A CSV in any order, as Excel saves it, decides likewise."""
    path = tmp_path / "mine.csv"
    path.write_text("prefix,region,place,area_code\n1992253,天津,天津,022\n1380013,上海,上海,021\n", "utf-8-sig")
    numbering = Numbering(country="CN", area_code="022", mobile_places=load_mobile_places(path))
    assert _facts(numbering.classify("13800138000")) == ("domestic", "mobile", "CN", "上海")
    assert _facts(numbering.classify("19922537604")) == ("local", "mobile", "CN", "天津")
    assert _facts(numbering.classify("13001357804")) == ("domestic", "mobile", "CN", None)


def test_csv_problems_name_their_lines(tmp_path):
    """All lines that cannot be used are listed at once."""
    path = tmp_path / "mine.csv"
    path.write_text("prefix,region,place,area_code\n138,a,b,022\n1380013,a,b,0999999\n1380014,天津,天津,022\n", "utf-8")
    with pytest.raises(DataError, match=r"line 2: .*'138'.*line 3: .*'0999999'"):
        load_mobile_places(path)
    path.write_text("prefix,place\n", "utf-8")
    with pytest.raises(DataError, match="line 1 lacks the column region"):
        load_mobile_places(path)


def test_installed_places_replace_the_packaged(tmp_path):
    """The newest installed file is the one in use; a bad one changes nothing."""
    directory, good, bad = tmp_path / "numbers", tmp_path / "new.csv", tmp_path / "bad.csv"
    good.write_text("prefix,region,place,area_code\n1380013,上海,上海,021\n", "utf-8")
    bad.write_text("what?\n", "utf-8")
    assert mobile_places_in(directory) is packaged_places()
    install_mobile_places(good, directory)
    with pytest.raises(DataError):
        install_mobile_places(bad, directory)
    found = mobile_places_in(directory).find("13800138000")
    assert found is not None
    assert found.place == "上海"
    newer = tmp_path / "download.dat"
    newer.write_bytes(_phone_dat([(1380013, "重庆|重庆|400000|023")]))
    install_mobile_places(newer, directory)
    assert sorted(path.name for path in directory.iterdir()) == ["phone.dat"]
    assert mobile_places_in(directory).version == "2601"


def test_every_prefix_of_the_packaged_file_reads():
    """The file that comes with the package `phone` is sound from end to end."""
    places = packaged_places()
    places.check()
    assert places.version.isdigit()


def test_without_the_package_phone():
    """Without `phone`, mobiles have an operator but no place, and nothing breaks."""
    script = (
        "import sys; sys.modules['phone'] = None\n"
        "import importlib.util; real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'phone' else real(name, *rest)\n"
        "from ippbx_billing.numbering import Numbering\n"
        "found = Numbering(country='CN', area_code='022').classify('13800138000')\n"
        "print(found.traffic_type.value, found.place, found.operator == '中国移动')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["domestic", "None", "True"]


# -- tables and names


def test_area():
    """An area code is found with and without its zero, in China alone."""
    found = area("22")
    assert found is not None
    assert (found.code, found.place, found.subscriber_digits) == ("022", "天津", (8,))
    assert area("0378").active_code == "0371"
    assert area("0123") is None
    assert area("212", "US") is None


def test_area_table_is_whole():
    """320 active codes and 13 merged ones, each merged into an active code; no code begins another."""
    with (DATA_DIR / "area_codes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    active = {row["code"] for row in rows if row["status"] == "active"}
    merged = {row["code"]: row["merged_into"] for row in rows if row["status"] == "merged"}
    assert (len(active), len(merged)) == (320, 13)
    assert set(merged.values()) <= active
    assert not [code for code in active | set(merged) if len(code) == 4 and code[:3] in active]


def test_every_area_code_reads_from_everywhere():
    """A subscriber of any area is fixed and of that area, local at home and domestic elsewhere."""
    with (DATA_DIR / "area_codes.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "active"]
    for row in rows:
        number = row["code"] + ("62345678" if "8" in row["subscriber_digits"] else "6234567")
        found = TIANJIN.classify(number)
        assert (found.line_kind, found.place, found.region) == (LineKind.FIXED, row["city_zh"], row["province_zh"])
        assert (found.traffic_type is TrafficType.LOCAL) == (row["code"] == "022")


def test_every_block_has_its_operator():
    """All mobile blocks are read as such, satellites as satellites."""
    with (DATA_DIR / "mobile_prefix_operators.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        found = TIANJIN.classify(row["prefix"].ljust(11, "6"))
        assert found.operator == row["operator_zh"]
        assert (found.line_kind is LineKind.SATELLITE) == (row["kind"] == "satellite")


def test_country_names():
    """Names in both languages, in the wording of Chinese offices; a code nobody knows stands for itself."""
    assert [country_name(code, "zh") for code in ("GB", "HK", "MO", "TW")] == [
        "英国",
        "中国香港",
        "中国澳门",
        "中国台湾",
    ]
    assert country_name("gb", "en") == "United Kingdom"
    assert country_name("ZZZ", "zh") == "ZZZ"


def test_data_version_is_short_and_stable():
    """The same data give the same version; tables, world plans and mobile places are all in it."""
    assert data_version() == TIANJIN.data_version
    assert len(data_version().split("-")) == 3
    assert len(data_version()) < 40


# -- promises


NUMBERS = st.one_of(
    st.text(max_size=40),
    st.text("0123456789+*#,- ()", max_size=24),
    st.from_regex(r"(9|0|00|\+|179\d\d|86)?[0-9]{3,14}", fullmatch=True),
    st.text("0123456789", min_size=100, max_size=400),
)


@given(NUMBERS, st.sampled_from(Direction))
def test_no_text_raises_and_answers_repeat(number, direction):
    """Whatever stands in a record is classified, the same way every time, with a reason."""
    for site in (TIANJIN_9, Numbering(country="GB", area_code="020")):
        found = site.classify(number, direction)
        assert found == site.classify(number, direction)
        assert found.number == number
        assert found.why
        assert isinstance(site.is_extension(number), bool)


@given(st.from_regex(r"0?1[3-9][0-9]{9}|0[1-9][0-9]{8,11}", fullmatch=True))
def test_decoration_changes_nothing(number):
    """Spaces, dashes and brackets are for people."""
    plain = TIANJIN.classify(number)
    dressed = TIANJIN.classify(f" ({number[:3]}) {number[3:7]}-{number[7:]}")
    assert (plain.normalized, plain.traffic_type, plain.place) == (
        dressed.normalized,
        dressed.traffic_type,
        dressed.place,
    )


@given(st.from_regex(r"(00|0|\+)?[1-9][0-9]{6,12}", fullmatch=True))
def test_normalized_numbers_read_as_themselves(number):
    """A number in its normalised form is the same number."""
    found = TIANJIN.classify(number)
    again = TIANJIN.classify(found.normalized)
    assert (again.normalized, again.traffic_type, again.country) == (
        found.normalized,
        found.traffic_type,
        found.country,
    )


def test_many_threads_agree():
    """One `Numbering` serves several threads."""
    numbers = [case["number"] for case in CASES]
    alone = [TIANJIN.classify(number) for number in numbers]
    shared = Numbering(country="CN", area_code="022")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: [shared.classify(number) for number in numbers], range(8)))
    assert all(answers == alone for answers in together)


def test_chinese_numbers_never_load_the_world():
    """A site in China that calls at home needs neither phonenumbers nor Babel, and importing loads no data."""
    script = (
        "import sys\n"
        "from ippbx_billing.numbering import Numbering\n"
        "before = [name for name in ('phonenumbers', 'babel', 'phone') if name in sys.modules]\n"
        "site = Numbering(country='CN', area_code='022', outside_prefix='9')\n"
        "[site.classify(number) for number in ('02162345678', '913800138000', '10086', '58674577', '8001')]\n"
        "print(before, [name for name in ('phonenumbers', 'babel', 'phone') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[] []"


# -- the command


LOOKUP_KEYS = [
    "number",
    "normalized",
    "traffic_type",
    "line_kind",
    "country",
    "region",
    "place",
    "operator",
    "emergency",
    "why",
    "why_code",
    "why_facts",
]


def test_lookup_json(cli):
    """Answers in the order asked, with the contract's keys and null where nothing is known."""
    rows = json.loads(cli("numbers", "lookup", "02162345678", "110", "anonymous", "--format", "json").stdout)
    assert [row["number"] for row in rows] == ["02162345678", "110", "anonymous"]
    assert all(list(row) == LOOKUP_KEYS for row in rows)
    assert (rows[0]["place"], rows[0]["normalized"]) == ("上海", "+862162345678")
    assert (rows[1]["emergency"], rows[2]["normalized"], rows[2]["country"]) == (True, None, None)


def test_lookup_file_and_direction(cli, tmp_path):
    """A file gives a number a line; callers' numbers may lack their 0."""
    path = tmp_path / "numbers.txt"
    path.write_text("2162345678\n\n442079460123\n", "utf-8-sig")
    answer = cli("numbers", "lookup", "--file", str(path), "--direction", "inbound", "--format", "json")
    assert [(row["number"], row["place"]) for row in json.loads(answer.stdout)] == [
        ("2162345678", "上海"),
        ("", None),
        ("442079460123", "London"),
    ]


def test_lookup_table_names_countries(cli):
    """For people the country has a name in their language."""
    assert "United Kingdom" in cli("numbers", "lookup", "+442079460123").stdout
    assert "英国" in cli("--lang", "zh", "numbers", "lookup", "+442079460123").stdout


def test_lookup_of_nothing(cli):
    """Without numbers the command says what it wants."""
    answer = cli("numbers", "lookup")
    assert answer.exit_code == 2
    assert "--file" in answer.stderr


def test_lookup_before_init(tmp_path):
    """A look-up needs no data directory; the settings' defaults are home then."""
    done = CliRunner().invoke(
        app, ["--data-dir", str(tmp_path / "none"), "numbers", "lookup", "110", "--format", "json"]
    )
    assert json.loads(done.stdout)[0]["emergency"] is True
    assert not (tmp_path / "none").exists()


def test_override_commands(cli):
    """Added, seen in a look-up, listed, and taken out again."""
    assert cli("numbers", "override", "add", "022-885", "--place", "塘沽").exit_code == 0
    assert json.loads(cli("numbers", "lookup", "88512345", "--format", "json").stdout)[0]["place"] == "塘沽"
    listed = json.loads(cli("numbers", "override", "list", "--format", "json").stdout)
    assert [(row["prefix"], row["place"], row["traffic_type"]) for row in listed] == [("022885", "塘沽", None)]
    assert cli("numbers", "override", "remove", "022885").exit_code == 0
    assert json.loads(cli("numbers", "lookup", "88512345", "--format", "json").stdout)[0]["place"] == "天津"
    assert cli("numbers", "override", "remove", "022885").exit_code == 1


@pytest.mark.parametrize("wrong", [["abc", "--place", "x"], ["022"], ["022", "--country", "China"]])
def test_override_that_says_nothing(cli, wrong):
    """An override needs digits and something to correct."""
    answer = cli("numbers", "override", "add", *wrong)
    assert answer.exit_code == 2
    assert "hint" in answer.stderr


def test_update_command(cli, tmp_path):
    """A newer table is checked, installed and used at once; a broken one is refused."""
    path = tmp_path / "places.csv"
    path.write_text("prefix,region,place,area_code\n1380013,上海,上海,021\n", "utf-8")
    assert cli("numbers", "update", str(path)).exit_code == 0
    assert json.loads(cli("numbers", "lookup", "13800138000", "--format", "json").stdout)[0]["place"] == "上海"
    path.write_text("nonsense\n", "utf-8")
    assert cli("numbers", "update", str(path)).exit_code == 1
    assert json.loads(cli("numbers", "lookup", "13800138000", "--format", "json").stdout)[0]["place"] == "上海"


@pytest.mark.parametrize(
    ("country", "number", "whose", "kind", "traffic_type"),
    [
        ("GB", "07012345678", "GB", LineKind.SERVICE, TrafficType.OTHER),  # Ofcom: personal numbers
        ("US", "5332345678", "US", LineKind.SERVICE, TrafficType.OTHER),  # NANPA: personal communications
        ("KZ", "88093123456", "KZ", LineKind.SERVICE, TrafficType.AUDIOTEX),  # shared with +7 809 of Russia
        ("KZ", "88003123456", "KZ", LineKind.SERVICE, TrafficType.SERVICE_400_800),
        ("RU", "88003123456", "RU", LineKind.SERVICE, TrafficType.SERVICE_400_800),
        ("NO", "79021234", "NO", LineKind.FIXED, TrafficType.LOCAL),  # Svalbard
        ("FI", "01812345", "FI", LineKind.FIXED, TrafficType.LOCAL),  # Åland
        ("AU", "0891621234", "AU", LineKind.FIXED, TrafficType.LOCAL),  # the Cocos Islands
        ("IT", "0669812345", "IT", LineKind.FIXED, TrafficType.LOCAL),  # the Vatican
        ("SE", "004779021234", "SJ", LineKind.FIXED, TrafficType.INTERNATIONAL),
        ("US", "12423561234", "BS", LineKind.FIXED, TrafficType.INTERNATIONAL),
        ("CN", "12119", "CN", LineKind.SERVICE, TrafficType.OTHER),
    ],
)
def test_what_a_plan_numbers_as_its_own(
    country: str, number: str, whose: str, kind: LineKind, traffic_type: TrafficType
) -> None:
    """Personal numbers are services; codes that countries share are one's own; islands of a plan are not abroad."""
    found = Numbering(country=country, area_code="", outside_prefix="").classify(number)
    assert (found.country, found.line_kind, found.traffic_type) == (whose, kind, traffic_type)
    assert found.emergency == (number == "12119")
