"""A carrier's home area: 所属地名 follows the 区号, and the name is made of both.

moved(ledger, "022-天津-电信", "010", country="CN")   ->  "010-北京-电信"
"""

from ippbx_billing import numbering
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger


def place_of(area_code: str, country: str) -> str:
    """The place of an area code; UsageError for one that China does not have."""
    area = numbering.area(area_code, country)
    if area is not None:
        return area.place
    if country == "CN":
        raise UsageError(tr("{code!r} is not an area code of China", code=area_code), tr("give --place as well"))
    return country


def moved(
    ledger: Ledger, name: str, area_code: str, *, country: str, place: str | None = None, operator: str | None = None
) -> str:
    """Move a carrier to another home area; gives the name that it has now. NotFoundError and UsageError."""
    place = place or place_of(area_code, country)
    operator = operator or ledger.book.carrier(name).operator
    new_name = f"{area_code}-{place}-{operator}"
    ledger.book.change_carrier(name, name=new_name, area_code=area_code, place=place, operator=operator)
    return new_name
