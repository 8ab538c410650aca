"""The standard tariff a new site begins with."""

from ippbx_billing.tariffs.prices import Carrier, Price


def standard(country: str, area_code: str, place: str) -> tuple[list[Carrier], list[Price]]:
    """Carriers and prices of the home area, from packaged TOML whose rows name their source."""
    raise NotImplementedError
