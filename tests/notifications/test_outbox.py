"""The values of a message, and its random delay."""

import random
from datetime import datetime, timedelta

import pytest

from notifications.outbox import random_delay
from tests.notifications.building import LINK, new_message


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"link": LINK},
        {"link": LINK, "claim_by": "2026-11-25", "address": "1234 AB 12"},
        {"link": LINK, "claim_by": "1234 AB 12"},
        {"link": LINK, "claim_by": "20261125"},
        {"link": LINK + "?postcode=1234AB", "claim_by": "2026-11-25"},
        {"link": LINK + "#1234AB", "claim_by": "2026-11-25"},
        {"link": "javascript:alert(1)", "claim_by": "2026-11-25"},
        {"link": "https://", "claim_by": "2026-11-25"},
        {"link": LINK + "\nBcc: x", "claim_by": "2026-11-25"},
    ],
)
def test_a_message_carries_a_link_and_a_date_and_nothing_else(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="new_signal"):
        new_message(values=values)


def test_a_refusal_does_not_repeat_the_values() -> None:
    with pytest.raises(ValueError, match="claim_by") as caught:
        new_message(values={"link": LINK, "claim_by": "1234 AB 12"})
    assert "1234" not in str(caught.value)


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(ValueError, match="party"):
        new_message(event="party")


def test_a_language_without_templates_is_refused() -> None:
    with pytest.raises(ValueError, match="'de'"):
        new_message(language="de")


@pytest.mark.parametrize("name", ["not_before", "expires_at"])
def test_a_moment_without_a_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        new_message(**{name: datetime(2026, 11, 24, 12, 0)})


def test_a_delay_lies_between_five_minutes_and_the_setting_and_uses_that_room() -> None:
    rng = random.Random(1)
    delays = [random_delay(30, rng) for _ in range(200)]
    assert timedelta(minutes=5) <= min(delays) < timedelta(minutes=7)
    assert timedelta(minutes=28) < max(delays) <= timedelta(minutes=30)
