"""Every endpoint x every role x a foreign id, from the URL map: a new endpoint without a row here fails.

The rows say who may, apart from the code: W worker, L lead, C coordinator, A administrator, P privacy
officer, - everybody without signing in.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from signals.clock import today
from signals.db import session_factory
from signals.models import Approval, AreaDay, Organisation, StaffMember, StaffSession
from signals.staff import csrf_token
from signals.staff.sessions import open_session
from signals.vocabulary import AuditAction, Role
from signals.web.staff_kit.auth import COOKIE, Authentication
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk

LETTERS: Final = {
    "W": Role.WORKER,
    "L": Role.LEAD,
    "C": Role.COORDINATOR,
    "A": Role.ADMINISTRATOR,
    "P": Role.PRIVACY_OFFICER,
}
PEOPLE: Final = {"W": "anna", "L": "lena", "C": "coen", "A": "bea", "P": "fleur"}

ROWS: Final = """
GET / -
POST / -
GET /m -
POST /m -
GET /voortgang -
POST /voortgang -
GET /sw.js -
GET /manifest.webmanifest -
GET /docs -
GET /favicon.ico -
GET /static/<path:filename> -
GET /static/bundles/<name> -
GET /healthz -
GET /readyz -
GET /metrics -
GET /api/v1/openapi.json -
GET /api/v1/form -
POST /api/v1/coverage/lookup -
POST /api/v1/signals -
POST /api/v1/receipts/status -
POST /api/v1/sessions -
DELETE /api/v1/sessions/current WLCAP
GET /api/v1/me WLCAP
GET /api/v1/queue WL
POST /api/v1/rounds WL
POST /api/v1/search WL
GET /api/v1/signals/<uuid:signal_id> WL
POST /api/v1/signals/<uuid:signal_id>/claim WL
POST /api/v1/signals/<uuid:signal_id>/release WL
POST /api/v1/signals/<uuid:signal_id>/reopen WL
POST /api/v1/signals/<uuid:signal_id>/contact-attempts WL
POST /api/v1/signals/<uuid:signal_id>/notes WL
POST /api/v1/signals/<uuid:signal_id>/conclude WL
POST /api/v1/signals/<uuid:signal_id>/notice WL
POST /api/v1/signals/<uuid:signal_id>/wmo-notification WL
POST /api/v1/signals/<uuid:signal_id>/refer WL
GET /api/v1/signals/<uuid:signal_id>/notice.pdf WL
GET /api/v1/signals/<uuid:signal_id>/handover.json WL
GET /api/v1/signals/<uuid:signal_id>/handover.pdf WL
POST /api/v1/residents/search P
POST /api/v1/residents/export P
POST /api/v1/residents/erase P
POST /api/v1/residents/rectify P
POST /api/v1/residents/restrict P
GET /api/v1/residents/register P
GET /api/v1/audit P
GET /api/v1/audit.csv P
GET /api/v1/retention P
PUT /api/v1/retention/periods P
GET /api/v1/statistics/releases C
GET /api/v1/statistics/releases/<period>/tables/<table> C
GET /api/v1/statistics/releases/<period>/tables/<table>.csv C
GET /api/v1/organisations WLA
POST /api/v1/organisations A
PATCH /api/v1/organisations/<uuid:organisation_id> A
GET /api/v1/organisations/<uuid:organisation_id>/settings LA
PATCH /api/v1/organisations/<uuid:organisation_id>/settings LA
POST /api/v1/organisations/<uuid:organisation_id>/settings/ask-again LA
GET /api/v1/team/colleagues WL
GET /api/v1/team/absences WL
POST /api/v1/team/absences WL
DELETE /api/v1/team/absences/<uuid:absence_id> WL
GET /api/v1/coverage A
POST /api/v1/coverage A
PATCH /api/v1/coverage/<uuid:area_id> A
GET /api/v1/coverage/check A
GET /api/v1/staff LPA
POST /api/v1/staff LA
POST /api/v1/staff/<uuid:member_id>/disable LA
POST /api/v1/staff/<uuid:member_id>/role L
POST /api/v1/staff/<uuid:member_id>/reset LA
GET /api/v1/approvals LPA
GET /api/v1/limits LA
GET /api/v1/delivery A
GET /api/v1/delivery/dead-letters A
POST /api/v1/delivery/dead-letters/again A
POST /api/v1/delivery/dead-letters/<uuid:message_id>/again A
POST /api/v1/delivery/dead-letters/<uuid:message_id>/drop A
POST /api/v1/limits/<uuid:area_day_id>/raise LA
POST /api/v1/approvals/<uuid:approval_id>/approve LP
POST /api/v1/approvals/<uuid:approval_id>/decline LP
GET /desk WL
GET /desk/news WL
GET /desk/ WLCAP
GET /desk/sign-in -
POST /desk/sign-in -
GET /desk/passkey/options -
POST /desk/passkey/sign-in -
GET /desk/account/link -
POST /desk/account/link -
POST /desk/account/link/use -
POST /desk/sign-out WLCAP
GET /desk/account WLCAP
GET /desk/account/confirm WLCAP
POST /desk/account/confirm WLCAP
GET /desk/account/confirm/options WLCAP
POST /desk/account/confirm/passkey WLCAP
POST /desk/account/password WLCAP
POST /desk/account/authenticator WLCAP
POST /desk/account/language WLCAP
GET /desk/account/passkeys/options WLCAP
POST /desk/account/passkeys WLCAP
POST /desk/account/passkeys/<uuid:passkey_id>/rename WLCAP
POST /desk/account/passkeys/<uuid:passkey_id>/remove WLCAP
POST /desk/account/sessions/<uuid:session_id>/end WLCAP
GET /desk/signals/<uuid:signal_id> WL
POST /desk/signals/<uuid:signal_id>/claim WL
POST /desk/signals/<uuid:signal_id>/release WL
POST /desk/signals/<uuid:signal_id>/reopen WL
POST /desk/signals/<uuid:signal_id>/contact-attempts WL
POST /desk/signals/<uuid:signal_id>/notes WL
POST /desk/signals/<uuid:signal_id>/conclude WL
POST /desk/signals/<uuid:signal_id>/notice WL
POST /desk/signals/<uuid:signal_id>/wmo WL
GET /desk/signals/<uuid:signal_id>/refer WL
POST /desk/signals/<uuid:signal_id>/refer WL
GET /desk/signals/<uuid:signal_id>/notice.pdf WL
GET /desk/card.pdf WL
GET /desk/signals/<uuid:signal_id>/handover.json WL
GET /desk/signals/<uuid:signal_id>/handover.pdf WL
POST /desk/signals/<uuid:signal_id>/reassign L
POST /desk/signals/<uuid:signal_id>/join WL
GET /desk/search WL
POST /desk/search WL
GET /desk/round WL
POST /desk/round WL
GET /desk/channel/drill/<uuid:drill_id>/<code> -
POST /desk/channel/drill/<uuid:drill_id>/<code> -
GET /desk/channel/<any(recipient,deputy):role>/<uuid:subject_id>/<address_code>/<valid_until>/<code> -
POST /desk/channel/<any(recipient,deputy):role>/<uuid:subject_id>/<address_code>/<valid_until>/<code> -
GET /desk/escalations/<uuid:organisation_id> L
GET /desk/deputy/<uuid:organisation_id> -
GET /desk/absence WL
POST /desk/absence WL
POST /desk/absence/<uuid:absence_id>/remove WL
GET /desk/settings L
POST /desk/settings/<part> L
GET /admin/organisations/<uuid:organisation_id>/settings A
POST /admin/organisations/<uuid:organisation_id>/settings/<part> A
GET /desk/limits/<uuid:area_day_id> LA
POST /desk/limits/<uuid:area_day_id> LA
GET /desk/figures L
GET /desk/team L
POST /desk/team/invite L
POST /desk/team/<uuid:member_id>/recover L
POST /desk/team/<uuid:member_id>/role L
POST /desk/team/<uuid:member_id>/disable L
POST /desk/team/<uuid:member_id>/reopen L
GET /desk/approvals LP
POST /desk/approvals/<uuid:approval_id>/approve LP
POST /desk/approvals/<uuid:approval_id>/decline LP
GET /desk/officer P
GET /desk/officer/residents P
POST /desk/officer/residents P
POST /desk/officer/residents/export P
POST /desk/officer/residents/erase P
POST /desk/officer/residents/rectify P
POST /desk/officer/residents/restrict P
GET /desk/officer/register P
GET /desk/officer/audit P
GET /desk/officer/audit.csv P
GET /desk/officer/retention P
POST /desk/officer/retention P
GET /figures LCA
GET /figures/regions LCA
GET /figures/releases LCA
GET /figures/releases/<period> LCA
GET /figures/releases/<period>/<table> LCA
GET /figures/releases/<period>/<table>.csv LCA
GET /figures/releases/<period>/report.pdf LCA
GET /figures/method LCA
GET /figures/open-data.zip LCA
GET /figures/open-data/<name> LCA
GET /admin A
GET /admin/approvals A
GET /admin/coverage A
GET /admin/messages A
POST /admin/messages/again A
POST /admin/messages/<uuid:message_id>/again A
POST /admin/messages/<uuid:message_id>/drop A
GET /admin/sheets A
GET /admin/sheets/<size>.pdf A
POST /admin/organisations A
GET /admin/organisations/import A
POST /admin/organisations/import A
GET /admin/organisations/<uuid:organisation_id> A
POST /admin/organisations/<uuid:organisation_id> A
POST /admin/organisations/<uuid:organisation_id>/coverage A
POST /admin/organisations/<uuid:organisation_id>/staff A
POST /admin/organisations/<uuid:organisation_id>/staff/<uuid:member_id>/disable A
POST /admin/organisations/<uuid:organisation_id>/staff/<uuid:member_id>/reset A
"""
ALLOWED: Final[Mapping[tuple[str, str], str]] = {
    (method, rule): who for method, rule, who in (line.split() for line in ROWS.split("\n") if line)
}
ENDS_A_SESSION: Final = ("/api/v1/sessions/current", "/desk/sign-out")
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
    "rename": {"label": "Van mij"},
    "reassign": {"to_staff_id": "00000000-0000-0000-0000-000000000001"},
}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of one rule, as the application has it."""

    method: str
    rule: str
    asked: Authentication

    @property
    def is_api(self) -> bool:
        return self.rule.startswith("/api/")

    def path(self, ids: Mapping[str, UUID]) -> str:
        found = re.sub(r"<uuid:(\w+)>", lambda part: str(ids.get(part[1], uuid4())), self.rule)
        return f"{found}?receiving=true" if found == "/api/v1/organisations" else found


