"""Writes what nobody types into the pages: `python -m tests.manual` after a change of commands, settings or keys.

`python -m tests.manual --commands zh` prints the commands in one language; texts are loaded in one language only, so
each language is a process of its own.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ippbx_billing import language as texts
from ippbx_billing.manual import FOLDER

MARKS = {"commands": "commands", "settings": "settings", "json": "keys"}  # by page, what its marks say


def main() -> None:
    """Make every table again."""
    if sys.argv[1:2] == ["--commands"]:
        texts.begin_in(sys.argv[2])
        from tests.manual.tables import command_section

        print(command_section(sys.argv[2]))
        return
    from tests.manual.tables import with_section

    for (language, topic), made in sections().items():
        page = FOLDER / language / f"{topic}.md"
        page.write_text(with_section(page.read_text("utf-8"), MARKS[topic], made), "utf-8")


def sections() -> dict[tuple[str, str], str]:
    """By language and page, what stands between the page's marks."""
    from ippbx_billing.cli import common
    from tests.manual import site
    from tests.manual.tables import keys_section, settings_section

    made = {}
    with tempfile.TemporaryDirectory() as folder:
        place, before = Path(folder) / "demo-data", common.now
        common.now = lambda: site.NOW
        try:
            site.make(place)
            for language in texts.LANGUAGES:
                made[language, "commands"] = commands_in(language)
                made[language, "settings"] = settings_section(language)
                made[language, "json"] = keys_section(language, place)
        finally:
            common.now = before
    return made


def commands_in(language: str) -> str:
    """All commands as a process of that language tells them."""
    command = [sys.executable, "-m", "tests.manual", "--commands", language]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IPPBX_BILL_")}
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment).stdout.strip()


if __name__ == "__main__":
    main()
