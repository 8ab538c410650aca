"""What has to change on the PBX, and changing all of it or nothing.

    changes = plan(profile, {"events": pbx.read("events")}, {"events": {"cdr_json": True}})
    carry_out(pbx, changes)

Nothing is in force on a PBX before it is applied, so every failure up to there can be undone: what was saved is
discarded, and the problem tells whether that succeeded.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ippbx_billing.language import tr
from ippbx_billing.pbx.pages import Value, shown_field
from ippbx_billing.pbx.problems import ChangeRefused, PbxError, StagedBefore, Unreachable
from ippbx_billing.pbx.profile import Profile
from ippbx_billing.pbx.session import PbxAdmin

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
    """Save, apply and read again; on any problem nothing is applied and the problem says what was and was not done."""
    needed = [change for change in changes if change.needed]
    if not needed:
        return
    refuse_staged(pbx)
    try:
        for page in dict.fromkeys(change.page for change in needed):
            pbx.save(page, {change.field: change.is_ for change in needed if change.page == page})
    except PbxError as error:
        raise _undone(pbx, error) from error
    except KeyboardInterrupt:
        with suppress(PbxError):
            pbx.discard()
        raise
    try:
        pbx.apply()
    except Unreachable as error:
        raise _unseen(pbx, error) from error
    except PbxError as error:
        raise _undone(pbx, error) from error
    _verify(pbx, needed)


def refuse_staged(pbx: PbxAdmin) -> None:
    """Raise StagedBefore where saved changes wait already: they would be applied, or lost, with ours."""
    if pbx.staged():
        raise StagedBefore(
            tr("the PBX holds changes that were saved and not applied. Nothing was changed."),
            tr("apply them in the PBX's own page, or undo them with `ippbx-bill pbx discard`, then try again"),
        )


def _undone(pbx: PbxAdmin, error: PbxError) -> PbxError:
    """The problem, after everything saved was discarded, or with the word that it could not be."""
    try:
        pbx.discard()
    except PbxError:
        return error.having(
            tr("Nothing was applied, but what was saved could not be discarded."),
            tr("run `ippbx-bill pbx discard` when the PBX answers again; until then nobody should apply changes"),
        )
    return error.having(tr("Nothing was applied; what had been saved was discarded."))


def _unseen(pbx: PbxAdmin, error: Unreachable) -> PbxError:
    """The problem of a connection that was cut while the PBX applied, after a look at what became of it."""
    try:
        if pbx.staged():
            return _undone(pbx, error)
    except PbxError:
        return error.having(
            tr("The changes were saved and their applying was asked for; whether it happened could not be seen."),
            tr("when it is back, `ippbx-bill pbx show` tells, and `ippbx-bill pbx discard` undoes what is only saved"),
            in_force=True,
        )
    return error.having(
        tr("The changes were applied, but whether the PBX restarted its services could not be seen."),
        tr("`ippbx-bill pbx check --wait 60` and a test call tell; if no event comes, restart the PBX"),
        in_force=True,
    )


def _verify(pbx: PbxAdmin, changes: Sequence[FieldChange]) -> None:
    present = {page: pbx.read(page) for page in dict.fromkeys(change.page for change in changes)}
    wrong = [change for change in changes if present[change.page][change.field] != change.is_]
    if wrong:
        pages = pbx.profile.pages
        fields = ", ".join(shown_field(pages[one.page], pages[one.page].fields[one.field]) for one in wrong)
        problem = tr("the PBX applied the changes, but {fields} did not stay as set.", fields=fields)
        refused = ChangeRefused(problem, tr("see `ippbx-bill pbx show` and the PBX's own page"))
        refused.in_force = True
        raise refused
