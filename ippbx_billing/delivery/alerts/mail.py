"""Mail: a message with a plain and an HTML part and files, and the conversation with the server that takes it.

    with Server(values) as server:
        verdict = server.send(compose(subject, plain, html, to, sender, message_id))

One connection carries any number of messages. A message keeps its Message-ID when it is sent again, so that a reader
who got both sees one.
"""

import smtplib
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from types import TracebackType
from typing import Any, Self

from ippbx_billing.delivery.alerts.channels import SECURITY
from ippbx_billing.delivery.alerts.http import TAKEN, Verdict
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


def compose(
    subject: str,
    plain: str,
    html: str,
    to: Sequence[str],
    sender: str,
    message_id: str,
    attachments: Iterable[Attachment] = (),
) -> EmailMessage:
    """A mail ready to be sent; UsageError for an address that is none."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = " ".join(subject.split())
    mail["From"] = _address(sender)
    mail["To"] = [_address(one) for one in to]
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{message_id}@{_domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(plain)
    mail.add_alternative(html, subtype="html")
    for one in attachments:
        main, _, sub = one.media_type.partition("/")
        mail.add_attachment(one.content, maintype=main, subtype=sub, filename=one.name)
    return mail


def _address(text: str) -> Address:
    name, found = parseaddr(text)
    try:
        return Address(name, addr_spec=found)
    except (ValueError, IndexError) as error:
        raise UsageError(
            tr("{text!r} is not a mail address", text=text), tr("write it like office@example.com")
        ) from error


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].partition("@")[2] or "localhost"


class _Conversation(smtplib.SMTP):
    """Knows whether a mail's text has been sent and not been answered yet."""

    in_data = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.in_data = True
        answer = super().data(msg)
        self.in_data = False
        return answer


class _TlsConversation(_Conversation, smtplib.SMTP_SSL):
    """The same within TLS from its first byte."""


class MailServer:
    """A connection to the mail server; `values` are those of `[server.mail]`."""

    def __init__(self, values: Mapping[str, Any], timeout_s: float = TIMEOUT_S) -> None:
        if not values.get("host") or not values.get("sender"):
            raise UsageError(
                tr("no mail server is set"),
                "ippbx-bill alerts channels server mail host=smtp.example.com sender=billing@example.com",
            )
        self._values = values
        self._smtp: _Conversation | None = None
        self._timeout_s, self._ended = timeout_s, False

    @property
    def sender(self) -> str:
        """The address that mails come from."""
        return str(self._values["sender"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say good-bye; a server that is gone need not hear it."""
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._smtp.close()
            self._smtp = None

    def send(self, mail: EmailMessage) -> Verdict:
        """One mail; refusals and broken connections are verdicts. Those for good have the code 5xx.

        Some servers take only so many mails on one connection: where an old one has ended, a new one is tried at once.
        """
        was_open, self._ended = self._smtp is not None, False
        verdict = self._try(mail)
        return self._try(mail) if was_open and self._ended else verdict

    def _try(self, mail: EmailMessage) -> Verdict:
        smtp: _Conversation | None = None
        try:
            smtp = self._connected()
            refused = smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            return self._refused(error.recipients)
        except smtplib.SMTPResponseException as error:
            self.close()
            self._ended = error.smtp_code == 421
            told = f"{error.smtp_code} {_text(error.smtp_error)}"
            for_good = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            return Verdict(False, told, final=for_good, alone=for_good)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self.close()
            doubtful = smtp is not None and smtp.in_data
            self._ended = not doubtful
            return Verdict(False, f"{type(error).__name__}: {error}", doubtful=doubtful)
        if refused:
            return Verdict(True, self._refused(refused).error)
        return TAKEN

    def _refused(self, recipients: Mapping[str, tuple[int, bytes]]) -> Verdict:
        told = "; ".join(f"{name}: {code} {_text(said)}" for name, (code, said) in recipients.items())
        return Verdict(False, told, final=all(code >= 500 for code, _ in recipients.values()), alone=True)

    def _connected(self) -> "_Conversation":
        if self._smtp is None:
            self._smtp = self._connect()
        return self._smtp

    def _connect(self) -> "_Conversation":
        security = str(self._values.get("security", "starttls"))
        host, port = str(self._values["host"]), int(self._values.get("port", SECURITY[security]))
        trust = ssl.create_default_context(cafile=str(self._values.get("ca_file", "")) or None)
        if security == "tls":
            smtp: _Conversation = _TlsConversation(host, port, timeout=self._timeout_s, context=trust)
        else:
            smtp = _Conversation(host, port, timeout=self._timeout_s)
        try:
            if security == "starttls":
                smtp.starttls(context=trust)
            if user := str(self._values.get("user", "")):
                smtp.login(user, str(self._values.get("password", "")))
        except BaseException:
            smtp.close()
            raise
        return smtp


def _text(said: bytes | str) -> str:
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said).replace("\n", " ")[:200]
