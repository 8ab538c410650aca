"""What stands in a mail with a bill or a report: what it is, its sums, where the file is, and what has changed.

letter = letter_of(delivery, mail, settings, "attached")
letter.subject, letter.plain, letter.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from ippbx_billing.documents.columns import AT_LEAST, megabytes
from ippbx_billing.language import speaking, tr
from ippbx_billing.ledger.deliveries import FiledMail, Mailing
from ippbx_billing.settings import Settings


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject and its two bodies."""

    subject: str
    plain: str
    html: str


def letter_of(delivery: Mailing, mail: FiledMail, using: Settings, link: str) -> Letter:
    """The mail in the delivery's language; `link` is where the file lies, empty where it is attached."""
    with speaking(delivery.lang):
        title = str(mail.told["title"])
        title = tr("Correction: {title}", title=title) if mail.before else title
        where = f"[{using.site_name}] " if using.site_name else ""
        facts = [*_facts(mail, using), _file(mail, link)]
        notes = [*_corrected(mail, using), *filter(None, [delivery.note]), *_doubts(mail)]
        plain = [title, "", *(f"{name}: {value}" for name, value in facts), *_apart(notes)]
        return Letter(where + title, "\n".join(plain) + "\n", _page(title, facts, notes, link))


def _apart(notes: list[str]) -> list[str]:
    return [line for note in notes for line in ("", note)]


def _facts(mail: FiledMail, using: Settings) -> list[tuple[str, str]]:
    days = str(mail.first_day) if mail.first_day == mail.last_day else f"{mail.first_day} – {mail.last_day}"
    told, facts = mail.told, [(tr("Days"), days)]
    if told["calls"] is not None:
        facts.append((tr("Calls"), f"{told['calls']:,}"))
    if told["fee"] is not None:
        facts.append((tr("Fee"), _amount(told)))
    if told["payable"] is not None:
        facts.append((tr("To pay"), f"{told['payable']} {told['currency']}"))
    return facts


def _amount(told: Mapping[str, Any]) -> str:
    """The fee; a sum that is not whole says so."""
    return f"{AT_LEAST if told['unpriced'] else ''}{told['fee']} {told['currency']}"


def _file(mail: FiledMail, link: str) -> tuple[str, str]:
    name = mail.file.rpartition("/")[2]
    return tr("File"), link or tr("{name} (attached, {size} MB)", name=name, size=megabytes(mail.size))


def _corrected(mail: FiledMail, using: Settings) -> list[str]:
    """Why there is another mail for these days."""
    if mail.edition == 0:
        return []
    if not mail.before:
        return [tr("calls of these days came late, when the bills had been sent already")]
    sums = [_amount(one) if one["fee"] is not None else "–" for one in (mail.before, mail.told)]
    return [
        tr("calls of these days came late or were corrected after the mail before this one; this file replaces it"),
        tr("fee: {before} before, {after} now", before=sums[0], after=sums[1]),
    ]


def _doubts(mail: FiledMail) -> list[str]:
    return [tr("sent again: an earlier attempt may have arrived")] if mail.repeated else []


def _page(title: str, facts: list[tuple[str, str]], notes: list[str], link: str) -> str:
    rows = "".join(
        f"<tr><th align='left'>{escape(name)}</th><td>{_linked(value, link)}</td></tr>" for name, value in facts
    )
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return f"<html><body><h3>{escape(title)}</h3><table cellpadding='3'>{rows}</table>{said}</body></html>"


def _linked(value: str, link: str) -> str:
    if value == link and link.startswith(("http://", "https://")):
        return f'<a href="{escape(link)}">{escape(link)}</a>'
    return escape(value)


def at(moment: int, using: Settings) -> str:
    """A moment on the site's clock, to the minute."""
    return f"{datetime.fromtimestamp(moment, using.site_zone):%Y-%m-%d %H:%M}"
