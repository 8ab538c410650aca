"""Prints what the project depends on, without versions: `newest.py pyproject.toml`."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
for wanted in [
    *project["dependencies"],
    *(one for extra in project["optional-dependencies"].values() for one in extra),
]:
    name, _, marker = wanted.partition(";")
    print(re.split(r"[<>=!~ ]", name, maxsplit=1)[0] + (f";{marker}" if marker else ""))
