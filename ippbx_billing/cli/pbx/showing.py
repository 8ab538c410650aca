"""What the `pbx` commands show: the settings of the PBX, a password that was made, an event that came."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ippbx_billing.cli.common import say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import lines, show_listing
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.pbx.plan import FieldChange
    from ippbx_billing.pbx.profile import Profile


def show_changes(
    profile: "Profile", changes: "Sequence[FieldChange]", form: Format = Format.TABLE, output: Path | None = None
) -> None:
    """Every field as `was → is`, a table a page; one list for programs. Passwords are never shown."""
    from ippbx_billing.pbx import views

    if form is not Format.TABLE or output is not None:
        show_listing(views.changes(profile, changes), form, output)
        return
    for path, table in views.pages(profile, changes):
        lines([path])
        show_listing(table)


def tell_password(password: str) -> None:
    """Show a generated password, this once."""
    say(tr("API password: {password}", password=password))
    say(tr("It is shown only now; the PBX's own API page has it as well."))
