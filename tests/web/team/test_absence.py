"""Test absences, and what a stand-in may do."""

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import Absence
from tests.support.desk_side import Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import away, claimed, post, problems
from tests.support.team_work import id_of


@pytest.fixture
def lena(desk: Desk) -> Browser:
    return Browser(desk, "lena")


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"away_until": "2026-11-23", "away_from": "2026-11-20"}, {"away_until": "in_past"}),
        ({"away_from": "2026-12-05"}, {"away_until": "not_after_start"}),
        ({"away_until": "2028-01-01"}, {"away_until": "not_after_start"}),
        ({"away_from": "2027-12-01", "away_until": "2027-12-02"}, {"away_from": "too_far_ahead"}),
        ({"away_from": "2026-11-31"}, {"away_from": "not_a_date"}),
        ({"cover_id": str(UUID(int=1))}, {"cover_id": "unknown"}),
    ],
)
def test_an_impossible_absence_is_refused(desk: Desk, values: dict[str, str], wrong: dict[str, str]) -> None:
    assert problems(away(desk, "anna", **values)) == wrong


def test_a_stand_in_is_a_colleague_at_work(desk: Desk) -> None:
    for who, code in (("anna", "oneself"), ("gerda", "unknown"), ("fleur", "unknown"), ("coen", "unknown")):
        assert problems(away(desk, "anna", cover_id=str(id_of(desk, who)))) == {"cover_id": code}
    assert away(desk, "bram", away_from="2026-12-04", away_until="2026-12-11").status_code == 201
    assert problems(away(desk, "anna", cover_id=str(id_of(desk, "bram")))) == {"cover_id": "away_too"}
    assert problems(away(desk, "bram")) == {"away_from": "overlaps"}


def test_only_a_lead_enters_an_absence_for_a_colleague(desk: Desk) -> None:
    anna, gerda = str(id_of(desk, "anna")), str(id_of(desk, "gerda"))
    assert away(desk, "bram", staff_id=anna).status_code == 403
    assert away(desk, "lena", staff_id=gerda).status_code == 404
    entered = away(desk, "lena", staff_id=anna)
    assert entered.status_code == 201
    absence = f"/team/absences/{entered.get_json()['id']}"
    assert desk.call("bram", "DELETE", absence).status_code == 403
    assert desk.call("gerda", "DELETE", absence).status_code == 404
    assert desk.call("lena", "DELETE", absence).status_code == 204


def test_a_stand_in_sees_the_signals_in_the_queue_and_on_the_page(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    bram = Browser(desk, "bram")
    anna = Browser(desk, "anna")
    form = {"away_from": "2026-11-24", "away_until": "2026-12-04", "cover_id": str(id_of(desk, "bram"))}
    assert post(anna, "/desk/absence", "/desk/absence", **form).status_code == 303
    assert "U vervangt Anna Voorbeeld tot en met vr 4 dec 2026: 1 open signaal." in words(bram.get("/desk"))
    page = bram.get("/desk/absence").text
    assert f'href="/desk/signals/{signal_id}"' in page
    opened = bram.get(f"/desk/signals/{signal_id}")
    assert "Anna Voorbeeld is afwezig tot en met vr 4 dec 2026. U bent de vervanger." in words(opened)
    assert f'action="/desk/signals/{signal_id}/contact-attempts"' in opened.text


def test_only_the_lead_sees_a_claim_without_a_stand_in(desk: Desk, lena: Browser) -> None:
    claimed(desk, "anna")
    away(desk, "anna")
    told = "Anna Voorbeeld is away until Fri, 4 Dec 2026 with 1 open signal, and nobody stands in."
    assert "is away until" in words(lena.get("/desk"))
    assert told.partition(" until")[0] in words(lena.get("/desk"))
    assert "er is geen vervanger" not in words(Browser(desk, "bram").get("/desk"))


def test_only_its_owner_removes_an_absence_on_the_page(desk: Desk) -> None:
    absence = away(desk, "anna").get_json()["id"]
    bram, anna = Browser(desk, "bram"), Browser(desk, "anna")
    assert f"/desk/absence/{absence}/remove" not in bram.get("/desk/absence").text
    assert post(bram, "/desk/absence", f"/desk/absence/{absence}/remove").status_code == 403
    assert post(anna, "/desk/absence", f"/desk/absence/{absence}/remove").status_code == 303
    with Session(desk.engine) as session:
        assert session.scalars(select(Absence)).all() == []


def test_a_refused_absence_keeps_the_typed_text(desk: Desk) -> None:
    anna = Browser(desk, "anna")
    answer = post(anna, "/desk/absence", "/desk/absence", away_from="2026-12-10", away_until="2026-12-01")
    assert answer.status_code == 400
    assert 'id="absence-away_until-wrong"' in answer.text
    assert 'value="2026-12-10"' in answer.text
