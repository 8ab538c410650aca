"""What somebody reads who looks on while records arrive: the first of each sender, and the numbers so far.

onlooker = Onlooker(settings)
onlooker.look()     # lines to be said: the first call and the first rejected record of each sender
onlooker.status()   # "3 received, 2 rated, 1 unrated, 0 waiting"
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from ippbx_billing.documents.columns import cell
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports.conditions import View, WantedCalls
from ippbx_billing.reports.listing import calls
from ippbx_billing.settings import Settings

MOST_AT_ONCE = 2_000  # events looked at for firsts a time, so that looking never takes long
SENDERS_REMEMBERED = 1_000


class Onlooker:
    """Looks at inbox and ledger from the moment it is made; each look opens both anew, and holds nothing."""

    def __init__(self, using: Settings) -> None:
        self._using = using
        with Inbox(using.inbox_path) as inbox:
            self._begun_at = self._told_to = self._last = inbox.last_id()
        self._statuses: Counter[str] = Counter()
        self._called: set[str] = set()
        self._rejected: set[str] = set()
        self._waiting = 0

    def look(self) -> list[str]:
        """What is new since the last look, as lines; raises DataError where a file cannot be read now."""
        with Ledger(self._using.ledger_path) as ledger, Inbox(self._using.inbox_path) as inbox:
            self._last, reached = inbox.last_id(), ledger.journey.position()
            self._waiting = max(0, self._last - max(reached, self._begun_at))
            upto = min(reached, self._told_to + MOST_AT_ONCE)
            if upto <= self._told_to:
                return []
            self._statuses.update(ledger.arrivals.by_status(self._told_to + 1, upto))
            found = list(self._firsts(ledger, inbox, upto))
            self._told_to = upto
            return found

    def status(self) -> str:
        """The numbers since the beginning in a line; `received` are events, of status too, the others calls."""
        rated = sum(count for status, count in self._statuses.items() if status != "unrated")
        return tr(
            "{received} received, {rated} rated, {unrated} unrated, {waiting} waiting",
            received=f"{self._last - self._begun_at:,}",
            rated=f"{rated:,}",
            unrated=f"{self._statuses['unrated']:,}",
            waiting=f"{self._waiting:,}",
        )

    def _firsts(self, ledger: Ledger, inbox: Inbox, upto: int) -> Iterator[str]:
        if min(len(self._called), len(self._rejected)) > SENDERS_REMEMBERED:
            return
        of_sender: dict[str, list[int]] = defaultdict(list)
        for one in reversed(inbox.summaries(after=self._told_to, before=upto + 1)):
            of_sender[one.remote].append(one.id)
        for sender, events in of_sender.items():
            if sender not in self._called and (call := ledger.arrivals.first_call(events)):
                self._called.add(sender)
                yield self._of_call(ledger, sender, call)
            if sender not in self._rejected and (event := ledger.arrivals.first_rejected(events)):
                self._rejected.add(sender)
                yield _of_rejected(ledger, sender, event)

    def _of_call(self, ledger: Ledger, sender: str, call: int) -> str:
        view = View(self._using.site_zone, self._using.currency)
        (row,) = calls(ledger, view, WantedCalls(call=call))
        return tr(
            "first call from {sender}: {caller} → {callee}, {length}, {fee}; see `ippbx-bill calls explain {call}`",
            sender=sender,
            caller=row["caller"] or "–",
            callee=row["callee"] or "–",
            length=cell(row["billed_s"], "length"),
            fee=_fee(row, self._using.currency),
            call=call,
        )


def _fee(row: dict[str, Any], currency: str) -> str:
    """What the call costs, or why nobody can say."""
    if row["status"] == "unrated":
        return tr("no price: {reason}", reason=row["reason"])
    return tr(str(row["status"])) if row["fee"] is None else f"{cell(row['fee'], 'money')} {currency}"


def _of_rejected(ledger: Ledger, sender: str, event: int) -> str:
    _, reason = ledger.journey.outcomes([event])[event]
    return tr(
        "first record from {sender} that is not understood: {reason}; see `ippbx-bill events show {event}`",
        sender=sender,
        reason=sentence(reason),
        event=event,
    )
