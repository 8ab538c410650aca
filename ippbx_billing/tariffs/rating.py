"""Rating: one call and one price make one charge, which can say how it came about.

The one idea: every amount is exact, and a fee is rounded once, at the end. `rate` finds the
fee, fast enough for a million calls; `explain` finds the same fee and tells its story in steps that add up to it.

    charge = rate(call, classification, local_start, book)
    charge.fee_micro   ->  980000    # 80 s at 0.07 per 6 s: fourteen steps begun

How a call is charged:

* Twins of another record are filtered; calls that were not answered, had no talk time, or went to an emergency number
  are free; so are incoming and internal calls unless there is a price for them. A call without direction, carrier or
  price is unrated, with the reason; nothing is guessed.
* Free seconds go first. Of the rest the initial fee buys the initial seconds, then each begun step costs the step fee.
  An exact multiple is not one step more. A call wholly within its free seconds costs its connection fee only.
* The connection fee comes on top; a row's minimum and maximum hold for the row's own amount; then the carrier's local
  price for the same length is added where the row says so, and the carrier's tax. A call within the grace is free.
* The window in force at the start of the call replaces the four figures. Where the carrier splits calls, a border ends
  the block in progress, and the next step begins at the border with the new window's figures; the initial fee is paid
  once, by the first second that is not free. A flat window is one block: its fee is due when the call reaches it.
  Where the carrier goes by steps, a block runs on over the border, and the next one begins where it ends.
* A tier later in the call replaces step and fee from its second of the chargeable talk on; its border is like that of
  a window. Where only completed steps count, what is left before a border is free.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from ippbx_billing import money
from ippbx_billing.calls import (
    ROW_OF,
    Call,
    Charge,
    ChargeStatus,
    Classification,
    Direction,
    Disposition,
    LineKind,
    Reason,
    Step,
    TrafficType,
)
from ippbx_billing.money import Rounding
from ippbx_billing.tariffs.book import TariffBook
from ippbx_billing.tariffs.prices import DAY_S, Calendar, Carrier, Figures, PartSecond, Price, Seconds, Tier, Window
from ippbx_billing.tariffs.spelling import seconds_text, tax_text
from ippbx_billing.tariffs.windows import Stretch, stretches, window_now

Facts = dict[str, int | str]
Amount = int | Fraction  # exact micro-units; a fraction only where a rate per minute is charged by shorter blocks

REMEMBERED = 100_000  # charges a book keeps for calls of the same price, window and length
MAX_CALL_S = 366 * DAY_S  # what is longer is a mistake of the PBX, not a conversation

NOT_ANSWERED = Charge(status=ChargeStatus.FREE, fee_micro=0, reason=Reason("not-answered"))
NO_TALK = Charge(status=ChargeStatus.FREE, fee_micro=0, reason=Reason("no-talk"))
EMERGENCY = Charge(status=ChargeStatus.FREE, fee_micro=0, reason=Reason("emergency"))
INCOMING = Charge(status=ChargeStatus.FREE, fee_micro=0, reason=Reason("incoming-without-price"))
INTERNAL = Charge(status=ChargeStatus.FREE, fee_micro=0, reason=Reason("internal-without-price"))
NO_DIRECTION = Charge(status=ChargeStatus.UNRATED, fee_micro=None, reason=Reason("no-direction"))


def rate(call: Call, classification: Classification, local_start: datetime, book: TariffBook) -> Charge:
    """The charge of a call, without steps; `local_start` is its start in the site's time zone. Never raises."""
    key = _alike(call, classification, local_start)
    found = book.settled.get(key)
    if found is None:
        found = settle(call, classification, local_start, book)
        if key not in book.settled and key is not None and len(book.settled) < REMEMBERED:
            book.settled[key] = found if _holds_for_all(found, call, classification, book) else None
    if isinstance(found, Charge):
        return found
    carrier, price = found
    seconds = charged_s(call, carrier)
    if price.add_local or (price.windows and carrier.crossing != "start"):
        return charge_by(price, carrier, seconds, classification, local_start, book)
    window = window_now(price.windows, local_start, book.calendar) if price.windows else None
    known = (id(price), id(window), seconds)
    charge = book.charges.get(known)
    if charge is None:
        charge = charge_by(price, carrier, seconds, classification, local_start, book)
        if len(book.charges) < REMEMBERED:
            book.charges[known] = charge
    return charge


