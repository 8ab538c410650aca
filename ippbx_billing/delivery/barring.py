"""Limits that are reached: told at their marks, and barred by a command of the site's own.

    watch_limits(ledger, settings, now)                       # incidents, frees, and bars what may be barred by itself
    for step, error in carry_out(ledger, settings, steps, by, now): ...

The contract of `bar_command`: it is run as `COMMAND bar|unbar extension|pin 8001` with a JSON object on stdin, and ends
with 0 when the PBX does what was asked. It may be asked for the same again, as after a crash, and then does nothing.
`bar` means calls to the outside; emergency and internal calls stay free, which `allow` says to the command.
"""

import json
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from ippbx_billing.alerts import Occurrence, Over, Severity
from ippbx_billing.calls import Reason
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import plain, sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.limits import AUTOMATIC
from ippbx_billing.reports.limits import BarringStep, LimitBook, plan
from ippbx_billing.settings import Settings

RULE = "limit"
ALLOWED = ("emergency", "internal")
TIMEOUT_S = 30
HOUR_S = 3_600
ROUND_S = 15.0
AGAIN_S = 600  # after a failure


def watch_limits(ledger: Ledger, settings: Settings, now: datetime) -> None:
    """Tell of marks that are reached, free who may call again, bar within the cap of an hour."""
    if not ledger.limits.all() and not ledger.limits.accounts() and not ledger.limits.barred():
        _settle(ledger, [], now)
        return
    _settle(ledger, findings(ledger, settings, now), now)
    if settings.bar_command:
        until = time.monotonic() + ROUND_S
        for _ in carry_out(ledger, settings, due_steps(ledger, settings, now), AUTOMATIC, now):
            if time.monotonic() > until:  # alerts wait for this: the rest is asked for in the next round
                break


def findings(ledger: Ledger, settings: Settings, now: datetime) -> list[Occurrence]:
    """The marks that are reached at this moment; each is told once in its period and for this limit."""
    local = now.astimezone(settings.site_zone)
    book, at = LimitBook(ledger, local.date()), int(now.timestamp())
    found = []
    for one in book.usages():
        for mark in one.limit.warn:
            if one.percent >= mark:
                most = f"{one.limit.fee_micro or ''}/{one.limit.time_s or ''}"
                what = f"{one.name} {one.period.name} {mark}% {most}"
                severity = Severity.CRITICAL if mark >= 100 else Severity.WARNING
                found.append(Occurrence(RULE, what, severity, one.reason(), at, None, once=True))
    for left in book.balances():
        if left.balance_micro <= max(0, left.account.reserve_micro):
            severity = Severity.CRITICAL if left.balance_micro <= 0 else Severity.WARNING
            found.append(Occurrence(RULE, f"{left.name} prepaid", severity, left.reason(), at, None))
    return found


def _settle(ledger: Ledger, found: Sequence[Occurrence], now: datetime) -> None:
    """Incidents of what is reached; those of this rule that are not any more are over."""
    config, at = ledger.incidents.config(), int(now.timestamp())
    heard = [one for one in found if config.is_on(RULE)]
    heard = [one for one in heard if not config.silences(RULE, {one.object, one.object.split()[0]}, now.date())]
    going_on = {one.object for one in heard}
    over = [
        Over(RULE, one.object, at)
        for one in ledger.incidents.listed(rule=RULE, limit=1_000_000)
        if one.object not in going_on and not one.object.startswith(_FAILED)
    ]
    if ledger.incidents.has_work(heard, over, at):
        with ledger.transaction():
            ledger.incidents.settle(heard, over, at)


_FAILED = "bar "


def due_steps(ledger: Ledger, settings: Settings, now: datetime) -> list[BarringStep]:
    """What is done without a person's word: frees, and bars up to the cap of an hour; failures wait a while."""
    at, local = int(now.timestamp()), now.astimezone(settings.site_zone)
    cap = ledger.incidents.config().number(RULE, "bars_an_hour")
    left = max(0, cap - ledger.limits.automatic_since(at - HOUR_S))
    found = []
    for step in plan(ledger, local.date()):
        last = ledger.limits.last_asked(step.kind, step.object)
        if last and last.state == "failed" and last.action == step.action and at - last.asked_at < AGAIN_S:
            continue
        if step.action == "unbar":
            found.append(step)
        elif step.action == "bar" and left > 0:
            found.append(step)
            left -= 1
    return found


def carry_out(
    ledger: Ledger, settings: Settings, steps: Sequence[BarringStep], by: str, now: datetime, *, by_hand: bool = False
) -> Iterator[tuple[BarringStep, str | None]]:
    """Ask the PBX for each step, and note before and after; gives each with its error. `warn` steps are passed over.

    With `by_hand` a person has done it in the PBX, and it is noted only. UsageError where there is no command.
    """
    if not settings.bar_command and not by_hand:
        raise UsageError(
            tr("no command is set that bars an extension"),
            tr('set bar_command = "…" in settings.toml, or do it in the PBX and say --by-hand'),
        )
    at = int(now.timestamp())
    for step in steps:
        if step.action == "warn":
            continue
        number = ledger.limits.ask(step.kind, step.object, step.action, step.reason, by, at)
        error = None if by_hand else run(settings.bar_command, step)
        ledger.limits.answered(number, error, at)
        _tell(ledger, step, error, at)
        yield step, error


def _tell(ledger: Ledger, step: BarringStep, error: str | None, at: int) -> None:
    """A PBX that does not do it is an incident, until it does."""
    what = f"{_FAILED}{step.object}"
    with ledger.transaction():
        if error is None:
            ledger.incidents.settle([], [Over(RULE, what, at)], at)
        else:
            reason = Reason("alert-bar-failed", {"object": step.object, "error": error[:200]})
            ledger.incidents.settle([Occurrence(RULE, what, Severity.CRITICAL, reason, at, None)], [], at)


def run(command: str, step: BarringStep) -> str | None:
    """Run the site's command for a step; None where it ended well, else what went wrong."""
    told = {
        "action": step.action, "kind": step.kind, "object": step.object, "allow": ALLOWED,
        "reason": step.reason.code, "facts": plain(step.reason.facts), "text": sentence(step.reason),
    }  # fmt: skip
    try:
        done = subprocess.run(
            [*shlex.split(command), step.action, step.kind, step.object],
            input=json.dumps(told, ensure_ascii=False).encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return tr("the command did not end within {seconds} s", seconds=TIMEOUT_S)
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return tr("it ended with {code}: {text}", code=done.returncode, text=said[-1] if said else tr("it said nothing"))
