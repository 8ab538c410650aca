"""In what an amount is told: which currency, whole or minor units, and for how many seconds.

The one idea: what stands around a number or in a heading is taken to pieces, and a piece that nobody understands is
kept, so that a price is never read in a unit that was only guessed.

>>> unit("0.05 EUR/min".replace("0.05", ""))
AmountUnit(currencies=frozenset({'EUR'}), divisor=1, per_s=60, rest='')
>>> unit("ct per hour").divisor, unit("ct per hour").per_s
(100, 3600)
"""

import re
from dataclasses import dataclass
from functools import cache

from ippbx_billing.language import tr

MINUTE_S = 60
HOUR_S = 3600

# What a currency is called, and which ones it may be; `$` is any of the dollars.
_DOLLARS = "USD AUD CAD NZD SGD HKD TWD JMD TTD BBD BSD BZD FJD NAD GYD LRD BMD KYD XCD ARS CLP COP MXN"
_SIGNS = {
    "us\\$|美元|美金|dollars?|usd": "USD",
    "r\\$|reais|real": "BRL",
    "hk\\$|港元|港币|港幣": "HKD",
    "a\\$|au\\$": "AUD",
    "c\\$|ca\\$": "CAD",
    "nt\\$|台币|新台币": "TWD",
    "s\\$": "SGD",
    "nz\\$": "NZD",
    "mx\\$": "MXN",
    "\\$": _DOLLARS,
    "€|欧元|euros?|eur": "EUR",
    "£|英镑|pounds?|gbp": "GBP GIP FKP JEP GGP IMP SHP",
    "人民币|人民幣|rmb|yuan|cny": "CNY",
    "日元|日圆|yen": "JPY",
    "[¥￥]": "CNY JPY",
    "元": "CNY TWD HKD",
    "₹|rupees?": "INR PKR LKR NPR MUR SCR",
    "rs\\.?": "INR PKR LKR NPR MUR SCR",
    "₸|tenge|тенге": "KZT",
    "₽|руб\\.?|rub|roubles?|rubles?": "RUB",
    "₩|won": "KRW",
    "₺|tl": "TRY",
    "₴|грн": "UAH",
    "₫": "VND",
    "฿|baht": "THB",
    "₪": "ILS",
    "kr\\.?": "SEK NOK DKK ISK",
    "zł|zl|pln": "PLN",
    "chf|fr\\.": "CHF",
    "₱": "PHP",
    "₦": "NGN",
    "rm": "MYR",
    "rp": "IDR",
}
_CENTS = _DOLLARS + " EUR ZAR KES UGX TZS LKR MUR SCR BND ETB SRD ANG AWG ZMW"
# What a minor unit is called, how many make a whole one, and of which currencies it is.
_MINOR = {
    "美分|us ?cents?|usd ?cents?|usc": (100, "USD"),
    "欧分|euro ?cents?|eur ?cents?": (100, "EUR"),
    "cents?|cts?|c|¢|￠": (100, _CENTS),
    "pence|penny|p": (100, "GBP GIP FKP JEP GGP IMP SHP"),
    "paise|paisa": (100, "INR PKR NPR"),
    "kopecks?|kopeks?|коп\\.?|копеек": (100, "RUB UAH BYN"),
    "centavos?": (100, "BRL MXN ARS CLP COP PHP"),
    "céntimos?|centimos?|centimes?": (100, "EUR CHF MAD DZD XOF"),
    "rappen|rp\\.": (100, "CHF"),
    "öre|øre|ore": (100, "SEK NOK DKK"),
    "groszy?|grosze|gr": (100, "PLN"),
    "sen": (100, "MYR IDR"),
    "tiyn|тиын": (100, "KZT"),
    "fils": (1000, "KWD BHD JOD IQD"),
    "厘": (1000, "CNY"),
    "角|毛": (10, "CNY TWD HKD"),
    "分": (100, "CNY TWD HKD"),
}
_WORDS = (
    "hours?|hrs?|h|小时|小時|minutes?|minutos?|minuten?|mins?|min\\.|mn|m|分钟|分鐘|分|"
    "seconds?|secs?|sec\\.|s|秒钟|秒鐘|秒"
)
_TIME = re.compile(rf"(?:/|\bper\b|\bpro\b|\bpor\b|每|\ban?\b|\beach\b)\s*(\d*)\s*({_WORDS})(?![a-z])", re.IGNORECASE)
_BARE_TIME = re.compile(rf"\s*(\d*)\s*({_WORDS})\s*", re.IGNORECASE)
_SHORT = {"ppm": ("p", MINUTE_S), "cpm": ("c", MINUTE_S), "pps": ("p", 1), "cps": ("c", 1)}
_IDLE = re.compile(r"[\s/()\[\]（）【】:：,，;*#_-]+|\b(?:in|per|the|of)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AmountUnit:
    """The currencies that it may be (None: not said), how many make one whole unit, for how many seconds, the rest."""

    currencies: frozenset[str] | None = None
    divisor: int = 1
    per_s: int | None = None
    rest: str = ""

    def beside(self, heading: "AmountUnit") -> "AmountUnit":
        """A cell's unit below a heading's, which says what the cell does not; ValueError where they differ."""
        if self == NOTHING_SAID:
            return heading
        both = self.currencies if heading.currencies is None else heading.currencies
        if self.currencies is not None and heading.currencies is not None:
            both = self.currencies & heading.currencies
        differs = self.per_s and heading.per_s and self.per_s != heading.per_s
        if differs or (both is not None and not both) or 1 < self.divisor != heading.divisor > 1:
            raise ValueError(tr("its unit differs from the heading's"))
        return AmountUnit(both, max(self.divisor, heading.divisor), self.per_s or heading.per_s, self.rest)

    def in_currency(self, currency: str) -> None:
        """Nothing where it may be in that currency; ValueError names the one it is in."""
        if currency and self.currencies is not None and currency.upper() not in self.currencies:
            named = "/".join(sorted(self.currencies)) if len(self.currencies) < 4 else tr("another currency")
            raise ValueError(tr("it is in {found}, and the site keeps its accounts in {currency}",
                                found=named, currency=currency))  # fmt: skip


NOTHING_SAID = AmountUnit()


@cache
def unit(text: str, *, bare: bool = False) -> AmountUnit:
    """What the text around a number, or a heading, says; with `bare` a lone `sec` is a time as well."""
    rest = text.strip()
    short = next((word for word in _SHORT if re.search(rf"\b{word}\b", rest, re.IGNORECASE)), None)
    if short:
        minor, per_s = _SHORT[short]
        rest = re.sub(rf"\b{short}\b", f" {minor}/{'min' if per_s == MINUTE_S else 'sec'} ", rest, flags=re.IGNORECASE)
    per_s_found, rest = _time(rest, bare)
    currencies, rest = _iso(rest)
    divisor, minor_of, rest = _minor(rest)
    signs, rest = _signs(rest)
    found = [one for one in (currencies, minor_of, signs) if one is not None]
    together = frozenset.intersection(*found) if found else None
    return AmountUnit(together, divisor, per_s_found, _IDLE.sub(" ", rest).strip())


def _time(text: str, bare: bool) -> tuple[int | None, str]:
    match = _TIME.search(text) or (_BARE_TIME.fullmatch(text) if bare else None)
    if not match:
        return None, text
    return int(match[1] or 1) * length_s(match[2]), text[: match.start()] + " " + text[match.end() :]


def length_s(word: str) -> int:
    """How many seconds an hour, a minute or a second has, by its word."""
    first = word.lower()[0]
    if first in "h小":
        return HOUR_S
    return MINUTE_S if first in "m分" else 1


def _iso(text: str) -> tuple[frozenset[str] | None, str]:
    """A currency by its three capitals."""
    for match in re.finditer(r"(?<![A-Za-z])([A-Z]{3})(?![A-Za-z])", text):
        if match[1] in _iso_codes():
            return frozenset({match[1]}), text[: match.start()] + " " + text[match.end() :]
        if match[1] == "RMB":
            return frozenset({"CNY"}), text[: match.start()] + " " + text[match.end() :]
    return None, text


@cache
def _iso_codes() -> frozenset[str]:
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


def _minor(text: str) -> tuple[int, frozenset[str] | None, str]:
    for words, (divisor, currencies) in _MINOR.items():
        if match := _word(words).search(text):
            return divisor, frozenset(currencies.split()), text[: match.start()] + " " + text[match.end() :]
    return 1, None, text


def _signs(text: str) -> tuple[frozenset[str] | None, str]:
    for words, currencies in _SIGNS.items():
        if match := _word(words).search(text):
            return frozenset(currencies.split()), text[: match.start()] + " " + text[match.end() :]
    return None, text


@cache
def _word(words: str) -> re.Pattern[str]:
    """Any of these words, standing alone."""
    return re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)
