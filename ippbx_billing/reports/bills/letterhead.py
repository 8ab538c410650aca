"""What a company prints on its bills: address, logo, the words at the foot, and by when they are to be paid.

letterhead(settings)                          ->  Letterhead(address=("天津市和平区…",), logo=…, footer="…")
due(settings, Period.month("2026-10", …))     ->  date(2026, 11, 14), with bill_due_days = 14
"""

from datetime import date, timedelta

from ippbx_billing.documents import Letterhead
from ippbx_billing.errors import DataError
from ippbx_billing.language import tr
from ippbx_billing.reports.conditions import Period
from ippbx_billing.settings import Settings

LARGEST_LOGO = 2 * 1024 * 1024
PNG, SVG = b"\x89PNG\r\n\x1a\n", b"<svg"


def letterhead(using: Settings) -> Letterhead | None:
    """The letterhead that the settings describe, None where they describe none; DataError for an unusable logo."""
    if not (using.bill_address or using.bill_logo or using.bill_footer):
        return None
    return Letterhead(using.bill_address, _logo(using), using.bill_footer)


def due(using: Settings, period: Period) -> date | None:
    """The day by which a bill is to be paid, counted from the end of its period."""
    return period.last + timedelta(days=using.bill_due_days) if using.bill_due_days else None


def _logo(using: Settings) -> bytes:
    """The picture's bytes, PNG or SVG."""
    if not using.bill_logo:
        return b""
    path = using.data_dir / using.bill_logo
    hint = tr("bill_logo in settings.toml names a PNG or SVG file of at most 2 MB, seen from the data directory")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(tr("{path} cannot be read: {error}", path=path, error=tr(str(error.strerror))), hint) from error
    if len(content) > LARGEST_LOGO or not (content.startswith(PNG) or SVG in content[:4096]):
        raise DataError(tr("{path} is not a logo that can be printed", path=path), hint)
    return content
