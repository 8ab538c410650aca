"""The steps from an empty file to today's tables; how many there are is the version of the tables.

ledger = Steps("ledger")

@ledger()
def m001_calls(db): ...

ledger.apply(database)  # what is pending, each step in a transaction of its own
len(ledger)             # known without loading sqlite-utils, which costs more than a report takes
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlite_utils import Database


class SchemaStep(Protocol):
    """A function that brings the tables one step further."""

    __name__: str

    def __call__(self, db: "Database") -> None: ...


class Steps:
    """The migrations of one file, in the order in which they are written down."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._steps: list[SchemaStep] = []

    def __call__(self) -> Callable[[SchemaStep], SchemaStep]:
        def add(step: SchemaStep) -> SchemaStep:
            self._steps.append(step)
            return step

        return add

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def names(self) -> list[str]:
        """What the steps are called, in their order."""
        return [step.__name__ for step in self._steps]

    def apply(self, database: "Database", *, stop_before: str | None = None) -> None:
        """Run what this file has not seen yet, up to a step's name where one is given."""
        from sqlite_utils import Migrations

        migrations = Migrations(self.name)
        for step in self._steps:
            migrations()(step)
        migrations.apply(database, stop_before=stop_before)
