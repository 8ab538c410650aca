"""A batch on its way to the centre: events of one inbox between two positions, packed and signed.

    headers, body = packed(batch, key)
    batch = unpacked(headers, body, key)      # SignatureError where somebody else packed it

A batch tells of all positions from `after` (exclusive) to `last`: a position without an event is one that the inbox
does not hold. Format 2 frames the raw fields; format 1, which came before it, is a JSON document a line, with the
bytes in base64. The bytes of an event are the same in both.
"""

import base64
import gzip
import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from ippbx_billing.errors import BillingError, DataError
from ippbx_billing.language import tr

FORMAT = 2
KNOWN_FORMATS = (FORMAT, FORMAT - 1)
MOST_ROWS = 1_000
MOST_BYTES = 64 * 1024 * 1024  # unpacked
_NAMES = ("format", "site", "epoch", "after", "last", "rows", "sent")
_HEAD = struct.Struct(">qq")  # position, microseconds of UTC
_LENGTH = struct.Struct(">I")
_TEXTS = ("kind", "remote", "method", "path", "query")


class SignatureError(BillingError):
    """A batch that was not packed with this key."""


class FormatError(DataError):
    """A batch in a format that is not read here."""


class Shipped(NamedTuple):
    """One event as it stands in the inbox; `received_at` in microseconds of UTC, texts in Latin-1 as there."""

    position: int
    received_at: int
    kind: str
    remote: str
    method: str
    path: str
    query: str
    headers: bytes
    body: bytes

    def framed(self) -> bytes:
        """All but the position, as one run of bytes: what the centre keeps and takes the digest of."""
        return b"".join(_frame(self))[8:]


@dataclass(frozen=True, slots=True)
class Batch:
    """All events of an epoch with positions above `after`, up to `last`."""

    site: str
    epoch: str
    after: int
    last: int
    events: tuple[Shipped, ...] = ()


def packed(batch: Batch, key: bytes, sent: int, form: int = FORMAT) -> tuple[dict[str, str], bytes]:
    """The headers and the compressed body; `sent` is the edge's clock in seconds of UTC."""
    plain = b"".join(_lines(batch.events) if form == 1 else _frames(batch.events))
    body = gzip.compress(plain, 3, mtime=0)
    values = (form, batch.site, batch.epoch, batch.after, batch.last, len(batch.events), sent)
    headers = {f"ippbx-{name}": str(value) for name, value in zip(_NAMES, values, strict=True)}
    return {**headers, "ippbx-signature": _signature(headers, body, key)}, body


def is_signed(headers: Mapping[str, str], body: bytes, key: bytes) -> bool:
    """Whether headers and body were signed with this key."""
    return hmac.compare_digest(_signature(headers, body, key), headers.get("ippbx-signature", ""))


def unpacked(headers: Mapping[str, str], body: bytes, key: bytes) -> Batch:
    """The batch; raises SignatureError, FormatError, or DataError where it is not what its headers say."""
    if not is_signed(headers, body, key):
        raise SignatureError(tr("the batch is not signed with this site's key"), tr("see `ippbx-bill help centre`"))
    form = headers.get("ippbx-format", "")
    if form not in map(str, KNOWN_FORMATS):
        known = ", ".join(map(str, KNOWN_FORMATS))
        raise FormatError(
            tr("batches of format {form} are not read here, only {known}", form=form or "?", known=known),
            tr("update ippbx-bill at the site or at the centre"),
        )
    try:
        plain = _inflated(body)
        events = tuple(_of_lines(plain) if form == "1" else _of_frames(plain))
        after, last, rows = (int(headers[f"ippbx-{name}"]) for name in ("after", "last", "rows"))
        batch = Batch(headers["ippbx-site"], headers["ippbx-epoch"], after, last, events)
    except (KeyError, TypeError, ValueError, struct.error, zlib.error) as error:
        raise _damaged(str(error)) from error
    _check(batch, rows)
    return batch


def _check(batch: Batch, rows: int) -> None:
    positions = [batch.after, *(one.position for one in batch.events)]
    rising = all(one < other for one, other in pairwise(positions))
    if len(batch.events) != rows or not rising or positions[-1] > batch.last or batch.after < 0:
        raise _damaged(tr("its positions are not those that its headers name"))


def _damaged(why: str) -> DataError:
    return DataError(tr("the batch cannot be read: {why}", why=why), tr("send it again"))


def _inflated(body: bytes) -> bytes:
    """The plain bytes, never more than a batch may have."""
    machine = zlib.decompressobj(wbits=31)
    plain = machine.decompress(body, MOST_BYTES)
    if machine.unconsumed_tail or not machine.eof:
        raise ValueError(tr("it is cut off, or too large"))
    return plain


def _signature(headers: Mapping[str, str], body: bytes, key: bytes) -> str:
    told = "\n".join(f"{name}:{headers.get(f'ippbx-{name}', '')}" for name in _NAMES)
    return hmac.new(key, told.encode() + b"\n" + hashlib.sha256(body).digest(), hashlib.sha256).hexdigest()


# -- format 2


def _frames(events: Iterable[Shipped]) -> Iterator[bytes]:
    for one in events:
        yield from _frame(one)


def _frame(one: Shipped) -> Iterator[bytes]:
    yield _HEAD.pack(one.position, one.received_at)
    for name in _TEXTS:
        text = getattr(one, name).encode("latin-1")
        yield _LENGTH.pack(len(text)) + text
    for content in (one.headers, one.body):
        yield _LENGTH.pack(len(content)) + content


def _of_frames(plain: bytes) -> Iterator[Shipped]:
    place = 0
    while place < len(plain):
        one, place = _one_of(plain, place)
        yield one


def _one_of(plain: bytes, place: int) -> tuple[Shipped, int]:
    position, received_at = _HEAD.unpack_from(plain, place)
    place += _HEAD.size
    parts = []
    for _ in range(len(_TEXTS) + 2):
        (length,) = _LENGTH.unpack_from(plain, place)
        place += _LENGTH.size + length
        if place > len(plain):
            raise ValueError(tr("it is cut off, or too large"))
        parts.append(plain[place - length : place])
    texts = [one.decode("latin-1") for one in parts[:-2]]
    return Shipped(position, received_at, *texts, *parts[-2:]), place  # type: ignore[arg-type]


def of_framed(position: int, framed: bytes) -> Shipped:
    """The event that `Shipped.framed` gave these bytes of."""
    return _one_of(position.to_bytes(8, "big", signed=True) + framed, 0)[0]


# -- format 1


def _lines(events: Iterable[Shipped]) -> Iterator[bytes]:
    for one in events:
        values = {**one._asdict(), **{name: _base64(getattr(one, name)) for name in ("headers", "body")}}
        yield json.dumps(values, ensure_ascii=True).encode() + b"\n"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _of_lines(plain: bytes) -> Iterator[Shipped]:
    for line in plain.splitlines():
        values = json.loads(line)
        values["headers"], values["body"] = (base64.b64decode(values[name]) for name in ("headers", "body"))
        if set(values) != set(Shipped._fields):
            raise ValueError(tr("a line has other fields"))
        yield Shipped(**values)
