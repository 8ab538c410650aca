"""The story of a charge in plain sentences, in English or Chinese, to be read aloud to whoever disputes the bill.

The one idea: `rating.explain` keeps facts, this room turns each step into one sentence; it works nothing out.

>>> from ippbx_billing.calls import Step
>>> describe(Step("steps", {"seconds": 74, "count": 13, "step_s": 6, "step_fee_micro": 70000, "window": ""}, 910000))
'The remaining 74 s are 13 begun steps of 6 s at 0.07 each: 0.91.'
>>> describe(Step("fee", {"fee_micro": 980000, "billed_s": 80}), "zh")
'通话 80 秒，话费合计 0.98。'
"""

from collections.abc import Callable, Iterable

from ippbx_billing import money
from ippbx_billing.calls import Step
from ippbx_billing.language import reasons, speaking
from ippbx_billing.language.countries import country_name
from ippbx_billing.language.reasons import line_word, traffic_word

Facts = dict[str, int | str]

WORDS = {
    "en": {
        "area": "area",
        "country": "country",
        "prefix": "numbers beginning with",
        "pattern": "numbers like",
        "called": "calls to our number",
        "free": "free of charge",
        "unrated": "not priced",
        "filtered": "not billed",
    },
    "zh": {
        "area": "区号",
        "country": "国家或地区",
        "prefix": "号码前缀",
        "pattern": "号码样式",
        "called": "被叫号码",
        "free": "免费",
        "unrated": "未计费",
        "filtered": "不计入账单",
        "daily": "日常",
        "weekend": "周末",
        "holiday": "假期",
    },
}

RULES_ZH = {
    "extension": "分机号码",
    "internal-call": "内线通话",
    "emergency": "紧急号码",
    "short-code": "服务短号",
    "audiotex": "声讯台号码",
    "dialup": "拨号上网号码",
    "400-800": "400/800 号码",
    "mobile": "手机号段",
    "satellite": "卫星电话号段",
    "area-code": "长途区号",
    "area-service": "区号后的服务号码",
    "local-length": "本地号码长度",
    "country-code": "国家代码",
    "ip-prefix": "IP长途接入号",
    "override": "本地修正",
    "unknown": "号码规则中没有此号码",
}


def describe(step: Step, lang: str = "en") -> str:
    """One sentence for one step, in `en` or `zh`; a step of another release is shown by its code and facts."""
    language = "zh" if lang == "zh" else "en"
    sentence = SENTENCES[language].get(step.code)
    if sentence is None:
        return f"{step.code}: " + ", ".join(f"{name} {value}" for name, value in step.facts.items())
    with speaking(language):
        facts = {**step.facts, "reason": reasons.sentence(step.reason)} if step.reason else step.facts
        return sentence(facts, step.amount_micro)


def story(steps: Iterable[Step], lang: str = "en") -> list[str]:
    """The sentences of all steps, in their order."""
    return [describe(step, lang) for step in steps]


def _money(micro: int | str) -> str:
    return money.text(int(micro))


def _word(code: int | str, lang: str) -> str:
    return WORDS[lang].get(str(code), str(code))


def _place(facts: Facts, lang: str) -> str:
    """Where a number is; of a country alone its name."""
    place = str(facts["place"])
    return country_name(place, lang) if len(place) == 2 and place.isupper() and place.isascii() else place


def _value(facts: Facts, lang: str) -> str:
    """What a price is for: a country by its name, with its letters."""
    value = str(facts["value"])
    if facts["match"] != "country":
        return value
    name = country_name(value, lang)
    return value if name == value else f"{name} ({value})" if lang == "en" else f"{name}（{value}）"


def _window_zh(label: int | str) -> str:
    """A window's label with its kind in Chinese: `daily 00:00-07:00` becomes `日常 00:00-07:00`."""
    return " + ".join(" ".join(_word(word, "zh") for word in part.split(" ")) for part in str(label).split(" + "))


def _is_one_step(facts: Facts) -> bool:
    """Whether the first seconds are a step like any other; where only completed ones count, they are paid anyway."""
    alike = facts["initial_s"] == facts["step_s"] and facts["initial_fee_micro"] == facts["step_fee_micro"]
    return alike and facts.get("counting") != "completed"


