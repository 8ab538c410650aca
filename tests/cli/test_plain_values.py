"""What an option says: taken where it is plain, and always what Typer itself would have made of it."""

from pathlib import Path
from typing import Any, Literal

import pytest
import typer
import typer.core
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer._click.exceptions import BadParameter
from typer._coercion import build_runtime_param, resolve_type_descriptor

from ippbx_billing.calls import TrafficType
from ippbx_billing.cli.plain_values import UNCLEAR, PlainValues, plain, use_where_plain
from ippbx_billing.documents.columns import Format
from tests.project.test_imports import loaded_by

KINDS = [str, int, float, bool, Path, TrafficType, Format, Literal["previous", "last-year"]]
THEIRS = build_runtime_param
NUMBERS = st.integers(-(10**18), 10**18).map(str) | st.decimals(allow_nan=True).map(str)
WORDS = st.sampled_from(["csv", "CSV", "local", "previous", "-", "", " 7", "7 ", "1_000", "07", "1e3", "5.", "yes"])
TEXTS = st.text(st.characters(exclude_characters="\0")) | st.text("0123456789-+._ e\ud800") | NUMBERS | WORDS


class Parameter:
    """As much of a parameter as a coercion asks for."""

    multiple, nargs, name = False, 1, "it"


def outcome(of: Any, value: Any) -> tuple[str, Any]:
    """The value with its kind, or the words with which it is refused."""
    context: Any = typer.Context(typer.core.TyperCommand("it"))
    try:
        found = of.coerce(value, param=Parameter(), ctx=context)
    except BadParameter as refused:
        return "refused", refused.message
    return type(found).__name__, repr(found)  # nan is not itself


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("more", [{}, {"min": 1}, {"max": 5}, {"exists": True}, {"case_sensitive": False}], ids=str)
@given(value=TEXTS)
@example("0")
@example("\udce9")
@settings(max_examples=25, deadline=None)
def test_a_value_is_what_typer_makes_of_it(kind: Any, more: dict[str, Any], value: str) -> None:
    """The same value, or the same refusal in the same words, for whatever is typed."""
    descriptor = resolve_type_descriptor(kind, typer.Option(**more))
    assert outcome(PlainValues(descriptor, THEIRS), value) == outcome(THEIRS(descriptor), value)


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        ("2026-10", str, "2026-10"),
        ("61", int, 61),
        (61, int, 61),
        ("0.5", float, 0.5),
        ("a.csv", Path, Path("a.csv")),
        ("csv", Format, Format.CSV),
        (Format.CSV, Format, Format.CSV),
        ("previous", Literal["previous", "last-year"], "previous"),
        ("six", int, UNCLEAR),
        ("next", Literal["previous", "last-year"], UNCLEAR),
        (True, int, UNCLEAR),
    ],
)
def test_what_is_plain(value: Any, kind: Any, found: Any) -> None:
    """The usual words need no validator."""
    assert plain(value, kind, typer.Option()) == found


def test_a_file_that_must_not_be_read_is_refused_by_typer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root every file can be read, so the answer of the system is put in its mouth."""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    secret, new = tmp_path / "secret", tmp_path / "new"
    secret.touch()
    assert plain(str(secret), Path, typer.Option()) is UNCLEAR
    assert plain(str(new), Path, typer.Option()) == new


def test_typer_still_asks_at_the_place_where_we_stand() -> None:
    """Fails where a Typer makes its validators elsewhere: then `plain_values` does nothing, and start-up is slower."""
    use_where_plain()
    ours = typer.core.build_runtime_param  # type: ignore[attr-defined]
    use_where_plain()
    assert typer.core.build_runtime_param is ours  # type: ignore[attr-defined]
    command = typer.main.get_command(app_of_one_option())
    assert isinstance(command.params[0].get_runtime_param(), PlainValues)  # type: ignore[attr-defined]


def app_of_one_option() -> typer.Typer:
    app = typer.Typer(add_completion=False)

    @app.command()
    def report(month: str = "this", top: int | None = None) -> None:
        """Has an option of each of two kinds."""

    return app


def test_a_report_loads_no_validator(site: Path) -> None:
    """The options of a whole command are told without pydantic, which takes as long as all the rest."""
    words = ["--data-dir", str(site), "report", "--month", "2026-10", "--top", "3", "--traffic-type", "local"]
    loaded = {name.split(".")[0] for name in loaded_by(*words, "--format", "json", "--output", str(site / "it.json"))}
    assert "typer" in loaded
    assert not loaded & {"pydantic", "pydantic_core", "email"}
    assert (site / "it.json").exists()
