"""Test working days and the deadlines that count them."""

from datetime import date

import pytest

from signals.lifecycle.deadlines import (
    Deadlines,
    add_working_days,
    conclude_by_after_postponing,
    conclude_by_after_reopening,
    deadlines_for,
    is_working_day,
    month_after,
    team_day_before,
    working_days_before,
)


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),  # New Year's Day
        date(2026, 4, 3),  # Good Friday
        date(2026, 4, 6),  # Easter Monday
        date(2026, 4, 27),  # King's Day
        date(2025, 4, 26),  # King's Day a day early, as the 27th was a Sunday
        date(2026, 5, 14),  # Ascension Day
        date(2026, 5, 25),  # Whit Monday
        date(2026, 12, 25),
        date(2028, 12, 26),
        date(2025, 5, 5),  # Liberation Day, each fifth year
        date(2026, 10, 3),  # Saturday
        date(2026, 10, 4),  # Sunday
    ],
)
def test_weekends_and_national_holidays_are_days_off(day: date) -> None:
    assert not is_working_day(day)


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 5, 5),  # Liberation Day outside the fifth year
        date(2026, 5, 15),  # the Friday after Ascension Day
        date(2026, 12, 31),
        date(2024, 2, 29),
        date(2026, 10, 5),
    ],
)
def test_other_days_are_working_days(day: date) -> None:
    assert is_working_day(day)


@pytest.mark.parametrize(
    ("received", "days", "expected"),
    [
        (date(2026, 10, 5), 1, date(2026, 10, 6)),  # Monday
        (date(2026, 10, 2), 1, date(2026, 10, 5)),  # Friday
        (date(2026, 10, 3), 1, date(2026, 10, 5)),  # Saturday
        (date(2026, 10, 4), 1, date(2026, 10, 5)),  # Sunday
        (date(2026, 10, 2), 2, date(2026, 10, 6)),
        (date(2026, 4, 2), 1, date(2026, 4, 7)),  # over Easter
        (date(2026, 12, 24), 1, date(2026, 12, 28)),  # over Christmas
        (date(2026, 12, 31), 1, date(2027, 1, 4)),  # over New Year
        (date(2024, 2, 28), 1, date(2024, 2, 29)),  # leap day
        (date(2024, 2, 29), 1, date(2024, 3, 1)),
        (date(2025, 2, 28), 1, date(2025, 3, 3)),
        (date(2026, 5, 13), 1, date(2026, 5, 15)),  # over Ascension Day
        (date(2026, 10, 5), 0, date(2026, 10, 5)),
        (date(2026, 10, 3), 0, date(2026, 10, 5)),
    ],
)
def test_the_day_of_receipt_is_not_counted(received: date, days: int, expected: date) -> None:
    assert add_working_days(received, days) == expected


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 11, 24), date(2026, 12, 24)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2026, 12, 31), date(2027, 1, 31)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_one(day: date, later: date) -> None:
    assert month_after(day) == later


def test_working_days_are_counted_back_over_weekends_and_holidays() -> None:
    assert working_days_before(date(2026, 12, 28), 1) == date(2026, 12, 24)


def test_the_deadlines_by_default_are_one_and_two_working_days_and_four_weeks() -> None:
    assert deadlines_for(date(2026, 10, 2)) == Deadlines(
        claim_by=date(2026, 10, 5), contact_by=date(2026, 10, 6), conclude_by=date(2026, 10, 30)
    )


def test_an_organisation_may_set_other_terms() -> None:
    found = deadlines_for(date(2026, 10, 5), claim_days=3, contact_days=5, conclude_calendar_days=14)
    assert found == Deadlines(
        claim_by=date(2026, 10, 8), contact_by=date(2026, 10, 12), conclude_by=date(2026, 10, 19)
    )


@pytest.mark.parametrize(
    ("conclude_by", "expected"),
    [(date(2026, 10, 6), date(2026, 11, 2)), (date(2026, 11, 9), date(2026, 11, 9))],
    ids=["starts again", "never nearer"],
)
def test_the_norm_for_concluding_starts_again_on_reopening(conclude_by: date, expected: date) -> None:
    reopened_on = date(2026, 10, 5)
    assert conclude_by_after_reopening(conclude_by, reopened_on, conclude_calendar_days=28) == expected


@pytest.mark.parametrize(
    ("conclude_by", "expected"),
    [(date(2026, 10, 2), date(2026, 10, 6)), (date(2026, 10, 30), date(2026, 10, 30))],
    ids=["moves along", "far enough"],
)
def test_an_agreed_day_leaves_working_days_for_an_attempt(conclude_by: date, expected: date) -> None:
    assert conclude_by_after_postponing(conclude_by, date(2026, 10, 2), contact_days=2) == expected


@pytest.mark.parametrize(
    ("day", "weekdays", "expected"),
    [
        (date(2026, 10, 5), None, date(2026, 10, 2)),
        (date(2026, 10, 5), "", date(2026, 10, 2)),
        (date(2026, 12, 4), "13", date(2026, 12, 2)),
        (date(2026, 12, 2), "13", date(2026, 11, 30)),
        (date(2026, 12, 28), "5", date(2026, 12, 18)),  # the Friday of Christmas is a holiday
        (date(2026, 10, 5), "67", date(2026, 10, 2)),  # no working day is a day of this team
    ],
)
def test_the_day_before_for_a_team_is_one_of_its_working_days(
    day: date, weekdays: str | None, expected: date
) -> None:
    assert team_day_before(day, weekdays) == expected


@pytest.mark.parametrize("setting", ["claim_days", "contact_days", "conclude_calendar_days"])
def test_a_negative_term_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="negative"):
        deadlines_for(date(2026, 10, 5), **{setting: -1})