# --- English ----------------------------------------------------------------------------------------------------


def _figures_en(facts: Facts) -> str:
    if not facts["step_s"]:
        return f"{_money(facts['initial_fee_micro'])} per call, whatever its length"
    if facts.get("per_s"):
        first = f"at least {facts['initial_s']} s, then " if facts["initial_s"] != facts["step_s"] else ""
        return f"{_rates_en(facts)}, charged for {first}each {_counted_en(facts)} {facts['step_s']} s"
    per_step = f"{_money(facts['step_fee_micro'])} for each {_counted_en(facts)} {facts['step_s']} s"
    if not facts["initial_s"] and not facts["initial_fee_micro"]:
        return per_step
    if _is_one_step(facts):
        return per_step
    return f"{_money(facts['initial_fee_micro'])} for the first {facts['initial_s']} s, then {per_step}"


def _rates_en(facts: Facts) -> str:
    """The rate, or both where the first seconds have another: 0.02 a minute."""
    then = f"{_money(facts['step_fee_micro'])} {_per_en(facts['per_s'])}"
    if facts.get("initial_fee_micro", facts["step_fee_micro"]) == facts["step_fee_micro"]:
        return then
    return f"{_money(facts['initial_fee_micro'])} and later {then}"


def _per_en(seconds: int | str) -> str:
    return "a minute" if seconds == 60 else f"per {seconds} s"


def _counted_en(facts: Facts) -> str:
    """How steps count, where only completed ones do."""
    return "completed" if facts.get("counting") == "completed" else "begun"


def _tier_en(facts: Facts, _: int) -> str:
    fee = _money(facts["step_fee_micro"])
    if not facts["step_s"]:
        cost = f"it costs {fee} once" if facts["step_fee_micro"] else "nothing more is charged"
        return f"From {facts['from_s']} s on {cost}."
    each = f"{fee} {_per_en(facts['per_s'])}, charged for" if facts.get("per_s") else f"{fee} for"
    return f"From {facts['from_s']} s on it costs {each} each {facts['step_s']} s."


def _grace_en(facts: Facts, _: int) -> str:
    return f"Calls of up to {facts['grace_s']} s are free, and this one has {facts['seconds']} s."


def _paid_en(facts: Facts, _: int) -> str:
    return f"{facts['seconds']} s are paid with the step before."


def _part_second_en(facts: Facts, _: int) -> str:
    return f"The PBX told {facts['told']} s of talk; {facts['seconds']} s are charged."


def _tax_en(facts: Facts, amount: int) -> str:
    return f"The tax of {facts['percent']} % is added: {_money(amount)}."


def _maximum_en(facts: Facts, amount: int) -> str:
    return f"A call costs {_money(facts['maximum_micro'])} at most, so {_money(-amount)} is taken off."


def _trunk_en(facts: Facts, _: int) -> str:
    if not facts["trunk"]:
        return "The PBX named no trunk."
    if not facts["configured"]:
        return f"The call used trunk {facts['trunk']}, which is not configured."
    return f"The call used trunk {facts['trunk']}."


def _carrier_en(facts: Facts, _: int) -> str:
    return f"The carrier is {facts['carrier']}{', the default carrier' if facts['default'] else ''}."


def _number_en(facts: Facts, _: int) -> str:
    what = {"inbound": "The caller was", "internal": "The call went inside to"}.get(str(facts["direction"]), "Dialled:")
    cleaned = f", that is {facts['normalized']}" if facts["normalized"] != facts["number"] else ""
    place = f", {_place(facts, 'en')}" if facts["place"] else ""
    return f"{what} {facts['number']}{cleaned}{place}."


def _traffic_en(facts: Facts, _: int) -> str:
    why = f": {str(facts['reason']).rstrip('.')}" if facts.get("reason") else ""
    return f"This is {traffic_word(str(facts['traffic_type']))} traffic, {line_word(str(facts['line_kind']))}{why}."


