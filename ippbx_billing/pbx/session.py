"""PbxAdmin: one signed-in session with a PBX's web admin.

    with PbxAdmin(address, "admin", password, profile=profile) as pbx:
        pbx.sign_in()
        pbx.read("events")                          ->  {"cdr_url": "http://…", "cdr_json": True, …}
        pbx.save("events", {"cdr_json": True})      # stages
        pbx.apply()                                 # or pbx.discard()

A session that the PBX ends in mid-way is opened once more and the step repeated. Credentials go to the PBX's own
address only, and the certificate is checked on each connection before anything is sent.
"""

import re
import ssl
import time
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar
from typing import Any, Self, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from ippbx_billing.language import language, tr
from ippbx_billing.pbx.pages import (
    APPLY,
    DISCARD,
    Form,
    Page,
    Request,
    Value,
    shown_menu,
    shown_path,
    submission,
    wording_hint,
)
from ippbx_billing.pbx.problems import (
    ChangeRefused,
    PbxError,
    SessionExpired,
    SignInRefused,
    Unreachable,
    WordingUnknown,
)
from ippbx_billing.pbx.profile import Profile

Answer = TypeVar("Answer")

MAX_REDIRECTS = 10
RETRY_PAUSE_S = 0.5


class PbxAdmin:
    """A session; `patience_s` is how long a PBX may take to apply changes, or to come back after a cut connection."""

    def __init__(
        self,
        address: str,
        user: str,
        password: str,
        *,
        profile: Profile,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 15,
        patience_s: float = 30,
    ) -> None:
        self.address = address.rstrip("/")
        self.user = user
        self.profile = profile
        self.date = ""  # the PBX's clock, as the last answer's Date header tells it
        self._password = password
        self._patience_s = patience_s
        self._home: Page | None = None
        self._client = httpx.Client(
            verify=tls if tls is not None else True,
            timeout=timeout_s,
            trust_env=False,
            cookies=CookieJar(),
            event_hooks={"response": [self._noted]},
        )

    def sign_in(self) -> None:
        """Open a session; raises SignInRefused, and tries only once, because a PBX may lock the account."""
        self._client.cookies.clear()
        page = self._sign_in_page()
        form = page.sign_in_form(self.profile.sign_in)
        assert form is not None
        request = _signing_in(page, form, self.profile, self.user, self._password)
        answer = self._send(request)
        if self._is_sign_in(answer) or self._is_locked(answer):
            raise self._refusal(answer)
        if answer.status >= 400:
            raise PbxError(
                tr("the PBX answered {status} to signing in.", status=answer.status),
                tr("does its page open in a browser?"),
            )
        self._home = answer

    def read(self, page: str) -> dict[str, Value]:
        """The values of a page's fields by the profile's keys, staged ones included."""
        form = self._with_session(lambda: self._open(page))
        return {key: form.value(key) for key in form.profile.fields}

    def save(self, page: str, values: Mapping[str, Value]) -> None:
        """Stage the values; everything else on the page is sent back as it was. Raises ChangeRefused."""

        def press_save() -> Page:
            form = self._open(page)
            for key, value in values.items():
                form.set(key, value)
            return self._in_session(form.submission(self.profile.words["save"]))

        answer = self._with_session(press_save)
        taken = self.read(page)
        if any(taken[key] != value for key, value in values.items()):
            where = shown_path(self.profile.pages[page])
            raise ChangeRefused(
                tr("the PBX did not take the values for its page {page}.{said}", page=where, said=_said(answer)),
                tr("try the same by hand; --guide lists the values"),
            )

    def staged(self) -> bool:
        """Whether saved changes wait to be applied."""
        return self._with_session(self._fresh_home).staged(self.profile)

    def apply(self) -> None:
        """Put the staged changes into force and wait until the PBX says so.

        Raises ChangeRefused where they are still staged then, and Unreachable where the PBX's answer was cut off.
        """
        try:
            answer = self._with_session(lambda: self._press("apply", APPLY))
        except ChangeRefused as error:
            raise self._not_applied(
                tr("the PBX did not apply the changes: {problem}", problem=error.message)
            ) from error
        except Unreachable:
            self._until(lambda: not self.staged())
            raise
        self._restart_services(answer)
        if not self._until(lambda: not self.staged()):
            raise self._not_applied(tr("the PBX did not apply the changes.{said}", said=_said(answer)))

    def discard(self) -> None:
        """Undo what is staged; nothing happens where nothing is. Raises ChangeRefused."""
        if self._until(lambda: not self.staged(), settled=True):
            return
        self._with_session(lambda: self._press("discard", DISCARD))
        if self.staged():
            raise ChangeRefused(
                tr("the PBX still holds changes that were saved and not applied."),
                tr("press {button} in the top bar of its page", button=self.profile.words["discard"].shown(language())),
            )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sign_in_page(self) -> Page:
        for path in self.profile.sign_in.paths:
            page = self._send(Request("GET", self.address + path))
            if page.sign_in_form(self.profile.sign_in) is not None:
                return page
            if self._is_locked(page):
                raise self._refusal(page)
        raise WordingUnknown(
            tr("{address} shows no page to sign in to.", address=self.address),
            tr("is this the address of the PBX's web admin, with its port?"),
        )

    def _is_locked(self, page: Page) -> bool:
        """Whether the page, outside a session, speaks of a locked account."""
        return ";stok=" not in page.url and self.profile.sign_in.locked.within(page.text())

    def _refusal(self, answer: Page) -> SignInRefused:
        facts = {"user": self.user, "address": self.address}
        if self._is_locked(answer):
            return SignInRefused(
                tr("{address} has locked the account {user} after too many attempts.", **facts),
                tr("wait as long as the PBX's own sign-in page says, then try again with the right password"),
            )
        return SignInRefused(
            tr("{address} does not accept this password for {user}.", **facts),
            tr("check user and password; after some wrong attempts a PBX locks the account for a while"),
        )

    def _open(self, page: str) -> Form:
        """The form of a page, found through the menu; a parent is opened where its children are not in the menu yet."""
        profile = self.profile.pages[page]
        here = self._home or self._fresh_home()
        for depth in range(1, len(profile.menu) + 1):
            if link := here.menu_link(profile.menu):
                return self._get(link).form_with(profile)
            parent = here.menu_link(profile.menu[:depth])
            if parent is None:
                break
            here = self._get(parent)
        raise WordingUnknown(tr("the PBX's menu has no entry {page}.", page=shown_menu(profile)), wording_hint())

    def _fresh_home(self) -> Page:
        """The session's first page, read again."""
        if self._home is None:
            raise _Expired
        self._home = self._get(self._home.url)
        return self._home

    def _press(self, word: str, endpoints: tuple[str, ...]) -> Page:
        """Follow a link or button of the top bar, or of the list of changes that it leads to."""
        label, staged = self.profile.words[word], self.profile.words["staged"]
        page = self._fresh_home()
        request = page.action(label, endpoints, staged)
        if request is None and (link := page.changes_link()):
            request = self._get(link).action(label, endpoints, staged)
        if request is None:
            button = label.shown(language())
            raise WordingUnknown(tr("the PBX's page shows no button {button}.", button=button), wording_hint())
        return self._in_session(request)

    def _restart_services(self, answer: Page) -> None:
        """Do what the answer's script would do in a browser: restart the services that the changes concern."""
        found = answer.restarts()
        if found is None:
            return
        restart, status_url = found
        self._in_session(restart)
        deadline = time.monotonic() + self._patience_s
        while status_url and self._send(Request("GET", status_url)).text().strip() != "finish":
            if time.monotonic() > deadline:
                raise ChangeRefused(
                    tr("the PBX saved the changes, but its services did not restart within {seconds} s.",
                       seconds=round(self._patience_s)),
                    tr("look at the PBX's own page; a restart of the PBX puts the changes into force"),
                )  # fmt: skip
            time.sleep(RETRY_PAUSE_S)

    def _with_session(self, step: Callable[[], Answer]) -> Answer:
        """Do the step; where the PBX ended the session meanwhile, sign in again and do it once more."""
        try:
            if self._home is None:
                self.sign_in()
            return step()
        except _Expired:
            self.sign_in()
        try:
            return step()
        except _Expired as error:
            self._home = None
            raise SessionExpired(
                tr("{address} ended the session twice.", address=self.address),
                tr("does somebody else sign in as {user} at the same time? Use an account of its own", user=self.user),
            ) from error

    def _until(self, step: Callable[[], bool], *, settled: bool = False) -> bool:
        """Whether the step comes to say yes in time; raises Unreachable where the PBX does not answer to the end.

        Where the matter is `settled` its first answer counts, and only a PBX that is away is waited for.
        """
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                answer = step()
                if answer or settled or time.monotonic() > deadline:
                    return answer
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_PAUSE_S)

    def _not_applied(self, problem: str) -> ChangeRefused:
        hint = tr("another administrator may be at work; look at the PBX's own page and try again")
        return ChangeRefused(problem, hint)

    def _get(self, url: str) -> Page:
        return self._in_session(Request("GET", url))

    def _in_session(self, request: Request) -> Page:
        """The page that answers; _Expired when it asks for the password again, ChangeRefused when it is an error."""
        page = self._send(request)
        if self._is_sign_in(page):
            raise _Expired
        if page.status >= 400:
            raise ChangeRefused(
                tr(
                    "the PBX answered {status} to {path}.{said}",
                    status=page.status,
                    path=_path(request.url),
                    said=_said(page),
                ),
                tr("look at the PBX's own page and try again"),
            )
        return page

    def _send(self, request: Request) -> Page:
        """The page that answers, redirects followed; raises Unreachable."""
        page, onward = self._exchange(request)
        for _ in range(MAX_REDIRECTS):
            if onward is None:
                break
            page, onward = self._exchange(Request("GET", urljoin(page.url, onward)))
        return page

    def _is_sign_in(self, page: Page) -> bool:
        return page.sign_in_form(self.profile.sign_in) is not None

    def _exchange(self, request: Request) -> tuple[Page, str | None]:
        """One request and its answer: the page, and where it sends us, if it does."""
        if _origin(request.url) != _origin(self.address):
            facts = {"address": self.address, "other": _origin(request.url)}
            raise PbxError(
                tr("{address} leads to {other}; nothing is sent there.", **facts),
                tr("if that is the PBX's address, give it with --pbx"),
            )
        try:
            response = self._client.request(request.method, request.url, **_encoded(request))
        except httpx.ConnectError as error:
            raise Unreachable(
                tr("{address} cannot be reached: {error}.", address=self.address, error=_reason(error)),
                tr("check address, port, cable and firewall; does its page open in a browser?"),
            ) from error
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
            raise Unreachable(
                tr("the connection to {address} was cut: {error}.", address=self.address, error=_reason(error)),
                tr("see that the PBX is up and try again"),
            ) from error
        page = Page(response.content, str(response.url), response.charset_encoding, response.status_code)
        onward = response.headers.get("location") if response.is_redirect else page.refresh()
        return page, None if self._is_sign_in(page) else onward

    def _noted(self, response: httpx.Response) -> None:
        """Remember the PBX's clock, and let its cookies go with every page.

        The cookie's path holds the `;stok=…` of the address, which cookie jars cut off in ways of their own.
        """
        self.date = response.headers.get("date", self.date)
        for cookie in list(self._client.cookies.jar):
            if cookie.path != "/":
                self._client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
                cookie.path = "/"
                self._client.cookies.jar.set_cookie(cookie)


