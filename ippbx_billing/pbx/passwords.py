"""Passwords of the PBX's API: one that everybody knows is refused, a new one is strong and can be typed."""

import secrets
import string

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

EXAMPLE_PASSWORD = "admin@123#"  # printed in the manual, so everybody knows it
PASSWORD_LENGTH = 16


def usable_api_password(password: str) -> str:
    """The password, unless it is one that everybody knows; raises UsageError."""
    if password == EXAMPLE_PASSWORD:
        raise UsageError(
            tr("this API password stands in the PBX's manual, so everybody knows it"),
            tr("leave it out and a strong one is made, or choose one of your own"),
        )
    if not password.isprintable():
        problem = tr("this API password holds characters that nobody can type")
        raise UsageError(problem, tr("letters, digits and signs are expected"))
    return password


def new_api_password() -> str:
    """A strong password that a PBX's page takes and a person can type."""
    alphabet = string.ascii_letters + string.digits
    while True:
        drawn = "".join(secrets.choice(alphabet) for _ in range(PASSWORD_LENGTH - 1))
        if any(c.isdigit() for c in drawn) and any(c.isupper() for c in drawn) and any(c.islower() for c in drawn):
            return drawn[:8] + secrets.choice("@#-_") + drawn[8:]
