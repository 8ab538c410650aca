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

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from ippbx_billing.errors import BillingError


class State(StrEnum):
    """What became of our changes on the PBX."""

    IN_FORCE = "in-force"  # all of them are saved for good, and nothing of ours waits
    PARTLY = "partly"  # some of them are saved for good, and nothing of ours waits
    STAGED = "staged"  # they wait on the PBX; whoever applies next brings them into force
    DISCARDED = "discarded"  # none is in force and none waits
    UNKNOWN = "unknown"  # the PBX could not be asked to the end


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of our changes, with the sentence and the hint that tell it."""

    state: State
    sentence: str
    hint: str = ""


class PbxError(BillingError):
    """Something about the PBX's web admin is not as it should be; `state` tells what became of our changes."""

    state = State.DISCARDED

    @property
    def in_force(self) -> bool:
        """Whether what we wanted may be in force, or come into force without us."""
        return self.state is not State.DISCARDED

    def having(self, outcome: Outcome) -> Self:
        """The same problem, told with what was and was not done on the PBX."""
        problem = type(self)(f"{self.message} {outcome.sentence}", outcome.hint or self.hint)
        problem.state = outcome.state
        return problem


class Interrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C while changes were under way; tells what became of them."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


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
