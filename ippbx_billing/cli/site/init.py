"""`init`: settings, both databases, the standard carriers of the home area; repeatable without harm."""

import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from ippbx_billing import files
from ippbx_billing.cli import common
from ippbx_billing.cli.common import say
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import en, tr
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
    say(tr("next: `ippbx-bill listen`, then point the PBX's event report at this machine"))


def _chosen(data_dir: Path, flags: dict[str, Any]) -> Settings:
    """The settings of a new site: what was given, else asked for on a terminal, else the country's own defaults."""
    settings = load(data_dir, flags)
    given = {name for name, value in flags.items() if value is not None}
    if sys.stdin.isatty() and "area_code" not in given:
        settings = _ask(settings)
        given |= {"country", "area_code"}
    changes: dict[str, Any] = {}
    if settings.country != "CN":
        changes = {name: value for name, value in _defaults_of(settings.country).items() if name not in given}
    settings = load(data_dir, {**_values(settings), **changes})
    _check_area(settings)
    _check_dialect(settings)
    return settings


def _values(settings: Settings) -> dict[str, Any]:
    return {item.name: getattr(settings, item.name) for item in fields(Settings) if item.name != "data_dir"}


def _ask(settings: Settings) -> Settings:
    """The short wizard: a line a question, the default in brackets."""
    country = typer.prompt(tr("Home country (two letters)"), default=settings.country)
    answers = {
        "country": country,
        "area_code": typer.prompt(tr("Home area code, e.g. 022"), default=settings.area_code),
    }
    answers["outside_prefix"] = typer.prompt(
        tr("Digit for an outside line (empty: none)"), default=settings.outside_prefix, show_default=True
    )
    patterns = typer.prompt(
        tr("Extensions look like (comma between, X is a digit)"), default=",".join(settings.extension_patterns)
    )
    answers["extension_patterns"] = patterns
    answers["own_address"] = typer.prompt(tr("This machine's address, as the PBX reaches it"), default=own_address())
    return load(settings.data_dir, {**_values(settings), **answers})


def own_address() -> str:
    """The address of the interface that leads out of this machine; no packet is sent to find it."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def _defaults_of(country: str) -> dict[str, Any]:
    """Time zone and currency of a country: its first zone in the zone table (the most populous one), its tender."""
    from importlib.resources import files

    from babel.numbers import get_territory_currencies

    defaults: dict[str, Any] = {"extension_patterns": ("[1-8]XXX",)}
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if line.startswith(country + "\t"):
            defaults["timezone"] = line.split("\t")[2]
            break
    else:
        raise UsageError(
            tr("there is no country {code}", code=country), tr("two letters of ISO 3166, such as CN or US")
        )
    if currencies := get_territory_currencies(country):
        defaults["currency"] = currencies[0]
    return defaults


def _check_area(settings: Settings) -> None:
    from ippbx_billing import numbering

    if settings.country == "CN" and numbering.area(settings.area_code) is None:
        problem = tr("the home area code is missing")
        if settings.area_code:
            problem = tr("{code!r} is no area code of China", code=settings.area_code)
        raise UsageError(problem, tr("give the home area with --area-code, such as 022 for Tianjin or 010 for Beijing"))


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