class _Expired(Exception):
    """The PBX answered with the sign-in page."""


def _signing_in(page: Page, form: Any, profile: Profile, user: str, password: str) -> Request:
    request = submission(form, page.url)
    names = [name for name, _ in request.fields]
    secret = profile.sign_in.password_field
    filled = {profile.sign_in.user_field: user, secret: password}
    if secret not in names:
        raise WordingUnknown(
            tr("the PBX's sign-in page has no field {field}.", field=secret),
            tr("name it in a profile (--profile FILE)"),
        )
    fields = [(name, filled.get(name, value)) for name, value in request.fields]
    fields += [(name, value) for name, value in filled.items() if name not in names]
    return Request("POST", request.url, tuple(fields), request.multipart)


def _encoded(request: Request) -> dict[str, Any]:
    """The fields as the form wants them: in the address, as a multipart body, or as a plain one."""
    if request.method == "GET":
        return {"params": request.fields} if request.fields else {}
    if request.multipart:
        return {"files": [(name, (None, value.encode())) for name, value in request.fields]}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return {"content": urlencode(request.fields).encode(), "headers": kind}


def _said(page: Page) -> str:
    """What the PBX itself says is wrong, as a sentence to add."""
    complaint = page.complaint().rstrip(".。")
    return " " + tr("The PBX says: {complaint}.", complaint=complaint) if complaint else ""


def _path(url: str) -> str:
    """The page's path without the session's token."""
    return re.sub(r"/;stok=[^/]*", "", urlsplit(url).path)


def _origin(url: str) -> str:
    """Scheme, host and port, the usual port left out."""
    parsed = httpx.URL(url)
    return str(parsed.copy_with(path="", query=None, fragment=None, userinfo=b"")).rstrip("/")


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
