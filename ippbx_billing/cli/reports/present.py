"""The one way in which a command shows a report in every form: below a table what it does not cover, on stderr."""

from typing import TYPE_CHECKING

from ippbx_billing.cli.common import say, say_wrapped, settings
from ippbx_billing.documents.columns import Format, all_columns
from ippbx_billing.documents.render import lines, show
from ippbx_billing.documents.terminal import console
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.reports.views.sheets import ReportSheet, notes, paper, picture, with_bars

if TYPE_CHECKING:
    from ippbx_billing.cli.reports.options import Asking
    from ippbx_billing.documents import Document
    from ippbx_billing.reports.coverage import Coverage


def present(sheet: ReportSheet, told: "Coverage", asking: "Asking") -> None:
    """Show the sheet in the form asked for, with what it does not cover."""
    if asking.plot:
        _plot(sheet, asking)
    elif asking.form is Format.CSV:
        rows = sheet.rows if sheet.flat is None else sheet.flat
        show(rows, all_columns(sheet.keys), asking.form, asking.output)
    else:
        drawn = with_bars(sheet) if asking.form is Format.TABLE else sheet
        show(
            drawn.rows,
            drawn.columns,
            asking.form,
            asking.output,
            total=sheet.footer,
            document={**sheet.document, "coverage": told.document()},
            title="; ".join([sheet.title, *(" ".join(one) for one in asking.told())]),
            empty=sheet.empty,
            paper=_paper(sheet, told, asking) if asking.form.is_document else None,
        )
    if asking.form is Format.TABLE:
        for note in notes(sheet, told, asking.conditions):
            say_wrapped(note)
        for command in sheet.commands:
            say(command)


def _paper(sheet: ReportSheet, told: "Coverage", asking: "Asking") -> "Document":
    from ippbx_billing.reports import View
    from ippbx_billing.reports.views.conditions import facts

    using = settings()
    view = View(using.site_zone, using.currency)
    return paper(sheet, told, asking.conditions, facts(sheet.period, asking.conditions, view))


def _plot(sheet: ReportSheet, asking: "Asking") -> None:
    if asking.form is not Format.TABLE:
        hint = tr("leave out --format; html, xlsx and pdf have their chart anyway")
        raise UsageError(tr("--plot draws in the terminal only"), hint)
    lines(picture(sheet, console().width), asking.output)