def _price_en(facts: Facts, _: int) -> str:
    kind = f" to a {line_word(str(facts['line_kind']))}" if facts["line_kind"] else ""
    where = f", {_word(facts['match'], 'en')} {_value(facts, 'en')}" if facts["value"] else ""
    row = f" (price {facts['id']})" if facts["id"] != "" else ""
    what = f"{traffic_word(str(facts['traffic_type']))} calls{kind}{where}"
    return f"The price for {what}, in force since {facts['effective_from']}{row}: {_figures_en(facts)}."


def _window_en(facts: Facts, _: int) -> str:
    if not facts["window"]:
        return f"No discount window holds for {_span_en(facts)}."
    return f"The window {facts['window']} holds for {_span_en(facts)}: {_figures_en(facts)}."


def _span_en(facts: Facts) -> str:
    whole = facts["crossing"] == "start"
    return "the call, by its start" if whole else f"{facts['seconds']} s of the call"


def _connection_en(_: Facts, amount: int) -> str:
    return f"The connection costs {_money(amount)}."


def _free_en(facts: Facts, _: int) -> str:
    return f"{facts['seconds']} s are free."


def _initial_en(facts: Facts, amount: int) -> str:
    if not facts["step_s"]:
        return f"The flat fee is {_money(amount)}."
    if not facts["initial_s"]:
        return f"The initial fee is {_money(amount)}."
    return f"The first {facts['initial_s']} s cost {_money(amount)}, also when not all of them are used."


def _steps_en(facts: Facts, amount: int) -> str:
    if not facts["step_s"]:
        return f"The remaining {facts['seconds']} s cost {_money(amount)} together."
    steps = f"1 {_counted_en(facts)} step" if facts["count"] == 1 else f"{facts['count']} {_counted_en(facts)} steps"
    rate = f"{_money(facts['step_fee_micro'])} each"
    if facts.get("per_s"):
        rate = _rates_en(facts)
    each = f"{steps} of {facts['step_s']} s at {rate}"
    within = f" in the window {facts['window']}" if facts["window"] else ""
    return f"The remaining {facts['seconds']} s{within} are {each}: {_money(amount)}."


def _local_en(facts: Facts, amount: int) -> str:
    kind = f" to a {line_word(str(facts['line_kind']))}" if facts["line_kind"] else ""
    return f"The local price{kind} for {facts['seconds']} s is added: {_money(amount)}."


def _minimum_en(facts: Facts, amount: int) -> str:
    return f"The minimum is {_money(facts['minimum_micro'])}, so {_money(amount)} is added."


def _rounding_en(facts: Facts, amount: int) -> str:
    exact = facts.get("exact") or _money(facts["exact_micro"])
    rounded = _money(int(facts["exact_micro"]) + amount)
    how = {"half_even": "half to even", "up": "up", "down": "down"}.get(str(facts.get("rounding")), "half up")
    return f"{exact} is rounded {how} to {facts['decimals']} decimals: {rounded}."


def _fee_en(facts: Facts, _: int) -> str:
    return f"Together {facts['billed_s']} s of talk cost {_money(facts['fee_micro'])}."


def _outcome_en(facts: Facts, _: int) -> str:
    return f"The call is {_word(facts['status'], 'en')}: {facts['reason']}."


# --- Chinese ----------------------------------------------------------------------------------------------------


def _figures_zh(facts: Facts) -> str:
    if not facts["step_s"]:
        return f"每次通话 {_money(facts['initial_fee_micro'])}，不计时长"
    if facts.get("per_s"):
        first = f"起步 {facts['initial_s']} 秒，之后" if facts["initial_s"] != facts["step_s"] else ""
        return f"{_rates_zh(facts)}，{first}每 {facts['step_s']} 秒计费"
    whole = "足" if facts.get("counting") == "completed" else ""
    per_step = f"每{whole} {facts['step_s']} 秒 {_money(facts['step_fee_micro'])}"
    if not facts["initial_s"] and not facts["initial_fee_micro"]:
        return per_step
    if _is_one_step(facts):
        return per_step
    return f"起步 {facts['initial_s']} 秒 {_money(facts['initial_fee_micro'])}，之后{per_step}"


