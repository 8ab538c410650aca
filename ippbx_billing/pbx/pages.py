"""One page of the PBX's web admin, read from its HTML: menu, fields, top bar, sign-in form. Pure; no connection.

The one idea: a control belongs to the last label before it, and a label that is used twice to the heading above it;
that is how people read the page, and it outlives new skins, other orders and renamed options.

    page = Page(html, "https://192.168.6.169/luci/;stok=7f/admin/service/events")
    form = page.form_with(profile.pages["events"])
    form.value("cdr_url")           ->  "http://192.168.6.67:8181/"
    form.set("cdr_url", "http://192.168.6.27:8181/")
    form.submission(profile.words["save"])       # what to send: everything else as it was
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import lxml.html
from lxml.etree import LxmlError

from ippbx_billing.language import language, tr
from ippbx_billing.pbx.problems import WordingUnknown
from ippbx_billing.pbx.profile import FieldProfile, Label, PageProfile, Profile, SignIn

Element = Any  # lxml's stubs know too little of HTML elements
Value = bool | str

_TITLES = ("label", "legend", "th", "h2", "h3", "h4")
_TITLE_CLASSES = {"cbi-value-title", "cbi-section-title"}
_NOT_TYPED = {"submit", "button", "reset", "image", "file", "hidden"}
_NEVER_SENT = {"submit", "button", "reset", "image", "file"}


@dataclass(frozen=True, slots=True)
class Request:
    """What a link or a button sends: method, address, fields in order, and how they are encoded."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()
    multipart: bool = False


class Page:
    """A page as a browser without scripts sees it."""

    def __init__(self, content: bytes, url: str, charset: str | None = None, status: int = 200) -> None:
        self.url = url
        self.status = status
        self.root = _parsed(content, charset)

    def text(self) -> str:
        """All that can be read on it."""
        return _text(self.root)

    def sign_in_form(self, sign_in: SignIn) -> "Element | None":
        """The form that asks for user and password, if this is the page that does."""
        for form in self.root.forms:
            names = {control.get("name") for control in form.iter("input")}
            secrets = [control for control in form.iter("input") if control.get("type") == "password"]
            if sign_in.password_field in names or (len(secrets) == 1 and "cbi.submit" not in names):
                return form
        return None

    def refresh(self) -> str | None:
        """Where the page sends a browser by itself, as the root of a LuCI does."""
        for meta in self.root.iter("meta"):
            if meta.get("http-equiv", "").casefold() == "refresh":
                found = re.search(r"url\s*=\s*['\"]?([^'\"\s]+)", meta.get("content", ""), re.IGNORECASE)
                return urljoin(self.url, found.group(1)) if found else None
        return None

    def menu_link(self, path: Sequence[Label]) -> str | None:
        """The address of the menu entry at the end of the path: the first of that name after each of its parents."""
        elements = [one for one in self.root.iter() if isinstance(one.tag, str)]  # folded menus are hidden, but there
        start = 0
        for label in path[:-1]:
            positions = [at for at, one in enumerate(elements) if at >= start and label.knows(_own_text(one))]
            if not positions:
                return None
            start = positions[0]
        links = (one for one in elements[start:] if one.tag == "a" and _leads_somewhere(one))
        href = next((one.get("href") for one in links if path[-1].knows(_text(one))), None)
        return urljoin(self.url, href) if href else None

    def form_with(self, profile: PageProfile) -> "Form":
        """The form with the page's fields; raises WordingUnknown and names what is missing."""
        forms = [form for form in self.root.forms if form.get("name") == "cbi"] or list(self.root.forms)
        found = [Form(self, form, profile) for form in forms]
        best = max(found, key=lambda form: form.known, default=None)
        if best is None or not best.known:
            raise WordingUnknown(
                tr(
                    "the PBX's page {page} has no field by its zh or en name; its language is {language!r}.",
                    page=shown_path(profile),
                    language=self.root.get("lang") or "?",
                ),
                wording_hint(),
            )
        return best

    def action(self, label: Label, endpoints: Sequence[str], staged: Label) -> Request | None:
        """The link or button of the top bar: by its address under `admin/uci/`, else by its name beside the notice."""
        actions = list(self._actions())
        for endpoint in endpoints:
            for _, request in actions:
                if re.search(rf"admin/uci/{endpoint}(?:[/?]|$)", request.url):
                    return request
        named = [(one, request) for one, request in actions if label.knows(_caption(one))]
        return _beside(self._notice(staged), named)

    def staged(self, profile: Profile) -> bool:
        """Whether the top bar says that saved changes wait to be applied."""
        if self._notice(profile.words["staged"]) is not None:
            return True
        return self.action(profile.words["apply"], APPLY, profile.words["staged"]) is not None

    def changes_link(self) -> str | None:
        """The address of the page that lists staged changes."""
        links = (one.get("href") for one in _visible(self.root) if one.tag == "a")
        return next((urljoin(self.url, href) for href in links if href and "admin/uci/changes" in href), None)

    def complaint(self) -> str:
        """What the page says is wrong, when it marks it as LuCI does."""
        for one in _visible(self.root):
            marks = set(one.get("class", "").split()) & _COMPLAINTS
            if marks and (said := " ".join(_text(one).split())):
                return said[:200]
        return ""

    def restarts(self) -> tuple[Request, str] | None:
        """What the page's script does after an apply: the request that restarts services, and where it asks if done."""
        script = "\n".join(one.text or "" for one in self.root.iter("script"))
        restart = re.search(r"\.(get|post)\(\s*['\"]([^'\"]*/servicectl/restart[^'\"]*)['\"]([^,]*,?[^,]*)", script)
        if restart is None:
            return None
        token = re.search(r"token\s*:\s*['\"]([^'\"]+)", restart.group(3))
        fields = (("token", token.group(1)),) if token else ()
        status = re.search(r"['\"]([^'\"]*/servicectl/status[^'\"]*)['\"]", script)
        request = Request(restart.group(1).upper(), urljoin(self.url, restart.group(2)), fields)
        return request, urljoin(self.url, status.group(1)) if status else ""

    def _notice(self, staged: Label) -> "Element | None":
        """The innermost element outside the page's own form that says there are staged changes."""
        says = [one for one in _visible(self.root) if staged.within(_own_text(one)) and not _in_cbi(one)]
        return says[-1] if says else None

    def _actions(self) -> Iterator[tuple[Element, Request]]:
        """Every link and button outside the page's own form, with what it sends."""
        for one in _visible(self.root):
            pressed = re.search(r"['\"]([^'\"]*admin/uci/[^'\"]+)['\"]", one.get("onclick") or "")
            if pressed:
                yield one, Request("GET", urljoin(self.url, pressed.group(1)))
            elif one.tag == "a" and _leads_somewhere(one):
                yield one, Request("GET", urljoin(self.url, one.get("href")))
            elif _submits(one) and not _in_cbi(one) and (form := _form_of(one)) is not None:
                yield one, submission(form, self.url, one)


