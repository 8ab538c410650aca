"""A reason as a sentence, in the language of whoever reads it.

The one idea: a reason is kept as a code with facts (`calls.Reason`); here each code has its English sentence, which is
the catalogue's key, and each fact its wording. Nobody takes a sentence apart.

>>> sentence(Reason("impossible-length", {"seconds": -5}))
'a call of -5 s cannot be right'

A new reason needs a line in `SENTENCES`, in the order of the alphabet, and its Chinese in the catalogue. Of a fact the
sentence says the wording: `traffic_type` becomes "domestic long distance", `reasons` the reasons within, and what the
catalogue knows (`because`, `error`) is said in its words. `{said!r}` is what the PBX wrote, in quotation marks.
Reasons under `also` follow any sentence.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ippbx_billing.calls import Fact, LineKind, Reason, TrafficType
from ippbx_billing.language import language, speaking, tr
from ippbx_billing.language.countries import country_name
from ippbx_billing.money import text

SENTENCES = {
    "alert-after-hours-intl": "{extension}: {calls} far or premium calls outside working hours, {minutes} min "
    "of talk; the last to {number} ({country})",
    "alert-bar-failed": "{object} could not be barred or freed: {error}",
    "alert-burst": "{extension}: {calls} outgoing calls within {minutes} min, the limit is {limit}",
    "alert-clock-early": "records of {pbx} arrive {minutes} min before their calls end, by the clock of the PBX",
    "alert-clock-late": "records of {pbx} arrive {minutes} min after their calls ended, by the clock of the PBX",
    "alert-concurrency": "{extension}: {calls} external calls at once, the limit is {limit}",
    "alert-dear-call": "{extension}: a call to {number} for {fee}, that is {minute_fee} a minute",
    "alert-forwarding": "{caller} was passed on to {number} outside working hours",
    "alert-limit-balance": "{who}: {balance_fee} are left, the reserve is {reserve_fee}",
    "alert-limit-fee": "{who} has used {percent} % of the limit in {period}: {fee} of {limit_fee}",
    "alert-limit-time": "{who} has used {percent} % of the limit in {period}: {minutes} of {limit} min",
    "alert-long-call": "{extension}: a call to {number} lasts {minutes} min",
    "alert-new-country": "{extension}: the first call ever to {country} ({number})",
    "alert-pbx-door": "{address} did not answer {times} times: {error}; only its door was tried, no login is known",
    "alert-pbx-link": "{address} did not answer {times} times: {error}",
    "alert-pbx-silent": "{address} takes connections, but its web page did not answer as it should {times} times: "
    "{error}",
    "alert-same-prefix-run": "{extension}: {calls} calls in a row to numbers that begin with {prefix}",
    "alert-silence": "no event of {pbx} for {minutes} min; after {limit} min of working time it counts as silent",
    "alert-spend-day": "fees of {fee} on {day}, the limit is {limit_fee}",
    "alert-spend-hour": "fees of {fee} on {day} from {hour}:00, the limit is {limit_fee}",
    "alert-store-backlog": "{count} records wait, the oldest for {minutes} min",
    "alert-store-backup": "the last backup is {hours} h old",
    "alert-store-disk": "{percent}% of the disk is free",
    "alert-store-growth": "the disk will be full in {days} days at the present growth",
    "alert-store-write": "the ledger cannot be written: {error}",
    "alert-trunk-full": "{trunk}: {calls} of {channels} channels are in use",
    "alert-trusted-countries": "{extension}: a call to {country} ({number}), which is not in the list of "
    "trusted countries",
    "alert-undelivered": "{channel} does not take messages: {error}",
    "alert-unmailed": "{delivery}: the mail to {recipient} was not delivered: {error}",
    "alert-unrated": "{unrated} of {calls} outgoing calls on {day} have no price: {reasons}",
    "anonymized": "delivered before with event {event}, whose call is anonymized",
    "answer-outside": "the answer does not lie between start and end and is not used",
    "area-code": "area code {area_code} is {city}",
    "area-code-merged": "area code {area_code} is {city}, since merged into {merged_into}",
    "area-code-without-zero": "{said} is the area code of {city}, sent without its 0",
    "area-service": "{digits} behind area code {area_code} ({city}) is {about}",
    "behind-carrier-prefix": "{prefix} is {about}; behind it, {reasons}",
    "called-inbound": "called inbound by the PBX, but an extension of the site called a number outside",
    "columns-proven": "the columns of the line follow from its times and durations; no dialect names them",
    "compression-damaged": "the compressed body is damaged",
    "compression-too-large": "the compressed body is cut off, or more than {most} bytes when unpacked",
    "contradicted-outcome": "called {disposition} by the PBX, but with {seconds} s of talk",
    "corrected-by": "corrected by event {event}",
    "correction": "corrected: the record was delivered before with event {event}",
    "date-order-open": "the order of day and month in {said!r} is not certain; see `dialects` in the manual",
    "delivered-before": "delivered before with event {event}",
    "dialect-does-not-fit": "the body does not fit the dialect {dialect}: {lack}",
    "dialled-from": "dialled from {the_country}",
    "duration-exceeds-span": "a duration of {duration_s} s, but {span_s} s from start to end",
    "duration-too-long": "{field}: the duration {said!r} is longer than a month",
    "emergency": "emergency call",
    "empty-body": "an empty body",
    "empty-probe": "an empty probe",
    "end-before-start": "the end lies before the start and is not used",
    "extension-of-site": "{digits} is an extension of the site",
    "fee-too-large": "the fee of {seconds} s is too large an amount",
    "form-too-large": "a form of more than {most} fields",
    "heading-alone": "a table with a heading and no record",
    "home-without-area-code": "{traffic} in {the_country}, as the site has no area code",
    "impossible-length": "a call of {seconds} s cannot be right",
    "in-part": "{part}: {reasons}",
    "in-part-of-record": "record {record} {part}: {reasons}",
    "in-record": "record {record}: {reasons}",
    "incoming-without-price": "incoming call without a price",
    "inside-home-area": "in the home area {area_code}",
    "internal-error": "internal error, please report it: {error}",
    "internal-without-price": "internal call without a price",
    "json-cut-off": "JSON that is cut off: {error}: line {line} column {column} (char {position})",
    "json-repaired": "not valid JSON, repaired",
    "left-out": "left out by call filter {filter}: {conditions}",
    "length-not-told": "answered, but the record does not tell for how long",
    "list-of-no-records": "a list of {count} values that are not records",
    "local-length": "{count} digits are a number of the home area {area_code}",
    "local-length-anywhere": "{count} digits without area code are a local number; the site's area code is not set",
    "mobile-block": "block {block} ({block_kind}) was given to {operator}; the place of {prefix} is not known",
    "mobile-prefix": "{prefix} is a mobile prefix of {place}, area code {area_code}; block {block} "
    "({block_kind}) was given to {operator}",
    "more-problems": "and {count} problems more",
    "multipart-without-field": "a multipart body without a readable field",
    "negative-duration": "{field}: the duration {said!r} is negative",
    "nested-deeper": "nested deeper than {deepest} levels",
    "nested-too-deeply": "nested too deeply to be a call record",
    "no-call": "{because}",
    "no-dialect": "no dialect knows this body; its names are {names}",
    "no-direction": "the direction of the call is unknown",
    "no-local-price": "{carrier} has no local price to add to its {traffic_type} price",
    "no-number": "no number was given",
    "no-party": "no caller or callee{doubts}: {dialect} looks for {names}",
    "no-price": "{carrier} has no price for {traffic_type} calls to {destination}{kind}",
    "no-rule": "no rule of the numbering plan of {the_country} fits {digits}",
    "no-state": "an event without a state",
    "no-step": "an event {said!r} that is not a step of a call",
    "no-such-dialect": "there is no dialect {dialect!r}; known are {known}",
    "no-talk": "answered without talk time",
    "no-telephone-number": "{said!r} is not a telephone number",
    "no-time": "no time of start, answer or end{doubts}: {dialect} looks for {names}",
    "no-trunk": "the call names no trunk and there is no default carrier",
    "not-a-duration": "{field}: {said!r} is not a duration",
    "not-a-time": "{field}: {said!r} is not a time",
    "not-answered": "not answered",
    "not-csv": "not readable as comma-separated values: {error}",
    "not-in-plan": "+{code} is the code of {whose}, whose plan does not list the rest",
    "not-json": "not valid JSON: {error}: line {line} column {column} (char {position})",
    "not-kept": "the ledger cannot keep what this record says: {error}",
    "not-xml": "not readable as XML",
    "number-of-country": "+{digits} is {kind_of_line} of {whose}",
    "older-version": "older than the version of event {event}",
    "other-dialect-fits": "the body does not fit the dialect {dialect}: {lack}; the dialect {other} would fit",
    "outside-home-area": "outside the home area {area_code}",
    "outside-years": "{field}: {said!r} is outside the years {first} to {last}",
    "override": "the site's override for {prefix} says so; by the plan, {reasons}",
    "past-midnight": "a time most of a day before the start is taken as the next day's",
    "reused-id": "the id of its record is also that of another call, which came with event {event}",
    "row-of": "a row of call {call}, which is billed for the whole conversation",
    "rules-changed": "the rules have changed since this call was rated; the stored fee stays",
    "said-internal": "the PBX says the call is internal",
    "satellite-network": "+{digits} is a number of the satellite network {network}",
    "service-number": "{digits} is {about}",
    "several": "{reasons}",
    "several-dialects": "the body fits several dialects equally well: {dialects}; choose one of them in the settings",
    "short-code-of-country": "{digits} is {about} in {the_country}",
    "single-value": "a single value, not a record",
    "taken-as-milliseconds": "a duration of {length} in a call of {span_s} s is taken as milliseconds",
    "talk-exceeds-call": "{billed_s} s of talk in a call of {duration_s} s",
    "talk-not-told": "the record does not tell the talk time; all of its {seconds} s count as talk",
    "text": "{text}",
    "thousands-as-milliseconds": "durations of whole thousands, up to {length}, are taken as milliseconds",
    "time-used": "the trunk was used for {seconds} s, as the {rows} rows of the call tell",
    "told-apart": "answer and end were told by different records",
    "too-many-fields": "more than {most} fields in one record",
    "too-many-records": "{count} records in one body; only the first {most} are read",
    "too-slow": "reading this record takes longer than {seconds} s; it was set aside",
    "traffic-of-service": "traffic type {traffic}",
    "twin": "{because}",
    "unclear-duration": "the record does not tell whether its duration is the whole call or the talk; "
    "taken as the whole",
    "unknown-carrier": "trunk {trunk} belongs to carrier {carrier}, which does not exist",
    "unknown-compression": "the body is compressed as {encoding}, which is not read",
    "unknown-kind": "neither JSON, XML, a form nor lines of a known kind",
    "unknown-outcome": "the word {word!r} for the outcome is not known; say once what it means",
    "unknown-trunk": "trunk {trunk} is not configured and there is no default carrier",
    "unknown-word": "{field}: the word {said!r} is not known",
    "xml-repaired": "not well-formed XML, repaired",
    "xml-with-doctype": "XML with a document type of its own is not read",
}

TRAFFIC_WORDS = {  # how an English sentence names the sort of calls; in Chinese it is the word of the tables
    TrafficType.LOCAL: "local",
    TrafficType.DOMESTIC: "domestic long distance",
    TrafficType.HK_MO_TW: "Hong Kong, Macao and Taiwan",
    TrafficType.INTERNATIONAL: "international",
    TrafficType.IP_LONG_DISTANCE: "IP long distance",
    TrafficType.AUDIOTEX: "audiotex",
    TrafficType.DIALUP: "dial-up",
    TrafficType.SERVICE_400_800: "400/800 service",
    TrafficType.OTHER: "other",
    TrafficType.INTERNAL: "internal",
}
LINE_WORDS = {
    LineKind.FIXED: "fixed line",
    LineKind.MOBILE: "mobile phone",
    LineKind.SATELLITE: "satellite phone",
    LineKind.SERVICE: "service number",
    LineKind.EXTENSION: "extension",
    LineKind.UNKNOWN: "line of unknown kind",
}


def sentence(reason: Reason) -> str:
    """The reason in the language in use; one of another release is shown by its code and facts, none is empty."""
    if not reason:
        return ""
    text = SENTENCES.get(reason.code)
    try:
        worded = _worded(reason)
        said = tr(text or "").format(**worded) if text else _unworded(reason)
    except (KeyError, ValueError):  # facts of another release
        return _unworded(reason)
    return tr("{said}; {also}", said=said, also=worded["also"]) if "also" in worded else said


@lru_cache(maxsize=4_096)
def english(reason: Reason) -> str:
    """The reason in English, as programs are told it."""
    with speaking("en"):
        return sentence(reason)


def told(reason: Reason) -> dict[str, Any]:
    """The keys by which programs are told a reason: the English sentence, the code and the facts; `None` for none."""
    if not reason:
        return {"reason": None, "reason_code": None, "reason_facts": None}
    return {"reason": english(reason), "reason_code": reason.code, "reason_facts": plain(reason.facts)}


def told_why(why: Reason) -> dict[str, Any]:
    """The keys by which programs are told what a number is: the English sentence, "" for none, its code and facts."""
    return {"why": english(why), "why_code": why.code or None, "why_facts": plain(why.facts) if why else None}


def by_sentence(reasons: Mapping[Reason, int]) -> dict[str, int]:
    """How many of each reason, by its English sentence."""
    return {english(reason): count for reason, count in reasons.items()}


def counted(reasons: Mapping[Reason, int]) -> list[dict[str, Any]]:
    """How many of each reason, as programs are told it."""
    return [{**told(reason), "count": count} for reason, count in reasons.items()]


def plain(facts: Mapping[str, Fact]) -> dict[str, Any]:
    """Facts as JSON holds them: reasons within are objects of `code` and `facts`."""
    return {name: _plain(value) for name, value in facts.items()}


def coded(reason: Reason) -> dict[str, Any]:
    """A reason as JSON holds it."""
    return {"code": reason.code, "facts": plain(reason.facts)}


def _plain(value: Fact) -> Any:
    return list(map(coded, value)) if isinstance(value, tuple) else value


def _unworded(reason: Reason) -> str:
    return f"{reason.code}: " + ", ".join(f"{name} {value}" for name, value in plain(reason.facts).items())


def _worded(reason: Reason) -> dict[str, object]:
    """The facts as the sentence says them, with those that follow from several."""
    facts: dict[str, object] = {name: _word(name, value) for name, value in reason.facts.items()}
    if further := _FURTHER.get(reason.code):
        facts |= further(reason.facts)
    return facts


def _word(name: str, value: Fact) -> object:
    """A fact in the words of a sentence."""
    if isinstance(value, tuple):
        return "; ".join(map(sentence, value))
    if name == "traffic_type":
        return traffic_word(str(value))
    return (tr(str(value)) if value else tr("none")) if name in _TRANSLATED else value


_TRANSLATED = ("about", "because", "block_kind", "disposition", "error", "names", "traffic")


def traffic_word(value: str) -> str:
    """A traffic type as sentences say it."""
    return tr(TRAFFIC_WORDS[TrafficType(value)]) if value in TRAFFIC_WORDS else value


def line_word(value: str) -> str:
    """A kind of line as sentences say it."""
    return tr(LINE_WORDS[LineKind(value)]) if value in LINE_WORDS else value


# --- What a sentence says of several facts together --------------------------------------------------------------


def _missing_price(facts: Mapping[str, Fact]) -> dict[str, object]:
    """Where the call went, and to what kind of line where that is known."""
    kind = str(facts.get("line_kind", ""))
    known = kind in LINE_WORDS and kind != LineKind.UNKNOWN
    return {
        "destination": _destination(str(facts["match"]), str(facts["value"])),
        "kind": tr(" ({line_kind})", line_kind=line_word(kind)) if known else "",
    }


def _destination(match: str, value: str) -> str:
    if not value:
        return tr("a withheld number")
    if match == "area":
        return tr("area {code}", code=value)
    if match == "country":
        return tr("country {country}", country=_named(value))
    return tr("number {number}", number=value)


def _conditions(facts: Mapping[str, Fact]) -> dict[str, object]:
    """The conditions of a filter, in the words of the command that made it."""
    words = {
        "direction": tr("direction"),
        "extension": tr("extension"),
        "number": tr("number"),
        "trunk": tr("trunk"),
    }
    said = {name: tr(str(value)) if name == "direction" else value for name, value in facts.items()}
    return {"conditions": ", ".join(f"{word} {said[name]}" for name, word in words.items() if name in said)}


def _lack(facts: Mapping[str, Fact]) -> dict[str, object]:
    """What the dialect would need to see."""
    wanted = facts["wanted"]
    return {"lack": tr("it looks for {names}", names=wanted) if wanted else tr("none of its marks is there")}


def _doubts(facts: Mapping[str, Fact]) -> dict[str, object]:
    """The doubts that led to it, in parentheses."""
    doubts = facts["reasons"]
    return {"doubts": tr(" ({doubts})", doubts=_word("reasons", doubts)) if doubts else ""}


def _city(facts: Mapping[str, Fact]) -> dict[str, object]:
    """The place of an area code, whose name is not a text of the catalogue."""
    return {"city": facts["place" if language() == "zh" else "place_en"]}


def _the_country(facts: Mapping[str, Fact]) -> dict[str, object]:
    return {"the_country": _named(facts["country"])}


def _named(country: Fact) -> str:
    """A country's name in Chinese, its code in English."""
    return country_name(str(country), "zh") if country and language() == "zh" else str(country)


