"""The set of rules with their starting values, and what a site has set instead.

    config = Config({"burst": {"calls": "30"}})
    config.number("burst", "calls")   ->  30

The one idea: every number in a rule is a setting with a starting value, and a setting is text that is checked here. The
suffix of a name says its unit: `_min` minutes, `_h` hours, `_pct` per cent, `_fee` an amount of the site's currency.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from ippbx_billing.alerts.findings import Severity
from ippbx_billing.language import tr
from ippbx_billing.money import parse

GENERAL = "general"
SWITCH = "on"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule: what it looks at, how loud it is, and its settings with their starting values as text."""

    name: str
    about: str
    severity: Severity
    values: Mapping[str, str] = field(default_factory=dict)
    quiet_min: int = 60
    on: bool = True


_ALL = (
    AlertRule(
        GENERAL,
        "what holds for all rules: working hours, quiet hours, escalation, heartbeat",
        Severity.INFO,
        {
            "hours": "09:00-18:00",
            "quiet": "",
            "late_min": "120",
            "escalate_min": "15",
            "least_days": "14",
            "heartbeat": "08:30",
            "digest_over": "5",
        },
    ),
    AlertRule(
        "silence",
        "no event of a PBX for unusually long, in working hours",
        Severity.CRITICAL,
        {"least_min": "30", "times": "3"},
    ),
    AlertRule("pbx-link", "a PBX does not answer at its address", Severity.CRITICAL, {"failures": "3"}),
    AlertRule(
        "store",
        "disk nearly full, ledger not writable, backup too old, records waiting",
        Severity.CRITICAL,
        {"free_pct": "10", "free_days": "7", "backup_h": "48", "backlog_min": "5"},
    ),
    AlertRule(
        "clock",
        "records arrive much later or earlier than their calls end",
        Severity.WARNING,
        {"apart_min": "5", "of_calls": "20"},
    ),
    AlertRule(
        "unrated", "many calls of a day have no price", Severity.WARNING, {"pct": "1", "least": "5", "calls": "20"}
    ),
    AlertRule(
        "after-hours-intl",
        "international, Hong Kong/Macao/Taiwan or premium calls outside working hours",
        Severity.WARNING,
        {"calls": "3", "window_min": "60", "talk_min": "30"},
    ),
    AlertRule(
        "trusted-countries",
        "a call to a country that is not in the list",
        Severity.WARNING,
        {"countries": ""},
        on=False,
    ),
    AlertRule("new-country", "the first call ever to a country", Severity.INFO),
    AlertRule(
        "burst",
        "unusually many calls of one extension in a short time",
        Severity.CRITICAL,
        {"calls": "20", "times": "4", "window_min": "10"},
        quiet_min=30,
    ),
    AlertRule(
        "same-prefix-run",
        "many calls of one extension in a row to the same prefix",
        Severity.WARNING,
        {"calls": "10", "digits": "6"},
    ),
    AlertRule(
        "concurrency",
        "more external calls of one extension at once than it ever had, or a trunk nearly full",
        Severity.WARNING,
        {"calls": "3", "times": "2", "trunk_pct": "90", "trunks": ""},
        quiet_min=10,
    ),
    AlertRule("spend-hour", "the fees of an hour", Severity.CRITICAL, {"least_fee": "100", "times": "3"}),
    AlertRule("spend-day", "the fees of a day", Severity.CRITICAL, {"least_fee": "500", "times": "3"}),
    AlertRule("long-call", "one call that lasts very long", Severity.WARNING, {"h": "4"}, quiet_min=5),
    AlertRule(
        "dear-call",
        "one call that costs much, as a whole or per minute; 0 asks for neither",
        Severity.WARNING,
        {"call_fee": "0", "minute_fee": "0"},
        on=False,
    ),
    AlertRule("forwarding", "a call from outside that was passed on to the outside at night", Severity.WARNING),
    AlertRule(
        "limit",
        "somebody's fee or time has reached a mark of its limit; bars_an_hour bars so many without a person's word",
        Severity.WARNING,
        {"bars_an_hour": "0"},
    ),
    AlertRule("delivery", "a message or a report could not be delivered", Severity.WARNING, quiet_min=24 * 60),
)
RULES: Mapping[str, AlertRule] = {one.name: one for one in _ALL}


