"""The numbering plans of the world, read with the core of `phonenumbers`.

    reading(parse("+442079460123")).place  ->  "London"

The package is imported when the first such number comes. Its knowledge of Chinese numbers is never asked
for, nor its own place names: they change from release to release.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ippbx_billing.calls import LineKind, Reason, TrafficType
from ippbx_billing.numbering.automaton import Automaton, NoAutomatonError
from ippbx_billing.numbering.finding import Finding
from ippbx_billing.numbering.kinds import Kind
from ippbx_billing.numbering.tables import hk_mo_tw_places, longest, satellites, short_codes, world_places

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

LONGEST_SHORT_CODE = 6
LONGEST_SUBSCRIBER = 9
NORTH_AMERICA = 1
NO_COUNTRY = "001"  # how the library spells networks that belong to no single country
REGEX_CACHE = 8192
UNKNOWN_KIND = (LineKind.UNKNOWN, None)
# What the plan of a country numbers as its own (ITU national numbering plans): Åland, Svalbard and Jan Mayen, the Cocos
# and Christmas Islands, the Vatican, Western Sahara, Mayotte, Saint Barthélemy and Saint Martin.
NATIONAL_PARTS = {
    "AX": "FI",
    "SJ": "NO",
    "CC": "AU",
    "CX": "AU",
    "VA": "IT",
    "EH": "MA",
    "YT": "RE",
    "BL": "GP",
    "MF": "GP",
}


@lru_cache(maxsize=1)
def library() -> Any:
    """`phonenumbers`, with room in the cache of `re` for the patterns of all countries.

    With the standard 512 entries a mix of countries compiles its patterns again and again, ten times slower.
    The setting is private to `re`, so it is raised only where it is there.
    """
    import phonenumbers

    if isinstance(size := getattr(re, "_MAXCACHE", None), int) and size < REGEX_CACHE:
        setattr(re, "_MAXCACHE", REGEX_CACHE)  # noqa: B010
    return phonenumbers


def version() -> str:
    """The version of the plans' metadata."""
    return str(library().__version__)


def kind_of(digits: str) -> Kind | None:
    """What the plans tell of a full number, `442079460123`, beside its digits; None where they must be asked.

    Numbers of one kind have one length and lead to one state in the automaton of all patterns that are asked about
    their country: they are parsed and read alike.
    """
    plan = _plan_of(digits[:3])
    if plan is None:
        return None
    national = digits[plan.code_digits :]
    if plan.national_prefix is not None and _strips(plan.national_prefix, national):
        return None
    return (plan.automaton.after(national), len(national)), digits, None, {}


def _strips(prefix: re.Pattern[str], national: str) -> bool:
    """Whether parsing takes something off the number, or puts something else in its place."""
    match = prefix.match(national)
    return match is not None and bool(match.end() or match.lastindex)


class _Plan(NamedTuple):
    """The plan of a country code: all patterns that tell numbers apart, and the trunk prefix that parsing takes off."""

    code_digits: int
    automaton: Automaton
    national_prefix: re.Pattern[str] | None


@lru_cache(maxsize=1_000)
def _plan_of(head: str) -> _Plan | None:
    code = country_code(head)
    return _plan_of_code(code) if code and head.isascii() else None


@lru_cache(maxsize=256)
def _plan_of_code(code: str) -> _Plan | None:
    regions = library().COUNTRY_CODE_TO_REGION_CODE[int(code)]
    plans = [_metadata(int(code), region) for region in regions]
    kinds = [getattr(plan, kind) for plan in plans for kind in _KINDS_OF_NUMBERS]
    tables = (satellites(), world_places(), hk_mo_tw_places())
    begins = [plan.leading_digits for plan in plans if plan.leading_digits]
    begins += [prefix[len(code) :] for table in tables for prefix in table if prefix.startswith(code)]
    try:
        patterns = dict.fromkeys(kind.national_number_pattern for kind in kinds if kind)
        automaton = Automaton((one for one in patterns if one), (one for one in dict.fromkeys(begins) if one))
    except NoAutomatonError:
        return None
    prefix = plans[0].national_prefix_for_parsing
    return _Plan(len(code), automaton, re.compile(prefix) if prefix else None)


