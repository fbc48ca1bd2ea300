"""Test on the pages that a worker corrects an attempt, a note or a day of telling in the timeline."""

import re

from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value, words
from tests.support.team_pages import claimed
from tests.support.team_work import signal_of


def corrections(page: str) -> list[str]:
    return re.findall(r"correct=([0-9a-f-]{36}|notice)", page)


def test_an_attempt_and_a_note_are_corrected_where_they_stand(desk: Desk) -> None:
    signal_id, anna = claimed(desk, "anna"), Browser(desk, "anna")
    path = f"/desk/signals/{signal_id}"
    anna.send(signal_id, "contact-attempts", kind="visit", result="contact")
    anna.send(signal_id, "notes", text="Mevrouw is dinsdag thuis.")
    note, attempt = corrections(anna.get(path).text)
    form = anna.get(f"{path}?correct={attempt}").text
    assert f'name="entry" value="{attempt}"' in form
    assert '<option value="contact" selected>' in form
    right = {"kind": "phone", "result": "no_answer", "attempted_on": "2026-11-24", "attempted_time": "10:00"}
    sent = {name: hidden_value(form, name) for name in ("csrf_token", "version")}
    sent |= {"entry": attempt, "workers": "1"} | right
    once, twice = (anna.client.post(f"{path}/correct-attempt", data=sent) for _ in range(2))
    assert once.location == twice.location
    saved = anna.get(once.location)
    assert "De correctie is opgeslagen." in words(saved)
    assert "Ongedaan maken" in words(saved)
    assert "Telefoon: geen gehoor" in words(saved)
    assert "<s>Huisbezoek: contact gehad</s>" in saved.text
    anna.send(signal_id, "correct-note", entry=note, text="Mevrouw is donderdag thuis.")
    page = anna.get(path)
    assert "Mevrouw is donderdag thuis." in words(page)
    assert "<s>Mevrouw is dinsdag thuis.</s>" in page.text
    assert signal_of(desk, signal_id).first_contact_at is None
    document = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()
    assert [tried["kind"] for tried in document["contact_attempts"]] == ["phone"]
    assert [note["text"] for note in document["notes"]] == ["Mevrouw is donderdag thuis."]


def test_a_refused_correction_keeps_what_was_typed_at_its_place(desk: Desk) -> None:
    signal_id, anna = claimed(desk, "anna"), Browser(desk, "anna")
    anna.send(signal_id, "contact-attempts", kind="visit", result="contact")
    [attempt] = corrections(anna.get(f"/desk/signals/{signal_id}").text)
    wrong = {"kind": "visit", "result": "contact", "attempted_on": "2026-11-25", "attempted_time": "10:00"}
    refused = anna.send(signal_id, "correct-attempt", entry=attempt, **wrong)
    assert refused.status_code == 400
    assert 'id="correct-attempt-attempted_on-wrong"' in refused.text
    assert 'value="2026-11-25"' in refused.text


def test_a_day_of_telling_leads_to_its_form_and_a_colleague_sees_no_link(desk: Desk) -> None:
    signal_id, anna = claimed(desk, "anna"), Browser(desk, "anna")
    anna.send(signal_id, "notice", notified_on="2026-11-24")
    path = f"/desk/signals/{signal_id}"
    assert corrections(anna.get(path).text) == ["notice"]
    opened = anna.get(f"{path}?correct=notice").text
    assert re.search(r"<details open>\s*<summary>De bewoner informeren", opened)
    assert corrections(Browser(desk, "bram").get(path).text) == []
    assert anna.get(f"{path}?correct=%3Cscript%3E").status_code == 200
