"""Every endpoint x every role x a foreign id, from the URL map: a new endpoint without a row here fails.

The rows say who may, apart from the code: W worker, L lead, C coordinator, A administrator, P privacy
officer, - everybody without signing in.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.clock import today
from signals.db import session_factory
from signals.models import Approval, AreaDay, Organisation, StaffMember, StaffSession
from signals.staff.sessions import csrf_token
from signals.vocabulary import AuditAction, Role
from signals.web.staff_kit.auth import COOKIE
from tests.factories import ApprovalFactory, AreaDayFactory
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.endpoints import ALLOWED, LETTERS, PEOPLE, Endpoint, _page_session, endpoints, of_staff

# Bodies that are right but for the id, by the last part of the address.
JSON: Final[Mapping[str, dict[str, Any]]] = {
    "contact-attempts": {"kind": "visit", "result": "contact", "attempted_at": "2026-11-24T10:00:00+01:00"},
    "notes": {"text": "Wij bellen terug."},
    "conclude": {"outcome": "talk_sufficed"},
    "notice": {"notified_on": "2026-11-24"},
    "settings": {"opens_at": 9},
    "ask-again": {"address": "niemand@example.org"},
    "role": {"role": "lead"},
    "wmo-notification": {"wmo_notified_on": "2026-11-24"},
    "refer": {"organisation_id": "", "reason": "moved"},
}
FORMS: Final[Mapping[str, dict[str, str]]] = {
    **JSON,
    "contact-attempts": {
        "kind": "visit",
        "result": "contact",
        "attempted_on": "2026-11-24",
        "attempted_time": "10:00",
    },
    "urgent": {"urgent": "true"},
    "rename": {"label": "Van mij"},
    "reassign": {"to_staff_id": "00000000-0000-0000-0000-000000000001"},
}


def test_every_endpoint_has_its_row_and_every_row_its_endpoint(desk: Desk) -> None:
    found = {(endpoint.method, endpoint.rule) for endpoint in endpoints(desk.app)}
    assert found - ALLOWED.keys() == set(), "say in ROWS who may reach it"
    assert ALLOWED.keys() - found == set(), "there is no such endpoint"


def test_every_endpoint_asks_for_the_roles_of_its_row(desk: Desk) -> None:
    said = {(endpoint.method, endpoint.rule): set(endpoint.asked.roles) for endpoint in endpoints(desk.app)}
    meant = {row: {LETTERS[letter] for letter in who if letter != "-"} for row, who in ALLOWED.items()}
    assert said == meant


def test_without_signing_in_nothing_of_staff_is_reached(desk: Desk) -> None:
    reached = {}
    for endpoint in of_staff(desk.app):
        answer = desk.app.test_client().open(endpoint.path({}), method=endpoint.method, json={})
        leads_to_sign_in = answer.status_code == 303 and "/desk/sign-in" in answer.headers["Location"]
        if answer.status_code != 401 and not leads_to_sign_in:
            reached[endpoint.method, endpoint.rule] = answer.status_code
    assert reached == {}


@pytest.mark.parametrize("letter", LETTERS)
def test_a_role_reaches_what_its_row_says_and_nothing_else(desk: Desk, letter: str) -> None:
    wrong = {}
    for endpoint in of_staff(desk.app):
        answer = _call(desk, letter, endpoint, {}, right=False)
        reached = answer.status_code not in (401, 403)
        if reached != (letter in ALLOWED[endpoint.method, endpoint.rule]):
            wrong[endpoint.method, endpoint.rule] = answer.status_code
    assert wrong == {}


@pytest.mark.parametrize(
    ("attacked", "letter"),
    [
        *(pytest.param("installation", letter, id=f"sqlite-{letter}") for letter in "WLP"),
        pytest.param("postgres_installation", "L", id="postgresql-L", marks=pytest.mark.postgres),
    ],
    indirect=["attacked"],
)
def test_a_foreign_id_is_answered_like_one_that_never_was(desk: Desk, letter: str) -> None:
    foreign = _foreign_ids(desk)
    told = {}
    with_id = [endpoint for endpoint in of_staff(desk.app) if "<uuid:" in endpoint.rule]
    for endpoint in with_id:
        if letter not in ALLOWED[endpoint.method, endpoint.rule]:
            continue
        theirs = _call(desk, letter, endpoint, foreign, right=True)
        nobodys = _call(desk, letter, endpoint, {}, right=True)
        if (theirs.status_code, _shape(theirs)) != (404, _shape(nobodys)):
            told[endpoint.method, endpoint.rule] = (theirs.status_code, nobodys.status_code)
    assert told == {}
    assert {entry.outcome for entry in desk.entries(AuditAction.FOREIGN_SIGNAL_REFUSED)} <= {
        "foreign",
        "unknown",
    }


@pytest.mark.parametrize("letter", ["W", "L", "P"])
def test_nothing_of_another_organisation_has_changed_by_foreign_ids(
    desk: Desk,
    letter: str,
) -> None:
    foreign = _foreign_ids(desk)
    before = _state(desk, foreign)
    for endpoint in of_staff(desk.app):
        if "<uuid:" in endpoint.rule and letter in ALLOWED[endpoint.method, endpoint.rule]:
            _call(desk, letter, endpoint, foreign, right=True)
    assert _state(desk, foreign) == before


def _call(
    desk: Desk,
    letter: str,
    endpoint: Endpoint,
    ids: Mapping[str, UUID],
    *,
    right: bool,
) -> TestResponse:
    """Call the endpoint as this role; `right`: with a body that is correct except for the id."""
    last = endpoint.rule.rpartition("/")[2]
    if endpoint.is_api:
        body = dict(JSON.get(last, {})) if right else {}
        bodied = {"json": _to_own(desk, body)} if endpoint.method in ("POST", "PUT", "PATCH") else {}
        path = endpoint.path(ids).removeprefix("/api/v1")
        return desk.call(PEOPLE[letter], endpoint.method, path, **bodied)
    token = _page_session(desk, PEOPLE[letter])
    browser = desk.app.test_client()
    browser.set_cookie(COOKIE, token)
    form = _to_own(desk, {"csrf_token": csrf_token(token), **(FORMS.get(last, {}) if right else {})})
    return browser.open(
        endpoint.path(ids), method=endpoint.method, data=form if endpoint.method == "POST" else None
    )


def _to_own(desk: Desk, body: dict[str, Any]) -> dict[str, Any]:
    """Refer to the attacker's own organisation: a foreign id could do nothing worse."""
    if "organisation_id" not in body:
        return body
    with Session(desk.engine) as session:
        own = session.scalars(select(Organisation.id).where(Organisation.name == AMSTERDAM)).one()
    return body | {"organisation_id": str(own)}


