"""What a page works with: who asks, what they may see, the open files, and the ways to answer.

def listing(desk: Desk) -> Response:
    page = calls_page(desk.ledger, desk.view, desk.query().calls(desk.scope), size=50)
    return desk.page("calls.html", rows=page.rows)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ippbx_billing.console.jobs import Jobs
from ippbx_billing.console.templates import rendered
from ippbx_billing.console.uploads import Uploads
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import language, tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.directory import DirectoryTables
from ippbx_billing.ledger.snapshots import EditWatch
from ippbx_billing.operators import Operator, OperatorFile, Role
from ippbx_billing.operators.log import CONSOLE, Actor
from ippbx_billing.operators.visits import Visit
from ippbx_billing.reports import Period, Scope, View, scopes
from ippbx_billing.reports.coverage import Coverage
from ippbx_billing.reports.kept import Kept
from ippbx_billing.reports.queries import Query
from ippbx_billing.reports.views.coverage import covered
from ippbx_billing.settings import Settings

if TYPE_CHECKING:
    from ippbx_billing.console.live import Feed

MOST_FLASHES = 1_000


@dataclass
class House:
    """What all pages share: settings, clock, the stream of new calls, the last job, and words for a next page."""

    using: Settings
    clock: Callable[[], datetime]
    feed: "Feed"
    jobs: Jobs = field(default_factory=Jobs)
    kept: Kept = field(default_factory=Kept)
    uploads: Uploads = field(default_factory=Uploads)
    flashes: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def leave_word(self, visit: int, kind: str, text: str) -> None:
        """Words that the visit's next page shows once; `kind` is `done` or `wrong`."""
        if len(self.flashes) >= MOST_FLASHES:
            self.flashes.clear()
        self.flashes.setdefault(visit, []).append((kind, text))

    @contextmanager
    def operators(self) -> Iterator[OperatorFile]:
        """The operators' file, open."""
        with OperatorFile(self.using.operators_path) as file:
            yield file


@dataclass(frozen=True, slots=True)
class Guest:
    """Who sent a request: the operator and the visit, None both where nobody is signed in."""

    address: str
    operator: Operator | None = None
    visit: Visit | None = None


