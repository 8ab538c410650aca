"""What the columns of exported files are headed, in the language in use."""

from ippbx_billing.delivery.exports import Headings
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.reports import CALL_KEYS
from ippbx_billing.reports.views.calls import columns
from ippbx_billing.reports.views.sheets import key_columns, measure_columns


def headings(currency: str) -> Headings:
    """The headings of calls and of sums by extension, with the people; `call_keys` are those of programs."""
    people = [{"name": True, "department": True}]
    return Headings(
        calls=columns(Format.XLSX, currency),
        sums=[*key_columns(["extension"], people), *measure_columns(currency, drawn=False)],
        call_keys=[Column(key, key) for key in CALL_KEYS],
    )
