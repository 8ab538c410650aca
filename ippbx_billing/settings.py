"""One frozen `Settings` from flags, environment, file and defaults, in that law of precedence.

    settings = load(data_dir, flags={"cdr_port": 9181})

The file is `settings.toml` in the data directory; each setting `name` is also read from the
environment as `IPPBX_BILL_NAME`. Every field below carries its section and its comment, and the file
that `init` writes is made from them, so a setting is described in one place.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.language import tr

FILE_NAME = "settings.toml"
ENVIRONMENT_PREFIX = "IPPBX_BILL_"
_LOOPBACK = ["127.0.0.0/8", "::1"]


def _setting(section: str, default: Any, about: str) -> Any:
    """A field of the settings file: its section, default and the comment an engineer reads above it."""
    about_both = {"section": section, "about": about}
    if isinstance(default, list | tuple):
        return field(default=tuple(default), metadata=about_both)
    return field(default=default, metadata=about_both)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set, with its default; times of day and lengths in seconds, sizes in bytes."""

    data_dir: Path = field(default=Path("."), metadata={"section": ""})

    country: str = _setting("site", "CN", "home country, two letters (ISO 3166) / 国家")
    area_code: str = _setting("site", "", "home area code, e.g. 022; empty where a country has none / 区号")
    timezone: str = _setting("site", "Asia/Shanghai", "the site's time zone: reports and tariffs go by it / 时区")
    currency: str = _setting("site", "CNY", "currency of fees, three letters (ISO 4217) / 货币")
    lang: str = _setting("site", "", 'language of tables and messages, "zh" or "en"; empty: as the system / 语言')
    site_name: str = _setting("site", "", "the company's name, as the heading of its bills / 公司名称")
    own_address: str = _setting("site", "", "this machine's address as the PBX reaches it / 本机IP地址")

    dialect: str = _setting("pbx", "auto", 'PBX model: "auto" or a name from `ippbx-bill dialects list` / 交换机型号')
    pbx_timezone: str = _setting("pbx", "", "the PBX's own time zone, where it differs from the site's / 交换机时区")
    outside_prefix: str = _setting("pbx", "9", "dialled to get an outside line; empty: none / 出局码")
    extension_patterns: tuple[str, ...] = _setting(
        "pbx",
        ["[1-8]XXX", "[2-8]XX"],
        "what an extension looks like: 8001-8999 or 8XXX; X is one digit, N any run of digits, regular expressions "
        "work / 分机号码",
    )

    bar_command: str = _setting(
        "pbx", "", "command that bars an extension's outside calls and frees them again; see `help limits` / 停机命令"
    )

    bill_address: tuple[str, ...] = _setting(
        "bill", [], "lines below the company's name on its bills / 账单上的公司地址"
    )
    bill_logo: str = _setting("bill", "", "PNG or SVG file on the bills, seen from this directory / 账单上的公司标志")
    bill_footer: str = _setting("bill", "", "words at the foot of each bill, such as the bank account / 账单页脚")
    bill_due_days: int = _setting(
        "bill", 0, "days after the period in which a bill is to be paid; 0: not said / 付款期限"
    )

    mail_grace_h: int = _setting(
        "mail", 2, "hours after a period in which late records are waited for before it is mailed / 等待迟到话单"
    )
    mail_attach_mb: int = _setting(
        "mail", 10, "larger files are put into mail_link_folder, and the mail says where / 附件上限"
    )
    mail_link_folder: str = _setting(
        "mail", "", "folder for files too large to attach; empty: they are attached all the same / 大文件目录"
    )
    mail_link: str = _setting(
        "mail", "", "that folder as readers reach it: https://bill.example.cn/sent or a path / 大文件地址"
    )

    host: str = _setting("listen", "0.0.0.0", "address to listen on; 0.0.0.0 is every interface")
    cdr_port: int = _setting("listen", 8181, "port for call records (CDRs) / 话单信息")
    status_port: int = _setting("listen", 8182, "port for call status / 呼叫状态")
    smdr_port: int = _setting("listen", 0, "port for lines over TCP, as PBXs print them (SMDR); 0: none / 话单打印端口")
    answer: str = _setting("listen", "", "body of the 200 answer; empty: as the PBX model wants it")
    log_format: str = _setting(
        "listen", "text", 'lines on stderr: "text" for people, "json" for a log collector / 日志'
    )

    allow: tuple[str, ...] = _setting(
        "listen",
        [*_LOOPBACK, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"],
        "addresses and networks that may post; others are answered 403 / 允许发送话单的地址",
    )
    pages_from: tuple[str, ...] = _setting(
        "listen",
        _LOOPBACK,
        "addresses that may see /healthz and /metrics, besides this machine / 允许查看状态页的地址",
    )
    proxies: tuple[str, ...] = _setting(
        "listen", [], "reverse proxies before us, whose X-Forwarded-For is believed / 受信任的代理服务器"
    )
    tls_certificate: str = _setting("listen", "", "PEM file; with it and its key both doors speak HTTPS only / 证书")
    tls_key: str = _setting("listen", "", "PEM file with the certificate's key, without a password / 证书私钥")

    console_host: str = _setting(
        "console", "127.0.0.1", "address of the web page; 0.0.0.0 is every interface / 网页地址"
    )
    console_port: int = _setting("console", 8180, "port of the web page / 网页端口")
    console_names: tuple[str, ...] = _setting(
        "console", [], "names under which browsers reach it, such as bill.example.cn; addresses always work / 网页域名"
    )

    ship_to: str = _setting("centre", "", "address of the centre that gets all events; empty: none / 中心地址")
    ship_site: str = _setting("centre", "", "this site's name at the centre / 本站点名称")
    ship_key: str = _setting("centre", "ship.key", "file with this site's key, for its owner only / 站点密钥文件")
    ship_certificate: str = _setting("centre", "", "PEM file by which the centre is known, where it has its own / 证书")

    max_body_bytes: int = _setting("limits", 16 * 1024 * 1024, "larger bodies are answered 413")
    max_header_bytes: int = _setting("limits", 64 * 1024, "larger request headers are answered 400")
    request_timeout_s: int = _setting("limits", 60, "a request must be complete after this long")
    max_connections: int = _setting("limits", 10_000, "connections open at once; more are answered 503")
    max_connections_per_address: int = _setting("limits", 1_000, "of one address; more are answered 429; 0: no limit")
    max_requests_per_s: int = _setting("limits", 10_000, "of one address; more are answered 429; 0: no limit")
    max_waiting_events: int = _setting("limits", 10_000, "received and not yet on the disk; more are answered 503")
    max_held_bytes: int = _setting(
        "limits", 256 * 1024 * 1024, "of bodies on their way to the disk, all senders together; more is answered 503"
    )
    min_free_bytes: int = _setting("limits", 64 * 1024 * 1024, "with less free on the disk, records are answered 503")
    idle_timeout_s: int = _setting("limits", 75, "an open connection without a request is closed after this long")
    shutdown_timeout_s: int = _setting("limits", 10, "on SIGTERM, requests already accepted get this long to finish")
    max_unpacked_bytes: int = _setting("limits", 16 * 1024 * 1024, "of a compressed body; a larger one is not read")
    max_records: int = _setting("limits", 20_000, "records read of one body")
    max_nesting: int = _setting("limits", 64, "levels of objects and lists in a body; a deeper one is not read")
    batch_size: int = _setting("limits", 2_000, "events that one ledger transaction takes at most")

    @property
    def inbox_path(self) -> Path:
        """Where the events are kept."""
        return self.data_dir / "inbox.db"

    @property
    def ledger_path(self) -> Path:
        """Where calls, charges and tariffs are kept."""
        return self.data_dir / "ledger.db"

    @property
    def operators_path(self) -> Path:
        """Where operators, their sessions and the log of who did what are kept."""
        return self.data_dir / "operators.db"

    @property
    def dialects_dir(self) -> Path:
        """Where the site's own dialects lie."""
        return self.data_dir / "dialects"

    @property
    def numbers_dir(self) -> Path:
        """Where newer number data lies, put there by `numbers update`."""
        return self.data_dir / "numbers"

    @property
    def site_zone(self) -> ZoneInfo:
        """The zone that reports and tariffs go by."""
        return ZoneInfo(self.timezone)

    @property
    def pbx_zone(self) -> ZoneInfo:
        """The zone of the wall clock in the PBX's records."""
        return ZoneInfo(self.pbx_timezone or self.timezone)


def load(
    data_dir: Path, flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings in force for `data_dir`; a missing file means defaults.

    Raises DataError for a file that cannot be read and UsageError for a value that cannot be used,
    each naming where the value came from.
    """
    environment = os.environ if environment is None else environment
    path = data_dir / FILE_NAME
    settings = Settings(data_dir=data_dir)
    settings = _apply(settings, _from_file(path), str(path))
    settings = _apply(settings, _from_environment(environment), tr("the environment"))
    return _apply(settings, {k: v for k, v in (flags or {}).items() if v is not None}, tr("the command line"))


def stored_language(data_dir: Path) -> str:
    """The language in the settings file, or ""; never raises, because it is asked before anybody can be told."""
    try:
        return str(_from_file(data_dir / FILE_NAME).get("lang", ""))
    except DataError:
        return ""


def default_data_dir(environment: Mapping[str, str] | None = None) -> Path:
    """`IPPBX_BILL_DATA_DIR`, else the place where this system keeps a program's data."""
    environment = os.environ if environment is None else environment
    if chosen := environment.get(ENVIRONMENT_PREFIX + "DATA_DIR"):
        return Path(chosen)
    if os.name == "nt":
        return Path(environment.get("LOCALAPPDATA", "~")).expanduser() / "ippbx-bill"
    return Path(environment.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "ippbx-bill"


def as_toml(settings: Settings) -> str:
    """The commented settings file that holds these settings."""
    lines = [
        "# Settings of ippbx-bill. A command-line flag or an environment variable such as",
        "# IPPBX_BILL_CDR_PORT goes before the value here.",
    ]
    section = ""
    for item in fields(Settings):
        if not item.metadata["section"]:
            continue
        if item.metadata["section"] != section:
            section = item.metadata["section"]
            lines += ["", f"[{section}]"]
        lines += [f"# {tr(item.metadata['about'])}", f"{item.name} = {_toml_value(getattr(settings, item.name))}"]
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml_value(part) for part in value) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)


def _from_file(path: Path) -> dict[str, Any]:
    """The file's settings by name; sections are checked, so that a misplaced or unknown key is not ignored."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            tr("{path} cannot be read: {error}", path=path, error=error), tr("check the file's owner and mode")
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(
            tr("{path} is not valid TOML: {error}", path=path, error=error), tr("correct the line it names")
        ) from error
    sections = {item.name: item.metadata["section"] for item in fields(Settings)}
    values: dict[str, Any] = {}
    for section, content in document.items():
        for name, value in content.items() if isinstance(content, dict) else [(section, content)]:
            if sections.get(name) != section:
                unknown = tr("{path}: [{section}] knows no setting {name!r}", path=path, section=section, name=name)
                raise DataError(unknown, _nearest(name))
            values[name] = value
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in fields(Settings):
        text = environment.get(ENVIRONMENT_PREFIX + item.name.upper())
        if item.name != "data_dir" and text is not None:
            values[item.name] = text
    return values


def _apply(settings: Settings, values: Mapping[str, Any], source: str) -> Settings:
    """The settings with these values in place; each value is brought to its field's type and checked."""
    good = {}
    for name, value in values.items():
        try:
            good[name] = checked(name, value)
        except ValueError as error:
            raise UsageError(
                tr("{source}: {name} is {value!r}, but {error}", source=source, name=name, value=value, error=error),
                tr("see settings.toml for what it means"),
            ) from error
    return replace(settings, **good)


def checked(name: str, value: Any) -> Any:
    """A setting's value in its field's type; ValueError with what would be right."""
    default = getattr(Settings(), name)
    if isinstance(default, int):
        return _whole_number(name, value)
    if isinstance(default, tuple):
        return _LISTS[name](_parts(value))
    if not isinstance(value, str):
        raise ValueError(tr("it must be text"))
    check: Callable[[str], str] = _CHECKS.get(name, str)
    return check(value.strip())


def _whole_number(name: str, value: Any) -> int:
    if isinstance(value, bool | float):
        raise ValueError(tr("it must be a whole number"))
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise ValueError(tr("it must be a whole number")) from None
    least = 0 if name in _MAY_BE_ZERO else 1
    if number < least:
        raise ValueError(tr("it must be at least {least}", least=least))
    if name.endswith("_port") and number > 65535:
        raise ValueError(tr("a port is at most 65535"))
    return number


def _parts(value: Any) -> tuple[str, ...]:
    """The texts of a list; in an environment variable commas stand between them."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise ValueError(tr('it must be a list of texts such as ["8XXX"]'))
    return tuple(part.strip() for part in parts if part.strip())


def _networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    import ipaddress  # here, because it is slow to load and most runs set no list

    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(
                tr("{text!r} is not an address or network; write 192.168.6.169 or 192.168.0.0/16", text=text)
            ) from None
    return texts


def _patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                tr(
                    "{pattern!r} is not a pattern ({error}); X is one digit, N any run of digits",
                    pattern=pattern,
                    error=error,
                )
            ) from None
    return tuple(part for pattern in patterns for part in _spelt_out(pattern))


_SPAN = re.compile(r"(\d+)\s*[-–—~～至到]\s*(\d+)")


def _spelt_out(pattern: str) -> list[str]:
    """A range as the patterns that fit exactly its numbers: 8001-8999 is 800[1-9], 80[1-9]X and 8[1-9]XX."""
    span = _SPAN.fullmatch(pattern)
    if span is None:
        return [pattern]
    first, last = span.groups()
    if len(first) != len(last) or first > last:
        raise ValueError(
            tr("{pattern!r} is not a range: the second number has as many digits and is larger", pattern=pattern)
        )
    return _of_range(first, last)


def _of_range(first: str, last: str) -> list[str]:
    """Patterns for all numbers from `first` to `last`, two texts of as many digits."""
    if first[:1] == last[:1]:
        return [first[:1] + rest for rest in _of_range(first[1:], last[1:])] if first else [""]
    zeros, nines = "0" * (len(first) - 1), "9" * (len(first) - 1)
    low, high = int(first[0]), int(last[0])
    before, behind = [], []
    if first[1:] != zeros:
        before, low = [first[0] + rest for rest in _of_range(first[1:], nines)], low + 1
    if last[1:] != nines:
        behind, high = [last[0] + rest for rest in _of_range(zeros, last[1:])], high - 1
    return [*before, *_block(low, high, len(zeros)), *behind]


def _block(low: int, high: int, digits: int) -> list[str]:
    if low > high:
        return []
    first = "X" if (low, high) == (0, 9) else str(low) if low == high else f"[{low}-{high}]"
    return [first + "X" * digits]


def _zone(value: str) -> str:
    try:
        if value:
            ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(tr("there is no such time zone; a name like Asia/Shanghai is expected")) from None
    return value


def _matching(pattern: str, wanted: Callable[[], str], upper: bool = False) -> Callable[[str], str]:
    def check(value: str) -> str:
        value = value.upper() if upper else value
        if not re.fullmatch(pattern, value):
            raise ValueError(wanted())
        return value

    return check


# 0 is a free port, no limit, or no delay; any other limit of 0 would let nothing in.
_MAY_BE_ZERO = {
    *("cdr_port", "status_port", "smdr_port", "console_port"),
    *("max_connections_per_address", "max_requests_per_s"),
    *("min_free_bytes", "shutdown_timeout_s", "bill_due_days", "mail_grace_h"),
}

_LISTS: Mapping[str, Callable[[tuple[str, ...]], tuple[str, ...]]] = {
    "bill_address": tuple,
    "console_names": tuple,
    "extension_patterns": _patterns,
    "allow": _networks,
    "pages_from": _networks,
    "proxies": _networks,
}

_CHECKS = {
    "country": _matching("[A-Z]{2}", lambda: tr("two letters are expected, such as CN"), upper=True),
    "area_code": _matching(r"\d{0,6}", lambda: tr("only digits are expected, such as 022")),
    "currency": _matching("[A-Z]{3}", lambda: tr("three letters are expected, such as CNY"), upper=True),
    "lang": _matching("(zh|en)?", lambda: tr('only "zh" and "en" are known')),
    "log_format": _matching("text|json", lambda: tr('only "text" and "json" are known')),
    "outside_prefix": _matching(r"\d{0,4}", lambda: tr("only digits are expected, such as 9")),
    "timezone": lambda value: _zone(value or "UTC"),
    "pbx_timezone": _zone,
}


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    known = [item.name for item in fields(Settings)]
    close = get_close_matches(name, known, 1)
    if close:
        return tr("did you mean {name}?", name=close[0])
    return tr("remove it, or see the README's list of settings")
