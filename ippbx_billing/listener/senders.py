"""Who may post and who may look: addresses and networks, and whose word about another's address is believed.

senders = Senders(allow=("192.168.0.0/16",), proxies=("192.168.1.5",))
senders.may_post("192.168.6.169")                        ->  True
senders.behind("192.168.1.5", b"x-forwarded-for: …\\r\\n")   ->  the address that this proxy forwards for
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from ippbx_billing.language import tr

PRIVATE = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1",
    "fc00::/7",
    "fe80::/10",
)
LOOPBACK = ("127.0.0.0/8", "::1")
MOST_REMEMBERED = 10_000

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Senders:
    """The lists in force. `also` tells further addresses (no networks), and may change while we run."""

    def __init__(
        self,
        allow: Iterable[str] = PRIVATE,
        proxies: Iterable[str] = (),
        pages_from: Iterable[str] = LOOPBACK,
        also: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._allow = networks(allow)
        self._proxies = networks(proxies)
        self._pages_from = networks(pages_from)
        self._also = also
        self._known: set[str] = set()  # addresses that may post; others are looked up each time

    def may_post(self, address: str) -> bool:
        """Whether records are taken from this address."""
        if address in self._known:
            return True
        allowed = within(address, self._allow) or address in self._also()
        if allowed and len(self._known) < MOST_REMEMBERED:
            self._known.add(address)
        return allowed

    def may_look(self, address: str, own_address: str) -> bool:
        """Whether the pages are shown to this address: one of those named, or this very machine."""
        return address == own_address or within(address, self._pages_from)

    def is_proxy(self, address: str) -> bool:
        """Whether this address was named as a proxy."""
        return bool(self._proxies) and within(address, self._proxies)

    def behind(self, proxy: str, headers: bytes) -> str:
        """The address that a proxy forwards for: the last named that is not a proxy itself, else the proxy's own."""
        for address in reversed(_forwarded_for(headers)):
            if not within(address, self._proxies):
                return address
        return proxy

    def forget(self) -> None:
        """Look everybody up again: an address may have been taken off the list."""
        self._known.clear()


class Complaints:
    """Tells the operator of refusals: the first of a kind at once, then once a minute how many more there were."""

    EVERY_S = 60
    MOST_KINDS = 200

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._more: Counter[tuple[str, str]] = Counter()
        self._told_at: dict[tuple[str, str], float] = {}

    def note(self, sentence: str, sender: str, now: float) -> None:
        """Counts a refusal, and tells of it unless it was told of lately."""
        kind = sender or tr("an unknown sender"), sentence
        if kind not in self._told_at and len(self._told_at) >= self.MOST_KINDS:
            kind = tr("further senders"), tr("they are counted at /healthz")
        if kind in self._told_at:
            self._more[kind] += 1
            return
        self._told_at[kind] = now
        self._report(tr("refused a request from {sender}: {reason}", sender=kind[0], reason=kind[1]))

    def tell(self, now: float, *, at_last: bool = False) -> None:
        """Tells what came together since; called now and then, and at the end."""
        for kind, told_at in list(self._told_at.items()):
            if now - told_at < self.EVERY_S and not at_last:
                continue
            if more := self._more.pop(kind, 0):
                self._told_at[kind] = now
                one = tr("refused 1 more request from {sender}: {reason}", sender=kind[0], reason=kind[1])
                many = tr("refused {count} more requests from {sender}: {reason}", count=more, sender=kind[0],
                          reason=kind[1])  # fmt: skip
                self._report(one if more == 1 else many)
            else:
                del self._told_at[kind]


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as they are written in the settings; raises ValueError for anything else."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def within(address: str, wanted: tuple[Network, ...]) -> bool:
    """Whether the address lies in one of the networks; what is not an address lies in none."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(known in network for network in wanted)


_FORWARDED_FOR = re.compile(rb"^x-forwarded-for:([^\r\n]*)\r$", re.IGNORECASE | re.MULTILINE)


def _forwarded_for(headers: bytes) -> list[str]:
    """The addresses of all `X-Forwarded-For` lines in their order; what is not an address ends the chain of belief."""
    named = b",".join(_FORWARDED_FOR.findall(headers)).decode("latin-1").split(",")
    believed: list[str] = []
    for text in named:
        try:
            believed.append(str(ipaddress.ip_address(text.strip())))
        except ValueError:
            believed.clear()  # only what stands nearer to us than the slip counts
    return believed
