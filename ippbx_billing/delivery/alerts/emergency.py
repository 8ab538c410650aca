"""When the ledger cannot be written there is no outbox: then the channels are told straight away, once each.

unwritten = Unwritten(settings)
unwritten.tell("database or disk is full", now)    # again each minute, to the channels that have not taken it
unwritten.over(ledger, now)                        # written down as an incident that was told, and is over
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ippbx_billing.alerts import Occurrence, Over, Severity
from ippbx_billing.calls import Reason
from ippbx_billing.delivery.alerts import probes
from ippbx_billing.delivery.alerts.channels import Channel, Channels, load
from ippbx_billing.delivery.alerts.http import Verdict
from ippbx_billing.delivery.alerts.sender import hears, speaker_for, transmit
from ippbx_billing.delivery.alerts.texts import Speaker, Text
from ippbx_billing.errors import BillingError, BusyError
from ippbx_billing.language import speaking, tr
from ippbx_billing.language.advice import ADVICE
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.incidents import Incident
from ippbx_billing.ledger.posts import Message
from ippbx_billing.settings import Settings
from ippbx_billing.sqlite.damage import is_locked, is_trouble

AGAIN_S = 55  # between two attempts at a channel that does not take it
LOCKED_S = 600  # a rebuild may hold the ledger for minutes; longer than this somebody should look


@dataclass(slots=True)
class Unwritten:
    """Since when the ledger cannot be written, and who knows of it."""

    settings: Settings
    transmit: Callable[[Channel, Channels, Text, float], Verdict] = transmit
    since: int | None = None
    error: str = ""
    told: set[str] = field(default_factory=set)
    _locked_since: int | None = None
    _tried_at: float = 0.0

    def try_writing(self, ledger: Ledger, now: datetime) -> bool:
        """Whether a write succeeds; what is wrong otherwise is told, and what is over is written down."""
        moment = int(now.timestamp())
        try:
            with ledger.transaction():
                ledger.journey.set_state("alerts_written", str(moment))
        except Exception as error:
            locked = isinstance(error, BusyError) or is_locked(error)
            if not locked and not is_trouble(error):
                raise
            self._locked_since = (self._locked_since or moment) if locked else None
            if not locked or moment - (self._locked_since or moment) >= LOCKED_S:
                self.tell(str(error), now)
            return False
        self._locked_since = None
        self.over(ledger, now)
        return True

    def tell(self, error: str, now: datetime) -> None:
        """Tell every channel that hears of such things and has not taken it yet."""
        self.since = self.since or int(now.timestamp())
        self.error = error
        if now.timestamp() - self._tried_at < AGAIN_S:
            return
        self._tried_at = now.timestamp()
        try:
            known = load(self.settings.data_dir)
        except BillingError:  # its own trouble, which the log tells
            return
        message = Message(0, "", "open", Severity.CRITICAL, {}, self.since, self._incident(None))
        for channel in known.channels.values():
            if channel.name not in self.told and not channel.escalation and hears(channel, message):
                text = self._text(speaker_for(self.settings, channel))
                if self.transmit(channel, known, text, now.timestamp()).taken:
                    self.told.add(channel.name)

    def _text(self, to: Speaker) -> Text:
        assert self.since is not None
        with speaking(to.lang):
            title = tr("{severity}: {what}", severity=tr("critical"), what=sentence(self._reason()))
            begun = datetime.fromtimestamp(self.since, to.zone)
            body = [tr("since {first}", first=f"{begun:%Y-%m-%d %H:%M}"), tr(ADVICE["store"])]
        where = f"[{to.site}] " if to.site else ""
        facts = {"kind": "open", "severity": "critical", "rule": "store", "object": "ledger"}
        return Text(f"store/ledger/{self.since}", where + title, "\n".join(body), to.site, facts)

    def _reason(self) -> Reason:
        reason = probes.unwritable(self.error).reason
        assert reason is not None
        return reason

    def _incident(self, closed_at: int | None) -> Incident:
        since = self.since or 0
        return Incident(
            0, "store", "ledger", Severity.CRITICAL, self._reason(), since, since, None, closed_at, None, None, 1
        )

    def over(self, ledger: Ledger, now: datetime) -> None:
        """It can be written again: the incident is kept, its beginning is not told twice, its end is."""
        if self.since is None:
            return
        moment = int(now.timestamp())
        found = Occurrence("store", "ledger", Severity.CRITICAL, self._reason(), self.since, None)
        with ledger.transaction():
            ledger.incidents.settle([found], [Over("store", "ledger", moment)], moment)
            for message in ledger.posts.new_messages() if self.told else ():
                one = message.incident
                if message.kind == "open" and one is not None and (one.rule, one.object) == ("store", "ledger"):
                    ledger.posts.address(message, [])
        self.since, self.told, self._tried_at = None, set(), 0.0
