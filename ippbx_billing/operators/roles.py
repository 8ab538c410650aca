"""Roles, from the one who may everything to the one who sees their own calls.

Role.ACCOUNTANT.may(Role.VIEWER)  # True: an accountant may what a viewer may
"""

from enum import StrEnum


class Role(StrEnum):
    """What an operator is; the first may most."""

    ADMINISTRATOR = "administrator"
    ACCOUNTANT = "accountant"
    VIEWER = "viewer"
    HEAD = "head"
    EMPLOYEE = "employee"

    def may(self, least: "Role") -> bool:
        """Whether this role may what takes at least the other one."""
        order = list(Role)
        return order.index(self) <= order.index(least)

    @property
    def is_scoped(self) -> bool:
        """Whether it sees some of the calls only."""
        return self in (Role.HEAD, Role.EMPLOYEE)
