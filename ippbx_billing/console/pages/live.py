"""The stream of new calls, for the live table of the first page."""

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import Way
from ippbx_billing.language import language
from ippbx_billing.operators import OperatorFile, Role


def stream(desk: Desk) -> Response:
    """Server-sent events from where the browser stands; 503 where so many pages are open that one more is too many."""
    house, operator, visit = desk.house, desk.operator, desk.visit
    if house.feed.is_full:
        return PlainTextResponse("too many open pages\n", status_code=503, headers={"retry-after": "60"})

    def still_there() -> bool:
        with OperatorFile(house.using.operators_path) as file:
            present = file.operators.get(operator.id)
            open_visits = {one.id for one in file.visits.all(house.clock())}
        return present == operator and visit.id in open_visits

    events = house.feed.events(operator, language(), _position(desk), still_there)
    return StreamingResponse(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


def _position(desk: Desk) -> int:
    """Where the browser stands: what it says after a break goes before what the page said when it was made."""
    for text in (desk.request.headers.get("last-event-id", ""), desk.request.query_params.get("after", "")):
        if text.isascii() and text.isdecimal() and len(text) < 16:
            return int(text)
    return 0


WAYS = (Way("/live", stream, Role.EMPLOYEE),)
