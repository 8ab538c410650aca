"""How far the centre is with this inbox, as the shipper last knew it: `shipped.json` in the data directory.

The file only tells people and spares a question: the centre itself knows how far it is, and answers it each time.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ippbx_billing.files import write

FILE_NAME = "shipped.json"


@dataclass(frozen=True, slots=True)
class ShipState:
    """The position that the centre has all up to, and the digest of the event there; moments in whole seconds of UTC,
    None where there was none."""

    url: str = ""
    site: str = ""
    epoch: str = ""
    position: int = 0
    digest: str = ""
    shipped_at: int | None = None
    behind_since: int | None = None
    problem: str = ""

    def for_(self, url: str, site: str, epoch: str) -> "ShipState":
        """The same where it is of this inbox and centre, else a fresh one."""
        if (self.url, self.site, self.epoch) == (url, site, epoch):
            return self
        return ShipState(url, site, epoch, behind_since=self.behind_since)

    def reached(self, position: int, digest: str, moment: int) -> "ShipState":
        """The centre has said that it has all up to that position."""
        return replace(self, position=position, digest=digest, shipped_at=moment, problem="")


def load(data_dir: Path) -> ShipState:
    """What stands in the file; a fresh state where there is none, or none that can be read."""
    try:
        return ShipState(**json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return ShipState()


def save(data_dir: Path, state: ShipState) -> None:
    """Keep it, whole or not at all."""
    write(data_dir / FILE_NAME, json.dumps(asdict(state)) + "\n")
