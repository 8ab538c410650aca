"""`console`: the web page on a port of its own."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.language import en


def console(
    host: Annotated[str | None, typer.Option(help=en("address to listen on; 0.0.0.0 is every interface"))] = None,
    port: Annotated[int | None, typer.Option(help=en("port of the web page"))] = None,
    beside: Annotated[bool, typer.Option("--beside", hidden=True)] = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `--beside` is how `listen --console` starts it."""
    from ippbx_billing.console import process
    from ippbx_billing.service import logs

    using = common.settings(console_host=host, console_port=port)
    common.open_ledger(using).close()
    logs.start(using.log_format)
    if beside:
        process.begin_nicely()
    process.serve(using, common.say, until_stdin_ends=beside)
