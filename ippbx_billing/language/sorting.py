"""The order in which people expect names: Chinese by pinyin, numbers as they count, Latin letters before.

    sorted(["销售部", "财务部", "二部", "一部"], key=in_order)  # 一部, 二部, 财务部, 销售部

The code page GB18030 has the 3,755 usual signs in the order of pinyin, and the rest behind them by radicals. So no
library is needed: pypinyin and ICU would bring tables for nothing but the rare signs.
"""

import re

_ONES = "一二三四五六七八九"
# A Chinese number counts where it numbers something (第三组, 二部, 一车间), not in a name such as 三亚.
_NUMBER = re.compile(
    rf"([{_ONES}]?十[{_ONES}]?|[{_ONES}])(?=[部组科室处队班楼层区厂期分号]|车间|$)|(?<=第)([{_ONES}十]+)"
)

Key = tuple[tuple[int, int | bytes], ...]


def in_order(name: str) -> Key:
    """The key to sort names by."""
    parts = re.split(r"(\d+)", _NUMBER.sub(_in_digits, name.casefold()))
    return tuple((0, int(one)) if one.isdecimal() else (1, one.encode("gb18030", "replace")) for one in parts if one)


def _in_digits(found: re.Match[str]) -> str:
    """`十二` as 12; what is not a number below a hundred stays."""
    tens, ten, ones = found[0].rpartition("十")
    if len(tens) > 1 or len(ones) > 1:
        return found[0]
    return str((_digit(tens, 1) if ten else 0) * 10 + _digit(ones, 0))


def _digit(sign: str, otherwise: int) -> int:
    return _ONES.index(sign) + 1 if sign else otherwise
