"""What waits for somebody's hand: calls without a price, rejected records, unknown words, by cause, with the remedy.

    for job in jobs(ledger): job.sentence, job.calls, job.way
    remedy = remedy_of({"cause": "unpriced", "code": …, "facts": …, "way": "trunk", "carrier": "default"}, ledger)

The one idea: what a form says becomes a `Remedy` here, so that a page neither reads prices nor knows remedies.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from sqlite3 import Row
from typing import Any

from ippbx_billing.calls import Direction, Disposition, TrafficType
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.reasons import loaded
from ippbx_billing.lists.tariffs import cells
from ippbx_billing.pipeline.remedies import Attempt, Cause, Remedy
from ippbx_billing.reports import fee_text
from ippbx_billing.tariffs import Figures, Price, Trunk

AGAIN, TRUNK, PRICE, WORD = "again", "trunk", "price", "word"
NO_LOCAL = "no-local-price"


@dataclass(frozen=True, slots=True)
class Job:
    """A cause: its `count` calls or events wait since `since`; `example` is the newest of them.

    `way` is the remedy: a trunk's carrier, a price, a word's meaning, or only to be read again. The facts of the
    cause stand in `trunk`, `carrier`, `traffic_type` and `direction`, where they are known.
    """

    cause: Cause
    code: str
    facts: str
    word: str
    sentence: str
    count: int
    example: int | None
    since: str | None
    way: str
    trunk: str | None = None
    carrier: str | None = None
    traffic_type: str | None = None
    direction: str | None = None

    @property
    def hidden(self) -> dict[str, str]:
        """What a form must send to name it."""
        told = {"cause": self.cause.value, "code": self.code, "facts": self.facts, "word": self.word, "way": self.way,
                "trunk": self.trunk, "traffic_type": self.traffic_type, "direction": self.direction}  # fmt: skip
        return {name: value for name, value in told.items() if value}


def jobs(ledger: Ledger) -> list[Job]:
    """Everything that waits, the calls without a price first; last the calls whose carrier nobody named."""
    words = [_word(row) for row in ledger.calls.unknown_words()]
    unpriced = [_unpriced(row) for row in ledger.calls.unpriced_causes() if row["reason"] != "unknown-outcome"]
    default = next((one.name for one in ledger.book.carriers() if one.default), None)
    assumed = [_assumed(row, default) for row in ledger.calls.assumed_trunks()]
    return [*unpriced, *words, *map(_rejected, ledger.journey.rejected_causes()), *assumed]


def _assumed(row: Row, default: str | None) -> Job:
    told = tr("trunk {trunk} is not configured, so its calls go by the default carrier {carrier}", trunk=row["trunk"],
              carrier=default or "–")  # fmt: skip
    return Job(Cause.TRUNK, "", "", "", told, row["calls"], None, None, TRUNK, row["trunk"], default)


def _unpriced(row: Row) -> Job:
    way = {"unknown-trunk": TRUNK, "no-price": PRICE, NO_LOCAL: PRICE}.get(row["reason"], AGAIN)
    return Job(
        Cause.UNPRICED,
        row["reason"],
        row["reason_facts"],
        "",
        sentence(loaded(row["reason"], row["reason_facts"])),
        row["calls"],
        row["example"],
        row["first_day"],
        way,
        row["trunk"],
        row["carrier"],
        TrafficType.LOCAL.value if row["reason"] == NO_LOCAL else row["traffic_type"],
        None if row["reason"] == NO_LOCAL else row["direction"],
    )


def _word(row: Row) -> Job:
    told = tr("nobody knows what {word!r} says of a call's outcome ({dialect})", word=row["word"],
              dialect=row["dialect"])  # fmt: skip
    return Job(Cause.WORD, "", "", row["word"], told, row["calls"], None, None, WORD)


def _rejected(row: Row) -> Job:
    told = sentence(loaded(row["reason"], row["reason_facts"]))
    return Job(Cause.REJECTED, row["reason"], row["reason_facts"], "", told, row["events"], row["example"], None, AGAIN)


def remedy_of(given: Mapping[str, str], ledger: Ledger) -> Remedy:
    """The remedy that a form describes; UsageError where it cannot be meant."""
    if given.get("cause") not in tuple(Cause):
        raise UsageError(tr("{text!r} is not one of them", text=given.get("cause", "")[:100]), ", ".join(Cause))
    cause = Cause(given["cause"])
    plain = Remedy(cause, given.get("code", ""), given.get("facts", ""), given.get("word", ""))
    match given.get("way"):
        case "trunk":
            carrier = ledger.book.carrier(given.get("carrier", ""))
            name = _told(given, "trunk", tr("Trunk"))
            known = next((one for one in ledger.book.trunks() if one.name == name), None)
            number, prefix = (known.number, known.outside_prefix) if known else (None, None)
            return replace(plain, trunk=Trunk(name, carrier.name, number, prefix))
        case "price":
            return replace(plain, price=_price(given, ledger))
        case "word":
            _told(given, "word", tr("Word"))
            return replace(plain, meaning=_one_of(Disposition, given.get("meaning", "")))
    return plain


def _price(given: Mapping[str, str], ledger: Ledger) -> Price:
    """So many seconds at a fee, then each begun so many at another."""
    carrier = ledger.book.carrier(given.get("carrier", ""))
    initial = _read(tr("First"), _told(given, "initial", tr("First")), cells.block)
    step = _read(tr("Then each"), _told(given, "step", tr("Then each")), cells.block)
    try:
        return Price(
            id=None,
            carrier=carrier.name,
            traffic_type=_one_of(TrafficType, given.get("traffic_type", "")),
            figures=cells.believable(Figures(*initial, *step)),
            effective_from=_read(tr("In force since"), given.get("first_day", ""), cells.day),
            direction=_one_of(Direction, given.get("direction") or Direction.OUTBOUND),
        )
    except ValueError as error:
        raise UsageError(str(error), tr("write it like 60:0.10")) from error


def _told(given: Mapping[str, str], name: str, title: str) -> str:
    if not given.get(name):
        raise UsageError(tr("{field} is empty", field=title), tr("fill it in"))
    return given[name]


def _read(title: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        raise UsageError(tr("{option} is {text!r}", option=title, text=text[:100]), str(error)) from error


def _one_of(kinds: Any, text: str) -> Any:
    if text not in tuple(kinds):
        raise UsageError(tr("{text!r} is not one of them", text=text[:100]), ", ".join(kinds))
    return kinds(text)


def in_words(remedy: Remedy) -> str:
    """What would be done, in a sentence."""
    from ippbx_billing.lists.tariffs import views

    if remedy.trunk is not None:
        return tr("trunk {name} belongs to {carrier}", name=remedy.trunk.name, carrier=remedy.trunk.carrier)
    if remedy.price is not None:
        what, day, price = views.what(remedy.price), remedy.price.effective_from, views.in_words(remedy.price)
        return tr("{what} from {day}: {price}", what=what, day=day, price=price)
    if remedy.meaning is not None:
        return tr("{word} means {meaning}", word=remedy.word, meaning=tr(remedy.meaning.value))
    return tr("read again with the present rules")


def sentences(found: Attempt, currency: str, decimals: int) -> Iterator[str]:
    """What a remedy would do, and what would be left."""
    if found.looked_at < found.events:
        yield tr("tried on the newest {count} of {all} events", count=f"{found.looked_at:,}", all=f"{found.events:,}")
    fee = f"{fee_text(found.fee_micro, decimals)} {currency}"
    if found.before_micro is not None:
        before = f"{fee_text(found.before_micro, decimals)} {currency}"
        yield tr("these calls cost {before} now", before=before)
    yield tr("would price {count} calls, {fee}", count=f"{found.priced:,}", fee=fee)
    if not found.calls and not found.left:
        yield tr("none of its calls is there any more")
    for reason, count in found.left.items():
        yield tr("still without a price: {count}, {reason}", count=f"{count:,}", reason=sentence(reason))


def changes_something(found: Attempt) -> bool:
    """Whether it is worth doing."""
    return bool(found.priced)
