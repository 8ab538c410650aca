"""`configure-pbx` on the LuCIs of 2012 to 2018, and what it says when one of their habits goes against us.

Whatever happens, the message is true, and the listener takes every path that the PBX may still post to.
"""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import Result
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ippbx_billing.cli.app import app
from ippbx_billing.cli.pbx import access as pbx_access
from ippbx_billing.pbx import tokens, trust
from ippbx_billing.pbx.guide import missing
from ippbx_billing.pbx.pages import ANONYMOUS, Page
from ippbx_billing.pbx.plan import carry_out, plan
from ippbx_billing.pbx.problems import (
    ChangeRefused,
    PbxError,
    SignInRefused,
    StagedBefore,
    State,
    Unreachable,
    WordingUnknown,
)
from ippbx_billing.pbx.profile import load_profile
from ippbx_billing.pbx.session import PbxAdmin
from ippbx_billing.simulation.practice_pbx import Firmware, PracticePbx
from ippbx_billing.simulation.practice_pbx import PracticeFault as Fault
from ippbx_billing.simulation.practice_pbx.firmware import GENERATIONS
from tests.bodies import gateway_cdr
from tests.conftest import Cli
from tests.practice import app as practice_app
from tests.practice import served
from tests.service_process import Service

UC = load_profile("uc")
SECRET = "pa55-for-admin"
OLD_URL = "http://192.0.2.27:8181/"
CDR_URL = "http://192.0.2.27:8181/s3cret/"
STATUS_URL = "http://192.0.2.27:8182/s3cret/"
WANTED: dict[str, dict[str, bool | str]] = {
    "api": {"enabled": True, "password": "Correct-Horse-9"},
    "events": {
        "status": True,
        "status_report": True,
        "status_url": STATUS_URL,
        "status_json": True,
        "cdr": True,
        "cdr_report": True,
        "cdr_url": CDR_URL,
        "cdr_json": True,
    },
}
STRANGERS = "nms.main.state"
URLS = ("evtpush.all.c1url", "evtpush.all.c2url")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes half a minute before a real PBX is over in a moment here."""
    monkeypatch.setenv("IPPBX_BILL_PBX_ADMIN_PASSWORD", SECRET)
    monkeypatch.setattr("ippbx_billing.pbx.session.RETRY_PAUSE_S", 0.005)
    monkeypatch.setattr("ippbx_billing.pbx.session.SETTLE_S", 0.0)
    monkeypatch.setattr("ippbx_billing.pbx.session.PATIENCE_S", 0.3)


def device(*faults: Fault, generation: str = "2015", **more: Any) -> PracticePbx:
    """A PBX that posts to this machine by a plain address, as the manual sets it."""
    pbx = PracticePbx(Firmware.of(generation, admin_password=SECRET, faults=frozenset(faults), **more))
    for name in ("c1", "c2"):
        for part, value in (("", "1"), ("u", "1"), ("url", OLD_URL)):
            pbx.saved[f"evtpush.all.{name}{part}"] = (value,)
    pbx.restart()
    pbx._busy_until = float("-inf")
    return pbx


@contextmanager
def session(pbx: PracticePbx, patience_s: float = 0.3) -> Iterator[PbxAdmin]:
    with served(pbx) as address, PbxAdmin(address, "admin", SECRET, profile=UC, patience_s=patience_s) as admin:
        yield admin


def configure(pbx: PracticePbx) -> None:
    with session(pbx) as admin:
        carry_out(admin, plan(admin.profile, {page: admin.read(page) for page in WANTED}, WANTED))


def configured(cli: Cli, pbx: PracticePbx, *more: str) -> Result:
    with served(pbx) as address:
        return cli("configure-pbx", "--pbx", address, "--server", "192.0.2.27", "--yes", *more)


def held(pbx: PracticePbx) -> set[str]:
    """Every URL that the PBX posts to, or will once its services or somebody's apply bring it into force."""
    places = (pbx.running, pbx.saved, pbx.staged)
    return {url for values in places for key in URLS for url in values.get(key, ()) if url}


def assert_no_event_refused(pbx: PracticePbx, site: Path) -> None:
    """The listener takes every path that the PBX may hold."""
    known = tokens.known_tokens(site)
    refused = [url for url in held(pbx) if not tokens.accepts(urlsplit(url).path, known)]
    assert not refused


