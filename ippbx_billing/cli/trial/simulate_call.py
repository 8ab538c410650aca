"""`simulate call`: one record posted to this site's listener as a PBX posts it, waited for, and the bill it is on."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.calls import Direction, Disposition
from ippbx_billing.cli import common
from ippbx_billing.cli.common import say
from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.settings import Settings
    from ippbx_billing.simulation.traffic import PlannedCall

RING_S = 5
PATIENCE_S = 30.0
LOOK_EVERY_S = 0.05


def call(
    number: Annotated[str, typer.Argument(help=tr("the number as dialled, or as shown for an incoming call"))],
    seconds: Annotated[int, typer.Option(min=0, help=tr("talk time in seconds"))] = 80,
    extension: Annotated[str, typer.Option(help=tr("the extension that calls"))] = "8001",
    trunk: Annotated[str | None, typer.Option(help=tr("the trunk it goes through"))] = None,
    url: Annotated[str | None, typer.Option(help=tr("where call records go; default: this site's listener"))] = None,
) -> None:
    """Post, wait until the worker has read it, and show the company's bill of that month."""
    from ippbx_billing.cli.reports.bill import bill

    using = common.settings()
    planned = _planned(number, seconds, extension, trunk, common.now())
    found = _read_by(using, _posted(planned, url or _address(using), using), planned)
    say(tr("posted, kept as event {event}, rated as call {call}", event=found["event"], call=found["id"]))
    say(tr("why it costs what it costs: `ippbx-bill calls explain {call}`", call=found["id"]))
    bill(month=f"{planned.started_at.astimezone(using.site_zone):%Y-%m}", company=True)


def _planned(number: str, seconds: int, extension: str, trunk: str | None, now: datetime) -> "PlannedCall":
    """The call as it went, over a moment ago."""
    from uuid import uuid4

    from ippbx_billing.simulation.traffic import PlannedCall

    return PlannedCall(
        pbx="simulate-call",
        serial=1,
        call_id=str(uuid4()),
        started_at=now - timedelta(seconds=seconds + RING_S),
        ring_s=RING_S,
        billed_s=seconds,
        disposition=Disposition.ANSWERED if seconds else Disposition.NO_ANSWER,
        direction=Direction.OUTBOUND,
        extension=extension,
        number=number,
        trunk=trunk,
    )


def _address(using: "Settings") -> str:
    """The door for records on this machine, by a path that it takes."""
    from ippbx_billing.pbx.tokens import known_tokens

    token = min(known_tokens(using.data_dir), default="")
    scheme = "https" if using.tls_certificate else "http"
    return f"{scheme}://127.0.0.1:{using.cdr_port}/{token + '/' if token else ''}"


def _posted(planned: "PlannedCall", url: str, using: "Settings") -> int:
    """Post the record; the newest event before it. BillingError where it was not answered 200."""
    import httpx

    from ippbx_billing.simulation.traffic import CONTENT_TYPES, cdr_body

    with common.open_inbox(using) as inbox:
        before = inbox.last_id()
    hint = tr("start `ippbx-bill listen` in another terminal, on the same data directory")
    body = cdr_body(_by_the_clock_of(planned, using))
    try:
        # Our own door, whose certificate is made for another name.
        answer = httpx.post(url, content=body, headers={"content-type": CONTENT_TYPES["json"]}, verify=False)
    except httpx.HTTPError as error:
        raise BillingError(tr("nobody answers at {url}: {error}", url=url, error=error), hint) from error
    if answer.status_code != httpx.codes.OK:
        said = f"{answer.status_code} {answer.text.strip()}"
        raise BillingError(tr("{url} answered {said}", url=url, said=said), hint)
    return int(before)


def _by_the_clock_of(planned: "PlannedCall", using: "Settings") -> "PlannedCall":
    """The times of a record are the PBX's wall clock."""
    from dataclasses import replace

    return replace(planned, started_at=planned.started_at.astimezone(using.pbx_zone))


def _read_by(using: "Settings", before: int, planned: "PlannedCall") -> dict[str, int]:
    """The call's ids as soon as the worker has read its record; BillingError where that takes too long."""
    from time import monotonic, sleep

    deadline = monotonic() + PATIENCE_S
    with common.open_inbox(using) as inbox, common.open_ledger(using) as ledger:
        while monotonic() < deadline:
            for event in range(before + 1, inbox.last_id() + 1):
                for row in ledger.calls.of_event(event):
                    if row["record_id"] == planned.record_id:
                        return {"event": event, "id": int(row["id"])}
            sleep(LOOK_EVERY_S)
    problem = tr("the record was kept, and is not rated after {seconds} seconds", seconds=int(PATIENCE_S))
    raise BillingError(problem, tr("`ippbx-bill doctor` and `ippbx-bill events list` tell where it is"))
