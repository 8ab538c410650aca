"""`configure-pbx` and `pbx`: point a PBX at this machine in one command, or step by step, and see that it worked."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.pbx import access as pbx_access
from ippbx_billing.cli.pbx.access import (
    API_PASSWORD,
    DEFAULT_PROFILE,
    Access,
    confirmed,
    password_from,
    reaching,
    recalled,
    signed_in,
)
from ippbx_billing.cli.pbx.showing import show_changes, tell_password
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import lines, show_listing
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.pbx.passwords import new_api_password, usable_api_password
from ippbx_billing.pbx.urls import EventUrls, event_values, our_urls, own_address

if TYPE_CHECKING:
    from ippbx_billing.calls import RawEvent
    from ippbx_billing.pbx.plan import Wanted
    from ippbx_billing.pbx.session import PbxAdmin
    from ippbx_billing.settings import Settings

app = Commands()

GUIDE_WAIT_S = 600

ServerOption = Annotated[
    str | None, typer.Option("--server", help=en("this machine's address as the PBX reaches it; default: found out"))
]
CdrPortOption = Annotated[int | None, typer.Option("--cdr-port", help=en("port for call records"))]
StatusPortOption = Annotated[int | None, typer.Option("--status-port", help=en("port for call status"))]
PlainUrlsOption = Annotated[bool, typer.Option("--plain-urls", help=en("event URLs without the secret path"))]
ApiPasswordOption = Annotated[
    str | None,
    typer.Option("--api-password", help=en("password of the API; better from a file, which no shell remembers")),
]
ApiPasswordFileOption = Annotated[
    Path | None, typer.Option("--api-password-file", help=en("file with the password of the API; default: a new one"))
]
WaitOption = Annotated[int, typer.Option("--wait", min=0, help=en("wait so many seconds for the first event"))]


@reaching()
def configure_pbx(
    access: Access,
    server: ServerOption = None,
    api_password: ApiPasswordOption = None,
    api_password_file: ApiPasswordFileOption = None,
    cdr_port: CdrPortOption = None,
    status_port: StatusPortOption = None,
    plain_urls: PlainUrlsOption = False,
    guide: Annotated[bool, typer.Option("--guide", help=en("show what to set by hand, step by step"))] = False,
    wait: WaitOption = 0,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Enable the API, set its password and the two event URLs as JSON, apply, read again.

    With --guide nothing is sent: a person sets the same by hand. Raises PbxError, UsageError; exit 1 where it was
    declined or no event came.
    """
    from ippbx_billing.upkeep.pbx_setting import let_in, password_wanted, urls_in

    using = common.settings(cdr_port=cdr_port, status_port=status_port)
    given = _api_password(api_password, api_password_file)
    if guide:
        _guide(access, using, server, given, plain_urls, wait)
        return
    with signed_in(access, using) as session:
        _tell_or_refuse_staged(session, access.dry_run)
        present = {page: session.read(page) for page in ("api", "events")}
        password, made = password_wanted(given, str(present["api"]["password"]))
        server = _server(server, session.address, using)
        if not access.dry_run:
            let_in(session.address, using, say)
        told = _password_told(access, using, password, made) if not access.dry_run else nullcontext()
        with told, _token(access, using, urls_in(present["events"]), plain_urls) as token:
            wanted: Wanted = {
                "api": {"enabled": True, "password": password},
                "events": event_values(our_urls(server, using, token)),
            }
            changed = _carry_out(session, wanted, access, form, output)
        if changed and made:
            tell_password(password)
        if access.remember and not access.dry_run:
            _remember_api_password(access, using, password)
    if changed:
        say(tr("next: `ippbx-bill pbx check --wait 60`, then make a test call"))
    if wait and not access.dry_run:
        _wait(using, wait)


@app.command("enable-api", help=en("Switch the PBX's API on; a password it lacks is made."))
@reaching()
def enable_api(access: Access) -> None:
    """Switch the API on and leave the event report as it is; a new password is told once. Raises PbxError."""
    from ippbx_billing.upkeep.pbx_setting import password_wanted

    using = common.settings()
    with signed_in(access, using) as session:
        _tell_or_refuse_staged(session, access.dry_run)
        password, made = password_wanted("", str(session.read("api")["password"]))
        with _password_told(access, using, password, made):
            changed = _carry_out(session, {"api": {"enabled": True, "password": password}}, access)
        if changed and made:
            tell_password(password)


