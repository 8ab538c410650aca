"""How we disappoint an operator: one shallow tree, each error with a hint and an exit code.

    BillingError            exit 1   something could not be done
    ├── UsageError          exit 2   the command was given something it cannot use
    ├── NotFoundError       exit 1   the named thing is not there
    ├── DataError           exit 1   a file or a database is not as it should be
    ├── CannotStartError    exit 3   the listener could not start
    └── BusyError           exit 75  somebody else is at it; later it will do (EX_TEMPFAIL of sysexits.h)

A message is one sentence that names what and where; the hint says what to do about it.
"""


class BillingError(Exception):
    """The root: `message` for the operator, `hint` for what to do next, `exit_code` for the shell."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BillingError):
    """An option, argument or setting has a value that cannot be used."""

    exit_code = 2


class NotFoundError(BillingError):
    """A carrier, call, event or file that was named does not exist."""


class DataError(BillingError):
    """A file or database holds something that cannot be used; the message names file and line."""


class CannotStartError(BillingError):
    """The listener could not start: a port is taken, the data directory is missing or in use."""

    exit_code = 3


class BusyError(BillingError):
    """Another run holds what this one needs; cron and systemd may simply try again."""

    exit_code = 75
