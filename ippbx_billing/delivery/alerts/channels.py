"""The channels that messages go to, kept with their secrets in a file for its owner only.

channels = load(data_dir)
put(data_dir, Channel("boss", "dingtalk", {"url": "https://…", "secret": "SEC…"}))

[server.mail]                    [channel.boss]
host = "smtp.example.com"        kind = "dingtalk"
security = "starttls"            url = "https://oapi.dingtalk.com/robot/send?access_token=…"
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ippbx_billing import files
from ippbx_billing.alerts import RULES, Severity
from ippbx_billing.errors import DataError, NotFoundError, UsageError
from ippbx_billing.language import LANGUAGES, tr

FILE_NAME = "channels.toml"
OTHERS = "apprise"
CHATS = ("dingtalk", "wecom", "feishu", OTHERS)
# What each kind takes, what it cannot do without, and how many messages a minute are four fifths of what it bears.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], int]] = {
    "mail": (("to",), ("to",), 20),
    "webhook": (("url", "secret"), ("url", "secret"), 60),
    "dingtalk": (("url", "secret", "mobiles"), ("url",), 16),
    "wecom": (("url", "mobiles"), ("url",), 16),
    "feishu": (("url", "secret"), ("url",), 80),
    "alertmanager": (("url", "authorization"), ("url",), 60),
    OTHERS: (("url",), ("url",), 20),
}
COMMON = ("least", "rules", "lang", "escalation", "masked", "rate", "heartbeat")
SERVERS: Mapping[str, tuple[str, ...]] = {
    "mail": ("host", "port", "security", "user", "password", "sender", "rate", "ca_file"),
    "http": ("proxy", "ping", "ping_min", "ca_file"),
}
SECRETS = ("secret", "password", "authorization", "url", "proxy", "ping")
SECURITY = {"starttls": 587, "tls": 465, "none": 25}
_LISTS = ("to", "mobiles", "rules")
_FLAGS = ("escalation", "masked", "heartbeat")
_NUMBERS = ("rate", "port", "ping_min")


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out: its name, its kind and what it needs."""

    name: str
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A value that is text; empty where it is not set."""
        return str(self.values.get(name, ""))

    def names(self, name: str) -> tuple[str, ...]:
        """A value that is a list."""
        return tuple(self.values.get(name, ()))

    @property
    def least(self) -> Severity:
        """The lowest severity that it hears of."""
        return Severity(self.values.get("least", Severity.WARNING))

    @property
    def masked(self) -> bool:
        """Whether numbers are masked on it: on public chat services, unless somebody said otherwise."""
        return bool(self.values.get("masked", self.kind in CHATS))

    @property
    def escalation(self) -> bool:
        """Whether it is for what nobody has acknowledged."""
        return bool(self.values.get("escalation", False))

    @property
    def heartbeat(self) -> bool:
        """Whether it gets the daily "all is well"."""
        return bool(self.values.get("heartbeat", self.kind == "mail"))

    @property
    def rate(self) -> int:
        """Messages a minute at most."""
        return int(self.values.get("rate", KINDS[self.kind][2]))


@dataclass(frozen=True, slots=True)
class Channels:
    """All of the file: the channels by name, and the servers behind them."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    servers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def server(self, name: str) -> Mapping[str, Any]:
        """What is set of a server."""
        return self.servers.get(name, {})

    def get(self, name: str) -> Channel:
        """A channel; NotFoundError where there is none of this name."""
        if name not in self.channels:
            known = ", ".join(self.channels) or tr("none")
            raise NotFoundError(
                tr("there is no channel {name}; known: {known}", name=name, known=known),
                tr("`ippbx-bill alerts channels add NAME KIND …`"),
            )
        return self.channels[name]


def path_of(data_dir: Path) -> Path:
    """Where the file lies."""
    return data_dir / FILE_NAME


def load(data_dir: Path) -> Channels:
    """The file; nothing where there is none. DataError where others can read it, or something in it is wrong."""
    path = path_of(data_dir)
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DataError(tr("{path} holds secrets and can be read by others", path=path), f"chmod 600 {path}")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Channels()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(
            tr("{path} cannot be read: {error}", path=path, error=error), tr("correct the line it names")
        ) from error
    try:
        return _of(document)
    except UsageError as error:
        raise DataError(f"{path}: {error.message}", error.hint) from error


def _of(document: Mapping[str, Any]) -> Channels:
    channels = {
        name: checked(name, str(values.get("kind", "")), {k: v for k, v in values.items() if k != "kind"})
        for name, values in document.get("channel", {}).items()
    }
    servers = {name: checked_server(name, values) for name, values in document.get("server", {}).items()}
    return Channels(channels, servers)


