"""The templates, and what all of them may call: texts in the language in use, cells as every face shows them."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ippbx_billing.documents import drawings
from ippbx_billing.documents.columns import cell, harmless, shown
from ippbx_billing.language import language, tr

FOLDER = Path(__file__).parent
STATIC = FOLDER.parent.joinpath("static")


def rendered(template: str, **facts: Any) -> str:
    """The template with these facts, in the language in use."""
    return str(_environment().get_template(template).render(**facts))


@cache
def _environment() -> Environment:
    """Everything is escaped; a name that nobody gave is an error and not an empty place."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "tr": tr,
        "language": language,
        "cell": cell,
        "shown": shown,
        "static": static,
        "sparkline": lambda *given: Markup(drawings.sparkline(*given)),
        "menu": _menu,
    }
    environment.filters["harmless"] = harmless
    return environment


def _menu(desk: Any) -> list[Any]:
    from ippbx_billing.console.pages import menu

    return menu(desk)


@cache
def static(name: str) -> str:
    """The address of a file that never changes under that address."""
    digest = hashlib.sha256(STATIC.joinpath(name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
