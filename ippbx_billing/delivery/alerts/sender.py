"""From the outbox to the channels: each message once, at the channel's pace, again and again until it is taken.

    with only_sender(data_dir):
        sender = Sender(settings, ledger)
        sender.begin()
        while True:
            sender.round(now)

The one idea: what is being sent is committed before the first byte leaves, and the answer after the last. What was
between the two when a process was killed is sent once more, with the same id, and says that it may be a repetition.
Several channels are spoken to at once, so that one which stalls delays no other.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from ippbx_billing.alerts import Config, Occurrence, Over, Severity
from ippbx_billing.alerts.hours import spans
from ippbx_billing.alerts.rules import GENERAL
from ippbx_billing.calls import Reason
from ippbx_billing.delivery.alerts import http, mail
from ippbx_billing.delivery.alerts.channels import OTHERS, Channel, Channels, load
from ippbx_billing.delivery.alerts.http import Verdict
from ippbx_billing.delivery.alerts.texts import Speaker, Text, html_of, text_of
from ippbx_billing.errors import BillingError, BusyError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.posts import Message, QueuedMessage
from ippbx_billing.settings import Settings
from ippbx_billing.sqlite.locks import lock

LOCK = "sender.lock"
BACK_OFF_S = (60, 120, 300, 900, 3_600)
DEAD_AFTER_S = 86_400
MINUTE_S = 60
NOBODY_S = 5  # a sender takes a new message within a second
STATES_EVERY_S = 60  # how often Alertmanager hears of what goes on
KEPT_S = 180 * 86_400


@contextmanager
def only_sender(data_dir: Path) -> Iterator[None]:
    """One sender at a time on a data directory; BusyError where another is at it. The lock ends with the process."""
    path = data_dir / LOCK
    with open(path, "a+", encoding="utf-8", opener=_private) as file:
        try:
            lock(file)
        except BlockingIOError:
            raise BusyError(
                tr("another process sends already, most likely that of the running service"),
                tr("no action is needed; see `ippbx-bill alerts sent`"),
            ) from None
        yield


def is_sending(data_dir: Path) -> bool:
    """Whether somebody holds the sender's lock at this moment."""
    try:
        with only_sender(data_dir):
            return False
    except BusyError:
        return True


def wait_for(data_dir: Path, ledger: Ledger, key: str, wait_s: int) -> list[QueuedMessage]:
    """The posts of a message once each was tried, or as they are after so long; BillingError where nobody sends."""
    until, soon = time.monotonic() + wait_s, time.monotonic() + NOBODY_S
    while True:
        posts = ledger.posts.by_key(key)
        tried = posts and all(one.state in ("sent", "dead") or one.error for one in posts)
        if tried or time.monotonic() > until:
            return posts
        if not posts and time.monotonic() > soon and not is_sending(data_dir):
            raise BillingError(
                tr("the message waits, but nobody sends: the service does not run"),
                tr("start `ippbx-bill listen`, or send what waits with `ippbx-bill alerts send`"),
            )
        time.sleep(0.2)


def _private(name: str, flags: int) -> int:
    import os

    return os.open(name, flags, 0o600)


