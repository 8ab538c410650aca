"""The form of a page of settings: its fields by the keys of a profile, read, filled and sent.

    form = page.form_with(profile.pages["events"])
    form.value("cdr_url")           ->  "http://192.168.6.67:8181/"
    form.set("cdr_url", "http://192.168.6.27:8181/")
    form.submission(profile.words["save"])       # what to send: everything else as it was

The one idea: a control belongs to the last label before it, and a label that is used twice to the heading above it;
that is how people read the page, and it outlives new skins, other orders and renamed options.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ippbx_billing.language import language, tr
from ippbx_billing.pbx.elements import (
    Element,
    ParsedHtml,
    caption,
    holds_radio,
    is_control,
    is_decoy,
    is_title,
    submits,
    text_of,
)
from ippbx_billing.pbx.problems import WordingUnknown
from ippbx_billing.pbx.profile import FieldProfile, Label, PageProfile
from ippbx_billing.pbx.sending import Request, chosen, left_out_of, submission
from ippbx_billing.pbx.wording import shown_field, shown_path, wording_hint

Value = bool | str


@dataclass
class Form:
    """The fields of a page's form, by the keys of its profile; `known` is how many of them are there."""

    page: ParsedHtml
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
            return bool(_ON.match(chosen(control)))
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
        buttons = [one for one in self.element.iter("input", "button") if submits(one) and save.knows(caption(one))]
        button = buttons[0] if buttons and buttons[0].get("name") != "cbi.apply" else None
        return submission(self.element, self.page.url, button, left_out_of(self.page, self.element))

    def offered(self, key: str) -> tuple[str, str] | None:
        """The entry of LuCI's list "Additional Field" that brings a field onto the page which is not on it yet."""
        if self.controls[key]:
            return None
        lists = (one for one in self.element.iter("select") if (one.get("name") or "").startswith("cbi.opt."))
        label = self.profile.fields[key].label
        entries = [(one.get("name"), entry.get("value")) for one in lists for entry in one.iter("option")
                   if entry.get("value") and label.knows(text_of(entry))]  # fmt: skip
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


def _scope(page: ParsedHtml, form: Element, profile: PageProfile) -> Element:
    """The part of the form that belongs to the page's tab; all tabs are in the page, shown or not."""
    if profile.tab is None:
        return form
    for one in page.root.iter("li", "a", "div", "span"):
        if (one.get("id") or "").startswith("tab.") and profile.tab.knows(text_of(one)):
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
    titles = {one.get("for"): text_of(one) for one in scope.iter("label") if one.get("for") and text_of(one).strip()}
    choices = {one.get("id") for one in scope.iter("input") if one.get("type") == "radio" and one.get("id")}
    title = ""
    under: str | None = None
    radios: set[str] = set()
    for one in scope.iter():
        if not isinstance(one.tag, str) or one.get("for") in choices or is_decoy(one):
            continue
        if one.tag == "input" and one.get("type") == "radio":
            if one.get("name") not in radios:  # the first stands for all of them
                radios.add(one.get("name"))
                yield one, titles.get(one.get("name")) or title, under
        elif is_title(one) and text_of(one).strip() and not holds_radio(one):
            title = text_of(one)
            under = next((key for key, label in headings.items() if label.knows(title)), under)
        elif is_control(one):
            yield one, titles.get(one.get("id")) or titles.get(one.get("name")) or title, under


def _is(one: FieldProfile, control: Element, label: str, under: str | None) -> bool:
    """Whether the control is the field: by label, heading and kind."""
    if not one.label.knows(label) or (one.under is not None and one.under != under):
        return False
    checkbox = control.tag == "input" and (control.get("type") or "").casefold() in ("checkbox", "radio")
    if one.kind == "switch":
        return checkbox or (control.tag == "select" and _is_switch(control))
    return not checkbox and control.tag != "select"


_ON = re.compile(r"(?i)(1|on|yes|true|enabled?)$")


def _says_on(radio: Element) -> bool:
    return bool(_ON.match(radio.get("value") or ""))


def _is_switch(select: Element) -> bool:
    """Whether the list offers just on and off, as some skins draw a switch."""
    values = select.value_options
    return len(values) == 2 and sum(bool(_ON.match(value)) for value in values) == 1