def endpoints(app: Flask) -> Iterator[Endpoint]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Endpoint(method=method, rule=rule.rule, asked=_asked(app, rule))


def of_staff(app: Flask) -> list[Endpoint]:
    """Those that ask for somebody; what ends a session comes last."""
    found = [endpoint for endpoint in endpoints(app) if endpoint.asked.means != "none"]
    return sorted(found, key=lambda endpoint: endpoint.rule in ENDS_A_SESSION)


def _asked(app: Flask, rule: Rule) -> Authentication:
    nothing = Authentication(means="none")
    found: Authentication = getattr(app.view_functions[rule.endpoint], "authentication", nothing)
    return found


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
    """As this role; `right`: with a body that is right but for the id."""
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
    """A referral goes to the own organisation of who tries: the worst that a foreign id could do."""
    if "organisation_id" not in body:
        return body
    with Session(desk.engine) as session:
        own = session.scalars(select(Organisation.id).where(Organisation.name == AMSTERDAM)).one()
    return body | {"organisation_id": str(own)}


def _page_session(desk: Desk, who: str) -> str:
    with session_factory(desk.engine).begin() as session:
        member = session.scalars(select(StaffMember).where(StaffMember.email == f"{who}@example.org")).one()
        token, _opened = open_session(session, member, "page", desk.clock.now(), timedelta(hours=8))
    return token


def _foreign_ids(desk: Desk) -> dict[str, UUID]:
    """What Groningen has, by the name of the part of the address."""
    signal_id = desk.arrive("9711AA", 1)
    with session_factory(desk.engine).begin() as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == GRONINGEN)).one()
        gerda = session.scalars(select(StaffMember).where(StaffMember.email == "gerda@example.org")).one()
        bea = session.scalars(select(StaffMember.id).where(StaffMember.role == Role.ADMINISTRATOR)).one()
        approval = Approval(
            organisation_id=team,
            action="grant",
            role=Role.WORKER,
            email="nora@example.org",
            name="Nora",
            asked_by_id=bea,
            asked_at=desk.clock.now(),
        )
        area_day = AreaDay(organisation_id=team, day=today(desk.clock), told_percent=80)
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
