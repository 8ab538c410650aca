"""Country names in Chinese and English, from Babel, in the wording of Chinese offices.

country_name("GB", "zh")  ->  "英国"
"""

from functools import lru_cache

_OWN_NAMES = {"zh": {"HK": "中国香港", "MO": "中国澳门", "TW": "中国台湾"}}


@lru_cache(maxsize=1024)
def country_name(iso: str, lang: str) -> str:
    """The country's name in `zh` or `en`; the code itself where nobody knows it."""
    code = iso.upper()
    return _OWN_NAMES.get(lang, {}).get(code) or _territories(lang).get(code) or iso


@lru_cache(maxsize=2)
def _territories(lang: str) -> dict[str, str]:
    from babel import Locale

    return dict(Locale.parse("zh_Hans" if lang == "zh" else "en").territories)
