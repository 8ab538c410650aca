"""The story of a charge, in the sentences an administrator reads aloud."""

import doctest
import re
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from ippbx_billing.calls import Call, Classification, Direction, Disposition, LineKind, Reason, Step, TrafficType
from ippbx_billing.language import stories as explain_room
from ippbx_billing.language.reasons import LINE_WORDS, TRAFFIC_WORDS
from ippbx_billing.language.stories import SENTENCES, describe, story
from ippbx_billing.tariffs import Carrier, Figures, HolidayCalendar, Price, TariffBook, Trunk, Window, standard
from ippbx_billing.tariffs.prices import Tier
from ippbx_billing.tariffs.rating import explain

BEIJING = timezone(timedelta(hours=8))
CALL = Call(
    pbx="PBX-1",
    dialect="uc",
    started_at=datetime(2026, 11, 23, 6, 59, tzinfo=BEIJING),
    billed_s=90,
    disposition=Disposition.ANSWERED,
    direction=Direction.OUTBOUND,
    trunk="FXO-1",
)
SHANGHAI = Classification(
    number="902162345678",
    normalized="+862162345678",
    traffic_type=TrafficType.DOMESTIC,
    line_kind=LineKind.FIXED,
    country="CN",
    region="上海",
    place="上海",
    area_code="021",
    rule="area-code",
    why=Reason("text", {"text": "021 is the area code of Shanghai"}),
)


def told(tariffs: TariffBook, lang: str, call: Call = CALL, number: Classification = SHANGHAI) -> list[str]:
    return story(explain(call, number, call.started_at, tariffs).steps, lang)


def standard_book() -> TariffBook:
    carriers, prices = standard("CN", "022", "天津")
    return TariffBook(carriers, [Trunk("FXO-1", carriers[0].name)], prices, HolidayCalendar("CN"))


def everything_book() -> TariffBook:
    """A tariff with every feature a story can tell of."""
    night = Window("daily", 0, 7 * 3600, Figures(6, 40_000, 6, 40_000))
    carrier = Carrier("022-天津-电信", "022", "天津", "电信", default=True, crossing="split")
    price = Price(
        id=7,
        carrier=carrier.name,
        traffic_type=TrafficType.DOMESTIC,
        figures=Figures(6, 70_000, 6, 70_000),
        effective_from=date(2026, 1, 1),
        match="area",
        value="021",
        connection_fee_micro=5_000,
        free_s=10,
        minimum_fee_micro=2_000_000,
        add_local=True,
        windows=(night,),
    )
    local = replace(
        price,
        id=8,
        traffic_type=TrafficType.LOCAL,
        match="any",
        value="",
        add_local=False,
        windows=(),
        minimum_fee_micro=0,
    )
    return TariffBook([carrier], [], [price, local], HolidayCalendar("CN"))


def less_common_books() -> list[tuple[Call, TariffBook]]:
    """Tariffs with tiers, a cap, grace, tax and steps that run on over a border, each with a call that shows it."""
    (carrier,) = everything_book().carriers.values()
    taxed = replace(carrier, crossing="step", part_second="down", tax_micro=60_000, rounding="up")
    tiers = (Tier(60, 10, 20_000, 60), Tier(120, 0, 0))
    night = Window("daily", 0, 7 * 3600, Figures(60, 100_000, 60, 100_000, counting="completed"), days=(1, 7))
    price = Price(
        7,
        carrier.name,
        TrafficType.DOMESTIC,
        Figures(0, 0, 6, 70_000, tiers=tiers),
        date(2026, 1, 1),
        maximum_fee_micro=300_000,
        grace_s=5,
        windows=(night,),
    )
    book = TariffBook([taxed], [], [price], HolidayCalendar("CN"))
    capped = TariffBook([taxed], [], [replace(price, windows=())], HolidayCalendar("CN"))
    late = replace(CALL, started_at=CALL.started_at.replace(hour=6, minute=59, second=30))
    return [
        (replace(CALL, billed_s=201, billed_ms=200_500), capped),
        (replace(late, billed_s=150), book),
        (replace(CALL, billed_s=3), book),
    ]


