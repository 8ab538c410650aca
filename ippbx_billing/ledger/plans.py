"""The plans of the month, and what each department's bills add to the fees: tables that people edit.

ledger.plans.put(Plan(name="300 分钟", kind="free_time", included_s=18_000, effective_from=date(2026, 10, 1)))
ledger.plans.put_terms(BillingTerms("公司/工程部", date(2026, 10, 1), tax_percent=6_000_000))
"""

import json
import sqlite3
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from ippbx_billing.calls import Direction, TrafficType
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.ledger.departments import DepartmentTables, nearest
from ippbx_billing.ledger.editing import editing
from ippbx_billing.tariffs.plans import Plan, VolumeStep
from ippbx_billing.tariffs.terms import BillingTerms


class PlanTables:
    """The tables `plans` and `department_terms`; each change is a transaction of its own."""

    def __init__(self, connection: sqlite3.Connection, departments: DepartmentTables) -> None:
        self.connection = connection
        self._departments = departments

    # -- plans

    def plans(self, name: str | None = None) -> list[Plan]:
        """Every version of every plan, or of the one of this name, the oldest first."""
        rows = self.connection.execute(
            "SELECT p.*, c.name AS carrier FROM plans p LEFT JOIN carriers c ON c.id = p.carrier_id "
            f"{'WHERE p.name = ? ' if name is not None else ''}ORDER BY p.name, p.effective_from",
            [] if name is None else [name],
        ).fetchall()
        paths = self._departments.paths() if any(row["department_id"] for row in rows) else {}
        return [_plan(row, paths) for row in rows]

    def plan(self, name: str) -> list[Plan]:
        """The versions of the plan of this name; NotFoundError names those most like it."""
        found = self.plans(name)
        if not found:
            known = [one.name for one in self.plans()]
            hint = nearest(name, known, tr("see `ippbx-bill tariffs plans list`"))
            raise NotFoundError(tr("there is no plan {name}", name=name), hint)
        return found

    def put(self, *plans: Plan) -> None:
        """Add versions of plans, or change those of the same name and first day, all or none."""
        with editing(self.connection):
            for plan in plans:
                row = self._row(plan)
                self.connection.execute(
                    f"INSERT INTO plans ({', '.join(row)}) VALUES ({', '.join('?' * len(row))}) "
                    "ON CONFLICT (name, effective_from) DO UPDATE SET "
                    + ", ".join(f"{name} = excluded.{name}" for name in row),
                    list(row.values()),
                )

    def remove(self, name: str, day: date | None = None) -> None:
        """Take a plan out of all months; with `day` it ends before that day, and earlier months keep it."""
        self.plan(name)
        with editing(self.connection):
            begun = "" if day is None else " AND effective_from >= ?"
            days = [] if day is None else [day.isoformat()]
            self.connection.execute(f"DELETE FROM plans WHERE name = ?{begun}", [name, *days])
            if day is not None:
                last = (day - timedelta(days=1)).isoformat()
                self.connection.execute(
                    "UPDATE plans SET effective_to = ? WHERE name = ? AND ifnull(effective_to, ?) >= ?",
                    [last, name, last, last],
                )

    def forget(self, versions: Iterable[Plan]) -> None:
        """As if these versions had never been entered."""
        with editing(self.connection):
            for one in versions:
                key = [one.name, one.effective_from.isoformat()]
                self.connection.execute("DELETE FROM plans WHERE name = ? AND effective_from = ?", key)

    def _row(self, plan: Plan) -> dict[str, Any]:
        """What is stored of a plan; NotFoundError for a carrier or a department that is not there."""
        of_department = plan.scope == "department" and plan.scope_value
        department = self._departments.department(plan.scope_value) if of_department else None
        return {
            "name": plan.name,
            "kind": plan.kind,
            "carrier_id": self._carrier_id(plan.carrier),
            "scope": plan.scope,
            "scope_value": "" if department else plan.scope_value,
            "department_id": department.id if department else None,
            "traffic_types": ",".join(plan.traffic_types),
            "direction": plan.direction and plan.direction.value,
            "amount_micro": plan.amount_micro,
            "included_s": plan.included_s,
            "unit_s": plan.unit_s,
            "steps": json.dumps([[one.beyond_s, one.per_minute_micro, one.percent_off] for one in plan.steps]),
            "reach": plan.reach,
            "part_month": plan.part_month,
            "decimals": plan.decimals,
            "effective_from": plan.effective_from.isoformat(),
            "effective_to": plan.effective_to and plan.effective_to.isoformat(),
            "note": plan.note,
        }

    def _carrier_id(self, name: str | None) -> int | None:
        if name is None:
            return None
        row = self.connection.execute("SELECT id FROM carriers WHERE name = ? AND NOT ended", [name]).fetchone()
        if row is None:
            raise NotFoundError(tr("there is no carrier {name}", name=name), tr("see `ippbx-bill carriers list`"))
        return int(row[0])

    # -- mark-up and tax

    def terms(self) -> list[BillingTerms]:
        """The terms of all departments and of the site, department by department, the oldest first."""
        rows = self.connection.execute("SELECT * FROM department_terms").fetchall()
        paths = self._departments.paths() if rows else {}
        found = [_terms(row, paths) for row in rows]
        return sorted(found, key=lambda one: (one.department or "", one.effective_from))

    def put_terms(self, terms: BillingTerms) -> BillingTerms:
        """Let these terms hold from their first day on; gives them with the department's whole path."""
        with editing(self.connection):
            department = self._departments.department(terms.department) if terms.department else None
            self._remove_terms(department.id if department else None, terms.effective_from)
            self.connection.execute(
                "INSERT INTO department_terms VALUES (?, ?, ?, ?, ?)",
                [department.id if department else None, terms.effective_from.isoformat(), *terms.figures],
            )
        return BillingTerms(department.path if department else None, terms.effective_from, *terms.figures)

    def remove_terms(self, path: str | None, day: date | None = None) -> None:
        """Take out what a department, or the site, says itself: all of it, or what it says from this day on."""
        department = self._departments.department(path) if path else None
        with editing(self.connection):
            if not self._remove_terms(department.id if department else None, day):
                raise NotFoundError(
                    tr("{path} has no terms of its own", path=department.path if department else tr("the whole site")),
                    tr("see `ippbx-bill departments terms list`"),
                )

    def _remove_terms(self, department_id: int | None, day: date | None) -> int:
        when = "" if day is None else " AND effective_from = ?"
        days = [] if day is None else [day.isoformat()]
        sql = f"DELETE FROM department_terms WHERE department_id IS ?{when}"
        return self.connection.execute(sql, [department_id, *days]).rowcount


def _plan(row: sqlite3.Row, paths: dict[int | None, str]) -> Plan:
    return Plan(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        carrier=row["carrier"],
        scope=row["scope"],
        scope_value=paths[row["department_id"]] if row["department_id"] else row["scope_value"],
        traffic_types=tuple(map(TrafficType, filter(None, row["traffic_types"].split(",")))),
        direction=Direction(row["direction"]) if row["direction"] else None,
        amount_micro=row["amount_micro"],
        included_s=row["included_s"],
        unit_s=row["unit_s"],
        steps=tuple(VolumeStep(*step) for step in json.loads(row["steps"])),
        reach=row["reach"],
        part_month=row["part_month"],
        decimals=row["decimals"],
        effective_from=date.fromisoformat(row["effective_from"]),
        effective_to=date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
        note=row["note"],
    )


def _terms(row: sqlite3.Row, paths: dict[int | None, str]) -> BillingTerms:
    day = date.fromisoformat(row["effective_from"])
    path = paths[row["department_id"]] if row["department_id"] else None
    return BillingTerms(path, day, row["markup_percent"], row["markup_per_call_micro"], row["tax_percent"])
