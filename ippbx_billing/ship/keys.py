"""The key that a site shares with its centre: 32 random bytes, as hex digits in a file for its owner only."""

import os
import secrets
from pathlib import Path

from ippbx_billing import files
from ippbx_billing.errors import DataError, NotFoundError, UsageError
from ippbx_billing.language import tr

KEY_BYTES = 32


def fresh() -> bytes:
    """A new key."""
    return secrets.token_bytes(KEY_BYTES)


def read(path: Path) -> bytes:
    """The key in a file; raises NotFoundError, or DataError where others may read it or it holds no key."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise NotFoundError(
            tr("there is no key at {path}", path=path),
            tr("`ippbx-bill centre sites add NAME --key-file FILE` at the centre makes it; copy the file here"),
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(tr("{path} cannot be read: {error}", path=path, error=error), "") from error
    if os.name == "posix" and mode & 0o077:
        raise DataError(tr("{path} can be read by others", path=path), f"chmod 600 {path}")
    return of_text(text, str(path))


def of_text(text: str, where: str) -> bytes:
    """The key that these hex digits are."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise DataError(
            tr("{path} holds no key of {bytes} bytes in hex digits", path=where, bytes=KEY_BYTES),
            tr("copy the file that `centre sites add` wrote"),
        )
    return key


def write(path: Path, key: bytes) -> None:
    """Put the key into a new file for its owner only; UsageError where there is one already."""
    if path.exists():
        raise UsageError(tr("{path} is there already", path=path), tr("name a new file"))
    files.write(path, key.hex() + "\n", private=True)
