"""What differs between firmwares, and which faults the practice PBX shall show.

Firmware(language="en", token=False)                    # an older LuCI without CSRF tokens, in English
Firmware(faults=frozenset({Fault.REFUSE_APPLY}))
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