@app.command("set-password", help=en("Set the password of the PBX's API; without one given, a new one is made."))
@reaching()
def set_password(
    access: Access,
    api_password: ApiPasswordOption = None,
    api_password_file: ApiPasswordFileOption = None,
) -> None:
    """Set the password that programs sign in with to the API. Raises PbxError, UsageError for one it cannot take."""
    using = common.settings()
    given = _api_password(api_password, api_password_file)
    password = given or new_api_password()
    with signed_in(access, using) as session:
        _tell_or_refuse_staged(session, access.dry_run)
        with _password_told(access, using, password, made=not given):
            changed = _carry_out(session, {"api": {"password": password}}, access)
        if changed and not given:
            tell_password(password)
        if access.remember and not access.dry_run:
            _remember_api_password(access, using, password)


@app.command("set-event-urls", help=en("Let the PBX report call status and call records, as JSON, to these URLs."))
@reaching()
def set_event_urls(
    access: Access,
    cdr: Annotated[str | None, typer.Option(help=en("URL for call records; default: this machine's"))] = None,
    status: Annotated[str | None, typer.Option(help=en("URL for call status; default: this machine's"))] = None,
    server: ServerOption = None,
    cdr_port: CdrPortOption = None,
    status_port: StatusPortOption = None,
    plain_urls: PlainUrlsOption = False,
) -> None:
    """Set where events go: one URL given leaves the other as it is, none given leads both here. Raises PbxError."""
    from ippbx_billing.upkeep.pbx_setting import let_in, urls_in

    using = common.settings(cdr_port=cdr_port, status_port=status_port)
    for url in filter(None, (cdr, status)):
        _check_url(url)
    with signed_in(access, using) as session:
        _tell_or_refuse_staged(session, access.dry_run)
        if cdr or status:
            _carry_out(session, {"events": event_values(EventUrls(cdr, status))}, access)
            return
        present = urls_in(session.read("events"))
        if not access.dry_run:
            let_in(session.address, using, say)
        with _token(access, using, present, plain_urls) as token:
            urls = our_urls(_server(server, session.address, using), using, token)
            _carry_out(session, {"events": event_values(urls)}, access)


