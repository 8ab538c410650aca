"""Values that cannot be meant are refused where they are given, with what can be meant.

An empty value is mostly a variable of a script that holds nothing: `--month "$MONTH"` must not become this month.
"""

from ippbx_billing.documents.columns import Format
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

ENDINGS = {
    ".pdf": Format.PDF,
    ".xlsx": Format.XLSX,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".md": Format.MARKDOWN,
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".txt": Format.TABLE,
}


def form_of(output: str) -> Format | None:
    """The form that a file's ending asks for; None for stdout and names without one, UsageError for an unknown one."""
    name = output.replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    if not (stem and dot) or output == "-" or output.startswith("/dev/"):
        return None
    found = ENDINGS.get(f".{ending.lower()}")
    if found is None:
        raise UsageError(
            tr("no form is known for the ending .{ending} of {name}", ending=ending, name=output),
            tr("known endings: {endings}; or say it with --format", endings=" ".join(ENDINGS)),
        )
    return found


def month(text: str | None) -> str | None:
    """A month as it was given; UsageError for an empty one."""
    return not_empty("--month", text, tr("write it like 2026-10, or say this or last"))


def number(text: str) -> str:
    """A telephone number as it was given; UsageError for an empty one."""
    return not_empty(tr("the number"), text, tr("write it as it is dialled, such as 902162345678")) or ""


def not_empty(what: str, text: str | None, hint: str = "") -> str | None:
    """The text; UsageError where something was given and nothing stands in it."""
    if text is not None and not text.strip():
        raise UsageError(
            tr("{what} is empty", what=what), hint or tr("leave {what} out, or give it a value", what=what)
        )
    return text
