"""What the doors put up with: every bound by name, each a setting of the same name.

Limits(max_body_bytes=1_000_000)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds; 0 takes a limit per address, or that of the disk, away."""

    max_body_bytes: int = 16 * 1024 * 1024
    max_header_bytes: int = 64 * 1024  # request line included
    max_connections: int = 10_000
    max_connections_per_address: int = 1_000
    max_requests_per_s: int = 10_000  # of one address, which may save up as many for a burst
    max_waiting_events: int = 10_000  # received and not yet committed
    max_held_bytes: int = 256 * 1024 * 1024  # of bodies being received or committed, all senders together
    min_free_bytes: int = 64 * 1024 * 1024  # below, the disk is left to the ledger and to those who repair it
    request_timeout_s: int = 60  # from a connection's first moment, or a request's first byte, to its last
    idle_timeout_s: int = 75  # between two requests
    shutdown_timeout_s: int = 10

    @property
    def max_drained_bytes(self) -> int:
        """How much of a refused body is read, and thrown away, so that its sender hears the answer."""
        return 4 * self.max_body_bytes


class Rates:
    """A bucket of requests for each address, refilled as time goes by: bursts pass, floods do not."""

    MOST_BUCKETS = 10_000

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._buckets: dict[str, tuple[float, float]] = {}  # what is left, and when that was so

    def admits(self, address: str, now: float) -> bool:
        """Takes one request out of the address's bucket; False when it is empty. `now` in seconds."""
        left, at = self._buckets.get(address, (float(self._per_s), now))
        left = min(left + (now - at) * self._per_s, self._per_s)
        self._buckets[address] = max(left - 1, 0.0), now
        return left >= 1

    def forget_full(self, now: float) -> None:
        """Lets go of the buckets that are full again, once there are many."""
        if len(self._buckets) > self.MOST_BUCKETS:
            kept = {name: (left, at) for name, (left, at) in self._buckets.items() if now - at < 1}
            self._buckets = kept
