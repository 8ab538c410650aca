"""The vocabulary of the journey: what the PBX sent, what it means, what it costs.

All values are frozen. Times are aware `datetime`s in UTC, durations whole seconds (`…_s`), amounts
micro-units of the currency (`…_micro`, see `money`). `None` means that nobody told us.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """Which of the two doors an event came through."""

    CDR = "cdr"
    STATUS = "status"


class Direction(StrEnum):
    """Which way a call went, seen from the site."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    INTERNAL = "internal"


class Disposition(StrEnum):
    """How a call attempt ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"


class TrafficType(StrEnum):
    """话务类型: the kind of traffic a tariff has a price list for."""

    LOCAL = "local"
    DOMESTIC = "domestic"
    HK_MO_TW = "hk_mo_tw"
    INTERNATIONAL = "international"
    IP_LONG_DISTANCE = "ip_long_distance"
    AUDIOTEX = "audiotex"
    DIALUP = "dialup"
    SERVICE_400_800 = "service_400_800"
    OTHER = "other"
    INTERNAL = "internal"


class LineKind(StrEnum):
    """What sort of line the other side has."""

    FIXED = "fixed"
    MOBILE = "mobile"
    SATELLITE = "satellite"
    SERVICE = "service"
    EXTENSION = "extension"
    UNKNOWN = "unknown"


class ChargeStatus(StrEnum):
    """What became of a call on its way to the bill."""

    RATED = "rated"  # a price was found and applied
    FREE = "free"  # costs nothing by rule; the reason says which
    UNRATED = "unrated"  # cannot be priced; the reason says why
    FILTERED = "filtered"  # kept, but not billed: a twin of another record, or a filter of the site


class EventStatus(StrEnum):
    """What became of an event."""

    NEW = "new"  # kept, not yet read
    DONE = "done"
    DUPLICATE = "duplicate"  # every record in it was delivered before
    REJECTED = "rejected"  # kept, but not understood, or only in part; the reason says why


class Phase(StrEnum):
    """Where a live call stands."""

    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is: a code that stays, and the facts in it; "" is not a reason at all.

    It is stored as code and JSON. A sentence is made of it only where a person reads it, in that person's language.
    """

    code: str = ""
    facts: Mapping[str, "Fact"] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.code)

    def __hash__(self) -> int:
        return hash((self.code, frozenset(self.facts.items())))


Fact = int | str | tuple[Reason, ...]  # what stands in a reason; some are made of others


def together(reasons: Iterable[Reason]) -> Reason:
    """Several reasons as one, each told once: none is not a reason, and one is itself."""
    found = tuple(dict.fromkeys(reasons))
    if len(found) > 1:
        return Reason("several", {"reasons": found})
    return found[0] if found else Reason()


ROW_OF = "row-of "  # begins the `twin` of a row of a conversation; then comes the id of the call that is billed for it
FROM_FILE, PRINTED = "FILE", "SMDR"  # stand for the method of events that came from a file, or as lines over TCP


@dataclass(slots=True)  # not frozen: that makes it four times as slow to make, and one is made for each event
class RawEvent:
    """One HTTP delivery from the PBX, byte for byte.

    `headers` is the header block as received, `Name: value` lines joined by CRLF.
    """

    id: int
    received_at: datetime
    kind: EventKind
    remote: str
    method: str
    path: str
    query: str
    headers: str
    body: bytes


