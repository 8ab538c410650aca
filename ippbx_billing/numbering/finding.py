"""What a number is, before anybody asks from where it is dialled.

A reader of a numbering plan (`china`, `world`) answers with a `Finding` or, where it does not know, with
`None`; whether the number is local or far is decided by the site alone.
"""

from typing import NamedTuple

from ippbx_billing.calls import LineKind, Reason, TrafficType


class Finding(NamedTuple):
    """A number with its kind and place, and the rule that told.

    `normalized` is E.164 with its `+`, or the digits of a short code. `traffic_type` is set where not the
    distance but the sort of service decides. `area_code` is written as dialled at home, with its trunk zero.
    `carrier_prefix` was dialled before it; `is_ip` says that it leads to IP long distance.
    """

    normalized: str
    line_kind: LineKind
    country: str | None
    rule: str
    why: Reason
    traffic_type: TrafficType | None = None
    region: str | None = None
    place: str | None = None
    operator: str | None = None
    area_code: str | None = None
    emergency: bool = False
    carrier_prefix: str | None = None
    is_ip: bool = False