APPLY = ("saveapply", "apply")
DISCARD = ("revert",)
_COMPLAINTS = {"cbi-section-error", "errorbox", "error", "cbi-input-invalid-text"}


@dataclass
class Form:
    """The fields of a page's form, by the keys of its profile; `known` is how many of them are there."""

    page: Page
    element: Element
    profile: PageProfile
    controls: dict[str, list[Element]] = field(init=False)

    def __post_init__(self) -> None:
        labelled = list(_labelled(_scope(self.page, self.element, self.profile), self.profile.headings()))
        self.controls = {
            one.key: [control for control, label, under in labelled if _is(one, control, label, under)]
            for one in self.profile.fields.values()
        }

    @property
    def known(self) -> int:
        return sum(bool(found) for found in self.controls.values())

    def value(self, key: str) -> Value:
        """The field's present value; raises WordingUnknown where it is not there exactly once."""
        control = self._control(key)
        if self.profile.fields[key].kind != "switch":
            return control.value or ""
        if control.tag == "select":
            return bool(_ON.match(_chosen(control)))
        return bool(control.checked)

    def set(self, key: str, value: Value) -> None:
        """Fill the field; what the form sends changes in this one value."""
        control = self._control(key)
        if control.tag == "select":
            control.value = next(option for option in control.value_options if bool(_ON.match(option)) == value)
        elif isinstance(value, bool):
            control.checked = value
        else:
            control.value = value

    def submission(self, save: Label) -> Request:
        """What pressing Save sends. A button that would also apply keeps its name to itself: we stage first."""
        buttons = [one for one in self.element.iter("input", "button") if _submits(one) and save.knows(_caption(one))]
        button = buttons[0] if buttons and buttons[0].get("name") != "cbi.apply" else None
        return submission(self.element, self.page.url, button)

    def _control(self, key: str) -> Element:
        found = self.controls[key]
        if len(found) == 1:
            return found[0]
        # Without its heading a repeated field seems to be there twice, so a heading that is missing is the cause.
        missing = [heading for heading in self.profile.headings() if not self.controls[heading]]
        one = self.profile.fields[(missing or [key])[0]]
        facts = {"field": shown_field(self.profile, one), "page": shown_path(self.profile)}
        if found and not missing:
            problem = tr("the PBX's page {page} has the field {field} {count} times.", count=len(found), **facts)
        else:
            problem = tr("the PBX's page {page} has no field {field}.", **facts)
        raise WordingUnknown(problem, wording_hint())


