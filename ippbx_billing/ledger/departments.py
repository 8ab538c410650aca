"""The tree of departments: names and places, which hold for all months alike.

    ledger.directory.add_department("公司/工程部/一组").path
    ledger.directory.department("一组")  # the end of a path will do where only one has it

Who is in them, and when, is the directory's business (see `directory`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.sorting import in_order
from ippbx_billing.language.words import either
from ippbx_billing.ledger.addresses import AddressTables
from ippbx_billing.ledger.editing import editing

SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class Department:
    """A part of the company; `path` names all departments above it too, such as 公司/工程部."""

    id: int
    name: str
    parent_id: int | None
    path: str
    ended: bool = False


class DepartmentTables(AddressTables):
    """The table `departments`; each change is a transaction of its own, or part of `changing`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._changing = False
        self._known_paths: dict[int | None, str] | None = None  # while changing, when nobody else can

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One change of the directory, all or nothing; what follows from it is worked out anew at its end."""
        if self._changing:
            yield
            return
        self._changing = True
        try:
            with editing(self.connection):
                yield
                self._settle()
        finally:
            self._changing, self._known_paths = False, None

    def _settle(self) -> None:
        """What follows from a change of the directory."""
        self._revive()

    def departments(self, *, ended: bool = False) -> list[Department]:
        """The departments, each below the one it belongs to, siblings as people order names.

        With `ended` also those of the past.
        """
        found_rows = self.connection.execute("SELECT id, name, parent_id, ended FROM departments").fetchall()
        rows = sorted(found_rows, key=lambda row: in_order(row["name"]))
        below: dict[int | None, list[sqlite3.Row]] = {}
        for row in rows:
            below.setdefault(row["parent_id"], []).append(row)
        found: list[Department] = []

        def descend(parent_id: int | None, above: str) -> None:
            for row in below.get(parent_id, ()):
                path = f"{above}{row['name']}"
                found.append(Department(row["id"], row["name"], parent_id, path, bool(row["ended"])))
                descend(row["id"], path + SEPARATOR)

        descend(None, "")
        return [one for one in found if ended or not one.ended]

    def paths(self) -> dict[int | None, str]:
        """The path of every department there is or was, by id."""
        paths = self._known_paths or {one.id: one.path for one in self.departments(ended=True)}
        self._known_paths = paths if self._changing else None
        return paths

    def department(self, path: str) -> Department:
        """The department of this path, or of this ending of a path where only one has it."""
        wanted = parts_of(path)
        known = self.departments(ended=True)
        found = [one for one in known if parts_of(one.path) == wanted]
        found = found or [one for one in known if not one.ended and parts_of(one.path)[-len(wanted) :] == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(one.path for one in found)
            raise UsageError(tr("{path} may be {listed}", path=path, listed=listed), tr("write the whole path"))
        names = [text for one in known for text in (one.path, one.name)]
        hint = nearest(path, names, tr("see `ippbx-bill departments list`"))
        raise NotFoundError(tr("there is no department {path}", path=path), hint)

    def add_department(self, path: str) -> Department:
        """The department of this path, made now with those above it where it is not there yet."""
        with self.changing():
            department_id = self._department_id(path)
            self.connection.execute("UPDATE departments SET ended = 0 WHERE id = ?", [department_id])
            self._revive()
        return self._department(department_id)

    def _department_id(self, path: str) -> int:
        """The department of this very path, made where it is not there yet; one of the past stays one of the past."""
        parent: int | None = None
        for name in parts_of(path):
            same = "SELECT id FROM departments WHERE name = ? AND parent_id IS ?"
            row = self.connection.execute(same, [name, parent]).fetchone()
            if row is None:
                made = self.connection.execute(
                    "INSERT INTO departments (name, parent_id) VALUES (?, ?)", [name, parent]
                )
                row = (made.lastrowid,)
                self._known_paths = None
            parent = row[0]
        assert parent is not None
        return parent

    def _department(self, department_id: int) -> Department:
        return next(one for one in self.departments(ended=True) if one.id == department_id)

    def _revive(self) -> None:
        """A department that somebody is in until further notice, or that such a department belongs to, is in use."""
        self.connection.execute(
            "WITH RECURSIVE used AS (SELECT id, parent_id FROM departments WHERE NOT ended OR id IN "
            "(SELECT department_id FROM memberships m WHERE NOT EXISTS (SELECT 1 FROM memberships n "
            "WHERE n.employee_id = m.employee_id AND n.first_day > m.first_day) UNION "
            "SELECT department_id FROM assignments a WHERE NOT EXISTS (SELECT 1 FROM assignments b "
            "WHERE b.extension = a.extension AND b.first_day > a.first_day)) "
            "UNION SELECT d.id, d.parent_id FROM departments d JOIN used u ON d.id = u.parent_id) "
            "UPDATE departments SET ended = 0 WHERE ended AND id IN (SELECT id FROM used)"
        )

    def end_department(self, path: str) -> None:
        """Mark a department as one of the past; while somebody is in it, it stays in use."""
        with self.changing():
            self.connection.execute("UPDATE departments SET ended = 1 WHERE id = ?", [self.department(path).id])

    def rename_department(self, path: str, name: str) -> Department:
        "Change the name, in the reports of all months."
        if len(parts_of(name)) != 1:
            raise UsageError(tr("{name} is a path, not a name", name=name), tr("`departments move` changes the place"))
        one = self.department(path)
        return self._put_department(one, parts_of(name)[0], one.parent_id)

    def move_department(self, path: str, above: str | None) -> Department:
        """Another place in the tree, in the reports of all months; None makes it a top one."""
        one, parent = self.department(path), self.department(above) if above else None
        if parent and (parent.path + SEPARATOR).startswith(one.path + SEPARATOR):
            raise UsageError(
                tr("{path} cannot be moved into {above}, which is a part of it", path=one.path, above=parent.path),
                tr("name a department outside of it"),
            )
        return self._put_department(one, one.name, parent.id if parent else None)

    def _put_department(self, one: Department, name: str, parent_id: int | None) -> Department:
        try:
            with self.changing():
                self.connection.execute(
                    "UPDATE departments SET name = ?, parent_id = ? WHERE id = ?", [name, parent_id, one.id]
                )
                self._known_paths = None
        except sqlite3.IntegrityError:
            raise UsageError(
                tr("there is already a department {name} in that place", name=name),
                tr("move its employees with `employees move`, then remove the empty one"),
            ) from None
        return self._department(one.id)


def parts_of(path: str) -> list[str]:
    """The names along a path; UsageError where there is none."""
    parts = [part.strip() for part in path.replace("／", SEPARATOR).split(SEPARATOR)]
    if not all(parts):
        raise UsageError(tr("{path!r} is not a department", path=path), tr("write it like 公司/工程部"))
    return parts


def nearest(words: str, known: list[str], otherwise: str) -> str:
    """The hint after a name that is not there: the ones most like it, otherwise this."""
    from difflib import get_close_matches

    close = get_close_matches(words, dict.fromkeys(known), 3, 0.4)
    return tr("did you mean {names}?", names=either(close)) if close else otherwise
