"""Menu, pages and options of the practice PBX, as data.

screen = menu()[-1].screens[0]
screen.options[0].key(screen)  ->  "openapi.main.state"
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Names = Mapping[str, str]  # language -> name


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: a switch, text, password, url, list, select or area; `beside` shares the row of the one before."""

    name: str
    kind: str
    label: Names
    value: tuple[str, ...]
    tab: str
    choices: tuple[str, ...]
    beside: bool
    extra: bool
    longest: int
    fault: str  # only there while the device shows this fault
    required: bool
    depends: Mapping[str, str]  # option of the page -> value it must have for this row to be seen


@dataclass(frozen=True, slots=True)
class Screen:
    """A page with one section of options, in tabs or not."""

    node: str
    label: Names
    config: str
    section: str
    options: tuple[Option, ...]
    tabs: tuple[tuple[str, Names], ...]
    extra: bool

    def key(self, option: Option) -> str:
        """The option's full name."""
        return f"{self.config}.{self.section}.{option.name}"


@dataclass(frozen=True, slots=True)
class Group:
    """An entry of the menu with the pages below it."""

    node: str
    label: Names
    screens: tuple[Screen, ...]


@cache
def menu() -> tuple[Group, ...]:
    """The whole menu."""
    return tuple(
        Group(group["node"], group["label"], tuple(_screen(screen) for screen in group.get("screens", ())))
        for group in _document()["menu"]
    )


@cache
def words() -> dict[str, Names]:
    """What the pages say around their fields."""
    return dict(_document()["words"])


def all_screens() -> Iterator[Screen]:
    """Every page of every group."""
    for group in menu():
        yield from group.screens


@cache
def _document() -> dict[str, Any]:
    text = files("ippbx_billing.simulation.practice_pbx").joinpath("screens.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _screen(row: dict[str, Any]) -> Screen:
    return Screen(
        node=row["node"],
        label=row["label"],
        config=row["config"],
        section=row["section"],
        options=tuple(_option(option) for option in row["options"]),
        tabs=tuple((tab["name"], tab["label"]) for tab in row.get("tabs", ())),
        extra=row.get("extra", False),
    )


def _option(row: dict[str, Any]) -> Option:
    return Option(
        name=row["name"],
        kind=row["kind"],
        label=row.get("label", {}),
        value=tuple(row.get("value", ())),
        tab=row.get("tab", ""),
        choices=tuple(row.get("choices", ())),
        beside=row.get("beside", False),
        extra=row.get("extra", False),
        longest=row.get("longest", 128),
        fault=row.get("fault", ""),
        required=row.get("required", False),
        depends=row.get("depends", {}),
    )