def ours_in_force(pbx: PracticePbx) -> bool:
    return bool(pbx.saved["openapi.main.pw"]) and all("/s3cret/" in pbx.saved[key][0] for key in URLS)


# --- generations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_generation_ends_as_wanted(generation: str, language: str) -> None:
    """What was wanted is in force, nothing waits, nothing else is touched, nobody is left signed in."""
    pbx = device(generation=generation, language=language)
    before = dict(pbx.running)
    configure(pbx)
    assert pbx.reports()["cdr"].url == CDR_URL
    assert pbx.reports()["status"].url == STATUS_URL
    assert pbx.reports()["cdr"].json
    assert pbx.running["openapi.main.pw"] == ("Correct-Horse-9",)
    assert pbx.staged == {}
    ours = {key for key in before if key.startswith(("evtpush.all.c", "openapi.main.state", "openapi.main.pw"))}
    assert {key: pbx.running[key] for key in before if key not in ours} == {
        key: before[key] for key in before if key not in ours
    }
    assert pbx.sessions() == 0
    with session(pbx) as admin:
        assert not [one for one in plan(UC, {page: admin.read(page) for page in WANTED}, WANTED) if one.needed]


HARMLESS = [
    Fault.APPLY_ON_SAVE,
    Fault.ALWAYS_NOTICE,
    Fault.SCRIPT_BUTTONS,
    Fault.REQUIRED_WHEN_HIDDEN,
    Fault.LANGUAGES,
]


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("fault", HARMLESS)
def test_habits_that_keep_nobody_from_the_end(cli: Cli, site: Path, fault: Fault, generation: str) -> None:
    """Applied on save, a notice that is always there, buttons bound by a script, hidden rows, other languages: done."""
    pbx = device(fault, generation=generation)
    before = dict(pbx.saved)
    result = configured(cli, pbx)
    assert result.exit_code == 0, result.output
    assert "the PBX has applied the changes" in result.stderr
    (token,) = tokens.known_tokens(site)
    assert pbx.reports()["cdr"].url == f"http://192.0.2.27:8181/{token}/"
    assert pbx.running["openapi.main.pw"][0] in result.stderr
    assert pbx.staged == {}
    others = {key for key in before if not key.startswith(("evtpush.all.c", "openapi.main."))}
    assert {key: pbx.saved[key] for key in others} == {key: before[key] for key in others}
    assert_no_event_refused(pbx, site)


@pytest.mark.parametrize("generation", ["2012", "2015", "2017"])
@pytest.mark.parametrize("fault", [Fault.SLOW_RESTART, Fault.SILENT_403])
def test_what_is_committed_is_told_as_in_force(cli: Cli, site: Path, fault: Fault, generation: str) -> None:
    """A restart that takes too long or a session that ends there: the values are in force, the password is told.

    The services may still post to the old address, so the listener goes on taking it too.
    """
    pbx = device(fault, generation=generation)
    result = configured(cli, pbx)
    assert result.exit_code == 1
    assert "The changes were applied" in result.stderr
    assert "Nothing was applied" not in result.stderr
    assert "discarded" not in result.stderr
    assert pbx.saved["openapi.main.pw"][0] in result.stderr
    assert pbx.staged == {}
    assert pbx.saved["evtpush.all.c2url"][0] != OLD_URL
    assert_no_event_refused(pbx, site)
    pbx.restart()
    again = configured(cli, pbx)
    assert (again.exit_code, "nothing to do" in again.stderr) == (0, True)
    assert tokens.known_tokens(site)
    assert_no_event_refused(pbx, site)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_changes_of_somebody_else_that_come_meanwhile(cli: Cli, site: Path, generation: str, known: bool) -> None:
    """Theirs are neither applied nor lost, ours are taken back, and theirs are named."""
    if known:
        tokens.add_token(site, "anothers")
    pbx = device(Fault.STRANGER_SAVES, Fault.LANGUAGES, generation=generation)
    before = dict(pbx.saved)
    result = configured(cli, pbx)
    assert result.exit_code == 1
    assert f"somebody else saved changes on the PBX meanwhile ({STRANGERS})" in result.stderr
    assert "Nothing was applied" in result.stderr
    assert "API password" not in result.stderr
    assert (pbx.saved, pbx.running) == (before, before)
    assert pbx.staged == {STRANGERS: ("1",)}
    assert tokens.known_tokens(site) == ({"anothers"} if known else frozenset())


