"""How operators and their sessions look."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.language import tr
from ippbx_billing.operators import Operator
from ippbx_billing.operators.visits import Visit


def rows(operators: Iterable[Operator], visits: Iterable[Visit]) -> list[dict[str, Any]]:
    """Each operator; `sessions` is how often they are signed in now."""
    signed_in = [one.operator_id for one in visits]
    return [
        {
            "name": one.name,
            "role": one.role.value,
            "department": one.department,
            "employee": one.employee,
            "language": one.language or None,
            "password": one.has_password,
            "disabled": one.disabled,
            "sessions": signed_in.count(one.id),
        }
        for one in operators
    ]


def columns(form: Format = Format.TABLE) -> list[Column]:
    """The columns of `rows`."""
    found = [
        Column("name", tr("User name")),
        Column("role", tr("Role"), "word"),
        Column("department", tr("Department")),
        Column("employee", tr("Staff no."), "code"),
        Column("language", tr("Language"), "code", rank=2),
        Column("password", tr("Password set"), "flag", rank=1),
        Column("disabled", tr("Disabled"), "flag"),
        Column("sessions", tr("Sessions"), "number", rank=3),
    ]
    return [Column(one.key, one.key) for one in found] if form is Format.CSV else found


def visit_rows(visits: Iterable[Visit], names: Mapping[int, str], zone: tzinfo) -> list[dict[str, Any]]:
    """Each session, times on the site's clock."""
    return [
        {
            "id": one.id,
            "name": names.get(one.operator_id),
            "address": one.address,
            "browser": one.agent,
            "since": one.began_at.astimezone(zone).isoformat(),
            "last_used": one.seen_at.astimezone(zone).isoformat(),
            "ends": one.ends_at.astimezone(zone).isoformat(),
            "remembered": one.remembered,
        }
        for one in visits
    ]


def visit_columns(form: Format = Format.TABLE) -> list[Column]:
    """The columns of `visit_rows`."""
    found = [
        Column("id", tr("ID"), "code"),
        Column("name", tr("User name")),
        Column("address", tr("From"), "code"),
        Column("browser", tr("Browser"), rank=1),
        Column("since", tr("Since"), "time"),
        Column("last_used", tr("Last used"), "time"),
        Column("ends", tr("Ends"), "time", rank=2),
        Column("remembered", tr("Remembered"), "flag", rank=3),
    ]
    return [Column(one.key, one.key) for one in found] if form is Format.CSV else found