def submission(form: Element, url: str, button: Element | None = None) -> Request:
    """What a browser sends for the form: every control that has a say, in order, and the button that was pressed."""
    fields = [pair for control in form.iter("input", "select", "textarea") for pair in _pairs(control)]
    if button is not None and button.get("name"):
        fields.append((button.get("name"), button.get("value") or ""))
    method = (form.get("method") or "get").upper()
    multipart = "multipart" in (form.get("enctype") or "")
    return Request(method, urljoin(url, form.get("action") or ""), tuple(fields), multipart)


def shown_path(profile: PageProfile) -> str:
    """The page as an engineer finds it: menu and tab, in the language in use."""
    labels = [*profile.menu, *([profile.tab] if profile.tab else [])]
    return " → ".join(label.shown(language()) for label in labels)


def shown_menu(profile: PageProfile) -> str:
    """The page's way through the menu, in the language in use."""
    return " → ".join(label.shown(language()) for label in profile.menu)


def shown_field(profile: PageProfile, one: FieldProfile) -> str:
    """The field as an engineer finds it: its heading and its label."""
    labels = [profile.fields[one.under].label] if one.under else []
    return " · ".join(label.shown(language()) for label in [*labels, one.label])


def wording_hint() -> str:
    """What helps where a firmware words things otherwise."""
    return tr("name a profile with this firmware's words (--profile FILE), or set it by hand: --guide lists the values")


def _parsed(content: bytes, charset: str | None) -> Element:
    declared = charset or (None if re.search(rb"charset|encoding=", content[:2048]) else "utf-8")
    try:
        parser = lxml.html.HTMLParser(encoding=declared)
    except LookupError:
        parser = lxml.html.HTMLParser(encoding="utf-8")
    try:
        return lxml.html.document_fromstring(content, parser=parser)
    except (LxmlError, ValueError):  # an empty answer is a page with nothing on it
        return lxml.html.document_fromstring(b"<html><body></body></html>")


def _visible(root: Element) -> Iterator[Element]:
    """The elements in the order of the page, without those that are hidden or not meant to be read."""
    if not isinstance(root.tag, str) or root.tag in ("script", "style", "template", "head"):
        return
    if root.get("hidden") is not None or "display:none" in (root.get("style") or "").replace(" ", ""):
        return
    yield root
    for child in root:
        yield from _visible(child)


def _text(element: Element) -> str:
    """What can be read within the element, hidden tabs included."""
    if not isinstance(element.tag, str) or element.tag in ("script", "style"):
        return ""
    return (element.text or "") + "".join(_text(child) + (child.tail or "") for child in element)