def test_changes_of_somebody_else_on_our_own_page(cli: Cli) -> None:
    """An option of the same page that changed between our two looks at it is not carried along as if it were ours."""
    pbx = device()
    with session(pbx) as admin:
        changes = plan(UC, {page: admin.read(page) for page in WANTED}, WANTED)
        pbx.staged["evtpush.all.s1"] = ()
        with pytest.raises(StagedBefore):
            carry_out(admin, changes)
        pbx.staged.clear()
        admin.read("events")
        pbx.staged["evtpush.all.s1"] = ()
        with pytest.raises(StagedBefore, match=r"evtpush\.all\.s1"):
            admin.save("events", {"cdr_json": True})
    assert pbx.staged == {"evtpush.all.s1": ()}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_notice_in_any_language_stops_us_before_we_begin(generation: str) -> None:
    """What waits is read from the list of changes, not from words that a profile may not have."""
    pbx = device(Fault.LANGUAGES, generation=generation)
    pbx.staged[STRANGERS] = ("1",)
    with pytest.raises(StagedBefore, match="Nothing was changed"):
        configure(pbx)
    assert pbx.staged == {STRANGERS: ("1",)}


def test_a_button_that_nobody_but_a_person_can_press_is_named() -> None:
    """Where neither bar nor list of changes has anything to send, the message says which button to press."""
    pbx = device(Fault.SCRIPT_BUTTONS)
    pages = practice_app(pbx)

    async def without_list(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("admin/uci/changes"):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"Not Found"})
        else:
            await pages(scope, receive, send)

    with (
        served(without_list) as address,
        PbxAdmin(address, "admin", SECRET, profile=UC, patience_s=0.1) as admin,
        pytest.raises(WordingUnknown, match="no button Apply") as problem,
    ):
        carry_out(admin, plan(UC, {page: admin.read(page) for page in WANTED}, WANTED))
    assert problem.value.state is State.STAGED
    assert pbx.staged
    assert "could not be discarded" in problem.value.message


def test_a_refused_field_is_named_by_its_label() -> None:
    """LuCI marks the row and says one sentence for all; we name the field as it stands on the screen."""
    row = '<div class="cbi-value cbi-value-error"><label class="cbi-value-title">录音服务器</label></div>'
    page = Page(f'<div class="cbi-section-error">必填项为空</div>{row}'.encode(), "http://pbx/")
    assert page.complaint() == "录音服务器: 必填项为空"


def test_an_address_that_is_too_long_for_its_field_suggests_plain_urls() -> None:
    """What no browser would let a person type is refused before it is sent, with what helps."""
    pbx = device()
    pages = practice_app(pbx)

    async def short(scope: Any, receive: Any, send: Any) -> None:
        async def narrowed(message: Any) -> None:
            if message["type"] == "http.response.body":
                url = b'name="cbid.evtpush.all.c2url" '
                message = {**message, "body": message.get("body", b"").replace(url, url + b'maxlength="9" ')}
            elif message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                message = {**message, "headers": headers}
            await send(message)

        await pages(scope, receive, narrowed)

    with served(short) as address, PbxAdmin(address, "admin", SECRET, profile=UC, patience_s=0.1) as admin:
        admin.read("events")
        with pytest.raises(ChangeRefused, match="takes at most 9 characters") as problem:
            admin.save("events", {"cdr_url": CDR_URL})
    assert "--plain-urls" in problem.value.hint