def test_the_story_in_english() -> None:
    """From the trunk to the fee, each step one sentence."""
    assert told(standard_book(), "en") == [
        "The call used trunk FXO-1.",
        "The carrier is 022-天津-电信, the default carrier.",
        "Dialled: 902162345678, that is +862162345678, 上海.",
        "This is domestic long distance traffic, fixed line: 021 is the area code of Shanghai.",
        "The price for domestic long distance calls, in force since 2000-01-01: 0.07 for each begun 6 s.",
        "The window daily 00:00-07:00 holds for the call, by its start: 0.04 for each begun 6 s.",
        "The first 6 s cost 0.04, also when not all of them are used.",
        "The remaining 84 s in the window daily 00:00-07:00 are 14 begun steps of 6 s at 0.04 each: 0.56.",
        "Together 90 s of talk cost 0.60.",
    ]


def test_the_story_in_chinese() -> None:
    """The same, in the words that operators know from their old system."""
    assert told(standard_book(), "zh") == [
        "通话使用中继 FXO-1。",
        "运营商为 022-天津-电信（默认运营商）。",
        "所拨号码 902162345678，即 +862162345678，所属地 上海。",
        "话务类型为国内长途，对方为固定电话（依据：长途区号）。",
        "国内长途的资费自 2000-01-01 起执行：每 6 秒 0.07。",
        "按开始时间，全程适用优惠时段 日常 00:00-07:00：每 6 秒 0.04。",
        "起步 6 秒收 0.04，不足也按此收取。",
        "其余 84 秒（日常 00:00-07:00）每 6 秒 0.04，计 14 次：0.56。",
        "通话 90 秒，话费合计 0.60。",
    ]


@pytest.mark.parametrize(
    ("lang", "sentences"),
    [
        (
            "en",
            [
                "The call used trunk FXO-1, which is not configured.",
                "The window daily 00:00-07:00 holds for 60 s of the call: 0.04 for each begun 6 s.",
                "No discount window holds for 30 s of the call.",
                "The connection costs 0.005.",
                "10 s are free.",
                "The minimum is 2.00, so 1.285 is added.",
                "The local price for 90 s is added: 0.985.",
                "2.985 is rounded half up to 2 decimals: 2.99.",
                "Together 90 s of talk cost 2.99.",
            ],
        ),
        (
            "zh",
            [
                "通话使用中继 FXO-1，该中继未设置。",
                "其中 60 秒适用优惠时段 日常 00:00-07:00：每 6 秒 0.04。",
                "其中 30 秒不在优惠时段内。",
                "接通费 0.005。",
                "其中 10 秒免费。",
                "最低收费 2.00，补足 1.285。",
                "叠加 90 秒的本地资费：0.985。",
                "2.985 四舍五入到 2 位小数：2.99。",
                "通话 90 秒，话费合计 2.99。",
            ],
        ),
    ],
)
def test_every_feature_of_a_price_has_its_sentence(lang: str, sentences: list[str]) -> None:
    """Split windows, connection fee, free seconds, minimum, local fee and rounding."""
    spoken = told(everything_book(), lang)
    assert [sentence for sentence in spoken if sentence in sentences] == sentences


@pytest.mark.parametrize(
    ("call", "number", "english", "chinese"),
    [
        (replace(CALL, disposition=Disposition.BUSY), SHANGHAI, "free of charge: not answered", "免费：未接通"),
        (replace(CALL, billed_s=0), SHANGHAI, "answered without talk time", "接通但没有通话时长"),
        (CALL, replace(SHANGHAI, emergency=True), "emergency call", "紧急呼叫"),
        (replace(CALL, direction=Direction.INBOUND), SHANGHAI, "incoming call without a price", "来电没有设置资费"),
        (replace(CALL, direction=None), SHANGHAI, "not priced: the direction of", "未计费：通话方向不明"),
        (replace(CALL, billed_s=-1), SHANGHAI, "a call of -1 s cannot be right", "-1 秒的通话时长不可信"),
        (
            CALL,
            replace(SHANGHAI, traffic_type=TrafficType.AUDIOTEX, area_code=None),
            "022-天津-电信 has no price for audiotex calls to country CN (fixed line)",
            "022-天津-电信 没有本地声讯台固定电话的资费（中国）",
        ),
        (
            CALL,
            replace(SHANGHAI, traffic_type=TrafficType.OTHER, line_kind=LineKind.SERVICE, normalized="11185"),
            "022-天津-电信 has no price for other calls to number 11185 (service number)",
            "022-天津-电信 没有其它服务号码的资费（号码11185）",
        ),
        (
            CALL,
            replace(SHANGHAI, traffic_type=TrafficType.OTHER, line_kind=LineKind.UNKNOWN, country=None, normalized=""),
            "022-天津-电信 has no price for other calls to a withheld number",
            "022-天津-电信 没有其它的资费（号码未显示）",
        ),
        (replace(CALL, twin="leg B of call 7"), SHANGHAI, "not billed: leg B of call 7", "不计入账单：leg B of call 7"),
    ],
)
def test_what_has_no_fee_says_why(call: Call, number: Classification, english: str, chinese: str) -> None:
    """The last sentence tells the outcome and its reason."""
    assert english in told(standard_book(), "en", call, number)[-1]
    assert chinese in told(standard_book(), "zh", call, number)[-1]


