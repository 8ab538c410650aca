"""What a ledger promises to whoever fills it: the one interface that SQLite and PostgreSQL keep.

Everything below happens in one transaction of the caller, together with the position that was reached: all of a batch
is there, or nothing. A call's key is found again whoever delivers the record. The sums are those of the calls at the
end of each transaction.

`ledger.Ledger` keeps it in a site's file, `centre.ledger.CentreLedger` for one site among many in a PostgreSQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ippbx_billing.calls import Call
from ippbx_billing.ledger.calls import RatedCall
from ippbx_billing.ledger.records import Change, Reused


class KeptCalls(Protocol):
    """Calls with their charges; a row is asked for its columns by name."""

    def known(self, keys: Sequence[bytes]) -> Mapping[bytes, Any]:
        """The calls with these keys: `id`, `event_id`, `key`, `day`, `notes`, and the facts."""

    def known_by_id(self, number: int) -> Any:
        """The same of the call with this id."""

    def get(self, number: int) -> Any:
        """All that is kept of a call, with its charge; None where there is none."""

    def add(self, rated: Sequence[RatedCall]) -> Sequence[int]:
        """Keep new calls and count them in; gives their ids, rising."""

    def correct(self, number: int, rated: RatedCall) -> None:
        """Another version takes the place of a call: the one is counted out, the other in."""


class KeptRecords(Protocol):
    """Which record is which call, and what changed a call."""

    def reused(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of these ids that stand for several calls."""

    def near(self, key: bytes, started_at: int, within_s: int) -> list[int]:
        """The further calls with this id that started about then, oldest first."""

    def remember(self, reused: Iterable[Reused]) -> None:
        """Note further calls of ids that had one."""

    def move(self, call_id: int, started_at: int, day: str) -> None:
        """A correction moved the start of a call."""

    def mark_late(self, late: Iterable[tuple[int, int, bool]]) -> None:
        """These calls came so many seconds after they had ended, or from a file."""

    def change(self, changes: Iterable[Change]) -> None:
        """Note what changed calls that were kept already."""


class KeptRows(Protocol):
    """The rows of one call."""

    def link(self, links: Iterable[tuple[int, int]]) -> None:
        """These links lead to these calls."""

    def unlink(self, call: Call, call_id: int) -> None:
        """The call is gone, or its record names other ids now."""

    def related(self, links: Sequence[int], most: int) -> dict[int, list[int]]:
        """The calls of each link that leads to several, up to `most`."""

    def answered(self, answers: Iterable[tuple[int, int, int]]) -> None:
        """When the calls of these links were answered and when that was told."""

    def answers(self, links: Iterable[int]) -> dict[int, int]:
        """The moments at which the calls of these links were answered."""

    def of_links(self, links: Iterable[int]) -> list[int]:
        """The calls of these links."""

    def forget_answers(self, before: int) -> None:
        """Drop what was told before that moment."""

    def joined(self, ids: Iterable[int]) -> dict[int, tuple[int, dict[str, Any]]]:
        """Of those that were joined the row that is billed, and the record's own facts."""

    def rows_of(self, call_id: int) -> list[int]:
        """All rows of the conversation that a call is a row of."""

    def join(self, call_id: int, billed_id: int, own: Mapping[str, Any]) -> None:
        """The call is a row of what `billed_id` is billed for."""

    def part(self, call_id: int) -> None:
        """The call stands alone."""


class KeptState(Protocol):
    """What is remembered by name."""

    def state(self, name: str) -> str | None:
        """What was kept under this name, None where nothing was."""


class KeepsCalls(Protocol):
    """A ledger as the pipeline's writing sees it."""

    @property
    def calls(self) -> KeptCalls:
        """Calls and charges."""

    @property
    def records(self) -> KeptRecords:
        """Records and corrections."""

    @property
    def rows(self) -> KeptRows:
        """Rows of one call."""

    @property
    def journey(self) -> KeptState:
        """How far it is."""
