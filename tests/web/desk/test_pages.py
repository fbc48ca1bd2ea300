"""Test the desk's pages without JavaScript, and their messages when something goes wrong."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from privacy.keystore import Keystore
from signals.models import Signal
from signals.models.place import NEIGHBOURHOOD
from signals.routing.place_import import import_places
from signals.vocabulary import AuditAction
from tests.support.desk_side import PASSWORD, Desk
from tests.support.pages import ATTEMPT, Browser, hidden_value, words


@pytest.mark.parametrize(
    ("who", "place"),
    [
        ("anna", "/desk"),
        ("lena", "/desk"),
        ("coen", "/figures"),
        ("bea", "/admin"),
        ("fleur", "/desk/officer"),
    ],
)
def test_a_slash_behind_the_desk_leads_everybody_to_where_they_begin(
    desk: Desk, who: str, place: str
) -> None:
    assert Browser(desk, who).get("/desk/").headers["Location"] == place


@pytest.fixture
def anna(desk: Desk) -> Browser:
    return Browser(desk, "anna")


def test_a_signal_is_claimed_tried_noted_concluded_and_reopened_in_the_browser(
    desk: Desk, signal_id: UUID, anna: Browser
) -> None:
    steps: tuple[tuple[str, dict[str, str]], ...] = (
        ("claim", {}),
        ("contact-attempts", ATTEMPT),
        ("notes", {"text": "Mevrouw is\r\ndinsdag thuis."}),
        ("notice", {"notified_on": "2026-11-24"}),
        ("conclude", {"outcome": "referred", "referred_to": "ggz", "newly_known": "yes"}),
    )
    for what, fields in steps:
        answer = anna.send(signal_id, what, **fields)
        assert answer.status_code == 303
        assert answer.location.startswith(f"/desk/signals/{signal_id}?done={what}&at=")
    page = words(anna.get(answer.location))
    for text in (
        "Het signaal is afgerond.",
        "Afgerond: Doorverwezen",
        "Huisbezoek: contact gehad",
        "Mevrouw is dinsdag thuis.",
    ):
        assert text in page
    assert anna.send(signal_id, "reopen", reason="resident_called_back").status_code == 303
    reopened = words(anna.get(f"/desk/signals/{signal_id}"))
    assert "In opvolging" in reopened
    assert "De bewoner nam contact op" in reopened


def test_the_timeline_shows_in_order_when_the_resident_was_told_and_by_whom(
    signal_id: UUID, anna: Browser
) -> None:
    anna.send(signal_id, "notice", deferred_because="would_endanger")
    page = anna.get(f"/desk/signals/{signal_id}")
    assert "uitgesteld: het zou de bewoner in gevaar brengen" in words(page)
    assert _timeline(page)[0] == (
        "Informeren van de bewoner uitgesteld Het zou de bewoner in gevaar brengen "
        "di 24 nov 2026, 10:30 , Anna Voorbeeld"
    )
    anna.send(signal_id, "notice", notified_on="2026-11-24")
    told = _timeline(anna.get(f"/desk/signals/{signal_id}"))
    assert told[0] == "Bewoner geïnformeerd di 24 nov 2026, 10:30 , Anna Voorbeeld"
    assert "uitgesteld" in told[1]
    assert not any("gecorrigeerd" in line for line in told)


def test_a_corrected_day_of_telling_stays_in_the_timeline(desk: Desk, signal_id: UUID) -> None:
    desk.clock.moment += timedelta(days=2)
    anna = Browser(desk, "anna")
    anna.send(signal_id, "notice", notified_on="2026-11-25")
    anna.send(signal_id, "notice", notified_on="2026-11-24")
    told = _timeline(anna.get(f"/desk/signals/{signal_id}"))
    assert "Bewoner geïnformeerd gecorrigeerd wo 25 nov 2026 , Anna Voorbeeld" in told
    assert "Bewoner geïnformeerd di 24 nov 2026 , Anna Voorbeeld" in told
    anna.send(signal_id, "notice", taken_back="true")
    told = _timeline(anna.get(f"/desk/signals/{signal_id}"))
    assert "Bewoner geïnformeerd gecorrigeerd di 24 nov 2026 , Anna Voorbeeld" in told
    assert "ingetrokken" in told[0]


def _timeline(page: TestResponse) -> list[str]:
    happened = page.text.partition('id="timeline"')[2].partition("</ol>")[0]
    lines = [" ".join(unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in happened.split("<li>")[1:]]
    return [line.partition(" Corrigeren")[0] for line in lines]  # the button stands behind what happened


@pytest.mark.parametrize(
    ("who", "place"), [("fleur", "/desk/officer"), ("bea", "/admin"), ("coen", "/figures")]
)
def test_every_role_comes_to_its_own_page(desk: Desk, who: str, place: str) -> None:
    led = Browser(desk, who).get("/desk")
    assert (led.status_code, led.location) == (303, place)
    refused = Browser(desk, who).get("/desk/search")
    assert refused.status_code == 403
    assert "teamleider" not in words(refused)
    assert "Deze pagina is voor mensen met een andere rol." in words(refused)
    assert f'href="{place}"' in refused.text
    assert "Vraag het aan uw teamleider" in words(Browser(desk, "anna").get("/desk/team"))


def test_a_missing_page_links_to_a_start_page_that_the_reader_may_open(desk: Desk) -> None:
    for path, start in (
        ("/figures/niets", "/figures"),
        ("/desk/niets", "/desk/"),
        ("/admin/niets", "/desk/"),
    ):
        missing = Browser(desk, "coen").client.get(path, headers={"Accept": "text/html"})
        assert missing.status_code == 404
        assert f'class="button" href="{start}"' in missing.text


def test_the_page_never_preselects_a_receiver(signal_id: UUID, anna: Browser) -> None:
    anna.send(signal_id, "claim")
    page = anna.get(f"/desk/signals/{signal_id}").text
    asked = page.partition('id="conclude-referred_to"')[2].partition("</fieldset>")[0]
    assert 'value="ggz"' in asked
    assert "checked" not in asked


def test_the_page_confirms_a_change_only_until_the_next_one(signal_id: UUID, anna: Browser) -> None:
    claimed = anna.send(signal_id, "claim").location
    assert "U hebt dit signaal opgepakt." in words(anna.get(claimed))
    assert "U hebt dit signaal opgepakt." in words(anna.get(claimed)), (
        "a reload says it again: it still holds"
    )
    anna.send(signal_id, "release")
    assert "U hebt dit signaal opgepakt." not in words(anna.get(claimed))
    assert "U hebt" not in words(anna.get(f"/desk/signals/{signal_id}?done=claim"))


def test_a_line_of_the_queue_says_where_what_was_noticed_what_is_next_and_no_address(
    desk: Desk, anna: Browser
) -> None:
    rows = [("1012AB", 12, ("De Kolk", "Burgwallen", "GM0363"))]
    import_places(desk.begin, kind=NEIGHBOURHOOD, file=b"", rows=rows)
    desk.arrive(concern_types=["frail"])
    page = anna.get("/desk")
    noticed = r"Vandaag De Kolk · Gaat lichamelijk achteruit , (\S+) "
    said = noticed + r"Oppakken: wo 25 nov Nog niemand bron niet bevestigd \1"
    assert re.search(said, words(page))
    assert "1012 AB" not in page.text
    assert desk.entries(AuditAction.SIGNAL_OPENED) == []


def test_the_queue_can_be_narrowed_to_mine_and_to_a_state(desk: Desk, signal_id: UUID, anna: Browser) -> None:
    mine = desk.arrive(number=14)
    anna.send(mine, "claim")
    concluded = anna.get("/desk?state=concluded")
    assert "Niets past bij deze keuze." in words(concluded)
    only_mine = anna.get("/desk?mine=1").text
    assert f"/desk/signals/{mine}" in only_mine
    assert f"/desk/signals/{signal_id}" not in only_mine
    assert f"/desk/signals/{signal_id}" in anna.get("/desk?state=new").text


def test_a_refused_form_keeps_the_typed_text(signal_id: UUID, anna: Browser) -> None:
    anna.send(signal_id, "claim")
    answer = anna.send(signal_id, "contact-attempts", **(ATTEMPT | {"result": "", "attempted_time": "11:47"}))
    assert answer.status_code == 400
    assert 'href="#contact-attempts-result"' in answer.text
    assert 'value="11:47"' in answer.text
    assert re.search(r'value="visit" checked', answer.text)
    assert re.search(r'aria-describedby=" contact-attempts-result-wrong" aria-invalid="true"', answer.text)


@pytest.mark.parametrize(
    ("what", "fields", "field"),
    [
        ("contact-attempts", ATTEMPT | {"attempted_on": "2027-01-01"}, "attempted_on"),
        ("contact-attempts", ATTEMPT | {"attempted_time": "25:00"}, "attempted_time"),
        ("contact-attempts", ATTEMPT | {"kind": "\x00"}, "kind"),
        ("notes", {"text": "  "}, "text"),
        ("notes", {"text": "x" * 4001}, "text"),
        ("notes", {"text": "a\x00b"}, "text"),
        ("conclude", {"outcome": "not_reached:tried_enough", "notified_by": "letter"}, "outcome"),
        ("conclude", {"outcome": "escalated", "referred_to": "ggz", "contact_by": "visit"}, "referred_to"),
        ("conclude", {"outcome": "no_concern", "notified_by": "letter"}, "contact_by"),
        (
            "conclude",
            {"outcome": "no_concern", "contact_by": "visit", "notified_by": "not"},
            "deferred_because",
        ),
        ("notice", {}, "notified_on"),
        ("notice", {"notified_on": "2026-11-01"}, "notified_on"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_changes(
    desk: Desk, signal_id: UUID, anna: Browser, what: str, fields: dict[str, str], field: str
) -> None:
    anna.send(signal_id, "claim")
    answer = anna.send(signal_id, what, **fields)
    assert answer.status_code == 400
    assert f'href="#{what}-{field}"' in answer.text
    assert f'id="{what}-{field}"' in answer.text
    with Session(desk.engine) as session:
        assert session.scalars(select(Signal.version)).one() == 2


def test_a_second_press_shows_the_claimant_and_the_moment(desk: Desk, signal_id: UUID, anna: Browser) -> None:
    bram = Browser(desk, "bram")
    page = bram.get(f"/desk/signals/{signal_id}").text
    anna.send(signal_id, "claim")
    form = {"csrf_token": hidden_value(page, "csrf_token")}
    answer = bram.client.post(f"/desk/signals/{signal_id}/claim", data=form)
    assert answer.status_code == 409
    assert re.search(r"Anna Voorbeeld heeft dit signaal sinds di 24 nov 2026, 10:3\d", words(answer))


def test_a_change_on_an_old_page_is_refused_and_kept(desk: Desk, signal_id: UUID, anna: Browser) -> None:
    bram = Browser(desk, "bram")
    old = bram.get(f"/desk/signals/{signal_id}").text
    anna.send(signal_id, "claim")
    form = {name: hidden_value(old, name) for name in ("csrf_token", "version")} | {"text": "Ik was hier ook"}
    answer = bram.client.post(f"/desk/signals/{signal_id}/notes", data=form)
    assert answer.status_code == 412
    assert "Intussen veranderd door Anna Voorbeeld" in words(answer)
    assert "Ik was hier ook" in answer.text
    again = form | {"version": hidden_value(answer.text, "version")}
    assert bram.client.post(f"/desk/signals/{signal_id}/notes", data=again).status_code == 303


def test_a_colleague_gets_no_button_that_the_domain_would_refuse(
    desk: Desk, signal_id: UUID, anna: Browser
) -> None:
    anna.send(signal_id, "claim")
    page = Browser(desk, "bram").get(f"/desk/signals/{signal_id}")
    forms = set(re.findall(rf'action="/desk/signals/{signal_id}/([a-z-]+)"', page.text))
    assert forms == {"notes", "urgent", "notice", "wmo"}
    assert "Anna Voorbeeld werkt hieraan" in words(page)


@pytest.mark.parametrize("made_up", ["x", "é", "A" * 200, "AAAA" * 3000])
def test_nobody_can_forge_the_text_that_another_person_is_offered(desk: Desk, made_up: str) -> None:
    form = {"email": "anna@example.org", "password": PASSWORD, "totp": desk.code("anna")}
    answer = desk.client.post("/desk/sign-in", data=form | {"kept": made_up})
    assert "Hier wordt niets getoond" in words(answer)
    assert "Opnieuw versturen" not in answer.text


def test_the_page_says_plainly_that_the_keystore_is_unreachable(
    signal_id: UUID, anna: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OperationalError("SELECT", {}, Exception("keystore away"))

    monkeypatch.setattr(Keystore, "keys_for", away)
    page = anna.get(f"/desk/signals/{signal_id}")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "30")
    assert "1012 AB" not in page.text
    assert "keystore" not in page.text


def test_a_failed_sign_in_keeps_the_address_and_not_the_password(desk: Desk) -> None:
    form = {"email": "anna@example.org", "password": "een ander wachtwoord", "totp": "123456"}
    page = desk.client.post("/desk/sign-in", data=form)
    assert page.status_code == 401
    assert 'value="anna@example.org"' in page.text
    assert "een ander wachtwoord" not in page.text
    assert "123456" not in page.text


def test_typed_markup_is_shown_as_text(signal_id: UUID, anna: Browser) -> None:
    anna.send(signal_id, "notes", text="<script>alert(1)</script>")
    page = anna.get(f"/desk/signals/{signal_id}").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page
