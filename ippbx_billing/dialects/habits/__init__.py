"""How bodies of a known shape are read: by what was learned of their like, in a tenth of the time that care takes.

The one idea: a PBX sends the same shape every time. What a dialect means for a shape, its names in their order and what
its words come to, is decided once by reading with care; after that one pattern finds the values, and a reader takes
them. The careful way stays the definition: whatever does not fit, or gives a reason for doubt, is read by it, and a
shape is learned only if both read its body alike.

    habits = ReadingHabits(dialects.evidence)
    reading, missed = habits.read(event, chosen, site)
    habits.learn(missed, view, facts, site, call)     # after reading with care
"""

from datetime import tzinfo
from typing import Any, NamedTuple

from ippbx_billing.calls import Call, RawEvent, Reading, Reason
from ippbx_billing.dialects.bodies import Bounds
from ippbx_billing.dialects.evidence import Evidence, TooMuch
from ippbx_billing.dialects.habits.finding import IsExtension, NotHabitualError, Spots
from ippbx_billing.dialects.habits.readers import Circumstances, Doubt, Reader, ZoneClock
from ippbx_billing.dialects.habits.templates import Key, NoTemplateError, Template, template_of
from ippbx_billing.dialects.plan import kind_of
from ippbx_billing.dialects.view import DocumentView, Facts, records_at

MOST_DOORS = 64  # of senders and paths
MOST_TEMPLATES = 16  # of one door
MOST_READERS = 256  # of one template
MOST_TRIES = 3  # to learn what was decided for one sort of document
MOST_TRIED = 1_024
MOST_ZONES = 16
LONGEST_BODY = 16_000
NOTHING = Reason()

Door = tuple[str, str, Bounds]  # the chosen dialect, the path of the delivery, and what a body may hold


class Standpoint(NamedTuple):
    """What reading by habit needs to know of the place where the PBX stands; `remote` is the sender's address."""

    zone: tzinfo
    is_extension: IsExtension
    remote: str
    bounds: Bounds


class Missed(NamedTuple):
    """A body that was not read by habit: its text, and the template and key that it fits if there are such."""

    door: Door
    text: str
    template: Template | None = None
    key: Key = ()


class ReadingHabits:
    """The templates of what was delivered so far; bounded, and forgotten with the dialects that they belong to."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._doors: dict[Door, list[Template]] = {}
        self._clocks: dict[tzinfo, ZoneClock] = {}
        self._tried: dict[int, tuple[object, int]] = {}

    def read(self, event: RawEvent, chosen: str, site: Standpoint) -> tuple[Reading | None, Missed | None]:
        """What the event means, or what is to be learned from it once it was read with care."""
        text = _text_of(event)
        if text is None:
            return None, None
        door = (chosen, event.path, site.bounds)
        templates = self._doors.get(door)
        if templates is None:
            return None, Missed(door, text)
        try:
            return self._by_templates(templates, text, site) or (None, Missed(door, text))
        except TooMuch:
            return None, None
        except _UnknownKeyError as missed:
            return None, Missed(door, text, missed.template, missed.key)

    def _by_templates(
        self, templates: list[Template], text: str, site: Standpoint
    ) -> tuple[Reading | None, Missed | None] | None:
        for place, template in enumerate(templates):
            found = template.said(text)
            if found is None:
                continue
            if place:  # the next body is likely to be like this one
                templates.insert(0, templates.pop(place))
            said, key = found
            reader: Reader | None = template.readers.get(key, _UNKNOWN)
            if reader is _UNKNOWN:
                raise _UnknownKeyError(template, key)
            if reader is None:
                return None, None
            try:
                call = reader.call(said, self._circumstances(site))
            except Doubt:
                return None, None
            return Reading(reader.dialect, (call,), (), (), NOTHING), None
        return None

    def _circumstances(self, site: Standpoint) -> Circumstances:
        clock = self._clocks.get(site.zone)
        if clock is None:
            if len(self._clocks) >= MOST_ZONES:
                self._clocks.clear()
            clock = self._clocks[site.zone] = ZoneClock(site.zone)
        return Circumstances(clock, site.is_extension, site.remote)

    # -- learning

    def learn(self, missed: Missed, view: DocumentView, facts: Facts, site: Standpoint, call: Call) -> None:
        """Remember how a document was read with care, if a decision for its like stands already.

        `call` is all that was made of the event.
        """
        if view.decided is None or not self._is_worth_a_try(view.decided):
            return
        try:
            template = missed.template or template_of(missed.text, self._evidence)
            said, key = template.said(missed.text) or ([], ())
        except (NoTemplateError, TooMuch):
            return
        if len(template.readers) < MOST_READERS and said:
            template.readers[key] = self._reader(template, key, view, facts)
            self._prove(template, key, missed.text, site, call)
        if missed.template is None:
            self._keep(missed.door, template)

    def _is_worth_a_try(self, decided: object) -> bool:
        """A few templates for one decision are spellings of one shape; more are a stranger's whims."""
        if len(self._tried) >= MOST_TRIED:
            self._tried.clear()
        _, tries = self._tried.get(id(decided), (decided, 0))
        self._tried[id(decided)] = decided, tries + 1  # it is kept, so that its id stays its own
        return tries < MOST_TRIES

    def _reader(self, template: Template, key: Key, view: DocumentView, facts: Facts) -> Reader | None:
        if len(view.records) != 1 or kind_of(view.dialect, view.records[0].plan, view.records[0]) != ("cdr", ""):
            return None
        records = records_at(view.path, view.dialect, template.document, facts)
        if len(records) != 1:
            return None
        plan = view.records[0].plan
        try:
            return Reader(view.dialect, plan, Spots(template, key, records[0], plan))
        except NotHabitualError:
            return None

    def _prove(self, template: Template, key: Key, text: str, site: Standpoint, call: Call) -> None:
        """What is learned from a body must read it as it was read with care."""
        reader, found = template.readers[key], template.said(text)
        if reader is None or found is None:
            return
        try:
            if reader.call(found[0], self._circumstances(site)) != call:
                template.readers[key] = None
        except Doubt:
            pass

    def _keep(self, door: Door, template: Template) -> None:
        if door not in self._doors and len(self._doors) >= MOST_DOORS:
            self._doors.clear()
        templates = self._doors.setdefault(door, [])
        templates.insert(0, template)
        del templates[MOST_TEMPLATES:]


_UNKNOWN: Any = object()


class _UnknownKeyError(Exception):
    """A body fits a template, but its words come to something that was not met before."""

    def __init__(self, template: Template, key: Key) -> None:
        super().__init__()
        self.template, self.key = template, key


def _text_of(event: RawEvent) -> str | None:
    """The text of a body that may be a plain document of JSON."""
    body = event.body
    if body[:1] not in (b"{", b" ", b"\n", b"\r", b"\t") or len(body) > LONGEST_BODY:
        return None
    if not body.isascii() and "ncoding:" in event.headers:
        return None  # it may have to be unpacked
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