def _alike(call: Call, c: Classification, local_start: datetime) -> tuple[object, ...] | None:
    """What is equal in calls of one day for which `settle` finds the same, if no digits count; None where more does."""
    if call.twin or call.left_out or call.doubt or c.emergency:
        return None
    if call.disposition is not Disposition.ANSWERED:
        return call.trunk, call.direction
    if not 0 < call.billed_s <= MAX_CALL_S:
        return None
    return call.trunk, call.direction, c.traffic_type, c.line_kind, c.area_code, c.country, local_start.toordinal()


def _holds_for_all(found: Charge | tuple[Carrier, Price], call: Call, c: Classification, book: TariffBook) -> bool:
    """Whether nothing that was found rests on the very digits of the call."""
    if call.disposition is not Disposition.ANSWERED:
        return True
    carrier = book.carrier_for(call.trunk)
    if carrier is None or call.direction is None or book.looks_at_digits(carrier, c.traffic_type, call.direction):
        return False
    return not isinstance(found, Charge) or found.status is ChargeStatus.FREE


def charged_s(call: Call, carrier: Carrier) -> Seconds:
    """The talk time that the carrier charges."""
    return call.billed_s if call.billed_ms is None else talk_s(call.billed_ms, carrier.part_second)


def talk_s(billed_ms: int, part_second: PartSecond) -> Seconds:
    """The talk time that is charged, of one told in milliseconds: what the carrier makes of a part of a second.

    >>> talk_s(60_500, "up"), talk_s(60_500, "down"), talk_s(60_500, "half_even"), talk_s(60_500, "exact")
    (61, 60, 60, Fraction(121, 2))
    """
    if part_second == "exact":
        return _exact(billed_ms, 1000)
    return money.rounded(billed_ms * 1000, 0, part_second) // money.MICRO


def settle(
    call: Call, classification: Classification, local_start: datetime, book: TariffBook
) -> Charge | tuple[Carrier, Price]:
    """What a call costs without any arithmetic, or the carrier and the price that decide it."""
    carrier = book.carrier_for(call.trunk)
    ruled = _ruled(call, classification)
    if ruled is not None:
        return ruled if carrier is None or call.direction is Direction.INTERNAL else _of(carrier.name, ruled)
    if carrier is None:
        return _without_carrier(call, book)
    price = _price(call, classification, carrier, local_start, book)
    return (carrier, price) if price else _without_price(call, classification, carrier)


def explain(call: Call, classification: Classification, local_start: datetime, book: TariffBook) -> Charge:
    """The same charge as `rate` finds, with its steps; their amounts add up to the fee."""
    charge = rate(call, classification, local_start, book)
    return replace(charge, steps=tuple(_story(call, classification, local_start, book, charge)))


def charge_by(
    price: Price,
    carrier: Carrier,
    seconds: Seconds,
    classification: Classification,
    local_start: datetime,
    book: TariffBook,
) -> Charge:
    """The charge of a call that has a price: the row's own fee, the local one and the tax on top, rounded once."""
    exact, window = _own_fee(price, carrier, local_start, seconds, book.calendar)
    asked = [price]
    if price.add_local:
        local = local_price(classification, carrier, local_start, book)
        if local is None:
            return _unrated("no-local-price", carrier, traffic_type=price.traffic_type.value)
        exact += _own_fee(local, carrier, local_start, seconds, book.calendar)[0]
        asked.append(local)
    if carrier.tax_micro:
        exact = _exact(exact * (money.MICRO + carrier.tax_micro), money.MICRO)
    if exact > money.MAX_FEE_MICRO:
        return _unrated("fee-too-large", carrier, seconds=_fact(seconds))
    return Charge(
        status=ChargeStatus.RATED,
        fee_micro=money.rounded(exact, *_rounding(price, carrier)),
        carrier=carrier.name,
        price_id=price.id,
        window=window,
        calendar=book.calendar.version if any(one.asks_the_day for one in asked) else None,
    )


