"""Where a PBX is to post its events, and the addresses by which it and this machine reach each other.

values = event_values(our_urls("192.168.6.27", settings, token))     # {"cdr_url": "http://192.168.6.27:8181/…/", …}
"""

import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.settings import Settings

if TYPE_CHECKING:
    from ippbx_billing.pbx.forms import Value


@dataclass(frozen=True, slots=True)
class EventUrls:
    """Where the two kinds of events are to go; None leaves one as it is."""

    cdr: str | None
    status: str | None


def our_urls(server: str, using: Settings, token: str) -> EventUrls:
    """The addresses of our two doors, with the token as their path; raises UsageError for what is not a host."""
    if not re.fullmatch(r"[\w.:\[\]-]+", server):
        raise UsageError(tr("{text!r} is not the address of a machine", text=server), tr("write it like 192.168.6.27"))
    host = f"[{server}]" if ":" in server and not server.startswith("[") else server
    path = f"{token}/" if token else ""
    scheme = "https" if using.tls_certificate else "http"
    return EventUrls(f"{scheme}://{host}:{using.cdr_port}/{path}", f"{scheme}://{host}:{using.status_port}/{path}")


def event_values(urls: EventUrls) -> "dict[str, Value]":
    """The event report's fields: each kind on, reported to its URL, as JSON."""
    values: dict[str, Any] = {}
    for kind, url in (("status", urls.status), ("cdr", urls.cdr)):
        if url is not None:
            values |= {kind: True, f"{kind}_report": True, f"{kind}_url": url, f"{kind}_json": True}
    return values


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


def as_seen(host: str) -> str:
    """The PBX's address as a listener sees it."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError:
        return host
