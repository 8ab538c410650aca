"""Believable telephone traffic for demonstrations, tests and practice: planned, spelt out, delivered.

    for call in office(seed=1, calls=600, first=date(2026, 10, 1), last=date(2026, 10, 31)):
        cdr_body(call)         # what a PBX posts when the call is over
        status_bodies(call)    # what it posts while the call goes on: ring, answer, bye

A sibling is one step: `site` makes up who calls whom (pure, from a seed), `bodies` spells a call as the PBX does,
`posting` delivers bodies over HTTP with the habits of real switches.
"""

from ippbx_billing.simulation.traffic.bodies import CONTENT_TYPES, Form, cdr_body, posts_a_second, status_bodies
from ippbx_billing.simulation.traffic.site import (
    MAX_EXTENSIONS,
    PROFILES,
    Person,
    PlannedCall,
    SimulatedSite,
    SimulatedTrunk,
    office,
)

__all__ = [
    "CONTENT_TYPES",
    "MAX_EXTENSIONS",
    "PROFILES",
    "Form",
    "Person",
    "PlannedCall",
    "SimulatedSite",
    "SimulatedTrunk",
    "cdr_body",
    "office",
    "posts_a_second",
    "status_bodies",
]