def _of(carrier: str, charge: Charge) -> Charge:
    """The charge with its carrier: also a call that costs nothing went over somebody's line."""
    is_plain = charge.status is ChargeStatus.FREE and not charge.reason.facts
    return _free_with(charge.reason.code, carrier) if is_plain else replace(charge, carrier=carrier)


def _ruled(call: Call, classification: Classification) -> Charge | None:
    """What is settled without looking at any price."""
    if call.twin:
        return Charge(status=ChargeStatus.FILTERED, fee_micro=0, reason=_twin(call.twin))
    if call.left_out:
        return Charge(status=ChargeStatus.FILTERED, fee_micro=0, reason=call.left_out)
    if call.doubt:
        return Charge(status=ChargeStatus.UNRATED, fee_micro=None, reason=call.doubt)
    if call.disposition is not Disposition.ANSWERED:
        return NOT_ANSWERED
    if call.billed_s <= 0 or call.billed_s > MAX_CALL_S:
        return NO_TALK if call.billed_s == 0 else _unrated("impossible-length", seconds=call.billed_s)
    if classification.emergency:
        return EMERGENCY
    return NO_DIRECTION if call.direction is None else None


def _twin(text: str) -> Reason:
    """Why a record is not billed beside another one: a row of its conversation, or what its dialect says of it."""
    if text.startswith(ROW_OF):
        return Reason("row-of", {"call": int(text.removeprefix(ROW_OF))})
    return Reason("twin", {"because": text})


def _unrated(code: str, of: Carrier | None = None, **facts: int | str) -> Charge:
    """A call that cannot be priced; the carrier it went through is a fact of every such reason."""
    if of is None:
        return Charge(status=ChargeStatus.UNRATED, fee_micro=None, reason=Reason(code, facts))
    reason = Reason(code, {"carrier": of.name, **facts})
    return Charge(status=ChargeStatus.UNRATED, fee_micro=None, reason=reason, carrier=of.name)


@lru_cache(maxsize=1_024)
def _free_with(code: str, carrier: str) -> Charge:
    return Charge(status=ChargeStatus.FREE, fee_micro=0, reason=Reason(code), carrier=carrier)


def _is_internal(call: Call, classification: Classification) -> bool:
    return call.direction is Direction.INTERNAL or classification.traffic_type is TrafficType.INTERNAL


def _without_carrier(call: Call, book: TariffBook) -> Charge:
    if call.direction is not Direction.OUTBOUND:
        return INTERNAL if call.direction is Direction.INTERNAL else INCOMING
    trunk = book.trunks.get(call.trunk or "")
    if trunk:
        return _unrated("unknown-carrier", trunk=trunk.name, carrier=trunk.carrier)
    return _unrated("unknown-trunk", trunk=call.trunk) if call.trunk else _unrated("no-trunk")


def _without_price(call: Call, classification: Classification, carrier: Carrier) -> Charge:
    """Incoming and internal calls are free unless they have a price; for others the reason names what is missing."""
    if _is_internal(call, classification):
        return _free_with(INTERNAL.reason.code, carrier.name)
    if call.direction is Direction.INBOUND:
        return _free_with(INCOMING.reason.code, carrier.name)
    match, value = _destination(classification)
    facts = {"traffic_type": classification.traffic_type.value, "line_kind": classification.line_kind.value}
    return _unrated("no-price", carrier, **facts, match=match, value=value)


def _destination(c: Classification) -> tuple[str, str]:
    """What a price for the call would have to name: its area, its country, or a short number itself."""
    if c.area_code and c.traffic_type in (TrafficType.LOCAL, TrafficType.DOMESTIC):
        return "area", c.area_code
    if c.country and c.line_kind is not LineKind.SERVICE:
        return "country", c.country
    return "number", c.normalized  # empty where it is withheld


def _price(
    call: Call, classification: Classification, carrier: Carrier, local_start: datetime, book: TariffBook
) -> Price | None:
    direction = call.direction or Direction.OUTBOUND
    called = None if direction is Direction.OUTBOUND else call.did or call.callee
    return book.price_for(carrier, classification, direction, local_start.date(), called=called)


