"""What an attacker tries: guessing, fixation, forged forms, scripts in names, redirects, paths, large bodies."""

import re
from pathlib import Path

import pytest

from ippbx_billing.console.frame import inner_path
from ippbx_billing.console.pages import ways
from ippbx_billing.operators import OperatorFile, Role
from ippbx_billing.settings import load
from tests.console.visitor import BASE, PASSWORD, Clock, Visitor, operator


def entries(site: Path, action: str) -> int:
    with OperatorFile(load(site).operators_path) as file:
        return len(list(file.log.entries(action=action, limit=None)))


def test_nobody_comes_in_without_signing_in(visitor: Visitor) -> None:
    """Every way that is not for everybody leads to the sign-in, and changes nothing."""
    for way in ways():
        if way.least is None:
            continue
        path = re.sub(r"\{\w+:int\}", "1", way.path)
        answer = visitor.post(path, follow=False) if way.post else visitor.get(path, follow=False)
        assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), path


def test_every_way_that_changes_something_takes_a_form(visitor: Visitor) -> None:
    """A GET never changes anything: the same path asked for without a form is not a page, or another one."""
    only_posts = {way.path for way in ways() if way.post} - {way.path for way in ways() if not way.post}
    assert only_posts
    for path in only_posts:
        assert visitor.get(re.sub(r"\{\w+(:int)?\}", "1", path)).status in (404, 405), path


def test_the_roles_hold(visitor: Visitor) -> None:
    """Whoever has too low a role is told so, by every way."""
    visitor.sign_in("emil")
    for way in ways():
        if way.least in (None, Role.EMPLOYEE):
            continue
        path = re.sub(r"\{\w+:int\}", "1", way.path)
        assert (visitor.post(path) if way.post else visitor.get(path)).status == 403, path


def test_guessing_is_slowed_down_and_tells_nothing(visitor: Visitor, clock: Clock, office: Path) -> None:
    """Names that are and are not get the same answers; after some tries nobody gets in, not even with the password."""
    answers: dict[str, list[tuple[int, str]]] = {}
    for name in ("victor", "nobody"):
        answers[name] = []
        for _ in range(7):
            answer = visitor.sign_in(name, "wrong password")
            answers[name].append((answer.status, answer.text.replace(name, "NAME")))
    assert answers["victor"] == answers["nobody"]
    assert [status for status, _ in answers["victor"]] == [403] * 5 + [429] * 2
    assert visitor.sign_in("victor").status == 429
    clock.pass_(minutes=61)
    assert visitor.sign_in("victor").status == 200
    assert entries(office, "sign-in refused") == 15


def test_an_address_is_slowed_down_whatever_names_it_tries(visitor: Visitor) -> None:
    """Thirty names from one address are enough."""
    statuses = [visitor.sign_in(f"name{number}", "x").status for number in range(31)]
    assert statuses == [403] * 30 + [429]


