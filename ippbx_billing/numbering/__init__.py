"""Dialled digits -> country, region, place, kind of line and traffic type, with the rule that decided.

The one idea: a plan's reader (`china`, `world`) says what a number is, the site (`Numbering`) says how far
that is from home. Nothing is guessed: what no rule knows is `other`/`unknown` and says so.

    numbering = Numbering(country="CN", area_code="022", outside_prefix="9")
    numbering.classify("9,02162345678")  ->  domestic, fixed, 上海, "area code 021 is Shanghai; …"

Tables lie in `data/`, their sources in NOTICE; each is read when the first number needs it.
"""

from ippbx_billing.language.countries import country_name
from ippbx_billing.numbering.cleaning import Cleanup, clean
from ippbx_billing.numbering.mobile_places import (
    MobilePlace,
    MobilePlaces,
    install_mobile_places,
    load_mobile_places,
    mobile_places_in,
)
from ippbx_billing.numbering.overrides import Override
from ippbx_billing.numbering.site import Numbering, data_version
from ippbx_billing.numbering.tables import Area, area
from ippbx_billing.numbering.world import example_of_area_code, has_area_codes, with_trunk_zero

__all__ = [
    "Area",
    "Cleanup",
    "MobilePlace",
    "MobilePlaces",
    "Numbering",
    "Override",
    "area",
    "clean",
    "country_name",
    "data_version",
    "example_of_area_code",
    "has_area_codes",
    "install_mobile_places",
    "load_mobile_places",
    "mobile_places_in",
    "with_trunk_zero",
]