def local_price(
    classification: Classification, carrier: Carrier, local_start: datetime, book: TariffBook
) -> Price | None:
    """The carrier's local price for the other side's kind of line; what is not a mobile counts as fixed."""
    mobile = classification.line_kind in (LineKind.MOBILE, LineKind.SATELLITE)
    kind = LineKind.MOBILE if mobile else LineKind.FIXED
    local = replace(classification, traffic_type=TrafficType.LOCAL, line_kind=kind)
    return book.price_for(carrier, local, Direction.OUTBOUND, local_start.date())


# --- The arithmetic of one price --------------------------------------------------------------------------------


class Part(NamedTuple):
    """What some seconds of a call cost: `free` or already `paid` ones, those the `initial` fee buys, or `steps`."""

    code: str
    window: Window | None
    figures: Figures
    seconds: Seconds
    steps: int
    amount_micro: Amount
    tier: Tier | None = None


def _own_fee(
    price: Price, carrier: Carrier, local_start: datetime, seconds: Seconds, calendar: Calendar
) -> tuple[Amount, str | None]:
    """The exact amount of one price row, and the windows it was found in."""
    cut = stretches(price, carrier, local_start, seconds, calendar)
    labels = _labels(cut) if price.windows else None
    if price.grace_s and seconds <= price.grace_s:
        return 0, labels
    chargeable = seconds - price.free_s
    talk: Amount
    if chargeable <= 0:
        talk = 0
    elif len(cut) == 1:
        window = cut[0].window
        talk = talk_micro(window.figures if window else price.figures, chargeable)
    else:
        talk = sum(part.amount_micro for part in _parts(price, cut, carrier))
    own = price.connection_fee_micro + talk
    return _within(price, own) if chargeable > 0 else own, labels


def _within(price: Price, own: Amount) -> Amount:
    """The row's own amount, no less than its minimum and no more than its cap."""
    if own < price.minimum_fee_micro:
        return price.minimum_fee_micro
    return min(own, price.maximum_fee_micro) if price.maximum_fee_micro else own


def talk_micro(figures: Figures, seconds: Seconds) -> Amount:
    """What that many seconds (more than none) cost by the figures alone."""
    if not figures.is_plain:
        return sum(part.amount_micro for part in Meter().parts(None, figures, seconds))
    flat = figures.step_s == 0 or seconds <= figures.initial_s
    steps = 0 if flat else steps_begun(figures.step_s, seconds - figures.initial_s)
    if figures.per_s:
        return initial_micro(figures) + step_micro(figures, figures.step_fee_micro, steps)
    return figures.initial_fee_micro + steps * figures.step_fee_micro


def initial_micro(figures: Figures) -> Amount:
    """What the initial seconds cost."""
    fee_micro = figures.initial_fee_micro
    exact = _exact(fee_micro * figures.initial_s, figures.per_s) if figures.per_s else fee_micro
    return exact if figures.step_decimals is None else money.round_half_up(exact, figures.step_decimals)


def step_micro(figures: Figures | Tier, fee_micro: int, steps: int = 1) -> Amount:
    """What that many steps cost, by the figures or by a tier of them."""
    return _exact(steps * fee_micro * figures.step_s, figures.per_s) if figures.per_s else steps * fee_micro


def _exact(micro: Amount, parts: Seconds) -> Amount:
    share = Fraction(micro, parts)
    return share.numerator if share.denominator == 1 else share


