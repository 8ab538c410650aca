"""The operators, and the one-time addresses at which they set their password."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import LANGUAGES, tr
from ippbx_billing.operators import passwords
from ippbx_billing.operators.roles import Role

INVITATION_HOLDS = timedelta(hours=24)
MOST_LETTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person who signs in. A head sees the department of that path, an employee the calls of that staff number."""

    id: int
    name: str
    role: Role
    department: str | None = None
    employee: str | None = None
    language: str = ""
    has_password: bool = False
    disabled: bool = False

    def facts(self) -> dict[str, Any]:
        """What the log tells of them."""
        known = {
            "role": self.role.value,
            "department": self.department,
            "employee": self.employee,
            "language": self.language,
            "disabled": self.disabled or None,
        }
        return {name: value for name, value in known.items() if value}


class OperatorTables:
    """The tables `operators` and `invitations`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def all(self) -> list[Operator]:
        """Every operator, by name."""
        return [_operator(row) for row in self.connection.execute("SELECT * FROM operators ORDER BY key")]

    def is_empty(self) -> bool:
        """Whether nobody can sign in yet."""
        return self.connection.execute("SELECT 1 FROM operators LIMIT 1").fetchone() is None

    def get(self, operator_id: int) -> Operator | None:
        """The operator with this id."""
        row = self.connection.execute("SELECT * FROM operators WHERE id = ?", [operator_id]).fetchone()
        return None if row is None else _operator(row)

    def named(self, name: str) -> Operator:
        """The operator of this name; NotFoundError where there is none."""
        row = self._row(name)
        if row is None:
            raise NotFoundError(tr("there is no operator {name}", name=name), tr("see `ippbx-bill operators list`"))
        return _operator(row)

    def add(
        self,
        name: str,
        role: Role,
        now: datetime,
        *,
        department: str | None = None,
        employee: str | None = None,
        language: str = "",
    ) -> Operator:
        """A new operator, who has no password yet; UsageError for a name that is taken or cannot be one."""
        name = name.strip()
        if not 1 <= len(name) <= MOST_LETTERS or not name.isprintable():
            raise UsageError(tr("{name!r} is not a valid name", name=name), tr("write it like anna"))
        if self._row(name) is not None:
            raise UsageError(tr("there is an operator {name} already", name=name), tr("choose another name"))
        _check(role, department, employee, language)
        done = self.connection.execute(
            "INSERT INTO operators (name, key, role, department, employee, language, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [name, _key(name), role.value, department, employee, language, int(now.timestamp())],
        )
        found = self.get(int(done.lastrowid or 0))
        assert found is not None
        return found

    def change(
        self,
        operator: Operator,
        *,
        role: Role | None = None,
        department: str | None = None,
        employee: str | None = None,
        disabled: bool | None = None,
        language: str | None = None,
    ) -> Operator:
        """The operator with what is given changed; UsageError where no administrator would be left."""
        new_role = role or operator.role
        if role is None:
            department, employee = operator.department, operator.employee
        language = operator.language if language is None else language
        disabled = operator.disabled if disabled is None else disabled
        _check(new_role, department, employee, language)
        if operator.role is Role.ADMINISTRATOR and (disabled or new_role is not Role.ADMINISTRATOR):
            self._must_leave_another(operator)
        self.connection.execute(
            "UPDATE operators SET role = ?, department = ?, employee = ?, disabled = ?, language = ? WHERE id = ?",
            [new_role.value, department, employee, int(disabled), language, operator.id],
        )
        found = self.get(operator.id)
        assert found is not None
        return found

    def _must_leave_another(self, operator: Operator) -> None:
        others = "SELECT 1 FROM operators WHERE role = ? AND NOT disabled AND id != ?"
        if self.connection.execute(others, [Role.ADMINISTRATOR.value, operator.id]).fetchone() is None:
            raise UsageError(
                tr("{name} is the only administrator", name=operator.name),
                tr("`ippbx-bill operators add NAME --role administrator` first"),
            )

    # -- passwords

    def set_password(self, operator_id: int, password: str) -> None:
        """Keep its digest; UsageError for a password that is guessed at once."""
        found = self.get(operator_id)
        assert found is not None
        passwords.check_strength(password, found.name)
        self._put_digest(operator_id, passwords.digest_of(password))

    def _put_digest(self, operator_id: int, digest: str) -> None:
        self.connection.execute("UPDATE operators SET password = ? WHERE id = ?", [digest, operator_id])

    def recognized(self, name: str, password: str) -> Operator | None:
        """The operator who signs in so; None where there is none, at equal cost."""
        row = self._row(name)
        usable = row is not None and not row["disabled"]
        if not passwords.matches(row["password"] if row is not None and usable else None, password) or row is None:
            return None
        if passwords.is_outdated(row["password"]):
            self._put_digest(row["id"], passwords.digest_of(password))
        return _operator(row)

    # -- one-time addresses

    def invite(self, operator: Operator | None, now: datetime) -> str:
        """A secret that lets this operator set a password once; None is for the first administrator.

        Earlier ones of the same operator are worth nothing any more.
        """
        secret = token_urlsafe(32)
        own = operator and operator.id
        self.connection.execute("DELETE FROM invitations WHERE operator_id IS ?", [own])
        self.connection.execute(
            "INSERT INTO invitations VALUES (?, ?, ?)",
            [digest(secret), own, int((now + INVITATION_HOLDS).timestamp())],
        )
        return secret

    def invited(self, secret: str, now: datetime) -> "tuple[bool, Operator | None]":
        """Whether the secret is good, and whose it is; None stands for the first administrator."""
        row = self.connection.execute(
            "SELECT operator_id FROM invitations WHERE digest = ? AND expires_at > ?",
            [digest(secret), int(now.timestamp())],
        ).fetchone()
        if row is None:
            return False, None
        operator = None if row[0] is None else self.get(row[0])
        if operator is None:
            return row[0] is None and self.is_empty(), None
        return not operator.disabled, operator

    def spend(self, secret: str) -> None:
        """The secret is worth nothing any more."""
        self.connection.execute("DELETE FROM invitations WHERE digest = ?", [digest(secret)])

    def _row(self, name: str) -> Any:
        return self.connection.execute("SELECT * FROM operators WHERE key = ?", [_key(name)]).fetchone()


def digest(secret: str) -> bytes:
    """What is kept of a random secret."""
    return sha256(secret.encode()).digest()


def _key(name: str) -> str:
    return name.strip().casefold()


def _check(role: Role, department: str | None, employee: str | None, language: str) -> None:
    """A head has a department and an employee a staff number; nobody else is bound to one."""
    if (role is Role.HEAD) != bool(department):
        raise UsageError(
            tr("a head of department has a department, and nobody else"), "--role head --department 公司/工程部"
        )
    if (role is Role.EMPLOYEE) != bool(employee):
        raise UsageError(tr("an employee has a staff number, and nobody else"), "--role employee --employee 1001")
    if language and language not in LANGUAGES:
        raise UsageError(tr("only en and zh are known"))


def _operator(row: sqlite3.Row) -> Operator:
    return Operator(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        department=row["department"],
        employee=row["employee"],
        language=row["language"],
        has_password=row["password"] is not None,
        disabled=bool(row["disabled"]),
    )
