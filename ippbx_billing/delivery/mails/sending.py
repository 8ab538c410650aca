"""From what is wanted to the mail server: each mail once, at the provider's pace, over one connection.

    with only_mailer(data_dir), Ledger(path) as ledger:
        round = Mailer(settings, ledger).run()

The one idea is that of the alerts: what is being sent is committed before its first byte leaves, and the answer after
the last. A lock that ends with the process says that nobody else sends; so whatever stands as being sent when a sender
begins was cut off, and is sent once more with the same Message-ID, saying so.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ippbx_billing import files
from ippbx_billing.alerts import Occurrence, Over, Severity
from ippbx_billing.calls import Reason
from ippbx_billing.delivery.alerts import channels, mail
from ippbx_billing.delivery.alerts.http import Verdict
from ippbx_billing.delivery.alerts.sender import BACK_OFF_S, DEAD_AFTER_S, MINUTE_S
from ippbx_billing.delivery.mails.letters import letter_of
from ippbx_billing.delivery.mails.making import archive, made_period
from ippbx_billing.delivery.mails.periods import closed_at, correction_at, newest_due, next_due
from ippbx_billing.errors import BillingError, BusyError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.deliveries import FiledMail, MadePeriod, Mailing
from ippbx_billing.reports import Period, View
from ippbx_billing.reports.changes import HandedOut, since_handed_out
from ippbx_billing.settings import Settings
from ippbx_billing.sqlite.locks import lock

LOCK = "mailer.lock"
RATE = 20  # mails a minute
CORRECTED_FOR = timedelta(days=62)  # how long after its end a period is looked at for late calls
TOLD_AFTER = 3  # attempts: many servers put off the first ones of a sender they do not know
MEDIA = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
    "md": "text/markdown",
}


@contextmanager
def only_mailer(data_dir: Path) -> Iterator[None]:
    """One sender of mails at a time on a data directory; BusyError where another is at it."""
    with open(data_dir / LOCK, "a+", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        try:
            lock(file)
        except BlockingIOError:
            raise BusyError(
                tr("another process mails already, most likely that of the running service"),
                tr("nothing need be done; see `ippbx-bill deliver list`"),
            ) from None
        yield


@dataclass(slots=True)
class MailRound:
    """What a run did: files made, mails sent, waiting and given up, whom nobody could write to, and what went wrong."""

    made: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0
    nobody: list[FiledMail] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


class Mailer:
    """Makes what is due and sends it; use it in one thread, under `only_mailer`."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], bool] = lambda seconds: threading.Event().wait(seconds),
        timeout_s: float = mail.TIMEOUT_S,
    ) -> None:
        """`pause` waits so many seconds, and gives True where everything is to end."""
        self._settings, self._ledger, self._clock, self._pause = settings, ledger, clock, pause
        self._timeout_s = timeout_s
        self.done = MailRound()

    def run(self) -> MailRound:
        """Make what is due, correct what has changed, send what waits."""
        with self._ledger.transaction():
            self._ledger.deliveries.interrupted()
        for delivery in self._ledger.deliveries.listed(enabled=True):
            self._in_peace(delivery.name, lambda one=delivery: self._make_due(one))  # type: ignore[misc]
        since = (self._clock() - CORRECTED_FOR).date()
        for period in self._ledger.deliveries.newest_periods(since):
            name = self._ledger.deliveries.by_id(period.delivery).name
            self._in_peace(name, lambda one=period: self._correct(one))  # type: ignore[misc]
        self._send_all()
        return self.done

    def _in_peace(self, name: str, work: Callable[[], None]) -> None:
        """One delivery that cannot be made holds up no other; it is an incident until it can."""
        try:
            work()
        except BusyError:
            raise
        except BillingError as error:
            self.done.troubles.append(f"{name}: {error.message}")
            self._settle(name, "", error.message)
        else:
            self._settle(name, "", "")

    # -- making

    def _make_due(self, delivery: Mailing) -> None:
        now, using = self._clock(), self._settings
        period = newest_due(delivery, now, using.site_zone, using.mail_grace_h)
        if period is None or self._ledger.deliveries.last_edition(delivery.id, period.first) is not None:
            return
        if not self._is_all_read(closed_at(period, using.site_zone, using.mail_grace_h)):
            self.done.troubles.append(
                tr("{name}: records of {period} wait to be read", name=delivery.name, period=period.name)
            )
            return
        self._keep(delivery, *made_period(using, self._ledger, delivery, period, now))

    def _is_all_read(self, closed: datetime) -> bool:
        """Whether the ledger has taken what had come when the period was closed."""
        if not self._settings.inbox_path.exists():
            return True
        with Inbox(self._settings.inbox_path) as inbox:
            position = self._ledger.journey.position()
            waiting = inbox.after(position, 1) if inbox.last_id() > position else []
        return not waiting or waiting[0].received_at > closed

    def _correct(self, period: MadePeriod) -> None:
        """Make anew what differs, once a day and only where calls came late or were changed."""
        delivery = self._ledger.deliveries.by_id(period.delivery)
        now, zone = self._clock(), self._settings.site_zone
        checked = datetime.fromtimestamp(period.checked_at, UTC)
        if correction_at(delivery, checked, zone) > now:
            return
        if not self._changed(period):
            with self._ledger.transaction():
                self._ledger.deliveries.checked(period, int(now.timestamp()))
            return
        before = self._ledger.deliveries.last_told(delivery.id, period.first)
        days = _named(period)
        made = made_period(self._settings, self._ledger, delivery, days, now, period.edition + 1, before)
        self._keep(delivery, *made)

    def _changed(self, period: MadePeriod) -> bool:
        moment = datetime.fromtimestamp(period.made_at, UTC)
        handed_out = HandedOut(moment, period.last_event, str(period.first), str(period.last))
        view = View(self._settings.site_zone, self._settings.currency)
        with self._ledger.reading():
            return bool(since_handed_out(self._ledger, view, handed_out))

    def _keep(self, delivery: Mailing, period: MadePeriod, mails: list[FiledMail]) -> None:
        with self._ledger.transaction():
            self._ledger.deliveries.put(period, mails, delivery.token)
        self.done.made += len({one.file for one in mails})
        self.done.nobody += [one for one in mails if one.state == "nobody"]

    # -- sending

    def _send_all(self) -> None:
        """Everything that is due, over one connection; a trouble of the server ends the round for all of them."""
        if not self._ledger.deliveries.due(self._now()):
            return
        server = channels.load(self._settings.data_dir).server("mail")
        rate = int(server.get("rate", RATE))
        try:
            with mail.MailServer(server, self._timeout_s) as office:
                self._send_over(office, rate)
        except BillingError as error:
            self.done.troubles.append(error.message)
            self._settle("server", "", error.message)

    def _send_over(self, office: mail.MailServer, rate: int) -> None:
        tried = [float(at) for at in self._ledger.deliveries.tried_since(self._now() - MINUTE_S)]
        while due := self._ledger.deliveries.due(self._now()):
            for one in due:
                if not self._wait_for_turn(tried, rate) or not self._send(one, office):
                    return
                tried.append(self._clock().timestamp())

    def _wait_for_turn(self, tried: list[float], rate: int) -> bool:
        """Until fewer than `rate` were tried within a minute; False where everything is to end."""
        while True:
            now = self._clock().timestamp()
            tried[:] = [at for at in tried if now - MINUTE_S < at <= now]
            if len(tried) < rate:
                return not self._pause(0)
            if self._pause(max(0.01, tried[0] + MINUTE_S - now)):
                return False

    def _send(self, one: FiledMail, office: mail.MailServer) -> bool:
        """One mail; gives whether the next may be tried."""
        with self._ledger.transaction():
            if not self._ledger.deliveries.claim(one, self._now()):
                return True
        delivery = self._ledger.deliveries.by_id(one.delivery_id)
        try:
            letter = self._composed(delivery, one, office.sender)
        except BillingError as error:
            verdict = Verdict(False, error.message, final=True, alone=True)
        else:
            verdict = office.send(letter)
        self._note(delivery, replace(one, attempts=one.attempts + 1), verdict)
        return verdict.taken or verdict.alone

    def _composed(self, delivery: Mailing, one: FiledMail, sender: str) -> Any:
        path = archive(self._settings) / one.file
        link = self._link(one, path)
        letter = letter_of(delivery, one, self._settings, link)
        attached = () if link else (mail.Attachment(path.name, files.read(path), _media_type(path)),)
        return mail.compose(
            letter.subject, letter.plain, letter.html, [one.recipient], sender, one.message_id, attached
        )

    def _link(self, one: FiledMail, path: Path) -> str:
        """Where a large file lies for its reader, put there under a name that cannot be guessed; else nothing."""
        from urllib.parse import quote

        using = self._settings
        if not using.mail_link_folder or one.size <= using.mail_attach_mb * 1024**2:
            return ""
        folder = using.data_dir / using.mail_link_folder / one.sha256[:32]
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / path.name).exists():
            files.write(folder / path.name, files.read(path))
        if using.mail_link.startswith(("http://", "https://")):
            return f"{using.mail_link.rstrip('/')}/{folder.name}/{quote(path.name)}"
        if "\\" in using.mail_link:
            return f"{using.mail_link.rstrip(chr(92))}\\{folder.name}\\{path.name}"
        return str(Path(using.mail_link or folder.parent) / folder.name / path.name)

    def _note(self, delivery: Mailing, one: FiledMail, verdict: Verdict) -> None:
        now = self._now()
        if verdict.taken:
            with self._ledger.transaction():
                self._ledger.deliveries.sent(one, now)
            self.done.sent += 1
            self._settle(delivery.name, one.recipient, "")
            self._settle("server", "", "")
            return
        dead = verdict.final or now - (one.first_tried_at or now) >= DEAD_AFTER_S
        due_at = None if dead else now + BACK_OFF_S[min(one.attempts, len(BACK_OFF_S)) - 1]
        with self._ledger.transaction():
            self._ledger.deliveries.failed(one, verdict.error, due_at, doubtful=verdict.doubtful)
            if not verdict.alone and due_at is not None:
                self._ledger.deliveries.postpone(due_at)
        self.done.dead += dead
        self.done.failed += not dead
        self.done.troubles.append(f"{one.recipient}: {verdict.error}")
        if dead or one.attempts >= TOLD_AFTER:
            self._settle(delivery.name, one.recipient, verdict.error)

    # -- incidents

    def _settle(self, name: str, recipient: str, error: str) -> None:
        """A mail that is refused is an incident, told on the channels; one that is taken ends it."""
        incidents, now = self._ledger.incidents, self._now()
        what = f"deliver {name}{': ' if recipient else ''}{recipient}"
        findings, over = list[Occurrence](), list[Over]()
        if error and incidents.config().is_on("delivery"):
            reason = Reason("alert-unmailed", {"delivery": name, "recipient": recipient or "-", "error": error})
            findings.append(Occurrence("delivery", what, Severity.WARNING, reason, now, now + DEAD_AFTER_S))
        elif not error:
            over.append(Over("delivery", what, now))
        if incidents.has_work(findings, over, now):
            with self._ledger.transaction():
                incidents.settle(findings, over, now)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _named(period: MadePeriod) -> Period:
    days = Period.days(period.first, period.last)
    return replace(days, name=f"{period.first:%Y-%m}") if days.is_month else days


