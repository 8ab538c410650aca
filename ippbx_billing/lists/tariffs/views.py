"""How prices look: as rows with the keys of the contract, as tables, and as a few words."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ippbx_billing import money
from ippbx_billing.documents.columns import Column, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger.reasons import loaded

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.lists.tariffs.imports import ImportPlan
    from ippbx_billing.tariffs import Carrier, Changes, Figures, Price, Window
    from ippbx_billing.tariffs.checks import PriceDoubt
    from ippbx_billing.tariffs.prices import Seconds, Tier


def prices(found: "Sequence[Price]", carrier: str | None) -> Listing:
    """Prices in the order given, of one carrier or of all."""
    rows = list(map(price_row, found))
    return Listing(
        rows,
        columns(carrier=carrier is None),
        for_people=map(shown, found),
        csv=all_columns(rows[0] if rows else ("id", "carrier")),
        title=carrier or "",
        empty=tr("no prices"),
    )


def price_row(price: "Price") -> dict[str, Any]:
    """A price with the keys of the contract; fees are exact texts, what is not said is null."""
    return {
        "id": price.id,
        "carrier": price.carrier,
        "traffic_type": price.traffic_type.value,
        "direction": price.direction.value,
        "line_kind": price.line_kind.value if price.line_kind else None,
        "match": price.match,
        "value": price.value or None,
        **figures_row(price.figures),
        "connection_fee": money.text(price.connection_fee_micro),
        "free_s": price.free_s,
        "minimum_fee": money.text(price.minimum_fee_micro),
        "add_local": price.add_local,
        "effective_from": price.effective_from.isoformat(),
        "windows": [_window_row(window) for window in price.windows],
        "note": price.note or None,
        "status": price.status,
        "maximum_fee": money.text(price.maximum_fee_micro) if price.maximum_fee_micro else None,
        "grace_s": price.grace_s,
        "fee_decimals": price.decimals,
        "fee_rounding": price.rounding,
    }


def figures_row(figures: "Figures") -> dict[str, Any]:
    """The figures with the keys of the contract."""
    return {
        "initial_s": _seconds(figures.initial_s),
        "initial_fee": money.text(figures.initial_fee_micro),
        "step_s": _seconds(figures.step_s),
        "step_fee": money.text(figures.step_fee_micro),
        "per_s": _seconds(figures.per_s) or None,
        "tiers": [_tier_row(tier) for tier in figures.tiers],
        "counting": figures.counting,
        "step_decimals": figures.step_decimals,
    }


def _tier_row(tier: "Tier") -> dict[str, Any]:
    return {
        "from_s": _seconds(tier.from_s),
        "step_s": _seconds(tier.step_s),
        "step_fee": money.text(tier.step_fee_micro),
        "per_s": _seconds(tier.per_s) or None,
    }


def _seconds(value: "Seconds") -> int | str:
    """Whole seconds as a number, a part of one as exact text."""
    return int(value) if value == int(value) else _seconds_text(value)


def _seconds_text(value: "Seconds") -> str:
    from ippbx_billing.tariffs.spelling import seconds_text

    return seconds_text(value)


def _window_row(window: "Window") -> dict[str, Any]:
    from ippbx_billing.tariffs.prices import clock

    return {
        "kind": window.kind,
        "from": clock(window.start_s),
        "to": clock(window.end_s),
        **figures_row(window.figures),
        "priority": window.priority,
        "name": window.name or None,
        **{name: _window_term(window, name) for name in ("days", "dates", "minutes")},
    }


def _window_term(window: "Window", name: str) -> str | None:
    from ippbx_billing.tariffs.spelling import window_terms

    return window_terms(window).get(name)


def shown(price: "Price") -> dict[str, Any]:
    """A price as people read it in a table."""
    return {
        "id": price.id,
        "carrier": price.carrier,
        "traffic_type": tr(price.traffic_type.value),
        "line_kind": tr(price.line_kind.value) if price.line_kind else "",
        "to": destination(price),
        "price": in_words(price),
        "effective_from": price.effective_from.isoformat(),
    }


def columns(*, carrier: bool) -> list[Column]:
    """The columns of `shown`."""
    return [
        Column("id", tr("ID"), "number", 1),
        *([Column("carrier", tr("Carrier"), rank=2)] if carrier else []),
        Column("traffic_type", tr("Traffic type")),
        Column("line_kind", tr("Line")),
        Column("to", tr("To")),
        Column("price", tr("Price")),
        Column("effective_from", tr("Valid from"), "time"),
    ]


def destination(price: "Price") -> str:
    """For which numbers it is, in a few words."""
    words = {
        "any": tr("all"),
        "area": tr("area {value}", value=price.value),
        "country": price.value,
        "prefix": f"{price.value}…",
        "pattern": price.value,
        "called": tr("to our {value}", value=price.value),
    }
    incoming = {"inbound": tr("incoming"), "internal": tr("internal")}.get(price.direction.value, "")
    return ", ".join(filter(None, (incoming, words[price.match])))


def in_words(price: "Price") -> str:
    """All that it costs: figures, connection, free seconds, minimum, windows; or that it has come to an end."""
    if price.status != "open":
        return {"ended": tr("has ended"), "blocked": tr("not connected by the carrier")}[price.status]
    extras = [
        tr("connection {fee}", fee=money.text(price.connection_fee_micro)) if price.connection_fee_micro else "",
        tr("{seconds} s free", seconds=price.free_s) if price.free_s else "",
        tr("at least {fee}", fee=money.text(price.minimum_fee_micro)) if price.minimum_fee_micro else "",
        tr("at most {fee}", fee=money.text(price.maximum_fee_micro)) if price.maximum_fee_micro else "",
        tr("free up to {seconds} s", seconds=price.grace_s) if price.grace_s else "",
        _rounding_in_words(price),
        tr("plus the local fee") if price.add_local else "",
    ]
    windows = [f"{_label(window)}: {figures_in_words(window.figures)}" for window in price.windows]
    return "; ".join(filter(None, (figures_in_words(price.figures), *extras, *windows)))


def _rounding_in_words(price: "Price") -> str:
    if price.decimals is None and price.rounding is None:
        return ""
    how = tr(price.rounding or "half_up")
    return tr(
        "rounded {how} to {decimals} decimals", how=how, decimals="" if price.decimals is None else price.decimals
    )


def _label(window: "Window") -> str:
    from ippbx_billing.tariffs.prices import clock

    terms = [text for name in ("days", "dates", "minutes") if (text := _window_term(window, name))]
    kind = tr(window.kind) if window.kind != "daily" or not terms else ""
    times = f"{clock(window.start_s)}-{clock(window.end_s)}"
    return window.name or " ".join(filter(None, (kind, *terms, times)))


def figures_in_words(figures: "Figures") -> str:
    """`0.22/180s + 0.11/60s`, a flat fee, or a rate with its increments; then its tiers."""
    tiers = [tr("from {seconds} s {price}", seconds=_seconds(one.from_s), price=_tier_in_words(one))
             for one in figures.tiers]  # fmt: skip
    counted = tr("completed steps only") if figures.counting == "completed" else ""
    rounded = "" if figures.step_decimals is None else tr("each step to {decimals} decimals",
                                                          decimals=figures.step_decimals)  # fmt: skip
    return ", ".join(filter(None, (_four_in_words(figures), *tiers, counted, rounded)))


def _tier_in_words(tier: "Tier") -> str:
    fee = money.text(tier.step_fee_micro)
    if not tier.step_s:
        return tr("{fee} once", fee=fee) if tier.step_fee_micro else tr("free of charge")
    per = f"/{_seconds(tier.per_s)}s" if tier.per_s else ""
    return f"{fee}{per}/{_seconds(tier.step_s)}s" if not per else f"{fee}{per} ({_seconds(tier.step_s)}s)"


def _four_in_words(figures: "Figures") -> str:
    initial, step = money.text(figures.initial_fee_micro), money.text(figures.step_fee_micro)
    if not figures.step_s:
        return tr("{fee} a call", fee=initial) if figures.initial_fee_micro else tr("free of charge")
    if figures.per_s:
        initial, step, per_s = rates(figures)
        unit = tr("min") if per_s == 60 else f"{per_s}s"
        both = step if initial == step else f"{initial} + {step}"
        return f"{both}/{unit} ({_seconds(figures.initial_s)}/{_seconds(figures.step_s)}s)"
    if (figures.initial_s, initial) == (figures.step_s, step):
        return f"{step}/{_seconds(figures.step_s)}s"
    return f"{initial}/{_seconds(figures.initial_s)}s + {step}/{_seconds(figures.step_s)}s"


def rates(figures: "Figures") -> tuple[str, str, int]:
    """The rates with all their decimals and for how many seconds: 31.135104 for 100 minutes is 0.31135104 a minute."""
    per_s, places = int(figures.per_s), 0
    while per_s % 600 == 0:
        per_s, places = per_s // 10, places + 1
    return _moved(figures.initial_fee_micro, places), _moved(figures.step_fee_micro, places), per_s


def _moved(micro: int, places: int) -> str:
    """The amount with its decimal point so many places further left."""
    if not places:
        return money.text(micro)
    digits = str(micro).zfill(7 + places)
    left, right = digits[: -6 - places], digits[-6 - places :].rstrip("0")
    return f"{left}.{right:0<2}"


# -- what would change


def change_rows(changes: "Changes", settings: Iterable[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """Every change with the keys of the contract: what it is, what was there before, what is there after."""
    rows: list[dict[str, Any]] = [
        {"change": "setting", "setting": name, "before": before, "after": after} for name, before, after in settings
    ]
    rows += [{"change": "added", "before": None, "after": price_row(new)} for new in changes.added]
    rows += [{"change": "changed", "before": price_row(old), "after": price_row(new)} for old, new in changes.changed]
    rows += [{"change": "removed", "before": price_row(old), "after": None} for old in changes.removed]
    return rows


def shown_changes(changes: "Changes", settings: Iterable[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """The same as people read it in a table."""
    rows = [
        {"change": "setting", "what": tr(name), "before": _setting(before), "after": _setting(after)}
        for name, before, after in settings
    ]
    pairs: list[tuple[str, Price | None, Price | None]] = [("added", None, new) for new in changes.added]
    pairs += [("changed", old, new) for old, new in changes.changed]
    pairs += [("removed", old, None) for old in changes.removed]
    for word, old, new in pairs:
        price = new or old
        assert price is not None
        rows.append(
            {
                "change": word,
                "what": what(price),
                "effective_from": price.effective_from.isoformat(),
                "before": in_words(old) if old else None,
                "after": in_words(new) if new else None,
            }
        )
    return rows


def what(price: "Price") -> str:
    """For which calls a price is, in a line."""
    kind = tr(price.line_kind.value) if price.line_kind else ""
    return " ".join(filter(None, (tr(price.traffic_type.value), kind, destination(price))))


def _setting(value: Any) -> str | None:
    return None if value is None else str(value)


def change_columns() -> list[Column]:
    """The columns of `shown_changes`."""
    return [
        Column("change", tr("Change"), "word"),
        Column("what", tr("What")),
        Column("effective_from", tr("Valid from"), "time"),
        Column("before", tr("Before")),
        Column("after", tr("After")),
    ]


def plan(found: "ImportPlan", limit: int | None = None) -> Listing:
    """What an import would change, all of it or the first so many lines."""
    some = found.changes.first(limit) if limit else found.changes
    return Listing(
        change_rows(some, found.settings),
        change_columns(),
        for_people=shown_changes(some, found.settings)[:limit],
        csv=change_columns(),
        empty=tr("no difference"),
    )


def summed_up(changes: "Changes") -> str:
    """How many prices come, change and go, in a sentence."""
    return tr("{added} added, {changed} changed, {removed} removed, {same} as before",
              added=len(changes.added), changed=len(changes.changed), removed=len(changes.removed),
              same=changes.same)  # fmt: skip


def title_of(change: "Changes") -> str:
    """Which price is changed; of several, how many."""
    concerned = [*change.coming, *change.removed]
    if len(concerned) != 1:
        return summed_up(change)
    (price,) = concerned
    return f"{price.carrier}: {what(price)}"


def warnings(
    found: "ImportPlan", lost: "Iterable[tuple[str, int]]", country: str, area_code: str, limit: int
) -> Iterator[str]:
    """Rows that no call can find, and numbers, with how often they were called of late, without a price then."""
    from ippbx_billing.tariffs.checks import why_never

    reasons = filter(None, (why_never(price, country, area_code) for price in found.changes.coming))
    yield from _some(list(reasons), limit)
    yield from _some([tr("{number}, called {count} times of late, has no price any more", number=number, count=count)
                      for number, count in lost], limit)  # fmt: skip


def _some(sentences: list[str], limit: int) -> Iterator[str]:
    yield from sentences[:limit]
    if len(sentences) > limit:
        yield tr("and {count} more", count=len(sentences) - limit)


def told(change: "Changes") -> str:
    """What setting a single price did, in a sentence."""
    if not change:
        return tr("this price is in force already")
    (new,) = change.coming
    day = new.effective_from
    if not change.changed:
        return tr("{what} from {day}: {price}", what=what(new), day=day, price=in_words(new))
    old = change.changed[0][0]
    return tr("{what} from {day}: {price} instead of {before}",
              what=what(new), day=day, price=in_words(new), before=in_words(old))  # fmt: skip


def examples(found: "ImportPlan", carriers: "Iterable[Carrier]", currency: str) -> Iterator[str]:
    """What calls would cost, one for each kind of row, so that a slip in a unit is seen before it is asked."""
    from ippbx_billing.lists.tariffs.examples import examples as for_rows

    known = {one.name: one for one in (*carriers, *([found.new_carrier] if found.new_carrier else []))}
    for name in dict.fromkeys(price.carrier for price in found.changes.coming):
        own = [price for price in found.changes.coming if price.carrier == name]
        for one in for_rows(own, known[name]):
            yield tr("{seconds} s, {what}: {fee} {currency}", seconds=one.seconds, what=what(one.price),
                     fee=money.text(one.fee_micro, known[name].decimals), currency=currency)  # fmt: skip


# -- what may be wrong


def doubts(found: "Iterable[PriceDoubt]", ledger: "Ledger", carrier: str | None = None) -> Listing:
    """What may be wrong with the tariff of a carrier or of all, and what was dialled and could not be priced."""
    rows = [*map(_doubt, found), *(row for row in _seen(ledger) if carrier in (None, row["carrier"]))]
    headings = [
        Column("severity", tr("Severity"), "word"),
        *([Column("carrier", tr("Carrier"))] if carrier is None else []),
        Column("finding", tr("Finding")),
    ]
    return Listing(rows, headings, empty=tr("no problem was found"))


def _doubt(one: "PriceDoubt") -> dict[str, Any]:
    return {
        "severity": one.severity,
        "kind": one.kind,
        "carrier": one.carrier,
        "traffic_type": one.traffic_type and one.traffic_type.value,
        "price": one.price and one.price.id,
        "calls": None,
        "number": None,
        "finding": one.sentence,
    }


def _seen(ledger: "Ledger") -> Iterator[dict[str, Any]]:
    """What was really dialled and could not be priced."""
    for row in ledger.calls.unrated():
        yield {
            "severity": "warning",
            "kind": "seen",
            "carrier": row["carrier"],
            "traffic_type": row["traffic_type"],
            "price": None,
            "calls": row["calls"],
            "number": row["number"],
            "finding": tr("{count} calls, for example to {number}: {reason}",
                          count=row["calls"], number=row["number"] or "–",
                          reason=sentence(loaded(row["reason"], row["reason_facts"]))),
        }  # fmt: skip
