"""What waits to be applied on the PBX, and by whose hand: ours, or that of somebody who is at work beside us.

hands.seen("events", options(request))          # as it was when we first read the page
hands.refuse_others("events", targets, present, wanted)
hands.note(form, present, wanted)
hands.not_ours(pbx.changes())
"""

from collections.abc import Collection

from ippbx_billing.language import tr
from ippbx_billing.pbx.forms import Form
from ippbx_billing.pbx.pages import ANONYMOUS
from ippbx_billing.pbx.problems import StagedBefore
from ippbx_billing.pbx.sending import Request

Options = dict[str, tuple[str, ...]]  # what a form holds: option -> values


class Hands:
    """Which options of the PBX went by our hand since the beginning of a session."""

    def __init__(self) -> None:
        self._first: dict[str, Options] = {}  # each page's options as they were at the beginning
        self._posted: set[str] = set()  # options of the forms that we have saved
        self._changed: set[str] = set()  # those of them whose value we changed

    def seen(self, page: str, present: Options) -> None:
        """Remember a page's options as they were when it was first read."""
        self._first.setdefault(page, present)

    def refuse_others(self, page: str, targets: set[str], present: Options, wanted: Options) -> None:
        """Raise StagedBefore where an option is neither as it was at first, nor as we want it."""
        first = self._first.get(page, present)
        moved = {name for name in first.keys() | present.keys() if first.get(name) != present.get(name)}
        moved -= self._changed | {name for name in targets if present.get(name) == wanted.get(name)}
        if moved:
            raise other_hands(moved)

    def note(self, form: Form, present: Options, sent: Options) -> None:
        """Remember which options go by our hand from here on."""
        self._posted |= form.options()
        self._changed |= {name for name in present.keys() | sent.keys() if present.get(name) != sent.get(name)}

    def not_ours(self, waiting: frozenset[str]) -> frozenset[str]:
        """Those of the options that are on none of the forms that we have saved."""
        return frozenset(name for name in waiting if not self._is_ours(name))

    def untouched(self, waiting: frozenset[str]) -> bool:
        """Whether all that we changed is still in the list of what waits, so that nothing of it is in force."""
        return ANONYMOUS in waiting or self._changed <= waiting

    def _is_ours(self, name: str) -> bool:
        return name == ANONYMOUS or name in self._posted or any(one.startswith(f"{name}.") for one in self._posted)


def options(request: Request) -> Options:
    """What the request sends of the page's options, by their full names; empty is the same as absent."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in request.fields:
        if name.startswith("cbid."):
            found[name[5:]] = (*found.get(name[5:], ()), value)
    return {name: tuple(filter(None, values)) for name, values in found.items() if any(values)}


def other_hands(names: Collection[str]) -> StagedBefore:
    """The problem of changes that somebody else saved while we were at work."""
    return StagedBefore(
        tr("somebody else saved changes on the PBX meanwhile ({names}).", names=", ".join(sorted(names)[:3])),
        tr("let them finish, or undo theirs with `ippbx-bill pbx discard`, then try again"),
    )
