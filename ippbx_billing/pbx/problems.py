"""How a PBX can disappoint: each problem is a sentence, a hint, and what it means for what was done so far.

PbxError
├── Unreachable         no answer, or the connection was cut
├── CertificateChanged  somebody else answers, or the PBX got a new certificate
├── SignInRefused       wrong user or password, or the account is locked
├── SessionExpired      the PBX asked for the password again, more than once
├── WordingUnknown      a page, tab or field is not there under any name the profile knows
├── StagedBefore        changes that are not ours wait to be applied
└── ChangeRefused       the PBX did not take a value, or did not apply it
"""

from typing import Self

from ippbx_billing.errors import BillingError


class PbxError(BillingError):
    """Something about the PBX's web admin is not as it should be.

    `in_force` tells whether what we wanted may have come into force all the same.
    """

    in_force = False

    def having(self, state: str, hint: str = "", *, in_force: bool = False) -> Self:
        """The same problem, told with what was and was not done on the PBX."""
        problem = type(self)(f"{self.message} {state}", hint or self.hint)
        problem.in_force = in_force
        return problem


class Unreachable(PbxError):
    """The PBX does not answer, or the connection was cut before it did."""


class CertificateChanged(PbxError):
    """The certificate at the PBX's address is not the one that was confirmed."""


class SignInRefused(PbxError):
    """The PBX does not accept user and password, or has locked the account."""


class SessionExpired(PbxError):
    """The PBX ended the session again and again."""


class WordingUnknown(PbxError):
    """A page, tab, field or button is not found under any name that the profile knows."""


class StagedBefore(PbxError):
    """Changes that somebody else saved wait to be applied, and would be applied or lost with ours."""


class ChangeRefused(PbxError):
    """The PBX did not take a value, or did not apply it."""
