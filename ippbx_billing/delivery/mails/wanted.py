"""What somebody wants to have mailed, checked before it is kept: a delivery that is kept can be made.

    checked(ledger, name="month", bill="employee", report=None, asked=(), to=("own",), …)

Reports are asked for as a page's address asks: `by=employee`, `top=20`, `department=销售部`.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import date

from ippbx_billing.delivery.mails.periods import EVERY, LAST_DAY
from ippbx_billing.documents.columns import Format
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import LANGUAGES, en, tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.addresses import addresses_of
from ippbx_billing.ledger.deliveries import OWN, Mailing
from ippbx_billing.reports.queries import CONDITIONS, Query
from ippbx_billing.reports.views.asked import WantedReport, titles

FORMS = tuple(form.value for form in Format if form is not Format.TABLE)
BILLS = ("company", "all", "employee", "department")  # and employee:1001, department:PATH
BILL_OPTIONS = ("calls", "charged")
REPORT_OPTIONS = ("by", "and", "sort", "top", "compare", "show", *CONDITIONS)


def checked(
    ledger: Ledger,
    *,
    name: str,
    bill: str | None,
    report: str | None,
    asked: Sequence[str],
    to: Sequence[str],
    form: str,
    every: str,
    on_day: int,
    at: str,
    lang: str,
    note: str,
    first_day: date,
) -> Mailing:
    """A delivery whose every part is in order; UsageError and NotFoundError say what is not."""
    if not re.fullmatch(r"\w[\w.-]{0,39}", name) or name.endswith("."):
        raise UsageError(
            tr("{name!r} is not a name for a delivery", name=name), tr("letters, digits, - and _ are fine")
        )
    if (bill is None) is (report is None):
        raise UsageError(tr("say what is mailed: --bill or --report, one of them"), tr("e.g. --bill company"))
    whose = _bill(ledger, bill) if bill is not None else _report(report or "")
    recipients = _recipients(to, whose if bill else "")
    return Mailing(
        name=name,
        what=en("bill") if bill is not None else en("report"),
        whose=whose,
        asked=_bill_options(asked) if bill is not None else _questions(whose, asked, first_day),
        form=_one_of("--format", form, FORMS),
        every=_one_of("--every", every, EVERY),
        on_day=_day(every, on_day),
        at=_clock(at),
        recipients=recipients,
        lang=_one_of("--lang", lang, LANGUAGES),
        note=note.strip(),
        first_day=first_day,
        token=secrets.token_hex(6),
    )


def _bill(ledger: Ledger, words: str) -> str:
    """The short name of a bill, with the number or the whole path of whom it is for."""
    kind, mark, whom = words.partition(":")
    if mark and kind == "employee":
        return f"{kind}:{ledger.directory.employee(whom).number}"
    if mark and kind == "department":
        return f"{kind}:{ledger.directory.department(whom).path}"
    if words not in BILLS:
        raise UsageError(tr("there is no bill of {name}", name=words), f"{', '.join(BILLS)}, employee:1001")
    return words


def _report(name: str) -> str:
    if name not in titles():
        raise NotFoundError(tr("there is no report {name}", name=name), ", ".join(titles()))
    return name


def _recipients(to: Sequence[str], bill: str) -> tuple[str, ...]:
    """Addresses, or `own` where each bill goes to whom it is for."""
    words = [part for one in to for part in one.replace("，", ",").split(",") if part.strip()]
    own = {"employee", "department", OWN} & {one.strip() for one in words}
    if own:
        if len(words) > 1 or own - {bill, OWN} or bill not in ("employee", "department"):
            raise UsageError(
                tr("--to {name} stands alone, with --bill {name}", name=min(own)),
                "ippbx-bill deliver add bills --bill employee --to employee",
            )
        return (OWN,)
    found = addresses_of(",".join(words))
    if not found:
        raise UsageError(tr("nobody gets it"), tr("say --to boss@example.com, or --bill employee --to employee"))
    return found


def _pairs(words: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or name not in known:
            raise UsageError(tr("there is no setting {name!r} here", name=name), ", ".join(known))
        found[name] = value.strip()
    return {name: value for name, value in found.items() if value}


def _bill_options(words: Sequence[str]) -> Mapping[str, str]:
    found = _pairs(words, BILL_OPTIONS)
    for name, value in found.items():
        if value not in ("yes", "no"):
            raise UsageError(tr("{name} is yes or no", name=name), f"--set {name}=yes")
    return {name: value for name, value in found.items() if value == "yes"}


def _questions(report: str, words: Sequence[str], day: date) -> Mapping[str, str]:
    """What the report is asked; asked once here, so that a mistake is heard of now and not at night."""
    found = _pairs(words, REPORT_OPTIONS)
    found |= {name: found[name].replace("-", "_") for name in ("by", "and", "sort") if name in found}
    WantedReport.of({"report": report, **found})
    Query.of(found, day)
    return found


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise UsageError(tr("{name} cannot be {value!r}", name=option, value=value), " | ".join(known))
    return value


def _day(every: str, number: int) -> int:
    if not 1 <= number <= LAST_DAY.get(every, 1):
        raise UsageError(
            tr("--on is a day from 1 to {last} after a {period}", last=LAST_DAY.get(every, 1), period=tr(every)),
            tr("leave it out for the first day"),
        )
    return number


def _clock(text: str) -> str:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if found is None:
        raise UsageError(tr("{text!r} is not a time of day", text=text), tr("write it like 08:00"))
    return f"{int(found[1]):02}:{found[2]}"