def test_a_field_that_the_page_only_offers_is_added_to_it() -> None:
    """LuCI leaves optional fields without a value out and offers them in a list; it is as if one were empty."""
    pbx = device(language="en")
    pages = practice_app(pbx)
    row = re.compile(rb'<div class="cbi-value" id="cbi-openapi-main-pw".*?</div></div>', re.DOTALL)
    offer = b'<select name="cbi.opt.openapi.main"><option value="">-- Additional Field --</option>'
    offer += b'<option value="pw">Password</option></select>'

    async def sparing(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        request = {"type": "http.request", "body": body, "more_body": False}
        asked = b'cbi.opt.openapi.main"\r\n\r\npw' in body
        hidden = not asked and not pbx.value("openapi.main.pw")

        async def spared(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                message = {**message, "headers": headers}
            elif hidden:
                message = {**message, "body": row.sub(offer, message.get("body", b""))}
            await send(message)

        async def again() -> Any:
            return request

        await pages({**scope, "method": "GET"} if asked else scope, again, spared)

    with served(sparing) as address, PbxAdmin(address, "admin", SECRET, profile=UC, patience_s=0.3) as admin:
        assert admin.read("api")["password"] == ""
        carry_out(admin, plan(UC, {page: admin.read(page) for page in WANTED}, WANTED))
    assert pbx.running["openapi.main.pw"] == ("Correct-Horse-9",)
    assert pbx.running["openapi.main.state"] == ("1",)


# --- signing in -------------------------------------------------------------------------------------------------


def test_a_page_with_one_password_field_is_no_sign_in_page() -> None:
    """Once the sign-in page is known by its two names, a skin's API page with a lone password is not taken for it."""
    html = '<form method="post"><label>密码</label><input type="password" name="api_pw" value="x"></form>'
    page = Page(html.encode(), "http://pbx/luci/;stok=1/admin/service/api")
    assert page.sign_in_form(UC.sign_in, ("luci_username", "luci_password")) is None
    assert page.sign_in_form(UC.sign_in) is not None
    settings_page = Page(html.replace("<form", '<form name="cbi"').encode(), "http://pbx/")
    assert settings_page.sign_in_form(UC.sign_in) is None


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_wrong_password_is_tried_once(generation: str) -> None:
    """Whatever the fields are called."""
    pbx = device(generation=generation)
    with (
        served(pbx) as address,
        PbxAdmin(address, "admin", "guess", profile=UC) as admin,
        pytest.raises(SignInRefused, match="does not accept this password"),
    ):
        admin.sign_in()
    assert pbx.failures == 1


def test_a_user_who_may_not_use_the_web_admin_is_told_so() -> None:
    """LuCI answers such a user with an empty page."""
    with (
        session(device(shut_out=True)) as admin,
        pytest.raises(SignInRefused, match="does not let this user") as problem,
    ):
        admin.sign_in()
    assert "--admin-user" in problem.value.hint


def test_pages_that_a_script_draws_are_named_as_such() -> None:
    """From 2019 on no profile can help; the guide can."""
    pbx = device(drawn_by_script=True)
    with session(pbx) as admin, pytest.raises(WordingUnknown, match="drawn by a script") as problem:
        admin.read("api")
    assert "--guide" in problem.value.hint
    assert "--profile" not in problem.value.hint


def test_https_to_a_plain_port_suggests_http() -> None:
    """The usual slip on first contact: the address without its scheme, at a PBX that has no HTTPS."""
    with served(device()) as address:
        secure = address.replace("http://", "https://")
        with pytest.raises(Unreachable) as first:
            trust.fingerprint_of("127.0.0.1", int(address.rsplit(":", 1)[1]))
        admin = PbxAdmin(secure, "admin", SECRET, profile=UC, tls=trust.pinned("AB"))
        with admin, pytest.raises(Unreachable) as later:
            admin.sign_in()
    assert f"--pbx {address}" in first.value.hint
    assert f"--pbx {address}" in later.value.hint


# --- the list of changes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ("<var><ins>evtpush.all.c1=<strong>1</strong></ins></var><br />", {"evtpush.all.c1"}),
        ("<var>evtpush.all.c2url=http://a.b.c/</var><br/><var><del>nms.main.state</del></var>", {
            "evtpush.all.c2url", "nms.main.state"}),
        ("<ins>uci set nms.main.state='1'</ins>", {"nms.main.state"}),
        ("<ins><strong>nms.cfg02=server</strong><br />nms.cfg02.host=<em>x.y.z</em></ins>", {
            "nms.cfg02", "nms.cfg02.host"}),
        ("<del><strong>nms.@rule[0]</strong></del>", {"nms.@rule[0]"}),
        ("<p>что-то</p>", {ANONYMOUS}),
    ],
)  # fmt: skip
def test_the_list_of_changes_is_read_by_its_names(entries: str, names: set[str]) -> None:
    """Whatever the page's language; a value that looks like an option is not taken for one."""
    page = Page(f'<h5>#</h5><div class="a uci-change-list">{entries}</div>'.encode(), "http://pbx/")
    assert page.staged_names() == names
    assert Page(b'<ul class="changes"></ul>', "http://pbx/").staged_names() == frozenset()


# --- whatever goes wrong, in whatever order ---------------------------------------------------------------------


