"""What people set of rules and try of channels, for every face: names and values checked, errors with what is known.

settings_of("burst", {"calls": "30"})       # {"calls": "30"}; an empty text puts the setting back: None
posts = send_test(using, ledger, "boss", now, 30)
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from uuid import uuid4

from ippbx_billing.alerts import RULES, Config, Severity
from ippbx_billing.alerts.rules import SWITCH, checked
from ippbx_billing.delivery.alerts.channels import load
from ippbx_billing.delivery.alerts.sender import wait_for
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.posts import QueuedMessage
from ippbx_billing.settings import Settings


def rule_named(name: str) -> str:
    """The name if it is a rule's; NotFoundError with the nearest for another."""
    if name not in RULES:
        close = get_close_matches(name, RULES, 1)
        hint = tr("did you mean {name}?", name=close[0]) if close else tr("see `ippbx-bill alerts rules`")
        raise NotFoundError(tr("there is no rule {name!r}", name=name), hint)
    return name


def pairs_of(rule: str, words: Sequence[str]) -> dict[str, str]:
    """`calls=30`, `on`, `calls=` as settings with their texts; UsageError for a word that is neither."""
    found: dict[str, str] = {}
    for word in words:
        name, mark, value = (SWITCH, "=", word) if word in ("on", "off") else word.partition("=")
        if not mark:
            raise _unknown(rule, name)
        found[name] = value
    return found


def settings_of(rule: str, given: Mapping[str, str]) -> dict[str, str | None]:
    """Texts as settings that were checked; None where an empty one puts it back."""
    return {name: _checked(rule, name, value) for name, value in given.items()}


def _checked(rule: str, name: str, value: str) -> str | None:
    if name not in (SWITCH, *RULES[rule].values):
        raise _unknown(rule, name)
    try:
        return checked(rule, name, value) if value else None
    except ValueError as error:
        raise UsageError(
            tr("{name} cannot be {value!r}: {error}", name=name, value=value, error=error),
            f"ippbx-bill alerts set {rule} {name}={RULES[rule].values.get(name, 'on')}",
        ) from error


def _unknown(rule: str, name: str) -> UsageError:
    known = ", ".join(RULES[rule].values) or tr("none")
    return UsageError(tr("{rule} has no setting {name!r}", rule=rule, name=name), tr("known: {known}", known=known))


def told(config: Config, rule: str) -> str:
    """A rule's settings in one line."""
    switch = "on" if config.is_on(rule) else "off"
    return ", ".join([switch, *(f"{name}={config.text(rule, name)}" for name in RULES[rule].values)])


def send_test(using: Settings, ledger: Ledger, channel: str | None, now: datetime, wait_s: int) -> list[QueuedMessage]:
    """A test message the whole real way, to one channel or all; its posts once each was tried, or after so long.

    NotFoundError where there is no such channel, BillingError where nobody sends.
    """
    known = load(using.data_dir)
    if channel:
        known.get(channel)
    elif not known.channels:
        raise NotFoundError(
            tr("there is no channel yet"), "ippbx-bill alerts channels add boss mail to=boss@example.com"
        )
    key = f"test/{uuid4()}"
    with ledger.transaction():
        at = int(now.timestamp())
        ledger.incidents.message(key, "test", Severity.INFO, at, facts={"channel": channel} if channel else {})
    return wait_for(using.data_dir, ledger, key, wait_s)
