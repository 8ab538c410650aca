"""Calls and their charges: facts that never change beside fees that a new tariff may change."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any

from ippbx_billing.calls import (
    Call,
    Charge,
    ChargeStatus,
    Classification,
    Direction,
    Disposition,
    LineKind,
    Reason,
    TrafficType,
)
from ippbx_billing.language.reasons import english
from ippbx_billing.ledger.reasons import loaded_notes, loaded_why, stored, stored_notes, stored_why
from ippbx_billing.ledger.rollups import RollupTables, Tally, hour_zero
from ippbx_billing.tariffs.book import number_start

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400

FACTS = (
    "pbx",
    "dialect",
    "call_id",
    "record_id",
    "group_id",
    "caller",
    "callee",
    "extension",
    "number",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_s",
    "billed_s",
    "disposition",
    "trunk",
    "direction",
    "did",
    "pin",
    "recording",
    "twin",
    "doubt",
    "billed_ms",
)
MEANING = (
    "normalized",
    "traffic_type",
    "line_kind",
    "country",
    "region",
    "place",
    "operator",
    "area_code",
    "ip_prefix",
    "emergency",
    "rule",
    "why",
)
_KNOWN = ", ".join(("id", "event_id", "key", "day", "notes", *FACTS))
COLUMNS = ("id", "event_id", "key", "day", "notes", "data_version", *FACTS, *MEANING)
CHARGE = ("status", "fee_micro", "carrier_id", "price_id", "window", "reason", "reason_facts", "calendar")
CHARGE_COLUMNS = (
    "id", *CHARGE, "kind_id", "started_at", "billed_s", "local_hour", "extension_id", "place_id", "duration_s",
    "ring_s",
)  # fmt: skip
KIND = (
    "trunk",
    "direction",
    "disposition",
    "traffic_type",
    "line_kind",
    "country",
    "area_code",
    "ip_prefix",
    "emergency",
    "twin",
    "code",
    "abroad",
)
# What `twin` of a kind says: a record that another one tells of, a call whose doubt forbids a fee.
TWIN, DOUBTFUL = 1, 2


@dataclass(slots=True)
class RatedCall:
    """A call with its classification and charge, on its way into the ledger; day and hour are the site's local ones."""

    event_id: int
    call: Call
    classification: Classification
    charge: Charge
    day: str
    data_version: str
    hour: int

    key: bytes = b""  # the digest by which a second delivery of the record is known, whoever brings it

    def __post_init__(self) -> None:
        if not self.key:
            fingerprint = f"{self.call.pbx}\0{self.call.key}".encode("utf-8", "surrogatepass")
            self.key = blake2b(fingerprint, digest_size=16).digest()

    def key_of_its_own(self, place: int) -> bytes:
        """Another key for a call whose record's id was another call's; `place` is its place in its event."""
        return blake2b(self.key + f"\0{self.event_id}\0{place}".encode(), digest_size=16).digest()


