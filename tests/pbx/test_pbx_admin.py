"""Driving a PBX's web admin by the words on its screens."""

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippbx_billing import language as texts
from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.pbx import remembered, tokens, trust
from ippbx_billing.pbx.forms import Form
from ippbx_billing.pbx.pages import APPLY, Page
from ippbx_billing.pbx.plan import carry_out, plan
from ippbx_billing.pbx.problems import (
    CertificateChanged,
    ChangeRefused,
    PbxError,
    SessionExpired,
    SignInRefused,
    StagedBefore,
    Unreachable,
    WordingUnknown,
)
from ippbx_billing.pbx.profile import load_profile, wording
from ippbx_billing.pbx.session import PbxAdmin
from ippbx_billing.simulation.practice_pbx import Firmware, PracticeFault, PracticePbx
from ippbx_billing.simulation.practice_pbx.identity import certificate, fingerprint
from ippbx_billing.simulation.practice_pbx.pages import PracticePages
from ippbx_billing.simulation.practice_pbx.state import Session
from tests.practice import served, served_with

UC = load_profile("uc")
URL = "http://pbx/luci/;stok=7f/admin/service/events"
CDR_URL = "http://192.168.6.27:8181/s3cret/"
STATUS_URL = "http://192.168.6.27:8182/s3cret/"
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


@contextmanager
def session(pbx: PracticePbx, password: str = "admin", patience_s: float = 0.2) -> Iterator[PbxAdmin]:
    with served(pbx) as address, PbxAdmin(address, "admin", password, profile=UC, patience_s=patience_s) as admin:
        yield admin


def configure(pbx: PracticePbx, **more: Any) -> None:
    with session(pbx, **more) as admin:
        admin.sign_in()
        carry_out(admin, plan(admin.profile, {page: admin.read(page) for page in WANTED}, WANTED))


def events_form(html: str) -> Form:
    return Page(html.encode(), URL).form_with(UC.pages["events"])


# --- profiles ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["URL上报", " url 上报：", "ＵＲＬ上报", "URL上报 *"])
def test_a_label_is_known_however_it_is_spaced_and_ended(text: str) -> None:
    """Skins differ in spaces, width, case, and what follows a label; people read the same word."""
    assert UC.pages["events"].fields["cdr_url"].label.knows(text)


def test_other_wording_is_a_file_with_only_what_differs(tmp_path: Path) -> None:
    """A firmware that says something else needs a few lines of data and no code."""
    own = tmp_path / "own.toml"
    own.write_text('base = "uc"\n[pages.events.fields.cdr]\nlabel = { zh = ["通话详单"] }\n', encoding="utf-8")
    profile = load_profile(str(own))
    cdr = profile.pages["events"].fields["cdr"]
    assert cdr.label.knows("通话详单")
    assert not cdr.label.knows("话单信息")
    assert cdr.kind == "switch"
    assert profile.pages["api"] == UC.pages["api"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no toml at all = = ", "not valid TOML"),
        ('base = "uc"\n[pages.events.fields.cdr]\nkind = "wheel"\n', "the kind of cdr"),
        ('base = "uc"\n[pages.events.fields.cdr_url]\nunder = "nobody"\n', "names no field"),
        ('base = "uc"\n[words]\nsave = { zh = [], en = [] }\n', "at least one name"),
        ('title = "empty"\n', "sign_in"),
    ],
)
def test_a_wrong_profile_is_named(tmp_path: Path, text: str, said: str) -> None:
    """The engineer who writes a profile hears which file and which key."""
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said) as problem:
        load_profile(str(own))
    assert "own.toml" in problem.value.message


def test_a_profile_that_is_not_there_is_named() -> None:
    """A slip in --profile is not taken for the usual profile."""
    with pytest.raises(DataError, match="no PBX profile uk"):
        load_profile("uk")


# --- reading pages ----------------------------------------------------------------------------------------------

ROWS = """<form method="post" name="cbi" action="" enctype="multipart/form-data">
  <input type="hidden" name="cbi.submit" value="1">{rows}<input type="submit" value="保存"></form>"""


def row(label: str, name: str, control: str) -> str:
    return (
        f'<div class="cbi-value" id="cbi-{name}"><label class="cbi-value-title" for="cbid.{name}">{label}</label>'
        f'<div class="cbi-value-field">{control.format(name=f"cbid.{name}")}</div></div>'
    )


