"""What follows from the home country of a site: area codes as they are written there, time zone, currency.

area_code("22", "CN")    ->  "022"
defaults_of("DE")        ->  {"timezone": "Europe/Berlin", "currency": "EUR", …}
"""

from typing import Any

from ippbx_billing import language as texts
from ippbx_billing import numbering
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

CHINA = "CN"


def area_code(code: str, country: str) -> str:
    """The code with the zero that is dialled before it within the country; UsageError for one that China has not."""
    if not code:
        return ""
    if not code.isdecimal():
        raise UsageError(tr("{code!r} is not an area code", code=code), tr("only digits are expected, such as 022"))
    written = numbering.with_trunk_zero(code, country)
    if country == CHINA and numbering.area(written) is None:
        raise UsageError(tr("{code!r} is not an area code of China", code=code), _hint(country))
    return written


def must_be_told(country: str) -> None:
    """Raises UsageError where a country has area codes and none was named."""
    if has_area_codes(country):
        raise UsageError(needs_area_code(country), _hint(country))


def has_area_codes(country: str) -> bool:
    """Whether calls within an area of the country differ from those to another."""
    return numbering.has_area_codes(country)


def example_of_area_code(country: str) -> str:
    """An area code of the country."""
    return "022" if country == CHINA else numbering.example_of_area_code(country)


def needs_area_code(country: str) -> str:
    """Why an area code is asked for."""
    return tr("the home area code is missing: {country} has area codes", country=_name(country))


def without_area_code(country: str) -> str:
    """What becomes of the calls of a site that has no area code."""
    name = _name(country)
    if country == CHINA:
        return tr("without an area code no call is local: each call within {country} is long distance", country=name)
    return tr("without an area code each call within {country} is local", country=name)


def known_country(code: str) -> str:
    """The country's letters; UsageError where there is no such country."""
    if code != CHINA:
        defaults_of(code)
    return code


def defaults_of(country: str) -> dict[str, Any]:
    """Time zone and currency of a country: its first zone in the zone table (the most populous one), its tender."""
    from babel.numbers import get_territory_currencies

    defaults: dict[str, Any] = {"timezone": _zone_of(country), "extension_patterns": ("[1-8]XXX",)}
    if currencies := get_territory_currencies(country):
        defaults["currency"] = currencies[0]
    return defaults


def _zone_of(country: str) -> str:
    from importlib.resources import files

    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if line.startswith(country + "\t"):
            return line.split("\t")[2]
    raise UsageError(tr("there is no country {code}", code=country), tr("two letters of ISO 3166, such as CN or US"))


def _hint(country: str) -> str:
    if country == CHINA:
        return tr("give the home area with --area-code, such as 022 for Tianjin or 010 for Beijing")
    return tr(
        "give it with --area-code, such as {example}; with --area-code '' each call within the country is local",
        example=example_of_area_code(country),
    )


def _name(country: str) -> str:
    return numbering.country_name(country, texts.language())
