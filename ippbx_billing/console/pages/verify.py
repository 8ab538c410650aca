"""The provider's bill (对账): an invoice that is uploaded beside our calls, line by line and by cause."""

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.downloads import download
from ippbx_billing.console.uploads import UploadedFile, uploaded
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.listing import Listing
from ippbx_billing.documents.render import write_listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.operators import Role
from ippbx_billing.reports import Period
from ippbx_billing.reports.verifying import Tolerance, headings_of, verify_file
from ippbx_billing.reports.views.verifying import verified

PATH = "/verify"
MOST_BYTES = 33_554_432  # of an invoice: a month of half a million calls
MOST_ROWS = 500  # of a page; the file has them all
FORMS = (Format.XLSX.value, Format.CSV.value, Format.PDF.value)


def page(desk: Desk) -> Response:
    """Which file, whose, of which month."""
    return desk.page("verify.html", carriers=[one.name for one in desk.ledger.book.carriers()])


def result(desk: Desk) -> Response:
    """Both sums, the causes, and each line or call by which they differ; nothing but headings is remembered."""
    file = uploaded(desk.form.get("file"))
    asked = {name: desk.text(name) for name in ("carrier", "month", "tolerance", "dates")}
    listing = _verified(desk, file, asked, headings_of(filter(None, desk.text("columns").splitlines())))
    paper = listing.paper
    assert paper is not None
    desk.note("verify", file.name, after=asked)
    sections = [(one, list(one.rows)[:MOST_ROWS], list(one.rows)[MOST_ROWS:]) for one in paper.sections]
    token = desk.house.uploads.keep(desk.visit.id, file)
    return desk.page(
        "verify_result.html", paper=paper, sections=sections, file=file.name, kept=asked | {"token": token}, forms=FORMS
    )


def files(desk: Desk) -> Response:
    """The same as a workbook, whole."""
    given, form = desk.request.query_params, Format(desk.choice("form", FORMS, "xlsx"))
    asked = {name: given.get(name, "") for name in ("carrier", "month", "tolerance", "dates")}
    file = desk.house.uploads.look(desk.visit.id, given.get("token", ""))
    listing = _verified(desk, file, asked, {})
    desk.note("verify download", file.name, after={"form": form.value, **asked})
    return download(lambda stream: write_listing(stream, listing, form), f"verify-{asked['month']}", form)


def _verified(desk: Desk, file: UploadedFile, asked: dict[str, str], headings: dict[str, str]) -> Listing:
    period = Period.month(asked["month"] or "last", desk.today)
    if asked["dates"] not in ("", "dmy", "mdy"):
        raise UsageError(tr("{text!r} is not an order of dates", text=asked["dates"]), "dmy, mdy")
    name, answer = verify_file(
        *(desk.ledger, desk.using, period, asked["carrier"]),
        *(file.name, file.content, headings, _tolerance(asked)),
        asked["dates"],
    )
    return verified(answer, name, period, desk.using.currency)


def _tolerance(asked: dict[str, str]) -> Tolerance:
    text = asked["tolerance"] or "60"
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise UsageError(tr("{text!r} is not a number of seconds", text=text), "60")
    return Tolerance(int(text))


WAYS = (
    Way(PATH, page, Role.ACCOUNTANT),
    Way(PATH, result, Role.ACCOUNTANT, post=True, most_bytes=MOST_BYTES),
    Way("/verify/file", files, Role.ACCOUNTANT),
)
MENU = (MenuEntry(PATH, lambda: tr("Provider's bill"), Role.ACCOUNTANT),)
