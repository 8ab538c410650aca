"""Soon."""

WAYS = ()
