"""What a benchmark tells of itself as data: a name, a figure, its ratio to a yardstick, and what was required.

    Figure("chain, auto: acknowledged", 5_000, "calls/s", ratio=1.0, required=1.0).as_json()
    write(Path("figures.json"), [...])

A ratio is to a yardstick measured in the same run; it carries over to other machines, the figure does not. `required`
is said of the ratio where there is one, else of the figure; `at_most` says which side of it is the good one.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One thing that was measured."""

    name: str
    figure: float
    unit: str
    ratio: float | None = None
    required: float | None = None
    at_most: bool = False

    @property
    def missed(self) -> bool:
        """Whether what was required was not reached."""
        if self.required is None:
            return False
        said = self.figure if self.ratio is None else self.ratio
        return said > self.required if self.at_most else said < self.required

    def as_json(self) -> dict[str, Any]:
        """The figure as it is saved; what was not said is null."""
        return {
            "name": self.name,
            "figure": rounded(self.figure),
            "unit": self.unit,
            "ratio": None if self.ratio is None else round(self.ratio, 2),
            "required": self.required,
            "at_most": self.at_most,
        }


def rounded(value: float) -> float:
    """Three digits are more than any of these figures is worth; from 100 on no fractions."""
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")


def add_options(parser: ArgumentParser) -> None:
    """`--json FILE`, which every benchmark takes."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")


def write(path: Path | None, figures: Iterable[Figure]) -> None:
    """Save them, if there is a file to save them to."""
    if path is not None:
        path.write_text(json.dumps([one.as_json() for one in figures], indent=1) + "\n", encoding="utf-8")
