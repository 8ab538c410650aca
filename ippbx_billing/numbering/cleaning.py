"""From what stands in a record to the digits that were dialled.

    clean("（022）5867-4577")  ->  "02258674577"
    clean("sip:+862258674577@pbx.example")  ->  "+862258674577"

Digits remain, in whatever script they were written, with a `+` before a country code, the keys `*` and `#`,
and `,` where the dialler paused; whatever has letters in it is not a number and gives the empty text.
"""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

LONGEST_TEXT = 200

_ADDRESS = re.compile(r"(?:sips?|tel):([^@;>?]*)", re.IGNORECASE)
_CONTEXT = re.compile(r";phone-context=(\+[\d().\-]+)", re.IGNORECASE)
_IN_ANGLES = re.compile(r"<([^<>]*)>\s*$")
_EXTENSION_BEHIND = re.compile(r"(?<=\d)\s*(?:(?:转|轉|ext\.?|extension).*|x\s*\d+)$", re.IGNORECASE)
_EXTENSION_BEHIND_DASH = re.compile(r"^(\s*\(?0\d{2,3}\)?[-\s]?\d{7,8})-\d{1,6}$")
_TRUNK_ZERO_IN_BRACKETS = re.compile(r"^(\s*(?:\+|00).*?)\(0\)")
_DECORATION = re.compile(
    r"[\s().\-/\[\]~【】'\u2019\u00ad\u200b-\u200f\u2010-\u2015\u2212\u2060\ufeff\u202a-\u202e·・]+"
)
_PAUSE = re.compile(r"(?<=[\d*#])[,;pPwW]+(?=[\d*#+])")
_END_KEY = re.compile(r"(\+?[0-9,]+)#")
_NUMBER = re.compile(r"[0-9*#,]*\+?[0-9*#,]+")
SHORTEST_IN_CONTEXT = 7


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
    """Digits with their `+`, `*`, `#` and pauses (`,`); empty where the text is not a number."""
    if text.isascii() and text.isdigit():
        return text
    text = _subscriber(_latin(text[:LONGEST_TEXT]).strip())
    text = _EXTENSION_BEHIND_DASH.sub(r"\1", _EXTENSION_BEHIND.sub("", text))
    text = _TRUNK_ZERO_IN_BRACKETS.sub(r"\1", text)
    text = _PAUSE.sub(",", _DECORATION.sub("", text)).strip(",;")
    if ended := _END_KEY.fullmatch(text):  # the key that says that dialling is over
        text = ended[1]
    return text if _NUMBER.fullmatch(text) and any(map(str.isdigit, text)) else ""


def _latin(text: str) -> str:
    """Full-width letters and the digits of all scripts as those of ASCII."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in text)


def _subscriber(text: str) -> str:
    """The part of an address that names the subscriber: of a URI, of `Name <number>`, of `number@host`."""
    if address := _ADDRESS.search(text):
        return _in_context(unquote(address[1]), _CONTEXT.search(text))
    if named := _IN_ANGLES.search(text):
        text = named[1]
    return unquote(text.partition("@")[0])


def _in_context(number: str, context: re.Match[str] | None) -> str:
    """The number behind the prefix of its phone-context (RFC 3966); extensions and short codes stand for themselves."""
    if context is None or number.startswith("+") or sum(map(str.isdigit, number)) < SHORTEST_IN_CONTEXT:
        return number
    return context[1] + number
