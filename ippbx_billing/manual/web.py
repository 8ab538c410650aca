"""The manual's pages as HTML: the same files, with links between them that a browser follows.

    as_html(page("start", "en").text, "/help/")

The one idea: what stands in a page is text, so raw HTML in it is shown and not obeyed, and nothing needs a style of its
own: the policy that the browser keeps forbids both.
"""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

COMMENT = re.compile(r"^<!--.*?-->\n?", re.MULTILINE | re.DOTALL)
PAGE = re.compile(r"([a-z-]+)\.md(#.*)?")
SCROLLED = 'tabindex="0"'  # who has no mouse scrolls it with the keys


def as_html(text: str, pages_at: str) -> str:
    """A page as HTML; a link to another page leads to `pages_at` and its name, one to a file of ours becomes text."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    for name in ("table_open", "table_close", "fence"):
        reader.add_render_rule(name, getattr(_Rules, name))
    tokens = reader.parse(COMMENT.sub("", text))
    for token in tokens:
        _settle(token, pages_at)
    return str(reader.renderer.render(tokens, reader.options, {}))


def _settle(token: Token, pages_at: str) -> None:
    """Classes in place of styles, addresses in place of files."""
    if token.attrs.pop("style", None) == "text-align:right":
        token.attrs["class"] = "r"
    dead = 0
    for child in token.children or ():
        if child.type == "link_open":
            dead = 0 if _leads_on(child, pages_at) else 1
        if dead and child.type in ("link_open", "link_close"):
            child.type, child.tag, child.nesting, child.hidden = "text", "", 0, True
            child.content, child.attrs = "", {}


def _leads_on(link: Token, pages_at: str) -> bool:
    """Point it where a browser finds it; whether there is such a place."""
    target = str(link.attrs.get("href", ""))
    found = PAGE.fullmatch(target)
    if found:
        link.attrs["href"] = f"{pages_at}{found[1]}{found[2] or ''}"
    elif target.startswith("https://"):
        link.attrs["rel"] = "noreferrer"
    else:
        return False
    return True


class _Rules:
    """What is too wide or too long is scrolled in its place, by the keyboard as well."""

    @staticmethod
    def table_open(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
        return f'<div class="wide" {SCROLLED}><table>\n'

    @staticmethod
    def table_close(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
        return "</table></div>\n"

    @staticmethod
    def fence(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
        from html import escape

        return f"<pre {SCROLLED}><code>{escape(tokens[index].content)}</code></pre>\n"