def _rates_zh(facts: Facts) -> str:
    """The rate, or both where the first seconds have another: 每分钟 0.02."""
    then = f"{_per_zh(facts['per_s'])} {_money(facts['step_fee_micro'])}"
    if facts.get("initial_fee_micro", facts["step_fee_micro"]) == facts["step_fee_micro"]:
        return then
    return f"起步按{_per_zh(facts['per_s'])} {_money(facts['initial_fee_micro'])}，之后{then}"


def _per_zh(seconds: int | str) -> str:
    return "每分钟" if seconds == 60 else f"每 {seconds} 秒"


def _tier_zh(facts: Facts, _: int) -> str:
    fee = _money(facts["step_fee_micro"])
    if not facts["step_s"]:
        cost = f"一次性收 {fee}" if facts["step_fee_micro"] else "不再收费"
        return f"从第 {facts['from_s']} 秒起{cost}。"
    each = f"{_per_zh(facts['per_s'])} {fee}，" if facts.get("per_s") else ""
    return f"从第 {facts['from_s']} 秒起{each}每 {facts['step_s']} 秒{'计费' if each else f' {fee}'}。"


def _grace_zh(facts: Facts, _: int) -> str:
    return f"通话不超过 {facts['grace_s']} 秒免费，本次 {facts['seconds']} 秒。"


def _paid_zh(facts: Facts, _: int) -> str:
    return f"其中 {facts['seconds']} 秒已含在前一计费单位内。"


def _part_second_zh(facts: Facts, _: int) -> str:
    return f"交换机报通话 {facts['told']} 秒，按 {facts['seconds']} 秒计费。"


def _tax_zh(facts: Facts, amount: int) -> str:
    return f"加收税费 {facts['percent']}%：{_money(amount)}。"


def _maximum_zh(facts: Facts, amount: int) -> str:
    return f"每次通话封顶 {_money(facts['maximum_micro'])}，减收 {_money(-amount)}。"


def _trunk_zh(facts: Facts, _: int) -> str:
    if not facts["trunk"]:
        return "交换机没有给出中继。"
    if not facts["configured"]:
        return f"通话使用中继 {facts['trunk']}，该中继未设置。"
    return f"通话使用中继 {facts['trunk']}。"


def _carrier_zh(facts: Facts, _: int) -> str:
    return f"运营商为 {facts['carrier']}{'（默认运营商）' if facts['default'] else ''}。"


def _number_zh(facts: Facts, _: int) -> str:
    what = {"inbound": "来电号码", "internal": "内线号码"}.get(str(facts["direction"]), "所拨号码")
    cleaned = f"，即 {facts['normalized']}" if facts["normalized"] != facts["number"] else ""
    place = f"，所属地 {_place(facts, 'zh')}" if facts["place"] else ""
    return f"{what} {facts['number']}{cleaned}{place}。"


def _traffic_zh(facts: Facts, _: int) -> str:
    known = RULES_ZH.get(str(facts["rule"]))
    rule = f"（依据：{known}）" if known else ""
    return f"话务类型为{traffic_word(str(facts['traffic_type']))}，对方为{line_word(str(facts['line_kind']))}{rule}。"


def _price_zh(facts: Facts, _: int) -> str:
    kind = f"，{line_word(str(facts['line_kind']))}" if facts["line_kind"] else ""
    where = f"，{_word(facts['match'], 'zh')} {_value(facts, 'zh')}" if facts["value"] else ""
    row = f"（资费 {facts['id']}）" if facts["id"] != "" else ""
    what = f"{traffic_word(str(facts['traffic_type']))}{kind}{where}"
    return f"{what}的资费自 {facts['effective_from']} 起执行{row}：{_figures_zh(facts)}。"


def _window_zh_sentence(facts: Facts, _: int) -> str:
    whole = facts["crossing"] == "start"
    if not facts["window"]:
        return "通话开始时不在优惠时段内。" if whole else f"其中 {facts['seconds']} 秒不在优惠时段内。"
    span = "按开始时间，全程" if whole else f"其中 {facts['seconds']} 秒"
    return f"{span}适用优惠时段 {_window_zh(facts['window'])}：{_figures_zh(facts)}。"


