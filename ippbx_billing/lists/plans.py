"""Plans of the month as files and as words: TOML to edit, CSV and XLSX for spreadsheets, a line for a terminal.

    found = read("plans.csv", content)       # every plan, or every fault with its place
    content = write(FileForm.TOML, plans)    # read again, the very same plans

The one idea: a plan is a row of texts under fixed names, and one reader makes a plan of them whichever form they come
in. Steps of a volume are written `500:0.10` (beyond 500 minutes, 0.10 a minute) or `500:-20%` (20 percent off).
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ippbx_billing import money
from ippbx_billing.calls import Direction, TrafficType
from ippbx_billing.documents.columns import Column
from ippbx_billing.language import tr
from ippbx_billing.lists import sheets
from ippbx_billing.lists.tariffs import FileForm, LineFault, cells, form_of
from ippbx_billing.lists.tariffs.words import DIRECTIONS, TRAFFIC_TYPES
from ippbx_billing.tariffs.plans import MINUTE_S, Plan, VolumeStep

COLUMNS = (
    "name", "kind", "carrier", "scope", "scope_value", "traffic_types", "direction", "amount", "included_s", "unit_s",
    "steps", "reach", "part_month", "decimals", "effective_from", "effective_to", "note",
)  # fmt: skip
NUMBERS = frozenset({"included_s", "unit_s", "decimals"})
ANY = "any"  # both directions; an empty cell is outgoing calls
SEARCHED_ROWS = 20  # titles may stand above the headings
HEADER = """\
# Plans of the month. Edit them and bring them back with `ippbx-bill tariffs plans import`.
#
# kind: free_time (included_s seconds), included_amount (amount), volume (steps), monthly_fee (amount). scope: site,
# trunk, department or extension, with scope_value for a single one; without it each has a plan of its own. unit_s says
# how talk time is counted: 60 by begun minutes, 1 by seconds. A step "500:0.10" is 0.10 a minute beyond 500 minutes,
# "500:-20%" takes 20 percent off; reach says whether it is for the minutes beyond (marginal) or for all of the month.
"""


@dataclass(frozen=True, slots=True)
class FoundPlans:
    """What a file says: its plans, or faults with their places."""

    plans: tuple[Plan, ...] = ()
    faults: tuple[LineFault, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanChanges:
    """What a file would change: versions that come or are others, those that go, and how many stay as they are."""

    coming: tuple[Plan, ...]
    gone: tuple[Plan, ...]
    same: int


def plan_changes(present: Iterable[Plan], wanted: Iterable[Plan], *, whole: bool) -> PlanChanges:
    """From the present plans to those of a file; one that is `whole` takes out what it does not have."""
    have = {(one.name, one.effective_from): replace(one, id=None) for one in present}
    want = {(one.name, one.effective_from): one for one in wanted}
    coming = tuple(one for key, one in want.items() if have.get(key) != one)
    gone = tuple(one for key, one in have.items() if whole and key not in want)
    return PlanChanges(coming, gone, len(want) - len(coming))


# -- reading


def read(name: str, content: bytes) -> FoundPlans:
    """The plans of a file; never raises for what is in it."""
    try:
        placed = list(_tables(name, content))
    except (ValueError, tomllib.TOMLDecodeError) as error:
        return FoundPlans(faults=(LineFault(name, str(error)),))
    plans: dict[tuple[str, date], Plan] = {}
    faults = []
    for where, values in placed:
        try:
            plan = plan_of(values)
            if plans.setdefault((plan.name, plan.effective_from), plan) is not plan:
                raise ValueError(tr("{name} from {day} is in the file twice", name=plan.name, day=plan.effective_from))
        except ValueError as error:
            faults.append(LineFault(where, str(error)))
    if not placed:
        faults.append(LineFault(name, tr("there is no plan in it; wanted are: {names}", names=", ".join(COLUMNS))))
    return FoundPlans(tuple(plans.values()), tuple(faults))


def _tables(name: str, content: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Each plan's texts with their place."""
    form = form_of(name, content)
    if form is FileForm.TOML:
        document = tomllib.loads(sheets.decoded(content))
        unknown = sorted(document.keys() - {"plans"})
        if unknown:
            raise ValueError(tr("{key} is unknown; known are {keys}", key=", ".join(unknown), keys="[[plans]]"))
        for number, table in enumerate(document.get("plans", []), start=1):
            yield tr("plan {number}", number=number), {key: _toml_text(value) for key, value in table.items()}
        return
    for sheet in sheets.read_xlsx(content) if form is FileForm.XLSX else [sheets.read_csv(content, COLUMNS)]:
        yield from _rows(sheet)


