"""The pages of comparisons: a coordinator registers, a lead takes part, a worker sees the order."""

import hashlib
import re
from dataclasses import replace
from html import unescape

import pytest
from werkzeug.test import TestResponse

from signals.settings import FiguresSettings, Settings
from signals.vocabulary import ProcessRole
from tests.support.comparisons import store_result
from tests.support.desk_side import Desk
from tests.support.installations import MakeApp
from tests.support.pages import Browser, hidden_value, words

PAGE = "/figures/comparisons/C001"
NEW = "/figures/comparisons/new"
PLAN = {
    "question": "Werkt een kaart eerst?",
    "arm-visit_first": "yes",
    "arm-card_first": "yes",
    "base_percent": "20",
    "target_percent": "30",
    "ends_on": "2028-11-30",
    "ethics_reference": "METC 2026-12",
}


def send(who: Browser, page: str, path: str, **fields: str) -> TestResponse:
    """Send a form of a page."""
    csrf = {"csrf_token": hidden_value(who.get(page).text, "csrf_token")}
    return who.client.post(path, data=csrf | fields)


@pytest.fixture
def coen(desk: Desk) -> Browser:
    return Browser(desk, "coen")


@pytest.fixture
def registered(coen: Browser) -> Browser:
    """A coordinator who registered a comparison."""
    assert send(coen, NEW, NEW, **PLAN, do="register").location == PAGE
    return coen


def test_a_coordinator_reads_the_size_before_anything_is_stored(coen: Browser) -> None:
    answer = send(coen, NEW, NEW, **PLAN, do="compute")
    assert "Elke volgorde heeft 293 signalen nodig, samen 586." in words(answer)
    assert 'value="register"' in answer.text
    assert "Er is nog geen vergelijking." in words(coen.get("/figures/comparisons"))
    assert coen.get(PAGE).status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"question": ""}, "Schrijf de vraag die de vergelijking beantwoordt."),
        ({"arm-card_first": ""}, "Kies minstens twee volgordes."),
        ({"ends_on": "2026-12-01"}, "Kies een dag tussen drie maanden en vijf jaar vanaf nu."),
        ({"target_percent": "10"}, "Geef een hoger getal dan dat ernaast, hoogstens 99."),
    ],
)
def test_a_plan_that_cannot_answer_comes_back_with_what_was_typed(
    coen: Browser, changes: dict[str, str], said: str
) -> None:
    wanted = {name: value for name, value in (PLAN | changes).items() if value or not name.startswith("arm-")}
    answer = send(coen, NEW, NEW, **wanted, do="register")
    assert answer.status_code == 400
    assert said in words(answer)
    assert 'value="METC 2026-12"' in answer.text


def test_the_page_is_the_registration_with_a_digest_that_anybody_can_compute(registered: Browser) -> None:
    page = registered.get(PAGE)
    said = words(page)
    assert "Vergelijking C001 is vastgelegd op 24 november 2026" in said
    for fixed in ("Eerst een bezoek, dan een kaart", "293 per volgorde", "METC 2026-12", "30 november 2028"):
        assert fixed in said
    digest, text = re.findall(r'<code class="digest">(.*?)</code>', page.text, re.DOTALL)
    assert hashlib.sha256(unescape(text).encode()).hexdigest() == digest
    assert "De uitslag komt op 5 januari 2029. Eerder is er niets van te zien." in said


def test_stopping_early_changes_nothing_that_readers_see(desk: Desk, registered: Browser) -> None:
    lena = Browser(desk, "lena")
    before = lena.get(PAGE).text
    assert send(registered, PAGE, f"{PAGE}/stop").status_code == 303
    assert lena.get(PAGE).text == before
    assert "Comparison C001" not in words(lena.get("/desk/figures"))  # nobody joins any more


