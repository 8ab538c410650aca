"""One call posted to a site's own listener as a PBX posts it, and waited for until it is rated.

planned = just_ended("902162345678", seconds=80, extension="8001", trunk=None, now=now, zone=zone)
post_to(door_of(settings), planned)
rated_as(planned, since=7, inbox=inbox, ledger=ledger)  ->  (8, 5): event 8 became call 5
"""

from datetime import datetime, timedelta, tzinfo
from time import monotonic, sleep
from typing import TYPE_CHECKING
from uuid import uuid4

from ippbx_billing.calls import Direction, Disposition
from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr
from ippbx_billing.simulation.traffic.bodies import CONTENT_TYPES, cdr_body
from ippbx_billing.simulation.traffic.site import PlannedCall

if TYPE_CHECKING:
    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.settings import Settings

RING_S = 5
PATIENCE_S = 30.0
LOOK_EVERY_S = 0.05
OK = 200


def just_ended(
    number: str, *, seconds: int, extension: str, trunk: str | None, now: datetime, zone: tzinfo
) -> PlannedCall:
    """An outgoing call that was over at `now`, by the PBX's clock; of 0 seconds nobody answered."""
    return PlannedCall(
        pbx="simulate-call",
        serial=1,
        call_id=str(uuid4()),
        started_at=(now - timedelta(seconds=seconds + RING_S)).astimezone(zone),
        ring_s=RING_S,
        billed_s=seconds,
        disposition=Disposition.ANSWERED if seconds else Disposition.NO_ANSWER,
        direction=Direction.OUTBOUND,
        extension=extension,
        number=number,
        trunk=trunk,
    )


def door_of(using: "Settings") -> str:
    """The address of the listener's door for records on this machine, by a path that it takes."""
    from ippbx_billing.pbx.tokens import known_tokens

    token = min(known_tokens(using.data_dir), default="")
    scheme = "https" if using.tls_certificate else "http"
    return f"{scheme}://127.0.0.1:{using.cdr_port}/{token + '/' if token else ''}"


def post_to(url: str, planned: PlannedCall) -> None:
    """Deliver the call's record; BillingError where it was not answered 200."""
    import httpx

    hint = tr("start `ippbx-bill listen` in another terminal, on the same data directory")
    headers = {"content-type": CONTENT_TYPES["json"]}
    try:
        # Our own door, whose certificate is made for another name.
        answer = httpx.post(url, content=cdr_body(planned), headers=headers, verify=False, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BillingError(tr("nobody answers at {url}: {error}", url=url, error=error), hint) from error
    if answer.status_code != OK:
        said = f"{answer.status_code} {answer.text.strip()}"
        raise BillingError(tr("{url} answered {said}", url=url, said=said), hint)


def rated_as(planned: PlannedCall, *, since: int, inbox: "Inbox", ledger: "Ledger") -> tuple[int, int]:
    """The event after `since` that brought the record, and its call; BillingError where it is not read in time."""
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        for event in range(since + 1, inbox.last_id() + 1):
            for row in ledger.calls.of_event(event):
                if row["record_id"] == planned.record_id:
                    return event, int(row["id"])
        sleep(LOOK_EVERY_S)
    problem = tr("the record was kept, and is not rated after {seconds} seconds", seconds=int(PATIENCE_S))
    raise BillingError(problem, tr("`ippbx-bill doctor` and `ippbx-bill events list` show where it is"))
