"""How much of a dialect `dialects suggest` finds by itself: `python -m tests.benchmarks.suggest` prints the table.

Every vendor with three or more CDR bodies in the corpus has its knowledge switched off in turn, and a dialect is
proposed from its bodies, written as TOML, loaded, and read with.

What is off. Always: each dialect that reads a body of this vendor, and those of the same family. Of the synonyms,
which are the names that the remaining dialects list:

* "own names off": a name that only this vendor's dialects list, or besides them only the generic dialect (which
  collects every vendor's names). A name that another vendor uses as well stays, for that vendor teaches it.
* "all its names off": also the names that it shares with others. What remains is resemblance to other names and
  the words that names are made of.

Words that every PBX uses (ANSWERED, Inbound) stay: they are values, not names.

What counts. A field of a record counts where the corpus says what it should be and some text in that record, read
in that field's way, says so; a field that no text holds (an end that follows from start and duration) is computed by
the engine, not found. It is right when the first path of the written dialect that says something yields that value.
Several encodings of one record count once.

The rules of `suggest` were made with the vendors of three and more bodies in view. The last row of the table is for
those of one or two bodies each, which it was not tuned to (one fault that they showed was corrected): what a stranger
may expect.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ippbx_billing.calls import EventKind, RawEvent
from ippbx_billing.dialects import Dialect, Dialects, load, read, records, values
from ippbx_billing.dialects.bodies import open_body
from ippbx_billing.dialects.suggest import Suggestion, suggest, synonyms_of
from ippbx_billing.dialects.suggest.columns import shapes
from ippbx_billing.dialects.suggest.names import Synonyms
from ippbx_billing.numbering import Numbering
from tests import DATA
from tests.benchmarks.figures import Figure, add_options, write

CORPUS = DATA / "corpus.jsonl"
FEWEST_BODIES = 3
NO_VENDOR = "(variant)"  # bodies of other vendors, sent in odd ways
ZONE = ZoneInfo("Asia/Shanghai")
# The corpus's name of a value, and our fields that may yield it.
FIELDS = {
    "start": ("started_at",),
    "answer": ("answered_at",),
    "end": ("ended_at",),
    "duration_s": ("duration_s",),
    "billsec_s": ("billed_s",),
    "caller": ("caller",),
    "callee": ("callee",),
    "direction": ("direction",),
    "disposition": ("disposition",),
    "call_id": ("call_id",),
    "record_id": ("record_id",),
    "session": ("group_id",),
    "trunk": ("trunk", "source_trunk", "destination_trunk"),
    "pbx_sn": ("pbx",),
    "pin": ("pin",),
}
MODES = {"values": (False, True), "names": (True, False), "both": (True, True)}

SITE = Numbering(country="CN", area_code="022", outside_prefix="9", extension_patterns=["[1-8]XXX", "[2-8]XX", "1XX"])


@dataclass(frozen=True)
class Share:
    """How many of the fields that the records hold were found."""

    right: int
    fields: int

    def __str__(self) -> str:
        return f"{100 * self.right / self.fields:.0f} %" if self.fields else "–"

    def __add__(self, other: "Share") -> "Share":
        return Share(self.right + other.right, self.fields + other.fields)

    def __float__(self) -> float:
        return self.right / self.fields


@dataclass(frozen=True)
class Vendor:
    """A vendor's bodies with what each should say, and the dialects that are its own."""

    name: str
    bodies: Sequence[dict[str, Any]]

    @property
    def events(self) -> list[RawEvent]:
        return [event_of(body) for body in self.bodies]

    def own(self, known: Dialects) -> set[str]:
        """The dialects that read its bodies, and their families."""
        readings = [read(one, known, chosen="auto", zone=ZONE, is_extension=SITE.is_extension) for one in self.events]
        own = {reading.dialect for reading in readings if reading.dialect}
        families = {known[name].family for name in own} - {""}
        return own | {name for name, one in known.items() if one.family in families}


def vendors(bodies: range = range(FEWEST_BODIES, 1_000)) -> list[Vendor]:
    """Those with so many CDR bodies in the corpus."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        body = json.loads(line)
        if body["kind"] == "cdr" and body["vendor"] != NO_VENDOR:
            found.setdefault(body["vendor"], []).append(body)
    return [Vendor(name, listed) for name, listed in found.items() if len(listed) in bodies]


def event_of(body: Mapping[str, Any]) -> RawEvent:
    """A body of the corpus as an event."""
    query = body.get("query") or ""
    return RawEvent(
        1, datetime(2026, 1, 1, tzinfo=UTC), EventKind.CDR, "", "POST", "/", query, "", body["body"].encode()
    )


def synonyms_without(known: Dialects, own: set[str], *, shared: bool) -> Synonyms:
    """The names of the other vendors' dialects; with `shared` also without those that this vendor uses as well."""
    if not shared:
        return synonyms_of({name: one for name, one in known.items() if name not in own and not one.generic})
    names = {name for dialect in own for listed in synonyms_of({dialect: known[dialect]}).values() for name in listed}
    others = synonyms_of(known.without(*own))
    return {field: {n: users for n, users in listed.items() if n not in names} for field, listed in others.items()}