SWITCH = '<input type="checkbox" id="{name}" name="{name}" value="yes">'
ON = '<input type="checkbox" id="{name}" name="{name}" value="yes" checked>'
TEXT = '<input type="text" id="{name}" name="{name}" value="http://{name}/">'
CDR_FIRST = "".join(
    [
        row("话单信息", "a", SWITCH),
        row("URL上报", "b", ON + '<input name="cbid.b2" value="http://old-cdr/">'),
        row("Json格式", "c", SWITCH),
        row("呼叫状态", "d", ON),
        row("URL上报", "e", SWITCH),
        row("", "e2", '<input name="cbid.e2" value="http://old-status/">'),
        row("Json格式", "f", ON),
    ]
)


def test_a_label_used_twice_belongs_to_the_heading_above_it() -> None:
    """Whichever of the two kinds comes first, and whether the URL shares the switch's row or has its own."""
    form = events_form(ROWS.format(rows=CDR_FIRST))
    assert [form.value(key) for key in ("cdr", "cdr_report", "cdr_url", "cdr_json")] == [
        *(False, True, "http://old-cdr/", False)
    ]
    assert [form.value(key) for key in ("status", "status_report", "status_url", "status_json")] == [
        *(True, False, "http://old-status/", True)
    ]


def test_setting_one_field_sends_all_others_as_they_were() -> None:
    """Only the field that was meant differs in what goes back."""
    before = events_form(ROWS.format(rows=CDR_FIRST)).submission(UC.words["save"]).fields
    form = events_form(ROWS.format(rows=CDR_FIRST))
    form.set("cdr_url", CDR_URL)
    after = form.submission(UC.words["save"]).fields
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        (("cbid.b2", "http://old-cdr/"), ("cbid.b2", CDR_URL))
    ]


def test_a_switch_is_sent_with_its_own_value_or_not_at_all() -> None:
    """The value of a checkbox is not always 1; one that is off is absent."""
    form = events_form(ROWS.format(rows=CDR_FIRST))
    form.set("cdr", True)
    form.set("status", False)
    fields = dict(form.submission(UC.words["save"]).fields)
    assert fields["cbid.a"] == "yes"
    assert "cbid.d" not in fields


def test_a_switch_drawn_as_a_list_is_a_switch() -> None:
    """Some skins draw on and off as a list of two."""
    choice = '<select name="{name}"><option value="0">关</option><option value="1" selected>开</option></select>'
    form = events_form(ROWS.format(rows=row("呼叫状态", "x", choice)))
    assert form.value("status") is True
    form.set("status", False)
    assert ("cbid.x", "0") in form.submission(UC.words["save"]).fields


def test_only_the_tab_that_is_meant_is_read() -> None:
    """All tabs are in the page, and the others use the same labels."""
    tabs = "".join(
        f'<li id="tab.e.s.{name}"><a href="#">{label}</a></li>' for name, label in (("sip", "SIP"), ("sys", "系统"))
    )
    other = row("呼叫状态", "z", SWITCH) + row("URL上报", "y", TEXT)
    bodies = (
        f'<div id="container.e.s.sip">{other}</div><div id="container.e.s.sys" style="display:none">{CDR_FIRST}</div>'
    )
    form = events_form(f"<ul>{tabs}</ul>" + ROWS.format(rows=bodies))
    assert form.value("status") is True
    assert form.value("cdr_url") == "http://old-cdr/"
    assert ("cbid.y", "http://cbid.y/") in form.submission(UC.words["save"]).fields


def test_a_missing_tab_is_named() -> None:
    """A page whose tabs are called otherwise is not read by guess."""
    page = '<ul><li id="tab.e.s.x"><a>Système</a></li></ul>' + ROWS.format(
        rows=f'<div id="container.e.s.x">{CDR_FIRST}</div>'
    )
    with pytest.raises(WordingUnknown, match=r"no tab System \(系统\)"):
        events_form(page)


def test_a_field_that_is_there_twice_is_not_chosen_by_guess() -> None:
    """Better no change than one in the wrong field."""
    form = events_form(ROWS.format(rows=CDR_FIRST + row("呼叫状态", "again", SWITCH)))
    with pytest.raises(WordingUnknown, match=r"Call Status \(呼叫状态\) 2 times"):
        form.value("status")


