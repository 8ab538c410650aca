"""What is kept about a PBX between two commands: `pbx.toml` in the data directory, readable by its owner only.

Address, user and the confirmed fingerprint are always kept; passwords only where the operator said `--remember`.

    remembered = load(data_dir)
    save(data_dir, replace(remembered, fingerprint=seen))
"""

import json
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ippbx_billing import files
from ippbx_billing.errors import DataError
from ippbx_billing.language import tr

FILE_NAME = "pbx.toml"


@dataclass(frozen=True, slots=True)
class Remembered:
    """One PBX; what is empty is not known."""

    address: str = ""
    user: str = ""
    fingerprint: str = ""
    profile: str = ""
    token: str = ""  # of the event URLs that were given out to be set by hand
    admin_password: str = ""
    api_password: str = ""

    def __repr__(self) -> str:
        """Without the passwords, so that no log can show them."""
        return f"Remembered({self.address!r}, {self.user!r})"


def load(data_dir: Path) -> list[Remembered]:
    """The PBXs we know, the one used last first; DataError names a file that cannot be read."""
    path = data_dir / FILE_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        known = {item.name for item in fields(Remembered)}
        return [Remembered(**{k: str(v) for k, v in one.items() if k in known}) for one in document.get("pbx", [])]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError) as error:
        raise DataError(
            tr("{path} cannot be read: {error}", path=path, error=error),
            tr("correct or remove it; `configure-pbx` asks again"),
        ) from error


def recall(data_dir: Path, address: str = "") -> Remembered:
    """The PBX at that address, or the one used last; an unknown one is empty but for its address."""
    known = load(data_dir)
    matching = [one for one in known if not address or one.address == address]
    return matching[0] if matching else Remembered(address=address)


def save(data_dir: Path, pbx: Remembered) -> None:
    """Keep this PBX, as the one used last."""
    others = [one for one in load(data_dir) if one.address != pbx.address]
    path = data_dir / FILE_NAME
    lines = ["# The PBXs that ippbx-bill has signed in to. Passwords are here only after --remember.\n"]
    for one in [pbx, *others]:
        lines.append("\n[[pbx]]\n")
        lines += [f"{name} = {_quoted(value)}\n" for name, value in asdict(one).items() if value]
    files.write(path, "".join(lines), private=True, hint=tr("check its owner"))


def _quoted(value: str) -> str:
    """A TOML string; JSON's way of quoting is TOML's as well."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
