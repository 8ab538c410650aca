"""The words on a PBX's screens, by firmware family and language; other wording is another file, not other code.

    profile = load_profile("uc")
    profile.pages["events"].fields["cdr_url"].label.knows("URL上报")  ->  True

A profile of one's own names its `base` and holds only what differs.
"""

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ippbx_billing.errors import DataError
from ippbx_billing.language import tr

KINDS = ("switch", "text", "secret")


@dataclass(frozen=True, slots=True)
class Label:
    """One thing's names on the screen, by language; the first of a language is the one we show."""

    names: Mapping[str, tuple[str, ...]]

    def knows(self, text: str) -> bool:
        """Whether the text is one of the names."""
        return wording(text) in {wording(name) for name in self.all}

    def within(self, text: str) -> bool:
        """Whether one of the names stands somewhere in the text."""
        whole = wording(text)
        return any(wording(name) in whole for name in self.all)

    def name(self, language: str) -> str:
        """The name in that language, or the nearest there is."""
        return next(iter(self.names.get(language, ())), self.all[0])

    def shown(self, language: str) -> str:
        """The name in that language, with the Chinese one beside it, because most screens have that."""
        name, chinese = self.name(language), self.name("zh")
        return name if name == chinese else f"{name} ({chinese})"

    @property
    def all(self) -> tuple[str, ...]:
        """The names in every language."""
        return tuple(name for names in self.names.values() for name in names)


@dataclass(frozen=True, slots=True)
class FieldProfile:
    """A field: its kind (switch, text or secret), its label, and the field whose label heads it."""

    key: str
    kind: str
    label: Label
    under: str | None = None


@dataclass(frozen=True, slots=True)
class PageProfile:
    """A page: its way through the menu, its tab where it has tabs, its fields."""

    key: str
    menu: tuple[Label, ...]
    tab: Label | None
    fields: Mapping[str, FieldProfile]

    def headings(self) -> dict[str, Label]:
        """The labels under which others are repeated, by field."""
        return {one.under: self.fields[one.under].label for one in self.fields.values() if one.under}


@dataclass(frozen=True, slots=True)
class SignIn:
    """Where the sign-in page may be, its two fields, what a locked account is called; `also`: older names."""

    paths: tuple[str, ...]
    user_field: str
    password_field: str
    locked: Label
    also: tuple[tuple[str, str], ...] = ()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The names of the fields for user and password, the likeliest first."""
        return ((self.user_field, self.password_field), *self.also)


@dataclass(frozen=True, slots=True)
class Profile:
    """A firmware family's words."""

    title: str
    sign_in: SignIn
    words: Mapping[str, Label]
    pages: Mapping[str, PageProfile]


def load_profile(name: str) -> Profile:
    """The packaged profile of that name, or the one in the TOML file at that path; DataError names file and key."""
    try:
        return _profile(_document(name))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem = tr("the PBX profile {name} has a wrong or missing key: {error}", name=name, error=error)
        raise DataError(problem, tr("compare it with the packaged profile uc.toml")) from error


def wording(text: str) -> str:
    """The text as labels are compared: without spaces, case, width, and what follows a label."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(":*")


_WORDS = ("save", "apply", "discard", "staged", "on", "off")


def _document(name: str) -> dict[str, Any]:
    """The TOML of a profile, laid over that of its base."""
    packaged = files("ippbx_billing.pbx").joinpath("profiles", f"{name}.toml")
    source = packaged if packaged.is_file() else Path(name)
    try:
        document = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        problem = tr("there is no PBX profile {name}", name=name)
        raise DataError(problem, tr("known is uc; or name a TOML file")) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = tr("{path} is not valid TOML: {error}", path=name, error=error)
        raise DataError(problem, tr("correct the line it names")) from error
    base = document.pop("base", None)
    return _laid_over(_document(str(base)), document) if base and base != name else document


def _laid_over(base: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in upper.items():
        below = base.get(key)
        merged[key] = _laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _profile(document: dict[str, Any]) -> Profile:
    sign_in = document["sign_in"]
    return Profile(
        title=document["title"],
        sign_in=SignIn(
            tuple(sign_in["paths"]),
            sign_in["user_field"],
            sign_in["password_field"],
            _label(sign_in["locked"]),
            tuple((str(user), str(password)) for user, password in sign_in.get("also", [])),
        ),
        words={name: _label(document["words"][name]) for name in _WORDS},
        pages={key: _page(key, page) for key, page in document["pages"].items()},
    )


def _page(key: str, page: dict[str, Any]) -> PageProfile:
    fields = {name: _field(name, field) for name, field in page["fields"].items()}
    for field in fields.values():
        if field.under is not None and field.under not in fields:
            raise ValueError(f"pages.{key}.fields.{field.key}.under names no field of the page")
    tab = _label(page["tab"]) if page.get("tab") else None
    return PageProfile(key, tuple(map(_label, page["menu"])), tab, fields)


def _field(key: str, field: dict[str, Any]) -> FieldProfile:
    if field["kind"] not in KINDS:
        raise ValueError(f"the kind of {key} must be one of {', '.join(KINDS)}")
    return FieldProfile(key, field["kind"], _label(field["label"]), field.get("under"))


def _label(names: dict[str, list[str]]) -> Label:
    label = Label({language: tuple(spellings) for language, spellings in names.items()})
    if not label.all or not all(isinstance(name, str) for name in label.all):
        raise ValueError('a label needs at least one name, such as zh = ["状态"]')
    return label