def test_a_field_that_is_missing_is_named_as_on_the_screen() -> None:
    """The engineer can look for it on the page at once."""
    form = events_form(ROWS.format(rows=row("呼叫状态", "d", ON) + row("话单信息", "e", ON)))
    with pytest.raises(
        WordingUnknown, match=r"no field CDR Information \(话单信息\) · URL Report \(URL上报\)"
    ) as problem:
        form.value("cdr_url")
    assert "--profile" in problem.value.hint
    assert "--guide" in problem.value.hint


SUBMITTED = """<form method="post" action="?a=1" enctype="multipart/form-data">
 <input name="plain" value="a&amp;b"><input name="empty"><input name="nameless-value" value="">
 <input type="hidden" name="token" value="t"><input type="checkbox" name="off" value="1">
 <input type="checkbox" name="on" checked><input type="radio" name="r" value="1"><input type="radio" name="r" value="2"
 checked><input name="gone" disabled value="x"><fieldset disabled><input name="gone2" value="x"></fieldset>
 <input type="file" name="upload"><input type="button" name="b" value="b"><input type="reset" name="rs">
 <select name="none"><option>first</option><option value="2">second</option></select>
 <select name="one"><option value="1">1</option><option value="2" selected>2</option></select>
 <select name="many" multiple><option value="1" selected>1<option value="2">2<option value="3" selected>3</select>
 <input name="list" value="x"><input name="list" value="y"><textarea name="area">
a
b</textarea><input type="submit" name="cbi.apply" value="保存并应用">
<button name="save" value="s">保存</button></form>"""


def test_a_form_is_sent_as_a_browser_sends_it() -> None:
    """Every control by the rules of HTML: what a browser would leave out we leave out, and nothing else."""
    page = Page(SUBMITTED.encode(), "http://pbx/p")
    request = Form(page, page.root.forms[0], UC.pages["api"]).submission(UC.words["save"])
    assert request.method == "POST"
    assert request.multipart
    assert request.url == "http://pbx/p?a=1"
    assert request.fields == (
        *(("plain", "a&b"), ("empty", ""), ("nameless-value", ""), ("token", "t"), ("on", "on"), ("r", "2")),
        *(("none", "first"), ("one", "2"), ("many", "1"), ("many", "3"), ("list", "x"), ("list", "y")),
        *(("area", "a\r\nb"), ("save", "s")),
    )


def test_a_save_button_that_would_also_apply_is_not_pressed_by_name() -> None:
    """What is saved must be staged first; a skin may have put the word on LuCI's other button."""
    html = '<form name="cbi" method="post"><input type="submit" name="cbi.apply" value="保存"></form>'
    page = Page(html.encode(), URL)
    assert Form(page, page.root.forms[0], UC.pages["api"]).submission(UC.words["save"]).fields == ()


VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(max_examples=40, deadline=None)
@given(first=VALUE, second=VALUE, remark=VALUE, language=st.sampled_from(["zh", "en"]))
def test_whatever_stands_in_other_fields_comes_back(first: str, second: str, remark: str, language: str) -> None:
    """Lists, texts and areas with any content survive a change of another field."""
    pbx = PracticePbx(Firmware(language=language, extra_fields=True))
    pbx.saved["openapi.main.peers"] = tuple(part for part in (first, second) if part)
    pbx.saved["openapi.main.remark"] = (remark,) if remark else ()
    screen = next(one for one in pbx.screens() if one.node == "admin/service/api")
    html = PracticePages(pbx).screen(Session(), screen, [])
    form = Page(html.encode(), "http://pbx/luci/;stok=7f/admin/service/api").form_with(UC.pages["api"])
    form.set("password", "changed")
    assert pbx.save(screen, form.submission(UC.words["save"]).fields) == []
    assert pbx.staged == {"openapi.main.pw": ("changed",)}


MENU = """<ul><li><a href="/s/feature">扩展业务</a><ul><li><a href="/s/feature/api">API</a></li></ul></li>
<li><div class="title"><i></i><span>服务对接</span></div><ul style="display:none"><li><a href="/s/service/api">
<i class="icon"></i> API</a></li><li><a href="/s/service/events">事件上报</a></li></ul></li>
<li><a href="/s/apply">应用</a></li></ul>"""


