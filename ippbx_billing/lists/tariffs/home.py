"""Where the site is, as far as a price list is concerned: which prefixes and countries are far, and how far.

Home("CN").of_prefix("44208")   ->  TrafficType.INTERNATIONAL
Home("CN").country("英国")       ->  "GB"
"""

from functools import cache, cached_property

from ippbx_billing.calls import TrafficType

HK_MO_TW = {"852": "HK", "853": "MO", "886": "TW"}
CHINA = "CN"
SAMPLE = "2345678901234"  # digits behind a short prefix, to ask the numbering plan about its country
NUMBER_LENGTH = 11


class Home:
    """The home country (ISO code), and the home area where there is one."""

    def __init__(self, country: str = CHINA, area_code: str = "") -> None:
        self.iso = country.upper()
        self._area = area_code.lstrip("0")

    def of_prefix(self, prefix: str) -> TrafficType:
        """The traffic type of numbers with this international prefix."""
        if self._calling_code and prefix.startswith(self._calling_code):
            return TrafficType.DOMESTIC if self._is_home(prefix) else TrafficType.INTERNATIONAL
        near = self.iso == CHINA and prefix[:3] in HK_MO_TW
        return TrafficType.HK_MO_TW if near else TrafficType.INTERNATIONAL

    def is_own(self, prefix: str, traffic_type: TrafficType) -> bool:
        """Whether digits given for such calls begin with the home country's code, and are not local ones as dialled."""
        near = self._area if self.iso == CHINA and traffic_type is TrafficType.LOCAL else ""
        return bool(self._calling_code) and prefix.startswith(self._calling_code + near)

    @cached_property
    def access(self) -> str:
        """What is dialled before a number abroad: 00, 011, 810; empty where it varies."""
        from ippbx_billing.numbering import world

        return "00" if self.iso == CHINA else world.access_code(self.iso)

    def of_country(self, iso: str) -> TrafficType:
        """The traffic type of calls to this country."""
        if iso == self.iso:
            return TrafficType.DOMESTIC
        near = self.iso == CHINA and iso in HK_MO_TW.values()
        return TrafficType.HK_MO_TW if near else TrafficType.INTERNATIONAL

    def country(self, text: str) -> str:
        """The ISO code of a country given by code or by its name in English or Chinese; ValueError names the word."""
        wanted = text.strip()
        if len(wanted) == 2 and wanted.upper() in _names().values():
            return wanted.upper()
        found = _names().get(wanted.lower())
        if found is None:
            raise ValueError(wanted)
        return found

    @cached_property
    def _calling_code(self) -> str:
        from ippbx_billing.numbering import world

        return "86" if self.iso == CHINA else world.prefixes(self.iso)[0]

    def _is_home(self, prefix: str) -> bool:
        """Whether a prefix with the home country's code is of home: +1, +7 and +44 are shared by several countries."""
        if self.iso == CHINA or prefix == self._calling_code:
            return True
        from ippbx_billing.numbering import world

        parsed = world.parse("+" + (prefix + SAMPLE)[: max(NUMBER_LENGTH, len(prefix))])
        finding = world.reading(parsed, strict=False) if parsed else None
        return finding is None or finding.country in (None, self.iso)


@cache
def _names() -> dict[str, str]:
    """Names in both languages, small letters, with their codes."""
    from babel import Locale

    from ippbx_billing.numbering import country_name

    codes = [code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()]
    return {country_name(code, lang).lower(): code for lang in ("en", "zh") for code in codes}
