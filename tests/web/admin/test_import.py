"""Organisations from a file on the administrator's pages: seen first, then done as it was seen."""

import io
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import Organisation, Recipient
from signals.vocabulary import AuditAction
from signals.web.admin.import_pages import LARGEST
from tests.support.admin_pages import goes_live, id_of
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import Browser, hidden_value, words
from tests.support.second_administrator import agree_to_all

PATH = "/admin/organisations/import"
HEAD = "name;kind;level;area;valid_from;agreement_on;legal_basis;retention_basis;recipient_1;recipient_2\n"
UTRECHT = (
    "Welzijn Utrecht;social_work;municipality;GM0344;2026-01-01;2026-01-01;Wmo 2015;Selectielijst;"
    "een@utrecht.example.org;twee@utrecht.example.org\n"
)


@pytest.fixture
def bea(desk: Desk) -> Browser:
    return Browser(desk, "bea")


def look(who: Browser, text: str | bytes, **more: Any) -> TestResponse:
    """Choose a file and see what it would change."""
    content = text if isinstance(text, bytes) else text.encode()
    mark = hidden_value(who.get(PATH).text, "csrf_token")
    data = {"csrf_token": mark, "file": (io.BytesIO(content), "teams.csv"), **more}
    return who.client.post(PATH, data=data, content_type="multipart/form-data")


def do(who: Browser, seen: TestResponse) -> TestResponse:
    """Press the button below what was shown."""
    form = seen.text.partition('name="seen"')[0].rpartition("<form")[2]
    form += seen.text[len(seen.text.partition('name="seen"')[0]) :].partition("</form>")[0]
    hidden = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    (text,) = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", form, re.DOTALL)
    return who.client.post(PATH, data=hidden | {"text": unescape(text).replace("\n", "\r\n")})


def names(desk: Desk) -> set[str]:
    with Session(desk.engine) as session:
        return set(session.scalars(select(Organisation.name)))


def test_a_preview_shows_the_changes_and_makes_none(desk: Desk, bea: Browser) -> None:
    before = names(desk)
    page = words(look(bea, HEAD + UTRECHT))
    assert "Welzijn Utrecht is nieuw" in page
    assert "Welzijn Utrecht dekt erbij: gemeente: Utrecht, vanaf do 1 jan 2026" in page
    assert "ontvangt nog niet: er ontbreekt iets" in page
    assert names(desk) == before
    assert desk.entries(AuditAction.ORGANISATION_CHANGED) == []


def test_one_press_makes_the_changes_of_the_preview_and_audits_them(desk: Desk, bea: Browser) -> None:
    seen = look(bea, HEAD + UTRECHT)
    assert "ontvangt nog niet" in words(seen)
    done = do(bea, seen)
    assert (done.status_code, done.location) == (303, f"{PATH}?done=2")
    assert "Klaar: 2 wijzigingen." in words(bea.get(done.location))
    with Session(desk.engine) as session:
        added = session.scalars(select(Organisation).where(Organisation.name == "Welzijn Utrecht")).one()
        assert [one.verified_on for one in added.recipients] == [None, None]
    (entry,) = desk.entries(AuditAction.ORGANISATION_CHANGED)
    assert (entry.ground, entry.actor_role) == ("import", "administrator")


def test_an_import_that_differs_from_its_preview_does_nothing(desk: Desk, bea: Browser) -> None:
    seen = look(bea, HEAD + UTRECHT)
    desk.call("bea", "POST", "/organisations", json={"name": "Welzijn Utrecht", "kind": "social_work"})
    again = do(bea, seen)
    assert again.status_code == 409
    assert "Er is intussen iets anders veranderd. Er is niets gedaan" in words(again)
    assert "Welzijn Utrecht wijzigt:" in words(again)
    assert do(bea, again).status_code == 303


def test_a_stale_form_does_not_overwrite_the_team(desk: Desk, bea: Browser) -> None:
    """The same fields change, from other values than were there when it was looked at."""
    assert do(bea, look(bea, HEAD + UTRECHT)).status_code == 303
    other = UTRECHT.replace("een@", "drie@")
    seen = look(bea, HEAD + other)
    with Session(desk.engine) as session, session.begin():
        added = session.scalars(select(Organisation).where(Organisation.name == "Welzijn Utrecht")).one()
        added.recipients[0].address = "team@utrecht.example.org"
        added.settings_version += 1
    assert do(bea, seen).status_code == 409
    assert {"team@utrecht.example.org"} < addresses(desk)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            UTRECHT.replace("GM0344", "GM0363"),
            "2 area dit gebied is al gedekt op een deel van deze dagen",
        ),
        (
            "Landelijk meldpunt;ggd;national;NL;2026-01-01;;;;;\n",
            "2 kind deze organisatie is van een andere soort",
        ),
        (
            "Landelijk meldpunt;national;national;NL;2020-01-01;2099-01-01;;;;\n",
            "2 deze organisatie ontvangt nu, en hierna niet meer",
        ),
        (
            UTRECHT.replace("twee@utrecht.example.org", "Coen@Example.org"),
            "2 recipient_2 een coördinator hoort nooit van een enkel signaal",
        ),
        (UTRECHT.replace("Utrecht;", "Utrecht\N{RIGHT-TO-LEFT OVERRIDE};"), "2 name er staan tekens in"),
    ],
    ids=["another's area", "another kind", "no desk left", "a coordinator", "unseen signs"],
)
def test_a_file_cannot_do_what_the_pages_refuse(desk: Desk, bea: Browser, lines: str, told: str) -> None:
    before = names(desk)
    page = look(bea, HEAD + lines)
    assert told in words(page)
    assert 'name="seen"' not in page.text
    assert names(desk) == before


