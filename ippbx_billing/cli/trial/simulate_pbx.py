"""`simulate pbx`: a UC to practise on, with a web admin to sign in to and calls once its event report is applied."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from ippbx_billing.cli.common import say
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.simulation.practice_pbx import PracticeFault


def pbx(
    host: Annotated[str, typer.Option(help=en("address of the web admin"))] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help=en("port of the web admin; 0 takes a free one"))] = 8088,
    tls: Annotated[bool, typer.Option("--tls/--no-tls", help=en("HTTPS with a self-signed certificate"))] = False,
    admin_user: Annotated[str, typer.Option(help=en("user to sign in with"))] = "admin",
    admin_password: Annotated[str, typer.Option(help=en("that user's password"))] = "admin",
    pbx_lang: Annotated[Literal["zh", "en"], typer.Option("--lang", help=en("language of its pages"))] = "zh",
    generation: Annotated[
        Literal["2012", "2015", "2017", "2018"], typer.Option(help=en("year of the LuCI that its pages are made with"))
    ] = "2015",
    token: Annotated[bool, typer.Option("--token/--no-token", help=en("newer firmware with CSRF tokens"))] = True,
    session: Annotated[float, typer.Option(min=1, help=en("seconds after which a session expires"))] = 600,
    calls_per_minute: Annotated[float, typer.Option(min=0, help=en("calls a minute; 0: none"))] = 6,
    extensions: Annotated[int, typer.Option(min=2, max=5_000, help=en("how many extensions the site has"))] = 40,
    seed: Annotated[int, typer.Option(help=en("the same seed is the same traffic"))] = 1,
    area_code: Annotated[str, typer.Option(help=en("home area code, e.g. 022"))] = "022",
    timezone: Annotated[str, typer.Option(help=en("time zone of its clock"))] = "Asia/Shanghai",
    new_connection_per_event: Annotated[
        bool, typer.Option("--new-connection-per-event", help=en("as switches without keep-alive"))
    ] = False,
    retries: Annotated[int, typer.Option(min=0, help=en("posts again on anything but 200, at most so often"))] = 0,
    retry_pause: Annotated[float, typer.Option(min=0, help=en("seconds before it posts again"))] = 5,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help=en("share of events delivered twice"))] = 0.0,
    late: Annotated[
        float, typer.Option(min=0, help=en("events come up to so many seconds late, and so out of order"))
    ] = 0.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help=en(
                "something that goes wrong; repeatable: refuse-apply, cut-after-save, slow-restart, silent-403, "
                "apply-on-save, stranger-saves, always-notice, …"
            )
        ),
    ] = None,
) -> None:
    """Serve the web admin of a practice PBX until Ctrl-C or SIGTERM, and telephone once its event report is applied.

    Raises UsageError for a fault or a time zone that nobody knows, CannotStartError where the port is taken.
    """
    from ippbx_billing.simulation.practice_pbx import Firmware, PracticePbx
    from ippbx_billing.simulation.practice_pbx.calling import Habits
    from ippbx_billing.simulation.practice_pbx.web import serve

    without_tokens = {} if token else {"token": False}
    firmware = Firmware.of(
        generation,
        language=pbx_lang,
        admin_user=admin_user,
        admin_password=admin_password,
        **without_tokens,
        session_s=session,
        faults=_faults(fault or []),
    )
    habits = Habits(
        calls_per_minute=calls_per_minute,
        extensions=extensions,
        seed=seed,
        area_code=area_code,
        zone=_zone(timezone),
        new_connection_per_event=new_connection_per_event,
        retries=retries,
        retry_pause_s=retry_pause,
        duplicates=duplicates,
        late_s=late,
    )

    def announce(address: str) -> None:
        say(tr("practice PBX: {address} user {user}; Ctrl-C ends it", address=address, user=admin_user))

    with _certificate(host, tls) as certificate:
        serve(
            PracticePbx(firmware),
            host=host,
            port=port,
            habits=habits,
            certificate=certificate,
            announce=announce,
            tell=say,
        )


@contextmanager
def _certificate(host: str, wanted: bool) -> Iterator[tuple[Path, Path] | None]:
    """The files of a new certificate, whose fingerprint is told for comparing; None without TLS."""
    if not wanted:
        yield None
        return
    from ippbx_billing.simulation.practice_pbx.identity import certificate, fingerprint

    with certificate(host) as files:
        say(tr("its certificate's SHA-256 fingerprint: {fingerprint}", fingerprint=fingerprint(files[0])))
        yield files


def _faults(names: list[str]) -> "frozenset[PracticeFault]":
    from ippbx_billing.simulation.practice_pbx import PracticeFault

    unknown = [name for name in names if name not in list(PracticeFault)]
    if unknown:
        raise UsageError(
            tr("there is no fault {name}", name=unknown[0]), tr("known: {names}", names=", ".join(PracticeFault))
        )
    return frozenset(map(PracticeFault, names))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(tr("there is no time zone {name}", name=name), tr("a name like Asia/Shanghai")) from error
