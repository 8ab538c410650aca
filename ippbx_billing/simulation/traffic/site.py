"""Who calls whom, when, for how long and with what luck: a site's traffic made up from a seed.

    site = SimulatedSite(seed=1, extensions=40)
    site.calls(600, date(2026, 10, 1), date(2026, 10, 31))   # a month's calls in order of their start
    site.call_at(moment)                                      # or the next one, now

The one idea: the same seed is the same traffic, so that a demonstration can be repeated, a test can know what
must come out, and a second run is a second delivery of the same records. Habits and templates of numbers lie
in `cn.toml`; what a number looks like in an area follows from the numbering tables.
"""

import tomllib
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate
from math import log
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from ippbx_billing.calls import Direction, Disposition
from ippbx_billing.numbering import area
from ippbx_billing.numbering.mobile_places import packaged_places
from ippbx_billing.tariffs import HolidayCalendar

CHINA = ZoneInfo("Asia/Shanghai")
PROFILES = ("office", "hotel", "school")
LONGEST_TALK_S = 2 * 3600
MAX_EXTENSIONS = 5_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an extension."""

    extension: str
    name: str
    department: str


@dataclass(frozen=True, slots=True)
class SimulatedTrunk:
    """A trunk of the site: the operator behind it and the kinds of numbers it is used for."""

    name: str
    operator: str
    carries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One call as it will happen; its names and facts are those that `calls.Call` must end with.

    `number` is the other side as the PBX writes it: dialled with the outside-line prefix, or shown.
    """

    pbx: str
    serial: int
    call_id: str
    started_at: datetime
    ring_s: int
    billed_s: int
    disposition: Disposition
    direction: Direction
    extension: str
    number: str
    trunk: str | None

    @property
    def record_id(self) -> str:
        return f"{self.call_id[:8]}-{self.serial}"

    @property
    def duration_s(self) -> int:
        return self.ring_s + self.billed_s

    @property
    def answered_at(self) -> datetime | None:
        return self.started_at + timedelta(seconds=self.ring_s) if self.disposition is Disposition.ANSWERED else None

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.duration_s)

    @property
    def caller(self) -> str:
        return self.number if self.direction is Direction.INBOUND else self.extension

    @property
    def callee(self) -> str:
        return self.extension if self.direction is Direction.INBOUND else self.number


def office(
    seed: int,
    *,
    calls: int,
    first: date,
    last: date,
    extensions: int = 40,
    profile: str = "office",
    area_code: str = "022",
    outside_prefix: str = "9",
    zone: tzinfo = CHINA,
) -> Iterator[PlannedCall]:
    """So many calls of the days from `first` to `last`, both included, in order of their start."""
    site = SimulatedSite(
        seed, extensions=extensions, profile=profile, area_code=area_code, outside_prefix=outside_prefix
    )
    return site.calls(calls, first, last, zone)


class SimulatedSite:
    """The people and lines of a site; `call_at` places its next call, which is how a practice PBX uses it."""

    def __init__(
        self,
        seed: int,
        *,
        extensions: int = 40,
        profile: str = "office",
        area_code: str = "022",
        outside_prefix: str = "9",
    ) -> None:
        self._random = Random(f"{seed}/{profile}/{extensions}/{area_code}")
        self._habits: dict[str, Any] = habits()["profiles"][profile]
        self._outside_prefix = outside_prefix
        self._serial = 0
        self.pbx = f"uc-practice-{self._random.getrandbits(32):08x}"
        self.lines = tuple(
            SimulatedTrunk(row["name"], row["operator"], tuple(row["carries"])) for row in habits()["trunks"]
        )
        self.people = tuple(_people(self._random, extensions, dict(self._habits["departments"])))
        self._liveliness = list(accumulate(_liveliness(self._random) for _ in self.people))
        self._busy_until: dict[str, datetime] = {}
        self._numbers = _AddressBook(self._random, area_code, size=20 + 3 * extensions)
        self._mix = [
            (Direction(way), kind, share)
            for way in ("outbound", "inbound", "internal")
            for kind, share in self._habits[way].items()
        ]

    def calls(self, count: int, first: date, last: date, zone: tzinfo = CHINA) -> Iterator[PlannedCall]:
        """So many calls spread over these days as the site's people telephone."""
        for moment in self._moments(count, first, last, zone):
            yield self.call_at(moment)

    def call_at(self, moment: datetime) -> PlannedCall:
        """The next call, beginning at this moment of the site's clock."""
        self._serial += 1
        direction, kind = self._way_and_kind()
        who = self._somebody(moment)
        disposition = self._luck(moment)
        ring_s, billed_s = self._lengths(kind, disposition)
        call = PlannedCall(
            pbx=self.pbx,
            serial=self._serial,
            call_id=f"{self._random.getrandbits(128):032x}",
            started_at=moment,
            ring_s=ring_s,
            billed_s=billed_s,
            disposition=disposition,
            direction=direction,
            extension=self.people[who].extension,
            number=self._other_side(direction, kind, who, moment),
            trunk=self._line(kind),
        )
        self._busy_until[call.extension] = call.ended_at
        return call

    def _moments(self, count: int, first: date, last: date, zone: tzinfo) -> list[datetime]:
        """Starts in order: lively hours of lively days draw more of them."""
        calendar, days = HolidayCalendar("CN"), self._habits["days"]
        hours = [
            (datetime.combine(first + timedelta(days=day), time(hour), zone), share * days[kind])
            for day in range((last - first).days + 1)
            for kind in [calendar.day_kind(first + timedelta(days=day))]
            for hour, share in enumerate(self._habits["hours"])
        ]
        chosen = self._random.choices([hour for hour, _ in hours], [share for _, share in hours], k=count)
        return sorted(hour + timedelta(seconds=self._random.randrange(3600)) for hour in chosen)

    def _way_and_kind(self) -> tuple[Direction, str]:
        (chosen,) = self._random.choices(self._mix, [share for *_, share in self._mix])
        return chosen[0], chosen[1]

    def _somebody(self, moment: datetime) -> int:
        """The index of somebody who is not on the phone; where nearly all are, of anybody."""
        for _ in range(20):
            who = bisect(self._liveliness, self._random.random() * self._liveliness[-1], hi=len(self.people) - 1)
            if self._busy_until.get(self.people[who].extension, moment) <= moment:
                break
        return who

    def _luck(self, moment: datetime) -> Disposition:
        """Answered, or why not: calls are answered when people are at their desks."""
        hours = self._habits["hours"]
        if self._random.random() < 0.45 + 0.37 * hours[moment.hour] / max(hours):
            return Disposition.ANSWERED
        causes: Mapping[str, int] = habits()["unanswered"]
        return Disposition(self._random.choices(list(causes), list(causes.values()))[0])

    def _lengths(self, kind: str, disposition: Disposition) -> tuple[int, int]:
        """Seconds of ringing and of talk."""
        if disposition is Disposition.ANSWERED:
            talk_s = int(self._random.lognormvariate(log(habits()["talk_s"][kind]), 1.05))
            return self._random.randint(2, 18), min(max(talk_s, 1), LONGEST_TALK_S)
        ring_s = {Disposition.NO_ANSWER: (15, 60), Disposition.BUSY: (1, 4), Disposition.FAILED: (0, 3)}[disposition]
        return self._random.randint(*ring_s), 0

    def _other_side(self, direction: Direction, kind: str, who: int, moment: datetime) -> str:
        if direction is Direction.INTERNAL:
            colleague = self._somebody(moment)
            return self.people[colleague if colleague != who else who - 1].extension
        number = self._numbers.pick(kind, who)
        return self._outside_prefix + number if direction is Direction.OUTBOUND else number

    def _line(self, kind: str) -> str | None:
        lines = [line.name for line in self.lines if kind in line.carries]
        return self._random.choice(lines) if lines else None


