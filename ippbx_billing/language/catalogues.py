"""Compiles the catalogues: each `.po` becomes the `.mo` beside it, which is what gettext reads.

The build of the wheel and of an editable install runs this as its hook, so nobody commits what can be made.
After a change of a catalogue in a checkout: `python ippbx_billing/language/catalogues.py`.
"""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locale"


def compile_all(locales: Path = LOCALES) -> list[Path]:
    """Compile every catalogue below this folder that is newer than what was made of it; gives what was made."""
    made = []
    for source in sorted(locales.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime_ns <= source.stat().st_mtime_ns:
            with source.open("rb") as po:
                catalogue = read_po(po, locale=source.parts[-3])
            with target.open("wb") as mo:
                write_mo(mo, catalogue)
            made.append(target)
    return made


def get_build_hook() -> Any:
    """The hook that hatchling runs before it gathers the files."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class Catalogues(BuildHookInterface[Any]):
        PLUGIN_NAME = "catalogues"

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            compile_all()

    return Catalogues


if __name__ == "__main__":
    compile_all()