def _own_text(element: Element) -> str:
    """The element's own words, without those of the elements in it."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _caption(element: Element) -> str:
    return element.get("value") or "" if element.tag == "input" else _text(element)


def _leads_somewhere(link: Element) -> bool:
    href = link.get("href") or ""
    return bool(href) and not href.startswith(("#", "javascript:", "mailto:"))


def _submits(element: Element) -> bool:
    kind = (element.get("type") or "").casefold()
    return kind in {"input": ("submit", "image"), "button": ("", "submit")}.get(element.tag, ())


def _form_of(element: Element) -> Element | None:
    return next(element.iterancestors("form"), None)


def _in_cbi(element: Element) -> bool:
    form = element if element.tag == "form" else _form_of(element)
    return form is not None and form.get("name") == "cbi"


def _beside(notice: Element | None, named: list[tuple[Element, Request]]) -> Request | None:
    """The action in the same bar as the notice; a menu may have an entry of the same name further away."""
    around = [] if notice is None else [notice, *list(notice.iterancestors())[:3]]
    inside = (request for part in around for one, request in named if part in one.iterancestors())
    return next(inside, None)


def _scope(page: Page, form: Element, profile: PageProfile) -> Element:
    """The part of the form that belongs to the page's tab; all tabs are in the page, shown or not."""
    if profile.tab is None:
        return form
    for one in page.root.iter("li", "a", "div", "span"):
        if (one.get("id") or "").startswith("tab.") and profile.tab.knows(_text(one)):
            container = page.root.xpath("//*[@id=$id]", id="container." + one.get("id")[4:])
            if container:
                return container[0]
    if page.root.xpath("//*[starts-with(@id, 'container.')]"):
        tab = profile.tab.shown(language())
        raise WordingUnknown(
            tr("the PBX's page {page} has no tab {tab}.", page=shown_path(profile), tab=tab), wording_hint()
        )
    return form


def _labelled(scope: Element, headings: Mapping[str, Label]) -> Iterator[tuple[Element, str, str | None]]:
    """Each control a person can set, with its label and the heading above it."""
    titles = {one.get("for"): _text(one) for one in scope.iter("label") if one.get("for") and _text(one).strip()}
    title = ""
    under: str | None = None
    for one in scope.iter():
        if not isinstance(one.tag, str):
            continue
        if _is_title(one) and _text(one).strip():
            title = _text(one)
            under = next((key for key, label in headings.items() if label.knows(title)), under)
        elif _is_control(one):
            yield one, titles.get(one.get("id")) or titles.get(one.get("name")) or title, under


def _is_title(element: Element) -> bool:
    return element.tag in _TITLES or bool(_TITLE_CLASSES & set((element.get("class") or "").split()))


def _is_control(element: Element) -> bool:
    if element.tag == "input":
        return (element.get("type") or "text").casefold() not in _NOT_TYPED
    return element.tag in ("select", "textarea")


def _is(one: FieldProfile, control: Element, label: str, under: str | None) -> bool:
    """Whether the control is the field: by label, heading and kind."""
    if not one.label.knows(label) or (one.under is not None and one.under != under):
        return False
    checkbox = control.tag == "input" and (control.get("type") or "").casefold() == "checkbox"
    if one.kind == "switch":
        return checkbox or (control.tag == "select" and _is_switch(control))
    return not checkbox and control.tag != "select"


_ON = re.compile(r"(?i)(1|on|yes|true|enabled?)$")
_OFF = re.compile(r"(?i)(0|off|no|false|disabled?|)$")


def _is_switch(select: Element) -> bool:
    """Whether the list offers just on and off, as some skins draw a switch."""
    values = select.value_options
    return len(values) == 2 and sum(bool(_ON.match(value)) for value in values) == 1


def _pairs(control: Element) -> list[tuple[str, str]]:
    """What one control contributes, by the rules of HTML."""
    name = control.get("name")
    kind = (control.get("type") or "text").casefold() if control.tag == "input" else control.tag
    if not name or kind in _NEVER_SENT or _disabled(control):
        return []
    if kind in ("checkbox", "radio"):
        return [(name, control.get("value", "on"))] if control.get("checked") is not None else []
    if kind == "select":
        return [(name, value) for value in _selected(control)]
    if kind == "textarea":
        # HTML does not count a newline right after the tag, and sends the others as CRLF.
        return [(name, re.sub(r"\r?\n", "\r\n", re.sub(r"\A\r?\n", "", control.value or "")))]
    return [(name, control.get("value") or "")]


def _disabled(control: Element) -> bool:
    return any(one.get("disabled") is not None for one in (control, *control.iterancestors("fieldset", "optgroup")))


def _selected(select: Element) -> list[str]:
    options = [one for one in select.iter("option") if one.get("disabled") is None]
    chosen = [one for one in options if one.get("selected") is not None]
    if select.get("multiple") is None:
        chosen = chosen[-1:] or options[:1]  # a list shows, and sends, its first line when none is chosen
    return [one.get("value", " ".join(_text(one).split())) for one in chosen]


def _chosen(select: Element) -> str:
    return next(iter(_selected(select)), "")