def test_a_menu_entry_is_found_below_its_parent() -> None:
    """Another group has an entry of the same name; a folded group counts as well."""
    page = Page(MENU.encode(), "http://pbx/s/")
    assert page.menu_link(UC.pages["api"].menu) == "http://pbx/s/service/api"
    assert page.menu_link(UC.pages["events"].menu) == "http://pbx/s/service/events"


def test_a_menu_without_the_parent_has_no_such_entry() -> None:
    """An API page of another group is not ours."""
    page = Page(MENU.replace("服务对接", "对接").encode(), "http://pbx/s/")
    assert page.menu_link(UC.pages["api"].menu) is None


BAR = '<div><span>未应用的配置!</span><a href="/x/1">应用</a><a href="/x/2">放弃</a></div>'


def test_the_button_beside_the_notice_is_meant() -> None:
    """A menu may have an entry that is called 应用 too."""
    page = Page((MENU + BAR).encode(), "http://pbx/s/")
    assert page.staged(UC)
    found = page.action(UC.words["apply"], APPLY, UC.words["staged"])
    assert found is not None
    assert found.url == "http://pbx/x/1"


def test_a_page_without_notice_has_nothing_staged() -> None:
    """Neither a menu entry called 应用 nor a hidden bar says that changes wait."""
    hidden = BAR.replace("<div>", '<div style="display: none">')
    assert not Page((MENU + hidden).encode(), "http://pbx/s/").staged(UC)


@pytest.mark.parametrize(
    "bar",
    [
        '<a href="/l/;stok=1/admin/uci/saveapply">?</a>',
        '<input type="button" value="?" onclick="location.href=\'/l/;stok=1/admin/uci/saveapply\'">',
        '<form method="get" action="/l/;stok=1/admin/uci/saveapply"><input type="submit" value="?"></form>',
    ],
)
def test_apply_is_known_by_its_address_whatever_it_is_called(bar: str) -> None:
    """LuCI's own addresses for applying are public; a skin may rename and redraw the button."""
    found = Page(bar.encode(), "http://pbx/l/").action(UC.words["apply"], APPLY, UC.words["staged"])
    assert found is not None
    assert (found.method, found.url) == ("GET", "http://pbx/l/;stok=1/admin/uci/saveapply")


def test_a_post_to_apply_carries_its_token() -> None:
    """Newer firmwares take no link for it."""
    bar = (
        '<form method="post" action="/l/admin/uci/saveapply"><input type="hidden" name="token" value="t">'
        "<button>应用</button></form>"
    )
    found = Page(bar.encode(), "http://pbx/").action(UC.words["apply"], APPLY, UC.words["staged"])
    assert found is not None
    assert (found.method, found.fields) == ("POST", (("token", "t"),))


@pytest.mark.parametrize(
    "content", [b"", b"   ", b"\x00\xff\xfe", b"<", b"<?xml version='1.0' encoding='gbk'?>", b"{}"]
)
def test_any_answer_is_a_page(content: bytes) -> None:
    """A PBX may answer with nothing or with rubbish; it is a page on which nothing is found."""
    page = Page(content, URL)
    assert page.menu_link(UC.pages["api"].menu) is None
    assert page.sign_in_form(UC.sign_in) is None
    with pytest.raises(WordingUnknown):
        page.form_with(UC.pages["api"])


def test_a_page_in_the_coding_it_declares() -> None:
    """Older Chinese firmwares write GBK."""
    html = f'<html><head><meta charset="gbk"></head><body>{ROWS.format(rows=CDR_FIRST)}</body></html>'
    assert Page(html.encode("gbk"), URL).form_with(UC.pages["events"]).value("status") is True


# --- sessions ---------------------------------------------------------------------------------------------------

FIRMWARES = {
    "newer, Chinese": Firmware(),
    "English": Firmware(language="en"),
    "older, without tokens": Firmware(token=False),
    "list of changes": Firmware(bar_of_links=True),
    "list of changes, without tokens": Firmware(bar_of_links=True, token=False, language="en"),
    "folded menu": Firmware(folded_menu=True),
    "fields in another order": Firmware(turned_round=True),
    "fields nobody told us of": Firmware(extra_fields=True),
    "cookie for the script": Firmware(cookie_path="script"),
    "cookie for everything": Firmware(cookie_path="root"),
    "plain OpenWrt address": Firmware(script="/cgi-bin/luci", folded_menu=True, extra_fields=True),
    "services restarted at once": Firmware(restart_by_script=False),
}