def test_the_same_work_for_unknown_names(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody has costs a digest as well: no clock decides it, but the count of checks."""
    from ippbx_billing.operators import passwords

    checked: list[str] = []
    verify = passwords._hasher.verify
    monkeypatch.setattr(
        passwords, "_hasher", type("H", (), {"verify": lambda _, d, p: checked.append(d) or verify(d, p),
                                             "hash": passwords._hasher.hash,
                                             "check_needs_rehash": passwords._hasher.check_needs_rehash})()
    )  # fmt: skip
    with OperatorFile(load(office).operators_path) as file:
        for name in ("anna", "nobody"):
            assert file.operators.recognized(name, "wrong") is None
    assert len(checked) == 2
    assert checked[0].split("$")[:4] == checked[1].split("$")[:4]  # the same parameters


def test_a_visit_that_was_prepared_is_worth_nothing(visitor: Visitor, office: Path) -> None:
    """Fixation: whatever id the browser brings, signing in gives another, and ends the one that was brought."""
    visitor.client.cookies.set("ippbx_visit", "prepared-by-somebody", domain="127.0.0.1", path="/")
    visitor.client.cookies.clear()
    visitor.sign_in("victor")
    first = visitor.cookie
    visitor.sign_in("victor")
    assert len({first, visitor.cookie, ""}) == 3
    with Visitor(office, visitor.clock) as other:
        other.client.cookies.set("ippbx_visit", first)
        assert other.get("/calls").path.startswith("/sign-in")


def test_the_cookie_is_kept_from_scripts_and_strangers(visitor: Visitor, office: Path) -> None:
    """HttpOnly, Lax, Secure over TLS; the file holds no more than its digest."""
    answer = visitor.post("/sign-in", {"name": "victor", "password": PASSWORD}, follow=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert "Max-Age" not in cookie
    stored = load(office).operators_path.read_bytes()
    assert visitor.cookie.encode() not in stored
    assert PASSWORD.encode() not in stored
    secure = visitor.post(
        "/sign-in", {"name": "victor", "password": PASSWORD}, follow=False, headers={"x-forwarded-proto": "https"}
    )
    assert "Secure" in secure.headers["set-cookie"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": BASE, "sec-fetch-site": "cross-site"},
        {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": BASE, "sec-fetch-site": "same-site"},
        {"origin": BASE, "sec-fetch-site": "none"},
        {},
    ],
    ids=str,
)
def test_forms_from_elsewhere_are_refused(anna: Visitor, office: Path, headers: dict[str, str]) -> None:
    """Both of a browser's words are heard, and neither may say that the form came from elsewhere."""
    answer = anna.ask("POST", "/sign-out", headers=headers)
    assert answer.status == 403
    assert entries(office, "sign-out") == 0


@pytest.mark.parametrize("headers", [{"origin": BASE}, {"sec-fetch-site": "same-origin"}], ids=str)
def test_one_word_of_a_browser_does_where_the_other_is_not_sent(anna: Visitor, headers: dict[str, str]) -> None:
    """Over plain HTTP in a network Sec-Fetch-Site is not sent; some send no Origin."""
    assert anna.ask("POST", "/sign-out", headers=headers).path == "/sign-in"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a/b", "localhost.evil"])
def test_other_names_than_ours_are_not_answered(visitor: Visitor, host: str) -> None:
    """DNS rebinding: a name that points here is not ours for that."""
    assert visitor.get("/sign-in", headers={"host": host}).status == 421


@pytest.mark.parametrize("host", ["localhost:8180", "192.168.6.27:8180", "[::1]:8180", "127.0.0.1"])
def test_addresses_and_our_own_names_are_answered(visitor: Visitor, host: str) -> None:
    """An address can be nobody else's."""
    assert visitor.get("/sign-in", headers={"host": host}).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(anna: Visitor, method: str) -> None:
    """There is nothing that they could do."""
    assert anna.ask(method, "/calls").status == 405


@pytest.mark.parametrize("path", ["/calls?period=this-month", "/", "/calls/4", "/events/22"])
def test_names_in_records_are_no_markup(anna: Visitor, path: str) -> None:
    """What a PBX and a list of people call themselves is text on every page."""
    text = anna.get(path).text
    assert "<img" not in text
    assert "<b>赵六" not in text
    assert "&lt;" in text


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "' onmouseover='x", "javascript:alert(1)"])
def test_addresses_are_no_markup(anna: Visitor, text: str) -> None:
    """What the address asks for comes back as text."""
    page = anna.get("/calls", params={"number": text, "period": "this-month"})
    assert "<script>alert" not in page.text
    assert page.tree().xpath("//@onmouseover") == []
    assert not [one for one in page.links() if one.startswith("javascript")]
    assert page.tree().xpath("//input[@name='number']/@value") == [text]


@pytest.mark.parametrize(
    "asked",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
     "/\t/evil.example", "/\n/evil.example", "evil", ""],
)  # fmt: skip
def test_after_signing_in_nobody_is_sent_elsewhere(visitor: Visitor, asked: str) -> None:
    """An open redirect lends our name to somebody's page."""
    assert inner_path(asked) == "/"
    answer = visitor.post("/sign-in", {"name": "victor", "password": PASSWORD, "next": asked}, follow=False)
    assert answer.headers["location"] == "/"