class Trouble:
    """A practice PBX behind which things go wrong: at the so-manieth request, this."""

    def __init__(self, pbx: PracticePbx, troubles: dict[int, str]) -> None:
        self.pbx = pbx
        self.troubles = troubles
        self.requests = 0
        self._pages = practice_app(pbx)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        trouble = self.troubles.get(self.requests, "")
        if self.pbx.gone or trouble == "gone":
            self.pbx.gone = True
        elif trouble == "somebody applies":
            self.pbx.commit()
            self.pbx.restart()
        elif trouble == "somebody discards":
            self.pbx.discard()
        elif trouble == "somebody saves":
            self.pbx.staged[STRANGERS] = ("1",)
        elif trouble == "session ends":
            self.pbx.end_sessions()
        elif trouble == "error before":
            await self._say(send, 500)
            return
        if trouble in ("cut before", "gone") or self.pbx.gone:
            await self._cut(send)
        elif trouble in ("cut after", "error after", "session ends after"):
            await self._pages(scope, receive, self._nowhere)
            await self._after(trouble, send)
        else:
            await self._pages(scope, receive, send)

    async def _after(self, trouble: str, send: Any) -> None:
        if trouble == "cut after":
            await self._cut(send)
        elif trouble == "error after":
            await self._say(send, 500)
        else:
            self.pbx.end_sessions()
            await self._say(send, 403)

    async def _nowhere(self, message: Any) -> None:
        """The answer is lost."""

    async def _cut(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"<html>", "more_body": True})

    async def _say(self, send: Any, status: int) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


TROUBLES = st.sampled_from(
    [
        *("cut before", "cut after", "error before", "error after", "session ends", "session ends after", "gone"),
        *("somebody applies", "somebody discards", "somebody saves"),
    ]
)
SEQUENCES = st.dictionaries(st.integers(1, 34), TROUBLES, max_size=4)
LASTING = st.sets(
    st.sampled_from(
        [
            *(
                Fault.APPLY_ON_SAVE,
                Fault.IGNORE_APPLY,
                Fault.REFUSE_APPLY,
                Fault.REFUSE_DISCARD,
                Fault.ALWAYS_NOTICE,
            ),
            *(
                Fault.SCRIPT_BUTTONS,
                Fault.LANGUAGES,
                Fault.SILENT_403,
                Fault.SLOW_RESTART,
                Fault.STRANGER_SAVES,
            ),
        ]
    ),
    max_size=2,
)


def saved_as(pbx: PracticePbx) -> dict[str, tuple[str, ...]]:
    """Our options as they are saved for good."""
    return {key: pbx.saved[key] for key in pbx.saved if key.startswith(("evtpush.all.c", "openapi.main."))}


def waiting(pbx: PracticePbx) -> bool:
    """Whether something of ours is staged that would change something."""
    return any(key != STRANGERS for key in pbx.staged)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(generation=st.sampled_from(sorted(GENERATIONS)), faults=LASTING, troubles=SEQUENCES)
@example(generation="2012", faults=set(), troubles={32: "session ends", 5: "session ends after"})
def test_whatever_goes_wrong_the_message_is_true(generation: str, faults: set[Fault], troubles: dict[int, str]) -> None:
    """In force, partly, staged, discarded or unknown: it is what an engineer would find on the PBX."""
    pbx = device(*faults, generation=generation)
    before = saved_as(pbx)
    trouble = Trouble(pbx, troubles)
    with served(trouble) as address, PbxAdmin(address, "admin", SECRET, profile=UC, patience_s=0.05) as admin:
        try:
            carry_out(admin, plan(admin.profile, {page: admin.read(page) for page in WANTED}, WANTED))
            state = State.IN_FORCE
        except PbxError as error:
            state = error.state
    wanted = ours_in_force(pbx) and saved_as(pbx)["evtpush.all.c2j"] == ("1",)
    if state is State.IN_FORCE:
        assert wanted
        assert not waiting(pbx)
    elif state is State.PARTLY:
        assert saved_as(pbx) != before
        assert not waiting(pbx)
    elif state is State.STAGED:
        assert waiting(pbx)
    elif state is State.DISCARDED:
        assert saved_as(pbx) == before
        assert not waiting(pbx)
    else:
        assert troubles or faults


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(generation=st.sampled_from(sorted(GENERATIONS)), faults=LASTING, troubles=SEQUENCES, known=st.booleans())
def test_whatever_goes_wrong_no_event_is_refused(
    fresh_site: Path,
    tmp_path_factory: pytest.TempPathFactory,
    generation: str,
    faults: set[Fault],
    troubles: dict[int, str],
    known: bool,
) -> None:
    """Every path that the PBX holds afterwards, in force or staged, is taken; a password that may count was told."""
    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("site") / "data"))
    pbx = device(*faults, generation=generation)
    if known:
        tokens.add_token(site, "anothers")
        for key in URLS:
            pbx.saved[key] = ("http://192.0.2.27:8181/anothers/",)
        pbx.running = dict(pbx.saved)
    trouble = Trouble(pbx, troubles)
    with served(trouble) as address, pytest.MonkeyPatch.context() as quick:
        quick.setattr("ippbx_billing.pbx.session.PATIENCE_S", 0.05)
        arguments = ["--data-dir", str(site), "configure-pbx", "--pbx", address, "--server", "192.0.2.27", "--yes"]
        result = CliRunner().invoke(app, arguments)
    assert_no_event_refused(pbx, site)
    for values in (pbx.saved, pbx.staged):
        for password in values.get("openapi.main.pw", ()):
            assert password in result.stderr


