"""Installs, looks at and removes the unit, by the system's own commands.

    install(Unit(executable), tell=print)
    status()["ActiveState"]  ->  "active"

Data and user stay when the service goes: calls are not the service's to delete.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ippbx_billing.errors import BillingError, NotFoundError
from ippbx_billing.files import whole
from ippbx_billing.language import tr
from ippbx_billing.service import NAME, Unit
from ippbx_billing.settings import FILE_NAME

UNIT_PATH = Path("/etc/systemd/system") / f"{NAME}.service"
SHOWN = ("LoadState", "UnitFileState", "ActiveState", "SubState", "MainPID", "NRestarts", "ActiveEnterTimestamp")


def install(unit: Unit, tell: Callable[[str], None]) -> None:
    """User, owner of the data, unit, enabled and started; a repeat brings everything to the same state.

    Raises NotFoundError where the data directory has no settings, BillingError where a step fails.
    """
    _must_be_root()
    if not (unit.data_dir / FILE_NAME).exists():
        problem = tr("there is no {path}", path=unit.data_dir / FILE_NAME)
        raise NotFoundError(problem, f"`ippbx-bill --data-dir {unit.data_dir} init --area-code 022`")
    _run("systemctl", "show", "--property=Version")  # before anything is changed: does systemd answer at all
    if not _is_known(unit.user):
        _run("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", unit.user)
        tell(tr("created the user {user}", user=unit.user))
    _run("chown", "-R", "-h", f"{unit.user}:", str(unit.data_dir))
    tell(tr("{path} belongs to {user}", path=unit.data_dir, user=unit.user))
    with whole(UNIT_PATH) as stream:
        stream.write(unit.text().encode())
    UNIT_PATH.chmod(0o644)
    tell(tr("wrote {path}", path=UNIT_PATH))
    _run("systemctl", "daemon-reload")
    _run("systemctl", "enable", UNIT_PATH.name)
    _run("systemctl", "restart", UNIT_PATH.name)
    tell(tr("the service is enabled and runs"))


def uninstall(tell: Callable[[str], None]) -> None:
    """Stops the service and removes its unit; raises NotFoundError where there is none."""
    _must_be_root()
    if not UNIT_PATH.exists():
        raise NotFoundError(tr("there is no {path}", path=UNIT_PATH), tr("see `ippbx-bill service status`"))
    _run("systemctl", "disable", "--now", UNIT_PATH.name)
    UNIT_PATH.unlink()
    _run("systemctl", "daemon-reload")
    tell(tr("removed {path}; data and user stay as they are", path=UNIT_PATH))


def status() -> dict[str, str]:
    """What systemd knows of the service, by systemd's own names."""
    printed = _run("systemctl", "show", UNIT_PATH.name, f"--property={','.join(SHOWN)}")
    pairs = (line.partition("=") for line in printed.splitlines())
    return {name: value for name, _, value in pairs if name in SHOWN}


def _is_known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _must_be_root() -> None:
    if os.geteuid() != 0:
        raise BillingError(tr("only root can do this"), tr("repeat it with sudo; --print shows the unit to anybody"))


def _run(command: str, *arguments: str) -> str:
    """What the command printed; BillingError with its own words where it fails."""
    if shutil.which(command) is None:
        raise BillingError(
            tr("this system has no {command}", command=command),
            tr("`ippbx-bill service install --print` shows the unit"),
        )
    done = subprocess.run([command, *arguments], capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or str(done.returncode)).splitlines()[0]
        problem = tr("`{command}` failed: {said}", command=" ".join((command, *arguments)), said=said)
        raise BillingError(problem, tr("`journalctl -u {name}` shows more", name=NAME))
    return done.stdout
