"""What differs between firmwares, and which faults the practice PBX shall show.

Firmware.of("2012", language="en")                      # a LuCI of that year, in English
Firmware(language="en", token=False)                    # one without CSRF tokens
Firmware(faults=frozenset({PracticeFault.REFUSE_APPLY}))
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class PracticeFault(StrEnum):
    """Something that goes wrong, to see what becomes of it."""

    IGNORE_SAVE = "ignore-save"  # answers a save with the page as it was
    REFUSE_APPLY = "refuse-apply"  # answers an apply with an error
    IGNORE_APPLY = "ignore-apply"  # answers an apply kindly and does nothing
    CUT_AFTER_SAVE = "cut-after-save"  # stages, then cuts the connection, once
    GONE_AFTER_SAVE = "gone-after-save"  # stages, then answers nothing any more
    CUT_AFTER_APPLY = "cut-after-apply"  # applies, then cuts the connection, once
    EXPIRE_ON_SAVE = "expire-on-save"  # ends the session at the first save
    EXPIRE_EVERY_SAVE = "expire-every-save"  # ends the session at each save
    REFUSE_DISCARD = "refuse-discard"  # answers a discard with an error
    SLOW_RESTART = "slow-restart"  # commits, and takes longer over its services than anybody waits
    SILENT_403 = "silent-403"  # commits, ends the session there, and answers an ended session with an empty 403
    APPLY_ON_SAVE = "apply-on-save"  # a save is in force at once
    STRANGER_SAVES = "stranger-saves"  # somebody else saves something right after our first save
    ALWAYS_NOTICE = "always-notice"  # notice and buttons are always in the top bar
    SCRIPT_BUTTONS = "script-buttons"  # the top bar's buttons are bound by a script and nothing else
    REQUIRED_WHEN_HIDDEN = "required-when-hidden"  # other tabs have rows that are hidden and must not be empty
    LANGUAGES = "languages"  # notice and buttons are in a language that no profile has


@dataclass(frozen=True, slots=True)
class Firmware:
    """One firmware of the family; the defaults are those of the newer one with Chinese pages."""

    language: str = "zh"
    admin_user: str = "admin"
    admin_password: str = "admin"
    token: bool = True  # hidden CSRF tokens, and buttons where older ones have links
    script: str = "/luci"
    cookie_path: str = "session"  # the sysauth cookie is for this: session, script or root
    session_s: float = 600
    lock_after: int = 3
    lock_s: float = 60
    restart_by_script: bool = True  # as LuCI: after an apply a script in the page restarts the services
    bar_of_links: bool = False  # the top bar leads to a list of changes, as plain LuCI does
    folded_menu: bool = False  # a group's pages are in the menu only while one of the group is open
    turned_round: bool = False  # call records before call status
    extra_fields: bool = False  # options, and a second page named API, that nobody told us of
    renamed: Mapping[str, str] = field(default_factory=dict)  # label -> what this firmware says instead
    spoken: str = ""  # what the pages say their language is, where that is not `language`
    faults: frozenset[PracticeFault] = frozenset()
    stok: bool = True  # the session's token stands in every address
    old_sign_in: bool = False  # fields `username` and `password`; success is the page itself, without a redirect
    decoys: bool = False  # a password field nobody sees, to keep browsers from filling in the real one
    unchecked: bool = False  # applies and discards by requests of a script, with `sid` and `token`
    radios: bool = False  # switches are two radio buttons
    conditions_in_rows: bool = False  # a row's condition stands in the row, not in a script
    drawn_by_script: bool = False  # pages are empty and drawn by the browser, as from 2019 on
    shut_out: bool = False  # the user is known to the board and may not use its web admin
    slow_s: float = 60  # how long a slow restart takes

    @classmethod
    def of(cls, generation: str, **more: Any) -> "Firmware":
        """A plain LuCI of that generation; `more` lies over what is usual for it. KeyError where none is known."""
        return cls(**{**GENERATIONS[generation], **more})


# What LuCI was like in those years: 0.11, 15.05 with the skin of the UC, 17.01, 18.06.
GENERATIONS: Mapping[str, Mapping[str, Any]] = {
    "2012": {
        "script": "/cgi-bin/luci",
        "old_sign_in": True,
        "token": False,
        "bar_of_links": True,
        "radios": True,
        "cookie_path": "root",
    },
    "2015": {},
    "2017": {
        "script": "/cgi-bin/luci",
        "stok": False,
        "bar_of_links": True,
        "conditions_in_rows": True,
        "cookie_path": "script",
    },
    "2018": {
        "script": "/cgi-bin/luci",
        "stok": False,
        "bar_of_links": True,
        "conditions_in_rows": True,
        "cookie_path": "script",
        "decoys": True,
        "unchecked": True,
        "restart_by_script": False,
    },
}
