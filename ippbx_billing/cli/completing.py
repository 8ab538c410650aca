"""Completion with the Tab key in bash, zsh and fish: commands, options, and the names that the data directory knows.

    ippbx-bill --install-completion zsh

Which names a parameter takes follows from how it is called. Whatever goes wrong meanwhile, nothing is offered and
nothing is said: somebody is typing.
"""

import os
import re
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Any

from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import tr

PROGRAM = "ippbx-bill"
ASKED_BY = "_IPPBX_BILL_COMPLETE"  # the variable by which a shell's script asks
SHELLS = ("bash", "zsh", "fish")
INSTALL = "--install-completion"
THIS_SHELL = "this"

_BY_PARAMETER = {
    "carrier": "carrier",
    "department": "department",
    "under": "department",
    "employee": "employee",
    "who": "employee",
    "extension": "extension",
    "month": "month",
    "trunk": "trunk",
}
_BY_PLACE = {  # what `name`, `number`, `path` are, in which group
    ("carriers", "name"): "carrier",
    ("trunks", "name"): "trunk",
    ("departments", "path"): "department",
    ("extensions", "number"): "extension",
    ("tariffs", "first"): "carrier",
    ("tariffs", "second"): "carrier",
}
_NEW = {"add"}  # commands that take a name which is not there yet


# -- what is offered


class _Offer:
    """One completion, as Typer's shells write it."""

    type = "plain"

    def __init__(self, value: str, told: str = "") -> None:
        self.value = value
        self.help = told or None


def with_names(ctx: Any, params: Sequence[Any], data_dir: Callable[[], Path]) -> list[Any]:
    """The parameters of a command, those that take a known name ready to offer what there is."""
    return [_offering(one, kind, data_dir) if (kind := _kind_of(ctx, one)) else one for one in params]


def _kind_of(ctx: Any, param: Any) -> str | None:
    group = ctx.parent.info_name if ctx.parent is not None else ""
    name = param.name or ""
    if ctx.info_name in _NEW and param.param_type_name == "argument":
        return None
    return _BY_PLACE.get((group, name)) or _BY_PARAMETER.get(name)


def _offering(param: Any, kind: str, data_dir: Callable[[], Path]) -> Any:
    offering = copy(param)
    offering.shell_complete = lambda ctx, begun: offers(data_dir(), kind, begun)
    return offering


def offers(data_dir: Path, kind: str, begun: str) -> list[_Offer]:
    """What can follow what is typed so far: names of a kind, and the words that stand for a month."""
    from ippbx_billing.ledger.names import known

    found = known(data_dir / "ledger.db", kind)
    if kind == "month":
        found = [*found, ("last", tr("the month before this one")), ("this", tr("this month"))]
    if kind == "employee" and begun:
        found = [*found, *((name, number) for number, name in found)]
    return [_Offer(_typed(name), told) for name, told in found if name.startswith(begun)]


def _typed(name: str) -> str:
    """A name as it is typed; zsh and fish put the strokes before blanks themselves."""
    if os.environ.get(ASKED_BY) != "complete_bash":
        return name
    return re.sub(r"([\s\\'\"$`&|;<>()*?!#\[\]{}])", r"\\\1", name)


def answered(complete: Callable[[], Any]) -> None:
    """Let a shell's question be answered; whatever is wrong, it gets no answer instead of an error in its line."""
    from typer.completion import completion_init  # type: ignore[attr-defined]

    try:
        completion_init()
        complete()
    except SystemExit:
        raise
    except Exception:
        raise SystemExit(0) from None


# -- setting it up


def with_shell(args: list[str]) -> list[str]:
    """The words of the line, the shell of this terminal filled in where none is named."""
    if INSTALL not in args:
        return args
    place = args.index(INSTALL)
    follows = args[place + 1 : place + 2]
    if follows and not follows[0].startswith("-"):
        return args
    return [*args[:place], f"{INSTALL}={THIS_SHELL}", *args[place + 1 :]]


def install(shell: str) -> str:
    """Set completion up for a shell; the sentence that says where. UsageError for an unknown shell."""
    from typer.completion import install as write  # type: ignore[attr-defined]

    named = Path(os.environ.get("SHELL", "")).name if shell == THIS_SHELL else shell
    if named not in SHELLS:
        problem = tr("{text!r} is not a shell with completion", text=named)
        raise UsageError(problem, ", ".join(f"`{PROGRAM} {INSTALL} {one}`" for one in SHELLS))
    try:
        _, path = write(shell=named, prog_name=PROGRAM, complete_var=ASKED_BY)
        if named == "zsh":
            _answer_the_first_tab(path)
    except OSError as error:
        problem = tr("{path} cannot be written: {error}", path=error.filename or "~", error=tr(str(error.strerror)))
        raise BillingError(problem, tr("check that the home directory is yours and has room")) from error
    return tr("completion for {shell} is set up in {path}; open a new terminal to use it", shell=named, path=path)


def _answer_the_first_tab(script: Path) -> None:
    """zsh reads the script only at the first Tab, where the function that it defines must answer as well."""
    function = f"_{PROGRAM.replace('-', '_')}_completion"
    text = script.read_text(encoding="utf-8").rstrip("\n")
    script.write_text(f'{text}\n[[ "$funcstack[1]" = "_{PROGRAM}" ]] && {function} "$@"\n', encoding="utf-8")
