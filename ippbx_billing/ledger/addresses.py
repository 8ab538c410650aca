"""Who has which mail address: employees and departments, by id, so that no new name loses it.

ledger.directory.set_mail("employee", 7, "zhang@example.com")
ledger.directory.mails("employee")   ->  {7: ("zhang@example.com",)}
"""

import sqlite3
from collections.abc import Iterable

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger.editing import editing

COMMAS = str.maketrans({"，": ",", "；": ",", ";": ",", "、": ","})


def addresses_of(text: str) -> tuple[str, ...]:
    """The addresses of a text such as `a@example.com, b@example.com`, each once; UsageError for one that is none."""
    found = (part.strip() for part in text.translate(COMMAS).split(","))
    return tuple(dict.fromkeys(_checked(part) for part in found if part))


def _checked(text: str) -> str:
    from email.headerregistry import Address  # here, because every report opens a ledger and few set an address
    from email.utils import parseaddr

    name, found = parseaddr(text)
    try:
        if not found.isprintable() or "@" not in found[1:-1] or " " in found:
            raise ValueError
        return str(Address(name, addr_spec=found))
    except (ValueError, IndexError) as error:
        raise UsageError(
            tr("{text!r} is not a mail address", text=text), tr("write it like office@example.com")
        ) from error


class AddressTables:
    """The table `mail_addresses`; each change is a transaction of its own, or part of the caller's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def mails(self, kind: str) -> dict[int, tuple[str, ...]]:
        """The addresses of each `employee` or `department` that has one, by id."""
        rows = self.connection.execute("SELECT object, addresses FROM mail_addresses WHERE kind = ?", [kind])
        return {number: addresses_of(text) for number, text in rows}

    def set_mail(self, kind: str, number: int, addresses: Iterable[str]) -> None:
        """The addresses of an employee or a department; none takes them away."""
        told = ", ".join(addresses)
        with editing(self.connection):
            if told:
                sql = "INSERT OR REPLACE INTO mail_addresses VALUES (?, ?, ?)"
                self.connection.execute(sql, [kind, number, told])
            else:
                self.connection.execute("DELETE FROM mail_addresses WHERE kind = ? AND object = ?", [kind, number])
