"""Bodies that tests post: the documented push of a Dinstar gateway, one record a call."""

import asyncio
import json
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ippbx_billing.inbox import Delivery, Inbox, InboxWriter
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load


def gateway_cdr(
    caller: str,
    callee: str,
    talk_s: int,
    *,
    start: str = "2026-10-13 10:00:00",
    ring_s: int = 5,
    direction: str = "ip->gsm",
    port: int = 1,
    sn: str = "db01-0000-0001",
) -> bytes:
    """One answered call; the gateway's `duration` is talk time, its times are its own wall clock."""
    answer = datetime.fromisoformat(start) + timedelta(seconds=ring_s)
    return json.dumps(
        {"sn": sn, "cdr": [_record(caller, callee, talk_s, start, str(answer), direction, port)]}
    ).encode()


def _record(
    caller: str, callee: str, talk_s: int, start: str, answer: str, direction: str, port: int
) -> dict[str, Any]:
    return {
        "port": port,
        "start_date": start,
        "answer_date": answer,
        "duration": talk_s,
        "source_number": caller,
        "destination_number": callee,
        "direction": direction,
        "ip": "172.16.100.136",
        "codec": "G.711U",
        "hangup": "called",
        "gsm_code": 16,
        "bcch": "",
    }


RUBBISH = {
    "empty": b"",
    "truncated JSON": b'{"sn":"x","cdr":[{"port":2,"start_date":"2015-07-21 16:35:20","source_number":"10',
    "10 MB": b"x" * 10_000_000,
    "binary": bytes(range(256)) * 10,
    "a JSON list of numbers": b"[1, 2, 3]",
    "deeply nested": b"[" * 50_000 + b"]" * 50_000,
    "duplicate keys": b'{"caller":"1","caller":"2","caller":"3"}',
    "a lone surrogate": b'{"sn":"\\ud800","cdr":[{"source_number":"\\udfff"}]}',
    "a date of year 9999": gateway_cdr("8001", "58674577", 5, start="9999-12-31 23:59:50"),
    "negative duration": gateway_cdr("8001", "58674577", -5),
    "an unclosed XML": b"<Cdr id='1'><callid>5",
    "an entity bomb": b'<!DOCTYPE a [<!ENTITY b "ccc"><!ENTITY d "&b;&b;&b;">]><Cdr id="1"><CPN>&d;</CPN></Cdr>',
    "only a BOM": b"\xef\xbb\xbf",
    "a null": b"null",
    "a huge number": b'{"cdr":[{"duration":' + b"9" * 5_000 + b"}]}",
}


def fill(
    inbox_path: Path,
    bodies: Iterable[bytes],
    kind: str = "cdr",
    remote: str = "192.168.6.169",
    path: str = "/",
    query: str = "",
) -> None:
    """Put bodies into an inbox through its writer, as the listener does."""

    async def keep_all() -> None:
        with InboxWriter(inbox_path) as writer:
            for body in bodies:
                now = int(time.time() * 1_000_000)
                await writer.keep(
                    Delivery(now, kind, remote, "POST", path, query, b"content-type: application/json", body)
                )

    asyncio.run(keep_all())


def read_all(data_dir: Path) -> None:
    """Let the pipeline take whatever waits in the inbox of a data directory."""
    using = load(data_dir)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        pipeline = Pipeline(inbox, ledger, lambda: Rules.of(ledger, using))
        while pipeline.step():
            pass