@pytest.mark.parametrize("firmware", FIRMWARES.values(), ids=FIRMWARES.keys())
def test_every_firmware_ends_as_wanted_and_nothing_else_is_touched(firmware: Firmware) -> None:
    """What was wanted is in force, not merely saved; every other setting is as it was; a second run does nothing."""
    pbx = PracticePbx(firmware)
    before = dict(pbx.saved)
    configure(pbx)
    reports = pbx.reports()
    assert (reports["cdr"].url, reports["cdr"].json) == (CDR_URL, True)
    assert (reports["status"].url, reports["status"].json) == (STATUS_URL, True)
    assert pbx.running["openapi.main.pw"] == ("Correct-Horse-9",)
    assert pbx.running["openapi.main.state"] == ("1",)
    assert pbx.staged == {}
    ours = {key for key in before if key.startswith(("evtpush.all.c", "openapi.main.state", "openapi.main.pw"))}
    assert {key: value for key, value in pbx.running.items() if key not in ours} == {
        key: value for key, value in before.items() if key not in ours
    }
    with session(pbx) as admin:
        again = plan(admin.profile, {page: admin.read(page) for page in WANTED}, WANTED)
    assert not [change for change in again if change.needed]


def test_a_renamed_label_works_through_a_profile(tmp_path: Path) -> None:
    """Without the profile nothing is changed and the label is named; with it the same firmware is configured."""
    firmware = Firmware(renamed={"话单信息": "通话详单", "应用": "立即生效"})
    pbx = PracticePbx(firmware)
    with pytest.raises(WordingUnknown, match="话单信息"):
        configure(pbx)
    assert pbx.staged == {}
    own = tmp_path / "own.toml"
    own.write_text('base = "uc"\n[pages.events.fields.cdr]\nlabel.zh = ["通话详单"]\n', encoding="utf-8")
    with served(pbx) as address, PbxAdmin(address, "admin", "admin", profile=load_profile(str(own))) as admin:
        carry_out(admin, plan(admin.profile, {page: admin.read(page) for page in WANTED}, WANTED))
    assert pbx.reports()["cdr"].url == CDR_URL


FAILURES: dict[PracticeFault, tuple[type[PbxError], str, str]] = {
    PracticeFault.IGNORE_SAVE: (
        ChangeRefused,
        "did not take the values",
        "Nothing was applied; what had been saved was disca",
    ),
    PracticeFault.REFUSE_APPLY: (ChangeRefused, "系统忙", "Nothing was applied; what had been saved was discarded."),
    PracticeFault.IGNORE_APPLY: (
        ChangeRefused,
        "did not apply",
        "Nothing was applied; what had been saved was discarded.",
    ),
    PracticeFault.CUT_AFTER_SAVE: (Unreachable, "was cut", "Nothing was applied; what had been saved was discarded."),
    PracticeFault.EXPIRE_EVERY_SAVE: (
        SessionExpired,
        "ended the session twice",
        "Nothing was applied; what had been saved was",
    ),
}


@pytest.mark.parametrize("fault", FAILURES)
def test_a_failure_half_way_leaves_the_pbx_as_it_was(fault: PracticeFault) -> None:
    """Nothing is in force and nothing staged, and the message says both what happened and what was done."""
    pbx = PracticePbx(Firmware(faults=frozenset({fault})))
    before = dict(pbx.running)
    kind, happened, done = FAILURES[fault]
    with pytest.raises(kind, match=happened) as problem:
        configure(pbx)
    assert done in problem.value.message
    assert problem.value.hint
    assert not problem.value.in_force
    assert (pbx.running, pbx.saved, pbx.staged) == (before, before, {})


def test_a_pbx_that_is_gone_after_a_save_is_told_of() -> None:
    """What cannot be undone is said, with the command that undoes it later; then that command works."""
    pbx = PracticePbx(Firmware(faults=frozenset({PracticeFault.GONE_AFTER_SAVE})))
    before = dict(pbx.running)
    with pytest.raises(Unreachable, match="could not be discarded") as problem:
        configure(pbx)
    assert "pbx discard" in problem.value.hint
    assert pbx.running == before
    assert pbx.staged
    pbx.gone = False
    with session(pbx) as admin:
        admin.discard()
    assert pbx.staged == {}


