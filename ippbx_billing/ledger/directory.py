"""Who is in which department and has which extension, from which day on.

The one idea: a fact holds from its first day until the next one of the same employee or extension, so that October's
calls stay with whoever had the extension in October. Calls are joined to `holders`, which every change works out anew.

    ledger.directory.add_employee("1001", "张三", "公司/工程部")
    ledger.directory.assign("8001", date(2026, 10, 1), employee="1001")
    ledger.directory.extension_history("8001")
"""

import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ippbx_billing.errors import BillingError, NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger.departments import DepartmentTables, nearest

EVER = date.min  # the first day of what holds from the beginning
NEVER = date.max  # the end of what holds until further notice


@dataclass(frozen=True, slots=True)
class Employee:
    """A person and where they are in the time from `first_day` until before `end_day`; `present` is False once gone."""

    id: int
    number: str
    name: str
    department: str | None = None
    first_day: date = EVER
    end_day: date = NEVER
    present: bool = True

    @property
    def last_day(self) -> date:
        """The last day of the time."""
        return self.end_day if self.end_day == NEVER else self.end_day - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.number} {self.name}" + (f" ({self.department})" if self.department else "")


@dataclass(frozen=True, slots=True)
class Extension:
    """One of our extensions and whose it is in the time from `first_day` until before `end_day`.

    `employee` is the holder's number and `name` their name; without one the extension is the department's, or nobody's.
    """

    number: str
    name: str | None = None
    department: str | None = None
    employee: str | None = None
    first_day: date = EVER
    end_day: date = NEVER
    present: bool = True

    @property
    def last_day(self) -> date:
        """The last day of the time."""
        return self.end_day if self.end_day == NEVER else self.end_day - timedelta(days=1)


