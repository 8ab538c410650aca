"""What the PBX is to be told, and how it is shown: the wanted values, the `was → is` tables, the checklist.

wanted = {"api": api_values(…), "events": event_values(Urls(cdr="http://…", status="http://…"))}
show_changes(profile, changes, Format.TABLE)
"""

import re
import secrets
import socket
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ippbx_billing.cli.common import say
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.render import lines, show
from ippbx_billing.errors import UsageError
from ippbx_billing.language import language, tr

if TYPE_CHECKING:
    from ippbx_billing.pbx.pages import Value
    from ippbx_billing.pbx.plan import FieldChange, Wanted
    from ippbx_billing.pbx.profile import PageProfile, Profile
    from ippbx_billing.settings import Settings

EXAMPLE_PASSWORD = "admin@123#"  # printed in the manual, so everybody knows it
PASSWORD_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the two kinds of events are to go; None leaves one as it is."""

    cdr: str | None
    status: str | None


def our_urls(server: str, using: "Settings", token: str) -> Urls:
    """The addresses of our two doors, with the token as their path; raises UsageError for what is no host."""
    if not re.fullmatch(r"[\w.:\[\]-]+", server):
        raise UsageError(tr("{text!r} is no address of a machine", text=server), tr("write it like 192.168.6.27"))
    host = f"[{server}]" if ":" in server and not server.startswith("[") else server
    path = f"{token}/" if token else ""
    scheme = "https" if using.tls_certificate else "http"
    return Urls(f"{scheme}://{host}:{using.cdr_port}/{path}", f"{scheme}://{host}:{using.status_port}/{path}")


def event_values(urls: Urls) -> "dict[str, Value]":
    """The event report's fields: each kind on, reported to its URL, as JSON."""
    values: dict[str, Any] = {}
    for kind, url in (("status", urls.status), ("cdr", urls.cdr)):
        if url is not None:
            values |= {kind: True, f"{kind}_report": True, f"{kind}_url": url, f"{kind}_json": True}
    return values


def usable_api_password(password: str) -> str:
    """The password, unless it is one that everybody knows; raises UsageError."""
    if password == EXAMPLE_PASSWORD:
        raise UsageError(
            tr("this API password stands in the PBX's manual, so everybody knows it"),
            tr("leave it out and a strong one is made, or choose one of your own"),
        )
    if not password.isprintable():
        problem = tr("this API password holds characters that nobody can type")
        raise UsageError(problem, tr("letters, digits and signs are wanted"))
    return password


def new_api_password() -> str:
    """A strong password that a PBX's page takes and a person can type."""
    alphabet = string.ascii_letters + string.digits
    while True:
        drawn = "".join(secrets.choice(alphabet) for _ in range(PASSWORD_LENGTH - 1))
        if any(c.isdigit() for c in drawn) and any(c.isupper() for c in drawn) and any(c.islower() for c in drawn):
            return drawn[:8] + secrets.choice("@#-_") + drawn[8:]


def own_address(pbx_address: str) -> str:
    """The address of the interface that reaches the PBX; no packet is sent to find it. UsageError where none does."""
    host = urlsplit(pbx_address).hostname or ""
    try:
        family, *_, address = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError as error:
        problem = tr("no way leads from here to {host}: {error}", host=host, error=error.strerror or error)
        raise UsageError(problem, tr("name this machine's address with --server")) from error


def show_changes(
    profile: "Profile", changes: "Sequence[FieldChange]", form: Format = Format.TABLE, output: Path | None = None
) -> None:
    """Every field as `was → is`, a table a page; one list for programs. Passwords are never shown."""
    rows = [_row(profile, change) for change in changes]
    if form is not Format.TABLE or output is not None:
        show(rows, [Column(key, key) for key in rows[0]] if rows else [], form, output)
        return
    from ippbx_billing.pbx.pages import shown_path

    changed = any(change.needed for change in changes)
    headings = [Column("field", tr("Field")), Column("change", tr("Was → is") if changed else tr("Is"))]
    for page in dict.fromkeys(change.page for change in changes):
        lines([shown_path(profile.pages[page])])
        show([{**row, "change": _was_is(row)} for row in rows if row["page"] == page], headings)


def shown(value: "Value") -> str:
    """A field's value as it is shown."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    return value or "–"


def checklist(profile: "Profile", address: str, user: str, wanted: "Wanted") -> Iterator[str]:
    """The wanted values in the words and the order of the PBX's own screens, to be set by hand."""
    from ippbx_billing.pbx.pages import shown_path

    yield tr("1. Open {address} in a browser and sign in as {user}.", address=address, user=user)
    for number, (page, values) in enumerate(wanted.items(), 2):
        yield ""
        yield f"{number}. {shown_path(profile.pages[page])}"
        yield from _boxes(profile.pages[page], values)
        yield "   [ ] " + tr("press {button}", button=profile.words["save"].shown(language()))
    yield ""
    apply = profile.words["apply"].shown(language())
    yield tr("{number}. In the orange bar at the top: press {button}.", number=len(wanted) + 2, button=apply)


def _boxes(page: "PageProfile", values: "Mapping[str, Value]") -> Iterator[str]:
    """A line a field to tick off; what has to be typed stands below its field, where it can be copied whole."""
    from ippbx_billing.pbx.pages import shown_field

    names = {key: shown_field(page, page.fields[key]) for key in values}
    width = max(map(_cells, names.values()))
    for key, value in values.items():
        if isinstance(value, bool):
            yield f"   [ ] {names[key]}{' ' * (width - _cells(names[key]))}  {shown(value)}"
        else:
            yield f"   [ ] {names[key]}"
            yield f"       {value}"


def tell_password(password: str) -> None:
    """Show a generated password, this once."""
    say(tr("API password: {password}", password=password))
    say(tr("It is shown only now; the PBX's own API page has it as well."))


def _row(profile: "Profile", change: "FieldChange") -> dict[str, Any]:
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


def _told(value: "Value", secret: bool) -> "Value":
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
