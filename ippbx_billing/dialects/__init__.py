"""How each PBX model spells a call: one TOML per family, one engine that reads a delivery with it.

The one idea: a PBX model is data. `bodies` turns bytes into documents, `choosing` finds the dialect and its
records, `reading` turns a record into a call by the dialect's names, `settling` makes times and durations agree.
A new model, or a new firmware, is a TOML file in the site's data directory.

    known = load(data_dir / "dialects")
    reading = read(event, known, chosen="auto", zone=ZoneInfo("Asia/Shanghai"), is_extension=numbering.is_extension)
    reading.calls, reading.states, reading.problems, reading.nothing

Reading never raises: what is not understood is a `Problem` with its reason.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from functools import lru_cache
from itertools import islice
from pathlib import Path

from ippbx_billing.calls import Call, CallStatus, Problem, RawEvent, Reading, Reason, together
from ippbx_billing.dialects.bodies import DEFAULT_BOUNDS, Bounds, Document, Opened, open_body
from ippbx_billing.dialects.choosing import Dialects, choose
from ippbx_billing.dialects.clocks import Hints, proven_order
from ippbx_billing.dialects.definition import COMMON_WORDS, FIELDS, Dialect, common_words, read_dialect
from ippbx_billing.dialects.habits import Missed, Standpoint
from ippbx_billing.dialects.plan import kind_of
from ippbx_billing.dialects.reading import Fields, Site, call_of, status_of
from ippbx_billing.dialects.record import Record, scalars
from ippbx_billing.dialects.teaching import own_words
from ippbx_billing.dialects.view import DocumentView, view_of

__all__ = [
    "DEFAULT_BOUNDS",
    "FIELDS",
    "Bounds",
    "Dialect",
    "Dialects",
    "load",
    "read",
    "read_by_habit",
    "records",
    "sender",
]

PACKAGED = Path(__file__).parent / "families"
MOST_TEXTS = 20_000  # of a delivery that are looked through for dates
MOST_PROBLEMS = 20  # reasons kept of one body; a flood of them says no more


def load(user_dir: Path | None = None) -> Dialects:
    """The packaged dialects and the site's own; a file of the same name replaces ours. Raises DataError."""
    found = dict(_packaged())
    if user_dir is not None and user_dir.is_dir():
        words = common_words(PACKAGED)
        for path in sorted(user_dir.glob("*.toml")):
            if path.name != COMMON_WORDS:
                found[path.stem] = read_dialect(path, words, own=True)
        if (taught := own_words(user_dir)).disposition:
            found = {name: one.taught(taught.outcomes) for name, one in found.items()}
    return Dialects(found)


@lru_cache(maxsize=1)
def _packaged() -> Mapping[str, Dialect]:
    words = common_words(PACKAGED)
    paths = sorted(path for path in PACKAGED.glob("*.toml") if path.name != COMMON_WORDS)
    return {path.stem: read_dialect(path, words) for path in paths}


def read(
    event: RawEvent,
    dialects: Dialects,
    *,
    chosen: str,
    zone: tzinfo,
    is_extension: Callable[[str], bool],
    bounds: Bounds = DEFAULT_BOUNDS,
    country: str = "",
) -> Reading:
    """What an event means; `chosen` is the name of a dialect or `auto`. Never raises.

    `country` is the site's; it settles the order of day and month where nothing else does.
    """
    here = Standpoint(zone, is_extension, sender(event.remote), bounds)
    reading, missed = dialects.habits.read(event, chosen, here)
    return reading or _read_with_care(event, dialects, chosen, here, country, missed)


def read_by_habit(
    event: RawEvent,
    dialects: Dialects,
    *,
    chosen: str,
    zone: tzinfo,
    is_extension: Callable[[str], bool],
    bounds: Bounds = DEFAULT_BOUNDS,
) -> Reading | None:
    """What `read` gives, if that takes no more than a look; None where care is needed, which may take long."""
    return dialects.habits.read(event, chosen, Standpoint(zone, is_extension, sender(event.remote), bounds))[0]


