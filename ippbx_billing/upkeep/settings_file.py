"""The settings file, looked at and changed line by line, with the checks that every start makes.

    [one.name for one in setting_lines(data_dir, os.environ)]
    change(data_dir, {"site_name": "示例公司"})   # {"site_name": ("", "示例公司")}

The one idea: a change touches the lines that it names and nothing else, so that what an engineer wrote beside them
stays; where a line cannot be found the whole file is written as `init` writes it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ippbx_billing import files
from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.settings import ENVIRONMENT_PREFIX, FILE_NAME, Settings, as_toml, checked, load

BY_HAND = ("bar_command",)  # it runs on this machine and may hold a password: neither shown nor changed from afar


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting as it is edited: a list has one text a line. `text` is the file's; `environment` what goes before it.

    `by_hand` ones are changed in the file alone, and their text is not told.
    """

    name: str
    section: str
    about: str
    text: str
    default: str
    is_list: bool
    environment: str | None
    by_hand: bool
    is_set: bool


def setting_lines(data_dir: Path, environment: Mapping[str, str]) -> list[SettingLine]:
    """Every setting in the order of the file."""
    stored, usual = load(data_dir, environment={}), Settings()
    return [
        _line(one.name, one.metadata, getattr(stored, one.name), getattr(usual, one.name), environment)
        for one in fields(Settings)
        if one.metadata["section"]
    ]


def _line(
    name: str, metadata: Mapping[str, Any], value: Any, usual: Any, environment: Mapping[str, str]
) -> SettingLine:
    by_hand = name in BY_HAND
    return SettingLine(
        name,
        metadata["section"],
        metadata["about"],
        "" if by_hand else in_text(value),
        in_text(usual),
        isinstance(usual, tuple),
        environment.get(ENVIRONMENT_PREFIX + name.upper()) if not by_hand else None,
        by_hand,
        value != usual,
    )


def in_text(value: Any) -> str:
    """A value as it is edited."""
    return "\n".join(value) if isinstance(value, tuple) else str(value)


def change(data_dir: Path, given: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Write these settings; gives what was and what is, of those that changed. UsageError for what cannot be used."""
    stored = load(data_dir, environment={})
    wanted = replace(stored, **{name: _checked(name, text) for name, text in given.items()})
    changed = [name for name in given if getattr(stored, name) != getattr(wanted, name)]
    if changed:
        path = data_dir / FILE_NAME
        files.write(path, _written(path, wanted, changed), private=True)
    return {name: (in_text(getattr(stored, name)), in_text(getattr(wanted, name))) for name in changed}


def _checked(name: str, text: str) -> Any:
    known = {one.name: one for one in fields(Settings) if one.metadata["section"] and one.name not in BY_HAND}
    if name not in known:
        raise UsageError(tr("{name} is not changed here", name=name), tr("change it in {file}", file=FILE_NAME))
    try:
        return checked(name, text.splitlines() if isinstance(known[name].default, tuple) else text)
    except ValueError as error:
        raise UsageError(
            tr("{name} cannot be {value!r}: {error}", name=name, value=text, error=error),
            tr("see settings.toml for what it means"),
        ) from error


def _written(path: Path, wanted: Settings, changed: list[str]) -> str:
    """The file with its other lines as they are; the whole file anew where that does not say what is wanted."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = {line.partition(" = ")[0]: line for line in as_toml(wanted).splitlines()}
    for name in changed:
        text = re.sub(rf"^{name}\s*=.*$", lambda _, name=name: lines[name], text, count=1, flags=re.MULTILINE)  # type: ignore[misc]
    return text if _says(text, wanted) else as_toml(wanted)


def _says(text: str, wanted: Settings) -> bool:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        files.write(Path(folder) / FILE_NAME, text, private=True)
        try:
            return replace(load(Path(folder), environment={}), data_dir=wanted.data_dir) == wanted
        except (DataError, UsageError):
            return False
