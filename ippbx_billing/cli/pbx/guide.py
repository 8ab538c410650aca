"""`configure-pbx --guide` in a terminal: one step at a time, and each test call waited for."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import say
from ippbx_billing.documents.render import lines
from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.calls import RawEvent
    from ippbx_billing.pbx.guide import GuideStep
    from ippbx_billing.pbx.profile import Profile
    from ippbx_billing.settings import Settings

LOOK_EVERY_S = 0.2
MISSING_AFTER_S = 45.0  # so long nothing is said; a person who waits hears something within a minute
DOOR_TIMEOUT_S = 3.0

Urls = Mapping[str, str]  # kind of event -> where it is to go


def walk(steps: "Iterator[GuideStep]", profile: "Profile", urls: Urls, using: "Settings", seconds: float) -> None:
    """Show each step until it is done: by Enter where nothing can prove it, else by the event that does.

    Raises BillingError, with what is missing, where an event does not come within so many seconds.
    """
    watch = EventWatch(profile, urls, using)
    for number, step in enumerate(steps, 1):
        lines(["", f"{number}. {step.title}", *_entries(step)])
        if step.proof:
            watch.until(step.proof, seconds)
        else:
            typer.prompt(
                "   " + tr("Enter when it is done"), default="", show_default=False, prompt_suffix=" ", err=True
            )
    say(tr("both kinds of events arrive"))


class EventWatch:
    """Looks for events from here on, and why none comes."""

    def __init__(self, profile: "Profile", urls: Urls, using: "Settings") -> None:
        self._profile = profile
        self._urls = urls
        self._using = using
        self._before = self._doors()
        self._seen: dict[str, RawEvent] = {}
        with common.open_inbox(using) as inbox:
            self._position = inbox.last_id()

    def until(self, kind: str, seconds: float) -> None:
        """Wait for the first event of that kind and tell how it was understood; it may have come already."""
        say(tr("waiting up to {seconds} s for {kind} …", seconds=f"{seconds:.0f}", kind=tr(kind)))
        deadline = time.monotonic() + seconds
        speak_at = time.monotonic() + MISSING_AFTER_S
        while kind not in self._seen:
            if time.monotonic() > deadline:
                raise self._nothing(kind, seconds)
            if time.monotonic() > speak_at:
                speak_at = time.monotonic() + MISSING_AFTER_S
                lines(f"   {line}" for line in self._missing(kind))
            time.sleep(LOOK_EVERY_S)
            self._look()

    def _look(self) -> None:
        """Tell the first event of each kind that came by the address it was to come by."""
        from ippbx_billing.pipeline import Rules
        from ippbx_billing.upkeep.pbx_check import understood

        with common.open_inbox(self._using) as inbox:
            events = inbox.after(self._position, 100)
        for event in events:
            self._position = event.id
            if event.kind in self._seen:
                continue
            if event.path.rstrip("/") != urlsplit(self._urls[event.kind]).path.rstrip("/"):
                say(tr("an event came by {path}, not by {url}; check it on the PBX's page",
                       path=event.path, url=self._urls[event.kind]))  # fmt: skip
                continue
            self._seen[event.kind] = event
            with common.open_ledger(self._using) as ledger:
                lines(f"   {line}" for line in understood(event, Rules.of(ledger, self._using), self._using))

    def _missing(self, kind: str) -> list[str]:
        from ippbx_billing.pbx.guide import missing

        return list(missing(self._profile, kind, self._seen, self._doors(), self._before))

    def _nothing(self, kind: str, seconds: float) -> BillingError:
        problem = tr("no {kind} came within {seconds} s", kind=tr(kind), seconds=f"{seconds:.0f}")
        return BillingError(problem, "; ".join(self._missing(kind)))

    def _doors(self) -> dict[str, Mapping[str, Any] | None]:
        """What our two doors say of themselves."""
        ports = {"cdr": self._using.cdr_port, "status": self._using.status_port}
        return {kind: _health(port, self._using) for kind, port in ports.items()}


def _entries(step: "GuideStep") -> Iterator[str]:
    """A step's fields to tick off; what is typed stands on a line of its own, where it can be copied whole."""
    for entry in step.entries:
        if entry.typed:
            yield f"   [ ] {entry.name}"
            yield f"       {entry.value}"
        else:
            yield f"   [ ] {entry.name}: {entry.value}"
    if step.button:
        yield "   [ ] " + tr("press {button}", button=step.button)


def _health(port: int, using: "Settings") -> Mapping[str, Any] | None:
    """What the listener on this machine says on that port; None where none answers."""
    import httpx

    from ippbx_billing.upkeep.pbx_check import own_certificate

    scheme = "https" if using.tls_certificate else "http"
    try:
        answer = httpx.get(
            f"{scheme}://127.0.0.1:{port}/healthz",
            timeout=DOOR_TIMEOUT_S,
            trust_env=False,
            verify=own_certificate(using),
        )
        health = answer.json()
    except (httpx.HTTPError, ValueError):
        return None
    return health if isinstance(health, dict) and "acknowledged" in health else None