class Sender:
    """The outbox of one site on its way out; use it in one thread, under `only_sender`."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        sending: "Callable[[Channel, Channels, Text, float], Verdict] | None" = None,
    ) -> None:
        self._settings, self._ledger = settings, ledger
        self._transmit = sending or transmit
        self._pool = ThreadPoolExecutor(8, "sender")
        self._flying: dict[str, tuple[QueuedMessage, Future[Verdict]]] = {}
        self._tried: dict[str, list[float]] = {}
        self._told_states_at = 0.0
        self._states: list[Future[Verdict]] = []
        self.channels = Channels()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is on its way, so that nothing is left in doubt."""
        self._pool.shutdown(wait=True)
        if kind is None:
            self._land(time.time())

    def begin(self) -> None:
        """What an earlier sender left behind waits again."""
        with self._ledger.transaction():
            self._ledger.posts.interrupted()

    def round(self, now: datetime) -> int:
        """Address what is new, note what has landed, start what is due; gives how many posts are on their way."""
        self.channels = load(self._settings.data_dir)
        moment = now.timestamp()
        self._address(now)
        self._land(moment)
        for channel in self.channels.channels.values():
            if channel.name not in self._flying:
                self._start(channel, now)
        self._tell_states(moment)
        return len(self._flying)

    def drain(self, clock: Callable[[], datetime], longest_s: float = 600) -> None:
        """Rounds until nothing is due that could be sent now."""
        until = time.monotonic() + longest_s
        while self.round(clock()) and time.monotonic() < until:
            time.sleep(0.05)

    # -- which channels a message goes to

    def _address(self, now: datetime) -> None:
        messages = self._ledger.posts.new_messages() if self.channels.channels else []
        if messages:
            config = self._ledger.incidents.config()
            with self._ledger.transaction():
                for one in messages:
                    late = now.timestamp() - one.created_at > DEAD_AFTER_S  # nobody heard it while there was no channel
                    self._ledger.posts.address(one, [] if late else self._posts_for(one, config, now))

    def _posts_for(self, message: Message, config: Config, now: datetime) -> list[tuple[str, int, bool]]:
        return [
            (
                one.name,
                self._due_at(message, one, config, now),
                one.escalation and message.severity is Severity.CRITICAL,
            )
            for one in self.channels.channels.values()
            if hears(one, message)
        ]

    def _due_at(self, message: Message, channel: Channel, config: Config, now: datetime) -> int:
        """At once; in quiet hours only what is critical, and an escalation when nobody has acknowledged it."""
        moment = now.astimezone(self._settings.site_zone)
        if message.severity is Severity.INFO and message.kind not in ("test", "heartbeat"):
            moment = next_time(moment, config.text(GENERAL, "heartbeat") or "08:30")
        elif message.severity is not Severity.CRITICAL and message.kind != "test":
            moment = after_quiet(moment, config.text(GENERAL, "quiet"))
        if channel.escalation and message.kind != "test":
            moment += timedelta(minutes=config.number(GENERAL, "escalate_min"))
        return int(moment.timestamp())

    # -- sending

    def _start(self, channel: Channel, now: datetime) -> None:
        moment = now.timestamp()
        due = self._wanted(self._ledger.posts.due(channel.name, int(moment)))
        if not due or not self._may(channel, moment):
            return
        most = self._ledger.incidents.config().number(GENERAL, "digest_over")
        if len(due) > most and most > 1 and due[0].message.kind != "digest":
            due = self._merged(channel, due, most, int(moment))
        post = due[0]
        with self._ledger.transaction():
            self._ledger.posts.begin(post, int(moment))
        self._tried[channel.name].append(moment)
        text = text_of(post, self._speaker(channel))
        self._flying[channel.name] = post, self._pool.submit(self._transmit, channel, self.channels, text, moment)

    def _wanted(self, due: list[QueuedMessage]) -> list[QueuedMessage]:
        """Without the escalations of what somebody has acknowledged, or what is over."""
        needless = [one for one in due if one.escalation and not _is_open(one.message)]
        if needless:
            with self._ledger.transaction():
                self._ledger.posts.cancel(needless)
        return [one for one in due if one not in needless]

    def _merged(self, channel: Channel, due: Sequence[QueuedMessage], most: int, now: int) -> list[QueuedMessage]:
        """The first few stay by themselves, all others become one digest."""
        rest = [one for one in due[most - 1 :] if one.message.kind != "digest" and not one.repeat]
        if len(rest) > 1:
            with self._ledger.transaction():
                self._ledger.posts.merge(rest, now)
        return self._ledger.posts.due(channel.name, now)

    def _may(self, channel: Channel, now: float) -> bool:
        """Whether the channel's pace allows one more; attempts of an earlier process count as well."""
        if channel.name not in self._tried:
            self._tried[channel.name] = [
                float(at) for at in self._ledger.posts.tried_since(channel.name, int(now) - MINUTE_S)
            ]
        tried = self._tried[channel.name] = [at for at in self._tried[channel.name] if at > now - MINUTE_S]
        return len(tried) < channel.rate

    def _speaker(self, channel: Channel) -> Speaker:
        return speaker_for(self._settings, channel)

    def _land(self, now: float) -> None:
        """Note what became of those that have come back."""
        for name, (post, future) in list(self._flying.items()):
            if future.done():
                del self._flying[name]
                error = future.exception()
                verdict = Verdict(False, f"{type(error).__name__}: {error}") if error else future.result()
                self._note(post, verdict, int(now))

    def _note(self, post: QueuedMessage, verdict: Verdict, now: int) -> None:
        with self._ledger.transaction():
            if verdict.taken:
                self._ledger.posts.sent(post, now)
                self._settle(post, verdict.error, now)
                return
            too_old = now - post.message.created_at >= DEAD_AFTER_S
            wait_s = max(verdict.again_s or 0, BACK_OFF_S[min(post.attempts, len(BACK_OFF_S) - 1)])
            dead = verdict.final or too_old
            self._ledger.posts.failed(post, verdict.error, None if dead else now + wait_s)
            if verdict.again_s:  # the service takes nothing until then
                waiting = self._ledger.posts.due(post.channel, now)
                self._ledger.posts.postpone(waiting, now + verdict.again_s)
            if dead:
                self._settle(post, verdict.error, now)

    def _settle(self, post: QueuedMessage, error: str, now: int) -> None:
        """A channel that does not take messages is an incident, told on the others; one that does again ends it."""
        if post.message.incident and post.message.incident.rule == "delivery":
            return
        config = self._ledger.incidents.config()
        if error and config.is_on("delivery"):
            reason = Reason("alert-undelivered", {"channel": post.channel, "error": error})
            finding = Occurrence("delivery", post.channel, Severity.WARNING, reason, now, now + DEAD_AFTER_S)
            self._ledger.incidents.settle([finding], [], now)
        elif not error:
            self._ledger.incidents.settle([], [Over("delivery", post.channel, now)], now)

    # -- what Alertmanager wants to hear again and again

    def states_flying(self) -> bool:
        """Whether Alertmanager is being told of what goes on."""
        return any(not one.done() for one in self._states)

    def _tell_states(self, now: float) -> None:
        managers = [one for one in self.channels.channels.values() if one.kind == "alertmanager"]
        if not managers or now - self._told_states_at < STATES_EVERY_S:
            return
        self._told_states_at = now
        self._states = [one for one in self._states if not one.done()]
        going_on = [one for one in self._ledger.posts.of_open_incidents() if one.kind == "open"]
        for channel in managers:
            texts = [
                text_of(QueuedMessage(0, channel.name, "", 0, 0, one), self._speaker(channel))
                for one in going_on
                if hears(channel, one)
            ]
            if texts and not self._states:
                request = http.alertmanager_request(texts, channel, now)
                server = self.channels.server("http")
                self._states.append(
                    self._pool.submit(
                        http.post, request, channel.kind, str(server.get("proxy", "")), str(server.get("ca_file", ""))
                    )
                )


