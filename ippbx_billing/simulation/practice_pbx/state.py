"""The practice PBX without its web server: accounts, sessions, and settings that are staged before they count.

pbx = PracticePbx(Firmware())
session = pbx.sign_in("admin", "admin")
pbx.save(screen, [("cbid.openapi.main.state", "1"), …])     # staged
pbx.commit(); pbx.restart()                                 # in force
pbx.reports()["cdr"]                                        # where call records go, once applied
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ippbx_billing.simulation.practice_pbx.firmware import Firmware, PracticeFault
from ippbx_billing.simulation.practice_pbx.screens import Option, Screen, all_screens

Fields = Sequence[tuple[str, str]]
Values = dict[str, tuple[str, ...]]


@dataclass
class Session:
    """Somebody signed in: the token in the address, the cookie that must go with it, the token against forgery."""

    stok: str = field(default_factory=lambda: secrets.token_hex(16))
    cookie: str = field(default_factory=lambda: secrets.token_hex(16))
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    used_at: float = 0.0


@dataclass(frozen=True, slots=True)
class EventReport:
    """One kind of event as the applied settings have it: where to, and how written; an empty URL is nowhere."""

    url: str
    json: bool


class PracticePbx:
    """One device. `saved` are its settings after an apply, `running` what its services go by."""

    def __init__(self, firmware: Firmware | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.firmware = firmware or Firmware()
        self.faults = set(self.firmware.faults)
        self.silent = PracticeFault.SILENT_403 in self.faults  # how a session that ended is answered
        self.saved: Values = {screen.key(one): one.value for screen in self.screens() for one in self.options(screen)}
        self.running: Values = dict(self.saved)
        self.staged: Values = {}
        self.failures = 0
        self.gone = False
        self.on_restart: Callable[[], None] = lambda: None
        self._clock = clock
        self._locked_until = 0.0
        self._busy_until = float("-inf")
        self._sessions: dict[str, Session] = {}

    def screens(self) -> Iterator[Screen]:
        """The pages that this firmware has."""
        return (screen for screen in all_screens() if self.firmware.extra_fields or not screen.extra)

    def options(self, screen: Screen) -> list[Option]:
        """The options that this firmware has on the page, in its order."""
        found = [one for one in screen.options if self._has(one)]
        return _turned_round(found) if self.firmware.turned_round and screen.tabs else found

    @property
    def locked(self) -> bool:
        """Whether the account is locked after too many attempts."""
        return self._clock() < self._locked_until

    def sign_in(self, user: str, password: str) -> Session | None:
        """A new session, or None."""
        if self.locked:
            return None
        if (user, password) != (self.firmware.admin_user, self.firmware.admin_password):
            self.failures += 1
            if self.failures >= self.firmware.lock_after:
                self._locked_until = self._clock() + self.firmware.lock_s
                self.failures = 0
            return None
        self.failures = 0
        session = Session(used_at=self._clock())
        self._sessions[session.stok] = session
        return session

    def session(self, stok: str, cookie: str) -> Session | None:
        """The session of this address and cookie, if it is still alive."""
        session = self._sessions.get(stok) if self.firmware.stok else self._of_cookie(cookie)
        if session is None or not secrets.compare_digest(session.cookie.encode(), cookie.encode()):
            return None
        if self._clock() - session.used_at > self.firmware.session_s:
            self.end(session)
            return None
        session.used_at = self._clock()
        return session

    def end(self, session: Session) -> None:
        """Sign one person out."""
        self._sessions.pop(session.stok, None)

    def sessions(self) -> int:
        """How many people are signed in."""
        return len(self._sessions)

    def end_sessions(self) -> None:
        """Sign everybody out."""
        self._sessions.clear()

    def value(self, key: str) -> tuple[str, ...]:
        """What a page shows: the staged value, else the saved one."""
        return self.staged.get(key, self.saved[key])

    def save(self, screen: Screen, fields: Fields) -> list[Option]:
        """Stage what was posted, as LuCI does; gives the options whose values are not valid, and then stages nothing.

        A switch is on when it was posted, off when only its hidden twin was; other options that were not posted lose
        their value. A required option may be left out while it has no value, but not be posted empty.
        """
        posted = {key: tuple(value for name, value in fields if name == key) for key, _ in fields}
        wanted: Values = {}
        wrong: list[Option] = []
        for option in self.options(screen):
            key = screen.key(option)
            value = posted.get(f"cbid.{key}", ())
            if option.kind == "switch":
                if value or f"cbi.cbe.{key}" in posted:
                    wanted[key] = ("1",) if value == ("1",) else ()
            else:
                wanted[key] = tuple(part.replace("\r\n", "\n") for part in value if part)
                missing = option.required and not wanted[key] and (bool(value) or self.value(key) != ())
                if missing or not all(_valid(option, part) for part in wanted[key]):
                    wrong.append(option)
        if not wrong and PracticeFault.IGNORE_SAVE not in self.faults:
            self._stage(wanted)
            self._after_save()
        return wrong

    def commit(self) -> None:
        """Make the staged settings the saved ones."""
        self.saved.update(self.staged)
        self.staged.clear()
        if not self.firmware.restart_by_script:
            self.restart()

    def restart(self) -> None:
        """Let the services go by the saved settings."""
        self.running = dict(self.saved)
        if PracticeFault.SLOW_RESTART in self.faults:
            self._busy_until = self._clock() + self.firmware.slow_s
        self.on_restart()

    @property
    def restarting(self) -> bool:
        """Whether the services are not all up again."""
        return self._clock() < self._busy_until

    def discard(self) -> None:
        """Forget the staged settings."""
        self.staged.clear()

    def reports(self) -> dict[str, EventReport]:
        """Where the two kinds of events go by the settings in force."""
        return {"status": self._report("c1"), "cdr": self._report("c2")}

    def _has(self, option: Option) -> bool:
        return (self.firmware.extra_fields or not option.extra) and (not option.fault or option.fault in self.faults)

    def _of_cookie(self, cookie: str) -> Session | None:
        return next((one for one in self._sessions.values() if one.cookie == cookie), None)

    def _after_save(self) -> None:
        """What else happens at a save, by the faults."""
        if PracticeFault.STRANGER_SAVES in self.faults:
            self.faults.discard(PracticeFault.STRANGER_SAVES)
            self.staged["nms.main.state"] = ("1",)
        if PracticeFault.APPLY_ON_SAVE in self.faults:
            self.commit()
            self.restart()

    def _report(self, name: str) -> EventReport:
        on = all(self.running[f"evtpush.all.{name}{part}"] for part in ("", "u"))
        url = "".join(self.running[f"evtpush.all.{name}url"])
        return EventReport(url if on else "", bool(self.running[f"evtpush.all.{name}j"]))

    def _stage(self, wanted: Values) -> None:
        for key, value in wanted.items():
            if value == self.saved[key]:
                self.staged.pop(key, None)
            else:
                self.staged[key] = value


def _valid(option: Option, value: str) -> bool:
    if len(value) > option.longest and option.kind != "area":
        return False
    return option.kind != "url" or value.startswith(("http://", "https://"))


def _turned_round(options: list[Option]) -> list[Option]:
    """The same options with call records first; each heading keeps what belongs to it."""
    records = [one for one in options if one.name.startswith("c2")]
    return records + [one for one in options if one not in records]
