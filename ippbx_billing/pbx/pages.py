"""One page of the PBX's web admin, read from its HTML: menu, fields, top bar, sign-in form. Pure; no connection.

The one idea: a control belongs to the last label before it, and a label that is used twice to the heading above it;
that is how people read the page, and it outlives new skins, other orders and renamed options.

    page = Page(html, "https://192.168.6.169/luci/;stok=7f/admin/service/events")
    form = page.form_with(profile.pages["events"])
    form.value("cdr_url")           ->  "http://192.168.6.67:8181/"
    form.set("cdr_url", "http://192.168.6.27:8181/")
    form.submission(profile.words["save"])       # what to send: everything else as it was
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

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

    def sign_in_form(self, sign_in: SignIn, known: tuple[str, str] | None = None) -> "SignInForm | None":
        """The form that asks for user and password, if this is the page that does.

        Once the sign-in page is `known` by the names of its fields, only those count: a page of settings may hold one
        password field as well.
        """
        found = ((form, _asks_for(form, sign_in)) for form in self.root.forms)
        asking = (SignInForm(form, *names) for form, names in found if names and known in (None, names))
        return next(asking, None)

    def staged_names(self) -> frozenset[str]:
        """What this list of changes names, as `config.section.option`; ANONYMOUS where its words are not understood."""
        lists = [one for one in self.root.iter() if "uci-change-list" in _classes(one)]
        names = {name for one in lists for name in _names_in(one)}
        return frozenset(names or {ANONYMOUS}) if lists else frozenset()

    def script_action(self, node: str) -> Request | None:
        """What this page's script posts to change something: the address of the node with the session's two secrets."""
        script = "\n".join(one.text or "" for one in self.root.iter("script"))
        secrets = [re.search(rf"""['"]?\b{name}['"]?\s*:\s*['"]([^'"]+)""", script) for name in ("sid", "token")]
        if "uci" not in script or not all(secrets):
            return None
        fields = tuple((name, found.group(1)) for name, found in zip(("sid", "token"), secrets, strict=True) if found)
        return Request("POST", urljoin(self.url, node), fields)

    def node(self, path: str) -> str:
        """The address of a node of this session, such as `admin/uci/changes`, as the page's own links are built."""
        hrefs = [one.get("href") or "" for one in self.root.iter("a")] + [urlsplit(self.url).path]
        roots = [found.group(1) for href in hrefs if (found := re.match(r"(\S*?)/admin(?:[/?]|$)", href))]
        root = next((one for one in roots if ";stok=" in one), next(iter(roots), urlsplit(self.url).path.rstrip("/")))
        return urljoin(self.url, f"{root}/{path}")

    def drawn_by_script(self) -> bool:
        """Whether the page is empty until a browser's script draws it, as in LuCI from 2019 on."""
        scripts = "\n".join(f"{one.get('src') or ''} {one.text or ''}" for one in self.root.iter("script"))
        return bool(re.search(r"\bL\.require\b|\bnew LuCI\b|/luci\.js\b", scripts))

    def blank(self) -> bool:
        """Whether there is nothing on it, as on the answer to a session that ended or to a user without rights."""
        return not self.text().strip() and not any(self.root.iter("form", "a", "script", "img", "meta", "frame"))

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
        if (best is None or not best.known) and self.drawn_by_script():
            raise drawn_by_script(shown_path(profile))
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
        """What the page says is wrong, when it marks it as LuCI does: the field's label, and the sentence."""
        refused = [one for one in self.root.iter() if "cbi-value-error" in _classes(one)]
        labels = [
            _text(title) for one in refused for title in one.iter("label") if "cbi-value-title" in _classes(title)
        ]
        named = ", ".join(" ".join(label.split()) for label in dict.fromkeys(labels))
        return ": ".join(filter(None, (named, self._marked())))

    def _marked(self) -> str:
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


@dataclass(frozen=True, slots=True)
class SignInForm:
    """The form that asks for user and password, and what its two fields are called."""

    element: Element
    user_field: str
    password_field: str


ANONYMOUS = "?"  # something is staged, and nobody can tell what
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
        if self.offered(key):
            return False if self.profile.fields[key].kind == "switch" else ""
        control = self._control(key)
        if self.profile.fields[key].kind != "switch":
            return control.value or ""
        if control.get("type") == "radio":
            return any(one.get("checked") is not None for one in self._radios(control) if _says_on(one))
        if control.tag == "select":
            return bool(_ON.match(_chosen(control)))
        return bool(control.checked)

    def set(self, key: str, value: Value) -> None:
        """Fill the field; what the form sends changes in this one value."""
        control = self._control(key)
        if control.get("type") == "radio":
            for one in self._radios(control):
                one.attrib.pop("checked", None)
                if _says_on(one) == value:
                    one.set("checked", "checked")
        elif control.tag == "select":
            control.value = next(option for option in control.value_options if bool(_ON.match(option)) == value)
        elif isinstance(value, bool):
            control.checked = value
        else:
            control.value = value

    def submission(self, save: Label) -> Request:
        """What pressing Save sends. A button that would also apply keeps its name to itself: we stage first."""
        buttons = [one for one in self.element.iter("input", "button") if _submits(one) and save.knows(_caption(one))]
        button = buttons[0] if buttons and buttons[0].get("name") != "cbi.apply" else None
        return submission(self.element, self.page.url, button, _left_out(self.page, self.element))

    def offered(self, key: str) -> tuple[str, str] | None:
        """The entry of LuCI's list "Additional Field" that brings a field onto the page which is not on it yet."""
        if self.controls[key]:
            return None
        lists = (one for one in self.element.iter("select") if (one.get("name") or "").startswith("cbi.opt."))
        label = self.profile.fields[key].label
        entries = [(one.get("name"), entry.get("value")) for one in lists for entry in one.iter("option")
                   if entry.get("value") and label.knows(_text(entry))]  # fmt: skip
        return entries[0] if len(entries) == 1 else None

    def adding(self, entry: tuple[str, str], save: Label) -> Request:
        """What choosing that entry of the list sends: the form as it is, and the entry."""
        request = self.submission(save)
        return replace(request, fields=(*(pair for pair in request.fields if pair[0] != entry[0]), entry))

    def options(self) -> frozenset[str]:
        """The full names of all options on the form, as `config.section.option`."""
        names = {one.get("name") or "" for one in self.element.iter("input", "select", "textarea")}
        found = (re.match(r"(?:cbid|cbi\.cbe)\.(.+)", name) for name in names)
        return frozenset(one.group(1) for one in found if one)

    def option(self, key: str) -> str:
        """The full name of the field's option, as `config.section.option`."""
        return (self._control(key).get("name") or "").removeprefix("cbid.")

    def longest(self, key: str) -> int | None:
        """How many characters the field takes, where the page says so."""
        said = self._control(key).get("maxlength") or ""
        return int(said) if said.isdecimal() else None

    def _radios(self, control: Element) -> list[Element]:
        alike = self.element.iter("input")
        return [one for one in alike if one.get("type") == "radio" and one.get("name") == control.get("name")]

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


def submission(form: Element, url: str, button: Element | None = None, left_out: Collection[Element] = ()) -> Request:
    """What a browser sends for the form: every control that has a say, in order, and the button that was pressed."""
    controls = [one for one in form.iter("input", "select", "textarea") if one not in left_out]
    fields = [pair for control in controls for pair in _pairs(control)]
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


def drawn_by_script(page: str) -> WordingUnknown:
    """The problem of a page that only a browser can draw; other words in a profile do not help there."""
    return WordingUnknown(
        tr("the PBX's page {page} is drawn by a script in the browser; no profile can help.", page=page),
        tr("set it by hand: `ippbx-bill configure-pbx --guide` goes through it step by step"),
    )


def _asks_for(form: Element, sign_in: SignIn) -> tuple[str, str] | None:
    """The names of the form's fields for user and password, if it asks for them."""
    inputs = [one for one in form.iter("input") if one.get("name") and not _decoy(one)]
    names = {one.get("name") for one in inputs}
    if "cbi.submit" in names or form.get("name") == "cbi":
        return None
    if known := next((pair for pair in sign_in.pairs if pair[1] in names), None):
        return known
    secrets = [one.get("name") for one in inputs if one.get("type") == "password"]
    users = [one.get("name") for one in inputs if (one.get("type") or "text") == "text"]
    return (next(iter(users), sign_in.user_field), secrets[0]) if len(secrets) == 1 else None


def _decoy(control: Element) -> bool:
    """Whether nobody is to see the field: some pages have one that only keeps browsers from filling in the real one."""
    return bool(control.get("aria-hidden") == "true")


def _classes(element: Element) -> set[str]:
    return set((element.get("class") or "").split()) if isinstance(element.tag, str) else set()


_OPTION = re.compile(r"\s*(?:uci\s+\w+\s+)?([\w-]+\.[^\s.=]+(?:\.[\w-]+)?)\s*(?:[-+]?=|\s|$)")


def _names_in(changes: Element) -> Iterator[str]:
    """The options that a list of changes names: at the start of each of its entries, and of their lines."""
    for one in changes.iter("ins", "del", "var", "li", "br"):
        text = one.tail or "" if one.tag == "br" else _text(one)
        if found := _OPTION.match(text):
            yield found.group(1)


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
    choices = {one.get("id") for one in scope.iter("input") if one.get("type") == "radio" and one.get("id")}
    title = ""
    under: str | None = None
    radios: set[str] = set()
    for one in scope.iter():
        if not isinstance(one.tag, str) or one.get("for") in choices or _decoy(one):
            continue
        if one.tag == "input" and one.get("type") == "radio":
            if one.get("name") not in radios:  # the first stands for all of them
                radios.add(one.get("name"))
                yield one, titles.get(one.get("name")) or title, under
        elif _is_title(one) and _text(one).strip() and not _holds_radio(one):
            title = _text(one)
            under = next((key for key, label in headings.items() if label.knows(title)), under)
        elif _is_control(one):
            yield one, titles.get(one.get("id")) or titles.get(one.get("name")) or title, under


def _holds_radio(element: Element) -> bool:
    return any(one.get("type") == "radio" for one in element.iter("input"))


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
    checkbox = control.tag == "input" and (control.get("type") or "").casefold() in ("checkbox", "radio")
    if one.kind == "switch":
        return checkbox or (control.tag == "select" and _is_switch(control))
    return not checkbox and control.tag != "select"


_ON = re.compile(r"(?i)(1|on|yes|true|enabled?)$")
_OFF = re.compile(r"(?i)(0|off|no|false|disabled?|)$")


def _says_on(radio: Element) -> bool:
    return bool(_ON.match(radio.get("value") or ""))


def _is_switch(select: Element) -> bool:
    """Whether the list offers just on and off, as some skins draw a switch."""
    values = select.value_options
    return len(values) == 2 and sum(bool(_ON.match(value)) for value in values) == 1


def _left_out(page: Page, form: Element) -> list[Element]:
    """The controls that a browser would not send and that have no value: rows whose condition is not met.

    Their empty texts could have the whole page refused, and the first line of a list that is not set would be stored;
    a value that is there must go back, or the PBX deletes it.
    """
    rows = _unmet(page, form)
    hidden = [one for row in rows for one in row.iter("input", "select", "textarea")]
    return [one for one in hidden if _unset(one)]


def _unset(control: Element) -> bool:
    if control.tag == "select":
        return not any(one.get("selected") is not None for one in control.iter("option"))
    return _is_control(control) and (control.get("type") or "text") not in ("checkbox", "radio") and not control.value


def _unmet(page: Page, form: Element) -> list[Element]:
    """The rows that the page's script takes out, because none of their conditions is met by what the form holds."""
    conditions = _conditions(page)
    gone: list[Element] = []
    while True:
        left_out = [one for row in gone for one in row.iter("input", "select", "textarea")]
        values = _held(form, left_out)
        more = [row for row, ways in conditions if row not in gone and not _met(ways, values)]
        if not more:
            return gone
        gone.extend(more)


def _held(form: Element, left_out: Collection[Element]) -> dict[str, str]:
    """What the form's fields hold at the moment, by name; a switch that is off holds nothing."""
    controls = [one for one in form.iter("input", "select", "textarea") if one not in left_out]
    return dict(pair for control in controls for pair in _pairs(control))


def _met(ways: Sequence[Mapping[str, str]], values: Mapping[str, str]) -> bool:
    def holds(way: Mapping[str, str]) -> bool:
        met = all(values.get(name, "") == str(value) for name, value in way.items() if not name.startswith("!"))
        return met != ("!reverse" in way)

    return any(holds(way) or "!default" in way for way in ways)


def _conditions(page: Page) -> list[tuple[Element, list[dict[str, str]]]]:
    """Each row that is not always there, with the ways in which it comes to be there: in the row or in a script."""
    found: dict[str, list[dict[str, str]]] = {}
    rows = {one.get("id"): one for one in page.root.iter() if isinstance(one.tag, str) and one.get("id")}
    for name, row in rows.items():
        if (said := row.get("data-depends")) is not None:
            found.setdefault(name, []).extend(_ways(said))
    for script in page.root.iter("script"):
        for row_id, said in re.findall(r"""cbi_d_add\(\s*['"]([^'"]+)['"]\s*,\s*(\{[^{}]*\})""", script.text or ""):
            found.setdefault(row_id, []).extend(_ways(said))
    return [(rows[name], ways) for name, ways in found.items() if name in rows and ways]


def _ways(said: str) -> list[dict[str, str]]:
    """The conditions as written in the page; none where they are written in a way that we do not know."""
    try:
        ways = json.loads(said.replace("'", '"') if '"' not in said else said)
    except ValueError:
        return []
    return [way for way in (ways if isinstance(ways, list) else [ways]) if isinstance(way, dict)]


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
