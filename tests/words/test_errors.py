"""How an operator is disappointed: exit codes and sentences."""

import pytest

from ippbx_billing import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.BillingError, 1),
        (errors.UsageError, 2),
        (errors.NotFoundError, 1),
        (errors.DataError, 1),
        (errors.CannotStartError, 3),
        (errors.BusyError, 75),
    ],
)
def test_each_kind_has_its_exit_code(kind: type[errors.BillingError], code: int) -> None:
    """1 failure, 2 usage, 3 could not start, 75 try again later; message and hint are kept apart."""
    error = kind("what and where", "what to do")
    assert (error.exit_code, error.message, error.hint, str(error)) == (
        code,
        "what and where",
        "what to do",
        "what and where",
    )
