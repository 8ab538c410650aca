"""`init`: settings, both databases, the standard carriers of the home area; repeatable without harm."""

import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ippbx_billing import files
from ippbx_billing import language as texts
from ippbx_billing.cli import common
from ippbx_billing.cli.common import say
from ippbx_billing.cli.site import homes
from ippbx_billing.cli.site.wizard import own_address
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.language.commands import command_line
from ippbx_billing.settings import FILE_NAME, Settings, as_toml, default_data_dir, load


def init(
    area_code: Annotated[str | None, typer.Option(help=en("home area code, e.g. 022"))] = None,
    country: Annotated[str | None, typer.Option(help=en("home country, two letters"))] = None,
    timezone: Annotated[str | None, typer.Option(help=en("time zone, e.g. Asia/Shanghai"))] = None,
    currency: Annotated[str | None, typer.Option(help=en("currency, three letters"))] = None,
    outside_prefix: Annotated[str | None, typer.Option(help=en("dialled to get an outside line"))] = None,
    dialect: Annotated[str | None, typer.Option(help=en("PBX model, see `dialects list`"))] = None,
    extension_pattern: Annotated[
        list[str] | None, typer.Option(help=en("what an extension looks like, e.g. 8XXX; repeatable"))
    ] = None,
    own_address: Annotated[str | None, typer.Option(help=en("this machine's address as the PBX reaches it"))] = None,
    site_name: Annotated[str | None, typer.Option(help=en("the company's name, as the heading of its bills"))] = None,
) -> None:
    """Write what is missing, change nothing that is there, and say which."""
    data_dir = common.state.data_dir or default_data_dir()
    flags: dict[str, Any] = {
        "area_code": area_code,
        "country": country,
        "timezone": timezone,
        "currency": currency,
        "outside_prefix": outside_prefix,
        "dialect": dialect,
        "extension_patterns": tuple(extension_pattern) if extension_pattern else None,
        "own_address": own_address,
        "site_name": site_name,
    }
    path = data_dir / FILE_NAME
    if path.exists():
        _tell_unchanged(path, load(data_dir, environment={}), flags)
    else:
        _write_settings(path, _chosen(data_dir, flags))
        say(tr("wrote {path}", path=path))
    settings = common.settings()
    for created in _create_databases(settings):
        say(tr("created {path}", path=created))
    _load_carriers(settings)
    _say_what_is_next(settings)


def _chosen(data_dir: Path, flags: dict[str, Any]) -> Settings:
    """The settings of a new site: what was given, else asked for on a terminal, else the country's own defaults."""
    settings = load(data_dir, flags)
    given = {name: value for name, value in flags.items() if value is not None}
    if sys.stdin.isatty() and "area_code" not in given:
        from ippbx_billing.cli.site.wizard import ask

        given = given | ask(settings)
    country = load(data_dir, {"country": given.get("country", settings.country)}).country
    defaults = {} if country == homes.CHINA else homes.defaults_of(country)
    settings = load(data_dir, {**_values(settings), "lang": texts.language(), **defaults, **given})
    _check_dialect(settings)
    return replace(settings, area_code=_area_code(settings, told="area_code" in given))


def _area_code(settings: Settings, *, told: bool) -> str:
    """The area code as it is dialled; an empty one counts only where somebody said so, and what follows is told."""
    if not settings.area_code:
        if not told:
            homes.must_be_told(settings.country)
        elif homes.has_area_codes(settings.country):
            say(homes.without_area_code(settings.country))
    return homes.area_code(settings.area_code, settings.country)


def _values(settings: Settings) -> dict[str, Any]:
    return {item.name: getattr(settings, item.name) for item in fields(Settings) if item.name != "data_dir"}


def _check_dialect(settings: Settings) -> None:
    from ippbx_billing import dialects

    known = dialects.load(settings.dialects_dir)
    if settings.dialect != "auto" and settings.dialect not in known:
        raise UsageError(
            tr("there is no dialect {name}", name=settings.dialect),
            tr("known: {names}", names="auto, " + ", ".join(known)),
        )


def _write_settings(path: Path, settings: Settings) -> None:
    """The file appears whole and readable by its owner only, because it may come to hold secrets."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(path, as_toml(settings), private=True, hint=tr("name another --data-dir"))
    except OSError as error:
        raise BillingError(
            tr("{path} cannot be written: {error}", path=path, error=error.strerror), tr("name another --data-dir")
        ) from error


def _tell_unchanged(path: Path, present: Settings, flags: dict[str, Any]) -> None:
    say(tr("{path} is there already and stays as it is", path=path))
    for name, value in flags.items():
        if value is not None and value != getattr(present, name):
            say(tr("  {name} stays {value!r}; edit the file to change it", name=name, value=getattr(present, name)))


def _create_databases(settings: Settings) -> list[Path]:
    from ippbx_billing.inbox import create
    from ippbx_billing.ledger import Ledger

    missing = [path for path in (settings.inbox_path, settings.ledger_path) if not path.exists()]
    create(settings.inbox_path)
    Ledger(settings.ledger_path).close()
    return missing


def _load_carriers(settings: Settings) -> None:
    """The three standard carriers of the home area, into a ledger that has no carrier yet."""
    from ippbx_billing import numbering
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.tariffs import standard

    with Ledger(settings.ledger_path) as ledger:
        present = ledger.book.carriers()
        if present:
            say(tr("carriers are there already: {names}", names=", ".join(one.name for one in present)))
            return
        area = numbering.area(settings.area_code, settings.country)
        carriers, prices = standard(settings.country, settings.area_code, area.place if area else settings.country)
        with ledger.transaction():
            for carrier in carriers:
                ledger.book.add_carrier(carrier)
            ledger.book.add_prices(prices)
    say(tr("loaded carriers: {names}", names=", ".join(one.name for one in carriers)))
    if not prices:
        say(tr("there is no standard tariff for {country}: outgoing calls stay unrated until prices are set",
               country=settings.country))  # fmt: skip


def _say_what_is_next(settings: Settings) -> None:
    """The three steps to the first call, each with what is typed: commands as this site needs them, addresses whole."""
    address = settings.own_address or own_address() or tr("ADDRESS-OF-THIS-MACHINE")
    say("")
    say(tr("What comes next:"))
    say(tr("1. Receive the records:  {command}", command=_here("listen")))
    say(tr("2. Enter in the PBX, both as JSON, under 服务对接 → 事件上报 (event report), then 应用 (apply):"))
    say(tr("     话单信息 (call records): http://{address}:{port}/", address=address, port=settings.cdr_port))
    say(tr("     呼叫状态 (call status):  http://{address}:{port}/", address=address, port=settings.status_port))
    say(tr("   or let it be set:     {command}", command=_here("configure-pbx", "--pbx", "https://192.168.6.169")))
    say(tr("3. Make a call and look: {command}", command=_here("calls", "list")))


def _here(*words: str) -> str:
    """A command that finds this site's data directory."""
    named = ("--data-dir", str(common.state.data_dir)) if common.state.data_dir else ()
    return command_line(*named, *words)
