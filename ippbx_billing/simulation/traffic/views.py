"""How it looks what became of posted events."""

from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.simulation.traffic.posting import PostTally


def tally(found: PostTally) -> Listing:
    """How many were acknowledged, and how fast; a single row."""
    row = {
        "acknowledged": found.acknowledged,
        "refused": found.refused.total(),
        "unanswered": found.unanswered,
        "repeated": found.repeated,
        "seconds": round(found.seconds, 2),
        "per_second": round(found.acknowledged / found.seconds, 1) if found.seconds else 0.0,
    }
    headings = [
        Column("acknowledged", tr("Acknowledged"), "number"),
        Column("refused", tr("Refused"), "number"),
        Column("unanswered", tr("Unanswered"), "number"),
        Column("repeated", tr("Posted again"), "number"),
        Column("seconds", tr("Seconds")),
        Column("per_second", tr("Per second")),
    ]
    return Listing([row], headings)


def refusals(found: PostTally) -> str:
    """With what answers events were refused, in a sentence."""
    answers = [f"{status} × {count}" for status, count in sorted(found.refused.items())]
    if found.unanswered:
        answers.append(tr("no answer × {count}", count=found.unanswered))
    return tr("the answers were: {answers}", answers=", ".join(answers))
