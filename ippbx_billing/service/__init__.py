"""The listener as a service of systemd: a unit that lets it do what it must and nothing else.

    unit = Unit(Path("/opt/ippbx-bill/bin/ippbx-bill"), Path("/var/lib/ippbx-bill"))
    print(unit.text())
    install(unit)

`systemd` is the sibling that speaks to `systemctl`, `notify` what the listener itself tells systemd.
"""

from dataclasses import dataclass
from pathlib import Path

NAME = "ippbx-bill"
DATA_DIR = Path("/var/lib") / NAME
LOWEST_FREE_PORT = 1024  # below it a process needs a right of its own to listen


@dataclass(frozen=True, slots=True)
class Unit:
    """What differs from one installation to another."""

    executable: Path
    data_dir: Path = DATA_DIR
    user: str = NAME
    low_ports: bool = False
    console: bool = True

    def text(self) -> str:
        """The unit file."""
        return _TEMPLATE.format(
            command=" ".join(map(_quoted, (str(self.executable), "--data-dir", str(self.data_dir), *self._command()))),
            user=self.user,
            state=_STATE if self.data_dir == DATA_DIR else "",
            data_dir=_quoted(str(self.data_dir)),
            home="read-only" if any(map(_is_in_a_home, (self.executable, self.data_dir))) else "yes",
            capabilities=_LOW_PORTS if self.low_ports else _NO_CAPABILITY,
        )

    def _command(self) -> tuple[str, ...]:
        return ("listen", "--console") if self.console else ("listen",)


def _is_in_a_home(path: Path) -> bool:
    return any(path.is_relative_to(home) for home in ("/home", "/root", "/run/user"))


def _quoted(word: str) -> str:
    """A word of a unit file: systemd expands % and $, and splits at blanks."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word else word


_STATE = f"StateDirectory={NAME}\nStateDirectoryMode=0700\n"
_NO_CAPABILITY = "CapabilityBoundingSet=\nAmbientCapabilities=\nPrivateUsers=yes"
_LOW_PORTS = "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE"

_TEMPLATE = """\
# Written by `ippbx-bill service install`. Own additions belong in a drop-in: `systemctl edit ippbx-bill`.
[Unit]
Description=ippbx-bill: receives the PBX's call records and rates them
Wants=network-online.target
After=network-online.target
# Restarted for as long as it takes: a listener that gave up would lose calls.
StartLimitIntervalSec=0

[Service]
# Ready when both doors are open; taken for dead when its writer does not answer for a minute.
Type=notify
NotifyAccess=main
WatchdogSec=60
ExecStart={command}
Restart=always
RestartSec=2
# On SIGTERM it finishes what it accepted (10 s), then the pipeline beside it rates what is there (30 s).
KillMode=mixed
TimeoutStopSec=60
LimitNOFILE=16384

User={user}
Group={user}
UMask=0077
{state}ReadWritePaths={data_dir}
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
NoNewPrivileges=yes
{capabilities}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""