class _AddressBook:
    """The numbers a site deals with; each person has favourites, and people share many of them."""

    def __init__(self, random: Random, area_code: str, size: int) -> None:
        self._random = random
        known = habits()
        blocks = known["mobile_blocks"]
        local_blocks = _local_mobile_blocks(random, area_code) or blocks
        self._numbers = {
            "local_fixed": [_fixed(random, area_code)[len(area_code) :] for _ in range(size)],
            "local_mobile": [_mobile(random, local_blocks) for _ in range(size)],
            "domestic_fixed": [_fixed(random, random.choice(_other_areas(area_code))) for _ in range(size)],
            "domestic_mobile": [_mobile(random, blocks) for _ in range(size)],
            "hk_mo_tw": [_filled(random, one) for one in known["hk_mo_tw"] for _ in range(2)],
            "international": [_filled(random, one) for one in known["international"]],
            "service": [_filled(random, one) for one in known["service"]],
        }

    def pick(self, kind: str, who: int) -> str:
        """A number of this kind: the person's favourites first, rarer and rarer beyond."""
        numbers = self._numbers[kind]
        beyond = int(self._random.expovariate(1 / (1 + len(numbers) / 20)))
        return numbers[(who * 3 + beyond) % len(numbers)]


@lru_cache(maxsize=1)
def habits() -> dict[str, Any]:
    """The data file: names, numbers, profiles."""
    return tomllib.loads(files(__package__).joinpath("cn.toml").read_text(encoding="utf-8"))


def _people(random: Random, count: int, departments: Mapping[str, int]) -> Iterator[Person]:
    """The extensions in blocks, a department each, with a name for everybody."""
    first = 8001 if count < 1000 else 1001
    borders = list(accumulate(departments.values()))
    for place in range(count):
        department = list(departments)[bisect(borders, place * borders[-1] / count)]
        name = random.choice(habits()["surnames"]) + random.choice(habits()["given_names"])
        yield Person(str(first + place), name, department)


def _liveliness(random: Random) -> float:
    """How much somebody telephones: one extension in twelve lies idle, a few talk all day."""
    return 0.0 if random.random() < 1 / 12 else random.lognormvariate(0, 0.8)


def _filled(random: Random, template: str) -> str:
    return "".join(str(random.randrange(10)) if digit == "X" else digit for digit in template)


def _mobile(random: Random, blocks: Sequence[str]) -> str:
    return _filled(random, random.choice(blocks).ljust(11, "X"))


def _fixed(random: Random, area_code: str) -> str:
    """A fixed number of an area, area code included, with as many digits as that area's numbers have."""
    found = area(area_code)
    digits = max(found.subscriber_digits) if found and found.subscriber_digits else 8
    first = str(random.choice(habits()["subscriber_first"]))
    return area_code + first + _filled(random, "X" * (digits - 1))


def _other_areas(home: str) -> list[str]:
    return [code for code in habits()["domestic_areas"] if code != home]


def _local_mobile_blocks(random: Random, area_code: str, wanted: int = 24, tries: int = 20_000) -> list[str]:
    """Seven-digit mobile blocks that belong to the home area, found by looking; small areas yield fewer."""
    places, found = packaged_places(), []
    for _ in range(tries):
        block = random.choice(habits()["mobile_blocks"]) + _filled(random, "XXXX")
        place = places.find(block + "0000")
        if place is not None and place.area_code == area_code:
            found.append(block)
            if len(found) == wanted:
                break
    return found
