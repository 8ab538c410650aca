"""The process beside the listener that sends: messages, the heartbeat, and what is measured now and then.

It works like the pipeline's worker: a pipe from the listener keeps it alive, its end is the end, and a beat on stdout
each second says that it goes on.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ippbx_billing.alerts import AlertWatch, Measured, day_history
from ippbx_billing.alerts.findings import Severity
from ippbx_billing.alerts.history import SPEND_DAYS, History
from ippbx_billing.alerts.rules import GENERAL
from ippbx_billing.delivery.alerts import http, probes
from ippbx_billing.delivery.alerts.emergency import Unwritten
from ippbx_billing.delivery.alerts.sender import Sender, only_sender
from ippbx_billing.delivery.barring import watch_limits
from ippbx_billing.errors import BillingError, BusyError
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline.watching import hours_of
from ippbx_billing.settings import Settings, load
from ippbx_billing.sqlite.damage import is_trouble

ROUND_S = 1.0
QUICK_S = 0.05
PROBE_S = 60.0
MAIL_S = 60.0
SUM_UP_S = 600.0
PAUSE_S = 1.0
NICENESS = 10

log = logging.getLogger("ippbx_billing.delivery.alerts.running")


class Housekeeping:
    """What is done beside sending: probes, days summed up, the heartbeat, the ping."""

    def __init__(self, settings: Settings, ledger: Ledger, unwritten: Unwritten | None = None) -> None:
        self._settings, self._ledger = settings, ledger
        self._unwritten, self._writable = unwritten or Unwritten(settings), True
        self._links = probes.Links()
        self._next: dict[str, float] = {}

    def run(self, now: datetime, servers: "Sender") -> None:
        """Whatever is due at this moment; nothing while the ledger cannot be written, which the channels are told."""
        if self._is_due("write", now, PROBE_S):
            self._writable = self._unwritten.try_writing(self._ledger, now)
        if not self._writable:
            return
        if self._is_due("probe", now, PROBE_S):
            self.probe(now)
        if self._is_due("sum up", now, SUM_UP_S):
            self.sum_up(now)
        self.beat(now)
        http_server = servers.channels.server("http")
        if http_server.get("ping") and self._is_due("ping", now, int(http_server.get("ping_min", 5)) * 60):
            self._ping(http_server, now)

    def _is_due(self, what: str, now: datetime, every_s: float) -> bool:
        moment = now.timestamp()
        if moment < self._next.get(what, 0) and self._next[what] - moment <= every_s:
            return False
        self._next[what] = moment + every_s
        return True

    def probe(self, now: datetime) -> None:
        """Measure, and write where something is wrong, or no longer wrong."""
        config = self._ledger.incidents.config()
        found = [*probes.store(self._settings, config, self._ledger, now)]
        found += probes.links(self._settings, config, self._links)
        self.settle(found, now)
        watch_limits(self._ledger, self._settings, now)
        before = self._ledger.journey.state(probes.GROWTH)
        if before is None or int(now.timestamp()) - int(before.split()[0]) >= probes.DAY_S:
            with self._ledger.transaction():
                probes.remember_size(self._settings, self._ledger, now)

    def settle(self, found: list[Measured], now: datetime) -> None:
        """Incidents out of what was measured."""
        config, moment = self._ledger.incidents.config(), int(now.timestamp())
        watch = AlertWatch(config, History(), hours_of(self._ledger, self._settings, config))
        watch.measured(found, moment)
        findings, over = watch.found()
        if self._ledger.incidents.has_work(findings, over, moment):
            with self._ledger.transaction():
                self._ledger.incidents.settle(findings, over, moment)

    def sum_up(self, now: datetime) -> None:
        """The days that are over and not summed up yet; all in one transaction, since each makes others look anew."""
        today = now.astimezone(self._settings.site_zone).date()
        heard = self._ledger.heard
        days = heard.days_without_sum(today - timedelta(days=SPEND_DAYS), today - timedelta(days=1))
        if days:
            hours = hours_of(self._ledger, self._settings, self._ledger.incidents.config())
            told = {day: day_history(heard.past(day), hours) for day in days}
            with self._ledger.transaction():
                self._ledger.incidents.put_days(told)

    def beat(self, now: datetime) -> None:
        """Once a day, at its time, the message that all is well, or what is not."""
        clock = self._ledger.incidents.config().text(GENERAL, "heartbeat")
        local = now.astimezone(self._settings.site_zone)
        if not clock or f"{local:%H:%M}" < clock:
            return
        key = f"heartbeat/{local.date()}"
        if self._next.get(key) is None and not self._ledger.posts.by_key(key):
            facts = dict(probes.heartbeat(self._settings, self._ledger, now))
            with self._ledger.transaction():
                self._ledger.incidents.message(key, "heartbeat", Severity.INFO, int(now.timestamp()), facts=facts)
        self._next[key] = 1.0

    def _ping(self, server: "object", now: datetime) -> None:
        """Only while records are taken: a service that stands still is not well."""
        from collections.abc import Mapping

        assert isinstance(server, Mapping)
        config = self._ledger.incidents.config()
        if all(one.reason is None for one in probes.store(self._settings, config, self._ledger, now)):
            verdict = http.ping(str(server["ping"]), str(server.get("proxy", "")), str(server.get("ca_file", "")))
            if not verdict.taken:
                log.warning("the watchman's address cannot be reached: %s", verdict.error)


def main(data_dir: str, _dialect: str) -> None:
    """Until the pipe ends."""
    from ippbx_billing.service import logs

    for name in ("SIGINT", "SIGTERM"):  # sent to the whole group; the listener's pipe tells when to end
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    settings = load(Path(data_dir))
    logs.start(settings.log_format)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), name="end", daemon=True).start()
    # A mailing of hundreds takes many minutes, which no alert shall wait; what a killed one was at is known.
    threading.Thread(target=_mailing, args=(settings, ended), name="mailing", daemon=True).start()
    unwritten = Unwritten(settings)
    while not ended.is_set():
        _in_peace(lambda: _sending(settings, ended, unwritten))
        ended.wait(PAUSE_S)


def _sending(settings: Settings, ended: threading.Event, unwritten: Unwritten) -> None:
    """Rounds as long as the ledger can be used."""
    with (
        only_sender(settings.data_dir),
        _opened(settings, unwritten) as ledger,
        Sender(settings, ledger) as sender,
    ):
        sender.begin()
        housekeeping = Housekeeping(settings, ledger, unwritten)
        while not ended.is_set():
            _in_peace(lambda: housekeeping.run(datetime.now(UTC), sender))
            _beat()
            if not _in_peace(lambda: _rounds(sender, ended)):
                ended.wait(PAUSE_S)


def _opened(settings: Settings, unwritten: Unwritten) -> Ledger:
    """The ledger; where it cannot be opened nothing else can tell, so the channels are told at once."""
    try:
        return Ledger(settings.ledger_path)
    except BusyError:
        raise
    except BillingError as error:
        unwritten.tell(error.message, datetime.now(UTC))
        raise


def _mailing(settings: Settings, ended: threading.Event) -> None:
    """Bills and reports that are due, looked for each minute as long as the process lives."""
    while not ended.wait(MAIL_S):
        _in_peace(lambda: _mail_what_is_due(settings, ended))


def _mail_what_is_due(settings: Settings, ended: threading.Event) -> None:
    from ippbx_billing.delivery.mails.sending import Mailer, only_mailer

    with Ledger(settings.ledger_path) as ledger:
        if ledger.deliveries.has_work():
            with only_mailer(settings.data_dir):
                done = Mailer(settings, ledger, pause=ended.wait).run()
            for trouble in dict.fromkeys(done.troubles):
                log.warning("mail: %s", trouble)


def _rounds(sender: Sender, ended: threading.Event) -> None:
    """A second of them, close together while something is on its way."""
    until = time.monotonic() + ROUND_S
    while (left := until - time.monotonic()) > 0 and not ended.is_set():
        ended.wait(min(left, QUICK_S if sender.round(datetime.now(UTC)) else ROUND_S))


_said: set[str] = set()


def _in_peace(work: Callable[[], object]) -> bool:
    """Whether it went well. Troubles are said once: a wrong line in the file of channels must not end the sender."""
    try:
        work()
        return True
    except BusyError:
        return False
    except BillingError as error:
        problem = str(error)
    except Exception as error:
        if not is_trouble(error):
            raise
        problem = str(error)
    if problem not in _said:
        _said.add(problem)
        log.warning("messages cannot be sent now: %s", problem)
    return False


def _beat() -> None:
    with suppress(OSError):
        os.write(sys.stdout.fileno(), b"0\n")


def _wait_for_end(ended: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 65_536):
        time.sleep(0)
    ended.set()


if __name__ == "__main__":
    main(*sys.argv[1:])
