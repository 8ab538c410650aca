"""A dialect proposed from what was not understood, saved among the site's own, and tried on the same bodies.

events = rejected(ledger, inbox)
found = proposed(using, ledger, events, "my-pbx")
found = proposed(using, numbering, bodies, "my-pbx")
save(target(using, "my-pbx"), found, "my-pbx")
    tried(using, numbering, bodies, "my-pbx").understood      # how many of them it reads as calls
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ippbx_billing import dialects, files
from ippbx_billing.calls import EventKind, EventStatus, RawEvent
from ippbx_billing.dialects.suggest import Suggestion, suggest
from ippbx_billing.errors import BillingError, DataError, UsageError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.numbering import Numbering
from ippbx_billing.settings import Settings

AUTO = "auto"
MOST_REJECTED = 200  # bodies that are looked at; they prove enough


def rejected(ledger: Ledger, inbox: Inbox) -> list[int]:
    """The newest events of the CDR door that were not understood, the oldest of them first."""
    newest = reversed(ledger.journey.events_with(EventStatus.REJECTED))
    records = (one for one in newest if (event := inbox.get(one)) and event.kind is EventKind.CDR)
    return sorted(islice(records, MOST_REJECTED))


def numbering_of(using: Settings, ledger: Ledger | None) -> Numbering:
    """The site's numbering plan with its extensions; without a ledger, as the settings say."""
    return Numbering(
        country=using.country,
        area_code=using.area_code,
        outside_prefix=using.outside_prefix,
        extension_patterns=using.extension_patterns,
        extensions=[] if ledger is None else ledger.directory.numbers(),
    )


def proposed(using: Settings, numbering: Numbering, bodies: Sequence[RawEvent], name: str | None) -> Suggestion:
    """What is proposed for these bodies; a dialect of the site's own of that name must not vouch for itself."""
    known = dialects.load(using.dialects_dir)
    replaced = [one for one, dialect in known.items() if one == name and dialect.own]
    return suggest(
        bodies,
        known=known.without(*replaced),
        zone=using.pbx_zone,
        is_extension=numbering.is_extension,
        classify=numbering.classify,
    )


def target(using: Settings, name: str, force: bool = False) -> Path:
    """Where the dialect is saved; UsageError for a bad name, or a file that is to stay."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", name) or name == AUTO:
        hint = tr("small letters, digits, - and _, such as my-pbx")
        raise UsageError(tr("{name!r} cannot be the name of a dialect", name=name), hint)
    path = using.dialects_dir / f"{name}.toml"
    if path.exists() and not force:
        raise UsageError(tr("{path} is there already", path=path), tr("choose another name, or say --force"))
    return path


def save(path: Path, found: Suggestion, name: str) -> None:
    """The file appears whole, and only if the engine can load it; DataError where the proposal can read no call."""
    if not found.usable:
        problem = tr("nothing was written: no record has both a time and a number")
        raise DataError(problem, tr("try more bodies, or copy a dialect: `ippbx-bill dialects show uc`"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, found.as_toml(name), hint=tr("check its owner"))
        dialects.load(path.parent)
    except OSError as error:
        raise BillingError(tr("{path} cannot be written: {error}", path=path, error=error.strerror)) from error


@dataclass(frozen=True, slots=True)
class DialectTrial:
    """What a dialect makes of bodies: how many it reads as calls, of how many, and what it still does not know."""

    understood: int
    total: int
    problems: tuple[str, ...]
    is_chosen: bool

    def sentences(self, name: str, data_dir: Path, present: str) -> list[str]:
        """It in words, with what is to be set."""
        told = [tr("it reads {count} of {total} bodies as calls", count=self.understood, total=self.total)]
        told += self.problems
        if self.is_chosen:
            told.append(tr("the settings may stay: dialect = {name}", name=f'"{present}"'))
        else:
            told.append(tr("set dialect = {name} or dialect = {auto} in {path}",
                           name=f'"{name}"', auto=f'"{AUTO}"', path=data_dir / "settings.toml"))  # fmt: skip
        return told


def tried(using: Settings, numbering: Numbering, bodies: Sequence[RawEvent], name: str) -> DialectTrial:
    """The saved dialect on these bodies, read as the worker would read them."""
    known = dialects.load(using.dialects_dir)
    chosen = using.dialect if using.dialect == AUTO else name
    readings = [
        dialects.read(one, known, chosen=chosen, zone=using.pbx_zone, is_extension=numbering.is_extension)
        for one in bodies
    ]
    understood = [one for one in readings if one.calls and not one.problems and one.dialect == name]
    problems = dict.fromkeys(sentence(problem.told) for one in readings for problem in one.problems)
    return DialectTrial(len(understood), len(readings), tuple(problems), using.dialect in (AUTO, name))