@dataclass(slots=True, kw_only=True)  # not frozen, like `RawEvent`; nobody changes one, `replace` makes another
class Call:
    """One conversation attempt as the PBX recorded it, before numbering and rating.

    `duration_s` runs from start to end, `billed_s` from answer to end; a begun second counts, and `billed_ms` is the
    talk time in milliseconds where the PBX told a part of a second. `number` is the other side, `extension` ours.
    `twin` says why this record must not be billed beside its sibling, in the words of its dialect.
    `left_out` is set only for rating, where a filter of the site keeps the call off the bill. `notes` are doubts
    worth showing (durations that contradict each other, a repaired body); `doubt` is one that forbids a fee: the call
    stays unrated for that reason until the cause is removed.
    """

    pbx: str
    dialect: str
    started_at: datetime
    billed_s: int
    disposition: Disposition
    call_id: str | None = None
    record_id: str | None = None
    group_id: str | None = None
    caller: str | None = None
    callee: str | None = None
    extension: str | None = None
    number: str | None = None
    trunk: str | None = None
    direction: Direction | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: int | None = None
    did: str | None = None
    pin: str | None = None
    recording: str | None = None
    twin: str | None = None
    left_out: Reason | None = None
    notes: tuple[Reason, ...] = ()
    doubt: Reason | None = None
    billed_ms: int | None = None

    @property
    def key(self) -> str:
        """What makes this record one and the same when it is delivered again, within its PBX.

        The record's own id where the dialect names one. Call ids are reused and shared by legs, so
        without a record id the key is the fingerprint of the facts.
        """
        if self.record_id:
            return f"id:{self.record_id}"
        facts = (
            self.call_id or "",
            str(int(self.started_at.timestamp())),
            self.caller or "",
            self.callee or "",
            self.trunk or "",
            str(int(self.answered_at.timestamp())) if self.answered_at else "",
            str(self.duration_s),
            str(self.billed_s),
        )
        return "facts:" + "|".join(facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStatus:
    """One step of a live call: `state` is the normalised word of the PBX, `phase` where the call stands.

    `phase` is `None` for events that are not step of a call (an idle extension, for instance).
    """

    pbx: str
    dialect: str
    state: str
    phase: Phase | None
    call_id: str | None = None
    caller: str | None = None
    callee: str | None = None
    extension: str | None = None
    number: str | None = None
    trunk: str | None = None
    direction: Direction | None = None
    at: datetime | None = None
    duration_s: int | None = None
    billed_s: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something could not be read, and where in the event it stands.

    `record` counts the documents of a body that holds several, `where` the records within one; 0 and "" for the whole.
    """

    reason: Reason
    where: str = ""
    record: int = 0

    @property
    def told(self) -> Reason:
        """The reason with its place in it."""
        if not self.record:
            return Reason("in-part", {"part": self.where, "reasons": (self.reason,)}) if self.where else self.reason
        if not self.where:
            return Reason("in-record", {"record": self.record, "reasons": (self.reason,)})
        return Reason("in-part-of-record", {"record": self.record, "part": self.where, "reasons": (self.reason,)})


@dataclass(slots=True)
class Reading:
    """What an event means: its calls or states, the problems met, and why it holds no call if it holds none."""

    dialect: str | None = None
    calls: tuple[Call, ...] = ()
    states: tuple[CallStatus, ...] = ()
    problems: tuple[Problem, ...] = ()
    nothing: Reason = field(default_factory=Reason)  # understood, but no call: an SMS, an empty probe

    def is_one_call(self) -> bool:
        """Whether it is one call and nothing else."""
        return len(self.calls) == 1 and not (self.states or self.problems)


def priced_at(call: Call) -> datetime:
    """The moment by which a call is priced: when it was answered, or began where the PBX does not tell that."""
    answered_at = call.answered_at
    return call.started_at if answered_at is None or answered_at < call.started_at else answered_at


@dataclass(slots=True, kw_only=True)  # not frozen, like `Call`
class Classification:
    """What a dialled or calling number is, and which rule decided it."""

    number: str
    normalized: str
    traffic_type: TrafficType
    line_kind: LineKind
    country: str | None = None
    region: str | None = None
    place: str | None = None
    operator: str | None = None
    area_code: str | None = None
    emergency: bool = False
    rule: str = ""  # a stable code of the rule that decided, e.g. "area-code"
    why: Reason = field(default_factory=Reason)  # the same with its facts; `also` in them is how far it is
    ip_prefix: str | None = None  # the IP or carrier prefix that was dialled, e.g. 17951
    underlying: TrafficType | None = None  # behind an IP prefix: the traffic type of the number itself


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a charge's story: what it is, the facts that led to it, and what it adds to the fee.

    `code` is stable (`initial`, `steps`, `free`, `rounding` …); `facts` are the numbers in it;
    the steps' `amount_micro` add up to the fee.
    """

    code: str
    facts: dict[str, int | str] = field(default_factory=dict)
    amount_micro: int = 0
    reason: Reason = field(default_factory=Reason)  # of the steps that say what a number is, or why there is no fee


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The fee of a call with the price, the window and the steps that led to it.

    `calendar` is the version of the days off where the price asks what day it is.
    """

    status: ChargeStatus
    fee_micro: int | None
    reason: Reason = field(default_factory=Reason)
    carrier: str | None = None
    price_id: int | None = None
    window: str | None = None
    calendar: str | None = None
    steps: tuple[Step, ...] = ()
