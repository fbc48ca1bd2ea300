"""A lead's first five tasks: one field each, a tick for what is done, and gone when all are."""

from typing import Any

import pytest
from sqlalchemy import select, update

from signals.db import session_factory
from signals.models import Drill, Organisation, Passkey, StaffMember
from signals.notices.drills import Drills
from signals.organisations.verification_links import path_codes
from signals.vocabulary import Role
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import Browser, hidden_value, words

LIST = "Richt uw team in"


@pytest.fixture
def lena(desk: Desk) -> Browser:
    """Return the browser of a lead whose team has nothing yet."""
    with session_factory(desk.engine).begin() as session:
        nothing = {"proved_on": None, "deputy_email": None, "contact_phone": "", "contact_email": ""}
        session.execute(update(Organisation).where(Organisation.name == AMSTERDAM).values(**nothing))
        for member in session.scalars(select(StaffMember)):
            member.language = "nl"
            member.disabled_at = None if member.email.startswith("lena@") else desk.clock.now()
    return Browser(desk, "lena")


def let_in_again(desk: Desk) -> None:
    with session_factory(desk.engine).begin() as session:
        for member in session.scalars(select(StaffMember)):
            member.disabled_at = None


def do(lena: Browser, task: str, value: str) -> Any:
    csrf = hidden_value(lena.get("/desk/first").text, "csrf_token")
    return lena.client.post(f"/desk/first/{task}", data={task: value, "csrf_token": csrf})


def test_a_lead_begins_with_five_tasks_and_a_worker_sees_none(desk: Desk, lena: Browser) -> None:
    page = lena.get("/desk")
    assert f"{LIST}: 0 van 5 klaar" in words(page)
    assert page.text.count('action="/desk/first/') == 4
    assert "Naar mijn account" in words(page)
    let_in_again(desk)
    assert LIST not in words(Browser(desk, "anna").get("/desk"))


@pytest.mark.parametrize(
    ("task", "value", "column", "stored"),
    [
        ("deputy", "vervanger@example.org", "deputy_email", "vervanger@example.org"),
        ("contact", "020 1234567", "contact_phone", "020 1234567"),
        ("contact", "zorg@example.org", "contact_email", "zorg@example.org"),
    ],
)
def test_one_field_sets_deputy_or_contact(
    desk: Desk, lena: Browser, task: str, value: str, column: str, stored: str
) -> None:
    assert do(lena, task, value).status_code == 303
    with session_factory(desk.engine)() as session:
        team = session.scalars(select(Organisation).where(Organisation.name == AMSTERDAM)).one()
        assert getattr(team, column) == stored
    assert f"{LIST}: 1 van 5 klaar" in words(lena.get("/desk"))


def test_an_address_invites_a_colleague_as_worker(desk: Desk, lena: Browser) -> None:
    assert do(lena, "colleague", "noor.de.wit@example.org").status_code == 303
    with session_factory(desk.engine)() as session:
        query = select(StaffMember).where(StaffMember.email == "noor.de.wit@example.org")
        invited = session.scalars(query).one()
        assert (invited.name, invited.role) == ("Noor De Wit", Role.WORKER)
    assert f"{LIST}: 1 van 5 klaar" in words(lena.get("/desk"))


def test_the_link_of_the_test_message_leads_to_its_button(desk: Desk, lena: Browser) -> None:
    with session_factory(desk.engine).begin() as session:
        operation = desk.operation(session)
        team = session.scalars(select(Organisation.id).where(Organisation.name == AMSTERDAM)).one()
        Drills(public_url="https://desk.example").send(operation, organisation_ids=[team])
        drill_id = session.scalars(select(Drill.id)).one()
        path = f"/desk/channel/drill/{drill_id}"
        link = f"https://desk.example{path}/{path_codes(operation.keystore).code(path)}"
    answer = do(lena, "drill", link)
    assert (answer.status_code, f"https://desk.example{answer.location}") == (303, link)
    assert lena.client.get(answer.location).status_code == 200
    assert "0 van 5" in words(lena.get("/desk"))  # only the button proves it


@pytest.mark.parametrize(
    ("task", "value"),
    [
        ("drill", "https://example.org/"),
        ("drill", f"https://example.org/desk/channel/drill/{36 * chr(45)}/code"),
        ("deputy", "geen adres"),
        ("contact", "zorg@"),
        ("contact", ""),
        ("colleague", "geen adres"),
    ],
)
def test_a_wrong_answer_stays_beside_what_is_wrong(lena: Browser, task: str, value: str) -> None:
    answer = do(lena, task, value)
    assert answer.status_code == 400
    assert f'id="first-{task}-wrong"' in answer.text
    assert f'value="{value}"' in answer.text


def test_an_unknown_task_is_not_found(lena: Browser) -> None:
    assert do(lena, "passkey", "x").status_code == 404


def test_the_list_goes_when_all_is_done(desk: Desk, lena: Browser) -> None:
    let_in_again(desk)
    with session_factory(desk.engine).begin() as session:
        session.execute(
            update(Organisation).values(
                proved_on=desk.clock.now().date(), deputy_email="v@example.org", contact_phone="020"
            )
        )
        lead = session.scalars(select(StaffMember.id).where(StaffMember.email == "lena@example.org")).one()
    assert f"{LIST}: 4 van 5 klaar" in words(lena.get("/desk"))
    with session_factory(desk.engine).begin() as session:
        session.add(
            Passkey(
                staff_member_id=lead,
                label="telefoon",
                credential_id=b"1",
                public_key=b"1",
                sign_count=0,
                created_on=desk.clock.now().date(),
            )
        )
    assert LIST not in words(lena.get("/desk"))
    assert lena.get("/desk/first").status_code == 303
