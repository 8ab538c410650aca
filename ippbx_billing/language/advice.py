"""What to do about an incident: a sentence for each rule, which is the catalogue's key."""

from ippbx_billing.language import en

ADVICE = {
    "after-hours-intl": en("Ask who made these calls; if nobody did, bar the extension in the PBX at once."),
    "burst": en(
        "Look at the calls with `ippbx-bill calls list`; if nobody dialled them, bar the extension in the PBX."
    ),
    "clock": en("Let the PBX and this machine take the time from one NTP server; check the time zone."),
    "concurrency": en("More calls at once than one telephone can hold are a sign of a stolen password."),
    "dear-call": en("Ask whether the call is meant, and end it in the PBX if it is not."),
    "delivery": en(
        "See `ippbx-bill alerts sent --state dead`; repair the channel, then `ippbx-bill alerts send --again`."
    ),
    "forwarding": en("Check call forwarding and voicemail of the PBX; both are ways in for strangers."),
    "limit": en("Talk to them, or raise the limit."),
    "long-call": en("Ask whether the call is meant; a handset that was not hung up costs as well."),
    "new-country": en("If nobody has business there, bar the country in the PBX."),
    "pbx-link": en("Check power and network of the PBX: `ippbx-bill pbx check`."),
    "same-prefix-run": en("A machine may be dialling; ask whoever has the extension."),
    "silence": en("Check whether the PBX still posts: `ippbx-bill pbx check`, and its network."),
    "spend-day": en("See where it went: `ippbx-bill report --month this`."),
    "spend-hour": en("See where it went: `ippbx-bill calls list`."),
    "store": en("See `ippbx-bill doctor`."),
    "trusted-countries": en("Add the country with `ippbx-bill alerts set trusted-countries countries=…`, or bar it."),
    "unrated": en("`ippbx-bill calls list --status unrated`; set a price, then `ippbx-bill events replay`."),
}
