"""How the `pbx` commands reach a PBX: its address, its certificate, user and password, and what is remembered of them.

    with signed_in(Access(pbx="192.168.6.169"), using) as pbx:
        pbx.read("api")

A password comes from the environment, a file, what `--remember` kept, or a prompt; never from an option, which a
shell's history would keep. A certificate is trusted because a person compared it or an option names it.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints
from urllib.parse import urlsplit

import typer

from ippbx_billing.cli.common import say
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    import ssl

    from ippbx_billing.pbx.remembered import Remembered
    from ippbx_billing.pbx.session import PbxAdmin
    from ippbx_billing.settings import Settings

ADMIN_PASSWORD = "IPPBX_BILL_PBX_ADMIN_PASSWORD"
API_PASSWORD = "IPPBX_BILL_PBX_API_PASSWORD"
DEFAULT_PROFILE = "uc"


@dataclass(frozen=True, slots=True)
class Access:
    """What the options say about reaching a PBX; what is empty is remembered, asked for, or usual.

    Each field is an option of the commands that `reaching` marks, and stands nowhere else.
    """

    pbx: Annotated[
        str | None,
        typer.Option(
            "--pbx", metavar="URL", help=en("the PBX's web admin, e.g. https://192.168.6.169; default: the last")
        ),
    ] = None
    admin_user: Annotated[str | None, typer.Option("--admin-user", help=en("user of the PBX's web admin"))] = None
    admin_password_file: Annotated[
        Path | None,
        typer.Option(
            "--admin-password-file", help=en("file with that user's password; else the environment or a prompt")
        ),
    ] = None
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help=en("SHA-256 fingerprint of the PBX's certificate"))
    ] = None
    ca: Annotated[Path | None, typer.Option("--ca", help=en("authority that signed the PBX's certificate (PEM)"))] = (
        None
    )
    profile: Annotated[
        str | None, typer.Option("--profile", help=en("words of the PBX's screens: uc, or a TOML file of your own"))
    ] = None
    remember: Annotated[
        bool, typer.Option("--remember", help=en("keep the passwords, in a file that only its owner can read"))
    ] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help=en("answer the questions of an unattended run"))] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help=en("show the difference and change nothing"))] = False


def reaching(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose first parameter is an `Access`: on the command line, its fields but for these as options."""

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        annotations = get_type_hints(Access, include_extras=True)
        taken = [one for one in fields(Access) if one.name not in without]
        options = [
            Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=annotations[one.name])
            for one in taken
        ]
        _, *own = signature(command).parameters.values()

        @wraps(command)
        def run(**given: Any) -> None:
            command(Access(**{one.name: given.pop(one.name) for one in taken}), **given)

        own = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in own]
        run.__signature__ = Signature([*options, *own])  # type: ignore[attr-defined]
        return run

    return with_options


@contextmanager
def signed_in(access: Access, using: "Settings") -> Iterator["PbxAdmin"]:
    """A session with the PBX; raises PbxError and UsageError."""
    from ippbx_billing.upkeep.pbx_setting import session

    known = recalled(access, using)
    tls, fingerprint = _trust(access, known)
    password = _admin_password(access, known)
    with session(using, known, password, tls, fingerprint, remember=access.remember) as pbx:
        yield pbx


def recalled(access: Access, using: "Settings") -> "Remembered":
    """The PBX that is meant, with the options laid over what is remembered; UsageError where none is known."""
    from ippbx_billing.pbx import remembered
    from ippbx_billing.upkeep.pbx_setting import DEFAULT_USER, normal_address

    if not using.data_dir.is_dir():
        hint = tr("run `ippbx-bill init --area-code 022` first, or name another --data-dir")
        raise NotFoundError(tr("there is no data directory {path}", path=using.data_dir), hint)
    known = remembered.recall(using.data_dir, normal_address(access.pbx) if access.pbx else "")
    if not known.address:
        raise UsageError(tr("which PBX?"), tr("give its address, such as --pbx https://192.168.6.169"))
    return replace(
        known,
        user=access.admin_user or known.user or DEFAULT_USER,
        profile=_whole_path(access.profile) or known.profile,
    )


def password_from(variable: str, file: Path | None) -> str:
    """The password of a file, else of the environment, else empty; UsageError where the file gives none."""
    if file is None:
        return os.environ.get(variable, "")
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            tr("{path} cannot be read: {error}", path=file, error=error), tr("name a file with the password")
        ) from error
    if not lines or not lines[0]:
        raise UsageError(tr("{path} holds no password", path=file), tr("its first line is the password"))
    return lines[0]


def attended() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty()


def confirmed(question: str, yes: bool) -> bool:
    """Whether the operator agrees; an unattended run must have said --yes."""
    if yes:
        return True
    if not attended():
        raise UsageError(tr("this would change the PBX, and nobody is there to agree"), tr("say so with --yes"))
    return typer.confirm(question, err=True)


def _admin_password(access: Access, known: "Remembered") -> str:
    password = password_from(ADMIN_PASSWORD, access.admin_password_file) or known.admin_password
    if password:
        return password
    if not attended():
        raise UsageError(
            tr("the password of {user} on the PBX is needed", user=known.user),
            tr("put it into {variable}, or into a file named by --admin-password-file", variable=ADMIN_PASSWORD),
        )
    question = tr("Password of {user} on {address}", user=known.user, address=known.address)
    return str(typer.prompt(question, hide_input=True, err=True))


def _trust(access: Access, known: "Remembered") -> tuple["ssl.SSLContext | None", str]:
    """How the connection is secured, and the fingerprint to remember.

    `--yes` alone trusts no certificate that nobody has compared: on first contact a person or an option must.
    """
    from ippbx_billing.pbx import trust

    parts = urlsplit(known.address)
    if parts.scheme == "http":
        say(tr("warning: {address} is plain HTTP; whoever can listen in reads the passwords", address=known.address))
        return None, known.fingerprint
    if access.ca:
        return trust.signed_by(access.ca), known.fingerprint
    expected = trust.normal_fingerprint(access.fingerprint) if access.fingerprint else known.fingerprint
    if not expected:
        expected = _compared(trust.fingerprint_of(parts.hostname or "", parts.port or 443), known.address)
    return trust.pinned(expected), expected


def _compared(seen: str, address: str) -> str:
    """The fingerprint, after a person has compared it."""
    say(tr("first contact with {address}; the SHA-256 fingerprint of its certificate is", address=address))
    say(f"  {seen[:47]}")
    say(f"  {seen[48:]}")
    if not attended():
        raise UsageError(
            tr("nobody is there to compare the PBX's certificate"),
            tr("compare it once, then give --fingerprint {seen}; or name its authority with --ca", seen=seen),
        )
    if not typer.confirm(tr("Is this the PBX?"), err=True):
        raise UsageError(tr("the certificate was not confirmed; nothing was sent"), tr("check the address"))
    return seen


def _whole_path(profile: str | None) -> str | None:
    """A profile's file by its whole path, so that it is found from another directory as well."""
    return str(Path(profile).resolve()) if profile and Path(profile).is_file() else profile