def steps_begun(step_s: Seconds, seconds: Seconds) -> int:
    """How many steps are begun in that many seconds: an exact multiple is not one more."""
    return -(-seconds // step_s)


class Meter:
    """Counts blocks along the chargeable talk of one call: how far it is, and how far the last block has paid.

    With `runs_on` a block that a border cuts is paid to its end, and the next one begins there.
    """

    def __init__(self, *, runs_on: bool = False) -> None:
        self._runs_on = runs_on
        self._started = False
        self._at: Seconds = 0
        self._paid: Seconds = 0  # seconds from here on that a block has bought already

    def parts(self, window: Window | None, figures: Figures, seconds: Seconds) -> Iterator[Part]:
        """The blocks of the next seconds, all of them in one window or in none."""
        flat = figures.step_s == 0
        if not self._started or (flat and not figures.tiers):
            initial = self._initial(window, figures, seconds, flat=flat)
            yield initial
            seconds, self._started = seconds - initial.seconds, True
        while seconds > 0:
            tier, length_s = _tier_at(figures, self._at, seconds)
            yield from self._stretch(window, figures, tier, length_s)
            seconds -= length_s

    def _initial(self, window: Window | None, figures: Figures, seconds: Seconds, *, flat: bool) -> Part:
        until = figures.tiers[0].from_s if figures.tiers else seconds
        bought = min(seconds, until if flat else figures.initial_s)
        self._at += bought
        self._paid = 0 if flat or not self._runs_on else figures.initial_s - bought
        return Part("initial", window, figures, bought, 1, initial_micro(figures))

    def _stretch(self, window: Window | None, figures: Figures, tier: Tier | None, length_s: Seconds) -> Iterator[Part]:
        """The steps of seconds that neither a window nor a tier cuts."""
        already = min(self._paid, length_s) if self._runs_on else 0
        self._at, self._paid = self._at + length_s, self._paid - already
        if already:
            yield Part("paid", window, figures, already, 0, 0, tier)
        rest = length_s - already
        if not rest:
            return
        step_s, fee_micro = (tier.step_s, tier.step_fee_micro) if tier else (figures.step_s, figures.step_fee_micro)
        count = _count(figures, step_s, rest)
        if step_s and self._runs_on and figures.counting == "begun":
            self._paid = count * step_s - rest
        amount = _steps_micro(figures, tier or figures, fee_micro, count)
        yield Part("steps", window, figures, rest, count, amount, tier)


def _tier_at(figures: Figures, at: Seconds, seconds: Seconds) -> tuple[Tier | None, Seconds]:
    """The tier in force at that second, None before the first, and how many of these seconds lie in it."""
    current = None
    for tier in figures.tiers:
        if tier.from_s > at:
            return current, min(seconds, tier.from_s - at)
        current = tier
    return current, seconds


def _count(figures: Figures, step_s: Seconds, seconds: Seconds) -> int:
    if not step_s:
        return 1
    return steps_begun(step_s, seconds) if figures.counting == "begun" else int(seconds // step_s)


def _steps_micro(figures: Figures, of: Figures | Tier, fee_micro: int, count: int) -> Amount:
    if figures.step_decimals is None:
        return step_micro(of, fee_micro, count)
    return count * money.round_half_up(step_micro(of, fee_micro), figures.step_decimals)


def _parts(price: Price, cut: Iterable[Stretch], carrier: Carrier) -> Iterator[Part]:
    """The call piece by piece, in the order of time."""
    free_s, meter = price.free_s, Meter(runs_on=carrier.crossing == "step")
    for window, length_s in cut:
        figures = window.figures if window else price.figures
        skipped = min(free_s, length_s)
        free_s, seconds = free_s - int(skipped), length_s - skipped
        if skipped:
            yield Part("free", window, figures, skipped, 0, 0)
        if seconds:
            yield from meter.parts(window, figures, seconds)


def _labels(cut: Iterable[Stretch]) -> str | None:
    labels = dict.fromkeys(window.label for window, _ in cut if window)
    return " + ".join(labels) or None


# --- The story ---------------------------------------------------------------------------------------------------


def _story(
    call: Call, classification: Classification, local_start: datetime, book: TariffBook, charge: Charge
) -> Iterator[Step]:
    """Trunk, carrier, number, traffic type, price, window, then what each piece of the call costs, to the fee."""
    carrier = book.carriers.get(charge.carrier or "")
    yield _trunk_step(call, book)
    if carrier:
        yield Step("carrier", {"carrier": carrier.name, "default": int(carrier is book.default)})
    yield from _number_steps(call, classification)
    price = _price(call, classification, carrier, local_start, book) if carrier else None
    if carrier is None or price is None or charge.fee_micro is None or charge.status is not ChargeStatus.RATED:
        yield Step("outcome", {"status": str(charge.status)}, reason=charge.reason)
        return
    seconds = charged_s(call, carrier)
    if call.billed_ms is not None and call.billed_ms % 1000:
        facts: Facts = {"told": seconds_text(Fraction(call.billed_ms, 1000)), "seconds": _fact(seconds)}
        yield Step("part-second", {**facts, "part_second": carrier.part_second})
    steps = list(_price_steps(price, carrier, local_start, seconds, book.calendar))
    exact = _own_fee(price, carrier, local_start, seconds, book.calendar)[0]
    local = local_price(classification, carrier, local_start, book) if price.add_local else None
    if local:
        steps.append(_local_step(local, carrier, local_start, seconds, book.calendar))
        exact += _own_fee(local, carrier, local_start, seconds, book.calendar)[0]
    if carrier.tax_micro:
        tax = _exact(exact * carrier.tax_micro, money.MICRO)
        steps.append(Step("tax", {"percent": tax_text(carrier.tax_micro)}, _whole(tax)))
        exact += tax
    yield from steps
    yield from _rounding_steps(steps, exact, charge.fee_micro, price, carrier)
    yield Step("fee", {"fee_micro": charge.fee_micro, "billed_s": _fact(seconds)})


def _rounding(price: Price, carrier: Carrier) -> tuple[int, Rounding]:
    """To how many decimals a fee is rounded, and how: as the price says, else as the carrier does."""
    decimals = carrier.decimals if price.decimals is None else price.decimals
    return decimals, price.rounding or carrier.rounding


def _rounding_steps(
    steps: Iterable[Step], exact: Amount, fee_micro: int, price: Price, carrier: Carrier
) -> Iterator[Step]:
    """What rounding adds or takes, where it does."""
    together = sum(step.amount_micro for step in steps)
    if together == fee_micro:
        return
    decimals, rounding = _rounding(price, carrier)
    facts: Facts = {"decimals": decimals, "exact_micro": together}
    if rounding != "half_up":
        facts["rounding"] = rounding
    yield Step("rounding", facts | _fraction(exact), fee_micro - together)


def _trunk_step(call: Call, book: TariffBook) -> Step:
    return Step("trunk", {"trunk": call.trunk or "", "configured": int((call.trunk or "") in book.trunks)})


def _number_steps(call: Call, c: Classification) -> Iterator[Step]:
    place = " ".join(dict.fromkeys(word for word in (c.region, c.place) if word)) or c.country or ""
    direction = str(call.direction or "")
    yield Step("number", {"number": c.number, "normalized": c.normalized, "place": place, "direction": direction})
    kinds: Facts = {"traffic_type": str(c.traffic_type), "line_kind": str(c.line_kind)}
    yield Step("traffic", {**kinds, "rule": c.rule}, reason=c.why)


def _price_steps(
    price: Price, carrier: Carrier, local_start: datetime, seconds: Seconds, calendar: Calendar
) -> Iterator[Step]:
    """The price row, the windows the call touches, and each of its pieces; the amounts are the row's own fee."""
    cut = stretches(price, carrier, local_start, seconds, calendar)
    yield Step("price", _price_facts(price))
    yield from _tier_steps(price.figures)
    if price.windows:
        yield from (step for stretch in cut for step in _window_steps(stretch, carrier, price))
    if price.grace_s and seconds <= price.grace_s:
        yield Step("grace", {"grace_s": price.grace_s, "seconds": _fact(seconds)})
        return
    if price.connection_fee_micro:
        yield Step("connection", {"fee_micro": price.connection_fee_micro}, price.connection_fee_micro)
    pieces = list(_parts(price, cut, carrier))
    yield from map(_part_step, pieces)
    talk = price.connection_fee_micro + sum(_whole(piece.amount_micro) for piece in pieces)
    if seconds > price.free_s:
        yield from _bound_steps(price, talk)


def _bound_steps(price: Price, talk: int) -> Iterator[Step]:
    """What the row's minimum adds, or its cap takes."""
    if talk < price.minimum_fee_micro:
        yield Step("minimum", {"minimum_micro": price.minimum_fee_micro}, price.minimum_fee_micro - talk)
    elif price.maximum_fee_micro and talk > price.maximum_fee_micro:
        yield Step("maximum", {"maximum_micro": price.maximum_fee_micro}, price.maximum_fee_micro - talk)


def _tier_steps(figures: Figures) -> Iterator[Step]:
    """What comes into force later in the call."""
    for tier in figures.tiers:
        facts: Facts = {"from_s": _fact(tier.from_s), "step_s": _fact(tier.step_s)}
        yield Step("tier", {**facts, "step_fee_micro": tier.step_fee_micro, **_per(tier)})


def _fact(seconds: Seconds) -> int | str:
    """Seconds as a fact: a text where a part of a second is left."""
    return int(seconds) if seconds == int(seconds) else seconds_text(seconds)


def _whole(amount: Amount) -> int:
    """The nearest micro-unit, which is what a step of the story says; the last step says what that leaves over."""
    return money.round_half_up(amount, 6)


def _fraction(exact: Amount) -> Facts:
    """The exact amount in words of digits where no micro-units can say it."""
    whole, billionths = divmod(int(exact * 1000), money.MICRO * 1000)
    return {} if isinstance(exact, int) else {"exact": f"{whole}.{billionths:09d}…"}


def _price_facts(price: Price) -> Facts:
    return {
        "id": price.id if price.id is not None else "",
        "traffic_type": str(price.traffic_type),
        "line_kind": str(price.line_kind or ""),
        "match": price.match,
        "value": price.value,
        "effective_from": price.effective_from.isoformat(),
        **_figures_facts(price.figures),
    }


def _figures_facts(figures: Figures) -> Facts:
    return {
        "initial_s": _fact(figures.initial_s),
        "initial_fee_micro": figures.initial_fee_micro,
        "step_s": _fact(figures.step_s),
        "step_fee_micro": figures.step_fee_micro,
        **_per(figures),
        **_counted(figures),
    }


def _per(figures: Figures | Tier) -> Facts:
    """For how many seconds the fees are, where they are rates."""
    return {"per_s": _fact(figures.per_s)} if figures.per_s else {}


def _counted(figures: Figures) -> Facts:
    """How steps are counted and rounded, where that is not as usual."""
    facts: Facts = {} if figures.counting == "begun" else {"counting": figures.counting}
    return facts if figures.step_decimals is None else facts | {"step_decimals": figures.step_decimals}


def _window_steps(stretch: Stretch, carrier: Carrier, price: Price) -> Iterator[Step]:
    window = stretch.window
    facts: Facts = {"window": window.label if window else "", "seconds": _fact(stretch.seconds)}
    facts |= {"crossing": carrier.crossing}
    yield Step("window", {**facts, **_figures_facts(window.figures if window else price.figures)})
    if window:
        yield from _tier_steps(window.figures)


def _part_step(part: Part) -> Step:
    label = part.window.label if part.window else ""
    facts: Facts = {"seconds": _fact(part.seconds), "window": label}
    if part.code == "initial":
        facts |= {"initial_s": _fact(part.figures.initial_s), "fee_micro": _whole(part.amount_micro)}
        facts |= {"step_s": _fact(part.figures.step_s)}
    elif part.code == "steps":
        of = part.tier or part.figures
        facts |= {"count": part.steps, "step_s": _fact(of.step_s), "step_fee_micro": of.step_fee_micro}
        facts |= _per(of) | _counted(part.figures)
    return Step(part.code, facts, _whole(part.amount_micro))


def _local_step(price: Price, carrier: Carrier, local_start: datetime, seconds: Seconds, calendar: Calendar) -> Step:
    """The carrier's local price on top, in one step."""
    amount, window = _own_fee(price, carrier, local_start, seconds, calendar)
    facts: Facts = {"line_kind": str(price.line_kind or ""), "seconds": _fact(seconds), "window": window or ""}
    return Step("local", {**facts, **_figures_facts(price.figures)}, _whole(amount))
