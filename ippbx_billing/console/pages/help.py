"""Help (帮助): the manual's pages in the operator's language, the very files that `ippbx-bill help` shows."""

from markupsafe import Markup
from starlette.responses import Response

from ippbx_billing import manual
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import language, tr
from ippbx_billing.manual.web import as_html
from ippbx_billing.operators import Role

PATH = "/help"


def contents(desk: Desk) -> Response:
    """The pages, or those that tell of a word."""
    word = desk.request.query_params.get("word", "").strip()
    found = manual.told_in(word, language()) if word else manual.pages(language())
    return desk.page("help.html", pages=found, word=word)


def page(desk: Desk) -> Response:
    """One page; its text is ours, and raw HTML in it would be shown as text."""
    topic = str(desk.request.path_params["topic"])
    found = manual.page(topic, language())
    if found is None:
        raise NotFoundError(
            tr("the manual has no page {words!r}", words=topic), tr("the list of pages is at {path}", path=PATH)
        )
    return desk.page(
        "help_page.html",
        page=found,
        pages=manual.pages(language()),
        content=Markup(as_html(found.text, f"{PATH}/")),
    )


WAYS = (Way(PATH, contents, Role.EMPLOYEE), Way("/help/{topic:str}", page, Role.EMPLOYEE))
MENU = (MenuEntry(PATH, lambda: tr("Help"), Role.EMPLOYEE),)
