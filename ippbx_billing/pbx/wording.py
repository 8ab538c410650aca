"""How pages and fields of the PBX are called when we talk of them, and what to do where its own words are not known."""

from ippbx_billing.language import language, tr
from ippbx_billing.pbx.problems import WordingUnknown
from ippbx_billing.pbx.profile import FieldProfile, PageProfile


def shown_path(profile: PageProfile) -> str:
    """The page as an engineer finds it: menu and tab, in the language in use."""
    labels = [*profile.menu, *([profile.tab] if profile.tab else [])]
    return " → ".join(label.shown(language()) for label in labels)


def shown_menu(profile: PageProfile) -> str:
    """The page's way through the menu, in the language in use."""
    return " → ".join(label.shown(language()) for label in profile.menu)


def shown_field(profile: PageProfile, one: FieldProfile) -> str:
    """The field as an engineer finds it: its heading and its label."""
    labels = [profile.fields[one.under].label] if one.under else []
    return " · ".join(label.shown(language()) for label in [*labels, one.label])


def wording_hint() -> str:
    """What helps where a firmware words things otherwise."""
    return tr("name a profile with this firmware's words (--profile FILE), or set it by hand: --guide lists the values")


def drawn_by_script(page: str) -> WordingUnknown:
    """The problem of a page that only a browser can draw; other words in a profile do not help there."""
    return WordingUnknown(
        tr("the PBX's page {page} is drawn by a script in the browser; no profile can help.", page=page),
        tr("set it by hand: `ippbx-bill configure-pbx --guide` goes through it step by step"),
    )
