"""When which period is mailed: by the calendar and the clock of the site, and never before the period is over.

due_at(delivery, Period.month("2026-10", today), zone, grace_h=2)   ->  2026-11-01 08:00 of the site, as UTC
newest_due(delivery, now, zone, grace_h=2)                          ->  the period to be mailed, or None
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from ippbx_billing.language import en
from ippbx_billing.ledger.deliveries import Mailing
from ippbx_billing.reports import Period

EVERY = (en("month"), en("week"), en("day"))
LAST_DAY = {"month": 28, "week": 7, "day": 1}  # a period is mailed before the next one ends
DAY = timedelta(days=1)


def period_of(every: str, day: date) -> Period:
    """The month, the week from Monday to Sunday, or the day that holds this day."""
    if every == "month":
        return Period.month(f"{day:%Y-%m}", day)
    if every == "week":
        monday = day - day.weekday() * DAY
        return Period.days(monday, monday + 6 * DAY)
    return Period.days(day, day)


def closed_at(period: Period, zone: tzinfo, grace_h: int) -> datetime:
    """When its last records should be here: so long after the midnight of the site that ends it."""
    end = datetime.combine(period.last + DAY, time(0), zone)
    return end.astimezone(UTC) + timedelta(hours=grace_h)


def due_at(delivery: Mailing, period: Period, zone: tzinfo, grace_h: int) -> datetime:
    """The moment of its day and clock, or that at which it is closed where that comes later."""
    day = period.last + delivery.on_day * DAY
    planned = datetime.combine(day, time.fromisoformat(delivery.at), zone).astimezone(UTC)
    return max(planned, closed_at(period, zone, grace_h))


def newest_due(delivery: Mailing, now: datetime, zone: tzinfo, grace_h: int) -> Period | None:
    """The last period that is due by now: after a long pause the one before it is not mailed any more."""
    period = period_of(delivery.every, now.astimezone(zone).date())
    while period.first >= delivery.first_day:
        if due_at(delivery, period, zone, grace_h) <= now:
            return period
        period = period_of(delivery.every, period.first - DAY)
    return None


def next_due(delivery: Mailing, after: Period | None, now: datetime, zone: tzinfo, grace_h: int) -> datetime:
    """When the next mail is due, `after` being the last period that was made."""
    newest = newest_due(delivery, now, zone, grace_h)
    if newest is not None and (after is None or after.first < newest.first):
        return due_at(delivery, newest, zone, grace_h)
    day = max(newest.last + DAY if newest else delivery.first_day, delivery.first_day)
    return due_at(delivery, period_of(delivery.every, day), zone, grace_h)


def correction_at(delivery: Mailing, made: datetime, zone: tzinfo) -> datetime:
    """When what changed after a mail is told: with the clock of the next day, so that late calls come together."""
    day = made.astimezone(zone).date() + DAY
    return datetime.combine(day, time.fromisoformat(delivery.at), zone).astimezone(UTC)
