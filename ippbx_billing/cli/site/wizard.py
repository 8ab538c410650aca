"""The questions of `init` on a terminal: a line each, the default in brackets, every answer checked at once.

    ask(load(data_dir))  ->  {"lang": "zh", "site_name": "天津某某公司", "country": "CN", "area_code": "022", …}

Each check is the one of the settings file, so that what is taken here is taken there.
"""

import socket
from collections.abc import Callable
from typing import Any

import typer

from ippbx_billing import language as texts
from ippbx_billing.cli.common import say
from ippbx_billing.cli.site import homes
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.settings import Settings, checked

NONE = "-"  # how an empty answer is typed where there is a default


def ask(settings: Settings) -> dict[str, Any]:
    """The answers by the names of the settings; the questions go on in the language that was chosen."""
    answers = {"lang": _ask_for(tr("Language of tables and messages, zh or en"), "lang", texts.language())}
    texts.begin_in(answers["lang"])
    answers["site_name"] = _ask_for(
        tr("Name of the company, as the heading of its bills"), "site_name", settings.site_name
    )
    country = _ask_for(tr("Home country (two letters)"), "country", settings.country, homes.known_country)
    answers["country"] = country
    answers["area_code"] = _area(country, settings.area_code)
    say(tr("What is dialled first to get an outside line; {none} for none.", none=NONE))
    answers["outside_prefix"] = _ask_for(tr("Outside-line prefix"), "outside_prefix", settings.outside_prefix)
    return answers | {"extension_patterns": _extensions(settings, country), "own_address": _address()}


def _area(country: str, default: str) -> str:
    """The area code, asked for where the country has any; none only where somebody says so."""
    if not homes.has_area_codes(country):
        return ""

    def check(code: str) -> str:
        if not code:
            raise UsageError(homes.needs_area_code(country))
        return "" if code == NONE else homes.area_code(code, country)

    example = homes.example_of_area_code(country)
    code: str = _until(
        tr("Home area code, e.g. {example}; {none} for none", example=example, none=NONE), default, check
    )
    if not code:
        say(homes.without_area_code(country))
    return code


def _extensions(settings: Settings, country: str) -> tuple[str, ...]:
    say(tr("Extensions: 8001-8999 is a range; 8XXX is 8000 to 8999, X is any digit; several with commas."))
    usual = settings.extension_patterns
    if country != homes.CHINA and usual == Settings().extension_patterns:
        usual = homes.defaults_of(country)["extension_patterns"]
    default = ",".join(usual)
    patterns: tuple[str, ...] = _ask_for(tr("Extensions look like"), "extension_patterns", default)
    return patterns


def _address() -> str:
    return str(_ask_for(tr("This machine's address, as the PBX reaches it"), "own_address", own_address()))


def _ask_for(question: str, name: str, default: str, further: Callable[[str], str] | None = None) -> Any:
    """The setting's value, once it passes the setting's own check and perhaps a further one."""

    def check(text: str) -> Any:
        value = checked(name, "" if text == NONE else text)
        return further(value) if further else value

    return _until(question, default, check)


def _until(question: str, default: str, check: Callable[[str], Any]) -> Any:
    """What was answered, asked again until it can be used; what is wrong with it is said each time."""
    while True:
        text = typer.prompt(question, default=default, show_default=bool(default), err=True).strip()
        try:
            return check(text)
        except ValueError as error:
            say(f"  {error}" if text in str(error) else f"  {text!r}: {error}")
        except UsageError as error:
            say(f"  {error.message}")


def own_address() -> str:
    """The address of the interface that leads out of this machine; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return ""
