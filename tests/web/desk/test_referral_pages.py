"""The pages that refer a signal to another organisation."""

import re
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import Organisation
from signals.vocabulary import ReferralReason
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.officer_pages import browser, send


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    return desk.arrive(concern_types=["frail"])


def test_a_referral_sends_the_signal_away(desk: Desk, signal_id: UUID) -> None:
    anna = browser(desk, "anna")
    path = f"/desk/signals/{signal_id}/refer"
    page = anna.get(f"{path}?search=gronin").text
    assert GRONINGEN in page
    assert AMSTERDAM not in re.sub(r"<header.*?</header>", "", page, flags=re.DOTALL)
    with Session(desk.engine) as session:
        to = session.scalars(select(Organisation.id).where(Organisation.name == GRONINGEN)).one()
    fields = {"organisation_id": str(to), "reason": ReferralReason.MOVED.value, "version": "1"}
    assert send(anna, path, **fields)[0] == 200
    assert anna.get(f"/desk/signals/{signal_id}").status_code == 404


def test_a_referral_to_nobody_shows_the_form_again(desk: Desk, signal_id: UUID) -> None:
    status, page = send(browser(desk, "anna"), f"/desk/signals/{signal_id}/refer", text="Naar haar zus.")
    assert status == 400
    assert "Naar haar zus." in page
