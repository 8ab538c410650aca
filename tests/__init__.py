"""The tests lie as the rooms do; what they share stands here."""

from pathlib import Path

PROJECT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
EXAMPLES = PROJECT / "examples"
PACKAGE = PROJECT / "ippbx_billing"
