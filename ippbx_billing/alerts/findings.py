"""What a rule says: something is wrong with an object since a moment, or it is over."""

from dataclasses import dataclass
from enum import StrEnum

from ippbx_billing.calls import Reason


class Severity(StrEnum):
    """How loud an incident is; only `critical` may wake somebody."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return ("info", "warning", "critical").index(self.value)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A rule found something: `object` is what it is about, times are whole seconds of UTC.

    It opens an incident, or extends the open one of the same rule and object. That closes at `closes_at` where nothing
    extends it until then; None where only an `Over` closes it.
    """

    rule: str
    object: str
    severity: Severity
    reason: Reason
    at: int
    closes_at: int | None
    count: int = 1
    once: bool = False  # its object names a day: what has been told of it is not told again


@dataclass(frozen=True, slots=True)
class Over:
    """What a rule found is over; nothing happens where no incident of it is open."""

    rule: str
    object: str
    at: int
