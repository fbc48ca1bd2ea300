"""Show where a signal is: street, town and neighbourhood on page, round, letter and card."""

import io
from dataclasses import replace
from uuid import UUID

import pytest
from pypdf import PdfReader

from signals.models.place import NEIGHBOURHOOD, STREET
from signals.routing.place_import import import_places
from signals.settings import DeskSettings
from signals.vocabulary import AuditAction
from signals.web.staff_kit import context
from tests.support.desk_side import Desk
from tests.support.pages import Browser, words

MAP = "https://www.map.example/search?q={address}"


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    for kind, names in ((STREET, ("Lindekade", "Amsterdam")), (NEIGHBOURHOOD, ("De Kolk", "", "GM0363"))):
        import_places(desk.begin, kind=kind, file=b"", rows=[("1012AB", 12, names)])
    return desk.arrive("1012AB", 12, house_number_addition="14")


def test_page_and_round_show_street_and_town(desk: Desk, signal_id: UUID) -> None:
    anna = Browser(desk, "anna")
    page = words(anna.get(f"/desk/signals/{signal_id}"))
    assert "Lindekade 12-14 , 1012 AB Amsterdam" in page
    assert "De Kolk" in page
    anna.send(signal_id, "claim")
    assert "Lindekade 12-14, 1012 AB Amsterdam" in words(anna.get(f"/desk/round?ids={signal_id}"))


def test_the_call_names_the_place_and_leaves_out_what_no_file_has(desk: Desk, signal_id: UUID) -> None:
    opened = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()
    names = {"street": "Lindekade", "town": "Amsterdam", "neighbourhood": "De Kolk"}
    assert opened["place"] == {**names, "municipality": "Amsterdam"}
    opened = desk.call("anna", "GET", f"/signals/{desk.arrive('1012AC', 3)}").get_json()
    assert opened["place"] == {"municipality": "Amsterdam"}


@pytest.mark.parametrize("paper", ["notice.pdf", "card.pdf"])
def test_letter_and_card_show_street_and_town_after_an_audit_entry(
    desk: Desk, signal_id: UUID, paper: str
) -> None:
    answer = Browser(desk, "anna").get(f"/desk/signals/{signal_id}/{paper}")
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    assert "Lindekade 12-14\n1012 AB Amsterdam" in text
    assert "Lindekade" not in answer.headers["Content-Disposition"]
    [entry] = desk.entries(AuditAction.NOTICE_PRINTED)
    assert entry.subject_id == signal_id


def test_a_card_of_a_foreign_signal_is_refused(desk: Desk, signal_id: UUID) -> None:
    assert Browser(desk, "gerda").get(f"/desk/signals/{signal_id}/card.pdf").status_code == 404


def test_a_map_is_linked_only_where_the_setting_has_one_and_says_what_it_tells(
    desk: Desk, signal_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = Browser(desk, "anna")
    assert "ziet dan dit adres" not in words(anna.get(f"/desk/signals/{signal_id}"))
    with desk.app.app_context():
        parts = context.desk()
    settings = replace(parts.settings, desk=DeskSettings(map_url=MAP))
    monkeypatch.setattr("signals.web.staff_kit.display.desk", lambda: replace(parts, settings=settings))
    page = anna.get(f"/desk/signals/{signal_id}")
    assert "Kaart (map.example ziet dan dit adres)" in words(page)
    assert 'href="https://www.map.example/search?q=1012AB%2012" target="_blank" rel="noreferrer' in page.text