class DirectoryTables(DepartmentTables):
    """Employees and extensions over time; each change is a transaction of its own, or part of `changing`."""

    def remove_department(self, path: str, day: date) -> None:
        """Take a department out of use; nobody may be in it from `day` on. The past keeps its name."""
        one = self.department(path)
        inside = [found.path for found in self.departments() if found.parent_id == one.id]
        inside += [str(found) for found in self.employees_from(day) if found.department == one.path]
        inside += [found.number for found in self.extensions_from(day) if found.department == one.path]
        if inside:
            listed = ", ".join(dict.fromkeys(inside[:5])) + (", …" if len(inside) > 5 else "")
            raise BillingError(
                tr("{path} still has {listed}", path=one.path, listed=listed),
                tr("move them first: departments move, employees move, extensions move"),
            )
        with self.changing():
            try:
                self.connection.execute("DELETE FROM departments WHERE id = ?", [one.id])
                self.set_mail("department", one.id, ())
                self._known_paths = None
            except sqlite3.IntegrityError:  # the past refers to it
                self.end_department(one.path)

    # -- employees

    def employees(self, day: date) -> list[Employee]:
        """The employees of this day, by number."""
        return [one for one in self.employee_history() if one.present and one.first_day <= day < one.end_day]

    def employees_from(self, day: date) -> list[Employee]:
        """The employees of this day and the days to come, once for each department they are in."""
        return [one for one in self.employee_history() if one.present and one.end_day > day]

    def employee_history(self, number: str | None = None) -> list[Employee]:
        """Where each employee, or the one of this number, was and is: one entry for each span of days."""
        paths = self.paths()
        rows = self.connection.execute(
            "SELECT e.id, e.number, e.name, m.department_id, m.first_day, m.in_use, lead(m.first_day, 1, ?) OVER "
            "(PARTITION BY e.id ORDER BY m.first_day) AS end_day "
            f"FROM employees e JOIN memberships m ON m.employee_id = e.id{' WHERE e.number = ?' if number else ''} "
            "ORDER BY length(e.number), e.number, m.first_day",
            [NEVER.isoformat(), *([number] if number else [])],
        )
        return [
            Employee(row["id"], row["number"], row["name"], paths.get(row["department_id"]), *_span(row))
            for row in rows
        ]

    def employee(self, words: str, day: date | None = None) -> Employee:
        """The employee with this number, or with this name where only one has it, as of `day` or at last.

        UsageError lists those who share the name.
        """
        spans = self.employee_history(words) or self.employee_history()
        found = {one.id: one for one in spans if words in (one.number, one.name)}
        if len(found) > 1:
            listed = ", ".join(str(one) for one in found.values())
            raise UsageError(
                tr("{count} employees are named {name}: {listed}", count=len(found), name=words, listed=listed),
                tr("give the number instead of the name, such as {number}", number=next(iter(found.values())).number),
            )
        if not found:
            names = [text for one in spans for text in (one.number, one.name)]
            hint = nearest(words, names, tr("see `ippbx-bill employees list`"))
            raise NotFoundError(tr("there is no employee {words}", words=words), hint)
        (number,) = found
        own = [one for one in spans if one.id == number]
        return next((one for one in own if day and one.first_day <= day < one.end_day), own[-1])

    def add_employee(self, number: str, name: str, department: str | None = None, day: date = EVER) -> Employee:
        """A new employee, or one who comes back; UsageError where the number is somebody's."""
        known = self.employee_history(number)
        present = [one for one in known if one.present and one.end_day > day]
        if present or (known and known[0].name != name):
            raise UsageError(
                tr("{number} is the number of {employee}", number=number, employee=known[0]),
                tr("choose another number, or see `employees move` and `employees rename`"),
            )
        with self.changing():
            self.connection.execute(
                "INSERT INTO employees (number, name) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET name = ?",
                [number, name, name],
            )
            self.place(number, day, department)
        return self.employee(number, day)

    def place(self, number: str, day: date, department: str | None, present: bool = True) -> None:
        """From `day` on the employee is in this department, which is made where it is new, in none, or not here."""
        with self.changing():
            self._state(
                "memberships",
                self._employee_id(number),
                day,
                {"department_id": self._department_id(department) if department else None, "in_use": int(present)},
            )

    def rename_employee(self, number: str, *, name: str | None = None, new_number: str | None = None) -> None:
        "Change the name or number, in the reports of all months."
        try:
            with self.changing():
                self.connection.execute(
                    "UPDATE employees SET name = ifnull(?, name), number = ifnull(?, number) WHERE id = ?",
                    [name, new_number, self._employee_id(number)],
                )
        except sqlite3.IntegrityError:
            raise UsageError(
                tr("{number} is the number of {employee}", number=new_number, employee=self.employee(new_number or "")),
                tr("choose another number"),
            ) from None

    def remove_employee(self, number: str, day: date) -> list[str]:
        """The employee leaves on `day`, and the extensions they have then become nobody's; gives these."""
        released = [one.number for one in self.extensions_from(day) if one.employee == number]
        with self.changing():
            self.connection.execute(
                "DELETE FROM memberships WHERE employee_id = ? AND first_day > ?",
                [self._employee_id(number), day.isoformat()],
            )
            self.place(number, day, None, present=False)
            for one in released:
                self.connection.execute(
                    "DELETE FROM assignments WHERE extension = ? AND first_day > ? AND employee_id = ?",
                    [one, day.isoformat(), self._employee_id(number)],
                )
                self.assign(one, day)
        return list(dict.fromkeys(released))

    def forget_employee(self, number: str) -> None:
        """As if the employee had never been entered."""
        held = sorted({one.number for one in self.extension_history() if one.employee == number})
        if held:
            raise BillingError(
                tr("{number} has or had the extension {listed}", number=number, listed=", ".join(held)),
                tr("give these to somebody else from the beginning, or leave out --entirely to keep the past"),
            )
        with self.changing():
            employee_id = self._employee_id(number)
            self.connection.execute("DELETE FROM memberships WHERE employee_id = ?", [employee_id])
            self.set_mail("employee", employee_id, ())
            self.connection.execute("DELETE FROM employees WHERE id = ?", [employee_id])

    def _employee_id(self, number: str) -> int:
        row = self.connection.execute("SELECT id FROM employees WHERE number = ?", [number]).fetchone()
        return int(row[0]) if row else self.employee(number).id

    # -- extensions

    def numbers(self) -> list[str]:
        """Every extension that is or was in the directory: what the site's numbers are told by."""
        rows = self.connection.execute(
            "SELECT DISTINCT extension FROM assignments ORDER BY length(extension), extension"
        )
        return [row[0] for row in rows]

    def extensions(self, day: date) -> list[Extension]:
        """The extensions of this day, by number."""
        return [one for one in self.extension_history() if one.present and one.first_day <= day < one.end_day]

    def extensions_from(self, day: date) -> list[Extension]:
        """The extensions of this day and the days to come, once for each holder and department."""
        return [one for one in self.extension_history() if one.present and one.end_day > day]

    def extension_history(self, number: str | None = None) -> list[Extension]:
        """Whose each extension, or the one of this number, was and is: one entry for each span of days."""
        paths = self.paths()
        rows = self.connection.execute(
            f"{_spans('WHERE extension = ?' if number else '')} "
            "SELECT s.extension, e.name, e.number, s.department_id, s.first_day, s.end_day, s.in_use FROM spans s "
            "LEFT JOIN employees e ON e.id = s.employee_id ORDER BY length(s.extension), s.extension, s.first_day",
            [number] if number else [],
        )
        return [
            Extension(row["extension"], row["name"], paths.get(row["department_id"]), row["number"], *_span(row))
            for row in rows
        ]

    def assign(
        self,
        extension: str,
        day: date,
        *,
        employee: str | None = None,
        department: str | None = None,
        present: bool = True,
    ) -> None:
        """From `day` on the extension is this employee's, else this department's, else nobody's; or it is not there.

        UsageError where the employee is not here on that day, and for a text that no telephone has.
        """
        if present:
            _must_be_extension(extension)
        if employee:
            self._must_be_here(employee, day)
        fact = {
            "employee_id": self._employee_id(employee) if employee else None,
            "department_id": None,
            "in_use": int(present),
        }
        with self.changing():
            if department and not employee:
                fact["department_id"] = self._department_id(department)
            self._state("assignments", extension, day, fact)

    def _must_be_here(self, number: str, day: date) -> None:
        spans = self.employee_history(number)
        if any(one.present and one.first_day <= day < one.end_day for one in spans):
            return
        begins = next((one.first_day for one in spans if one.present and one.first_day > day), None)
        raise UsageError(
            tr("{employee} is not here on {day}", employee=spans[-1] if spans else number, day=day),
            tr("say --from {day}", day=begins) if begins else tr("`employees add` brings back who left"),
        )

    def remove_extension(self, extension: str, day: date) -> None:
        """From `day` on nobody is reached under this number; earlier calls keep their holder."""
        self.known_extension(extension)
        with self.changing():
            self.connection.execute(
                "DELETE FROM assignments WHERE extension = ? AND first_day > ?", [extension, day.isoformat()]
            )
            self.assign(extension, day, present=False)

    def forget_extension(self, extension: str) -> None:
        """As if the extension had never been entered; its calls are nobody's."""
        self.known_extension(extension)
        with self.changing():
            self.connection.execute("DELETE FROM assignments WHERE extension = ?", [extension])

    def known_extension(self, extension: str) -> list[Extension]:
        """The history of an extension; NotFoundError where it was never in the directory."""
        found = self.extension_history(extension)
        if not found:
            raise NotFoundError(
                tr("there is no extension {number}", number=extension), tr("see `ippbx-bill extensions list`")
            )
        return found

    # -- facts over time

    def _state(self, table: str, key: int | str, day: date, fact: dict[str, Any]) -> None:
        """Let the fact hold from `day` until the next one; facts that say nothing new are not kept."""
        name = "employee_id" if table == "memberships" else "extension"
        row = {name: key, "first_day": day.isoformat(), **fact}
        self.connection.execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            list(row.values()),
        )
        before = ", ".join(
            f"lag({one}, 1, {0 if one == 'in_use' else 'NULL'}) OVER (ORDER BY first_day) AS before_{one}"
            for one in fact
        )
        same = " AND ".join(f"{one} IS before_{one}" for one in fact)
        self.connection.execute(
            f"DELETE FROM {table} WHERE {name} = ? AND first_day IN (SELECT first_day FROM "
            f"(SELECT *, {before} FROM {table} WHERE {name} = ?) WHERE {same})",
            [key, key],
        )

    def _settle(self) -> None:
        super()._settle()
        self.connection.execute("DELETE FROM holders")
        self.connection.execute(
            f"INSERT INTO holders {_spans()} SELECT extension, first_day, end_day, employee_id, department_id "
            "FROM spans WHERE employee_id IS NOT NULL OR department_id IS NOT NULL"
        )


