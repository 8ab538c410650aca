"""Passwords: kept as argon2id digests with OWASP's least parameters, checked at equal cost whoever is asked for.

digest = digest_of("correct horse battery")
matches(digest, "correct horse battery")  # True
matches(None, "anything")                 # False, after as long a time
"""

from functools import cache
from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

LEAST_LETTERS = 10
MOST_LETTERS = 200
AT_ONCE = 2  # each check takes 19 MiB: a flood of tries must not take the memory of the machine

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = Semaphore(AT_ONCE)


def digest_of(password: str) -> str:
    """What is kept of a password."""
    with _turns:
        return _hasher.hash(password)


def matches(digest: str | None, password: str) -> bool:
    """Whether it is the password; where there is no digest the answer is no, and takes as long."""
    with _turns:
        try:
            _hasher.verify(digest or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
        return digest is not None


def is_outdated(digest: str) -> bool:
    """Whether it was made with other parameters than today's."""
    return _hasher.check_needs_rehash(digest)


def check_strength(password: str, name: str) -> None:
    """UsageError for a password that is guessed at once."""
    if not LEAST_LETTERS <= len(password) <= MOST_LETTERS:
        raise UsageError(
            tr("a password has {least} to {most} letters", least=LEAST_LETTERS, most=MOST_LETTERS),
            tr("three words in a row are easy to remember and hard to guess"),
        )
    if len(set(password)) < 4 or password.casefold() in (name.casefold() * 2, name.casefold()):
        raise UsageError(
            tr("this password is guessed at once"), tr("three words in a row are easy to remember and hard to guess")
        )


@cache
def _nobodys() -> str:
    """The digest that stands in for that of an operator who is not there."""
    return _hasher.hash("nobody has this password, it only takes its time")
