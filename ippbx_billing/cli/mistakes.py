"""A wrong use of the command line as an error like any other: a sentence and a hint, in the language in use.

    as_usage_error(error)  ->  UsageError("there is no option --mont", "did you mean --month? If not, see …")

Typer says what is wrong in English words alone, and its classes are all that can be gone by; where a message of its
own must be read, the patterns stand in `_PROBLEMS`, and a message that fits none is passed on as it is.
"""

import re
import sys
from collections.abc import Callable
from typing import Any

import typer

from ippbx_billing.documents.help_pages import placeholder
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.commands import command_line
from ippbx_billing.language.words import either, in_language

# Where Typer keeps its exceptions differs from release to release; this one it exports.
_theirs: Any = sys.modules[typer.BadParameter.__module__]
ShowsHelp: Any = _theirs.NoArgsIsHelpError
AnyOfTheirs: Any = _theirs.ClickException


def as_usage_error(error: Any) -> UsageError:
    """What was wrong, and what to do instead."""
    message, hint = _told(error)
    command = _command(getattr(error, "ctx", None))
    if hint.endswith(("?", "？")):
        return UsageError(message, tr("{question} If not, see `{command} --help`.", question=hint, command=command))
    help_of = tr("see `{command} --help`", command=command)
    return UsageError(message, tr("{first}; {second}", first=hint, second=help_of) if hint else help_of)


def _command(context: Any) -> str:
    """The command as it is typed, by whatever name this program was started."""
    return command_line(*(context.command_path.split()[1:] if context is not None else ()))


def _told(error: Any) -> tuple[str, str]:
    if isinstance(error, _theirs.NoSuchOption):
        return tr("there is no option {name}", name=error.option_name), _nearest(error.possibilities or ())
    if isinstance(error, _theirs.MissingParameter):
        return tr("{name} is missing", name=_name_of(error.param)), _choices(error.param)
    if isinstance(error, typer.BadParameter):
        name = error.param_hint or (_name_of(error.param) if error.param else "")
        problem, hint = _problem(error.message)
        return (f"{name}: {problem}" if name else problem), hint
    return _problem(error.format_message())


def _name_of(param: Any) -> str:
    """An option as it is written, an argument as the usage line has it."""
    if param is None:
        return ""
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return placeholder(str(param.metavar or (param.name or "").upper()))


def _choices(param: Any) -> str:
    known = param.type_descriptor.choices if param is not None else None
    names = [in_language(str(getattr(one, "value", one))) for one in known or ()]
    return tr("one of: {names}", names=", ".join(names)) if names else ""


def _nearest(names: Any) -> str:
    return tr("did you mean {name}?", name=either(names)) if names else ""


def _problem(message: str) -> tuple[str, str]:
    """The problem that one of Typer's messages tells, and what could be meant."""
    plain = message.removeprefix("Value error, ").strip()
    for pattern, sentence in _PROBLEMS.items():
        if found := re.fullmatch(pattern, plain, re.DOTALL):
            facts = {name: value.replace("'", "") for name, value in found.groupdict().items() if value}
            near = facts.pop("near", "")
            names = [in_language(one) for one in facts.pop("names", "").split(", ")]
            hint = (
                tr("one of: {names}", names=", ".join(names))
                if any(names)
                else _nearest(near.split(", ") if near else ())
            )
            return sentence(**facts), hint
    return plain, ""


_PROBLEMS: dict[str, Callable[..., str]] = {
    r"No such command '(?P<name>.*?)'\.?(?: Did you mean (?P<near>.*)\?)?": lambda **facts: tr(
        "there is no command {name}", **facts
    ),
    r"Missing command\.": lambda: tr("a command is missing"),
    r"Option '(?P<option>.*)' requires .*": lambda **facts: tr("{option} needs a value", **facts),
    r"Option '(?P<option>.*)' does not take a value\.": lambda **facts: tr("{option} takes no value", **facts),
    r"Got unexpected extra .*\((?P<words>.*)\)": lambda **facts: tr("nothing is known to do with: {words}", **facts),
    r"'(?P<text>.*)' is not one of (?P<names>.*)\.": lambda **facts: tr("{text} is not known", **facts),
    r"Input should be a valid integer.*": lambda: tr("a whole number is expected"),
    r"Input should be a valid number.*": lambda: tr("a number is expected"),
    r"Input should be greater than or equal to (?P<least>.*)": lambda **facts: tr(
        "it must be at least {least}", **facts
    ),
    r"Input should be less than or equal to (?P<most>.*)": lambda **facts: tr("it must be at most {most}", **facts),
    r"\w+ '(?P<path>.*)' does not exist\.": lambda **facts: tr("there is no file {path}", **facts),
    r"\w+ '(?P<path>.*)' is a \w+\.": lambda **facts: tr("{path} is not the kind of file that is expected", **facts),
    r"\w+ '(?P<path>.*)' is not \w+\.": lambda **facts: tr("{path} may not be used", **facts),
}