def _media_type(path: Path) -> str:
    return MEDIA.get(path.suffix[1:], "application/octet-stream")


def next_mail(using: Settings, ledger: Ledger, delivery: Mailing, now: datetime) -> datetime | None:
    """When the next files of a delivery are made; None while it is switched off."""
    if delivery.state != "on":
        return None
    made = ledger.deliveries.newest_of(delivery.id)
    last = None if made is None else _named(made)
    return next_due(delivery, last, now, using.site_zone, using.mail_grace_h)


def send_again(ledger: Ledger, name: str | None, now: int) -> int:
    """What was given up waits anew, and what had no address and has one now; gives how many."""
    return ledger.deliveries.again(name, now) + addressed(ledger, name, now)


def addressed(ledger: Ledger, name: str | None, now: int) -> int:
    """Bills that nobody could be sent, for which there is an address now, wait to be sent; gives how many."""
    directory = ledger.directory
    employees = {one.number: one.id for one in directory.employee_history()}
    departments = {one.path: one.id for one in directory.departments(ended=True)}
    found = 0
    for one in ledger.deliveries.mails(name=name, states=["nobody"], limit=100_000):
        kind, _, whom = one.whose.partition(":")
        number = (employees if kind == "employee" else departments).get(whom, 0)
        addresses = directory.mails(kind).get(number, ())
        if addresses:
            token = ledger.deliveries.by_id(one.delivery_id).token
            with ledger.transaction():
                ledger.deliveries.readdress(one, addresses, token, now)
            found += len(addresses)
    return found
