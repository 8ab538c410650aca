"""What keeps calls from having a price, resolved: tried on the calls concerned, then done, and these read again.

    remedy = Remedy(Cause.UNPRICED, code, facts, trunk=Trunk("FXO-9", "default"))
    attempt(ledger, inbox, settings, remedy)  # Attempt(calls=71, priced=71, fee_micro=12_400_000, …), nothing changed
    carry_out(ledger, inbox, settings, remedy)

The one idea: a remedy is tried with the very rules that it makes, so that what is promised is what happens.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from sqlite3 import Row
from tempfile import TemporaryDirectory

from ippbx_billing import dialects
from ippbx_billing.calls import Call, Charge, ChargeStatus, Disposition, Reason
from ippbx_billing.dialects.teaching import teach
from ippbx_billing.dialects.values import fold
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger, masking
from ippbx_billing.ledger.calls import call_of
from ippbx_billing.pipeline import Rules
from ippbx_billing.pipeline.replaying import ReplayDone, replay
from ippbx_billing.settings import Settings
from ippbx_billing.tariffs import Price, Trunk
from ippbx_billing.tariffs.changes import changes

MOST_TRIED = 2_000  # events; enough to judge by, and done in about a second


class Cause(StrEnum):
    """What sort of thing is to be resolved."""

    UNPRICED = "unpriced"
    REJECTED = "rejected"
    WORD = "word"
    TRUNK = "trunk"  # one that nobody configured, so that its calls went by the default carrier


@dataclass(frozen=True, slots=True)
class Remedy:
    """A cause, by its stored reason or its word, and what is to be done about it; with nothing, it is read again."""

    cause: Cause
    code: str = ""
    facts: str = ""
    word: str = ""
    trunk: Trunk | None = None
    price: Price | None = None
    meaning: Disposition | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a remedy would do: of the `events` concerned, `looked_at` were tried.

    Of their `calls` these would be `priced`, at a `fee_micro` in all; the others would stay for the reasons in `left`.
    They cost `before_micro` until now, which is None where they had no price.
    """

    events: int
    looked_at: int
    calls: int
    priced: int
    fee_micro: int
    left: Mapping[Reason, int] = field(default_factory=dict)
    before_micro: int | None = None


def concerned(ledger: Ledger, remedy: Remedy) -> list[int]:
    """The events that wait for it, oldest first."""
    match remedy.cause:
        case Cause.WORD:
            return ledger.calls.events_with_word(fold, remedy.word)
        case Cause.REJECTED:
            return ledger.journey.events_rejected(remedy.code, remedy.facts)
        case Cause.TRUNK:
            return ledger.calls.events_rated_on(remedy.trunk.name) if remedy.trunk else []
    return ledger.calls.events_unpriced(remedy.code, remedy.facts)


def attempt(ledger: Ledger, inbox: Inbox, using: Settings, remedy: Remedy) -> Attempt:
    """Rate the calls concerned as they would be; nothing is changed."""
    rules = Rules.of(ledger, using).trying(
        trunk=remedy.trunk, price=remedy.price, known_dialects=_taught(using, remedy)
    )
    events = concerned(ledger, remedy)
    tried = events[-MOST_TRIED:]
    charges: list[Charge] = []
    left: Counter[Reason] = Counter()
    before: list[int] = []
    for call in _calls(ledger, inbox, rules, remedy, tried, left, before):
        charge = rules.charge(call, rules.classify(call))
        charges.append(charge)
        if charge.status is ChargeStatus.UNRATED:
            left[charge.reason] += 1
    rated = [one.fee_micro or 0 for one in charges if one.status is ChargeStatus.RATED]
    was = sum(before) if remedy.cause is Cause.TRUNK else None
    return Attempt(len(events), len(tried), len(charges), len(rated), sum(rated), dict(left.most_common()), was)


def _calls(
    ledger: Ledger,
    inbox: Inbox,
    rules: Rules,
    remedy: Remedy,
    events: Iterable[int],
    left: Counter[Reason],
    before: list[int],
) -> Iterator[Call]:
    """The calls of these events: as they are stored where they were understood, with their fee; else read anew."""
    for number in events:
        if masking.is_masked(ledger, number):
            continue
        if remedy.cause in (Cause.UNPRICED, Cause.TRUNK):
            rows = (ledger.calls.get(row["id"]) for row in ledger.calls.of_event(number))
            for row in rows:
                if row is not None and _is_meant(row, remedy):
                    before.append(row["fee_micro"] or 0)
                    yield call_of(row)
        elif (event := inbox.get(number)) is not None:
            reading = rules.read(event)
            left.update(one.told for one in reading.problems)
            yield from reading.calls


def _is_meant(row: Row, remedy: Remedy) -> bool:
    if remedy.trunk is not None and remedy.cause is Cause.TRUNK:
        return (row["status"], row["trunk"]) == (ChargeStatus.RATED, remedy.trunk.name)
    return row["status"] == ChargeStatus.UNRATED and (row["reason"], row["reason_facts"]) == (remedy.code, remedy.facts)


def _taught(using: Settings, remedy: Remedy) -> dialects.Dialects | None:
    """The dialects as they would be with the word; None where none is taught."""
    if remedy.meaning is None:
        return None
    with TemporaryDirectory() as beside:
        folder = Path(beside, "dialects")
        if using.dialects_dir.exists():
            shutil.copytree(using.dialects_dir, folder)
        teach(folder, remedy.word, remedy.meaning)
        return dialects.load(folder)


def carry_out(ledger: Ledger, inbox: Inbox, using: Settings, remedy: Remedy) -> ReplayDone:
    """Do it, and read the events concerned again; BusyError, and nothing done, while other maintenance is under way."""

    def choose(found: Ledger) -> list[int]:
        events = [] if _stays_as_it_is(found, remedy) else concerned(found, remedy)
        with Ledger(using.ledger_path) as own:  # so that whoever reads sees that somebody edited
            _enter(own, using, remedy)
        return events

    return replay(ledger, inbox, using, choose)


def _stays_as_it_is(ledger: Ledger, remedy: Remedy) -> bool:
    """Whether a trunk gets the carrier that its calls went by anyway: they need not be read again, many as they are."""
    trunk = remedy.trunk
    if remedy.cause is not Cause.TRUNK or trunk is None or trunk.outside_prefix:
        return False
    return any(one.default and one.name == trunk.carrier for one in ledger.book.carriers())


def _enter(ledger: Ledger, using: Settings, remedy: Remedy) -> None:
    if remedy.trunk is not None:
        ledger.book.put_trunk(remedy.trunk)
    if remedy.price is not None:
        own = [one for one in ledger.book.prices() if one.carrier == remedy.price.carrier]
        ledger.book.change_prices(changes(own, [remedy.price]))
    if remedy.meaning is not None:
        teach(using.dialects_dir, remedy.word, remedy.meaning)
