"""Draws the pictures of the first pages from real runs: `python -m tests.manual.pictures`, with Chromium and Pillow.

`terminal-en.svg` is what the three commands of `start.md` print, `bill-en.png` a bill of the demonstration's data as
`bill --format html` writes it; the same in Chinese. Nothing in them is drawn by hand.
"""

import os
import re
import subprocess
import sys
import tempfile
from html import unescape
from io import StringIO
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ippbx_billing.manual import page
from tests import EXAMPLES
from tests.manual.pages import commands

FOLDER = EXAMPLES / "pictures"
WIDTH = 96  # columns of the terminal
BILL = "8004"  # an employee with few calls of several kinds: the whole bill is one picture
SHEET = (900, 1270)  # the browser's window, in pixels
PATIENCE_S = 60

FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)  # rich's frame would fetch its font from the net
RUN = re.compile(r'textLength="[\d.]+"([^>]*)>([^<]*)<')
WIDE = r"[\u2e80-\uffef]+"
COLUMN = 12.2  # pixels of rich's SVG


def main() -> None:
    """Make all four."""
    FOLDER.mkdir(exist_ok=True)
    for language in ("en", "zh"):
        (FOLDER / f"terminal-{language}.svg").write_text(terminal(language), "utf-8")
        bill(language, FOLDER / f"bill-{language}.png")


def terminal(language: str) -> str:
    """The first three commands of the manual, and what they print."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        for line, printed in _run(commands(first_page(language))[:3], Path(folder), language):
            console.print(Text(f"$ {line}", style="bold"))
            shown = Text(printed)
            shown.highlight_regex(WIDE, "#c5c8c7")  # a run of its own, so that it begins where it should
            console.print(shown)
    return _as_wide_as_it_is(FONT.sub("", console.export_svg(title="ippbx-bill", unique_id=f"terminal-{language}")))


def _as_wide_as_it_is(svg: str) -> str:
    """rich counts signs where it should count columns: a Chinese one takes two."""

    def measured(found: re.Match[str]) -> str:
        return f'textLength="{cell_len(unescape(found[2])) * COLUMN:.1f}"{found[1]}>{found[2]}<'

    return RUN.sub(measured, svg)


def first_page(language: str) -> str:
    """The manual's first page."""
    found = page("start", language)
    assert found
    return found.text


def _run(lines: list[str], folder: Path, language: str) -> list[tuple[str, str]]:
    """Each line with what it printed; the listener in the middle goes on until the last is done."""
    first, listen, last = ([sys.executable, "-m", "ippbx_billing", *line.split()[1:]] for line in lines)
    environment = {**os.environ, "IPPBX_BILL_LANG": language, "COLUMNS": str(WIDTH)}
    given = {"cwd": folder, "env": environment, "text": True}
    begun = subprocess.run(first, check=True, capture_output=True, timeout=PATIENCE_S, **given)  # type: ignore[call-overload]
    process = subprocess.Popen(listen, stderr=subprocess.PIPE, **given)  # type: ignore[call-overload]
    try:
        said = process.stderr.readline()
        ended = subprocess.run(last, check=True, capture_output=True, timeout=PATIENCE_S, **given)  # type: ignore[call-overload]
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        process.stderr.close()
    printed = [begun.stdout + begun.stderr, said, ended.stderr + ended.stdout]
    return list(zip(lines, map(_trimmed, printed), strict=True))


def _trimmed(text: str) -> str:
    return "\n".join(row.rstrip() for row in text.splitlines()) + "\n"


def bill(language: str, target: Path) -> None:
    """An employee's bill with its calls, as a browser shows the HTML."""
    from PIL import Image, ImageChops

    from ippbx_billing.cli import common
    from tests.manual import site

    common.now = lambda: site.NOW
    with tempfile.TemporaryDirectory() as folder:
        data, html, raw = Path(folder) / "demo-data", Path(folder) / "bill.html", Path(folder) / "bill.png"
        site.make(data)
        command = [
            "--data-dir",
            str(data),
            "--lang",
            language,
            "bill",
            "--month",
            "2026-10",
            "--employee",
            BILL,
            "--calls",
        ]
        environment = {**os.environ, "IPPBX_BILL_SITE_NAME": "天津海河商贸有限公司"}
        subprocess.run(
            [sys.executable, "-m", "ippbx_billing", *command, "--output", str(html)], check=True, env=environment
        )
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        size = f"--window-size={SHEET[0]},{SHEET[1]}"
        subprocess.run(
            [*browser, size, f"--screenshot={raw}", html.as_uri()], check=True, capture_output=True, timeout=PATIENCE_S
        )
        picture = Image.open(raw).convert("RGB")
        white = Image.new("RGB", picture.size, "white")
        _, _, right, lower = ImageChops.difference(picture, white).getbbox() or (0, 0, *picture.size)
        cut = picture.crop((0, 0, min(picture.width, right + 20), min(picture.height, lower + 20)))
        cut.quantize(32).save(target, optimize=True)


if __name__ == "__main__":
    main()
