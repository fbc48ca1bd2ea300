"""Test the one list of needs before an organisation receives."""

from datetime import date
from typing import Any

import pytest

from signals.models import Organisation, Recipient
from signals.routing.receivers import missing_before_receiving, onboarded_on

AGREED, FIRST, SECOND, THIRD = (date(2026, month, 1) for month in (2, 3, 4, 5))
COMPLETE = {"agreement_on": AGREED, "legal_basis": "Wmo 2015", "retention_basis": "Selectielijst"}
PROVED = {"proved_on": AGREED}


def organisation(*verified: date | None, **values: Any) -> Organisation:
    recipients = [Recipient(position=place, verified_on=on) for place, on in enumerate(verified, start=1)]
    return Organisation(name="Team", recipients=recipients, **COMPLETE | PROVED | values)


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"agreement_on": None}, ["agreement_on"]),
        ({"legal_basis": None}, ["legal_basis"]),
        ({"retention_basis": ""}, ["retention_basis"]),
        (dict.fromkeys(COMPLETE), [*COMPLETE]),
        ({"proved_on": None}, ["drill"]),
    ],
)
def test_an_organisation_with_a_need_left_does_not_receive(
    values: dict[str, Any], missing: list[str]
) -> None:
    found = organisation(FIRST, SECOND, **values)
    assert missing_before_receiving(found) == missing
    assert onboarded_on(found) is None


@pytest.mark.parametrize("verified", [(), (FIRST,), (FIRST, None)])
def test_an_organisation_needs_two_verified_recipients(verified: tuple[date | None, ...]) -> None:
    found = organisation(*verified)
    assert missing_before_receiving(found) == ["recipients"]
    assert onboarded_on(found) is None


@pytest.mark.parametrize(
    ("agreed", "verified", "since"),
    [(AGREED, (THIRD, FIRST, SECOND), SECOND), (THIRD, (FIRST, SECOND), THIRD)],
    ids=["second recipient", "agreement"],
)
def test_an_organisation_receives_from_the_day_on_which_its_last_need_is_met(
    agreed: date, verified: tuple[date, ...], since: date
) -> None:
    found = organisation(*verified, agreement_on=agreed)
    assert missing_before_receiving(found) == []
    assert onboarded_on(found) == since
