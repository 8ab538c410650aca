"""How the PBX's settings look: every field as `was → is`, and as a list to be set by hand.

    for path, table in pages(profile, plan(profile, present, wanted)): ...

Passwords are never shown, but for those in the list, which somebody has to type.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ippbx_billing.documents.columns import Column, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import language, tr
from ippbx_billing.pbx.forms import Value
from ippbx_billing.pbx.plan import FieldChange, Wanted
from ippbx_billing.pbx.profile import PageProfile, Profile
from ippbx_billing.pbx.wording import shown_field, shown_path


def changes(profile: Profile, found: Sequence[FieldChange]) -> Listing:
    """All fields in one list, for programs."""
    rows = [_row(profile, change) for change in found]
    return Listing(rows, all_columns(rows[0] if rows else ()))


def pages(profile: Profile, found: Sequence[FieldChange]) -> Iterator[tuple[str, Listing]]:
    """A table for each page with the way to it, for people."""
    rows = [_row(profile, change) for change in found]
    changed = any(change.needed for change in found)
    headings = [Column("field", tr("Field")), Column("change", tr("Was → is") if changed else tr("Is"))]
    for page in dict.fromkeys(change.page for change in found):
        told = [{**row, "change": _was_is(row)} for row in rows if row["page"] == page]
        yield shown_path(profile.pages[page]), Listing(told, headings)


def shown(value: Value) -> str:
    """A field's value as it is shown."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    return value or "–"


def checklist(profile: Profile, address: str, user: str, wanted: Wanted) -> Iterator[str]:
    """The wanted values in the words and the order of the PBX's own screens, to be set by hand."""
    yield tr("1. Open {address} in a browser and sign in as {user}.", address=address, user=user)
    for number, (page, values) in enumerate(wanted.items(), 2):
        yield ""
        yield f"{number}. {shown_path(profile.pages[page])}"
        yield from _boxes(profile.pages[page], values)
        yield "   [ ] " + tr("press {button}", button=profile.words["save"].shown(language()))
    yield ""
    apply = profile.words["apply"].shown(language())
    yield tr("{number}. In the orange bar at the top: press {button}.", number=len(wanted) + 2, button=apply)


def _boxes(page: PageProfile, values: Mapping[str, Value]) -> Iterator[str]:
    """A line a field to tick off; what has to be typed stands below its field, where it can be copied whole."""
    names = {key: shown_field(page, page.fields[key]) for key in values}
    width = max(map(_cells, names.values()))
    for key, value in values.items():
        if isinstance(value, bool):
            yield f"   [ ] {names[key]}{' ' * (width - _cells(names[key]))}  {shown(value)}"
        else:
            yield f"   [ ] {names[key]}"
            yield f"       {value}"


def _row(profile: Profile, change: FieldChange) -> dict[str, Any]:
    page = profile.pages[change.page]
    one = page.fields[change.field]
    labels = [*([page.fields[one.under].label] if one.under else []), one.label]
    return {
        "page": change.page,
        "key": change.field,
        "field": " · ".join(label.name(language()) for label in labels),
        "was": _told(change.was, change.secret),
        "is": _told(change.is_, change.secret),
        "changed": change.needed,
        "secret": change.secret,
    }


def _told(value: Value, secret: bool) -> Value:
    """The value for programs; of a secret only whether there is one."""
    return bool(value) if secret else value


def _was_is(row: dict[str, Any]) -> str:
    if row["secret"]:
        was, now = (tr("set") if value else "–" for value in (row["was"], row["is"]))
        return f"{was} → " + tr("a new one") if row["changed"] else now
    return f"{shown(row['was'])} → {shown(row['is'])}" if row["changed"] else shown(row["is"])


def _cells(text: str) -> int:
    """How wide the text is on a terminal, where a Chinese character takes two places."""
    from rich.cells import cell_len

    return cell_len(text)
