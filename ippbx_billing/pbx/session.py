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
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Self, TypeVar
from urllib.parse import urlsplit

from ippbx_billing.language import language, tr
from ippbx_billing.pbx.connection import PbxConnection
from ippbx_billing.pbx.forms import Form, Value
from ippbx_billing.pbx.pages import ANONYMOUS, APPLY, DISCARD, Page, SignInForm
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
from ippbx_billing.pbx.profile import Profile
from ippbx_billing.pbx.sending import Request, submission
from ippbx_billing.pbx.staging import Hands, options, other_hands
from ippbx_billing.pbx.wording import drawn_by_script, shown_field, shown_menu, shown_path, wording_hint

Answer = TypeVar("Answer")

RETRY_PAUSE_S = 0.5
PATIENCE_S = 30.0
SETTLE_S = 1.0  # a PBX that was told to restart its services says "finish" until it has begun
SIGN_OUT_S = 3.0


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
        patience_s: float | None = None,
    ) -> None:
        self.address = address.rstrip("/")
        self.user = user
        self.profile = profile
        self._password = password
        self._patience_s = PATIENCE_S if patience_s is None else patience_s
        self._home: Page | None = None
        self._sign_in_fields: tuple[str, str] | None = None
        self._hands = Hands()
        self._connection = PbxConnection(self.address, tls, timeout_s)

    @property
    def date(self) -> str:
        """The PBX's clock, as the last answer's Date header tells it."""
        return self._connection.date

    def sign_in(self) -> None:
        """Open a session; raises SignInRefused, and tries only once, because a PBX may lock the account."""
        self._connection.forget()
        page = self._sign_in_page()
        form = page.sign_in_form(self.profile.sign_in)
        assert form is not None
        self._sign_in_fields = (form.user_field, form.password_field)
        request = _signing_in(page, form, self.user, self._password)
        answer = self._send(request)
        if self._is_sign_in(answer) or self._is_locked(answer):
            raise self._refusal(answer)
        if answer.status >= 400:
            raise PbxError(
                tr("the PBX answered {status} to signing in.", status=answer.status),
                tr("does its page open in a browser?"),
            )
        if answer.blank():
            raise SignInRefused(
                tr("{address} knows {user} and does not let this user into its web admin.",
                   user=self.user, address=self.address),
                tr("sign in as its administrator: --admin-user"),
            )  # fmt: skip
        self._home = answer
        if ";stok=" not in answer.url and ";stok=" in (inside := answer.node("admin")):
            with suppress(_Expired):  # then the next step finds out, and signs in once more
                self._home = self._get(inside)  # older ones answer at the posted address; only their links lead in

    def sign_out(self) -> None:
        """End the session on the PBX, so that it counts none that nobody uses; a PBX that is away is not waited for."""
        if self._home is None:
            return
        with suppress(PbxError):
            farewell = Request("GET", self._home.node("admin/logout"))
            self._connection.page(farewell, lambda page: True, timeout_s=SIGN_OUT_S)
        self._home = None

    def read(self, page: str) -> dict[str, Value]:
        """The values of a page's fields by the profile's keys, staged ones included."""
        form = self._with_session(lambda: self._open(page))
        self._hands.seen(page, options(form.submission(self.profile.words["save"])))
        return {key: form.value(key) for key in form.profile.fields}

    def save(self, page: str, values: Mapping[str, Value], *, beside_others: bool = False) -> None:
        """Stage the values; everything else on the page is sent back as it was.

        Raises ChangeRefused, and StagedBefore where somebody else has saved on that page since we first read it, unless
        we save `beside_others`.
        """

        def press_save() -> Page:
            form = self._with_fields(self._open(page), values)
            present = options(form.submission(self.profile.words["save"]))
            for key, value in values.items():
                self._fill(form, key, value)
            request = form.submission(self.profile.words["save"])
            if not beside_others:
                targets = {form.option(key) for key in values}
                self._hands.refuse_others(page, targets, present, options(request))
            self._hands.note(form, present, options(request))
            return self._in_session(request)

        answer = self._with_session(press_save)
        taken = self.read(page)
        wrong = [key for key, value in values.items() if taken[key] != value]
        if wrong:
            raise self._not_taken(page, wrong, answer)

    def changes(self) -> frozenset[str]:
        """What waits to be applied, as `config.section.option`, whoever saved it.

        The PBX's own list of changes tells it in every language and skin. One without such a list can only say that
        something waits: ANONYMOUS.
        """
        return self._with_session(self._waiting)

    def others(self) -> frozenset[str]:
        """What waits to be applied and is on none of the forms that we have saved."""
        return self.not_ours(self.changes())

    def not_ours(self, waiting: frozenset[str]) -> frozenset[str]:
        """Those of the options that are on none of the forms that we have saved."""
        return self._hands.not_ours(waiting)

    def untouched(self) -> bool:
        """Whether all that we changed is still in the list of what waits, so that nothing of it is in force."""
        return self._hands.untouched(self.changes())

    def staged(self) -> bool:
        """Whether saved changes wait to be applied."""
        return bool(self.changes())

    def apply(self) -> None:
        """Put the staged changes into force and wait until the PBX says so.

        Raises ChangeRefused where they are still staged then, and Unreachable where the PBX's answer was cut off. What
        became of them after a problem must be looked up: a PBX commits first and restarts its services then.
        """
        asked = False

        def press() -> Page:
            nonlocal asked
            if asked and not self._waiting():
                raise self._ended()
            request = self._button("apply", APPLY, "admin/uci/apply_unchecked")
            if others := self.not_ours(self._waiting()):  # the last moment before they would go with ours
                raise other_hands(others)
            asked = True
            return self._in_session(request)

        answer = self._with_session(press)
        self._restart_services(answer)
        if not self._until(lambda: not self.staged()):
            hint = tr("another administrator may be at work; look at the PBX's own page and try again")
            raise ChangeRefused(tr("the PBX did not apply the changes.{said}", said=_said(answer)), hint)

    def discard(self) -> None:
        """Undo what is staged; nothing happens where nothing is. Raises ChangeRefused."""
        if self._until(lambda: not self.staged(), settled=True):
            return
        self._with_session(lambda: self._in_session(self._button("discard", DISCARD, "admin/uci/revert")))
        if self.staged():
            raise ChangeRefused(
                tr("the PBX still holds changes that were saved and not applied."),
                tr("press {button} in the top bar of its page", button=self.profile.words["discard"].shown(language())),
            )

    def patiently(self, step: Callable[[], Answer]) -> Answer:
        """The step's answer, waiting for a PBX that is restarting; raises the last problem when patience is over."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return step()
            except (SignInRefused, CertificateChanged, StagedBefore):
                raise
            except PbxError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_PAUSE_S)

    def close(self) -> None:
        """Sign out and let go of the connection."""
        self.sign_out()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sign_in_page(self) -> Page:
        for path in self.profile.sign_in.paths:
            page = self._send(Request("GET", self.address + path))
            if page.sign_in_form(self.profile.sign_in) is not None:
                return page
            if page.drawn_by_script():
                raise drawn_by_script(self.address + path)
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
        if here.drawn_by_script():
            raise drawn_by_script(shown_menu(profile))
        raise WordingUnknown(tr("the PBX's menu has no entry {page}.", page=shown_menu(profile)), wording_hint())

    def _fresh_home(self) -> Page:
        """The session's first page, read again."""
        if self._home is None:
            raise _Expired
        self._home = self._get(self._home.url)
        return self._home

    def _waiting(self) -> frozenset[str]:
        listed = self._changes_page()
        if listed is not None:
            return listed.staged_names()
        return frozenset({ANONYMOUS} if self._fresh_home().staged(self.profile) else ())

    def _ended(self) -> ChangeRefused:
        return ChangeRefused(
            tr("the PBX ended the session while it applied the changes."),
            tr("look at the PBX's own page and try again"),
        )

    def _changes_page(self) -> Page | None:
        """The PBX's list of what waits to be applied; None where it has no such page."""
        home = self._fresh_home()
        page = self._send(Request("GET", home.changes_link() or home.node("admin/uci/changes")))
        self._refuse_expired(page)
        return None if page.status in (403, 404, 405) else self._good(page, "admin/uci/changes")

    def _button(self, word: str, endpoints: tuple[str, ...], node: str) -> Request:
        """What pressing a button sends: one of the top bar or of the list of changes, or what its script would post."""
        label, staged = self.profile.words[word], self.profile.words["staged"]
        home = self._fresh_home()
        pages = [home, *([listed] if (listed := self._changes_page()) else [])]
        pressed = (page.action(label, endpoints, staged) for page in pages)
        posted = (page.script_action(home.node(node)) for page in reversed(pages))
        if request := next(filter(None, [*pressed, *posted]), None):
            return request
        raise WordingUnknown(
            tr("no button {button} of the PBX's page can be pressed from here.", button=label.shown(language())),
            tr("press {apply} in the top bar of the PBX's own page, or {discard} to undo what was saved",
               apply=self.profile.words["apply"].shown(language()),
               discard=self.profile.words["discard"].shown(language())),
        )  # fmt: skip

    def _with_fields(self, form: Form, keys: Iterable[str]) -> Form:
        """The form with all these fields; those that the page only offers so far are added to it."""
        for key in keys:
            if entry := form.offered(key):
                added = self._in_session(form.adding(entry, self.profile.words["save"]))
                form = added.form_with(form.profile)
        return form

    def _fill(self, form: Form, key: str, value: Value) -> None:
        """Set a field; raises ChangeRefused for what no browser would let a person type."""
        longest = form.longest(key)
        if isinstance(value, str) and longest is not None and len(value) > longest:
            facts = {"field": shown_field(form.profile, form.profile.fields[key]), "longest": longest}
            problem = tr("the PBX's field {field} takes at most {longest} characters; the value has {length}.",
                         length=len(value), **facts)  # fmt: skip
            raise ChangeRefused(problem, _shorter(key))
        form.set(key, value)

    def _not_taken(self, page: str, wrong: list[str], answer: Page) -> ChangeRefused:
        profile = self.profile.pages[page]
        fields = ", ".join(shown_field(profile, profile.fields[key]) for key in wrong)
        problem = tr("the PBX did not take the values for its page {page}: {fields}.{said}",
                     page=shown_path(profile), fields=fields, said=_said(answer))  # fmt: skip
        urls = [key for key in wrong if key.endswith("_url")]
        return ChangeRefused(
            problem, _shorter(urls[0]) if urls else tr("try the same by hand; --guide lists the values")
        )

    def _restart_services(self, answer: Page) -> None:
        """Do what the answer's script would do in a browser: restart the services that the changes concern."""
        found = answer.restarts()
        if found is None:
            return
        restart, status_url = found
        try:
            self._in_session(restart)
        except _Expired as error:
            raise self._ended() from error
        deadline = time.monotonic() + self._patience_s
        time.sleep(min(SETTLE_S, self._patience_s))
        while status_url and not self._restarted(status_url):
            if time.monotonic() > deadline:
                raise ChangeRefused(
                    tr("the PBX saved the changes, but its services did not restart within {seconds} s.",
                       seconds=round(self._patience_s)),
                    tr("look at the PBX's own page; a restart of the PBX puts the changes into force"),
                )  # fmt: skip
            time.sleep(RETRY_PAUSE_S)

    def _restarted(self, status_url: str) -> bool:
        """Whether the PBX says so; while its web server restarts it says nothing."""
        try:
            page = self._send(Request("GET", status_url))
        except Unreachable:
            return False
        if self._is_sign_in(page) or page.status == 403:
            raise self._ended()
        return page.text().strip() == "finish"

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

    def _get(self, url: str) -> Page:
        return self._in_session(Request("GET", url))

    def _in_session(self, request: Request) -> Page:
        """The page that answers; _Expired when it asks for the password again, ChangeRefused when it is an error."""
        page = self._send(request)
        self._refuse_expired(page)
        return self._good(page, _path(request.url))

    def _refuse_expired(self, page: Page) -> None:
        """Raise _Expired where the page asks for the password again, or says nothing, as some do of ended sessions."""
        if self._is_sign_in(page) or (page.status == 403 and page.blank()):
            raise _Expired

    def _good(self, page: Page, path: str) -> Page:
        if page.status >= 400:
            raise ChangeRefused(
                tr("the PBX answered {status} to {path}.{said}", status=page.status, path=path, said=_said(page)),
                tr("look at the PBX's own page and try again"),
            )
        return page

    def _send(self, request: Request) -> Page:
        """The page that answers, redirects followed up to the sign-in page; raises Unreachable."""
        return self._connection.page(request, self._is_sign_in)

    def _is_sign_in(self, page: Page) -> bool:
        return page.sign_in_form(self.profile.sign_in, self._sign_in_fields) is not None


class _Expired(Exception):
    """The PBX answered with the sign-in page."""


def _signing_in(page: Page, form: SignInForm, user: str, password: str) -> Request:
    request = submission(form.element, page.url)
    names = [name for name, _ in request.fields]
    filled = {form.user_field: user, form.password_field: password}
    fields = [(name, filled.get(name, value)) for name, value in request.fields]
    fields += [(name, value) for name, value in filled.items() if name not in names]
    return Request("POST", request.url, tuple(fields), request.multipart)


def _shorter(key: str) -> str:
    """What helps where a value is too long for its field."""
    if key.endswith("_url"):
        return tr("a shorter address may fit: --plain-urls leaves the secret path out")
    return tr("choose a shorter one")


def _said(page: Page) -> str:
    """What the PBX itself says is wrong, as a sentence to add."""
    complaint = page.complaint().rstrip(".。")
    return " " + tr("The PBX says: {complaint}.", complaint=complaint) if complaint else ""


def _path(url: str) -> str:
    """The page's path without the session's token."""
    return re.sub(r"/;stok=[^/]*", "", urlsplit(url).path)
