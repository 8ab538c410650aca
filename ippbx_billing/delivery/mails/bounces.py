"""Mails that came back: a report of another mail server, days later, about a mail that ours had taken.

    bounced(ledger, Path("bounce.eml").read_bytes(), now)   ->  the mails that it is about, now given up

Such a report is a mail of its own (RFC 3464) that names the recipient, and holds the headings of what was sent. Ours
is known by its Message-ID.
"""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default
from email.utils import parseaddr

from ippbx_billing.alerts import Occurrence, Severity
from ippbx_billing.calls import Reason
from ippbx_billing.delivery.alerts.sender import DEAD_AFTER_S
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.deliveries import FiledMail


def bounced(ledger: Ledger, content: bytes, now: int) -> list[tuple[FiledMail, str]]:
    """Give up the mails that a report says have failed, each with the reason, as an incident; nothing for others."""
    report = message_from_bytes(content, policy=default)
    failures = dict(_failures(report))
    found = []
    for number in _ours(report):
        mail = ledger.deliveries.by_message_id(number)
        if mail is not None and (error := failures.get(parseaddr(mail.recipient)[1].lower())) is not None:
            _give_up(ledger, mail, error, now)
            found.append((mail, error))
    return found


def _failures(report: Message) -> Iterator[tuple[str, str]]:
    """The recipients that a mail has failed for, with what was said."""
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status":
            for one in part.get_payload():
                assert isinstance(one, Message)
                if str(one.get("Action", "")).strip().lower() == "failed":
                    said = one.get("Diagnostic-Code") or one.get("Status") or "failed"
                    yield _recipient(one), " ".join(str(said).split())


def _recipient(one: Message) -> str:
    told = str(one.get("Original-Recipient") or one.get("Final-Recipient") or "")
    return told.partition(";")[2].strip().strip("<>").lower()


def _ours(report: Message) -> Iterator[str]:
    """The local parts of the Message-IDs of what was sent, in whole or by its headings."""
    for part in report.walk():
        if part is report:
            continue
        text = part.get_payload() if part.get_content_type() == "text/rfc822-headers" else None
        inner = message_from_bytes(str(text).encode(), policy=default) if text else part
        if number := str(inner.get("Message-ID", "")).strip().strip("<>").partition("@")[0]:
            yield number


def _give_up(ledger: Ledger, mail: FiledMail, error: str, now: int) -> None:
    name = ledger.deliveries.by_id(mail.delivery_id).name
    reason = Reason("alert-unmailed", {"delivery": name, "recipient": mail.recipient, "error": error})
    what = f"deliver {name}: {mail.recipient}"
    with ledger.transaction():
        ledger.deliveries.failed(mail, error, None, doubtful=False)
        if ledger.incidents.config().is_on("delivery"):
            finding = Occurrence("delivery", what, Severity.WARNING, reason, now, now + DEAD_AFTER_S)
            ledger.incidents.settle([finding], [], now)