def _connection_zh(_: Facts, amount: int) -> str:
    return f"接通费 {_money(amount)}。"


def _free_zh(facts: Facts, _: int) -> str:
    return f"其中 {facts['seconds']} 秒免费。"


def _initial_zh(facts: Facts, amount: int) -> str:
    if not facts["step_s"]:
        return f"按次收费 {_money(amount)}。"
    if not facts["initial_s"]:
        return f"起步费 {_money(amount)}。"
    return f"起步 {facts['initial_s']} 秒收 {_money(amount)}，不足也按此收取。"


def _steps_zh(facts: Facts, amount: int) -> str:
    within = f"（{_window_zh(facts['window'])}）" if facts["window"] else ""
    if not facts["step_s"]:
        return f"其余 {facts['seconds']} 秒{within}共收 {_money(amount)}。"
    whole = "足" if facts.get("counting") == "completed" else ""
    each = f"每{whole} {facts['step_s']} 秒 {_money(facts['step_fee_micro'])}，计 {facts['count']} 次"
    if facts.get("per_s"):
        each = f"每 {facts['step_s']} 秒计一次（{_rates_zh(facts)}），计 {facts['count']} 次"
    return f"其余 {facts['seconds']} 秒{within}{each}：{_money(amount)}。"


def _local_zh(facts: Facts, amount: int) -> str:
    kind = f"（{line_word(str(facts['line_kind']))}）" if facts["line_kind"] else ""
    return f"叠加 {facts['seconds']} 秒的本地资费{kind}：{_money(amount)}。"


def _minimum_zh(facts: Facts, amount: int) -> str:
    return f"最低收费 {_money(facts['minimum_micro'])}，补足 {_money(amount)}。"


def _rounding_zh(facts: Facts, amount: int) -> str:
    exact = facts.get("exact") or _money(facts["exact_micro"])
    rounded = _money(int(facts["exact_micro"]) + amount)
    how = {"half_even": "四舍六入五成双", "up": "向上进位", "down": "向下舍去"}.get(
        str(facts.get("rounding")), "四舍五入"
    )
    return f"{exact} {how}到 {facts['decimals']} 位小数：{rounded}。"


def _fee_zh(facts: Facts, _: int) -> str:
    return f"通话 {facts['billed_s']} 秒，话费合计 {_money(facts['fee_micro'])}。"


def _outcome_zh(facts: Facts, _: int) -> str:
    return f"本次通话{_word(facts['status'], 'zh')}：{facts['reason']}。"


Sentence = Callable[[Facts, int], str]

SENTENCES: dict[str, dict[str, Sentence]] = {
    "en": {
        "trunk": _trunk_en,
        "carrier": _carrier_en,
        "number": _number_en,
        "traffic": _traffic_en,
        "price": _price_en,
        "window": _window_en,
        "connection": _connection_en,
        "free": _free_en,
        "initial": _initial_en,
        "steps": _steps_en,
        "local": _local_en,
        "minimum": _minimum_en,
        "maximum": _maximum_en,
        "tier": _tier_en,
        "grace": _grace_en,
        "paid": _paid_en,
        "part-second": _part_second_en,
        "tax": _tax_en,
        "rounding": _rounding_en,
        "fee": _fee_en,
        "outcome": _outcome_en,
    },
    "zh": {
        "trunk": _trunk_zh,
        "carrier": _carrier_zh,
        "number": _number_zh,
        "traffic": _traffic_zh,
        "price": _price_zh,
        "window": _window_zh_sentence,
        "connection": _connection_zh,
        "free": _free_zh,
        "initial": _initial_zh,
        "steps": _steps_zh,
        "local": _local_zh,
        "minimum": _minimum_zh,
        "maximum": _maximum_zh,
        "tier": _tier_zh,
        "grace": _grace_zh,
        "paid": _paid_zh,
        "part-second": _part_second_zh,
        "tax": _tax_zh,
        "rounding": _rounding_zh,
        "fee": _fee_zh,
        "outcome": _outcome_zh,
    },
}