def _spans(which: str = "") -> str:
    """Each extension's holders with their departments, one row for each span of days in which neither changes.

    An employee is in no department before the first membership.
    """
    return f"""
WITH held AS (
    SELECT extension, employee_id, department_id, in_use, first_day,
        lead(first_day, 1, '9999-12-31') OVER (PARTITION BY extension ORDER BY first_day) AS end_day
    FROM assignments {which}
), placed AS (
    SELECT h.extension, h.first_day, h.end_day, h.employee_id, m.department_id, m.first_day AS since, ifnull(
            (SELECT min(n.first_day) FROM memberships n WHERE n.employee_id = m.employee_id
                AND n.first_day > m.first_day), '9999-12-31') AS until
    FROM held h JOIN memberships m ON m.employee_id = h.employee_id
    UNION ALL
    SELECT extension, first_day, end_day, employee_id, NULL, '0000-00-00', ifnull(
            (SELECT min(n.first_day) FROM memberships n WHERE n.employee_id = held.employee_id), '9999-12-31')
    FROM held WHERE employee_id IS NOT NULL
), spans AS (
    SELECT extension, max(first_day, since) AS first_day, min(end_day, until) AS end_day, employee_id, department_id,
        1 AS in_use
    FROM placed WHERE since < end_day AND first_day < until
    UNION ALL
    SELECT extension, first_day, end_day, NULL, department_id, in_use FROM held WHERE employee_id IS NULL
)
"""


def _span(row: sqlite3.Row) -> tuple[date, date, bool]:
    return date.fromisoformat(row["first_day"]), date.fromisoformat(row["end_day"]), bool(row["in_use"])


def _must_be_extension(text: str) -> None:
    """An extension is one word without spaces: no record can bring another."""
    if not text or len(text.split()) != 1 or text != text.strip():
        raise UsageError(
            tr("{text!r} is not an extension", text=text), tr("write it as the PBX has it, without spaces: 8001")
        )
