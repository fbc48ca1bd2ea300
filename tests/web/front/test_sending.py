"""A report that is sent without JavaScript: confirmed, or refused as a whole."""

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete

from signals.intake.receiving import Intake
from signals.models import MailboxPublicKey
from signals.settings import LimitsSettings, Settings
from tests.support.chance import without_chance
from tests.support.front_pages import GOOD, KEY, post, receipt_of, stored, text_of, value_of
from tests.support.installations import MakeApp


@pytest.mark.parametrize("path", ["/", "/m"])
def test_a_sent_report_is_confirmed_with_the_receiver_and_a_receipt(
    client: FlaskClient, engine: Engine, path: str
) -> None:
    response = post(client, GOOD, path)
    assert response.status_code == 200
    page = text_of(response)
    assert (
        "<title>Verstuurd naar Voorbeeld Welzijn Amsterdam. Dank u wel. - Deurpost</title>" in response.text
    )
    assert "Verstuurd naar Voorbeeld Welzijn Amsterdam . Dank u wel." in page
    assert "Bewaar deze code als u later wilt zien of er naar gekeken is" in page
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", receipt_of(response))
    assert all(number in page for number in ("112", "0800-2000", "113", "0800-1205"))
    assert "Nog een melding" in page
    assert stored(engine) == 1


def test_the_confirmation_shows_no_address(client: FlaskClient) -> None:
    page = text_of(post(client, GOOD | {"house_number": "4711"}))
    assert "1012" not in page
    assert "4711" not in page


def test_a_full_form_is_the_same_report_as_through_the_api(client: FlaskClient, engine: Engine) -> None:
    first = client.post(
        "/api/v1/signals",
        headers={"Idempotency-Key": KEY},
        json={
            "postcode": "9711AA",
            "house_number": 1,
            "house_number_addition": "b",
            "concern_types": ["not_seen", "frail"],
            "seen": "repeatedly",
            "noticed_on": "2026-11-20",
        },
    )
    again = post(
        client,
        {
            "idempotency_key": KEY,
            "postcode": "9711 aa",
            "house_number": " 1 ",
            "house_number_addition": "B",
            "concern_types": ["not_seen", "frail"],
            "seen": "repeatedly",
            "noticed_on": "2026-11-20",
        },
    )
    assert first.status_code == 201
    assert again.status_code == 200
    assert receipt_of(again) == first.json["receipt"]  # type: ignore[index]
    assert stored(engine) == 1


def test_pressing_send_twice_makes_one_signal_and_the_same_confirmation(
    client: FlaskClient, engine: Engine
) -> None:
    first, second = post(client, GOOD), post(client, GOOD)
    assert first.data == second.data
    assert stored(engine) == 1


def test_a_full_area_keeps_the_form_and_says_that_nothing_is_lost(
    make_front: MakeApp, front_settings: Settings, engine: Engine
) -> None:
    settings = replace(front_settings, limits=LimitsSettings(open_reports_per_area_and_day=0))
    response = post(make_front(settings).test_client(), GOOD)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "Er is niets verloren" in text_of(response)
    assert value_of(response, "postcode") == "1012 ab"
    assert value_of(response, "idempotency_key") == KEY
    assert stored(engine) == 0


def test_without_a_key_to_seal_with_the_form_is_kept_to_send_later(
    client: FlaskClient, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(delete(MailboxPublicKey))
    response = post(client, GOOD)
    assert response.status_code == 503
    assert "Retry-After" in response.headers
    assert "Er is niets verloren" in text_of(response)
    assert value_of(response, "idempotency_key") == KEY
    assert stored(engine) == 0


def test_a_database_that_fails_keeps_the_form_and_logs_nothing_of_it(
    make_front: MakeApp, front_settings: Settings, engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    client = make_front(front_settings).test_client()
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sealed_reports RENAME TO elsewhere")
    response = post(client, GOOD | {"house_number": "4711"})
    logged = "".join(capfd.readouterr())
    assert response.status_code == 503
    assert value_of(response, "house_number") == "4711"
    assert "database_problem" in logged
    assert "4711" not in without_chance(logged)
    assert "1012" not in without_chance(logged)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_another_media_type_gets_a_page_with_the_next_step(client: FlaskClient, kind: str) -> None:
    response = client.post("/", data=b"{}", content_type=kind, headers={"Accept": "text/html"})
    assert response.status_code == 415
    assert "Deze pagina neemt alleen het eigen formulier aan" in text_of(response)


def test_the_form_logs_nothing_that_was_typed(
    make_front: MakeApp, front_settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    client = make_front(front_settings).test_client()
    for number in ("4711", "4711x"):
        post(client, GOOD | {"house_number": number})
    logged = "".join(capfd.readouterr())
    for secret in ("4711", "1012", KEY, "Sentinel"):
        assert secret not in logged


def test_a_report_is_answered_again_after_the_database_is_back(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    genuine = Intake.receive

    def stored_but_unheard(self: Intake, *args: object, **named: object) -> object:
        genuine(self, *args, **named)  # type: ignore[arg-type]
        raise OperationalError("", {}, Exception("connection lost"))

    monkeypatch.setattr(Intake, "receive", stored_but_unheard)
    failed = post(client, GOOD)
    monkeypatch.setattr(Intake, "receive", genuine)
    key = value_of(failed, "idempotency_key")
    assert failed.status_code == 503
    assert post(client, GOOD | {"idempotency_key": key}).status_code == 200
    assert stored(engine) == 1
