"""What a browser sends for a form: every control that has a say, by the rules of HTML and of LuCI's script.

submission(form, page.url, button)  ->  Request("POST", "https://…/events", (("cbi.submit", "1"), …))
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from ippbx_billing.pbx.elements import Element, ParsedHtml, is_control, text_of


@dataclass(frozen=True, slots=True)
class Request:
    """What a link or a button sends: method, address, fields in order, and how they are encoded."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()
    multipart: bool = False


_NEVER_SENT = {"submit", "button", "reset", "image", "file"}


def submission(form: Element, url: str, button: Element | None = None, left_out: Collection[Element] = ()) -> Request:
    """What a browser sends for the form: every control that has a say, in order, and the button that was pressed."""
    controls = [one for one in form.iter("input", "select", "textarea") if one not in left_out]
    fields = [pair for control in controls for pair in _pairs(control)]
    if button is not None and button.get("name"):
        fields.append((button.get("name"), button.get("value") or ""))
    method = (form.get("method") or "get").upper()
    multipart = "multipart" in (form.get("enctype") or "")
    return Request(method, urljoin(url, form.get("action") or ""), tuple(fields), multipart)


def left_out_of(page: ParsedHtml, form: Element) -> list[Element]:
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
    return is_control(control) and (control.get("type") or "text") not in ("checkbox", "radio") and not control.value


def _unmet(page: ParsedHtml, form: Element) -> list[Element]:
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


def _conditions(page: ParsedHtml) -> list[tuple[Element, list[dict[str, str]]]]:
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
    return [one.get("value", " ".join(text_of(one).split())) for one in chosen]


def chosen(select: Element) -> str:
    """The value that a list of one choice sends; "" where it has none."""
    return next(iter(_selected(select)), "")
