"""PBX (语音交换机设置): what it is set to, whether its events arrive, setting it with was → is first, and by hand.

The PBX's password is typed for each question, unless the command line has kept it; no page ever holds it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.documents.columns import Format
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.operators import Role
from ippbx_billing.pbx import remembered, trust
from ippbx_billing.pbx import views as pbx_views
from ippbx_billing.pbx.guide import steps
from ippbx_billing.pbx.passwords import new_api_password
from ippbx_billing.pbx.plan import carry_out, plan, refuse_staged
from ippbx_billing.pbx.problems import StagedBefore
from ippbx_billing.pbx.profile import load_profile
from ippbx_billing.pbx.remembered import Remembered
from ippbx_billing.pbx.session import PbxAdmin
from ippbx_billing.pbx.tokens import accepts
from ippbx_billing.pbx.urls import our_urls, own_address
from ippbx_billing.upkeep import pbx_setting as setting
from ippbx_billing.upkeep.pbx_check import diagnose
from ippbx_billing.upkeep.views import diagnoses

PATH = "/pbx"
PAGES = ("api", "events")
NEWEST = 200  # events among which one by a new address is looked for


def page(desk: Desk) -> Response:
    """Which PBX, and what is to be done with it."""
    return desk.page("pbx.html", **_facts(desk, remembered.recall(desk.using.data_dir)))


def _facts(desk: Desk, known: Remembered) -> dict[str, Any]:
    """What every page here shows in its form; of the password only whether it is kept."""
    return {
        "known": {
            "address": known.address,
            "user": known.user or setting.DEFAULT_USER,
            "fingerprint": known.fingerprint,
            "has_password": bool(known.admin_password),
        },
        "server": desk.text("server") or desk.using.own_address,
    }


def _known(desk: Desk) -> Remembered:
    """The PBX of the form, over what is remembered of it."""
    if not desk.text("address"):
        raise UsageError(tr("which PBX?"), tr("give its address, such as https://192.168.6.169"))
    known = remembered.recall(desk.using.data_dir, setting.normal_address(desk.text("address")))
    return replace(known, user=desk.text("user") or known.user or setting.DEFAULT_USER)


@contextmanager
def _signed_in(desk: Desk, known: Remembered) -> Iterator[PbxAdmin]:
    secret = desk.form.get("password")
    password = (secret if isinstance(secret, str) else "") or known.admin_password
    if not password:
        raise UsageError(
            tr("the password of {user} on the PBX is needed", user=known.user), tr("type it into the form")
        )
    fingerprint = known.fingerprint or desk.text("compared")
    tls = None if urlsplit(known.address).scheme == "http" else trust.pinned(trust.normal_fingerprint(fingerprint))
    with setting.session(desk.using, known, password, tls, fingerprint, remember=False) as pbx:
        yield pbx


def _stranger(desk: Desk, known: Remembered) -> Response | None:
    """On first contact: the fingerprint of its certificate, for a person to compare; nothing else is sent before."""
    parts = urlsplit(known.address)
    if parts.scheme == "http" or known.fingerprint or desk.text("compared"):
        return None
    seen = trust.fingerprint_of(parts.hostname or "", parts.port or 443)
    return desk.page("pbx.html", seen=seen, ask=desk.text("ask"), **_facts(desk, known))


def ask(desk: Desk) -> Response:
    """What the PBX is set to, whether all is well, or what would change; nothing is changed."""
    known, what = _known(desk), desk.text("ask")
    if what not in ASKED:
        raise UsageError(tr("{text!r} is not one of them", text=what), ", ".join(ASKED))
    return _stranger(desk, known) or ASKED[what](desk, known)


def _show(desk: Desk, known: Remembered) -> Response:
    with _signed_in(desk, known) as pbx:
        present = {name: pbx.read(name) for name in PAGES}
        tables = list(pbx_views.pages(pbx.profile, plan(pbx.profile, present, present)))
        warning = _staged(pbx)
    return desk.page("pbx.html", tables=tables, told=[warning] if warning else [], **_facts(desk, known))


def _staged(pbx: PbxAdmin) -> str:
    try:
        refuse_staged(pbx)
    except StagedBefore:
        return tr("warning: the PBX holds changes that were saved and not applied; the values shown include them")
    return ""


def _check(desk: Desk, known: Remembered) -> Response:
    found = diagnose(lambda: _signed_in(desk, known), known.address, desk.inbox, desk.using)
    listing = diagnoses(found)
    tables = [("", replace(listing, rows=list(listing.rows_for(Format.TABLE))))]
    return desk.page("pbx.html", tables=tables, **_facts(desk, known))


def _plan(desk: Desk, known: Remembered) -> Response:
    with _signed_in(desk, known) as pbx:
        present = {name: pbx.read(name) for name in PAGES}
        password, made = setting.password_wanted("", str(present["api"]["password"]))
        urls, told = setting.urls_in(present["events"]), list[str]()
        with setting.token_for(known, desk.using, urls, tell=told.append, dry_run=True) as token:
            wanted = setting.wanted(our_urls(_server(desk, pbx), desk.using, token), password)
        changes = plan(pbx.profile, present, wanted)
        tables = list(pbx_views.pages(pbx.profile, changes))
    needed = any(one.needed for one in changes)
    told.append(tr("this is what would change; nothing was sent") if needed else _nothing())
    if needed and made:
        told.append(tr("The API gets a new password, which is shown once."))
    shown = setting.seen_as(changes) if needed else ""
    return desk.page("pbx.html", tables=tables, told=told, planned=shown, **_facts(desk, known))


ASKED = {"show": _show, "check": _check, "plan": _plan}


def _nothing() -> str:
    return tr("nothing to do: the PBX is set like this already")


def _server(desk: Desk, pbx: PbxAdmin) -> str:
    return desk.text("server") or desk.using.own_address or own_address(pbx.address)


def configure(desk: Desk) -> Response:
    """What was shown is done, applied and read again; UsageError where the PBX is not as it was then."""
    known, told = _known(desk), list[str]()
    with _signed_in(desk, known) as pbx:
        refuse_staged(pbx)
        present = {name: pbx.read(name) for name in PAGES}
        password, made = setting.password_wanted("", str(present["api"]["password"]))
        setting.let_in(pbx.address, desk.using, told.append)
        known = remembered.recall(desk.using.data_dir, known.address)
        try:
            tables = _done(desk, pbx, known, present, password, told)
        except BillingError as error:
            if made and setting.may_be_in_force(error):
                raise _with_password(error, password) from error
            raise
    if made:
        told.append(tr("API password: {password}", password=password))
        told.append(tr("It is shown only now; the PBX's own API page has it as well."))
    return desk.page("pbx.html", tables=tables, told=told, **_facts(desk, known))


def _done(desk: Desk, pbx: PbxAdmin, known: Remembered, present: Any, password: str, told: list[str]) -> list[Any]:
    with setting.token_for(known, desk.using, setting.urls_in(present["events"]), tell=told.append) as token:
        wanted = setting.wanted(our_urls(_server(desk, pbx), desk.using, token), password)
        changes = plan(pbx.profile, present, wanted)
        if desk.text("planned") != setting.seen_as(changes):
            raise UsageError(
                tr("the PBX is not set as it was when the changes were shown; nothing was changed"),
                tr("look at the changes again"),
            )
        carry_out(pbx, changes)
    tables = list(pbx_views.pages(pbx.profile, changes))
    rows = [row for row in pbx_views.changes(pbx.profile, changes).rows if row["changed"]]
    desk.note("configure-pbx", known.address, before={row["key"]: row["was"] for row in rows},
              after={row["key"]: row["is"] for row in rows})  # fmt: skip
    told.append(tr("the PBX has applied the changes"))
    return tables


def _with_password(error: BillingError, password: str) -> BillingError:
    """The error, and the new password that may be in force already: nobody else knows it."""
    told = tr("the PBX may have its new API password already:")
    return type(error)(error.message, " ".join((error.hint, told, tr("API password: {password}", password=password))))


# -- by hand


def guide(desk: Desk) -> Response:
    """What to set by hand on a firmware that cannot be driven, each text where it can be copied."""
    known, told = _known(desk), list[str]()
    server = desk.text("server") or desk.using.own_address or own_address(known.address)
    setting.let_in(known.address, desk.using, told.append)
    token = setting.token_to_give_out(known, desk.using, plain=False, tell=told.append)
    wanted = setting.wanted(our_urls(server, desk.using, token), new_api_password())
    profile = load_profile(known.profile or setting.DEFAULT_PROFILE)
    desk.note("configure-pbx", known.address, after={"guide": True})
    return desk.page(
        "pbx_guide.html",
        steps=list(steps(profile, known.address, known.user, wanted)),
        told=told,
        address=known.address,
    )


def arrived(desk: Desk) -> Response:
    """An event came by the address of the guide: from now on the listener takes known paths only."""
    known, told = _known(desk), list[str]()
    newest = desk.inbox.summaries(limit=NEWEST)
    paths = [event.path for one in newest if (event := desk.inbox.get(one.id))]
    if not known.token or not any(accepts(path, [known.token]) for path in paths):
        raise UsageError(
            tr("no event has come by the addresses of the guide yet"),
            tr("check them on the PBX's page, and make a test call"),
        )
    setting.make_known(desk.using, known.token, tell=told.append)
    desk.note("configure-pbx", known.address, after={"token": "known"})
    return desk.back(PATH, done="; ".join([tr("an event came by the new address; the listener takes it"), *told]))


WAYS = (
    Way(PATH, page, Role.ADMINISTRATOR),
    Way("/pbx/ask", ask, Role.ADMINISTRATOR, post=True),
    Way("/pbx/configure", configure, Role.ADMINISTRATOR, post=True),
    Way("/pbx/guide", guide, Role.ADMINISTRATOR, post=True),
    Way("/pbx/guide/arrived", arrived, Role.ADMINISTRATOR, post=True),
)
MENU = (MenuEntry(PATH, lambda: tr("PBX"), Role.ADMINISTRATOR),)
