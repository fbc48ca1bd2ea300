"""Test that an odd address is accepted, and that the desk is asked to check it."""

import pytest

from signals.routing.postcodes import Address, AddressDoubt, doubts_about
from tests.support.desk_side import Desk
from tests.support.pages import sign_in


@pytest.mark.parametrize(
    ("postcode", "number", "municipality", "doubts"),
    [
        ("1012AB", 12, "GM0363", ()),
        ("1012AB", 9999, "GM0363", ()),
        ("1012AB", 10000, "GM0363", (AddressDoubt.NUMBER_UNUSUAL,)),
        ("1000AA", 1, None, (AddressDoubt.POSTCODE_UNKNOWN,)),
        ("1000AA", 99999, None, (AddressDoubt.POSTCODE_UNKNOWN, AddressDoubt.NUMBER_UNUSUAL)),
    ],
)
def test_unusual_addresses_are_doubted(
    postcode: str, number: int, municipality: str | None, doubts: tuple[AddressDoubt, ...]
) -> None:
    address = Address(postcode=postcode, number=number)
    assert doubts_about(address, municipality_code=municipality) == doubts


def test_an_unusual_number_is_taken_in_and_flagged_for_the_desk(desk: Desk) -> None:
    signal_id = desk.arrive(number=43210)  # the door answered 201
    opened = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()
    assert opened["address_doubts"] == ["number_unusual"]
    page = sign_in(desk, "anna").get(f"/desk/signals/{signal_id}").text
    assert "Controleer het adres." in page


def test_a_usual_address_is_not_doubted(desk: Desk) -> None:
    signal_id = desk.arrive()
    assert desk.call("anna", "GET", f"/signals/{signal_id}").get_json()["address_doubts"] == []
    assert "Controleer het adres." not in sign_in(desk, "anna").get(f"/desk/signals/{signal_id}").text
