"""More than two hundred other services by `apprise`, for whoever installs it: Slack, Telegram, ntfy, Bark, ServerChan.

    check("json://127.0.0.1:8080/")      # UsageError where apprise is missing, or does not know the address
    verdict = send(text, "json://127.0.0.1:8080/")

The address holds the secrets, so what apprise says of a failure is told without it.
"""

import logging
from typing import TYPE_CHECKING

from ippbx_billing.delivery.alerts.http import TAKEN, Verdict
from ippbx_billing.delivery.alerts.texts import Text
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from apprise import Apprise


def check(url: str) -> None:
    """Whether messages can go to this address."""
    _service(url)


def send(text: Text, url: str) -> Verdict:
    """One text by the service of this address."""
    try:
        service = _service(url)
    except BillingError as error:
        return Verdict(False, " ".join(filter(None, (error.message, error.hint))))
    from apprise import LogCapture

    with LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
        taken = service.notify(title=text.title, body=text.body)
    if taken:
        return TAKEN
    return Verdict(False, _plainly(said.getvalue(), url) or tr("the service did not take it"))


def _service(url: str) -> "Apprise":
    try:
        import apprise
    except ImportError:
        hint = tr("`pip install 'ippbx-bill[apprise]'` installs it")
        raise UsageError(tr("this channel needs apprise"), hint) from None
    service = apprise.Apprise()
    if not service.add(url):
        raise UsageError(
            tr("apprise does not know this address"),
            tr("its documentation tells how each service's address is written, such as json://host:8080/path"),
        )
    return service


def _plainly(said: str, url: str) -> str:
    """The last line of what was said, without the address."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    rest = url.partition("://")[2]
    return lines[-1].replace(url, "…").replace(rest, "…")[:300] if lines else ""
