"""Whom the listener knows: the secret paths of the event URLs, and the addresses of PBXs outside the usual networks.

A PBX can be told an address and nothing else, so the address carries the secret: `http://SERVER:8181/<token>/`. While
no token is set every path is taken; from the first one on, only paths that begin with a known token. Both are small
files in the data directory, which other commands write while the listener runs.

    accepts("/3kq9…/", known_tokens(data_dir))
    KnownTokens(data_dir).admit("/3kq9…/")    # the same, many times a second
"""

import hmac
import re
import secrets
import time
from collections.abc import Collection
from pathlib import Path

from ippbx_billing import files
from ippbx_billing.language import tr

FILE_NAME = "tokens"
ALLOWED_FILE_NAME = "allowed"
LOOK_EVERY_S = 1.0
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without what is mistaken for another when read aloud
_LENGTH = 20  # a hundred bits


def accepts(path: str, tokens: Collection[str]) -> bool:
    """Whether an event may come in by this path; takes as long for a near miss as for a far one."""
    first = path.lstrip("/").split("/", 1)[0].split("?", 1)[0].encode()
    matches = [hmac.compare_digest(first, token.encode()) for token in tokens]
    return any(matches) or not matches


class KnownTokens:
    """The tokens as a listener holds them: looked at again now and then, and before any path is turned away."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._changed_at = -1
        self._tokens: frozenset[str] = frozenset()
        self._looked_at = float("-inf")

    def admit(self, path: str) -> bool:
        """Whether an event may come in by this path."""
        if time.monotonic() > self._looked_at + LOOK_EVERY_S:
            self._look()
        if accepts(path, self._tokens):
            return True
        self._look()
        return accepts(path, self._tokens)

    def _look(self) -> None:
        """Reads the file where it has changed; one that cannot be read leaves the tokens as they were."""
        self._looked_at = time.monotonic()
        try:
            changed_at = (self._data_dir / FILE_NAME).stat().st_mtime_ns
        except FileNotFoundError:
            changed_at, self._tokens = -1, frozenset()
        except OSError:
            return
        if changed_at != self._changed_at:
            self._tokens = known_tokens(self._data_dir)
            self._changed_at = changed_at


def known_tokens(data_dir: Path) -> frozenset[str]:
    """The tokens of this data directory; empty while none was set."""
    return _lines(data_dir / FILE_NAME)


def allowed(data_dir: Path) -> frozenset[str]:
    """The addresses that may post besides those of the settings."""
    return _lines(data_dir / ALLOWED_FILE_NAME)


def allow(data_dir: Path, address: str) -> None:
    """Let a PBX post that is outside the networks of the settings."""
    heading = "# Addresses that may post besides those of the setting `allow`, one a line."
    _write(data_dir / ALLOWED_FILE_NAME, heading, allowed(data_dir) | {address})


def new_token() -> str:
    """A token that nobody can guess and that fits into one line of a PBX's page."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def add_token(data_dir: Path, token: str) -> None:
    """Make the listener of this data directory take events by this token."""
    _write(data_dir / FILE_NAME, _TOKENS_HEADING, known_tokens(data_dir) | {token})


def make_known(data_dir: Path, new: Collection[str], held: Collection[str]) -> bool:
    """Make the listener take these tokens; whether it takes known paths only from now on.

    `held` are the URLs that PBXs may still post to. While no token is known every path is taken, and it stays so where
    one of them carries none of the tokens: the first token would keep its events out.
    """
    covered = known_tokens(data_dir) | set(new)
    if not known_tokens(data_dir) and any(token_in(url) not in covered for url in held if url):
        return False
    for token in new:
        add_token(data_dir, token)
    return bool(covered)


def remove_token(data_dir: Path, token: str) -> None:
    """Forget a token; harmless where it is not known."""
    if token in known_tokens(data_dir):
        _write(data_dir / FILE_NAME, _TOKENS_HEADING, known_tokens(data_dir) - {token})


def token_in(url: str) -> str:
    """The first part of an URL's path, where a token would stand."""
    found = re.match(r"[a-z]+://[^/]*/([^/?#]*)", url)
    return found.group(1) if found else ""


_TOKENS_HEADING = "# Secret paths of the PBX's event URLs, one a line."


def _lines(path: Path) -> frozenset[str]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return frozenset()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _write(path: Path, heading: str, lines: Collection[str]) -> None:
    """The file appears whole and readable by its owner only; without lines it goes."""
    if not lines:
        path.unlink(missing_ok=True)
        return
    text = "".join(f"{line}\n" for line in (heading, *sorted(lines)))
    files.write(path, text, private=True, hint=tr("check its owner"))