def test_a_discard_that_is_refused_is_told_of() -> None:
    """Two failures at once: still nothing is in force, and the message does not claim more than happened."""
    pbx = PracticePbx(Firmware(faults=frozenset({PracticeFault.REFUSE_APPLY, PracticeFault.REFUSE_DISCARD})))
    before = dict(pbx.running)
    with pytest.raises(ChangeRefused, match="Nothing was applied, but what was saved could not be discarded"):
        configure(pbx)
    assert pbx.running == before
    assert pbx.staged


def test_an_interrupted_run_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between the pages: what was saved so far is discarded."""
    pbx = PracticePbx()
    save = PbxAdmin.save

    def interrupted(admin: PbxAdmin, page: str, values: Any) -> None:
        save(admin, page, values)
        assert pbx.staged
        raise KeyboardInterrupt

    monkeypatch.setattr(PbxAdmin, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        configure(pbx)
    assert pbx.staged == {}


def test_a_connection_cut_while_applying_is_told_as_it_is() -> None:
    """The changes are saved for good, and whether the services know of them nobody saw."""
    pbx = PracticePbx(Firmware(faults=frozenset({PracticeFault.CUT_AFTER_APPLY})))
    with pytest.raises(Unreachable, match="whether the PBX restarted its services could not be seen") as problem:
        configure(pbx)
    assert problem.value.in_force
    assert pbx.staged == {}
    assert pbx.saved["evtpush.all.c2url"] == (CDR_URL,)


def test_a_session_that_ends_in_mid_way_is_opened_again() -> None:
    """One redirect to the sign-in page costs nothing but a second sign-in."""
    pbx = PracticePbx(Firmware(faults=frozenset({PracticeFault.EXPIRE_ON_SAVE})))
    configure(pbx)
    assert pbx.reports()["cdr"].url == CDR_URL


def test_a_session_that_expired_between_two_readings_is_opened_again() -> None:
    """The page read is the page, not the sign-in form."""
    pbx = PracticePbx()
    with session(pbx) as admin:
        first = admin.read("events")
        pbx.end_sessions()
        assert admin.read("events") == first


def test_a_wrong_password_is_tried_once() -> None:
    """Nothing is read or changed, and one attempt is all it costs, because a PBX locks after some."""
    pbx = PracticePbx()
    before = dict(pbx.running)
    with pytest.raises(SignInRefused, match="does not accept this password for admin"):
        configure(pbx, password="guess")
    assert pbx.failures == 1
    assert (pbx.running, pbx.staged) == (before, {})


def test_a_locked_account_is_told_of() -> None:
    """After three failures even the right password is refused, and the message says why."""
    pbx = PracticePbx(Firmware(lock_after=3))
    for _ in range(2):
        with pytest.raises(SignInRefused, match="does not accept"):
            configure(pbx, password="guess")
    for password in ("guess", "admin"):
        with pytest.raises(SignInRefused, match="has locked the account admin") as problem:
            configure(pbx, password=password)
    assert "wait" in problem.value.hint
    assert pbx.staged == {}


def test_a_password_never_appears_in_a_message() -> None:
    """Whatever goes wrong, neither message nor repr shows the secret."""
    pbx = PracticePbx()
    with session(pbx, password="hunter2-secret") as admin, pytest.raises(SignInRefused) as problem:
        admin.sign_in()
    assert "hunter2" not in problem.value.message + problem.value.hint + repr(admin) + repr(vars(problem.value))


def test_a_page_in_another_language_is_told_of() -> None:
    """No field is found by its zh or en name; the page's own language is named, and nothing is changed."""
    french = {
        "状态": "État",
        "密码": "Mot de passe",
        "呼叫状态": "Appels",
        "话单信息": "CDR détaillés",
        "URL上报": "Envoi",
        "Json格式": "Au format",
    }
    pbx = PracticePbx(Firmware(renamed=french, spoken="fr"))
    before = dict(pbx.running)
    with pytest.raises(WordingUnknown, match="its language is 'fr'") as problem:
        configure(pbx)
    assert "--profile" in problem.value.hint
    assert (pbx.running, pbx.staged) == (before, {})


