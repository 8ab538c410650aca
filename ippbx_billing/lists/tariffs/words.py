"""The words of a price list in English and Chinese: our own first, then what others call the same."""

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.tariffs.prices import Match, WindowKind

TRAFFIC_TYPES = {
    TrafficType.LOCAL: "local call|local calls|市话|本地|本地通话",
    TrafficType.DOMESTIC: "long distance|domestic long distance|national|国内长途|国内|长途",
    TrafficType.HK_MO_TW: "hk/mo/tw|hong kong, macao and taiwan|港澳台长途|港澳台",
    TrafficType.INTERNATIONAL: "idd|international long distance|国际长途|国际",
    TrafficType.IP_LONG_DISTANCE: "ip|IP长途",
    TrafficType.AUDIOTEX: "premium|premium rate|本地声讯台|声讯台",
    TrafficType.DIALUP: "dial up|本地拨号上网|拨号上网",
    TrafficType.SERVICE_400_800: "400/800|service 400/800|本地400/800",
    TrafficType.OTHER: "others|其它|其他",
    TrafficType.INTERNAL: "内线",
}
LINE_KINDS = {
    LineKind.FIXED: "fixed line|landline|固定电话|固话|固定",
    LineKind.MOBILE: "mobile phone|mobiles|cell|移动电话|手机|移动",
    LineKind.SATELLITE: "satellite phone|卫星电话|卫星",
    LineKind.SERVICE: "service number|服务号码",
    LineKind.EXTENSION: "分机",
    LineKind.UNKNOWN: "线路种类不明|未知",
}
DIRECTIONS = {
    Direction.OUTBOUND: "out|outgoing|去电|呼出",
    Direction.INBOUND: "in|incoming|来电|呼入",
    Direction.INTERNAL: "内线",
}
WINDOW_KINDS: dict[WindowKind, str] = {"daily": "日常|每天|每日", "weekend": "周末", "holiday": "假期|节假日"}
MATCHES: dict[Match, str] = {
    "any": "所有|全部",
    "area": "area code|区号",
    "country": "国家|国家或地区",
    "prefix": "前缀|号码前缀",
    "pattern": "号码样式",
    "called": "called number|被叫号码",
}

# What a column is called, by our key. `rate` is for a minute, `rate_s` for a second; the last five are a
# carrier's list's own and become figures and destinations.
HEADINGS = {
    "carrier": "operator|运营商|运营商名称",
    "traffic_type": "type|call type|service|话务类型|话务种类",
    "direction": "方向|通话方向",
    "line_kind": "line|line type|phone type|线路种类|号码类型|线路类型",
    "match": "matches|匹配|匹配方式",
    "value": "值|匹配值",
    "initial_s": "initial|initial seconds|initial interval|initial increment|first interval|first increment|interval 1|"
    "min duration|minimum duration|minimum time|起步时长|起始时长|首次计费单位",
    "initial_fee": "initial price|起步费率|起步价|起步费|首费",
    "step_s": "step|step seconds|next|next interval|next increment|subsequent interval|interval n|additional increment|"
    "起步后单位时长|单位时长|后续计费单位",
    "step_fee": "step price|起步后费率|后续费率",
    "per_s": "per|per seconds|rate seconds",
    "connection_fee": "connect fee|connection charge|connect charge|setup fee|set up fee|setup charge|接通费|接续费",
    "free_s": "free seconds|免费秒数|免费时长",
    "minimum_fee": "minimum|minimum charge|min charge|minimum price|最低收费|最低消费",
    "add_local": "add the local fee|plus local|叠加本地资费|叠加市话费",
    "effective_from": "effective date|effective|valid from|start date|from|date|from date|activation date|生效日期|"
    "生效时间|执行日期|起始日期|启用日期",
    "windows": "discounts|优惠时段|优惠|时段",
    "note": "notes|remark|remarks|comment|comments|备注|说明|注释",
    "area": "area code|area codes|city code|city codes|区号|长途区号",
    "country": "iso|iso code|country iso|country name|国家|国家或地区|国家地区",
    "prefix": "prefixes|code|codes|dial code|dial codes|dialcode|dialing code|dialing codes|dialling code|"
    "dialling codes|destination code|destination codes|full code|前缀|号码前缀|字冠|代码|区域代码|拨号代码",
    "pattern": "patterns|number pattern|号码样式|号码",
    "called": "called number|called numbers|被叫号码",
    "country_code": "cc|country codes|国家代码|国际区号|国家码",
    "destination": "destination name|zone|area|area name|region|breakout|location|目的地|地区|国家/地区|名称|所属地区",
    "rate": "price|rate/min|rate per min|rate per minute|price per minute|price/min|price per min|per minute|new rate|"
    "current rate|cost per minute|费率|资费|单价|每分钟|每分钟费率|每分钟单价|元/分钟|分钟费率|价格",
    "initial_rate": "first rate|rate 1|rate i|首分钟费率",
    "next_rate": "rate n|subsequent rate",
    "rate_s": "rate/sec|rate per second|price per second|每秒|每秒费率",
    "increments": "increment|billing increment|billing increments|interval|intervals|billing interval|billing|rounding|"
    "billing rules|billing terms|charging interval|计费单位|计费周期|计费方式|计费步长",
}