def _toml_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rows(sheet: sheets.Sheet) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows below the first one that has headings of ours."""
    for number, heading in enumerate(sheet.rows[:SEARCHED_ROWS], start=1):
        names = [cell.strip().lower() for cell in heading.cells]
        if {"name", "kind"} <= set(names):
            for row in filter(None, sheet.rows[number:]):
                yield row.where, {name: cell.strip() for name, cell in zip(names, row.cells, strict=False) if name}
            return


def plan_of(values: Mapping[str, str]) -> Plan:
    """The plan that these texts say; ValueError with a sentence for what is missing or wrong."""
    unknown = [key for key, text in values.items() if key not in COLUMNS and text]
    if unknown:
        raise ValueError(tr("{key} is unknown; known are {keys}", key=", ".join(unknown), keys=", ".join(COLUMNS)))
    given = {key: text for key, text in values.items() if text != ""}
    for key in ("name", "kind", "effective_from"):
        if key not in given:
            raise ValueError(tr("{column} is missing", column=key))
    kind = _read(given, "kind", lambda text: cells.word(text, KINDS))
    _check_figures(kind, given)
    return Plan(
        name=given["name"],
        kind=kind,
        carrier=given.get("carrier"),
        scope=_read(given, "scope", lambda text: cells.word(text, SCOPES), "site"),
        scope_value=given.get("scope_value", ""),
        traffic_types=_read(given, "traffic_types", traffic_types, ()),
        direction=_read(given, "direction", _direction, Direction.OUTBOUND),
        amount_micro=_read(given, "amount", cells.amount, 0),
        included_s=_read(given, "included_s", cells.seconds, 0),
        unit_s=_read(given, "unit_s", _unit, MINUTE_S),
        steps=_read(given, "steps", steps, ()),
        reach=_read(given, "reach", lambda text: cells.word(text, REACHES), "marginal"),
        part_month=_read(given, "part_month", lambda text: cells.word(text, PART_MONTHS), "whole"),
        decimals=_read(given, "decimals", _decimals),
        effective_from=_read(given, "effective_from", cells.day),
        effective_to=_read(given, "effective_to", cells.last_day),
        note=given.get("note", ""),
    )


KINDS: dict[Any, str] = {
    "free_time": "free minutes|免费时长|免费分钟",
    "volume": "volume discount|阶梯|阶梯资费",
    "included_amount": "included|包含金额|套餐金额",
    "monthly_fee": "monthly|月租|月租费|月费",
}
SCOPES: dict[Any, str] = {
    "site": "整个站点|站点|公司",
    "trunk": "中继",
    "department": "部门",
    "extension": "分机",
}
REACHES: dict[Any, str] = {"marginal": "超出部分", "all": "全部"}
PART_MONTHS: dict[Any, str] = {"whole": "整月", "days": "按天"}
FIGURES = {"free_time": "included_s", "included_amount": "amount", "volume": "steps", "monthly_fee": "amount"}


def _check_figures(kind: str, given: Mapping[str, str]) -> None:
    """A plan says the figure of its kind, and no other one."""
    wanted = FIGURES[kind]
    if wanted not in given:
        raise ValueError(tr("a plan of the kind {kind} says its {figure}", kind=kind, figure=wanted))
    for other in {*FIGURES.values()} - {wanted}:
        if given.get(other, "0") not in ("0", "0.00"):
            raise ValueError(tr("a plan of the kind {kind} has no {figure}", kind=kind, figure=other))


def _read(given: Mapping[str, str], key: str, reader: Callable[[str], Any], default: Any = None) -> Any:
    if key not in given:
        return default
    try:
        return reader(given[key])
    except ValueError as error:
        raise ValueError(
            tr("{column} is {value!r}, but {wanted}", column=key, value=given[key], wanted=error)
        ) from error


def traffic_types(text: str) -> tuple[TrafficType, ...]:
    """Traffic types with commas between them."""
    return tuple(dict.fromkeys(cells.word(part, TRAFFIC_TYPES) for part in re.split("[,，;、]", text) if part.strip()))


def _direction(text: str) -> Direction | None:
    return None if text.strip().lower() in (ANY, "双向", "所有") else cells.word(text, DIRECTIONS)


def _unit(text: str) -> int:
    found = cells.seconds(text)
    if not found:
        raise ValueError(tr("whole seconds are expected, such as 60"))
    return found


def _decimals(text: str) -> int:
    if not re.fullmatch("[0-6]", text.strip()):
        raise ValueError(tr("a whole number from 0 to 6 is expected"))
    return int(text)


_STEP = re.compile(
    r"(?P<from>\d{1,8})(?P<unit>s?)\s*[:：]\s*(?:[-–−]\s*(?P<percent>[\d.]+)\s*[%％]|(?P<rate>[^\s%％]+))", re.ASCII
)


def steps(text: str) -> tuple[VolumeStep, ...]:
    """Steps with commas between them: `500:0.10, 1000:-20%`."""
    return tuple(map(step, re.split(r"[,，;；]\s*", text.strip())))


def step(text: str) -> VolumeStep:
    """One step: beyond how many minutes (`500`) or seconds (`90s`), and a price a minute or a percentage off."""
    found = _STEP.fullmatch(text.strip())
    if found is None:
        raise ValueError(tr("a step is expected, such as 500:0.10 or 500:-20%"))
    beyond_s = int(found["from"]) * (1 if found["unit"] else MINUTE_S)
    if found["percent"]:
        return VolumeStep(beyond_s, percent_off=percent(found["percent"]))
    return VolumeStep(beyond_s, per_minute_micro=cells.amount(found["rate"]))


def percent(text: str) -> int:
    """A percentage in millionths of one percent: `6`, `6 %`, `2.5%`."""
    try:
        found = money.parse(text.strip().rstrip("%％").strip())
    except ValueError:
        found = -1
    if not 0 <= found <= 1000 * money.MICRO:
        raise ValueError(tr("a percentage is expected, such as 6 or 2.5"))
    return found


# -- writing


def write(form: FileForm, plans: Iterable[Plan]) -> bytes:
    """A file of these plans; read again they are the same."""
    if form is FileForm.TOML:
        return "\n".join([HEADER, *(_toml_table(plan) for plan in plans)]).encode("utf-8", "replace")
    rows = [tuple(texts_of(plan)[column] for column in COLUMNS) for plan in plans]
    if form is FileForm.CSV:
        return sheets.write_csv(COLUMNS, rows)
    return sheets.write_xlsx("plans", COLUMNS, rows, numbers=NUMBERS, wide=("name", "steps", "note"))


def texts_of(plan: Plan) -> dict[str, str]:
    """The plan as the texts that `plan_of` reads."""
    return {
        "name": plan.name,
        "kind": plan.kind,
        "carrier": plan.carrier or "",
        "scope": plan.scope,
        "scope_value": plan.scope_value,
        "traffic_types": ", ".join(plan.traffic_types),
        "direction": plan.direction.value if plan.direction else ANY,
        "amount": money.text(plan.amount_micro) if plan.amount_micro else "",
        "included_s": str(plan.included_s) if plan.included_s else "",
        "unit_s": str(plan.unit_s),
        "steps": ", ".join(map(step_text, plan.steps)),
        "reach": plan.reach,
        "part_month": plan.part_month,
        "decimals": "" if plan.decimals is None else str(plan.decimals),
        "effective_from": plan.effective_from.isoformat(),
        "effective_to": plan.effective_to.isoformat() if plan.effective_to else "",
        "note": plan.note,
    }


def step_text(one: VolumeStep) -> str:
    """A step as `step` reads it."""
    minutes, rest = divmod(one.beyond_s, MINUTE_S)
    beyond = f"{one.beyond_s}s" if rest else str(minutes)
    if one.percent_off is not None:
        return f"{beyond}:-{money.text(one.percent_off, 0)}%"
    return f"{beyond}:{money.text(one.per_minute_micro or 0)}"


def _toml_table(plan: Plan) -> str:
    texts = {key: text for key, text in texts_of(plan).items() if text != ""}
    return "\n".join(["[[plans]]", *(f"{key} = {_toml_value(key, text)}" for key, text in texts.items()), ""])


def _toml_value(key: str, text: str) -> str:
    if key in NUMBERS or key in ("effective_from", "effective_to"):
        return text
    if key in ("traffic_types", "steps"):
        return json.dumps(text.split(", "), ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


# -- showing


def plan_row(plan: Plan) -> dict[str, Any]:
    """A plan with the keys of the contract; what is not said is null."""
    texts: dict[str, Any] = {key: text or None for key, text in texts_of(plan).items()}
    return texts | {
        "traffic_types": [one.value for one in plan.traffic_types],
        "included_s": plan.included_s or None,
        "unit_s": plan.unit_s,
        "steps": list(map(step_text, plan.steps)),
        "decimals": plan.decimals,
    }


def shown(plan: Plan) -> dict[str, Any]:
    """A plan as people read it in a table."""
    return {
        "name": plan.name,
        "plan": in_words(plan),
        "for": for_whom(plan),
        "effective_from": plan.effective_from.isoformat(),
        "effective_to": plan.effective_to and plan.effective_to.isoformat(),
    }


def columns() -> list[Column]:
    """The columns of `shown`."""
    return [
        Column("name", tr("Plan")),
        Column("plan", tr("What it gives or takes")),
        Column("for", tr("For")),
        Column("effective_from", tr("Valid from"), "time"),
        Column("effective_to", tr("Until"), "time"),
    ]


def in_words(plan: Plan) -> str:
    """`300 free minutes a month, counted by begun minutes`."""
    amount = money.text(plan.amount_micro)
    what = {
        "free_time": lambda: tr("{length} free a month", length=length_text(plan.included_s)),
        "included_amount": lambda: tr("{amount} included a month", amount=amount),
        "monthly_fee": lambda: tr("{amount} a month", amount=amount),
        "volume": lambda: ", ".join(map(_step_words, plan.steps)),
    }[plan.kind]()
    counted = _unit_words(plan.unit_s) if plan.kind in ("free_time", "volume") else ""
    reach = tr("for all minutes of the month") if plan.reach == "all" and plan.kind == "volume" else ""
    days = tr("by days where the month is not whole") if plan.part_month == "days" else ""
    return ", ".join(filter(None, (what, reach, counted, days)))


def _unit_words(unit_s: int) -> str:
    if unit_s == MINUTE_S:
        return tr("counted by begun minutes")
    return tr("counted by seconds") if unit_s == 1 else tr("counted by each begun {seconds} s", seconds=unit_s)


def _step_words(one: VolumeStep) -> str:
    beyond = length_text(one.beyond_s)
    if one.percent_off is not None:
        return tr("beyond {length} {percent} % off", length=beyond, percent=money.text(one.percent_off, 0))
    return tr("beyond {length} {amount} a minute", length=beyond, amount=money.text(one.per_minute_micro or 0))


def length_text(seconds: int) -> str:
    """A length of time in minutes, in seconds where it is not a whole number of them."""
    minutes, rest = divmod(seconds, MINUTE_S)
    return tr("{count} s", count=seconds) if rest else tr("{count} min", count=minutes)


def for_whom(plan: Plan) -> str:
    """For whose calls, and which of them, in a few words."""
    single = {
        "site": tr("the whole site"),
        "trunk": tr("trunk {name}", name=plan.scope_value),
        "department": tr("department {name}", name=plan.scope_value),
        "extension": tr("extension {name}", name=plan.scope_value),
    }
    each = {"trunk": tr("each trunk"), "department": tr("each department"), "extension": tr("each extension")}
    who = each[plan.scope] if plan.scope != "site" and not plan.scope_value else single[plan.scope]
    kinds = "/".join(tr(one.value) for one in plan.traffic_types)
    way = tr("both ways") if plan.direction is None else ""
    way = tr(plan.direction.value) if plan.direction not in (None, Direction.OUTBOUND) else way
    return ", ".join(filter(None, (who, plan.carrier, kinds, way)))
