"""From what stands in a record to the digits that were dialled.

    clean("（022）5867-4577")  ->  "02258674577"
    clean("sip:+862258674577@pbx.example")  ->  "+862258674577"

Digits remain, with a leading `+`, the keys `*` and `#`, and `,` where the dialler paused; whatever has
letters in it is no number and gives the empty text.
"""

import re
import unicodedata
from dataclasses import dataclass

LONGEST_TEXT = 200

_ADDRESS = re.compile(r"(?:sips?|tel):([^@;>?]*)", re.IGNORECASE)
_EXTENSION_BEHIND = re.compile(r"(?<=\d)\s*(?:转|轉|ext\.?|extension).*", re.IGNORECASE)
_TRUNK_ZERO_IN_BRACKETS = re.compile(r"^(\s*(?:\+|00).*?)\(0\)")
_DECORATION = re.compile(r"[\s().\-/\[\]\u00ad\u200b-\u200f\u2010-\u2015\u2212\u2060\ufeff\u202a-\u202e·・]+")
_PAUSE = re.compile(r"(?<=[\d*#])[,;pPwW]+(?=[\d*#])")
_NUMBER = re.compile(r"\+?[0-9*#,]+")


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A rule of the site for outgoing numbers: what begins like this loses its first digits.

    `match_length` says how many digits of `prefix` must agree (0: all); `delete` how many are removed. The
    manual's example `Cleanup("17951", 5, 5)` makes 02258674577 of 1795102258674577.
    """

    prefix: str
    match_length: int = 0
    delete: int = 0

    @property
    def matched(self) -> str:
        """The digits a number must begin with."""
        return self.prefix[: self.match_length] if self.match_length > 0 else self.prefix

    def fits(self, digits: str) -> bool:
        return bool(self.matched) and digits.startswith(self.matched)

    def apply(self, digits: str) -> str:
        """The number without the digits that this rule deletes."""
        return digits[max(self.delete, 0) :]


def clean(text: str) -> str:
    """Digits with their `+`, `*`, `#` and pauses (`,`); empty where the text is no number."""
    if text.isascii() and text.isdigit():
        return text
    text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).strip()
    if address := _ADDRESS.search(text):
        text = address[1].replace("%2B", "+").replace("%2b", "+").replace("%23", "#")
    text = _TRUNK_ZERO_IN_BRACKETS.sub(r"\1", _EXTENSION_BEHIND.sub("", text))
    text = _PAUSE.sub(",", _DECORATION.sub("", text)).strip(",;")
    return text if _NUMBER.fullmatch(text) and any(map(str.isdigit, text)) else ""
