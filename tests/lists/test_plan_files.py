"""Plans of the month as files: nothing is lost on the way out and in, every fault has its place; their commands."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippbx_billing import money
from ippbx_billing.calls import Direction, TrafficType
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists import plans as lists
from ippbx_billing.lists.tariffs import FileForm
from ippbx_billing.tariffs.plans import HUNDRED_PERCENT, Plan, VolumeStep
from tests.conftest import Cli

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Z"]), min_size=1, max_size=12)
AMOUNT = st.integers(1, 10**13)
DAY = st.dates(date(2000, 1, 1), date(2070, 1, 1))
BEYOND = st.integers(0, 10**6)
STEP = st.one_of(
    st.builds(VolumeStep, BEYOND, per_minute_micro=st.integers(0, 10**10)),
    st.builds(VolumeStep, BEYOND, percent_off=st.integers(0, HUNDRED_PERCENT)),
)
STEPS = st.lists(STEP, min_size=1, max_size=4, unique_by=lambda step: step.beyond_s).map(tuple)
FIGURES = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["monthly_fee", "included_amount"]), "amount_micro": AMOUNT}),
    st.fixed_dictionaries({"kind": st.just("free_time"), "included_s": st.integers(1, 10**7)}),
    st.fixed_dictionaries({"kind": st.just("volume"), "steps": STEPS, "reach": st.sampled_from(["marginal", "all"])}),
)
SCOPE = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"scope": st.sampled_from(["trunk", "department", "extension"]), "scope_value": TEXT}),
)
REST = st.fixed_dictionaries(
    {
        "carrier": st.none() | TEXT,
        "traffic_types": st.lists(st.sampled_from(TrafficType), unique=True, max_size=3).map(tuple),
        "direction": st.none() | st.sampled_from(Direction),
        "unit_s": st.integers(1, 3600),
        "part_month": st.sampled_from(["whole", "days"]),
        "decimals": st.none() | st.integers(0, 6),
        "effective_from": DAY,
        "note": st.just("") | TEXT,
    }
)
PLANS = st.builds(lambda name, *parts: Plan(name=name, **{k: v for part in parts for k, v in part.items()}),
                  TEXT, FIGURES, SCOPE, REST)  # fmt: skip


@pytest.mark.parametrize("form", list(FileForm))
@settings(max_examples=40, deadline=None)
@given(plans=st.lists(PLANS, min_size=1, max_size=4, unique_by=lambda one: (one.name, one.effective_from)))
def test_what_is_written_is_read_again(form: FileForm, plans: list[Plan]) -> None:
    """Whatever the plans, in all three forms."""
    found = lists.read(f"plans.{form}", lists.write(form, plans))
    assert found.faults == ()
    assert list(found.plans) == plans


def test_every_fault_has_its_place() -> None:
    """A row without its figure, a kind that is none, an end before the beginning; nothing half read comes out."""
    text = (
        "name,kind,included_s,amount,effective_from,effective_to\n"
        "a,free_time,,,2026-10-01,\n"
        "b,gift,,1,2026-10-01,\n"
        "c,monthly_fee,,1,2026-10-01,2026-09-01\n"
        "d,monthly_fee,60,1,2026-10-01,\n"
        "e,monthly_fee,,1,soon,\n"
        "f,monthly_fee,,1,2026-10-01,\n"
        "f,monthly_fee,,2,2026-10-01,\n"
    )
    faults = [str(one) for one in lists.read("plans.csv", text.encode()).faults]
    assert [fault.split(":")[0] for fault in faults] == [f"line {n}" for n in (2, 3, 4, 5, 6, 8)]
    assert "a plan of the kind free_time says its included_s" in faults[0]
    assert "kind is 'gift'" in faults[1]
    assert "a plan of the kind monthly_fee has no included_s" in faults[3]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plans.toml", b"[[prices]]\n"),
        ("plans.toml", b"name = "),
        ("plans.toml", b"[[plans]]\nname = 'a'\nkind = 'monthly_fee'\ncolour = 'red'\n"),
        ("plans.csv", b"a,b\n1,2\n"),
        ("plans.xlsx", b"PK rubbish"),
        ("plans.csv", b""),
    ],
)
def test_what_is_no_file_of_plans_is_said(name: str, content: bytes) -> None:
    """Never an exception, never an empty success."""
    found = lists.read(name, content)
    assert found.faults
    assert found.plans == ()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("500:0.10", VolumeStep(30_000, per_minute_micro=100_000)),
        ("500：-20%", VolumeStep(30_000, percent_off=20_000_000)),
        ("90s:0", VolumeStep(90, per_minute_micro=0)),
        ("0:-2.5 %", VolumeStep(0, percent_off=2_500_000)),
    ],
)
def test_steps_as_people_write_them(text: str, wanted: VolumeStep) -> None:
    """Minutes or seconds, a price or a percentage."""
    assert lists.step(text) == wanted


@pytest.mark.parametrize("text", ["500", "500:", ":0.10", "500:20%", "500:-101%", "5,5:1", "-5:1", "500:abc"])
def test_steps_that_are_none(text: str) -> None:
    """Said, never guessed: 20 % may be the price or the discount."""
    with pytest.raises(ValueError, match=r"\w"):
        lists.steps(text)


# --- commands ----------------------------------------------------------------------------------------------------


def listed(cli: Cli) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(cli("tariffs", "plans", "list", "--format", "json").stdout)
    return found


def test_set_list_and_remove(cli: Cli) -> None:
    """A version from a later day stands beside the earlier one; `remove --from` lets the past be."""
    for minutes, day in (("300", "2026-10-01"), ("400", "2026-12-01")):
        result = cli("tariffs", "plans", "set", "min", "--free-minutes", minutes, "--count-by", "second",
                     "--scope", "extension", "--traffic-type", "local", "--from", day)  # fmt: skip
        assert result.exit_code == 0, result.output
    assert "400 min free a month, counted by seconds; each extension, local" in result.stderr
    assert [(row["included_s"], row["effective_from"]) for row in listed(cli)] == [
        (18_000, "2026-10-01"),
        (24_000, "2026-12-01"),
    ]
    assert cli("tariffs", "plans", "remove", "min", "--from", "2026-11-01").exit_code == 0
    assert [(row["included_s"], row["effective_to"]) for row in listed(cli)] == [(18_000, "2026-10-31")]
    assert cli("tariffs", "plans", "remove", "min").exit_code == 0
    assert listed(cli) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["x"], "not told, or told twice"),
        (["x", "--free-minutes", "3", "--included", "5"], "not told, or told twice"),
        (["x", "--monthly-fee", "5", "--scope", "planet"], "scope is 'planet'"),
        (["x", "--monthly-fee", "5", "--scope", "trunk=FXO-9"], "there is no trunk FXO-9"),
        (["x", "--monthly-fee", "5", "--scope", "extension=8999"], "there is no extension 8999"),
        (["x", "--monthly-fee", "5", "--scope", "department=财务"], "there is no department 财务"),
        (["x", "--monthly-fee", "5", "--carrier", "022"], "there is no carrier 022"),
        (["x", "--beyond", "500:20%"], "a step is expected"),
        (["x", "--monthly-fee", "much"], "amount is 'much'"),
    ],
)
def test_a_plan_that_cannot_be_set_says_why(cli: Cli, words: list[str], told: str) -> None:
    """And nothing is kept."""
    result = cli("tariffs", "plans", "set", *words)
    assert result.exit_code != 0
    assert told in result.stderr
    assert listed(cli) == []


@pytest.mark.parametrize("form", list(FileForm))
def test_plans_move_to_another_site(cli: Cli, site: Path, tmp_path: Path, form: FileForm) -> None:
    """Out in each form and in again: the same plans, and a second time nothing changes."""
    file = tmp_path / f"plans.{form}"
    plans = [
        Plan(name="300 分钟", kind="free_time", included_s=18_000, effective_from=date(2026, 10, 1),
             traffic_types=(TrafficType.LOCAL, TrafficType.DOMESTIC), carrier="022-天津-电信"),
        Plan(name="阶梯", kind="volume", effective_from=date(2026, 10, 1), effective_to=date(2027, 9, 30),
             steps=(VolumeStep(30_000, per_minute_micro=100_000), VolumeStep(60_000, percent_off=2_500_000))),
        Plan(name="=月租", kind="monthly_fee", amount_micro=money.parse("19.90"), effective_from=date(2026, 10, 1),
             scope="extension", direction=None, note="contract 7"),
    ]  # fmt: skip
    with Ledger(site / "ledger.db") as ledger:
        ledger.plans.put(*plans)
        before = ledger.plans.plans()
    assert cli("tariffs", "plans", "export", "--output", str(file)).exit_code == 0
    for one in plans:
        assert cli("tariffs", "plans", "remove", one.name).exit_code == 0
    assert "3 plans set, 0 removed, 0 as before" in cli("tariffs", "plans", "import", str(file), "--dry-run").stderr
    assert listed(cli) == []
    assert "3 plans set, 0 removed, 0 as before" in cli("tariffs", "plans", "import", str(file)).stderr
    assert "0 plans set, 0 removed, 3 as before" in cli("tariffs", "plans", "import", str(file)).stderr
    with Ledger(site / "ledger.db") as ledger:
        after = ledger.plans.plans()
    assert [{**lists.texts_of(one)} for one in after] == [{**lists.texts_of(one)} for one in before]


def test_replace_takes_out_what_the_file_does_not_have(cli: Cli, tmp_path: Path) -> None:
    """Only with --replace; faults bring in nothing."""
    file = tmp_path / "plans.csv"
    cli("tariffs", "plans", "set", "old", "--monthly-fee", "5")
    file.write_text("name,kind,amount,effective_from\nnew,monthly_fee,7,2026-10-01\nbad,monthly_fee,,2026-10-01\n")
    result = cli("tariffs", "plans", "import", str(file), "--replace")
    assert result.exit_code == 1
    assert "line 3: a plan of the kind monthly_fee says its amount" in result.stderr
    assert [row["name"] for row in listed(cli)] == ["old"]
    file.write_text("name,kind,amount,effective_from\nnew,monthly_fee,7,2026-10-01\n")
    assert cli("tariffs", "plans", "import", str(file)).exit_code == 0
    assert [row["name"] for row in listed(cli)] == ["new", "old"]
    assert "1 removed" in cli("tariffs", "plans", "import", str(file), "--replace").stderr
    assert [row["name"] for row in listed(cli)] == ["new"]


def test_a_carrier_takes_its_plans_along(cli: Cli) -> None:
    """They go with a carrier that no call was ever rated by."""
    assert cli("carriers", "add", "010-北京-acme", "--no-standard").exit_code == 0
    assert cli("tariffs", "plans", "set", "rent", "--monthly-fee", "5", "--carrier", "010-北京-acme").exit_code == 0
    assert [row["carrier"] for row in listed(cli)] == ["010-北京-acme"]
    assert cli("carriers", "remove", "010-北京-acme").exit_code == 0
    assert listed(cli) == []
