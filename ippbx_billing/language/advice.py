"""What to do about an incident: a sentence for each rule, which is the catalogue's key."""

ADVICE = {
    "after-hours-intl": "Ask who made these calls; if nobody did, bar the extension in the PBX at once.",
    "burst": "Look at the calls with `ippbx-bill calls list`; if nobody dialled them, bar the extension in the PBX.",
    "clock": "Let the PBX and this machine take the time from one NTP server; check the time zone.",
    "concurrency": "More calls at once than one telephone can hold are a sign of a stolen password.",
    "dear-call": "Ask whether the call is meant, and end it in the PBX if it is not.",
    "delivery": "See `ippbx-bill alerts sent --state dead`; mend the channel, then `ippbx-bill alerts send --again`.",
    "forwarding": "Check call forwarding and voicemail of the PBX; both are ways in for strangers.",
    "limit": "Talk to them, or raise the limit.",
    "long-call": "Ask whether the call is meant; a handset that was not hung up costs as well.",
    "new-country": "If nobody has business there, bar the country in the PBX.",
    "pbx-link": "Check power and network of the PBX: `ippbx-bill pbx check`.",
    "same-prefix-run": "A machine may be dialling; ask whoever has the extension.",
    "silence": "Check whether the PBX still posts: `ippbx-bill pbx check`, and its network.",
    "spend-day": "See where it went: `ippbx-bill report --month this`.",
    "spend-hour": "See where it went: `ippbx-bill calls list`.",
    "store": "See `ippbx-bill doctor`.",
    "trusted-countries": "Add the country with `ippbx-bill alerts set trusted-countries countries=…`, or bar it.",
    "unrated": "`ippbx-bill calls list --status unrated`; set a price, then `ippbx-bill events replay`.",
}
