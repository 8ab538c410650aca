"""A device that cannot be driven: what a person sets by hand, step by step, and what is missing while no event comes.

    for step in steps(profile, "https://192.168.6.169", "admin", wanted):
        step.title; step.entries; step.button; step.proof

The words are the PBX's own, in Chinese and English. A step that changes nothing by itself has a `proof`: the kind of
event that shows that everything before it is right. A terminal shows one step at a time, a page may show all with a
button to copy each value.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ippbx_billing.language import tr
from ippbx_billing.pbx.forms import Value
from ippbx_billing.pbx.profile import Label, Profile

KINDS = ("status", "cdr")


@dataclass(frozen=True, slots=True)
class GuideEntry:
    """A field to set: its name on the screen, its value, and whether that is typed (and worth copying) or switched."""

    name: str
    value: str
    typed: bool


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One thing to do: what, where its fields are, which button ends it, and the kind of event that proves it."""

    title: str
    entries: tuple[GuideEntry, ...] = ()
    button: str = ""
    proof: str = ""


def steps(profile: Profile, address: str, user: str, wanted: Mapping[str, Mapping[str, Value]]) -> Iterator[GuideStep]:
    """Signing in, each page, applying, and the two test calls that prove it."""
    yield GuideStep(tr("Open {address} in a browser and sign in as {user}.", address=address, user=user))
    for page, values in wanted.items():
        own = profile.pages[page]
        path = [*own.menu, *([own.tab] if own.tab else [])]
        entries = [_entry(own.fields, key, value) for key, value in values.items()]
        yield GuideStep(" → ".join(map(both, path)), tuple(entries), both(profile.words["save"]))
    yield GuideStep(tr("Bring it into force: in the bar at the top"), button=both(profile.words["apply"]))
    yield GuideStep(tr("Call an extension and let it ring."), proof="status")
    yield GuideStep(tr("Answer, talk for some seconds, and hang up."), proof="cdr")


def both(label: Label) -> str:
    """A thing's names on Chinese and English screens."""
    chinese, english = label.name("zh"), label.name("en")
    return chinese if chinese == english else f"{chinese} / {english}"


def missing(
    profile: Profile,
    kind: str,
    seen: Collection[str],
    doors: Mapping[str, Mapping[str, Any] | None],
    before: Mapping[str, Mapping[str, Any] | None],
) -> Iterator[str]:
    """Why no event of that kind may have come, the likeliest first.

    `seen` are the kinds that have come; `doors` and `before` what our two doors say at /healthz, now and at the start,
    None where none answers.
    """
    door = doors.get(kind)
    if door is None:
        yield tr("no listener answers there: start `ippbx-bill listen`")
        return
    refused = _more_refused(door, before.get(kind) or {})
    for reason, count in refused.items():
        yield tr("the listener refused {count} deliveries: {reason}", count=count, reason=_refusal(reason))
    heading = both(profile.pages["events"].fields[kind].label)
    if set(seen) - {kind}:
        yield tr("the other events come, so look at this one on the PBX's page: {field}, its URL and its switches",
                 field=heading)  # fmt: skip
    elif not refused:
        apply = both(profile.words["apply"])
        yield tr("nothing has come from the PBX at all: was {button} pressed?", button=apply)
        yield tr("can the PBX reach this machine? Its firewall must let the port in: `ippbx-bill pbx check`")


def _entry(fields: Mapping[str, Any], key: str, value: Value) -> GuideEntry:
    field = fields[key]
    labels = [*([fields[field.under].label] if field.under else []), field.label]
    shown = (tr("on") if value else tr("off")) if isinstance(value, bool) else value
    return GuideEntry(" · ".join(map(both, labels)), shown, typed=not isinstance(value, bool))


def _more_refused(door: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, int]:
    earlier: Mapping[str, int] = before.get("refused", {})
    counts: Mapping[str, int] = door.get("refused", {})
    return {
        reason: count - earlier.get(reason, 0) for reason, count in counts.items() if count > earlier.get(reason, 0)
    }


def _refusal(reason: str) -> str:
    told = {
        "stranger": tr("the sender is not in `allow`"),
        "unknown_path": tr("not by the address above"),
    }
    return told.get(reason, reason)
