"""The list of pages as every face shows it."""

from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.manual import pages


def contents(language: str) -> Listing:
    """A row a page: the name that calls it, and its title."""
    rows = [{"page": one.topic, "title": one.title} for one in pages(language)]
    columns = [Column("page", tr("Page")), Column("title", tr("What it tells"))]
    return Listing(rows, columns, title=tr("The manual: `ippbx-bill help PAGE` shows a page"))
