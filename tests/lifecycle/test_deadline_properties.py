"""Test that deadlines avoid days off and keep their order."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from signals.lifecycle.deadlines import add_working_days, deadlines_for, is_working_day

_DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))


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
