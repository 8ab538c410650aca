"""Operators, passwords and the log, in their own file."""

import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.operators import OperatorFile, Role
from ippbx_billing.operators.log import Actor
from tests.console.visitor import NOW, PASSWORD


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OperatorFile]:
    with OperatorFile(tmp_path / "operators.db") as opened:
        yield opened


def test_the_file_is_its_owners_alone(file: OperatorFile) -> None:
    """It holds who called whom, and digests of passwords."""
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_roles_stand_one_above_the_other() -> None:
    """Each may what those below it may; the last two see some calls only."""
    order = list(Role)
    for place, role in enumerate(order):
        assert [role.may(other) for other in order] == [n >= place for n in range(len(order))]
    assert [role for role in order if role.is_scoped] == [Role.HEAD, Role.EMPLOYEE]


def test_names_are_taken_once_however_they_are_written(file: OperatorFile) -> None:
    """Anna, ANNA and anna are one."""
    file.operators.add(" Anna ", Role.VIEWER, NOW)
    with pytest.raises(UsageError, match="already"):
        file.operators.add("ANNA", Role.VIEWER, NOW)
    assert file.operators.named("anna").name == "Anna"
    for name in ("", "  ", "x" * 61, "a\nb"):
        with pytest.raises(UsageError, match="is not a valid name"):
            file.operators.add(name, Role.VIEWER, NOW)


def test_a_scope_belongs_to_its_role(file: OperatorFile) -> None:
    """A head has a department, an employee a number, and nobody else either."""
    for role, scope in (
        (Role.HEAD, {}),
        (Role.EMPLOYEE, {}),
        (Role.VIEWER, {"department": "公司"}),
        (Role.HEAD, {"employee": "1001"}),
    ):
        with pytest.raises(UsageError):
            file.operators.add("anna", role, NOW, **scope)
    head = file.operators.add("anna", Role.HEAD, NOW, department="公司")
    changed = file.operators.change(head, role=Role.EMPLOYEE, employee="1001")
    assert (changed.role, changed.department, changed.employee) == (Role.EMPLOYEE, None, "1001")
    assert file.operators.change(changed, language="zh").employee == "1001"


def test_somebody_stays_who_may_everything(file: OperatorFile) -> None:
    """The last administrator can neither be disabled nor made something else."""
    anna = file.operators.add("anna", Role.ADMINISTRATOR, NOW)
    for change in ({"disabled": True}, {"role": Role.VIEWER}):
        with pytest.raises(UsageError, match="only administrator"):
            file.operators.change(anna, **change)
    file.operators.add("berta", Role.ADMINISTRATOR, NOW)
    assert file.operators.change(anna, disabled=True).disabled


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaa", "annaannaannaanna"[:8], "anna" * 60])
def test_passwords_that_are_guessed_are_refused(file: OperatorFile, password: str) -> None:
    anna = file.operators.add("anna", Role.VIEWER, NOW)
    with pytest.raises(UsageError):
        file.operators.set_password(anna.id, password)
    assert not file.operators.named("anna").has_password


def test_a_password_is_recognized(file: OperatorFile) -> None:
    """With any spelling of the name, in Chinese too; not while disabled, not before it was set."""
    anna = file.operators.add("安娜", Role.VIEWER, NOW)
    assert file.operators.recognized("安娜", "") is None
    file.operators.set_password(anna.id, "正确的马电池订书钉密码")
    assert file.operators.recognized(" 安娜", "正确的马电池订书钉密码") is not None
    assert file.operators.recognized("安娜", "正确的马电池订书钉") is None
    file.operators.change(anna, disabled=True)
    assert file.operators.recognized("安娜", "正确的马电池订书钉密码") is None


def test_an_invitation_works_once_and_for_a_day(file: OperatorFile) -> None:
    """A newer one takes the place of the older; that of the first administrator ends with the first operator."""
    first = file.operators.invite(None, NOW)
    assert file.operators.invited(first, NOW) == (True, None)
    anna = file.operators.add("anna", Role.VIEWER, NOW)
    assert file.operators.invited(first, NOW) == (False, None)
    older, newer = (file.operators.invite(anna, NOW) for _ in range(2))
    assert file.operators.invited(older, NOW) == (False, None)
    assert file.operators.invited(newer, NOW) == (True, anna)
    assert file.operators.invited(newer, NOW + timedelta(hours=25))[0] is False
    file.operators.spend(newer)
    assert file.operators.invited(newer, NOW) == (False, None)


def test_the_log_only_grows(file: OperatorFile) -> None:
    """Not even with the file open can a line be changed or taken out."""
    file.log.write(NOW, Actor("anna", "viewer", "console", "10.0.0.1"), "x", "y", before={"a": 1}, after=["b"])
    for sql in ("UPDATE log SET who = 'nobody'", "DELETE FROM log"):
        with pytest.raises(Exception, match="only grows"):
            file.connection.execute(sql)
    (entry,) = file.log.entries()
    assert (entry.actor.name, entry.before, entry.after, entry.at) == ("anna", {"a": 1}, ["b"], NOW)


def test_a_newer_file_is_left_alone(file: OperatorFile) -> None:
    file.connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DataError, match="newer"):
        OperatorFile(file.path)


def test_pauses_grow_and_end(file: OperatorFile) -> None:
    """After five free tries two seconds, then four, never more than a quarter of an hour; an hour forgives all."""
    pauses, now = [], NOW
    for _ in range(18):
        pause = file.visits.pause_s("anna", "10.0.0.1", now)
        pauses.append(pause)
        now += timedelta(seconds=pause)
        file.visits.failed("anna", "10.0.0.1", now)
    assert pauses == [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]
    assert file.visits.pause_s("anna", "10.0.0.2", now) > 0  # the name alone is tried too often by now
    assert file.visits.pause_s("berta", "10.0.0.2", now) == 0
    assert file.visits.pause_s("anna", "10.0.0.1", now + timedelta(hours=2)) == 0
    assert PASSWORD