def test_a_menu_in_other_words_is_told_of() -> None:
    """The path that was looked for is named as the screen has it."""
    pbx = PracticePbx(Firmware(renamed={"服务对接": "Intégration"}))
    with pytest.raises(WordingUnknown, match=r"no entry Service Integration \(服务对接\) → API"):
        configure(pbx)
    assert pbx.staged == {}


def test_changes_of_somebody_else_are_neither_applied_nor_lost() -> None:
    """What waits already is not ours; we stop before we touch anything."""
    pbx = PracticePbx()
    pbx.staged["nms.main.state"] = ("1",)
    with pytest.raises(StagedBefore, match="Nothing was changed"):
        configure(pbx)
    assert pbx.staged == {"nms.main.state": ("1",)}


def test_a_value_the_pbx_does_not_take_is_told_with_its_own_words() -> None:
    """The page marks the field; nothing stays behind."""
    pbx = PracticePbx()
    with session(pbx) as admin, pytest.raises(ChangeRefused, match="密码: 输入值无效"):
        admin.save("api", {"password": "x" * 33})
    assert pbx.staged == {}


def test_an_address_without_a_pbx_is_told_of() -> None:
    """A web server that asks for no password is not a PBX."""

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"It works!"})

    with (
        served(plain) as address,
        PbxAdmin(address, "admin", "admin", profile=UC) as admin,
        pytest.raises(WordingUnknown, match="shows no page to sign in to"),
    ):
        admin.sign_in()


def test_nothing_follows_a_redirect_to_somewhere_else() -> None:
    """A password goes to the address that was given and nowhere else."""

    async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"location", b"https://192.0.2.7/luci/")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    with (
        served(elsewhere) as address,
        PbxAdmin(address, "admin", "admin", profile=UC) as admin,
        pytest.raises(PbxError, match=r"leads to https://192\.0\.2\.7; nothing is sent there"),
    ):
        admin.sign_in()


def test_a_closed_port_is_told_of() -> None:
    """Nobody there is said in a sentence with the address."""
    with (
        PbxAdmin("http://127.0.0.1:9", "admin", "admin", profile=UC) as admin,
        pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9 cannot be reached"),
    ):
        admin.sign_in()


# --- certificates -----------------------------------------------------------------------------------------------


def test_a_certificate_is_known_by_its_fingerprint() -> None:
    """The one that was seen lets us in; another stops us before a byte is sent; an authority does as well."""
    pbx = PracticePbx()
    with certificate("127.0.0.1") as files, served_with(files, pbx) as address:
        port = int(address.rsplit(":", 1)[1])
        seen = trust.fingerprint_of("127.0.0.1", port)
        assert seen == fingerprint(files[0])
        for tls in (trust.pinned(seen), trust.signed_by(files[0])):
            with PbxAdmin(address, "admin", "admin", profile=UC, tls=tls) as admin:
                assert admin.read("api")["enabled"] is False
        other = trust.pinned(trust.normal_fingerprint("0" * 64))
        with (
            PbxAdmin(address, "admin", "wrong", profile=UC, tls=other) as admin,
            pytest.raises(CertificateChanged, match="Nothing was sent") as problem,
        ):
            admin.sign_in()
    assert seen in problem.value.message
    assert "--fingerprint" in problem.value.hint
    assert pbx.failures == 0


def test_an_unknown_certificate_is_not_trusted() -> None:
    """Without fingerprint and authority a self-signed certificate is refused."""
    with (
        certificate("127.0.0.1") as files,
        served_with(files, PracticePbx()) as address,
        PbxAdmin(address, "admin", "admin", profile=UC) as admin,
        pytest.raises(Unreachable, match=r"(?i)certificate"),
    ):
        admin.sign_in()


def test_a_fingerprint_is_taken_as_people_copy_it() -> None:
    """Colons, spaces, case and the algorithm's name do not matter; anything else is refused."""
    whole = ":".join(["AB"] * 32)
    for text in (whole, whole.lower(), "SHA256:" + whole, "ab " * 32, "sha-256=" + "ab" * 32):
        assert trust.normal_fingerprint(text) == whole
    for text in ("", "AB:CD", "xy" * 32, "ab" * 33):
        with pytest.raises(UsageError, match="not a SHA-256 fingerprint"):
            trust.normal_fingerprint(text)