def test_a_lead_takes_part_and_a_worker_sees_the_order_only_after_the_claim(
    desk: Desk, registered: Browser
) -> None:
    lena, anna = Browser(desk, "lena"), Browser(desk, "anna")
    own = "/desk/figures"
    assert send(lena, own, f"{own}/comparisons/C001", takes_part="yes").status_code == 303
    assert "Comparison C001: your team takes part" in words(lena.get(own))
    signal_id = desk.arrive(concern_types=["not_seen"])
    drawn = "Het lot trok deze volgorde, voor een vergelijking"
    assert drawn not in words(anna.get(f"/desk/signals/{signal_id}"))
    anna.send(signal_id, "claim")
    first = words(anna.get(f"/desk/signals/{signal_id}"))
    assert drawn in first
    anna.send(signal_id, "release")
    assert drawn in words(anna.get(f"/desk/signals/{signal_id}"))
    anna.send(signal_id, "claim")
    kind = re.search(r"Suggestie: (\w+)", first)
    again = re.search(r"Suggestie: (\w+)", words(anna.get(f"/desk/signals/{signal_id}")))
    assert kind is not None
    assert again is not None
    assert kind[1] == again[1]
    assert send(lena, own, f"{own}/comparisons/C001", takes_part="no").status_code == 303
    assert "your team takes part" not in words(lena.get(own))


def test_an_urgent_signal_gets_a_visit(desk: Desk, registered: Browser) -> None:
    lena, anna = Browser(desk, "lena"), Browser(desk, "anna")
    send(lena, "/desk/figures", "/desk/figures/comparisons/C001", takes_part="yes")
    signal_id = desk.arrive()
    anna.send(signal_id, "urgent", urgent="true")
    anna.send(signal_id, "claim")
    said = words(anna.get(f"/desk/signals/{signal_id}"))
    assert "Een collega noemde dit signaal dringend." in said
    assert "Suggestie: huisbezoek" in said
    anna.send(signal_id, "urgent", urgent="false")
    assert "Een collega noemde" not in words(anna.get(f"/desk/signals/{signal_id}"))


def test_the_result_shows_difference_interval_number_and_adherence(desk: Desk, registered: Browser) -> None:
    store_result(desk.engine, {"visit_first": (40, 20, 180, 50), "card_first": (90, 20, 150, 30)})
    said = words(registered.get(PAGE))
    assert "Eerst een bezoek, dan een kaart 290" in said
    assert "21%" in said
    assert "Volgorde gehouden" in said
    assert re.search(r"het verschil in contact is -17 punten \(-2\d tot -\d+\)\.", said)
    assert "toeval" not in said
    assert "Vergelijking C001" not in words(registered.get("/figures/releases"))


def test_a_difference_that_may_be_chance_is_called_so(desk: Desk, registered: Browser) -> None:
    store_result(desk.engine, {"visit_first": (60, 10, 180, 43), "card_first": (62, 11, 180, 40)})
    assert "Dat kan toeval zijn." in words(registered.get(PAGE))


@pytest.mark.parametrize("who", ["anna", "lena", "bea", "fleur"])
def test_only_a_coordinator_registers_or_stops(desk: Desk, registered: Browser, who: str) -> None:
    other = Browser(desk, who)
    csrf = hidden_value(other.get("/desk/account").text, "csrf_token")
    answers = [other.client.post(path, data={"csrf_token": csrf}) for path in (NEW, f"{PAGE}/stop")]
    assert [answer.status_code for answer in [other.get(NEW), *answers]] == [403, 403, 403]


@pytest.mark.parametrize("who", ["anna", "coen", "bea", "fleur"])
def test_only_a_lead_lets_a_team_take_part(desk: Desk, registered: Browser, who: str) -> None:
    other = Browser(desk, who)
    csrf = hidden_value(other.get("/desk/account").text, "csrf_token")
    answer = other.client.post("/desk/figures/comparisons/C001", data={"csrf_token": csrf})
    assert answer.status_code == 403


def test_everybody_reads_a_registration_where_figures_are_public(
    desk: Desk, registered: Browser, desk_settings: Settings, make_app: MakeApp
) -> None:
    assert Browser(desk, "anna").get(PAGE).status_code == 403
    assert desk.client.get(PAGE).location == f"/desk/sign-in?next={PAGE}"
    public = replace(desk_settings, role=ProcessRole.FRONT, figures=FiguresSettings(public=True))
    anybody = make_app(public).test_client()
    assert "Werkt een kaart eerst?" in words(anybody.get(PAGE))
    assert "C001" in words(anybody.get("/figures/comparisons"))
    assert anybody.get(NEW).status_code == 404