def measure(vendor: Vendor, mode: str, *, shared: bool = False) -> Share:
    """The share of fields that a dialect proposed for this vendor's bodies gets right."""
    known = load()
    own = vendor.own(known)
    use_names, use_values = MODES[mode]
    suggestion = suggest(
        vendor.events,
        known=known.without(*own),
        synonyms=synonyms_without(known, own, shared=shared),
        zone=ZONE,
        is_extension=SITE.is_extension,
        classify=SITE.classify,
        use_names=use_names,
        use_values=use_values,
    )
    return _share(vendor, _loaded(suggestion), known)


def _loaded(suggestion: Suggestion) -> Dialect:
    """The proposal after a round through the file that `--write` writes."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "proposed.toml").write_text(suggestion.as_toml("proposed"), encoding="utf-8")
        return load(Path(directory))["proposed"]


def _share(vendor: Vendor, proposed: Dialect, known: Dialects) -> Share:
    total, seen = Share(0, 0), set()
    for body, event in zip(vendor.bodies, vendor.events, strict=True):
        truth = read(event, known, chosen="auto", zone=ZONE, is_extension=SITE.is_extension)
        words = known[truth.dialect] if truth.dialect else proposed
        rows = [row for shape in shapes(open_body(event).documents, ZONE) for row in shape.rows]
        expected = body["expect"].get("records", [body["expect"]])
        for row, record, wanted in zip(rows, records(event, proposed), expected, strict=True):
            facts = json.dumps(wanted, sort_keys=True)
            if facts not in seen:
                seen.add(facts)
                total += Share(*_counted(row, record, wanted, proposed, words))
    return total


def _counted(
    row: Mapping[str, str], record: Any, wanted: Mapping[str, Any], proposed: Dialect, words: Dialect
) -> tuple[int, int]:
    right = fields = 0
    for key, ours in FIELDS.items():
        if key not in wanted or not any(_is(said, key, wanted, words) for said in row.values()):
            continue
        fields += 1
        yielded = [_first(proposed, name, record) for name in ours]
        right += any(_is(said, key, wanted, proposed, unit) for said, unit in yielded)
    return right, fields


def _first(dialect: Dialect, field: str, record: Any) -> tuple[str, str]:
    """What the first source of a field that says something says, and its unit."""
    found: Iterator[tuple[str, str]] = (
        (said, source.unit) for source in dialect.sources.get(field, ()) for said in source.texts(record)
    )
    return next(found, ("", "s"))


def _zone_of(wanted: Mapping[str, Any]) -> tzinfo:
    """The clock of the switch that sent the record, where the corpus tells its epoch beside its time."""
    if "start_epoch" not in wanted:
        return ZONE
    local = datetime.fromisoformat(wanted["start"]).replace(tzinfo=UTC)
    return timezone(timedelta(seconds=round(local.timestamp() - wanted["start_epoch"])))


def _is(said: str, key: str, wanted: Mapping[str, Any], dialect: Dialect, unit: str = "s") -> bool:
    """Whether a text, read in a field's way, is the value wanted."""
    value, zone = wanted[key], _zone_of(wanted)
    try:
        if key in ("start", "answer", "end"):
            return values.instant(said or None, zone) == values.instant(str(value), zone)
        if key in ("duration_s", "billsec_s"):
            return values.seconds(said or None, unit) == value
    except values.Unreadable:
        return False
    if key == "direction":
        return dialect.direction_words.meaning(said) == value
    if key == "disposition":
        return dialect.disposition_words.meaning(said) == value
    return (values.number(said) if key in ("caller", "callee") else said) == str(value)


COLUMNS = (("values", False), ("names", False), ("both", False), ("names", True), ("both", True))


def table() -> str:
    """The shares as a Markdown table."""
    lines = [
        "| vendor | bodies | fields | values alone | names alone¹ | both¹ | names alone² | both² |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    measured = [(vendor, _shares(vendor)) for vendor in vendors()]
    lines += [_line(vendor.name, len(vendor.bodies), shares) for vendor, shares in measured]
    others = [(vendor, _shares(vendor)) for vendor in vendors(range(1, FEWEST_BODIES))]
    for name, group in (("all of these", measured), (f"{len(others)} others, 1–2 bodies each", others)):
        bodies = sum(len(vendor.bodies) for vendor, _ in group)
        sums = [sum(column, Share(0, 0)) for column in zip(*(shares for _, shares in group), strict=True)]
        lines.append(_line(name, bodies, sums))
    return "\n".join(lines)


def _shares(vendor: Vendor) -> list[Share]:
    return [measure(vendor, mode, shared=shared) for mode, shared in COLUMNS]


def _line(name: str, bodies: int, shares: Sequence[Share]) -> str:
    return f"| {name} | {bodies} | {shares[0].fields} | " + " | ".join(map(str, shares)) + " |"


def main() -> None:
    """Print the table; the shares of all vendors together are the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_options(parser)
    options = parser.parse_args()
    print(table())
    print()
    print("¹ names that only this vendor uses are unknown   ² every name that this vendor uses is unknown")
    if options.json:
        sums = [sum(column, Share(0, 0)) for column in zip(*map(_shares, vendors()), strict=True)]
        names = ("values alone", "foreign names alone", "both", "names unknown, names alone", "names unknown, both")
        write(
            options.json, [Figure(f"suggest, {n}", 100 * float(one), "%") for n, one in zip(names, sums, strict=True)]
        )


if __name__ == "__main__":
    main()
