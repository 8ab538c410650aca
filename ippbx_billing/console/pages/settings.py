"""Settings (系统参数): the lines of settings.toml with their comments, checked as at every start; changes are noted."""

import os
from itertools import groupby

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.language import tr
from ippbx_billing.operators import Role
from ippbx_billing.upkeep.settings_file import change, setting_lines

PATH = "/settings"
WAS = "was."  # beside each field what stood there: another operator's change is not taken back by an old page


def page(desk: Desk) -> Response:
    """Every setting by section, as it stands in the file."""
    lines = setting_lines(desk.using.data_dir, os.environ)
    sections = [(section, list(ones)) for section, ones in groupby(lines, lambda one: one.section)]
    return desk.page("settings.html", sections=sections, was=WAS)


def save(desk: Desk) -> Response:
    """The fields that were changed, all or none; what runs goes by them when it starts again."""
    given = {
        name: _field(desk, name)
        for name in desk.form
        if not name.startswith(WAS) and _field(desk, name) != _field(desk, f"{WAS}{name}")
    }
    changed = change(desk.using.data_dir, given)
    if not changed:
        return desk.back(PATH, done=tr("nothing was changed"))
    desk.note(
        "settings set",
        ", ".join(changed),
        before={name: was for name, (was, _) in changed.items()},
        after={name: now for name, (_, now) in changed.items()},
    )
    told = [f"{name}: {was or '–'} → {now or '–'}" for name, (was, now) in changed.items()]
    return desk.back(PATH, done="; ".join([*told, tr("in force when listener and console start again")]))


def _field(desk: Desk, name: str) -> str:
    return desk.text(name).replace("\r\n", "\n")


WAYS = (Way(PATH, page, Role.ADMINISTRATOR), Way(PATH, save, Role.ADMINISTRATOR, post=True))
MENU = (MenuEntry(PATH, lambda: tr("Settings"), Role.ADMINISTRATOR),)
