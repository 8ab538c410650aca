"""The elements of a page's HTML: what can be read in them, and which of them a person can see, follow or press.

page = ParsedHtml(content, "https://192.168.6.169/luci/admin/service/events")
[text_of(one) for one in visible(page.root) if submits(one)]
"""

import re
from collections.abc import Iterator
from typing import Any

import lxml.html
from lxml.etree import LxmlError

Element = Any  # lxml's stubs know too little of HTML elements
_TITLES = ("label", "legend", "th", "h2", "h3", "h4")
_TITLE_CLASSES = {"cbi-value-title", "cbi-section-title"}
_NOT_TYPED = {"submit", "button", "reset", "image", "file", "hidden"}


class ParsedHtml:
    """A page's HTML with its address; an empty answer is a page with nothing on it."""

    def __init__(self, content: bytes, url: str, charset: str | None = None, status: int = 200) -> None:
        self.url = url
        self.status = status
        self.root = parsed(content, charset)

    def text(self) -> str:
        """All that can be read on it."""
        return text_of(self.root)


def parsed(content: bytes, charset: str | None) -> Element:
    """The root of a page, in the encoding that was told, that it names itself, or UTF-8."""
    declared = charset or (None if re.search(rb"charset|encoding=", content[:2048]) else "utf-8")
    try:
        parser = lxml.html.HTMLParser(encoding=declared)
    except LookupError:
        parser = lxml.html.HTMLParser(encoding="utf-8")
    try:
        return lxml.html.document_fromstring(content, parser=parser)
    except (LxmlError, ValueError):  # an empty answer is a page with nothing on it
        return lxml.html.document_fromstring(b"<html><body></body></html>")


def visible(root: Element) -> Iterator[Element]:
    """The elements in the order of the page, without those that are hidden or not meant to be read."""
    if not isinstance(root.tag, str) or root.tag in ("script", "style", "template", "head"):
        return
    if root.get("hidden") is not None or "display:none" in (root.get("style") or "").replace(" ", ""):
        return
    yield root
    for child in root:
        yield from visible(child)


def text_of(element: Element) -> str:
    """What can be read within the element, hidden tabs included."""
    if not isinstance(element.tag, str) or element.tag in ("script", "style"):
        return ""
    return (element.text or "") + "".join(text_of(child) + (child.tail or "") for child in element)


def own_text(element: Element) -> str:
    """The element's own words, without those of the elements in it."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def caption(element: Element) -> str:
    """What stands on a button or a link."""
    return element.get("value") or "" if element.tag == "input" else text_of(element)


def classes(element: Element) -> set[str]:
    """The names of the element's classes."""
    return set((element.get("class") or "").split()) if isinstance(element.tag, str) else set()


def leads_somewhere(link: Element) -> bool:
    """Whether a link has an address of its own."""
    href = link.get("href") or ""
    return bool(href) and not href.startswith(("#", "javascript:", "mailto:"))


def submits(element: Element) -> bool:
    """Whether the button sends its form."""
    kind = (element.get("type") or "").casefold()
    return kind in {"input": ("submit", "image"), "button": ("", "submit")}.get(element.tag, ())


def form_of(element: Element) -> Element | None:
    """The form that the element is in."""
    return next(element.iterancestors("form"), None)


def in_cbi(element: Element) -> bool:
    """Whether the element belongs to LuCI's own form of settings."""
    form = element if element.tag == "form" else form_of(element)
    return form is not None and form.get("name") == "cbi"


def is_decoy(control: Element) -> bool:
    """Whether nobody is to see the field: some pages have one that only keeps browsers from filling in the real one."""
    return bool(control.get("aria-hidden") == "true")


def is_title(element: Element) -> bool:
    """Whether the element names what stands behind it."""
    return element.tag in _TITLES or bool(_TITLE_CLASSES & set((element.get("class") or "").split()))


def is_control(element: Element) -> bool:
    """Whether a person can set it by typing or choosing."""
    if element.tag == "input":
        return (element.get("type") or "text").casefold() not in _NOT_TYPED
    return element.tag in ("select", "textarea")


def holds_radio(element: Element) -> bool:
    """Whether the element is around a choice of radio buttons."""
    return any(one.get("type") == "radio" for one in element.iter("input"))