def test_an_authority_that_is_no_file_is_told_of(tmp_path: Path) -> None:
    """A slip in --ca is a sentence."""
    with pytest.raises(UsageError, match="certificate authority"):
        trust.signed_by(tmp_path / "nothing.pem")


# --- what is kept -----------------------------------------------------------------------------------------------


def test_a_pbx_is_remembered_for_its_owner_only(tmp_path: Path) -> None:
    """Several PBXs, the last one first; any character survives; the file is 0600; a repr shows no password."""
    first = remembered.Remembered("https://a", "admin", "AB:CD", admin_password='q"uo\\te\n\x7f中')
    second = remembered.Remembered("https://b", "root", api_password="s")
    remembered.save(tmp_path, first)
    remembered.save(tmp_path, second)
    assert remembered.load(tmp_path) == [second, first]
    assert remembered.recall(tmp_path) == second
    assert remembered.recall(tmp_path, "https://a") == first
    assert remembered.recall(tmp_path, "https://c") == remembered.Remembered("https://c")
    assert stat.S_IMODE((tmp_path / "pbx.toml").stat().st_mode) == 0o600
    assert "uo" not in repr(first)
    remembered.save(tmp_path, replace(first, fingerprint="EF"))
    assert [one.address for one in remembered.load(tmp_path)] == ["https://a", "https://b"]


def test_a_broken_memory_is_named(tmp_path: Path) -> None:
    """A file somebody has edited badly is not taken for an empty one."""
    (tmp_path / "pbx.toml").write_text("= nonsense", encoding="utf-8")
    with pytest.raises(DataError, match=r"pbx\.toml cannot be read"):
        remembered.load(tmp_path)


def test_without_tokens_every_path_is_taken() -> None:
    """An installation without secret paths goes on as before."""
    assert tokens.accepts("/", frozenset())
    assert tokens.accepts("/anything/at/all", frozenset())


def test_with_a_token_only_its_paths_are_taken() -> None:
    """The first part of the path must be a token, whole."""
    known = frozenset({"abc", "def"})
    assert all(tokens.accepts(path, known) for path in ("/abc/", "/abc", "/def/x?uuid=1", "//abc/", "/abc?x"))
    assert not any(tokens.accepts(path, known) for path in ("/", "", "/ab/", "/abcd/", "/x/abc/", "/ABC/", "/äbc/"))


def test_tokens_are_kept_for_their_owner_and_can_go(tmp_path: Path) -> None:
    """Adding and removing; without any the file is gone and every path is taken again."""
    assert tokens.known_tokens(tmp_path) == frozenset()
    token = tokens.new_token()
    tokens.add_token(tmp_path, token)
    tokens.add_token(tmp_path, "second")
    assert tokens.known_tokens(tmp_path) == {token, "second"}
    assert stat.S_IMODE((tmp_path / "tokens").stat().st_mode) == 0o600
    tokens.remove_token(tmp_path, token)
    tokens.remove_token(tmp_path, "unknown")
    assert tokens.known_tokens(tmp_path) == {"second"}
    tokens.remove_token(tmp_path, "second")
    assert not (tmp_path / "tokens").exists()


def test_the_listener_loads_nothing_of_the_web_admin() -> None:
    """Knowing the tokens costs it neither an HTTP client nor an HTML parser."""
    program = "import sys, ippbx_billing.pbx.tokens; print({'httpx', 'lxml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "set()"


def test_tokens_differ_and_fit_into_a_url() -> None:
    """A hundred of them share nothing, and each is plain letters and digits."""
    made = {tokens.new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("[a-z2-9]{20}", token) for token in made)
    assert tokens.token_in("http://10.0.0.1:8181/abc/") == "abc"
    assert tokens.token_in("http://10.0.0.1:8181/") == ""


def test_names_are_shown_with_the_chinese_ones_beside_them() -> None:
    """Most screens are Chinese, whatever language the engineer reads."""
    label = UC.pages["api"].fields["password"].label
    assert label.shown("en") == "Password (密码)"
    assert label.shown("zh") == "密码"
    texts.use("en")
    assert wording(" Json 格式: ") == "json格式"