class CallTables:
    """The tables `calls`, `charges` and `kinds`; writing methods run in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, rollups: RollupTables) -> None:
        self.connection = connection
        self._rollups = rollups
        self._kinds: dict[Kind, int] = {}

    def known(self, keys: Sequence[bytes]) -> dict[bytes, sqlite3.Row]:
        """The stored calls with these keys, as rows of facts with `id`, `event_id`, `day` and `notes`."""
        found: dict[bytes, sqlite3.Row] = {}
        for chunk in _chunks(keys, 500):
            marks = ", ".join("?" * len(chunk))
            for row in self.connection.execute(f"SELECT {_KNOWN} FROM calls WHERE key IN ({marks})", chunk):
                found[row["key"]] = row
        return found

    def known_by_id(self, number: int) -> sqlite3.Row:
        """The same of the call with this id."""
        found: sqlite3.Row = self.connection.execute(f"SELECT {_KNOWN} FROM calls WHERE id = ?", [number]).fetchone()
        return found

    def add(self, rated: Sequence[RatedCall]) -> Sequence[int]:
        """Store new calls with their charges; gives their ids."""
        if not rated:
            return ()
        numbers = range(first := self._last_id() + 1, first + len(rated))
        self._put(list(zip(numbers, rated, strict=True)), "ABORT")
        return numbers

    def correct(self, number: int, rated: RatedCall) -> None:
        """Put the record's later version in the place of call `number`."""
        self._rollups.count_out([number])
        self._put([(number, rated)], "REPLACE")

    def _put(self, numbered: Sequence[tuple[int, RatedCall]], how: str) -> None:
        """Calls under their numbers, their charges, and both in the sums."""
        carriers = self.carrier_ids()
        tally = Tally()
        charges = [self._charge_row(number, one, carriers, tally) for number, one in numbered]
        self._insert("calls", COLUMNS, [_call_row(number, one) for number, one in numbered], how)
        self._insert("charges", CHARGE_COLUMNS, charges, how)
        self._rollups.apply(tally)

    def kind_id(self, kind: "Kind") -> int:
        """The id of this kind of call, which is new or known already."""
        found = self._kinds.get(kind)
        if found is None:
            marks = ", ".join("?" * len(KIND))
            self.connection.execute(f"INSERT OR IGNORE INTO kinds ({', '.join(KIND)}) VALUES ({marks})", kind)
            same = " AND ".join(f"{name} = ?" for name in KIND)
            found = int(self.connection.execute(f"SELECT id FROM kinds WHERE {same}", kind).fetchone()[0])
            self._kinds[kind] = found
        return found

    def forget_kinds(self) -> None:
        """After a transaction that did not come to pass: the ids of its new kinds are nobody's."""
        self._kinds.clear()
        self._rollups.forget()

    def forget_events(self, event_ids: Iterable[int]) -> None:
        """Take out the calls that came from these events, so that the events can be read again.

        What they are read as then gets ids of its own, so that whoever follows the calls by id misses nothing.
        """
        self.connection.execute("INSERT OR REPLACE INTO state VALUES ('last_call', ?)", [str(self._last_id())])
        for event_id in event_ids:
            calls = self.of_event(event_id)
            self._rollups.count_out(row["id"] for row in calls)
            self.connection.execute(
                "DELETE FROM charge_history WHERE run_id IN (SELECT id FROM rerate_runs) "
                "AND call_id IN (SELECT id FROM calls WHERE event_id = ?)",
                [event_id],
            )
            self.connection.execute(
                "DELETE FROM charges WHERE id IN (SELECT id FROM calls WHERE event_id = ?)", [event_id]
            )
            self.connection.execute("DELETE FROM calls WHERE event_id = ?", [event_id])

    def of_event(self, event_id: int) -> list[sqlite3.Row]:
        """What `known` gives of the calls that came from this event."""
        return self.connection.execute(f"SELECT {_KNOWN} FROM calls WHERE event_id = ?", [event_id]).fetchall()

    def _last_id(self) -> int:
        """The highest id that a call ever had."""
        row = self.connection.execute(
            "SELECT max((SELECT coalesce(max(id), 0) FROM calls), "
            "(SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM state WHERE name = 'last_call'))"
        ).fetchone()
        return int(row[0])

    def events_with_status(self, status: ChargeStatus) -> list[int]:
        """The events whose calls have a charge of this status."""
        rows = self.connection.execute(
            "SELECT DISTINCT event_id FROM calls JOIN charges USING (id) WHERE status = ? ORDER BY 1", [status]
        )
        return [row[0] for row in rows]

    def unpriced_causes(self) -> list[sqlite3.Row]:
        """Why calls have no price, the most frequent cause first: how many, since when, the newest as an example."""
        return self.connection.execute(
            "SELECT g.reason, g.reason_facts, c.traffic_type, c.direction, k.name AS carrier, c.trunk, "
            "count(*) AS calls, sum(c.billed_s) AS billed_s, max(c.id) AS example, min(c.day) AS first_day "
            "FROM charges g JOIN calls c USING (id) LEFT JOIN carriers k ON k.id = g.carrier_id "
            "WHERE g.status = 'unrated' GROUP BY 1, 2 ORDER BY calls DESC, 1, 2"
        ).fetchall()

    def events_unpriced(self, code: str, facts: str) -> list[int]:
        """The events whose calls have no price for this stored reason."""
        rows = self.connection.execute(
            "SELECT DISTINCT c.event_id FROM charges g JOIN calls c USING (id) "
            "WHERE g.status = 'unrated' AND g.reason = ? AND g.reason_facts = ? ORDER BY 1",
            [code, facts],
        )
        return [row[0] for row in rows]

    def assumed_trunks(self) -> list[sqlite3.Row]:
        """Trunks that nobody configured although others are: `trunk`, its rated `calls`, and their `fee_micro`.

        Their calls went by the default carrier. Where no trunk is configured at all, that is what was meant.
        """
        return self.connection.execute(
            "SELECT c.trunk, sum(m.calls) AS calls, sum(m.fee_micro) AS fee_micro "
            "FROM rollup_months m JOIN rollup_classes c ON c.id = m.class_id WHERE c.status = 'rated' "
            "AND c.trunk != '' AND c.trunk NOT IN (SELECT name FROM trunks) AND EXISTS (SELECT 1 FROM trunks) "
            "GROUP BY 1 HAVING sum(m.calls) > 0 ORDER BY calls DESC, 1"
        ).fetchall()

    def events_rated_on(self, trunk: str) -> list[int]:
        """The events of a trunk's rated calls."""
        rows = self.connection.execute(
            "SELECT DISTINCT c.event_id FROM charges g JOIN calls c USING (id) "
            "WHERE g.status = 'rated' AND c.trunk = ? ORDER BY 1",
            [trunk],
        )
        return [row[0] for row in rows]

    def unknown_words(self) -> list[sqlite3.Row]:
        """The words for an outcome that nobody knows: `word`, `dialect`, how many `calls`, the latest `started_at`."""
        return self.connection.execute(
            "SELECT doubt ->> '$[1].word' AS word, dialect, count(*) AS calls, max(started_at) AS started_at "
            "FROM calls WHERE doubt ->> '$[0]' = 'unknown-outcome' GROUP BY 1, 2 ORDER BY calls DESC, word, dialect"
        ).fetchall()

    def events_with_word(self, folded: Callable[[str], str], word: str) -> list[int]:
        """The events of calls that were left unrated for this word, as `folded` compares words."""
        rows = self.connection.execute(
            "SELECT DISTINCT event_id, doubt ->> '$[1].word' FROM calls WHERE doubt ->> '$[0]' = 'unknown-outcome'"
        )
        return sorted(event_id for event_id, said in rows if folded(said) == folded(word))

    def rated_numbers(self, carrier: str, since: date, most: int) -> list[sqlite3.Row]:
        """The numbers of a carrier's rated outgoing calls since a day, what they are and how often: the usual first."""
        facts = "c.number, c.normalized, c.traffic_type, c.line_kind, c.country, c.area_code, c.ip_prefix"
        return self.connection.execute(
            f"SELECT {facts}, count(*) AS calls FROM calls c JOIN charges h ON h.id = c.id "
            "JOIN carriers k ON k.id = h.carrier_id "
            "WHERE h.status = 'rated' AND c.direction = 'outbound' AND k.name = ? AND c.day >= ? "
            f"GROUP BY {facts} ORDER BY calls DESC, c.number LIMIT ?",
            [carrier, since.isoformat(), most],
        ).fetchall()

    def unrated(self, limit: int = 100) -> list[sqlite3.Row]:
        """The calls that could not be priced, by reason: `calls`, an example `number`, `traffic_type`, `carrier`."""
        return self.connection.execute(
            "SELECT g.reason, g.reason_facts, c.traffic_type, r.name AS carrier, count(*) AS calls, "
            "max(c.number) AS number "
            "FROM charges g JOIN calls c USING (id) LEFT JOIN carriers r ON r.id = g.carrier_id "
            "WHERE g.status = 'unrated' GROUP BY 1, 2, 3, 4 ORDER BY calls DESC, 1, 2 LIMIT ?",
            [limit],
        ).fetchall()

    def unpriced_before(self, carrier: str, traffic_type: str, direction: str, day: str) -> tuple[int, str | None]:
        """How many calls of a kind had no price before a local day, and the first one's day."""
        count, first = self.connection.execute(
            "SELECT count(*), min(c.day) FROM charges g JOIN calls c USING (id) JOIN carriers r ON r.id = g.carrier_id "
            "WHERE g.status = 'unrated' AND g.reason = 'no-price' AND r.name = ? AND c.traffic_type = ? "
            "AND c.direction = ? AND c.day < ?",
            [carrier, traffic_type, direction, day],
        ).fetchone()
        return int(count), first

    def of_days(self, first: str, last: str) -> Iterator[sqlite3.Row]:
        """All that is stored of the calls of these local days, both included, with their charges; streamed."""
        return self.connection.execute(
            "SELECT * FROM calls JOIN charges USING (id) WHERE day BETWEEN ? AND ? ORDER BY id", [first, last]
        )

    def get(self, number: int) -> sqlite3.Row | None:
        """All that is stored of call `number`, with its charge."""
        found: sqlite3.Row | None = self.connection.execute(
            f"SELECT c.*, {', '.join('g.' + name for name in CHARGE)} "
            "FROM calls c JOIN charges g USING (id) WHERE c.id = ?",
            [number],
        ).fetchone()
        return found

    def carrier_ids(self) -> dict[str, int]:
        return {row["name"]: row["id"] for row in self.connection.execute("SELECT id, name FROM carriers")}

    def _charge_row(self, number: int, rated: RatedCall, carriers: dict[str, int], tally: Tally) -> tuple[Any, ...]:
        """A charge as it is stored, counted into the tally."""
        charge, call, meaning, rollups = rated.charge, rated.call, rated.classification, self._rollups
        hour = hour_zero(rated.day) + rated.hour
        status, started_s, duration_s = charge.status._value_, seconds(call.started_at) or 0, call.duration_s or 0
        kind_id, carrier_id = self.kind_id(kind_of(call, meaning)), carriers.get(charge.carrier or "")
        extension_id = rollups.extension_id(call.extension)
        place_id = rollups.place_id(meaning.country, meaning.region, meaning.place)
        kind = rollups.class_of(kind_id, carrier_id, status)
        counts = (1, kind.answered, duration_s, call.billed_s, charge.fee_micro or 0)
        tally.count(hour, extension_id, place_id, kind, counts)
        tally.span(hour // 24, number)
        return (
            number,
            status,
            charge.fee_micro,
            carrier_id,
            charge.price_id,
            charge.window,
            *stored(charge.reason),
            charge.calendar,
            kind_id,
            started_s,
            call.billed_s,
            hour,
            extension_id,
            place_id,
            duration_s,
            0 if call.answered_at is None else max(0, (seconds(call.answered_at) or 0) - started_s),
        )

    def _insert(self, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]], how: str = "ABORT") -> None:
        marks = ", ".join("?" * len(columns))
        self.connection.executemany(f"INSERT OR {how} INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


Kind = tuple[str, str, str, str, str, str, str, str, int, int, str, bool]  # in the order of `KIND`


def kind_of(call: Call, classification: Classification) -> Kind:
    """All that a tariff looks at in a call but its length, its time and its very digits.

    Of those it has the beginning alone, as `number_start` tells it.
    """
    return (
        call.trunk or "",
        call.direction._value_ if call.direction else "",
        call.disposition._value_,
        classification.traffic_type._value_,
        classification.line_kind._value_,
        classification.country or "",
        classification.area_code or "",
        classification.ip_prefix or "",
        int(classification.emergency),
        TWIN if call.twin is not None else DOUBTFUL if call.doubt else 0,
        *number_start(call.number or "", classification.normalized or "", classification.ip_prefix or ""),
    )


def facts(call: Call) -> tuple[Any, ...]:
    """The call's facts in the order of `FACTS`, as SQLite keeps them."""
    return (
        call.pbx,
        call.dialect,
        call.call_id,
        call.record_id,
        call.group_id,
        call.caller,
        call.callee,
        call.extension,
        call.number,
        seconds(call.started_at),
        seconds(call.answered_at),
        seconds(call.ended_at),
        call.duration_s,
        call.billed_s,
        call.disposition._value_,
        call.trunk,
        call.direction._value_ if call.direction else None,
        call.did,
        call.pin,
        call.recording,
        call.twin,
        told(call.doubt),
        call.billed_ms,
    )


def call_of(row: sqlite3.Row | Mapping[str, Any]) -> Call:
    """The call that a row of `calls` holds."""
    values: dict[str, Any] = {name: row[name] for name in FACTS}
    for name in ("started_at", "answered_at", "ended_at"):
        values[name] = instant(values[name])
    values["disposition"] = Disposition(values["disposition"])
    values["direction"] = Direction(values["direction"]) if values["direction"] else None
    values["doubt"] = doubt_of(values["doubt"])
    return Call(**values, notes=loaded_notes(row["notes"]))


def told(doubt: Reason | None) -> str | None:
    """A doubt as it is stored: code and facts as JSON."""
    return json.dumps([doubt.code, dict(doubt.facts)], ensure_ascii=False) if doubt else None


def doubt_of(text: str | None) -> Reason | None:
    """The doubt that was stored so."""
    return Reason(*json.loads(text)) if text else None


def classification_of(row: sqlite3.Row | Mapping[str, Any]) -> Classification:
    """The classification that was stored with the call; never worked out again."""
    values: dict[str, Any] = {name: row[name] for name in MEANING}
    values["traffic_type"] = TrafficType(values["traffic_type"])
    values["line_kind"] = LineKind(values["line_kind"])
    values["emergency"] = bool(values["emergency"])
    values["why"] = loaded_why(values["why"])
    return Classification(number=row["number"] or "", **values)


def meaning_row(meaning: Classification) -> tuple[Any, ...]:
    """The values of `MEANING`, as the ledger keeps them."""
    return (
        meaning.normalized,
        meaning.traffic_type._value_,
        meaning.line_kind._value_,
        meaning.country,
        meaning.region,
        meaning.place,
        meaning.operator,
        meaning.area_code,
        meaning.ip_prefix,
        int(meaning.emergency),
        meaning.rule,
        stored_why(meaning.why),
    )


def is_meant(row: sqlite3.Row, meaning: Classification) -> bool:
    """Whether a stored call means this; the sentence of an earlier release means what it says in English."""
    *known, why = meaning_row(meaning)
    if known != [row[name] for name in MEANING[:-1]]:
        return False
    return row["why"] in (why, english(meaning.why)) or loaded_why(row["why"]) == meaning.why


def seconds(moment: datetime | None) -> int | None:
    """A moment as whole seconds of UTC."""
    if moment is None:
        return None
    since = moment - _EPOCH
    return since.days * _DAY_S + since.seconds


def instant(value: int | None) -> datetime | None:
    """The moment that whole seconds of UTC stand for."""
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _call_row(number: int, rated: RatedCall) -> tuple[Any, ...]:
    return (
        number,
        rated.event_id,
        rated.key,
        rated.day,
        stored_notes(rated.call.notes),
        rated.data_version,
        *facts(rated.call),
        *meaning_row(rated.classification),
    )


def _chunks(keys: Sequence[bytes], size: int) -> Iterable[Sequence[bytes]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