def _whose(facts: Mapping[str, Fact]) -> dict[str, object]:
    """The country of a number, and the kind of line where the plan tells it."""
    lines = {
        LineKind.FIXED.value: tr("a fixed line"),
        LineKind.MOBILE.value: tr("a mobile"),
        LineKind.SERVICE.value: tr("a service number"),
        LineKind.UNKNOWN.value: tr("a number, fixed or mobile (the plan does not tell),"),
    }
    whose = _named(facts["country"]) or tr("no single country")
    return {"whose": whose, "kind_of_line": lines.get(str(facts["line_kind"]), "")}


def _countries(facts: Mapping[str, Fact]) -> dict[str, object]:
    """The country of a code, where it is that of one alone."""
    return {"whose": _named(facts["country"]) or tr("several countries")}


def _amounts(facts: Mapping[str, Fact]) -> dict[str, object]:
    """Amounts as people read them: `fee_micro` is {fee}, any other `…_micro` is {…_fee}."""
    told = {
        name.removesuffix("_micro"): text(int(str(value))) for name, value in facts.items() if name.endswith("_micro")
    }
    return {name if name == "fee" else f"{name}_fee": value for name, value in told.items()}


_FURTHER = {
    "alert-dear-call": _amounts,
    "alert-limit-balance": _amounts,
    "alert-limit-fee": _amounts,
    "alert-spend-day": _amounts,
    "alert-spend-hour": _amounts,
    "area-code": _city,
    "area-code-merged": _city,
    "area-code-without-zero": _city,
    "area-service": _city,
    "dialect-does-not-fit": _lack,
    "dialled-from": _the_country,
    "home-without-area-code": _the_country,
    "left-out": _conditions,
    "no-party": _doubts,
    "no-price": _missing_price,
    "no-rule": _the_country,
    "no-time": _doubts,
    "not-in-plan": _countries,
    "number-of-country": _whose,
    "other-dialect-fits": _lack,
    "short-code-of-country": _the_country,
}