@app.command("show", help=en("Show what the PBX's API and event report are set to."))
@reaching("yes", "dry_run")
def show_settings(
    access: Access,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Read the pages of API and event report and show each field; changes that wait are warned of. Raises PbxError."""
    from ippbx_billing.pbx.plan import plan

    using = common.settings()
    with signed_in(access, using) as session:
        present = {page: session.read(page) for page in ("api", "events")}
        show_changes(session.profile, plan(session.profile, present, present), form, output)
        _tell_or_refuse_staged(session, only_tell=True)


@app.command("check", help=en("Check that the PBX is reachable and set as wanted, and that its events arrive."))
@reaching("remember", "yes", "dry_run")
def check(
    access: Access,
    wait: WaitOption = 0,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask the PBX and the inbox, a line a question; exit 1 if one is answered badly or no event comes in time."""
    from ippbx_billing.upkeep.doctor import Health
    from ippbx_billing.upkeep.pbx_check import diagnose
    from ippbx_billing.upkeep.views import diagnoses

    using = common.settings()
    address = recalled(access, using).address
    with common.open_inbox(using) as inbox:
        findings = diagnose(lambda: signed_in(access, using), address, inbox, using)
    show_listing(diagnoses(findings), form, output)
    if wait:
        _wait(using, wait)
    if any(one.state is Health.WRONG for one in findings):
        raise typer.Exit(1)


@app.command("discard", help=en("Undo changes that were saved on the PBX and not applied."))
@reaching("remember", "dry_run")
def discard(access: Access) -> None:
    """Throw away what anybody saved and did not apply; what is in force stays. Exit 1 where it was declined."""
    using = common.settings()
    with signed_in(access, using) as session:
        if not session.staged():
            say(tr("nothing is waiting to be applied"))
            return
        if not confirmed(tr("Discard all changes that were saved and not applied?"), access.yes):
            raise typer.Exit(1)
        session.discard()
        say(tr("discarded; what was in force is still in force"))


def _carry_out(
    session: "PbxAdmin",
    wanted: "Wanted",
    access: Access,
    form: Format = Format.TABLE,
    output: Path | None = None,
) -> bool:
    """Show what differs, ask, change, and show what is; whether anything was changed."""
    from ippbx_billing.pbx.plan import carry_out, plan
    from ippbx_billing.pbx.problems import Interrupted

    changes = plan(session.profile, {page: session.read(page) for page in wanted}, wanted)
    needed = any(change.needed for change in changes)
    if needed and not access.dry_run and not access.yes:
        show_changes(session.profile, changes)
        if not confirmed(tr("Make these changes on the PBX?"), access.yes):
            say(tr("nothing was changed"))
            raise typer.Exit(1)
    if needed and not access.dry_run:
        try:
            carry_out(session, changes)
        except Interrupted as interrupt:
            say(f"{interrupt.outcome.sentence} {interrupt.outcome.hint}".rstrip())
            raise
    show_changes(session.profile, changes, form, output)
    if not needed:
        say(tr("nothing to do: the PBX is set like this already"))
    elif access.dry_run:
        say(tr("this is what would change; nothing was sent"))
    else:
        say(tr("the PBX has applied the changes"))
    return needed and not access.dry_run


def _tell_or_refuse_staged(session: "PbxAdmin", only_tell: bool) -> None:
    """Changes that wait already would be applied with ours; reading alone may go on beside them."""
    from ippbx_billing.pbx.plan import refuse_staged
    from ippbx_billing.pbx.problems import StagedBefore

    try:
        refuse_staged(session)
    except StagedBefore:
        if not only_tell:
            raise
        say(tr("warning: the PBX holds changes that were saved and not applied; the values shown include them"))


def _api_password(given: str | None, file: Path | None) -> str:
    return usable_api_password(given or password_from(API_PASSWORD, file))


def _server(given: str | None, address: str, using: "Settings") -> str:
    """This machine's address as the PBX reaches it: as given, as set, or found out; it is said which."""
    if given:
        return given
    found = using.own_address or own_address(address)
    say(tr("this machine is {address} to the PBX; --server names another", address=found))
    return found


@contextmanager
def _password_told(access: Access, using: "Settings", password: str, made: bool) -> Iterator[None]:
    """Tell, and remember where that was wished, a password of the API that may be in force after a failure."""
    from ippbx_billing.upkeep.pbx_setting import may_be_in_force

    try:
        yield
    except (BillingError, KeyboardInterrupt) as error:
        if made and may_be_in_force(error):
            say(tr("the PBX may have its new API password already:"))
            tell_password(password)
        if access.remember and may_be_in_force(error):
            _remember_api_password(access, using, password)
        raise


def _token(access: Access, using: "Settings", present: list[str], plain: bool) -> AbstractContextManager[str]:
    from ippbx_billing.upkeep.pbx_setting import token_for

    known = recalled(access, using)
    return token_for(known, using, present, tell=say, plain=plain, dry_run=access.dry_run, declined=typer.Exit)


def _guide(access: Access, using: "Settings", server: str | None, given: str, plain: bool, wait: int) -> None:
    """What to set by hand on a firmware that cannot be driven: step by step where somebody is there, else as a list."""
    from ippbx_billing.cli.pbx.guide import walk
    from ippbx_billing.pbx.guide import steps
    from ippbx_billing.pbx.profile import load_profile
    from ippbx_billing.pbx.tokens import accepts
    from ippbx_billing.pbx.views import checklist
    from ippbx_billing.upkeep.pbx_setting import let_in, make_known, token_to_give_out

    known = recalled(access, using)
    server = _server(server, known.address, using)
    let_in(known.address, using, say)
    token = token_to_give_out(known, using, plain=plain, tell=say)
    urls = our_urls(server, using, token)
    wanted: Wanted = {
        "api": {"enabled": True, "password": given or new_api_password()},
        "events": event_values(urls),
    }
    profile = load_profile(known.profile or DEFAULT_PROFILE)
    if pbx_access.attended():
        here = {"cdr": urls.cdr or "", "status": urls.status or ""}
        walk(steps(profile, known.address, known.user, wanted), profile, here, using, wait or GUIDE_WAIT_S)
        if token:
            make_known(using, token, tell=say)
        return
    lines(checklist(profile, known.address, known.user, wanted))
    say("")
    event = _wait(using, wait or GUIDE_WAIT_S)
    if not token:
        return
    if not accepts(event.path, [token]):
        say(tr("this event did not come by the URLs above; check them on the PBX's page"))
        raise typer.Exit(1)
    make_known(using, token, tell=say)


def _wait(using: "Settings", seconds: int) -> "RawEvent":
    """Wait for the first event and say how it was understood; exit 1 when none comes."""
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.upkeep.pbx_check import first_event, understood

    say(tr("make a test call now; waiting up to {seconds} s for the first event …", seconds=seconds))
    with common.open_inbox(using) as inbox:
        event = first_event(inbox, seconds)
    if event is None:
        raise BillingError(
            tr("no event came within {seconds} s", seconds=seconds),
            tr("is `ippbx-bill listen` running, and its port open in the firewall? `ippbx-bill pbx check` looks"),
        )
    with common.open_ledger(using) as ledger:
        lines(understood(event, Rules.of(ledger, using), using))
    return event


def _remember_api_password(access: Access, using: "Settings", password: str) -> None:
    from ippbx_billing.pbx import remembered

    remembered.save(using.data_dir, replace(recalled(access, using), api_password=password))


def _check_url(url: str) -> None:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            tr("{url!r} is not an address to post to", url=url), tr("write it like http://127.0.0.1:8181/")
        )
