"""Test that deadlines avoid days off, keep their order and survive summer time."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from signals.lifecycle.deadlines import add_working_days, deadlines_for, is_working_day, working_hours_between

_DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))
_MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
_SPANS = st.timedeltas(timedelta(0), timedelta(days=40))


@given(_DAYS, st.integers(0, 30))
def test_a_deadline_is_a_working_day(day: date, n: int) -> None:
    assert is_working_day(add_working_days(day, n))


@given(_DAYS, st.integers(1, 30))
def test_just_n_working_days_lie_between(day: date, n: int) -> None:
    deadline = add_working_days(day, n)
    later = (day + timedelta(days=step) for step in range(1, (deadline - day).days + 1))
    assert sum(is_working_day(each) for each in later) == n


@given(_DAYS, st.integers(0, 60), st.integers(0, 30))
def test_a_later_receipt_never_has_an_earlier_deadline(day: date, delay: int, n: int) -> None:
    assert add_working_days(day, n) <= add_working_days(day + timedelta(days=delay), n)


@given(_DAYS)
def test_claiming_comes_before_contact_and_contact_before_concluding(day: date) -> None:
    found = deadlines_for(day)
    assert day < found.claim_by < found.contact_by < found.conclude_by


@given(_MOMENTS, _SPANS, _SPANS)
def test_working_hours_of_parts_add_up(start: datetime, first: timedelta, second: timedelta) -> None:
    middle, end = start + first, start + first + second
    whole = working_hours_between(start, end)
    parts = working_hours_between(start, middle) + working_hours_between(middle, end)
    assert abs(whole - parts) < 1e-9


@given(_MOMENTS, _SPANS)
def test_working_hours_never_exceed_the_time_that_passed(start: datetime, span: timedelta) -> None:
    assert 0 <= working_hours_between(start, start + span) <= span / timedelta(hours=1) + 1e-9


@given(_DAYS, st.integers(0, 40))
def test_whole_days_count_eight_hours_each(day: date, days: int) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + timedelta(days=days)
    working = sum(is_working_day(day + timedelta(days=step)) for step in range(days))
    assert working_hours_between(start, end) == 8 * working
