"""The carrier's pages as a browser without JavaScript meets them: form, confirmation, progress."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, func, insert, select
from werkzeug.test import TestResponse

from signals.clock import FixedClock
from signals.intake import Intake
from signals.models import MailboxPublicKey, SealedReport
from signals.settings import LimitsSettings, NotesSettings, Settings
from signals.vocabulary import LANGUAGES, ConcernType
from signals.web.labels import CONCERN_TYPES
from signals.web.pages import AUTONYMS
from tests.web.conftest import MakeApp

KEY = "5f0c8e1a-6f1e-4b7d-9a37-2f6f0d0f7a11"
GOOD: dict[str, object] = {"idempotency_key": KEY, "postcode": "1012 ab", "house_number": "12"}


def post(client: FlaskClient, data: Mapping[str, object], path: str = "/") -> TestResponse:
    """What a browser does with a form: `data` holds texts, or lists for repeated fields."""
    return client.post(path, data=dict(data), headers={"Accept": "text/html", "User-Agent": "Sentinel/9"})


def text_of(response: TestResponse) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", response.text.split("<body>")[1])))


def value_of(response: TestResponse, name: str) -> str:
    tag = next(tag for tag in re.findall(r"<input[^>]*>", response.text) if f'name="{name}"' in tag)
    found = re.search(r'value="([^"]*)"', tag)
    assert found, name
    return unescape(found[1])


def receipt_of(response: TestResponse) -> str:
    found = re.search(r'class="receipt"[^>]*>([^<]+)<', response.text)
    assert found
    return found[1]


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(SealedReport)) or 0


# The form


@pytest.mark.parametrize("path", ["/", "/m"])
def test_the_form_opens_in_dutch_with_the_words_of_the_design(client: FlaskClient, path: str) -> None:
    page = text_of(client.get(path))
    for words in (
        "Direct gevaar? Bel 112.",
        "Zorgen om een bewoner?",
        "Zonder uw naam. U hoeft niets te bewijzen.",
        "Niemand kijkt hier live mee.",
        "Wat viel u op? (mag u overslaan)",
        "Versturen",
    ):
        assert words in page


def test_the_order_on_the_page_is_danger_address_tiles_safety_send(client: FlaskClient) -> None:
    page = client.get("/").text
    marks = ["tel:112", 'name="postcode"', 'name="house_number"', 'name="house_number_addition"']
    marks += ['name="concern_types"', "Veiligheid thuis?", '<button class="button">']
    places = [page.index(mark) for mark in marks]
    assert places == sorted(places)


def test_the_safety_tile_calls_and_sends_nothing(client: FlaskClient) -> None:
    page = client.get("/").text
    tile = page[page.index("Veiligheid thuis?") : page.index('<button class="button">')]
    assert re.findall(r'href="([^"]*)"', tile) == ["tel:112", "tel:08002000", "tel:113", "tel:08001205"]
    assert "name=" not in tile


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_switch_shows_every_language_in_its_own_words(client: FlaskClient, code: str) -> None:
    response = client.get(f"/?lang={code}")
    assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in response.text
    page = text_of(response)
    assert all(labels[code] in page for labels in CONCERN_TYPES.values())
    assert all(name in page for name in AUTONYMS.values())
    assert ("Worried about a resident?" in page) == (code == "en")


def test_the_browsers_language_is_followed_when_none_is_chosen(client: FlaskClient) -> None:
    for header, code in (
        ("uk-UA,nl;q=0.5", "uk"),
        ("fr-FR, pl;q=0.4, en;q=0.6", "en"),
        ("tr;q=0, fr", "nl"),
        ("*", "nl"),
        ("", "nl"),
    ):
        assert f'<html lang="{code}"' in client.get("/", headers={"Accept-Language": header}).text


def test_a_chosen_language_goes_with_the_reader(client: FlaskClient) -> None:
    sent = post(client, GOOD, "/?lang=pl")
    onward = re.search(r'<a class="button" href="([^"]*)"', sent.text)
    assert onward
    assert '<html lang="pl"' in client.get(onward[1]).text


def test_the_switch_is_not_offered_where_it_would_lose_what_was_typed_or_the_receipt(
    client: FlaskClient,
) -> None:
    assert "hreflang" in client.get("/").text
    for answer in (post(client, GOOD), post(client, {"postcode": "x"})):
        assert "hreflang" not in answer.text


def test_an_unknown_language_is_ignored(client: FlaskClient) -> None:
    assert '<html lang="nl"' in client.get("/?lang=xx").text


def test_each_form_has_a_key_of_its_own(client: FlaskClient) -> None:
    keys = {value_of(client.get("/"), "idempotency_key") for _ in range(3)}
    assert len({uuid.UUID(key) for key in keys}) == 3


def test_what_a_url_carries_is_never_put_into_the_form(client: FlaskClient) -> None:
    page = client.get("/?postcode=9711AA&house_number=1").text
    assert "9711AA" not in page


def test_the_form_has_a_note_only_where_notes_are_switched_on(
    client: FlaskClient, make_front: MakeApp, front_settings: Settings
) -> None:
    allowed = make_front(replace(front_settings, notes=NotesSettings(enabled=True))).test_client()
    assert "<textarea" not in client.get("/").text
    assert "<textarea" in allowed.get("/").text


def test_pages_keep_no_cookie_run_nothing_inline_and_are_not_cached(client: FlaskClient) -> None:
    answers = [client.get("/"), post(client, GOOD), client.get("/voortgang"), post(client, {"postcode": "x"})]
    for response in answers:
        assert "Set-Cookie" not in response.headers
        assert response.headers["Cache-Control"] == "no-store"
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", response.text)


def test_the_page_asks_nothing_of_third_parties_and_its_style_is_small(client: FlaskClient) -> None:
    page = client.get("/").text
    addresses = re.findall(r'(?:src|href|action)="([^"]*)"', page)
    assert not [a for a in addresses if not a.startswith(("/", "tel:", "?", "#", "data:image/svg+xml,"))]
    address = next(a for a in addresses if "page.css" in a)
    style = client.get(address, headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert style.status_code == 200
    assert len(style.data) < 2560
    assert "immutable" in style.headers["Cache-Control"]


def test_every_tile_has_an_icon_that_is_there(client: FlaskClient) -> None:
    tiles = re.findall(r'<label class="tile">.*?</label>', client.get("/").text, re.DOTALL)
    drawings = {re.search(r"<svg aria-hidden.*?</svg>", tile, re.DOTALL)[0] for tile in tiles}  # type: ignore[index]
    assert len(drawings) == len(tiles) == len(ConcernType)


# Sending


@pytest.mark.parametrize("path", ["/", "/m"])
def test_a_sent_report_is_confirmed_with_the_receiver_and_a_receipt(
    client: FlaskClient, engine: Engine, path: str
) -> None:
    response = post(client, GOOD, path)
    assert response.status_code == 200
    page = text_of(response)
    assert "<title>Verstuurd naar Voorbeeld Welzijn Amsterdam. Dank u wel.</title>" in response.text
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


def test_a_report_from_the_form_as_it_was_opened_is_accepted(client: FlaskClient, engine: Engine) -> None:
    key = value_of(client.get("/m"), "idempotency_key")
    fields = {"house_number_addition": "", "seen": "", "noticed_on": ""}
    assert post(client, GOOD | fields | {"idempotency_key": key}).status_code == 200
    assert stored(engine) == 1


def test_an_address_outside_every_area_goes_to_the_national_desk(client: FlaskClient) -> None:
    assert "Landelijk meldpunt" in text_of(post(client, GOOD | {"postcode": "1000 ZZ"}))


def test_the_form_answers_in_the_chosen_language(client: FlaskClient) -> None:
    page = text_of(post(client, GOOD, "/?lang=en"))
    assert "Sent to Voorbeeld Welzijn Amsterdam . Thank you." in page


# Mending


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("postcode", "", "Dit ontbreekt nog."),
        ("postcode", "<b>1012", "Een postcode is vier cijfers en twee letters, zoals 1012 AB."),
        ("postcode", "1012SS", "Postcodes met deze letters bestaan niet."),
        ("house_number", "", "Dit ontbreekt nog."),
        ("house_number", "12A", "Een huisnummer is een heel getal van 1 tot 99999."),
        ("house_number", "0", "Een huisnummer is een heel getal van 1 tot 99999."),
        ("house_number", "1.5", "Een huisnummer is een heel getal van 1 tot 99999."),
        ("house_number_addition", "\N{HOUSE BUILDING}", "Dit heeft niet de goede vorm."),
        ("house_number_addition", "1234567", "Dit is te lang."),
        ("seen", "always", "Dit is geen van de keuzes."),
        ("noticed_on", "2026-11-09", "Dit valt buiten wat kan."),
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


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_day_out_of_range_is_said_together_with_the_other_problems(client: FlaskClient, code: str) -> None:
    form = GOOD | {"postcode": "1", "house_number": "", "noticed_on": "2026-11-09"}
    response = client.post(f"/?lang={code}", data=form)
    assert response.status_code == 400
    wrong = re.findall(r'<a href="#(postcode|house_number|noticed_on)">', response.text)
    assert wrong == ["postcode", "house_number", "noticed_on"]
    assert ("This lies outside what is possible." in response.text) == (code == "en")
    assert "2026-11-09" in response.text


def test_the_summary_of_problems_comes_first_and_takes_the_focus(client: FlaskClient) -> None:
    page = post(client, {"idempotency_key": KEY}).text
    assert "<title>Nog niet verstuurd" in page
    assert page.index("autofocus") < page.index("<form")


def test_what_was_typed_stays_in_the_form_with_the_same_key(client: FlaskClient) -> None:
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


def test_a_mended_form_is_accepted_under_the_same_key(client: FlaskClient, engine: Engine) -> None:
    assert post(client, GOOD | {"house_number": "x"}).status_code == 400
    assert post(client, GOOD).status_code == 200
    assert stored(engine) == 1


def test_going_back_and_mending_a_sent_report_asks_to_send_it_as_a_new_one(
    client: FlaskClient, engine: Engine
) -> None:
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


def test_the_longest_note_in_any_script_fits_in_the_body_limit(
    make_front: MakeApp, front_settings: Settings
) -> None:
    app = make_front(replace(front_settings, notes=NotesSettings(enabled=True)))
    everything = {
        "house_number": "99999",
        "house_number_addition": "ABCDEF",
        "concern_types": [code.value for code in ConcernType],
        "seen": "repeatedly",
        "noticed_on": "2026-11-20",
        "note": "\N{HOUSE BUILDING}" * 280,
    }
    assert post(app.test_client(), GOOD | everything).status_code == 200


# Refusals of the whole form


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
    assert "4711" not in logged
    assert "1012" not in logged


def test_a_body_past_four_kibibytes_gets_a_page_that_says_what_to_do(
    client: FlaskClient, engine: Engine
) -> None:
    response = post(client, GOOD | {"postcode": "1" * 4096})
    assert response.status_code == 413
    assert "Ga terug, maak het korter en stuur het opnieuw." in text_of(response)
    assert "11111" not in response.text
    assert stored(engine) == 0


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_another_media_type_gets_a_page_with_the_next_step(client: FlaskClient, kind: str) -> None:
    response = client.post("/", data=b"{}", content_type=kind, headers={"Accept": "text/html"})
    assert response.status_code == 415
    assert "Deze pagina neemt alleen het eigen formulier aan" in text_of(response)


@pytest.mark.parametrize(
    "body", [b"postcode=%FF", b"postcode=1012AB%00", b"\xff", b"&".join(b"a=1" for _ in range(60))]
)
def test_a_body_that_no_browser_sends_is_refused(client: FlaskClient, engine: Engine, body: bytes) -> None:
    response = client.post(
        "/", data=body, content_type="application/x-www-form-urlencoded", headers={"Accept": "text/html"}
    )
    assert response.status_code == 400
    assert stored(engine) == 0


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


# The progress of a receipt


def test_a_receipt_reads_as_received_as_of_yesterday(client: FlaskClient) -> None:
    receipt = receipt_of(post(client, GOOD))
    response = post(client, {"receipt": receipt.lower()}, "/voortgang")
    assert response.status_code == 200
    assert "Ontvangen, nog niet opgepakt" in text_of(response)
    assert "Stand van 23 november 2026" in text_of(response)


@pytest.mark.parametrize("typed", ["0000-0000-0000-0000", "hallo"])
def test_a_receipt_never_issued_reads_as_not_known(client: FlaskClient, typed: str) -> None:
    response = post(client, {"receipt": typed}, "/voortgang")
    assert response.status_code == 200
    assert "Deze code kennen we niet, of niet meer." in text_of(response)


@pytest.mark.parametrize(
    ("state", "words"),
    [("in_progress", "Er wordt naar gekeken"), ("closed", "Er is naar gekeken en het is afgerond")],
)
def test_each_later_state_has_its_words(
    client: FlaskClient, engine: Engine, clock: FixedClock, state: str, words: str
) -> None:
    from privacy.receipts import parse_receipt, receipt_hash
    from signals.models import Receipt

    receipt = receipt_of(post(client, GOOD))
    canonical = parse_receipt(receipt)
    assert canonical
    yesterday = (clock.now() - timedelta(days=1)).date()
    with engine.begin() as connection:
        connection.execute(delete(SealedReport))
        connection.execute(
            insert(Receipt),
            {
                "receipt_hash": receipt_hash(canonical),
                "state": state,
                "state_before": "received",
                "changed_on": yesterday,
            },
        )
    assert words in text_of(post(client, {"receipt": receipt}, "/voortgang"))


def test_an_empty_code_is_asked_for_again(client: FlaskClient) -> None:
    response = post(client, {"receipt": " "}, "/voortgang")
    assert response.status_code == 400
    assert 'id="receipt-error">Dit ontbreekt nog.<' in response.text


def test_a_receipt_in_a_url_is_not_looked_up(client: FlaskClient) -> None:
    receipt = receipt_of(post(client, GOOD))
    page = client.get(f"/voortgang?receipt={receipt}").text
    assert receipt not in page
    assert 'id="progress"' not in page


def test_the_public_pages_are_all_that_the_front_shows_to_people(front_app: Flask) -> None:
    pages = {rule.rule for rule in front_app.url_map.iter_rules() if not rule.rule.startswith("/api/")}
    assert pages == {
        "/",
        "/m",
        "/voortgang",
        "/sw.js",
        "/manifest.webmanifest",
        "/docs",
        "/favicon.ico",
        "/static/<path:filename>",
        "/static/bundles/<name>",
        "/healthz",
        "/readyz",
    }
