"""Rows and documents as JSON that programs read and people look at in a terminal: a row a line.

write_json(sys.stdout, [{"extension": "8001"}])
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import IO, Any

# Controls and direction marks of the basic plane that JSON leaves as they are.
UNPRINTABLE = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def write_json(stream: IO[str], document: Any) -> None:
    """A row a line, so that it streams and compares well; anything else indented."""
    if not isinstance(document, Mapping):
        _write_rows(stream, document)
        stream.write("\n")
        return
    separator = "{"
    for key, value in document.items():
        stream.write(f"{separator}\n  {json_text(key)}: ")
        if isinstance(value, list):
            _write_rows(stream, value, "  ")
        else:
            stream.write(json_text(value, indent=2).replace("\n", "\n  "))
        separator = ","
    stream.write("{}\n" if separator == "{" else "\n}\n")


def _write_rows(stream: IO[str], rows: Iterable[Any], indent: str = "") -> None:
    separator = "["
    for row in rows:
        stream.write(f"{separator}\n{indent}  {json_text(row)}")
        separator = ","
    stream.write("[]" if separator == "[" else f"\n{indent}]")


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON that is read by programs and looked at in terminals: what neither can print is spelled \\uXXXX."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
