"""Names in the order that people expect."""

import random

import pytest

from ippbx_billing.language.sorting import in_order


@pytest.mark.parametrize(
    "names",
    [
        ["财务部", "客服部", "人事部", "销售部", "行政部", "研发中心", "总经办"],  # c k r x x y z
        ["一部", "二部", "三部", "九部", "十部", "十一部", "二十部", "二十一部"],
        ["研发第二组", "研发第十组", "研发第十二组"],
        ["1号楼", "2号楼", "10号楼"],
        ["Accounts", "board", "Sales", "安保部"],
        ["济南", "三亚", "天津"],
        ["市场部", "市场部二组", "市场部十组"],
    ],
)
def test_names_stand_as_people_look_for_them(names: list[str]) -> None:
    """By pinyin, numbers as they count, Latin before; whatever order they came in."""
    mixed = names.copy()
    for seed in range(5):
        random.Random(seed).shuffle(mixed)
        assert sorted(mixed, key=in_order) == names


@pytest.mark.parametrize("name", ["", "十", "第十", "十十十", "\ud800", "²", "٣", "𠮷野家"])
def test_every_name_has_a_place(name: str) -> None:
    """Also one that no code page knows."""
    assert sorted(["销售部", name, "1"], key=in_order)