def checked(name: str, kind: str, values: Mapping[str, Any]) -> Channel:
    """A channel whose values are in order; UsageError says what is not."""
    if not re.fullmatch(r"[\w-]{1,40}", name):
        raise UsageError(
            tr("{name!r} is not a valid name for a channel", name=name), tr("letters, digits, - and _ are fine")
        )
    if kind not in KINDS:
        raise UsageError(tr("there is no kind of channel {kind!r}", kind=kind), ", ".join(KINDS))
    own, needed, _ = KINDS[kind]
    found = {key: _value(key, value, (*own, *COMMON), any_scheme=kind == OTHERS) for key, value in values.items()}
    lacking = [key for key in needed if not found.get(key)]
    if lacking:
        raise UsageError(
            tr("a channel of kind {kind} needs {names}", kind=kind, names=", ".join(lacking)),
            f"ippbx-bill alerts channels add {name} {kind} " + " ".join(f"{key}=…" for key in lacking),
        )
    return Channel(name, kind, found)


def checked_server(name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is set of a server, in order; UsageError says what is not."""
    if name not in SERVERS:
        raise UsageError(tr("there is no server {name!r}", name=name), ", ".join(SERVERS))
    return {key: _value(key, value, SERVERS[name]) for key, value in values.items()}


def _value(key: str, value: Any, known: Iterable[str], *, any_scheme: bool = False) -> Any:
    if key not in known:
        raise UsageError(tr("there is no setting {name!r} here", name=key), ", ".join(known))
    if key in _LISTS:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else list(value)
    if key in _FLAGS:
        return _flag(key, value)
    if key in _NUMBERS:
        return _number(key, value)
    return str(value).strip() if any_scheme and key == "url" else _word(key, str(value).strip())


def _flag(key: str, value: Any) -> bool:
    if str(value).lower() not in ("yes", "no", "true", "false"):
        raise UsageError(tr("{name} is yes or no", name=key), f"{key}=yes")
    return str(value).lower() in ("yes", "true")


def _number(key: str, value: Any) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", str(value)):
        raise UsageError(tr("{name} must be a whole number from 1 on", name=key), f"{key}=20")
    return int(value)


_WORDS: Mapping[str, Iterable[str]] = {"least": list(Severity), "lang": LANGUAGES, "security": SECURITY}


def _word(key: str, value: str) -> str:
    if key in _WORDS and value not in _WORDS[key]:
        raise UsageError(tr("{name} cannot be {value!r}", name=key, value=value), " | ".join(_WORDS[key]))
    if key in ("url", "ping", "proxy") and value and not re.match(r"https?://[^/\s]+", value):
        raise UsageError(tr("{name} must begin with http:// or https://", name=key), f"{key}=https://…")
    return value


def put(data_dir: Path, channel: Channel) -> None:
    """Keep a channel, in the place of one of the same name."""
    for rule in channel.names("rules"):
        if rule not in RULES:
            raise UsageError(tr("there is no rule {name!r}", name=rule), tr("see `ippbx-bill alerts rules`"))
    if channel.kind == OTHERS:
        from ippbx_billing.delivery.alerts import other

        other.check(channel.text("url"))
    present = load(data_dir)
    _write(data_dir, Channels({**present.channels, channel.name: channel}, present.servers))


def remove(data_dir: Path, name: str) -> None:
    "Delete a channel and its secrets."
    present = load(data_dir)
    present.get(name)
    _write(data_dir, Channels({k: v for k, v in present.channels.items() if k != name}, present.servers))


def put_server(data_dir: Path, name: str, values: Mapping[str, Any]) -> None:
    """Keep what is set of a server; an empty value is forgotten."""
    present = load(data_dir)
    merged = {**present.server(name), **checked_server(name, {k: v for k, v in values.items() if v != ""})}
    kept = {key: value for key, value in merged.items() if values.get(key) != ""}
    _write(data_dir, Channels(present.channels, {**present.servers, name: kept}))


def _write(data_dir: Path, found: Channels) -> None:
    lines = ["# Where messages go, with their secrets: for its owner only. See `ippbx-bill alerts channels`."]
    for name, values in found.servers.items():
        lines += ["", f"[server.{name}]", *_lines(values)]
    for name, one in found.channels.items():
        lines += ["", f"[channel.{name}]", *_lines({"kind": one.kind, **one.values})]
    files.write(path_of(data_dir), "\n".join(lines) + "\n", private=True)


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, int):
        return str(value)
    escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\' or ord(c) == 127 else c for c in value)
    return f'"{escaped}"'


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without their secrets: of an address the part that names the server."""
    return {key: _hidden(key, value) if key in SECRETS and value else value for key, value in values.items()}


def _hidden(key: str, value: Any) -> str:
    server = re.match(r"https?://(?:[^@/]*@)?([^/?#]+)", str(value))
    return f"{server[0].split('//')[0]}//{server[1]}/…" if server else "…"