class Desk:
    """One request, and what is needed to answer it; used in one thread, closed when the answer is made."""

    def __init__(self, house: House, request: Request, guest: Guest, form: FormData | None = None) -> None:
        self.house = house
        self.using = house.using
        self.request = request
        self.guest = guest
        self.form = FormData() if form is None else form
        self.now = house.clock()
        self._open = ExitStack()

    def close(self) -> None:
        """Close what was opened."""
        self._open.close()

    # -- who asks, and what they may see

    @property
    def operator(self) -> Operator:
        """Who is signed in; the table of ways lets nobody else come here."""
        assert self.guest.operator is not None
        return self.guest.operator

    @property
    def visit(self) -> Visit:
        """Their visit."""
        assert self.guest.visit is not None
        return self.guest.visit

    def may(self, least: Role) -> bool:
        """Whether they may what takes at least this role."""
        return self.guest.operator is not None and self.operator.role.may(least)

    @cached_property
    def scope(self) -> Scope | None:
        """Whose calls they may see; None for all. Goes into every question that is asked for them."""
        return scope_of(self.ledger, self.operator)

    @property
    def directory(self) -> DirectoryTables:
        """Departments, employees and extensions, of them only what they may see."""
        return scopes.directory(self.ledger, self.scope)

    @property
    def actor(self) -> Actor:
        """They, as the log names them."""
        if self.guest.operator is None:
            return Actor("", "", CONSOLE, self.guest.address)
        return Actor(self.operator.name, self.operator.role.value, CONSOLE, self.guest.address)

    # -- the open files

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, closed with the desk."""
        if not self.using.ledger_path.exists():
            raise NotFoundError(
                tr("there is no ledger in {path}", path=self.using.data_dir),
                tr("run `ippbx-bill init --area-code 022` first, or name another --data-dir"),
            )
        return self._open.enter_context(Ledger(self.using.ledger_path))

    @cached_property
    def inbox(self) -> Inbox:
        """The inbox, to read from."""
        return self._open.enter_context(Inbox(self.using.inbox_path))

    @cached_property
    def operators(self) -> OperatorFile:
        """The operators' file."""
        return self._open.enter_context(OperatorFile(self.using.operators_path))

    # -- what was asked

    @property
    def view(self) -> View:
        """How this site looks at its calls."""
        return View(self.using.site_zone, self.using.currency)

    @property
    def today(self) -> date:
        """The day on the site's calendar."""
        return self.now.astimezone(self.using.site_zone).date()

    def query(self, default: str = "this-month") -> Query:
        """What the address asks for."""
        return Query.of(dict(self.request.query_params), self.today, default)

    def number(self, name: str) -> int:
        """A number in the path."""
        return int(self.request.path_params[name])

    def text(self, name: str, default: str = "") -> str:
        """A field of the form, without blanks around it."""
        value = self.form.get(name, default)
        return value.strip() if isinstance(value, str) else default

    def fields(self, names: Iterable[str]) -> dict[str, str]:
        """Those of these fields of the form that are filled in."""
        return {name: text for name in names if (text := self.text(name))}

    def choice(self, name: str, known: Mapping[str, Any] | tuple[str, ...], default: str) -> str:
        """A parameter of the address that is one of these; UsageError for another."""
        value = self.request.query_params.get(name, default)
        if value not in known:
            raise UsageError(tr("{text!r} is not one of them", text=value), ", ".join(known))
        return value

    def coverage(self, period: Period, unrated: Mapping[Any, int], filtered: int) -> Coverage:
        """What sums of these days do not cover; of the whole site's events only those are told who see all calls."""
        if self.scope is None:
            return covered(self.using, self.ledger, period, unrated=unrated, filtered=filtered, now=self.now)
        return Coverage(
            unrated=unrated,
            filtered=filtered,
            rejected=None,
            waiting=None,
            first_record=None,
            last_record=None,
            over=period.last < self.today,
        )

    # -- answers

    def page(self, template: str, status: int = 200, **facts: Any) -> Response:
        """A page made of a template; every template is handed the desk as `desk`."""
        words = [] if self.guest.visit is None else self.house.flashes.pop(self.guest.visit.id, [])
        return HTMLResponse(rendered(template, desk=self, words=words, **facts), status_code=status)

    def shared_fragment(self, template: str, seconds: float, facts: Callable[[], dict[str, Any]]) -> Response:
        """A part of a page that is the same for all who see the same calls in the same language; they share it."""
        who = self.operator
        key = (template, who.role, who.department, who.employee, language())
        text = self.house.kept.get(key, seconds, lambda: rendered(template, desk=self, words=[], **facts()))
        return HTMLResponse(text)

    def fragment(self, template: str, **facts: Any) -> Response:
        """A part of a page."""
        return HTMLResponse(rendered(template, desk=self, words=[], **facts))

    def back(self, path: str, done: str = "", wrong: str = "") -> Response:
        """To another page, after something was done; with a word about it."""
        for kind, text in (("done", done), ("wrong", wrong)):
            if text and self.guest.visit is not None:
                self.house.leave_word(self.guest.visit.id, kind, text)
        return RedirectResponse(path, status_code=303)

    def note(self, action: str, what: str = "", *, before: Any = None, after: Any = None, reason: str = "") -> None:
        """Into the log of who did what."""
        self.operators.log.write(self.now, self.actor, action, what, before=before, after=after, reason=reason)

    @contextmanager
    def noting(self, action: str, what: str = "") -> Iterator[None]:
        """What is changed in here goes into the log, with the rows as they were and as they are."""
        with EditWatch(self.using.ledger_path) as watch:
            yield
            was, now = watch.differences()
        if was or now:
            self.note(action, what, before=was or None, after=now or None)


def scope_of(ledger: Ledger, operator: Operator) -> Scope | None:
    """Whose calls an operator may see; None for all."""
    if operator.role is Role.HEAD:
        return scopes.of_department(ledger, operator.department or "")
    if operator.role is Role.EMPLOYEE:
        return scopes.of_employee(ledger, operator.employee or "")
    return None
