"""JSON as PBXs write it: numbers stay texts, a name given twice keeps both values, and misprints are repaired.

    decode_json('{"a": 1,, "a": 02}')  ->  {"a": ["1", "02"]}, Reason("json-repaired")

Repaired is what a vendor misprints, never what was cut off: a shortened record would be a wrong one.
"""

import json
import re
from typing import Any

from ippbx_billing.calls import Reason

LARGEST_REPAIR = 1_000_000  # characters; repairing is slow, and a record is small
LARGEST_GUESS = 32_000  # guessing commas is slower yet: a quarter of a second for so many characters
REPAIRED = Reason("json-repaired")
JUNK = "\ufeff\0 \t\r\n"  # around a body, of no meaning


def joined(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """One object; a name given twice keeps all its values, in order."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    every: dict[str, list[Any]] = {}
    for name, value in pairs:
        every.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in every.items()}


DECODER = json.JSONDecoder(object_pairs_hook=joined, parse_int=str, parse_float=str, parse_constant=str, strict=False)


def decode_json(text: str) -> tuple[Any, Reason]:
    """One JSON value and a note about how it had to be repaired; raises ValueError.

    Repairs what a vendor misprints, never what was cut off: a shortened record would be a wrong one.
    """
    try:
        return DECODER.decode(text), Reason()
    except ValueError:
        if len(text) > LARGEST_REPAIR or not is_whole(text):
            raise ValueError("cut off, or too large to repair") from None
    repairs = (_unquote_inner, _escape_stray_quotes, _guess_commas)
    for repair in repairs if len(text) <= LARGEST_GUESS else repairs[:-1]:
        try:
            value = DECODER.decode(repair(text))
        except ValueError:
            continue
        if isinstance(value, dict | list) and value:
            return value, REPAIRED
    raise ValueError("beyond repair")


_OPENS_TEXT = re.compile(r'[,{\[:]\s*"[^",:]*$')  # the last quote of all begins a text


def is_whole(text: str) -> bool:
    """Whether the text ends with the bracket that it began with, and all between are closed."""
    stripped = text.strip(JUNK)
    if stripped[-1:] != {"{": "}", "[": "]"}.get(stripped[:1], "?"):
        return False
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"', "", stripped)
    if bare.count('"') % 2 and _OPENS_TEXT.search(stripped):
        return False  # its brackets stand in a text that was cut off
    judged = (bare, stripped) if '"' in bare else (bare,)  # where quotes are amiss, brackets may lie between them
    return any(one.count("{") == one.count("}") and one.count("[") == one.count("]") for one in judged)


def _unquote_inner(text: str) -> str:
    r"""`"msg": "{"a": 1}"`, printed without the escapes of the inner document."""
    return re.sub(r'\}\s*"(?=\s*[,}\]])', "}", re.sub(r'"(?=\s*\{\s*")', "", text)).replace('\\"', '"')


_AFTER_TEXT = re.compile(r'\s*(?:[:}\]]|,\s*(?:["{\[}\]]|-?\d|true|false|null)|$)')


def _escape_stray_quotes(text: str) -> str:
    """Quotes inside a text that lost their escapes: one that no separator follows does not end the text."""
    pieces, inside = [], False
    for position, character in enumerate(text):
        if character == '"' and (position == 0 or text[position - 1] != "\\"):
            if inside and not _AFTER_TEXT.match(text, position + 1):
                pieces.append("\\")
            else:
                inside = not inside
        pieces.append(character)
    return "".join(pieces)


def _guess_commas(text: str) -> str:
    """Missing and doubled commas, single quotes, bare words."""
    import json_repair

    return str(json_repair.repair_json(_quoted_numbers(text), ensure_ascii=False))


def _quoted_numbers(text: str) -> str:
    """Keep the text of numbers through the repair, which would read and write them."""
    return re.sub(r'("\s*:\s*)(-?\d[\d.eE+-]*)(?=\s*[,}\]"\n])', r'\1"\2"', text)
