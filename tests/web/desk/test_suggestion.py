"""Test the figures beside the suggestion: Divosa's, or the scheme's own once it released enough."""

from uuid import UUID

from signals.statistics.menu import YES, Codes, Table
from tests.support.desk_side import Desk
from tests.support.pages import Browser, words
from tests.support.publications import publish, year_of


def test_the_suggestion_names_its_source_until_the_scheme_has_its_own_figures(
    desk: Desk, signal_id: UUID
) -> None:
    anna, path = Browser(desk, "anna"), f"/desk/signals/{signal_id}"
    assert "37 van de 100. Bij schuldsignalen (Divosa, 2023)." in words(anna.get(path))
    publish(desk.engine, ["2025"], year_of(600))
    page = words(anna.get(path))
    assert "Poging 1 (huisbezoek) leidde bij 20 van de 100 signalen tot contact (14 tot 27)." in page
    assert "Divosa" not in page
    told = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()["suggestion"]
    assert (told["source"], told["figures_of"]) == ("2025", "visit")
    assert told["figures"] == {"attempt": 1, "value": 20, "low": 14, "high": 27}


def test_a_kind_that_reached_nobody_at_this_attempt_gives_way_to_another(desk: Desk, signal_id: UUID) -> None:
    def cards_reach_nobody(table: Table, codes: Codes) -> int:
        return 0 if codes[1:] == ("card", YES) else year_of(600)(table, codes)

    visit = {"kind": "visit", "result": "no_answer", "attempted_at": "2026-11-24T10:00:00+01:00"}
    desk.call("anna", "POST", f"/signals/{signal_id}/contact-attempts", json=visit)
    path = f"/signals/{signal_id}"
    assert desk.call("anna", "GET", path).get_json()["suggestion"]["kind"] == "card"
    publish(desk.engine, ["2025"], cards_reach_nobody)
    told = desk.call("anna", "GET", path).get_json()["suggestion"]
    assert (told["kind"], told["source"], told["figures_of"]) == ("through_other", "2025", None)
