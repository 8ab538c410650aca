"""Why a number is what it is, in Chinese: one sentence made of the facts of its classification.

    why(found, country="CN", area_code="022")
    -> "区号 021 属上海；从本地区号 022 看是国内长途"

The one idea: English sentences are the plan's own (`Classification.why`); this room takes none of them apart, it tells
the same from rule and facts. What no fact holds (the length of a local number's area, say) is not told.
"""

from ippbx_billing.calls import Classification, TrafficType
from ippbx_billing.language import language, speaking
from ippbx_billing.language.countries import country_name
from ippbx_billing.language.reasons import line_word, traffic_word

CHINA, CHINA_CODE = "CN", "+86"

EMERGENCIES = {
    "110": "报警电话",
    "119": "火警电话",
    "120": "急救电话",
    "122": "交通事故报警电话",
    "999": "红十字会急救电话",
    "12110": "短信报警号码",
    "12395": "海上遇险求救电话",
    "12119": "森林防火报警电话",
    "95119": "森林防火报警电话",
}
SERVICES = {
    "short-code": "服务短号",
    "audiotex": "声讯台号码",
    "dialup": "拨号上网号码",
    "400-800": "400/800 号码",
    "area-service": "当地的服务号码",
}


def why(found: Classification, country: str, area_code: str) -> str:
    """The reason in the language in use, as seen from a site in this country and home area."""
    if language() != "zh":
        return found.why
    with speaking("zh"):
        told = [_rule(found), _distance(found, country, area_code)]
    return "；".join(filter(None, told))


def _rule(found: Classification) -> str:
    """What the number is by the plan."""
    behind = f"{found.ip_prefix} 为长途接入号；其后" if found.ip_prefix else ""
    rule = found.rule
    if rule == "override":
        return f"按本单位的号码修正，为{_what(found)}"
    if rule == "unknown":
        return (
            "号码规则中没有此号码" if found.normalized else "没有号码" if not found.number.strip() else "不是电话号码"
        )
    if rule in ("extension", "internal-call"):
        return "交换机标明为内线通话" if rule == "internal-call" else "本单位的分机"
    return behind + _of_plan(found)


def _of_plan(found: Classification) -> str:
    if found.emergency:
        return EMERGENCIES.get(found.normalized, "紧急号码")
    if found.rule in SERVICES:
        area = f"区号 {found.area_code}（{found.place}）" if found.rule == "area-service" else ""
        return f"{area}{SERVICES[found.rule]}"
    if found.country == CHINA and found.normalized.startswith(CHINA_CODE):
        return _chinese(found)
    if found.country:
        place = f"{found.place}，" if found.place else ""
        return f"{place}国家代码属{country_name(found.country, 'zh')}，{_what(found)}"
    return f"卫星电话网络 {found.operator}" if found.operator else "国家代码不属于单一国家"


def _chinese(found: Classification) -> str:
    """A mobile by its block, a fixed line by its area code or its length."""
    digits = found.normalized.removeprefix(CHINA_CODE)
    if digits.startswith("1") and len(digits) == 11 and found.operator:
        place = f"{found.place}（区号 {found.area_code}）的手机号段" if found.place else "号段的归属地未知"
        return f"{digits[:7]} 为{place}，属{found.operator}"
    if found.rule == "local-length":
        return f"按号码长度为{found.place or '本地'}的号码"
    return f"区号 {found.area_code} 属{found.place}"


def _what(found: Classification) -> str:
    return line_word(found.line_kind.value)


def _distance(found: Classification, country: str, area_code: str) -> str:
    """How far it is from home, and so what traffic."""
    if found.rule in ("extension", "internal-call") or not found.country:
        return ""
    kind = traffic_word((found.underlying or found.traffic_type).value)
    if found.country != country:
        return f"从{country_name(country, 'zh')}拨打，为{kind}"
    if found.traffic_type not in (TrafficType.LOCAL, TrafficType.DOMESTIC, TrafficType.IP_LONG_DISTANCE):
        return f"话务类型为{kind}"
    if not area_code:
        return f"没有设置本地区号，为{kind}"
    return f"从本地区号 {area_code} 看是{kind}"