def hears(channel: Channel, message: Message) -> bool:
    """Whether a channel is to be told of it."""
    if message.kind == "heartbeat":
        return channel.heartbeat
    if message.kind == "test":
        return message.facts.get("channel") in (channel.name, None)
    one = message.incident
    if one is None:
        return message.severity.rank >= channel.least.rank
    if one.rule == "delivery" and one.object == channel.name:
        return False
    if channel.names("rules") and one.rule not in channel.names("rules"):
        return False
    if channel.escalation and message.severity is not Severity.CRITICAL:
        return False
    if message.kind == "close" and one.severity is Severity.INFO:
        return False
    return message.severity.rank >= channel.least.rank


def _is_open(message: Message) -> bool:
    one = message.incident
    return one is not None and one.closed_at is None and one.acked_at is None


def next_time(moment: datetime, clock: str) -> datetime:
    """The next moment at which the clock on the wall shows this."""
    hour, minute = map(int, clock.split(":"))
    found = moment.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return found if found > moment else found + timedelta(days=1)


def after_quiet(moment: datetime, quiet: str) -> datetime:
    """The moment itself, or the end of the quiet hours it lies in."""
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    inside = [last for first, last in spans(quiet) if first <= seconds < last]
    if not inside:
        return moment
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        after_quiet(midnight + timedelta(seconds=inside[0]), quiet)
        if inside[0] < 86_400
        else after_quiet(midnight + timedelta(days=1), quiet)
    )


def speaker_for(settings: Settings, channel: Channel) -> Speaker:
    """In whose language a channel is spoken to, and whether numbers are masked on it."""
    lang = channel.text("lang") or settings.lang or "zh"
    return Speaker(settings.site_name, settings.site_zone, lang, channel.masked)


def transmit(channel: Channel, channels: Channels, text: Text, now: float) -> Verdict:
    """One text to one channel, over the network."""
    server = channels.server("http")
    if channel.kind == "mail":
        return send_mail(channel, channels, text)
    if channel.kind == OTHERS:
        from ippbx_billing.delivery.alerts import other

        return other.send(text, channel.text("url"))
    proxy, ca_file = str(server.get("proxy", "")), str(server.get("ca_file", ""))
    return http.post(http.request_for(text, channel, now), channel.kind, proxy, ca_file)


def send_mail(channel: Channel, channels: Channels, text: Text) -> Verdict:
    """One text by mail."""
    try:
        with mail.MailServer(channels.server("mail")) as server:
            number = text.id.replace("/", ".")
            letter = mail.compose(text.title, text.body, html_of(text), channel.names("to"), server.sender, number)
            return server.send(letter)
    except BillingError as error:
        return Verdict(False, error.message)
