"""How deliveries look: what is mailed to whom and when, and each mail with its file and its hash."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from ippbx_billing.documents.columns import Column, megabytes
from ippbx_billing.language import tr
from ippbx_billing.language.commands import command_line
from ippbx_billing.ledger.deliveries import OWN, FiledMail, Mailing

LISTED_NAMES = 5
Row = dict[str, Any]


def delivery_row(one: Mailing, counts: Mapping[str, int], last: int | None, due: datetime | None, zone: tzinfo) -> Row:
    """One delivery with how its mails fare; `due` is when the next is made."""
    return {
        "name": one.name,
        "what": one.what,
        "whose": one.whose,
        "asked": dict(one.asked),
        "format": one.form,
        "every": one.every,
        "on": one.on_day,
        "at": one.at,
        "to": list(one.recipients),
        "lang": one.lang,
        "note": one.note or None,
        "from": one.first_day.isoformat(),
        "state": one.state,
        "next": due and due.astimezone(zone).isoformat(),
        "last_sent": _iso(last, zone),
        **{name: counts.get(name, 0) for name in ("sent", "waiting", "dead", "nobody")},
    }


def told_row(row: Row) -> Row:
    """The row as people read it."""
    to = tr("each its own address") if row["to"] == [OWN] else ", ".join(row["to"])
    asked = ", ".join(f"{name}={value}" for name, value in row["asked"].items())
    whose = " ".join(filter(None, (tr(row["what"]), row["whose"], f"({asked})" if asked else "")))
    return {**row, "to": to, "whose": whose}


def delivery_columns() -> list[Column]:
    """The columns of `deliver list`."""
    return [
        Column("name", tr("Delivery")),
        Column("whose", tr("What")),
        Column("to", tr("To whom")),
        Column("every", tr("Every"), "word"),
        Column("format", tr("Form"), "code", rank=4),
        Column("state", tr("State"), "word", rank=1),
        Column("next", tr("Next"), "time"),
        Column("last_sent", tr("Last sent"), "time", rank=2),
        Column("sent", tr("Sent"), "number", rank=3),
        Column("waiting", tr("Waiting"), "number"),
        Column("dead", tr("Given up"), "number"),
        Column("nobody", tr("No address"), "number"),
    ]


def mail_row(one: FiledMail, name: str, zone: tzinfo) -> Row:
    """One mail."""
    return {
        "delivery": name,
        "from": one.first_day.isoformat(),
        "to": one.last_day.isoformat(),
        "edition": one.edition,
        "whose": one.whose,
        "recipient": one.recipient or None,
        "state": one.state,
        "attempts": one.attempts,
        "sent_at": _iso(one.sent_at, zone),
        "error": one.error or None,
        "file": one.file,
        "size": one.size,
        "sha256": one.sha256,
        "message_id": one.message_id,
    }


def nobodys(mails: Sequence[FiledMail]) -> list[str]:
    """Whose bills nobody could be sent, and what to do about it."""
    whose = [one.whose.partition(":")[2] for one in mails]
    listed = ", ".join(whose[:LISTED_NAMES]) + (", …" if len(whose) > LISTED_NAMES else "")
    kind = mails[0].whose.partition(":")[0]
    return [
        tr("{count} bills have no mail address: {listed}", count=len(whose), listed=listed),
        command_line(f"{kind}s", "mail", whose[0], "name@example.com"),
    ]


def mail_columns() -> list[Column]:
    """The columns of `deliver show`."""
    return [
        Column("from", tr("From day"), "code"),
        Column("edition", tr("Edition"), "number", rank=3),
        Column("whose", tr("Whose")),
        Column("recipient", tr("To whom")),
        Column("state", tr("State"), "word"),
        Column("sent_at", tr("Sent"), "time", rank=1),
        Column("attempts", tr("Attempts"), "number", rank=4),
        Column("error", tr("Why not"), rank=2),
    ]


def archive_rows(
    mails: Sequence[FiledMail], names: Mapping[int, str], states: Mapping[str, str], zone: tzinfo
) -> list[Row]:
    """What was sent, with whether its file is still the one that was made: `intact`, `changed` or `missing`."""
    return [
        mail_row(one, names[one.delivery_id], zone) | {"intact": states[one.file], "megabytes": megabytes(one.size)}
        for one in mails
    ]


def archive_columns() -> list[Column]:
    """The columns of `deliver archive`."""
    return [
        Column("sent_at", tr("Sent"), "time"),
        Column("recipient", tr("To whom")),
        Column("file", tr("File")),
        Column("megabytes", "MB", "code", rank=2),
        Column("sha256", "SHA-256", "code", rank=1),
        Column("intact", tr("File is"), "word"),
    ]


def _iso(moment: int | None, zone: tzinfo) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, zone).isoformat()
