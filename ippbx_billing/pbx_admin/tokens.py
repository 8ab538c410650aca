"""The secret path of the event URLs: `http://SERVER:8181/<token>/`.

A PBX can be told an address and nothing else, so the address carries the secret. While no token is set every
path is taken; from the first one on, only paths that begin with a known token.

    accepts("/3kq9…/", known_tokens(data_dir))
"""

import hmac
import os
import re
import secrets
from collections.abc import Collection
from pathlib import Path

FILE_NAME = "tokens"
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without what is mistaken for another when read aloud
_LENGTH = 20  # a hundred bits


def accepts(path: str, tokens: Collection[str]) -> bool:
    """Whether an event may come in by this path; takes as long for a near miss as for a far one."""
    first = path.lstrip("/").split("/", 1)[0].split("?", 1)[0].encode()
    matches = [hmac.compare_digest(first, token.encode()) for token in tokens]
    return any(matches) or not matches


def known_tokens(data_dir: Path) -> frozenset[str]:
    """The tokens of this data directory; empty while none was set."""
    try:
        lines = (data_dir / FILE_NAME).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return frozenset()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def new_token() -> str:
    """A token that nobody can guess and that fits into one line of a PBX's page."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def add_token(data_dir: Path, token: str) -> None:
    """Make the listener of this data directory take events by this token."""
    _write(data_dir, known_tokens(data_dir) | {token})


def remove_token(data_dir: Path, token: str) -> None:
    """Forget a token; harmless where it is not known."""
    if token in known_tokens(data_dir):
        _write(data_dir, known_tokens(data_dir) - {token})


def token_in(url: str) -> str:
    """The first part of an URL's path, where a token would stand."""
    found = re.match(r"[a-z]+://[^/]*/([^/?#]*)", url)
    return found.group(1) if found else ""


def _write(data_dir: Path, tokens: Collection[str]) -> None:
    """The file appears whole and readable by its owner only; without tokens it goes."""
    path = data_dir / FILE_NAME
    if not tokens:
        path.unlink(missing_ok=True)
        return
    beside = path.with_name(f".{path.name}.part")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write("# Secret paths of the PBX's event URLs, one a line.\n")
        stream.writelines(f"{token}\n" for token in sorted(tokens))
    beside.replace(path)
