"""What has to change on the PBX, and changing it with a true word about what became of it.

    changes = plan(profile, {"events": pbx.read("events")}, {"events": {"cdr_json": True}})
    carry_out(pbx, changes)

A PBX commits first and restarts its services then, some apply on save, and somebody else may be at work: so after any
problem we look before we say anything. What waits is discarded; what is in force is told as such.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ippbx_billing.language import tr
from ippbx_billing.pbx.forms import Value
from ippbx_billing.pbx.problems import ChangeRefused, Interrupted, Outcome, PbxError, StagedBefore, State
from ippbx_billing.pbx.profile import Profile
from ippbx_billing.pbx.session import PbxAdmin
from ippbx_billing.pbx.staging import other_hands
from ippbx_billing.pbx.wording import shown_field

Values = Mapping[str, Value]
Wanted = Mapping[str, Values]  # page -> field -> value


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: what it was and what it is to be; `secret` values must not be shown."""

    page: str
    field: str
    was: Value
    is_: Value
    secret: bool = False

    @property
    def needed(self) -> bool:
        """Whether the two differ."""
        return self.was != self.is_


def plan(profile: Profile, present: Wanted, wanted: Wanted) -> list[FieldChange]:
    """Every wanted field with its present value, in the order of the pages; also those that are right already."""
    return [
        FieldChange(page, key, present[page][key], value, profile.pages[page].fields[key].kind == "secret")
        for page, values in wanted.items()
        for key, value in values.items()
    ]


def carry_out(pbx: PbxAdmin, changes: Sequence[FieldChange]) -> None:
    """Save, apply and read again; a problem says what became of the changes (`PbxError.state`)."""
    needed = [change for change in changes if change.needed]
    if not needed:
        return
    refuse_staged(pbx)
    try:
        _save(pbx, needed)
        if pbx.staged():
            pbx.apply()
        _verify(pbx, needed)
    except PbxError as error:
        raise error.having(settle(pbx, needed)) from error
    except KeyboardInterrupt as interrupt:
        raise Interrupted(settle(pbx, needed)) from interrupt


def refuse_staged(pbx: PbxAdmin) -> None:
    """Raise StagedBefore where saved changes wait already: they would be applied, or lost, with ours."""
    if pbx.staged():
        raise StagedBefore(
            tr("the PBX holds changes that were saved and not applied. Nothing was changed."),
            tr("apply them in the PBX's own page, or undo them with `ippbx-bill pbx discard`, then try again"),
        )


def settle(pbx: PbxAdmin, needed: Sequence[FieldChange]) -> Outcome:
    """What became of the changes, after what still waits of them was taken back; waits for a PBX that restarts."""
    try:
        waiting = pbx.patiently(pbx.changes)
        others = pbx.not_ours(waiting)
        if waiting - others and not _taken_back(pbx, needed, beside_others=bool(others)):
            return _staged(pbx)
        present = pbx.patiently(lambda: _present(pbx, needed))
    except PbxError:
        return _unknown()
    return _outcome(pbx.profile, needed, present)


def _save(pbx: PbxAdmin, needed: Sequence[FieldChange]) -> None:
    """Stage the changes, page by page, as long as nobody else stages something beside them."""
    for page in dict.fromkeys(change.page for change in needed):
        pbx.save(page, {change.field: change.is_ for change in needed if change.page == page})
        if others := pbx.others():
            raise other_hands(others)


def _taken_back(pbx: PbxAdmin, needed: Sequence[FieldChange], beside_others: bool) -> bool:
    """Whether nothing of ours waits any more: discarded, or saved as it was where a discard would lose others' work."""
    try:
        if not beside_others:
            pbx.discard()
            return True
        for page in dict.fromkeys(change.page for change in needed):
            was = {change.field: change.was for change in needed if change.page == page}
            pbx.save(page, was, beside_others=True)
    except PbxError:
        waiting = pbx.patiently(pbx.changes)
        return not waiting - pbx.not_ours(waiting)
    return True


def _present(pbx: PbxAdmin, changes: Sequence[FieldChange]) -> dict[str, dict[str, Value]]:
    return {page: pbx.read(page) for page in dict.fromkeys(change.page for change in changes)}


def _outcome(profile: Profile, needed: Sequence[FieldChange], present: Wanted) -> Outcome:
    """What the pages say, when nothing of ours waits."""
    right = [change for change in needed if present[change.page][change.field] == change.is_]
    wrong = [change for change in needed if change not in right]
    if not wrong:
        return Outcome(
            State.IN_FORCE,
            tr("The changes were applied, but whether the PBX restarted its services could not be seen."),
            tr("try `ippbx-bill pbx check --wait 60` and a test call; if no event comes, restart the PBX"),
        )
    if not right:
        return Outcome(State.DISCARDED, tr("Nothing was applied; what had been saved was discarded."))
    return Outcome(
        State.PARTLY,
        tr("Of the changes {right} are in force and {wrong} are not; nothing waits to be applied.",
           right=_named(profile, right), wrong=_named(profile, wrong)),
        tr("run the same command again: it sets what is missing"),
    )  # fmt: skip


def _staged(pbx: PbxAdmin) -> Outcome:
    """The changes wait on the PBX and could not be taken back."""
    hint = tr("run `ippbx-bill pbx discard` when the PBX answers again; until then nobody should apply changes")
    if pbx.untouched():
        return Outcome(State.STAGED, tr("Nothing was applied, but what was saved could not be discarded."), hint)
    return Outcome(State.STAGED, tr("Changes still wait to be applied on the PBX; they could not be discarded."), hint)


def _unknown() -> Outcome:
    return Outcome(
        State.UNKNOWN,
        tr("Whether the changes were applied could not be seen; what was saved could not be discarded."),
        tr("when it is back, see `ippbx-bill pbx show`; `ippbx-bill pbx discard` undoes what is only saved"),
    )


def _verify(pbx: PbxAdmin, changes: Sequence[FieldChange]) -> None:
    present = pbx.patiently(lambda: _present(pbx, changes))
    wrong = [change for change in changes if present[change.page][change.field] != change.is_]
    if wrong:
        problem = tr(
            "the PBX applied the changes, but {fields} did not stay as set.", fields=_named(pbx.profile, wrong)
        )
        raise ChangeRefused(problem, tr("see `ippbx-bill pbx show` and the PBX's own page"))


def _named(profile: Profile, changes: Sequence[FieldChange]) -> str:
    pages = profile.pages
    return ", ".join(shown_field(pages[one.page], pages[one.page].fields[one.field]) for one in changes)