_KINDS_OF_NUMBERS = (
    *("general_desc", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan"),
    *("voicemail", "fixed_line", "mobile"),
)


def _metadata(code: int, region: str) -> Any:
    of = library().PhoneMetadata
    return of.metadata_for_nongeo_region(code) if region == NO_COUNTRY else of.metadata_for_region(region)


def parse(number: str, country: str | None = None) -> "PhoneNumber | None":
    """The number as dialled in a country (`None`: it begins with `+`); None where no country code fits."""
    try:
        parsed: PhoneNumber = library().parse(number, country)
    except library().NumberParseException:
        return None
    return parsed


def candidates(digits: str, country: str, area: str, inbound: bool) -> Iterator[tuple["PhoneNumber", bool]]:
    """What the digits may mean in a country, the likeliest first, each with whether its plan must list it.

    `area` is the home area code without trunk prefix. Where full numbers begin with a trunk prefix, others are
    the home area's; callers' numbers may lack the prefix, or the + before their country code. `00` is often taken
    in countries that dial abroad with something else, but counts only if the country's own way finds nothing.
    """
    home, trunk = prefixes(country)
    local = parse(f"+{home}{area}{digits}") if area and len(digits) <= LONGEST_SUBSCRIBER else None
    whole = parse(digits, country)
    abroad = parse("+" + digits[2:]) if digits.startswith("00") else parse("+" + digits) if inbound else None
    local_first = not inbound and not digits.startswith(trunk or digits) and not (whole and _is_service(whole))
    for parsed in (local, whole) if local_first else (whole, local):
        if parsed:
            yield parsed, True
    if abroad:
        yield abroad, True
    if whole and str(whole.country_code) != home:
        yield whole, False


def _is_service(parsed: "PhoneNumber") -> bool:
    return (_kinds(parsed.country_code == NORTH_AMERICA).get(library().number_type(parsed)) or UNKNOWN_KIND)[
        1
    ] is not None


def short(digits: str, country: str) -> Finding | None:
    """An emergency number or a short code of the country; codes that only take messages do not count."""
    if len(digits) > LONGEST_SHORT_CODE or not digits:
        return None
    own = next((code for code in short_codes(country) if code.pattern.fullmatch(digits)), None)
    emergency = own.emergency if own else library().is_emergency_number(digits, country)
    if not (own or emergency or _is_voice_code(digits, country)):
        return None
    about = own.about if own else "an emergency number" if emergency else "a short code"
    return Finding(
        normalized=digits,
        line_kind=LineKind.SERVICE,
        country=country,
        traffic_type=own.traffic_type if own else TrafficType.OTHER,
        emergency=emergency,
        rule="emergency" if emergency else "short-code",
        why=Reason("short-code-of-country", {"digits": digits, "about": about, "country": country}),
    )


def _is_voice_code(digits: str, country: str) -> bool:
    plan = library().PhoneMetadata.short_metadata_for_region(country)
    if plan is None or not _fits(digits, plan.short_code):
        return False
    return not _fits(digits, plan.sms_services)


def _fits(digits: str, description: Any) -> bool:
    pattern = description.national_number_pattern if description else None
    return bool(pattern and re.fullmatch(pattern, digits))


def reading(parsed: "PhoneNumber", *, strict: bool = True, home: str = "") -> Finding | None:
    """What the number is; not strict, a number of unknown kind still tells its country by its code.

    North America's service numbers (800, 888, 900, …) are of no one country: dialled in one, they are its own.
    """
    sort = library().number_type(parsed)
    national = library().national_significant_number(parsed)
    digits = f"{parsed.country_code}{national}"
    if network := longest(satellites(), digits):
        return _satellite(digits, network)
    if sort == library().PhoneNumberType.UNKNOWN:
        return None if strict else _of_country_alone(parsed, digits)
    country = library().region_code_for_number(parsed)
    kind, service = _kinds(parsed.country_code == NORTH_AMERICA).get(sort, UNKNOWN_KIND)
    if country != home and home in _regions(parsed) and _is_ours_too(parsed, home, country, service):
        country = home
    known = country if country != NO_COUNTRY else None
    has_place = kind is LineKind.FIXED and country in (*_regions(parsed)[:1], "KZ") and country != "US"
    return Finding(
        normalized="+" + digits,
        line_kind=kind,
        country=known,
        traffic_type=service,
        place=longest(world_places(), digits) if has_place else None,
        rule="country-code",
        why=Reason("number-of-country", {"digits": digits, "line_kind": kind.value, "country": known or ""}),
    )


def _is_ours_too(parsed: "PhoneNumber", home: str, country: str, service: TrafficType | None) -> bool:
    """Whether a number of another country of our code is dialled and charged as one of our own: a service that both
    countries list, or a part of our plan that has a country code of its own in ISO 3166 alone."""
    if service is None:
        return NATIONAL_PARTS.get(country) == home
    return parsed.country_code == NORTH_AMERICA or bool(library().is_valid_number_for_region(parsed, home))


@lru_cache(maxsize=2)
def _kinds(north_america: bool) -> dict[int, tuple[LineKind, TrafficType | None]]:
    """Line kind and, for services, the traffic type within the country, by the library's number type.

    Where fixed lines and mobiles share one range, nobody can tell them apart in North America; elsewhere
    (Mexico, Chile, Denmark) such numbers are mostly mobiles and taken for them.
    """
    of = library().PhoneNumberType
    return {
        of.FIXED_LINE: (LineKind.FIXED, None),
        of.MOBILE: (LineKind.MOBILE, None),
        of.FIXED_LINE_OR_MOBILE: UNKNOWN_KIND if north_america else (LineKind.MOBILE, None),
        of.TOLL_FREE: (LineKind.SERVICE, TrafficType.SERVICE_400_800),
        of.SHARED_COST: (LineKind.SERVICE, TrafficType.SERVICE_400_800),
        of.PREMIUM_RATE: (LineKind.SERVICE, TrafficType.AUDIOTEX),
        of.UAN: (LineKind.SERVICE, TrafficType.OTHER),
        of.PERSONAL_NUMBER: (LineKind.SERVICE, TrafficType.OTHER),  # 070 in Britain, 5XX in North America: dearer
        of.PAGER: (LineKind.SERVICE, TrafficType.OTHER),
        of.VOICEMAIL: (LineKind.SERVICE, TrafficType.OTHER),
    }


def _satellite(digits: str, network: str) -> Finding:
    return Finding(
        normalized="+" + digits,
        line_kind=LineKind.SATELLITE,
        country=None,
        operator=network,
        rule="satellite",
        why=Reason("satellite-network", {"digits": digits, "network": network}),
    )


def _of_country_alone(parsed: "PhoneNumber", digits: str) -> Finding | None:
    """A number that the country's plan does not list: new, wrong or incomplete; too short ones are nothing."""
    if library().is_possible_number_with_reason(parsed) == library().ValidationResult.TOO_SHORT:
        return None
    country = _country_alone(parsed)
    return Finding(
        normalized="+" + digits,
        line_kind=LineKind.UNKNOWN,
        country=country,
        rule="country-code",
        why=Reason("not-in-plan", {"code": int(parsed.country_code or 0), "country": country or ""}),
    )


def _country_alone(parsed: "PhoneNumber") -> str | None:
    """The country of an unlisted number: by its first digits where the code is shared, else the code's main country."""
    countries = _regions(parsed)
    national = library().national_significant_number(parsed)
    for country in countries[1:]:
        leading = library().PhoneMetadata.metadata_for_region(country).leading_digits
        if leading and re.match(leading, national):
            return country
    main = countries[0] if countries and parsed.country_code != NORTH_AMERICA else NO_COUNTRY
    return main if main != NO_COUNTRY else None


def _regions(parsed: "PhoneNumber") -> tuple[str, ...]:
    """The countries that share the number's country code, the main one first."""
    return tuple(library().COUNTRY_CODE_TO_REGION_CODE.get(parsed.country_code, ()))


def area_code(parsed: "PhoneNumber", country: str) -> str | None:
    """The area code of a number, written with the trunk zero where the country has one; slow, so asked at home only."""
    length = library().length_of_geographical_area_code(parsed)
    zero = "0" if prefixes(country)[1] == "0" else ""
    return zero + library().national_significant_number(parsed)[:length] if length else None


@lru_cache(maxsize=256)
def prefixes(country: str) -> tuple[str, str]:
    """The country code without `+`, and the trunk prefix dialled before a full national number: 0, 8, 1 or nothing."""
    plan = library().PhoneMetadata.metadata_for_region(country, None)
    return str(plan.country_code or "") if plan else "", (plan.national_prefix or "") if plan else ""


def has_area_codes(country: str) -> bool:
    """Whether fixed lines of the country have area codes; False where its plan is not known."""
    return bool(example_of_area_code(country))


@lru_cache(maxsize=256)
def example_of_area_code(country: str) -> str:
    """The area code of an example number of the country's plan; "" where it has none."""
    example = library().example_number_for_type(country, library().PhoneNumberType.FIXED_LINE)
    return (area_code(example, country) or "") if example else ""


def with_trunk_zero(code: str, country: str) -> str:
    """An area code with the zero that is dialled before it within the country, where there is one: 22 is 022."""
    return code if code.startswith("0") or prefixes(country)[1] != "0" else "0" + code


@lru_cache(maxsize=256)
def access_code(country: str) -> str:
    """What is dialled there before a number abroad: 00, 011, 8~10 as 810; "" where several codes do."""
    plan = library().PhoneMetadata.metadata_for_region(country, None)
    usual = (plan.preferred_international_prefix or plan.international_prefix or "") if plan else ""
    digits = usual.replace("~", "")
    return digits if digits.isdecimal() else ""


@lru_cache(maxsize=1)
def country_codes() -> frozenset[str]:
    """The code of every country and network: 1, 44, 852, 881."""
    return frozenset(map(str, library().COUNTRY_CODE_TO_REGION_CODE))


def country_code(digits: str) -> str:
    """The country code that a full number begins with; "" where no country has one."""
    return next((digits[:length] for length in (1, 2, 3) if digits[:length] in country_codes()), "")


def begins_country_code(digits: str) -> bool:
    """Whether longer digits than these may begin with a country code."""
    return any(code.startswith(digits) for code in country_codes())


@lru_cache(maxsize=512)
def strips_zero(code: str) -> bool:
    """Whether a number behind this country code loses its trunk zero: in Germany it does, in Italy it does not."""
    regions = library().COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    return code == "86" or (bool(regions) and prefixes(regions[0])[1] == "0")