LIVE = HEAD + UTRECHT
ENDS = (
    "name;kind;level;area;valid_from;valid_until\nWelzijn Utrecht;social_work;municipality;GM0344;2026-01-01;"
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            LIVE.replace("een@", "drie@").replace("twee@", "vier@"),
            "2 recipient_1 hierna zijn er geen twee bevestigde adressen meer",
        ),
        (f"{ENDS}2026-11-01\n", "2 valid_until een gebied eindigt op zijn vroegst vandaag"),
    ],
    ids=["addresses that nobody checked", "an end in the past"],
)
def test_unintended_changes_of_a_form_are_refused_in_words(
    desk: Desk, bea: Browser, text: str, told: str
) -> None:
    assert do(bea, look(bea, LIVE)).status_code == 303
    agree_to_all(desk)
    goes_live(desk, id_of(desk, "Welzijn Utrecht"))
    before = addresses(desk)
    page = look(bea, text)
    assert told in words(page)
    assert 'name="seen"' not in page.text
    assert addresses(desk) == before


def test_the_preview_says_in_words_what_changes_and_which_way_an_end_moves(desk: Desk, bea: Browser) -> None:
    unchecked = words(look(bea, LIVE))
    assert "Welzijn Utrecht dekt erbij: gemeente: Utrecht, vanaf do 1 jan 2026" in unchecked
    assert "Welzijn Utrecht ontvangt nog niet: er ontbreekt iets" in unchecked
    assert do(bea, look(bea, LIVE)).status_code == 303
    agree_to_all(desk)
    other = LIVE.replace("Wmo 2015", "Jeugdwet").replace("een@", "drie@")
    page = words(look(bea, other))
    assert "Welzijn Utrecht wijzigt: de grondslag, wie bericht krijgt van signalen" in page
    for until, said in (
        ("2027-01-01", "stopt met: gemeente: Utrecht, tot vr 1 jan 2027 (niet tot en met)"),
        ("2026-12-01", "stopt eerder met: gemeente: Utrecht, tot di 1 dec 2026"),
    ):
        seen = look(bea, f"{ENDS}{until}\n")
        assert said in words(seen)
        assert do(bea, seen).status_code == 303
    assert "het zou op vr 1 jan 2027 stoppen" in words(seen)


def addresses(desk: Desk) -> set[str]:
    with Session(desk.engine) as session:
        return set(session.scalars(select(Recipient.address)))


def test_a_press_twice_changes_nothing_more(desk: Desk, bea: Browser) -> None:
    seen = look(bea, HEAD + UTRECHT)
    assert do(bea, seen).status_code == 303
    agree_to_all(desk)
    second = do(bea, seen)
    assert second.status_code == 409
    assert "Er verandert niets: alles staat er al zo in" in words(second)
    assert len(desk.entries(AuditAction.ORGANISATION_CHANGED)) == 1


def test_lines_that_cannot_be_used_are_listed_and_nothing_is_offered(desk: Desk, bea: Browser) -> None:
    wrong = f"{AMSTERDAM};nonsense;municipality;GM9999;2026-13-01;;;;geen adres;\n"
    page = look(bea, HEAD + UTRECHT + wrong)
    told = words(page)
    assert "4 fouten: er is niets veranderd" in told
    for line in (
        "3 kind dit bestaat niet",
        "3 area dit bestaat niet",
        "3 recipient_1 dit is geen e-mailadres",
        "3 valid_from dit is geen datum zoals 2026-01-31",
    ):
        assert line in told
    assert 'name="seen"' not in page.text
    assert "Welzijn Utrecht" not in names(desk)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "Kies een bestand."),
        (b"\xff\xfe\x00", "Sla het bestand op als 'CSV UTF-8' en kies het opnieuw."),
        (b"a" * (LARGEST + 1), "Kies een kleiner bestand"),
        (b"name;kind\n", "deze kolom ontbreekt"),
        (HEAD.encode(), "er staat niets onder de kop"),
    ],
    ids=["nothing", "no text", "too much", "no columns", "no lines"],
)
def test_a_file_that_is_none_is_refused_in_words(bea: Browser, content: bytes, told: str) -> None:
    assert told in words(look(bea, content))