@pytest.mark.parametrize("ends_at", [2, 3, 4, 5])
def test_a_session_that_ends_right_after_signing_in_is_opened_again(ends_at: int) -> None:
    """Also where signing in takes a second page, as in 2012."""
    pbx = device(generation="2012")
    with (
        served(Trouble(pbx, {ends_at: "session ends"})) as address,
        PbxAdmin(address, "admin", SECRET, profile=UC, patience_s=0.1) as admin,
    ):
        admin.sign_in()
        assert admin.read("events")["cdr_url"] == OLD_URL


# --- by hand ----------------------------------------------------------------------------------------------------

GUIDE = ["configure-pbx", "--pbx", "http://127.0.0.1", "--server", "192.0.2.27", "--guide", "--plain-urls"]


def test_the_guide_goes_step_by_step_until_both_events_prove_it(
    cli: Cli, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value in the words of both screens; then a status event and a call record end it."""
    monkeypatch.setattr(pbx_access, "attended", lambda: True)
    with Service(site) as service:
        ports = [url.rsplit(":", 1)[1].strip("/") for url in (service.cdr_url, service.status_url)]
        events = threading.Thread(target=both_events, args=[service])
        events.start()
        result = cli(*[*GUIDE, "--cdr-port", ports[0], "--status-port", ports[1], "--wait", "30"], stdin="\n" * 4)
        events.join()
    assert result.exit_code == 0, result.output
    for words in ("服务对接 / Service Integration", "话单信息 / CDR Information", "保存 / Save", "应用 / Apply"):
        assert words in result.stdout
    assert f"http://192.0.2.27:{ports[0]}/" in result.stdout
    assert "status from 127.0.0.1" in result.stdout
    assert "call of 8001" in result.stdout
    assert "both kinds of events arrive" in result.stderr


def both_events(service: Service) -> None:
    """A test call as a PBX tells it: ringing, then the record."""
    time.sleep(1)
    service.post(b'{"uuid": "1", "state": "ringing"}', door="status")
    service.post(gateway_cdr("8001", "958674577", 64))


def test_the_guide_says_what_is_missing(cli: Cli, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No listener at all; then one to which only the call records come."""
    monkeypatch.setattr(pbx_access, "attended", lambda: True)
    monkeypatch.setattr("ippbx_billing.cli.pbx.guide.MISSING_AFTER_S", 0.1)
    closed = cli(*GUIDE, "--cdr-port", "9", "--status-port", "9", "--wait", "1", stdin="\n" * 4)
    assert closed.exit_code == 1
    assert "start `ippbx-bill listen`" in closed.stdout
    assert "no status came within 1 s" in closed.stderr


def told_missing(seen: set[str], refused: dict[str, int]) -> str:
    """What is said while no status event comes."""
    before = {"status": {"refused": {"stranger": 1}}, "cdr": {}}
    return "; ".join(missing(UC, "status", seen, {"status": {"refused": refused}, "cdr": {}}, before))


def test_what_is_missing_follows_from_what_came() -> None:
    """Refused deliveries by their reason; the other kind alone points at the page; nothing at all at the button."""
    assert "refused 2 deliveries: the sender is not in `allow`" in told_missing(set(), {"stranger": 3})
    assert "look at this one on the PBX's page: 呼叫状态 / Call Status" in told_missing({"cdr"}, {"stranger": 1})
    assert "was 应用 / Apply pressed?" in told_missing(set(), {"stranger": 1})