@dataclass(frozen=True, slots=True)
class Exception_:
    """Nobody wants to hear of a rule (`*`: of any) for an object, such as 8001 or 8001/US, until the end of a day."""

    rule: str
    object: str
    until: date | None
    note: str = ""

    def holds(self, rule: str, names: Iterable[str], today: date) -> bool:
        """Whether it silences this rule for something that goes by these names."""
        if self.until is not None and today > self.until:
            return False
        return self.rule in ("*", rule) and (self.object == "*" or self.object in names)


class Config:
    """The rules as the site has set them; what it has not set stands at its starting value."""

    def __init__(
        self, own: Mapping[str, Mapping[str, str]] | None = None, exceptions: Iterable[Exception_] = ()
    ) -> None:
        self.own = {name: dict(values) for name, values in (own or {}).items()}
        self.exceptions = tuple(exceptions)

    def is_on(self, rule: str) -> bool:
        """Whether the rule is to be heard."""
        said = self.own.get(rule, {}).get(SWITCH)
        return RULES[rule].on if said is None else said == "on"

    def text(self, rule: str, name: str) -> str:
        """A setting as it was written."""
        return self.own.get(rule, {}).get(name, RULES[rule].values[name])

    def number(self, rule: str, name: str) -> int:
        """A setting that is a whole number."""
        return int(self.text(rule, name))

    def micro(self, rule: str, name: str) -> int:
        """A setting that is an amount, in micro-units."""
        return parse(self.text(rule, name))

    def names(self, rule: str, name: str) -> tuple[str, ...]:
        """A setting that is a list of words."""
        return tuple(filter(None, (one.strip() for one in self.text(rule, name).split(","))))

    def with_values(self, rule: str, values: Mapping[str, str]) -> "Config":
        """The same with some settings of one rule changed."""
        return Config({**self.own, rule: {**self.own.get(rule, {}), **values}}, self.exceptions)

    def silences(self, rule: str, names: Iterable[str], today: date) -> bool:
        """Whether an exception wants nothing to be heard of this."""
        return any(one.holds(rule, names, today) for one in self.exceptions)


def checked(rule: str, name: str, value: str) -> str:
    """The value of a setting as it is kept; ValueError with what would be right, KeyError for no such setting."""
    if name == SWITCH:
        if value not in ("on", "off"):
            raise ValueError(tr("only on and off are known"))
        return value
    _ = RULES[rule].values[name]
    check = next((one for pattern, one in _CHECKS if re.fullmatch(pattern, name)), _whole)
    return check(value.strip())


def _whole(value: str) -> str:
    if not re.fullmatch(r"\d{1,9}", value):
        raise ValueError(tr("it must be a whole number"))
    return value


def _amount(value: str) -> str:
    try:
        if parse(value) < 0:
            raise ValueError
    except ValueError:
        raise ValueError(tr("an amount such as 12.50 is expected")) from None
    return value


def _countries(value: str) -> str:
    words = [one.strip().upper() for one in value.split(",") if one.strip()]
    if not all(re.fullmatch(r"[A-Z]{2}", one) for one in words):
        raise ValueError(tr("countries of two letters are expected, such as CN,HK,SG"))
    return ",".join(words)


def _spans(value: str) -> str:
    from ippbx_billing.alerts.hours import spans

    spans(value)
    return value


def _clock(value: str) -> str:
    if value and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(tr("a time of day such as 08:30 is expected, or nothing"))
    return value


def _trunks(value: str) -> str:
    if not all(re.fullmatch(r"[^=,]+=[1-9]\d{0,4}", one.strip()) for one in value.split(",") if one.strip()):
        raise ValueError(tr("trunks with their channels are expected, such as FXO-1=8,SIP=30"))
    return value


_CHECKS = (
    (r".*_fee", _amount),
    ("countries", _countries),
    ("hours|quiet", _spans),
    ("heartbeat", _clock),
    ("trunks", _trunks),
)
