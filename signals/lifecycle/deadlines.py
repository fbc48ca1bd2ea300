"""Count the deadlines of a signal in working days of the Netherlands.

A working day is no Saturday, no Sunday and no day of article 3 of the Algemene termijnenwet: New Year's Day,
Good Friday (by its second paragraph), Easter Monday, King's Day, Ascension Day, Whit Monday and both days of
Christmas. The law names 5 May of every year; in practice only each fifth one is a day off, so only those
count, as in `holidays`. These are service norms and no statutory terms, so a bridging day is a working day.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """Hold the last dates, each included: for claiming, for the first attempt, for concluding."""

    claim_by: date
    contact_by: date
    conclude_by: date


def deadlines_for(
    received_on: date, *, claim_days: int = 1, contact_days: int = 2, conclude_calendar_days: int = 28
) -> Deadlines:
    """Return the deadlines of a signal received on a date in Amsterdam.

    The first two count working days, the last one calendar days. The last may fall on a day off, as the month
    of article 14 AVG may. Raises `ValueError` for a negative number of days.
    """
    if conclude_calendar_days < 0:
        raise ValueError("calendar days cannot be negative")
    return Deadlines(
        claim_by=add_working_days(received_on, claim_days),
        contact_by=add_working_days(received_on, contact_days),
        conclude_by=received_on + timedelta(days=conclude_calendar_days),
    )


def conclude_by_after_reopening(conclude_by: date, reopened_on: date, *, conclude_calendar_days: int) -> date:
    """Return the last date to conclude a reopened signal: the norm starts again, and no date comes nearer."""
    return max(conclude_by, reopened_on + timedelta(days=conclude_calendar_days))


def conclude_by_after_postponing(conclude_by: date, agreed: date, *, contact_days: int) -> date:
    """Return the last date to conclude a postponed signal: a first attempt fits in after the agreed day."""
    return max(conclude_by, add_working_days(agreed, contact_days))


def add_working_days(day: date, n: int) -> date:
    """Return the n-th working day after a day, which itself does not count.

    One working day after a Friday, a Saturday or a Sunday is Monday. With n = 0 this returns the day itself,
    or the first working day after it. Raises `ValueError` for a negative n.
    """
    if n < 0:
        raise ValueError("working days cannot be negative")
    if n == 0:
        return day if is_working_day(day) else _next_working_day(day)
    for _ in range(n):
        day = _next_working_day(day)
    return day


def next_attempt_on(tried_on: date, on: date, *, tried: int, retry_days: Sequence[int]) -> date:
    """Return the day to propose for the next attempt, after `tried` attempts without contact.

    `retry_days`: the working days after the first attempt, the second and so on; the last number also counts
    for later ones. `tried_on`: the day of the last attempt. The proposed day lies after today (`on`).
    """
    days = retry_days[min(tried, len(retry_days)) - 1]
    return max(add_working_days(tried_on, days), add_working_days(on, 1))


def month_after(day: date) -> date:
    """Return the same day of the next month, or its last day (art. 3 of Regulation 1182/71)."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def working_days_before(day: date, n: int) -> date:
    """Return the n-th working day before a day; the day itself does not count."""
    for _ in range(n):
        day -= _DAY
        while not is_working_day(day):
            day -= _DAY
    return day


def team_day_before(day: date, weekdays: str | None) -> date:
    """Return the last working day before a day that is a weekday of the team.

    `weekdays`: ISO weekdays as text, `12345`; None or empty: all. Without such a day among the seven working
    days before, this returns the last working day.
    """
    last = working_days_before(day, 1)
    if not weekdays:
        return last
    before = (working_days_before(day, n) for n in range(1, 8))
    return next((one for one in before if str(one.isoweekday()) in weekdays), last)


def is_working_day(day: date) -> bool:
    """Return whether a day is neither in a weekend nor a national holiday."""
    return day.weekday() < _SATURDAY and day not in holidays_of(day.year)


@lru_cache(maxsize=64)
def holidays_of(year: int) -> frozenset[date]:
    """Return the national holidays of a year, also those in a weekend."""
    # Import on first use: a process that counts no working days starts faster without it.
    from holidays import country_holidays

    return frozenset(country_holidays("NL", years=year, expand=False))


def _next_working_day(day: date) -> date:
    day += _DAY
    while not is_working_day(day):
        day += _DAY
    return day
