"""The words of a price list in English and Chinese: our own first, then what others call the same."""

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.tariffs.prices import Match, PriceStatus, WindowKind

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
    LineKind.FIXED: "fixed line|landline|fix|land line|pstn|geographic|固定电话|固话|固定",
    LineKind.MOBILE: "mobile phone|mobiles|cell|cellular|gsm|mob|移动电话|手机|移动",
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

# What a column is called, by our key. `rate` is for a minute, `rate_s` for a second; those from `area` on are a
# carrier's list's own and become figures and destinations.
HEADINGS = {
    "carrier": "operator|运营商|运营商名称",
    "traffic_type": "type|call type|service|service type|destination type|traffic|话务类型|话务种类|业务类型|类型",
    "direction": "call direction|traffic direction|方向|通话方向",
    "line_kind": "line|line type|phone type|线路种类|号码类型|线路类型",
    "match": "matches|匹配|匹配方式",
    "value": "值|匹配值",
    "initial_s": "initial|initial seconds|initial interval|initial increment|initial block|first interval|"
    "first increment|first block|first period|interval 1|1st interval|1st increment|min duration|minimum duration|"
    "minimum time|min time|minimum seconds|min seconds|min sec|minimum sec|minimum length|minimum billable time|"
    "minimum billing time|minimum increment|min increment|init block|initblock|initial period|起步时长|起始时长|"
    "首次计费单位|首次计费时长|最短计费时长|最低计费时长|最小计费时长|首段时长|起算时长",
    "initial_fee": "initial price|起步费率|起步价|起步费|首费",
    "step_s": "step|step seconds|next|next interval|next increment|subsequent interval|subsequent increment|"
    "interval n|additional increment|additional interval|second interval|second increment|2nd interval|2nd increment|"
    "next period|next block|following interval|following increment|billing block|billingblock|起步后单位时长|"
    "单位时长|后续计费单位|后续计费时长|递增时长|续费时长",
    "step_fee": "step price|起步后费率|后续费率",
    "per_s": "per|per seconds|rate seconds",
    "connection_fee": "connection|setup|connect|connect fee|connection charge|connect charge|connection cost|"
    "connect cost|setup fee|"
    "set up fee|setup charge|setup cost|call setup|call setup fee|call setup charge|flag fall|flagfall|fee per call|"
    "call fee|接通费|接续费|接通费用",
    "free_s": "free seconds|included seconds|free time|免费秒数|免费时长",
    "minimum_fee": "minimum|min|minimum charge|min charge|minimum price|minimum cost|min cost|minimum fee|min fee|"
    "minimum call charge|最低收费|最低消费",
    "maximum_fee": "maximum|max charge|maximum charge|max price|maximum price|max cost|maximum cost|max fee|cap|"
    "call cap|charge cap|封顶|封顶费|最高收费",
    "grace_s": "grace|grace period|grace time|grace seconds|宽限秒数|宽限时长",
    "tiers": "tier|分段|阶梯",
    "counting": "steps counted|计次方式",
    "step_decimals": "decimals of a step|单次小数位",
    "fee_decimals": "fee decimals|decimals of the fee|小数位",
    "fee_rounding": "fee rounding|rounding of the fee|取整方式|舍入方式",
    "add_local": "add the local fee|plus local|叠加本地资费|叠加市话费",
    "effective_from": "effective date|effective|valid from|start date|from|date|from date|activation date|"
    "effective as of|date effective|rate effective date|start|begins|valid since|生效日期|生效时间|执行日期|起始日期|"
    "启用日期|开始日期",
    "end_date": "end|valid to|valid until|valid till|until|expiry|expiry date|expiration date|expires|to date|"
    "effective to|effective till|effective until|date to|discontinue date|termination date|失效日期|失效时间|"
    "结束日期|截止日期|终止日期|停用日期|到期日期",
    "windows": "discounts|优惠时段|优惠|时段",
    "status": "change|change type|rate change|change status|rate status|code status|code change|action|comment code|"
    "状态|变动|变更|变更类型|调整|变化",
    "note": "notes|remark|remarks|comment|comments|备注|说明|注释",
    "area": "area code|area codes|city code|city codes|ndc|national destination code|区号|长途区号",
    "country": "iso|iso code|country iso|country name|国家|国家或地区|国家地区",
    "prefix": "prefixes|code|codes|dial code|dial codes|dialcode|dialcodes|dial prefix|dialing code|dialing codes|"
    "dialing prefix|dialling code|dialling codes|dialling prefix|destination code|destination codes|full code|"
    "full prefix|number prefix|e 164|breakout code|digits|前缀|号码前缀|字冠|代码|区域代码|拨号代码|拨号前缀|区字冠",
    "pattern": "patterns|number pattern|号码样式|号码",
    "called": "called number|called numbers|被叫号码",
    "country_code": "cc|country codes|calling code|country calling code|country dial code|国家代码|国际区号|国家码|"
    "国码",
    "destination": "destination name|zone|area|area name|region|breakout|breakout name|location|network|carrier name|"
    "destination network|目的地|地区|国家/地区|名称|所属地区|目的地名称|方向名称",
    "currency": "curr|ccy|币种|货币",
    "rate": "price|rate/min|rate per min|rate per minute|price per minute|price/min|price per min|per minute|"
    "cost per minute|cost|tariff|call rate|sell rate|sell price|selling price|rate per call minute|all day rate|费率|"
    "资费|单价|每分钟|每分钟费率|每分钟单价|元/分钟|分钟费率|价格|售价",
    "new_rate": "new price|new rate per minute|future rate|future price|revised rate|revised price|updated rate|"
    "new tariff|next effective rate|新费率|新资费|新价|新价格|新单价|调整后费率|调整后资费|调整后价格",
    "old_rate": "current rate|current price|old price|previous rate|previous price|present rate|present price|"
    "prior rate|existing rate|existing price|last rate|old tariff|旧费率|原费率|原资费|原价|旧价|现行费率|现行资费|"
    "当前费率|原价格|旧价格|调整前费率|调整前资费|调整前价格",
    "initial_rate": "first rate|rate 1|rate i|first minute|1st minute|initial minute|首分钟费率|首分钟",
    "next_rate": "rate n|subsequent rate|next minute|additional minute|each additional minute|add l minute|"
    "addl minute|additional minutes|subsequent minute|后续每分钟|续分钟|之后每分钟",
    "peak_rate": "weekday|weekdays|weekday rate|weekday price|工作日费率|"
    "peak|peak price|peak time rate|standard rate|day rate|daytime rate|高峰费率|忙时费率|白天费率",
    "off_peak_rate": "off peak|offpeak|off peak price|offpeak rate|offpeak price|evening rate|night rate|"
    "economy rate|非高峰费率|闲时费率|夜间费率|低谷费率",
    "weekend_rate": "weekend|weekend price|week end rate|周末费率",
    "rate_s": "rate/sec|rate per second|price per second|每秒|每秒费率",
    "increments": "increment|billing increment|billing increments|rate increment|interval|intervals|billing interval|"
    "billing|rounding|billing rules|billing terms|billing cycle|billing unit|billing step|charging interval|"
    "charging unit|increments first next|min incr|计费单位|计费周期|计费方式|计费步长|计费时长",
}

