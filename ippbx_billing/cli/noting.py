"""Commands that change something leave a line in the log of who did what, with what was there and what is there.

noted(command, "trunks add")  # the same command, which notes what it did when it is done

A command of TABLES is noted where it changed a row of what people enter, one of ACTIONS whenever it ended well.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.ledger.snapshots import EditWatch, Told

TABLES = {
    f"{group} {verb}"
    for group, verbs in {
        "carriers": ("add", "set-region", "set", "remove", "import"),
        "tariffs": ("set", "remove", "import"),
        "tariffs plans": ("set", "remove", "import"),
        "trunks": ("add", "remove"),
        "departments": ("add", "rename", "mail", "move", "remove", "import"),
        "departments terms": ("set", "remove"),
        "employees": ("add", "rename", "mail", "move", "remove", "import"),
        "extensions": ("add", "assign", "move", "remove", "import"),
        "holidays": ("add", "remove"),
        "filters cleanup": ("add", "remove"),
        "filters cdr": ("add", "remove"),
        "numbers override": ("add", "remove"),
        "limits": ("set", "remove", "apply"),
        "accounts": ("top-up", "close"),
        "deliver": ("add", "remove", "enable"),
    }.items()
    for verb in verbs
} | {"init"}
ACTIONS = {
    *("listen", "console", "rerate", "backup", "restore", "configure-pbx"),
    *("calls anonymize", "events replay", "events salvage", "events import", "events rebuild", "events prune"),
    *("pbx enable-api", "pbx set-password", "pbx set-event-urls", "pbx discard"),
    *("alerts set", "alerts mute", "alerts ack"),
    *("deliver again", "deliver bounced"),
    *("alerts channels add", "alerts channels remove", "alerts channels server"),
    *("ship", "centre init", "centre sites add", "centre sites book", "centre sites revoke"),
    *("centre sites pin", "centre sites unpin", "centre close", "centre rerate"),
    *("dialects words set", "numbers update", "service install", "service uninstall"),
}
LASTING = ("listen", "console")  # noted when they begin
ONLY_LOOKING = ("dry_run", "printed", "guide", "show")
SECRET_PAIR = re.compile(r"(\w*(?:secret|password|token|key|url)\w*)=", re.IGNORECASE)
SECRETS = ("api_password", "admin_password", "password", "token", "dsn")


def noted(command: Any, name: str) -> Any:
    """The command, or the group with all its commands, which note what they do."""
    for below, one in getattr(command, "commands", {}).items():
        noted(one, f"{name} {below}")
    if name in TABLES | ACTIONS:
        command.invoke = _noting(command.invoke, name)
    return command


def _noting(invoke: Callable[[typer.Context], Any], name: str) -> Callable[[typer.Context], Any]:
    def run(context: typer.Context) -> Any:
        if any(context.params.get(one) is True for one in ONLY_LOOKING):
            return invoke(context)
        command = _told(context, name)
        if name in LASTING:
            _note(name, command)
            return invoke(context)
        if name in ACTIONS:
            answer = invoke(context)
            _note(name, command)
            return answer
        with _watch() as watch:
            answer = invoke(context)
            was, now = watch.differences()
        if was or now:
            _note(name, command, was, now)
        return answer

    return run


def _told(context: typer.Context, name: str) -> str:
    """The command as it was typed, from its name on, without its secrets."""
    hidden: dict[str, Any] = {one: "…" for one in SECRETS if context.params.get(one)}
    hidden |= {
        name: [_without_secret(str(one)) for one in value]
        for name, value in context.params.items()
        if isinstance(value, list | tuple) and any(SECRET_PAIR.match(str(one)) for one in value)
    }
    typed = common.this_command(context, **hidden)
    return typed[max(0, typed.find(name)) :]


def _without_secret(pair: str) -> str:
    """`secret=…` in place of the secret; an address may hold a token as well."""
    found = SECRET_PAIR.match(pair)
    return f"{found[1]}=…" if found else pair


def _watch() -> "EditWatch":
    from ippbx_billing.ledger.snapshots import EditWatch

    return EditWatch(common.settings().ledger_path)


def _note(name: str, command: str, was: "Told | None" = None, now: "Told | None" = None) -> None:
    """Write the line; a log that cannot be written is told, since the change is made."""
    from ippbx_billing.operators import OperatorFile
    from ippbx_billing.operators.log import Actor

    try:
        using = common.settings()
        if not using.ledger_path.exists():
            return
        with OperatorFile(using.operators_path) as file:
            file.log.write(common.now(), Actor.of_system(), name, command, before=was or None, after=now or None)
    except BillingError as error:
        if name in LASTING:
            return  # it has not begun yet, and says itself why it cannot
        common.say(tr("not noted in the log of who did what: {error}", error=error))
