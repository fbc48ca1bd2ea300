"""A page without JavaScript names each problem beside its field, and the carrier can fix it."""

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from signals.settings import NotesSettings, Settings
from tests.support.front_pages import GOOD, KEY, post, stored, text_of, value_of
from tests.support.installations import MakeApp


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("postcode", "", "Een postcode is vier cijfers en twee letters, zoals 1012 AB."),
        ("postcode", "<b>1012", "Een postcode is vier cijfers en twee letters, zoals 1012 AB."),
        ("postcode", "1012SS", "Postcodes met deze letters bestaan niet."),
        ("house_number", "", "Een huisnummer is een heel getal van 1 tot 99999."),
        ("house_number", "12A", "Een huisnummer is een heel getal van 1 tot 99999."),
        ("house_number", "0", "Een huisnummer is een heel getal van 1 tot 99999."),
        ("house_number", "1.5", "Een huisnummer is een heel getal van 1 tot 99999."),
        ("house_number_addition", "@@", "Alleen letters en cijfers, hooguit 6."),
        ("house_number_addition", "1234567", "Alleen letters en cijfers, hooguit 6."),
        ("seen", "always", "Dit is geen van de keuzes."),
        ("noticed_on", "2026-11-09", "Kies vandaag of een dag tot 14 dagen terug."),
        ("noticed_on", "20 november", "Dit moet een datum zijn, zoals 2026-11-24."),
        ("concern_types", "criminal", "Dit is geen van de keuzes."),
    ],
)
def test_a_problem_is_said_beside_its_field_and_in_the_summary(
    client: FlaskClient, engine: Engine, field: str, value: str, words: str
) -> None:
    response = post(client, GOOD | {field: value})
    assert response.status_code == 400
    assert f'<a href="#{field}">' in response.text
    assert re.search(
        rf'id="{field}"[^>]*aria-invalid="true"[^>]*aria-describedby="[^"]*{field}-error', response.text
    )
    assert re.search(rf'id="{field}-error">{words}<', response.text)
    assert "<b>1012" not in response.text
    assert stored(engine) == 0


def test_the_form_keeps_the_typed_values_and_its_key(client: FlaskClient) -> None:
    typed = {
        "house_number": "12A",
        "house_number_addition": "hs",
        "concern_types": ["frail"],
        "seen": "once",
        "noticed_on": "2026-11-20",
    }
    response = post(client, GOOD | typed)
    assert value_of(response, "postcode") == "1012 ab"
    assert value_of(response, "house_number") == "12A"
    assert value_of(response, "house_number_addition") == "hs"
    assert value_of(response, "noticed_on") == "2026-11-20"
    assert value_of(response, "idempotency_key") == KEY
    assert re.search(r'value="frail" checked', response.text)
    assert re.search(r'value="once" checked', response.text)
    assert "<details open>" in response.text


def test_a_changed_report_after_sending_is_a_new_report(client: FlaskClient, engine: Engine) -> None:
    post(client, GOOD)
    changed = GOOD | {"house_number": "14"}
    response = post(client, changed)
    fresh = value_of(response, "idempotency_key")
    assert response.status_code == 409
    assert "Druk nog een keer op Versturen" in text_of(response)
    assert value_of(response, "house_number") == "14"
    assert fresh != KEY
    assert stored(engine) == 1
    assert post(client, changed | {"idempotency_key": fresh}).status_code == 200
    assert stored(engine) == 2


@pytest.mark.parametrize("key", ["", "not-a-key"])
def test_a_form_without_a_usable_key_gets_one_and_is_sent_at_the_second_press(
    client: FlaskClient, engine: Engine, key: str
) -> None:
    response = post(client, GOOD | {"idempotency_key": key})
    assert response.status_code == 400
    assert "Druk nog een keer op Versturen." in text_of(response)
    assert stored(engine) == 0
    fresh = value_of(response, "idempotency_key")
    assert post(client, GOOD | {"idempotency_key": fresh}).status_code == 200


def test_an_unknown_field_is_refused_and_not_repeated(client: FlaskClient, engine: Engine) -> None:
    response = post(client, GOOD | {"employee_number": "31415926"})
    assert response.status_code == 400
    assert "Dit veld bestaat hier niet." in text_of(response)
    assert "31415926" not in response.text
    assert stored(engine) == 0


def test_a_field_given_twice_is_refused(client: FlaskClient, engine: Engine) -> None:
    response = post(client, GOOD | {"postcode": ["1012AB", "9711AA"]})
    assert response.status_code == 400
    assert stored(engine) == 0


def test_a_note_is_refused_where_notes_are_switched_off(client: FlaskClient, engine: Engine) -> None:
    response = post(client, GOOD | {"note": "Tuin staat vol dozen."})
    assert response.status_code == 400
    assert "Laat de toelichting weg" in text_of(response)
    assert stored(engine) == 0


def test_line_ends_of_a_note_count_once_as_in_the_browser(
    make_front: MakeApp, front_settings: Settings, engine: Engine
) -> None:
    app = make_front(replace(front_settings, notes=NotesSettings(enabled=True)))
    note = "a" * 139 + "\r\n" + "b" * 140
    assert post(app.test_client(), GOOD | {"note": note}).status_code == 200
    assert post(app.test_client(), GOOD | {"note": note + "c"}).status_code == 400
    assert stored(engine) == 1