def _read_with_care(
    event: RawEvent, dialects: Dialects, chosen: str, here: Standpoint, country: str, missed: Missed | None
) -> Reading:
    """The definition of what an event means; what is done every time in the same way becomes a habit."""
    opened = open_body(event, here.bounds)
    hints = _HintsOnDemand(event, opened, country)
    reader = _Reader(event, dialects, chosen, Site(here.zone, here.is_extension, here.remote, hints))
    reader.problems += opened.problems
    for place, document in enumerate(opened.documents):
        reader.document(document, place + 1 if len(opened.documents) > 1 else 0, tuple(opened.notes))
    if not opened.documents and not opened.problems:
        reader.nothing.append(opened.nothing or Reason("empty-body"))
    reading = reader.reading()
    if missed is not None and reader.view is not None and len(opened.documents) == 1 and reading.is_one_call():
        dialects.habits.learn(missed, reader.view, reader.facts, here, reading.calls[0])
    return reading


class _HintsOnDemand:
    """The hints of a delivery, worked out when the first date needs them; most never do."""

    __slots__ = ("_country", "_event", "_found", "_opened")

    def __init__(self, event: RawEvent, opened: Opened, country: str) -> None:
        self._event, self._opened, self._country = event, opened, country
        self._found: Hints | None = None

    def __call__(self) -> Hints:
        if self._found is None:
            self._found = hints_for(self._event, self._opened, self._country)
        return self._found


def hints_for(event: RawEvent, opened: Opened, country: str) -> Hints:
    """What settles the order of the dates in a delivery: its other dates, its arrival, the country of the site."""
    said = islice((text for one in opened.documents for _, text in scalars(one)), MOST_TEXTS)
    return Hints(country, event.received_at.astimezone(UTC), proven_order(said))


def sender(remote: str) -> str:
    """The address of a sender without its port: `192.0.2.7:5060` and `[2001:db8::1]:80`; files are one sender."""
    if remote.startswith("file:"):
        return "file"
    if remote.startswith("["):
        return remote[1:].partition("]")[0]
    return remote.partition(":")[0] if remote.count(":") == 1 else remote


class _Reader:
    """Collects what the documents of one event mean."""

    def __init__(self, event: RawEvent, dialects: Dialects, chosen: str, site: Site) -> None:
        self._dialects = dialects
        self._chosen = chosen
        self._site = site
        self.facts = facts_of(event)
        self.view: DocumentView | None = None  # of the last document
        self.dialect: str | None = None
        self.calls: list[Call] = []
        self.states: list[CallStatus] = []
        self.problems: list[Problem] = []
        self.nothing: list[Reason] = []

    def reading(self) -> Reading:
        """Everything so far, as the event's meaning."""
        problems = self.problems[:MOST_PROBLEMS]
        if len(self.problems) > MOST_PROBLEMS:
            problems.append(Problem(Reason("more-problems", {"count": len(self.problems) - MOST_PROBLEMS})))
        is_nothing = not (self.calls or self.states or problems)
        return Reading(
            dialect=self.dialect,
            calls=tuple(self.calls),
            states=tuple(self.states),
            problems=tuple(problems),
            nothing=together(self.nothing) if is_nothing else Reason(),
        )

    def document(self, document: Document, number: int, notes: tuple[Reason, ...]) -> None:
        """Read one document with the dialect that fits it."""
        if not document:
            self.nothing.append(Reason("empty-probe"))
            return
        view = choose(document, self._dialects, self._chosen, self.facts)
        if isinstance(view, Problem):
            self.problems.append(Problem(view.reason, record=number))
            return
        self.view = view
        self.dialect = self.dialect or view.dialect.name
        for place, record in enumerate(view.records):
            where = str(place + 1) if len(view.records) > 1 else ""
            self._record(Fields(view.dialect, record, self._site, [*notes, *view.notes]), where, number)

    def _record(self, fields: Fields, where: str, number: int) -> None:
        kind, because = kind_of(fields.dialect, fields.plan, fields.record)
        if kind == "nothing":
            self.nothing.append(Reason("no-call", {"because": because}))
        if "cdr" in kind:
            call = call_of(fields)
            if isinstance(call, Problem):
                self.problems.append(Problem(call.reason, where, number))
            else:
                self.calls.append(call)
        if "status" in kind:
            state = status_of(fields)
            if isinstance(state, Reason):
                self.nothing.append(state)
            else:
                self.states.append(state)


def facts_of(event: RawEvent) -> dict[str, str]:
    """What the delivery itself says beside its body: the last word of the path, for senders that name events so."""
    return {"path": event.path.partition("?")[0].rstrip("/").rpartition("/")[2]}


def records(event: RawEvent, dialect: Dialect) -> list[Record]:
    """The records of an event as a dialect sees them; empty where its body cannot be opened."""
    facts = facts_of(event)
    return [one for document in open_body(event).documents for one in view_of(dialect, document, facts).records]