# Words of a status: the price goes on, it has come to an end, or such calls are not connected at all.
STATUSES: dict[PriceStatus, str] = {
    "open": "new|new code|add|added|addition|increase|increased|increase in rate|rate increase|decrease|decreased|"
    "rate decrease|reduction|reduced|unchanged|no change|same|current|active|valid|changed|change|pending|updated|"
    "update|modified|existing|up|down|+|=|enabled|available|open|code added|新增|新|增加|上调|上涨|涨价|提高|下调|"
    "下降|降价|降低|不变|未变|无变化|维持|有效|正常|启用|变更|调整|生效",
    "ended": "closed|close|closing|delete|deleted|remove|removed|discontinued|withdrawn|end|ended|expired|cancelled|"
    "canceled|deactivated|inactive|terminated|code removed|code deleted|discontinue|关闭|停用|终止|取消|删除|失效|"
    "下线|停止|已删除|已关闭|已停用",
    "blocked": "block|barred|suspended|unavailable|not available|not supported|unsupported|no service|n/a|na|n.a.|"
    "no route|on request|upon request|poa|tba|tbd|disabled|restricted|not offered|屏蔽|封禁|封锁|禁呼|禁止|不支持|"
    "暂停|不可用|无|面议|未开通",
}
HARMLESS_WORDS = (
    "new|net|a|z|az|standard|voice|termination|excl|excluding|ex|vat|tax|taxes|without|gst|btw|mwst|iva|no|per|call|"
    "calls|不含税|未税|all|day|and|rate|price|amount|currency"
)
MONEY_WORDS = (
    r"rate|price|cost|fee|charge|tariff|tax|vat|gst|discount|surcharge|peak|weekend|night|evening|day time|holiday|%|"
    r"except|exclu|\btimes?\b|hours?\b|weekday|set ?up|connect|flag ?fall|origin|\ba number|\bcaller|level|band\b|"
    r"tier|step\b|block\b|initial|first|next|"
    r"minimum|maximum|\bmin\b|\bmax\b|cap\b|grace|free|included|increment|interval|second|minute|duration|round|currency|"
    r"status|block|end\b|until|expir|valid|effective|margin|mark ?up|multiplier|factor|unit|"
    r"除外|例外|时间|时刻|主叫|来源|起源|档|级别|接通|起步|首|续|"
    r"费|价|资费|税|折扣|优惠|时长|单位|最低|封顶|币|元|状态|失效|截止|周末|夜间|免费|加价"
)