def test_one_comes_back_to_where_one_was_going(visitor: Visitor) -> None:
    """The page that was asked for, with its question."""
    page = visitor.get("/calls?period=last-month&number=123")
    (asked,) = page.tree().xpath("//input[@name='next']/@value")
    assert visitor.sign_in("victor", next=asked).path == "/calls?period=last-month&number=123"


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/static/",
     "/calls/../../etc/passwd", "/welcome/..%2f..", "/events/1/../../ledger.db", "/%00"],
)  # fmt: skip
def test_paths_lead_nowhere_else(anna: Visitor, path: str) -> None:
    """No file is given away but those of the static folder."""
    answer = anna.get(path)
    assert answer.status in (200, 404)
    assert b"root:" not in answer.body
    assert b"def application" not in answer.body
    assert b"SQLite format" not in answer.body


def test_large_bodies_are_refused_before_they_are_read(anna: Visitor) -> None:
    """By what they say of their length, and by their length where they say nothing."""
    assert anna.post("/account/language", {"language": "x" * 100_000}).status == 413

    async def endless():  # type: ignore[no-untyped-def]
        for _ in range(100):
            yield b"language=" + b"x" * 10_000

    headers = {"origin": BASE, "content-type": "application/x-www-form-urlencoded"}
    assert anna.ask("POST", "/account/language", content=endless(), headers=headers).status == 413


def test_many_fields_and_files_are_refused(anna: Visitor) -> None:
    """A form of thousands of fields, or with files that nobody asked for."""
    fields = {f"f{number}": "x" for number in range(2_000)}
    assert anna.post("/account/language", fields).status in (400, 413)
    files = [(f"f{number}", ("a.bin", b"x")) for number in range(5)]
    assert anna.post("/account/language", files=files).status in (400, 413)


def test_every_answer_tells_the_browser_what_to_refuse(visitor: Visitor) -> None:
    """Pages, problems, refusals and files alike; nothing inline, nothing from elsewhere."""
    visitor.get("/sign-in")
    for path in ("/sign-in", "/nothing", "/static/console.css", "/sign-in?next=//x"):
        headers = visitor.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert visitor.get("/sign-in").headers["cache-control"] == "no-store"


def test_pages_hold_nothing_that_the_policy_forbids(anna: Visitor) -> None:
    """No inline script or style, no handler, no address of elsewhere: the page works under its own policy."""
    for path in ("/", "/calls?period=this-month", "/calls/21", "/account", "/events/1", "/nothing"):
        page = anna.get(path)
        tree = page.tree()
        assert tree.xpath("//style | //script[not(@src)] | //@style | //@*[starts-with(name(), 'on')]") == [], path
        assert [one for one in page.links() if not one.startswith(("/", "?", "#"))] == [], path


def test_a_visit_ends_when_it_is_revoked(anna: Visitor, office: Path) -> None:
    """By signing out, by disabling, by a new password, by time."""
    with OperatorFile(load(office).operators_path) as file:
        (visit,) = file.visits.all(anna.clock.now)
        assert file.visits.end(visit.id)
    assert anna.get("/calls").path.startswith("/sign-in")
    operator(office, "berta", Role.ADMINISTRATOR)
    anna.sign_in("anna")
    with OperatorFile(load(office).operators_path) as file:
        file.operators.change(file.operators.named("anna"), disabled=True)
    assert anna.get("/calls").path.startswith("/sign-in")
    assert anna.sign_in("anna").status == 403


def test_a_visit_lasts_as_long_as_was_asked(office: Path, clock: Clock) -> None:
    """Twelve hours unused; remembered, thirty days, with a new id each day, the one before for a minute."""
    with Visitor(office, clock) as short, Visitor(office, clock) as long:
        short.sign_in("victor")
        long.sign_in("victor", remember="yes")
        clock.pass_(hours=13)
        assert short.get("/account").path.startswith("/sign-in")
        first = long.cookie
        clock.pass_(hours=12)
        assert long.get("/account").status == 200
        assert long.cookie != first
        with Visitor(office, clock) as old:
            old.client.cookies.set("ippbx_visit", first)
            assert old.get("/account").path == "/account"
            clock.pass_(minutes=2)
            assert old.get("/account").path.startswith("/sign-in")
        clock.pass_(days=29)
        assert long.get("/account").path == "/account"
        clock.pass_(days=31)
        assert long.get("/account").path.startswith("/sign-in")
