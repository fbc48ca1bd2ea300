"""Contact points, their channels, and the hours of a team."""

from datetime import UTC, date, datetime

import pytest

from signals.errors import Invalid
from signals.models import Organisation, Recipient
from signals.organisations.addressing import EMAIL_ONLY, not_disturbing, team_of
from signals.organisations.recipients import normal_phone, set_channel
from tests.factories import RecipientFactory

BOTH = frozenset({"email", "sms"})
PHONE = "+31612345678"
VERIFIED = date(2026, 1, 1)


def organisation(*recipients: Recipient, **values: object) -> Organisation:
    return Organisation(name="Team", language="nl", recipients=list(recipients), **{"opens_at": 9} | values)


def recipient(**values: object) -> Recipient:
    usual: dict[str, object] = {"address": "een@example.org", "verified_on": VERIFIED}
    return RecipientFactory.build(**usual | values)


def ways(one: Recipient, channels: frozenset[str] = BOTH) -> list[tuple[str, str]]:
    return [(way.channel, way.recipient) for way in team_of(organisation(one), channels=channels)]


def test_an_address_counts_once_it_is_verified() -> None:
    assert ways(recipient(verified_on=None)) == []
    assert ways(recipient()) == [("email", "een@example.org")]


@pytest.mark.parametrize(
    ("values", "channels"),
    [
        ({"phone_verified_on": None}, BOTH),
        ({"phone_verified_on": VERIFIED}, EMAIL_ONLY),
        ({"phone_verified_on": VERIFIED, "phone": None}, BOTH),
        ({"phone_verified_on": VERIFIED, "channel": "email"}, BOTH),
    ],
)
def test_otherwise_an_email_goes(values: dict[str, object], channels: frozenset[str]) -> None:
    one = recipient(**{"channel": "sms", "phone": PHONE} | values)
    assert ways(one, channels) == [("email", "een@example.org")]


@pytest.mark.parametrize("text", ["06-12345678", "+31 6 12 34 56 78", "0031612345678"])
def test_a_mobile_number_is_kept_in_one_form(text: str) -> None:
    assert normal_phone(text) == PHONE


@pytest.mark.parametrize("text", ["", "abc", "020-1234567", "0612", "112", "+31 6 12 34 56 78 90"])
def test_a_number_that_gets_no_text_messages_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        normal_phone(text)


def test_another_phone_must_be_verified() -> None:
    one = recipient(channel="sms", phone=PHONE, phone_verified_on=VERIFIED)
    set_channel(one, channel="sms", phone="06 1234 5678")
    assert one.phone_verified_on == VERIFIED
    set_channel(one, channel="sms", phone="06 8765 4321")
    proved = {"phone": one.phone, "on": one.phone_verified_on}
    assert proved == {"phone": "+31687654321", "on": None}


@pytest.mark.parametrize(
    ("settings", "hour", "allowed"),
    [
        # Tuesday 24 November 2026; Amsterdam is an hour ahead of UTC.
        ({}, 3, datetime(2026, 11, 24, 3, tzinfo=UTC)),
        ({"quiet_from": 20, "quiet_until": 8}, 3, datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ({"quiet_from": 20, "quiet_until": 8}, 7, datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ({"quiet_from": 20, "quiet_until": 8}, 19, datetime(2026, 11, 25, 7, tzinfo=UTC)),
        ({"quiet_from": 12, "quiet_until": 13}, 11, datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ({"quiet_from": 8, "quiet_until": 8}, 7, datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ({"working_days": "345"}, 9, datetime(2026, 11, 25, 8, tzinfo=UTC)),
        ({"working_days": "345", "opens_at": 6}, 9, datetime(2026, 11, 25, 5, tzinfo=UTC)),
        ({"working_days": "2345"}, 3, datetime(2026, 11, 24, 3, tzinfo=UTC)),
        # A pause at noon says nothing of the night.
        (
            {"working_days": "345", "quiet_from": 12, "quiet_until": 13},
            9,
            datetime(2026, 11, 25, 8, tzinfo=UTC),
        ),
        (
            {"working_days": "345", "quiet_from": 8, "quiet_until": 13},
            9,
            datetime(2026, 11, 25, 12, tzinfo=UTC),
        ),
        (
            {"working_days": "1", "quiet_from": 20, "quiet_until": 8},
            9,
            datetime(2026, 11, 30, 7, tzinfo=UTC),
        ),
    ],
)
def test_a_team_is_written_to_when_it_wants_to_be(
    settings: dict[str, object], hour: int, allowed: datetime
) -> None:
    moment = datetime(2026, 11, 24, hour, tzinfo=UTC)
    assert not_disturbing(organisation(**settings), moment) == allowed


def test_a_holiday_is_no_working_day_where_working_days_are_set() -> None:
    good_friday = datetime(2027, 3, 26, 9, tzinfo=UTC)
    after_easter = datetime(2027, 3, 30, 7, tzinfo=UTC)  # nine o'clock in summer time
    assert not_disturbing(organisation(working_days="12345"), good_friday) == after_easter
    assert not_disturbing(organisation(), good_friday) == good_friday


def test_quiet_hours_follow_the_wall_clock_into_summer_time() -> None:
    night = datetime(2027, 3, 27, 22, tzinfo=UTC)  # the night in which the clocks go forward
    quiet = organisation(quiet_from=20, quiet_until=8)
    assert not_disturbing(quiet, night) == datetime(2027, 3, 28, 6, tzinfo=UTC)
