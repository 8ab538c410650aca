"""Pointing a PBX at this machine, for every face: who may post, by which secret path, and what is to be set.

    with session(using, known, password, tls, fingerprint) as pbx:
        with token_for(known, using, urls_in(pbx.read("events")), tell=say) as token:
            changes = plan(pbx.profile, present, wanted(urls, password))
            carry_out(pbx, changes)

The one idea: what may be in force on the PBX after a failure is never forgotten here, and what cannot be is.
"""

import ssl
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlsplit

from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.listener.senders import networks, within
from ippbx_billing.pbx import remembered, tokens
from ippbx_billing.pbx.forms import Value
from ippbx_billing.pbx.passwords import EXAMPLE_PASSWORD, new_api_password
from ippbx_billing.pbx.plan import FieldChange, Wanted
from ippbx_billing.pbx.problems import Interrupted, PbxError, State
from ippbx_billing.pbx.profile import load_profile
from ippbx_billing.pbx.remembered import Remembered
from ippbx_billing.pbx.session import PbxAdmin
from ippbx_billing.pbx.urls import EventUrls, as_seen, event_values
from ippbx_billing.settings import Settings

DEFAULT_USER = "admin"
DEFAULT_PROFILE = "uc"
Tell = Callable[[str], None]


@contextmanager
def session(
    using: Settings, known: Remembered, password: str, tls: ssl.SSLContext | None, fingerprint: str, *, remember: bool
) -> Iterator[PbxAdmin]:
    """Signed in to the PBX, which is remembered then, with its password where that is wished. Raises PbxError."""
    profile = load_profile(known.profile or DEFAULT_PROFILE)
    with PbxAdmin(known.address, known.user, password, profile=profile, tls=tls) as pbx:
        pbx.sign_in()
        known = replace(known, fingerprint=fingerprint)
        if remember:
            known = replace(known, admin_password=password)
        remembered.save(using.data_dir, known)
        yield pbx


def normal_address(text: str) -> str:
    """The address as `https://host[:port]`; without a scheme it is HTTPS."""
    parts = urlsplit(text if "://" in text else f"https://{text}")
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username:
        raise UsageError(
            tr("{text!r} is not the address of a PBX", text=text), tr("write it like https://192.168.6.169")
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


# -- what is to be set


def wanted(urls: EventUrls, password: str) -> Wanted:
    """The API on with its password, and both kinds of events reported to these addresses as JSON."""
    return {"api": {"enabled": True, "password": password}, "events": event_values(urls)}


def password_wanted(given: str, present: str) -> tuple[str, bool]:
    """The API password to set, and whether it is a new one of ours: one that is there stays, but for the example."""
    if given or (present and present != EXAMPLE_PASSWORD):
        return given or present, False
    return new_api_password(), True


def urls_in(events: Mapping[str, Value]) -> list[str]:
    """The addresses that the PBX posts to by these settings, or would if it were switched on."""
    return [str(events[f"{kind}_url"]) for kind in ("cdr", "status")]


def seen_as(changes: Sequence[FieldChange]) -> str:
    """A mark of what a person was shown: which fields differ and what they were, but for secrets."""
    told = [f"{one.page} {one.field} {'' if one.secret else one.was}" for one in changes if one.needed]
    return sha256("\n".join(told).encode()).hexdigest()


# -- who may post, and by which path


def let_in(address: str, using: Settings, tell: Tell) -> None:
    """Let the PBX post where it is outside the networks of the setting `allow`."""
    host = as_seen(urlsplit(address).hostname or "")
    if within(host, networks(using.allow)) or host in tokens.allowed(using.data_dir):
        return
    tokens.allow(using.data_dir, host)
    path = using.data_dir / tokens.ALLOWED_FILE_NAME
    tell(tr("{host} is outside the networks that may post, and is let in; see {path}", host=host, path=path))


def may_be_in_force(error: BaseException) -> bool:
    """Whether what we wanted may be in force on the PBX, or come into force without us."""
    if isinstance(error, Interrupted):
        return error.outcome.state is not State.DISCARDED
    return isinstance(error, KeyboardInterrupt) or (isinstance(error, PbxError) and error.in_force)


@contextmanager
def token_for(
    known: Remembered,
    using: Settings,
    present: list[str],
    *,
    tell: Tell,
    plain: bool = False,
    dry_run: bool = False,
    declined: type[BaseException] = KeyboardInterrupt,
) -> Iterator[str]:
    """The token for the event URLs: the one they carry already, else a new one.

    While the listener knows no token it takes every path, so the first one is made known when the PBX uses it, and
    uses no other any more. A further one must be known before, and is forgotten again where nothing came into force.
    It is written down before it is sent, so that it is not lost with this process. `declined` is what a face raises
    where a person does not agree.
    """
    listened = tokens.known_tokens(using.data_dir)
    given_out = {one.token for one in remembered.load(using.data_dir) if one.token}
    kept = next((token for url in present if (token := tokens.token_in(url)) in listened | given_out), "")
    if plain:
        warn_of_tokens(using, tell)
        yield ""
        return
    if dry_run:
        yield kept or "<token>"
        return
    token = kept or known.token or tokens.new_token()
    remembered.save(using.data_dir, replace(known, token=token))
    if listened:
        tokens.add_token(using.data_dir, token)
    try:
        yield token
    except (BillingError, KeyboardInterrupt, declined) as error:
        if may_be_in_force(error):
            make_known(using, token, present, tell=tell)
        elif token not in listened | given_out:
            tokens.remove_token(using.data_dir, token)
            remembered.save(using.data_dir, known)
        raise
    make_known(using, token, tell=tell)


def make_known(using: Settings, token: str, held: Collection[str] = (), *, tell: Tell) -> None:
    """Let the listener take this token, and those that were given out before: they may be in use too."""
    given_out = {pbx.token for pbx in remembered.load(using.data_dir) if pbx.token}
    if not tokens.make_known(using.data_dir, {token, *given_out}, held):
        tell(tr("the listener goes on taking every path, because the PBX may still post to the old one; "
                "run this command again to change that"))  # fmt: skip


def warn_of_tokens(using: Settings, tell: Tell) -> None:
    """Plain URLs do not reach a listener that knows a token."""
    if tokens.known_tokens(using.data_dir):
        path = using.data_dir / tokens.FILE_NAME
        tell(tr("warning: the listener takes only URLs with a known path; remove {path} to change that", path=path))


def token_to_give_out(known: Remembered, using: Settings, *, plain: bool, tell: Tell) -> str:
    """The token for URLs that are set by hand, the same each time; nobody knows when they come to be used."""
    if plain:
        warn_of_tokens(using, tell)
        return ""
    token = known.token or tokens.new_token()
    remembered.save(using.data_dir, replace(known, token=token))
    if tokens.known_tokens(using.data_dir):
        tokens.add_token(using.data_dir, token)
    return token