def test_calls_without_a_carrier_say_why_in_chinese_too() -> None:
    """A trunk that nobody configured, no trunk, and a trunk whose carrier is gone."""
    tariffs = TariffBook([], [Trunk("FXO-2", "gone")], [], HolidayCalendar("CN"))
    for trunk, sentence in (
        ("FXO-1", "中继 FXO-1 未设置，也没有默认运营商"),
        (None, "话单没有中继，也没有默认运营商"),
        ("FXO-2", "中继 FXO-2 所属运营商 gone 不存在"),
    ):
        assert sentence in told(tariffs, "zh", replace(CALL, trunk=trunk))[-1]


@pytest.mark.parametrize(
    ("figures", "english", "chinese"),
    [
        (
            Figures(180, 220_000, 60, 110_000),
            "0.22 for the first 180 s, then 0.11",
            "起步 180 秒 0.22，之后每 60 秒 0.11",
        ),
        (Figures(0, 1_000_000, 0, 0), "1.00 per call, whatever its length", "每次通话 1.00，不计时长"),
    ],
)
def test_the_four_figures_are_said_as_people_say_them(figures: Figures, english: str, chinese: str) -> None:
    """Equal figures are one price, different ones two, and none at all a flat fee."""
    carrier = Carrier("022-天津-电信", "022", "天津", "电信", default=True)
    price = Price(None, carrier.name, TrafficType.DOMESTIC, figures, date(2026, 1, 1))
    tariffs = TariffBook([carrier], [], [price], HolidayCalendar("CN"))
    assert any(english in sentence for sentence in told(tariffs, "en"))
    assert any(chinese in sentence for sentence in told(tariffs, "zh"))


def test_both_languages_know_every_step_and_every_word() -> None:
    """No step falls back to its code, and no traffic type or line kind is shown by its code."""
    steps = {step.code for step in explain(CALL, SHANGHAI, CALL.started_at, everything_book()).steps} | {"outcome"}
    for call, book in less_common_books():
        steps |= {step.code for step in explain(call, SHANGHAI, call.started_at, book).steps}
    for lang in ("en", "zh"):
        assert steps == SENTENCES[lang].keys()
    assert (set(TRAFFIC_WORDS), set(LINE_WORDS)) == (set(TrafficType), set(LineKind))


def test_the_chinese_story_holds_no_english_words() -> None:
    """Names, numbers and codes of the site aside."""
    stories = [story(explain(call, SHANGHAI, call.started_at, book).steps, "zh") for call, book in less_common_books()]
    spoken = " ".join(told(everything_book(), "zh") + told(standard_book(), "zh"))
    spoken += " ".join(sentence for told_story in stories for sentence in told_story)
    assert re.findall(r"[A-Za-z]{2,}", spoken.replace("FXO", "")) == []


def test_a_step_of_another_release_is_shown_as_it_is() -> None:
    """An old charge stays readable when its step has no sentence any more."""
    assert describe(Step("surcharge", {"percent": 5}), "en") == "surcharge: percent 5"
    assert describe(Step("surcharge", {"percent": 5}), "zh") == "surcharge: percent 5"


def test_the_examples_of_the_documentation_are_true() -> None:
    """What the module says about itself is what it does."""
    assert doctest.testmod(explain_room) == doctest.TestResults(failed=0, attempted=3)


def test_the_first_seconds_are_paid_also_where_only_completed_steps_count() -> None:
    """The price is not told as if they were a step like the others."""
    figures = {"initial_s": 60, "initial_fee_micro": 200_000, "step_s": 60, "step_fee_micro": 200_000}
    what = {"traffic_type": "international", "line_kind": "", "match": "any", "value": "", "id": 7}
    facts = {**what, **figures, "effective_from": "2026-01-01", "counting": "completed"}
    assert "0.20 for the first 60 s, then 0.20 for each completed 60 s" in describe(Step("price", facts))
    assert "起步 60 秒 0.20，之后每足 60 秒 0.20" in describe(Step("price", facts), "zh")
