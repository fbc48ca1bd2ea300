"""A damaged pseudonym key: what needs it says that this does not go now, and changes nothing."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.keystore_schema import pseudonym_keys
from signals.models import Organisation
from signals.vocabulary import ReferralReason
from tests.support.damage import damage
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.officer_pages import browser, send

PROOF = {"identity": "seen_in_person", "residence": "brp", "third_parties": "yes"}


def damage_key(desk: Desk, name: str) -> UUID:
    """Damage the newest pseudonym key of an organisation, and return its id."""
    with Session(desk.engine) as session:
        found = session.scalars(select(Organisation.id).where(Organisation.name == name)).one()
    desk.keystore.pseudonym_key(found, "2026-Q4")
    damage(desk.settings, pseudonym_keys.c.wrapped, of={pseudonym_keys.c.organisation_id: found})
    return found


def test_a_referral_to_an_organisation_with_a_damaged_key_is_unavailable(desk: Desk, signal_id: UUID) -> None:
    anna, to = browser(desk, "anna"), str(damage_key(desk, GRONINGEN))
    fields = {"reason": ReferralReason.MOVED.value, "version": "1", "organisation_id": to, "sure": "yes"}
    status, page = send(anna, f"/desk/signals/{signal_id}/refer", **fields)
    assert (status, "Er is niets veranderd." in page) == (503, True)
    assert anna.get(f"/desk/signals/{signal_id}").status_code == 200


def test_a_program_hears_so_too(desk: Desk, signal_id: UUID) -> None:
    body = {"organisation_id": str(damage_key(desk, GRONINGEN)), "reason": ReferralReason.MOVED.value}
    answer = desk.call("anna", "POST", f"/signals/{signal_id}/refer", json=body)
    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (503, "unavailable")


def test_a_correction_of_an_address_under_a_damaged_key_is_unavailable(desk: Desk, signal_id: UUID) -> None:
    fleur = browser(desk, "fleur")
    damage_key(desk, AMSTERDAM)
    fields = {"postcode": "1012 AB", "house_number": "14", "signal_id": str(signal_id), **PROOF}
    searched = {"searched_postcode": "1012 AB", "searched_house_number": "12"}
    path = "/desk/officer/residents"
    status, page = send(fleur, f"{path}/rectify", page=path, **fields, **searched)
    assert (status, "Er is niets veranderd." in page) == (503, True)
