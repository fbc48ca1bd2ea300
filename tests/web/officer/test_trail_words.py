"""The officer reads the trail in words, and programs read its codes; each code has words."""

from flask_babel import force_locale

from signals.audit.admission import list_ground
from signals.web.staff_kit import trail_words
from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value, words


def test_the_words_of_a_detail_complete_those_of_its_ground(desk: Desk) -> None:
    with desk.app.test_request_context(), force_locale("nl"):
        said = trail_words.ground_words
        assert said("retention:concluded:28") == "Na afronding: 28 dagen"
        assert said(list_ground([])) == said("queue")
        assert said("role:lead") == "teamleider"
        assert said("settings:claim_working_days,recip") == "Opgepakt binnen, werkdagen"
        assert said("added:municipality") == "toegevoegd: Gemeente (GM0363)"
        assert said("a code of tomorrow") == "a code of tomorrow"
        assert said("retention:tomorrow") == "tomorrow"
        assert trail_words.outcome_words("shown:1") == "1 signaal"
        assert trail_words.outcome_words("ok") == ""


def test_an_entry_about_the_own_organisation_shows_its_name(desk: Desk) -> None:
    lena = Browser(desk, "lena")
    hidden = {name: hidden_value(lena.get("/desk/settings").text, name) for name in ("csrf_token", "version")}
    assert lena.client.post("/desk/settings/contact", data=hidden | {"contact_phone": "020 1"}).location
    said = words(Browser(desk, "fleur").get("/desk/officer/audit"))
    assert "Organisatie gewijzigd Voorbeeld Welzijn Amsterdam" in said
    assert "E-mailadres voor bewoners" in said or "Telefoon voor bewoners" in said


def test_the_page_shows_words_and_the_export_keeps_the_codes(desk: Desk) -> None:
    signal_id = desk.arrive()
    anna = Browser(desk, "anna")
    anna.send(signal_id, "claim")
    anna.send(signal_id, "contact-attempts", kind="visit", result="no_answer")
    fleur = Browser(desk, "fleur")
    said = words(fleur.get("/desk/officer/audit"))
    for expected in ("contactpoging genoteerd", "opvolging", "doorgegeven door een bezorger", "het systeem"):
        assert expected in said
    for code in ("record_attempt", "follow_up", "arrival"):
        assert code not in said
    exported = fleur.get("/desk/officer/audit.csv").text
    for code in ("record_attempt", "follow_up", "arrival", "signal_changed", "system"):
        assert code in exported