def _foreign_ids(desk: Desk) -> dict[str, UUID]:
    """Return the ids of Groningen, by the name of the part of the address."""
    signal_id = desk.arrive("9711AA", 1)
    with session_factory(desk.engine).begin() as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == GRONINGEN)).one()
        gerda = session.scalars(select(StaffMember).where(StaffMember.email == "gerda@example.org")).one()
        bea = session.scalars(select(StaffMember.id).where(StaffMember.role == Role.ADMINISTRATOR)).one()
        approval = ApprovalFactory.build(
            organisation_id=team, role=Role.WORKER, asked_by_id=bea, asked_at=desk.clock.now()
        )
        area_day = AreaDayFactory.build(organisation_id=team, day=today(desk.clock))
        session.add_all([approval, area_day])
        session.flush()
        session_id = session.scalars(
            select(StaffSession.id).where(StaffSession.staff_member_id == gerda.id)
        ).first()
        assert session_id is not None
        return {
            "signal_id": signal_id,
            "member_id": gerda.id,
            "approval_id": approval.id,
            "area_day_id": area_day.id,
            "session_id": session_id,
        }


def _shape(answer: TestResponse) -> str:
    """An answer without what differs by chance: the number of the occurrence and the CSRF field."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}", "", answer.text)


def _state(desk: Desk, foreign: Mapping[str, UUID]) -> tuple[Any, ...]:
    opened = desk.call("gerda", "GET", f"/signals/{foreign['signal_id']}").get_json()
    with Session(desk.engine) as session:
        member = session.get_one(StaffMember, foreign["member_id"])
        approval = session.get_one(Approval, foreign["approval_id"])
        raises = session.get_one(AreaDay, foreign["area_day_id"]).raises
        return opened, member.disabled_at, member.password_hash, approval.decision, raises
