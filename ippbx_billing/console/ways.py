"""Where the pages are and who may go there: a table, so that no page can be without its answer to that.

WAYS = (Way("/calls", listing, Role.EMPLOYEE), Way("/calls/{call:int}/again", price_again, Role.ACCOUNTANT, post=True))
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ippbx_billing.operators import Role

if TYPE_CHECKING:
    from starlette.responses import Response

    from ippbx_billing.console.desk import Desk

FORM_BYTES = 65_536

PageFunction = Callable[["Desk"], "Response"]


@dataclass(frozen=True, slots=True)
class Way:
    """A path and the function that answers there, for operators of this role and those above it.

    `least` None is for everybody, also for those who are not signed in. With `post` it takes a form, of at most
    `most_bytes`; without, it changes nothing.
    """

    path: str
    answer: PageFunction
    least: Role | None
    post: bool = False
    most_bytes: int = FORM_BYTES


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A place in the menu: its path, its title in the language in use, and for whom it is."""

    path: str
    title: Callable[[], str]
    least: Role
