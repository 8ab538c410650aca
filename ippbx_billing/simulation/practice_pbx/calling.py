"""Calls of a practice site, told to the applied event URLs while they go on.

    Switchboard(pbx, Habits(calls_per_minute=12, duplicates=0.1), tell=print).run()

The switch has been at work for a while when it starts, so the first calls end at once and not minutes later. What is
delivered, where to and how it is written follows the settings in force at that moment; how patiently, the habits.
"""

import asyncio
import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

import httpx

from ippbx_billing.language import tr
from ippbx_billing.simulation.practice_pbx.state import EventReport, PracticePbx
from ippbx_billing.simulation.traffic import CONTENT_TYPES, Form, PlannedCall, SimulatedSite, cdr_body, status_bodies
from ippbx_billing.simulation.traffic.bodies import status_steps

REQUEST_TIMEOUT_S = 10.0
WARM_UP_S = 900  # calls in progress at the start began at most so long ago
WARM_UP_CALLS = 1_000  # and are no more than that, or a busy switch would never start
LOOK_S = 0.5
FINISH_S = 2.0


CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Habits:
    """How the site telephones, and how its PBX delivers events."""

    calls_per_minute: float = 6.0
    extensions: int = 40
    seed: int = 1
    area_code: str = "022"
    zone: tzinfo = CHINA
    new_connection_per_event: bool = False
    retries: int = 0
    retry_pause_s: float = 5.0
    duplicates: float = 0.0  # share of events that are delivered twice
    late_s: float = 0.0  # events come up to so much later than they happened, and so out of order


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """Something to tell about a call, at its moment; `step` counts its status reports, None is the record."""

    at: datetime
    serial: int  # keeps what falls on the same moment in order
    call: PlannedCall = field(compare=False)
    step: int | None = field(compare=False)

    @property
    def kind(self) -> Literal["cdr", "status"]:
        return "cdr" if self.step is None else "status"

    def body(self, form: Form) -> bytes:
        """What is posted."""
        return cdr_body(self.call, form) if self.step is None else status_bodies(self.call, form)[self.step]


class Switchboard:
    """Places calls and delivers what is due about them."""

    def __init__(self, pbx: PracticePbx, habits: Habits, tell: Callable[[str], None] = lambda line: None) -> None:
        self.delivered = 0
        self.failed = 0
        self._pbx = pbx
        self._habits = habits
        self._tell = tell
        self._random = random.Random(habits.seed)
        self._site = SimulatedSite(habits.seed, extensions=habits.extensions, area_code=habits.area_code)
        self._due: list[Due] = []
        self._serials = itertools.count()
        self._posting: set[asyncio.Task[None]] = set()
        self._said: dict[str, str] = {}

    async def run(self) -> None:
        """Telephone until cancelled; what is being delivered then gets a moment to finish."""
        if self._habits.calls_per_minute <= 0:
            return
        self._pbx.on_restart = self._tell_where
        headers = {"Connection": "close"} if self._habits.new_connection_per_event else {}
        client = httpx.AsyncClient(timeout=REQUEST_TIMEOUT_S, headers=headers, trust_env=False, verify=False)
        async with client:
            try:
                await self._telephone(client)
            finally:
                if self._posting:
                    _, late = await asyncio.wait(self._posting, timeout=FINISH_S)
                    for posting in late:
                        posting.cancel()

    async def _telephone(self, client: httpx.AsyncClient) -> None:
        """Place calls and deliver what is due, for ever."""
        start = self._now()
        next_call = start - timedelta(seconds=min(WARM_UP_S, WARM_UP_CALLS * 60 / self._habits.calls_per_minute))
        while True:
            now = self._now()
            while next_call <= now:
                self._place(next_call, start)
                next_call += self._pause()
            while self._due and self._due[0].at <= now:
                self._deliver(client, heapq.heappop(self._due))
            soonest = min([next_call, *(one.at for one in self._due[:1])])
            await asyncio.sleep(min(LOOK_S, max(0.0, (soonest - self._now()).total_seconds())))

    def _now(self) -> datetime:
        return datetime.now(self._habits.zone)

    def _pause(self) -> timedelta:
        """Until the next call; calls come at random, so many a minute in the mean."""
        return timedelta(seconds=self._random.expovariate(self._habits.calls_per_minute / 60))

    def _place(self, moment: datetime, start: datetime) -> None:
        """Put a call's reports on the list; what happened before the start is not told."""
        call = self._site.call_at(moment)
        for step, (_, at) in enumerate(status_steps(call)):
            self._put(at, call, step, start)
        self._put(call.ended_at, call, None, start)

    def _put(self, at: datetime, call: PlannedCall, step: int | None, start: datetime) -> None:
        if at < start:
            return
        late = timedelta(seconds=self._random.uniform(0, self._habits.late_s))
        for _ in range(2 if self._random.random() < self._habits.duplicates else 1):
            heapq.heappush(self._due, Due(at + late, next(self._serials), call, step))

    def _deliver(self, client: httpx.AsyncClient, due: Due) -> None:
        report = self._pbx.reports()[due.kind]
        if report.url:
            posting = asyncio.create_task(self._post(client, report, due))
            self._posting.add(posting)
            posting.add_done_callback(self._posting.discard)

    async def _post(self, client: httpx.AsyncClient, report: EventReport, due: Due) -> None:
        """Post, and again while it is not answered 200 and retries are left."""
        form: Form = "json" if report.json else "form"
        headers = {"Content-Type": CONTENT_TYPES[form]}
        for attempt in range(self._habits.retries + 1):
            if attempt:
                await asyncio.sleep(self._habits.retry_pause_s)
            try:
                answer = await client.post(report.url, content=due.body(form), headers=headers)
                outcome = str(answer.status_code)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                outcome = str(error) or type(error).__name__
            if outcome == "200":
                break
        self.delivered += outcome == "200"
        self.failed += outcome != "200"
        self._tell_outcome(report.url, outcome)

    def _tell_where(self) -> None:
        for kind, report in self._pbx.reports().items():
            written = "JSON" if report.json else tr("form")
            where = f"{report.url} ({written})" if report.url else tr("nowhere")
            self._tell(tr("applied: {kind} events go to {where}", kind=tr(kind), where=where))

    def _tell_outcome(self, url: str, outcome: str) -> None:
        """Say how delivery goes when that changes, not for each event."""
        if self._said.get(url) != outcome:
            answer = tr("events are taken") if outcome == "200" else tr("events fail: {outcome}", outcome=outcome)
            self._tell(f"{url}: {answer}")
        self._said[url] = outcome
