"""What an option says, as a value, without the validator that Typer loads for each of them.

    use_where_plain()    # once, before a command is run

The one idea: a value that is plainly right is taken as it is, and all others go to Typer's own way, which knows
every spelling and every error message. So answers and errors are Typer's, and a command starts a tenth of a second
sooner: Typer makes a pydantic validator of each parameter, even to find that `2026-10` is a text.

Typer has no public place for this. `use_where_plain` stands in front of `typer.core.build_runtime_param`, which makes
the validator of a parameter when the parameter is first used; where a Typer has no such function, nothing is changed.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, get_args, get_origin

import typer.core

Build = Callable[[Any], Any]  # a descriptor of typer._coercion -> what has `coerce(value, param, ctx)`

UNCLEAR = object()  # no plain value: Typer shall say what it is

INTEGER = re.compile(r"-?[0-9]{1,15}")
DECIMAL = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
BEYOND_TEXT = re.compile("[\0\ud800-\udfff]")  # bytes of the command line that are not characters


def use_where_plain() -> None:
    """From now on Typer asks us first; a second call changes nothing."""
    theirs = getattr(typer.core, "build_runtime_param", None)
    if theirs is not None and not isinstance(theirs, _OursFirst):
        typer.core.build_runtime_param = _OursFirst(theirs)  # type: ignore[attr-defined, assignment]


@dataclass(frozen=True)
class _OursFirst:
    """Builds for a parameter what coerces its values."""

    theirs: Build

    def __call__(self, descriptor: Any) -> "PlainValues":
        return PlainValues(descriptor, self.theirs)


@dataclass
class PlainValues:
    """Coerces the values of one parameter: plain ones here, the others by Typer's own, made when it is needed."""

    descriptor: Any
    theirs: Build

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value that the command is given; Typer's BadParameter where it is none."""
        several = param.multiple or param.nargs != 1
        found = self._each(value, several)
        return self._others.coerce(value, param=param, ctx=ctx) if found is UNCLEAR else found

    def _each(self, value: Any, several: bool) -> Any:
        if value is None:
            return () if several else None
        if not several:
            return plain(value, self.descriptor.annotation, self.descriptor.parameter_info)
        if get_origin(self.descriptor.annotation) is not list or not isinstance(value, list | tuple):
            return UNCLEAR
        (kind,) = get_args(self.descriptor.annotation)
        found = [plain(one, kind, self.descriptor.parameter_info) for one in value]
        return UNCLEAR if UNCLEAR in found else found

    @cached_property
    def _others(self) -> Any:
        return self.theirs(self.descriptor)


def plain(value: Any, kind: Any, info: Any) -> Any:
    """A text, or a value that is one already, as this kind; UNCLEAR where the plain rules do not decide it.

    `info` is the parameter's `typer.Option(...)`, whose limits, parser and demands on a path count.
    """
    if info.parser is not None or (isinstance(value, str) and BEYOND_TEXT.search(value)):
        return UNCLEAR
    if kind is str:
        return value if type(value) is str else UNCLEAR
    if kind in (int, float):
        return _number(value, kind, info)
    if kind is Path:
        return _path(value, info)
    return _choice(value, kind) if info.case_sensitive else UNCLEAR


def _number(value: Any, kind: type[int] | type[float], info: Any) -> Any:
    form = INTEGER if kind is int else DECIMAL
    if type(value) is str and form.fullmatch(value):
        value = kind(value)
    within = type(value) is kind and (info.min is None or info.min <= value) and (info.max is None or value <= info.max)
    return value if within else UNCLEAR


def _path(value: Any, info: Any) -> Any:
    """A path of which no more is asked than that it can be read if it is there."""
    asks = info.exists or info.writable or info.resolve_path or info.allow_dash or info.path_type
    if asks or not (info.file_okay and info.dir_okay) or not isinstance(value, str | Path):
        return UNCLEAR
    return Path(value) if os.access(value, os.R_OK) or not os.path.lexists(value) else UNCLEAR


def _choice(value: Any, kind: Any) -> Any:
    """A member of an enumeration or one of a Literal, by its text; none of them where another spelling may be meant."""
    choices = list(kind) if isinstance(kind, type) and issubclass(kind, Enum) else get_args(kind)
    for one in choices:
        if value is one or (type(value) is str and value == str(getattr(one, "value", one))):
            return one
    return UNCLEAR
