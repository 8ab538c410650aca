"""`help`: a page of the manual in the terminal, as Markdown in a pipe; without a topic the list of pages."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing import language as texts
from ippbx_billing import manual
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import lines, show_listing
from ippbx_billing.documents.terminal import console
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import en, tr

LINK = re.compile(r"\[[^\]]*\]\(([a-z-]+)\.md\)")  # to another page, which a terminal cannot follow


def help_(
    topic: Annotated[list[str] | None, typer.Argument(metavar="[TOPIC]", help=en("a page, or a command"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """A page's name goes before a command's: `help prices` is the page, `help bill` is that command's own help."""
    from ippbx_billing.cli.app import COMMANDS, app
    from ippbx_billing.manual.views import contents

    common.settings()  # so that the data directory's own language is spoken
    if not topic:
        show_listing(contents(texts.language()), form, output)
    elif len(topic) == 1 and (page := manual.page(topic[0], texts.language())):
        _show(page, output)
    elif topic[0] in COMMANDS:
        typer.main.get_command(app).main([*topic, "--help"], prog_name="ippbx-bill", standalone_mode=False)
    else:
        raise _unknown(" ".join(topic))


def _show(page: manual.ManualPage, output: Path | None) -> None:
    if output is None and sys.stdout.isatty():
        from rich.markdown import Markdown

        console().print(Markdown(LINK.sub(r"`ippbx-bill help \1`", page.text), hyperlinks=False))
    else:
        lines(page.text.splitlines(), output)


def _unknown(words: str) -> NotFoundError:
    """The pages that hold these words are the hint, the best of them first; else the list of pages."""
    found = [one.topic for one in manual.told_in(words, texts.language())]
    hint = tr("`ippbx-bill help` lists the pages")
    if found:
        hint = tr("see `ippbx-bill help {page}`; also in: {pages}", page=found[0], pages=", ".join(found[1:]))
    if len(found) == 1:
        hint = tr("see `ippbx-bill help {page}`", page=found[0])
    return NotFoundError(tr("the manual has no page {words!r}, and there is no such command", words=words), hint)
