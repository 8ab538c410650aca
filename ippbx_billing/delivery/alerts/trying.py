"""A rule on the calls of the ledger: what `alerts try` shows, for any face."""

from collections.abc import Mapping
from datetime import date, timedelta

from ippbx_billing.alerts import History, day_history
from ippbx_billing.alerts.history import SPEND_DAYS, DayHistory
from ippbx_billing.alerts.rules import RULES
from ippbx_billing.alerts.trying import Tried, can_be_tried, tried
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline.watching import hours_of
from ippbx_billing.settings import Settings

BEFORE = timedelta(days=1)  # fills the windows


def days_to_try(first: date | None, last: date | None, today: date) -> list[date]:
    """The days from one to another, both included: the last four weeks where none is named; UsageError for none."""
    begin, end = first or today - timedelta(days=28), last or today - timedelta(days=1)
    if end < begin:
        raise UsageError(tr("{first} lies after {last}", first=begin, last=end), tr("exchange --from and --to"))
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


def try_on(
    ledger: Ledger, settings: Settings, rule: str, values: Mapping[str, str], first: date, last: date
) -> list[Tried]:
    """The incidents a rule would have made in these days, with these settings in the place of the present ones."""
    if not can_be_tried(rule):
        possible = ", ".join(name for name in RULES if can_be_tried(name))
        raise UsageError(tr("stored calls cannot say what {rule} would have found", rule=rule), possible)
    config = ledger.incidents.config().with_values(rule, values)
    hours = hours_of(ledger, settings, config)
    days: dict[date, DayHistory] = {}

    def known(day: date) -> History:
        """Each day's past, summed up when it is first asked for; the first call ever to a country is none before."""
        since, begin = day - timedelta(days=SPEND_DAYS), ledger.heard.first_day()
        for number in range(SPEND_DAYS):
            one = since + timedelta(days=number)
            if one not in days and begin is not None and begin <= one:
                days[one] = day_history(ledger.heard.past(one), hours)
        return History.of({one: days[one] for one in days if since <= one < day}, hours, day)

    with ledger.reading():
        return tried(rule, config, hours, ledger.heard.of_days(first - BEFORE, last), known, first, last)
