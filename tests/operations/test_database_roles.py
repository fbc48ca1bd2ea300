"""Each process does all of its work as its own database role, on a real PostgreSQL."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from flask import g
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from privacy.keystore import KeyGone
from privacy.passwords import PasswordHasherSettings
from signals.casework.referral import refer
from signals.models import (
    AddressLink,
    AuditEntry,
    DeletionOrder,
    DeletionRecord,
    Referral,
    SealedReport,
    Signal,
    StaffMember,
)
from signals.operations import database_roles as grants
from signals.operations.making import make_retention
from signals.retention.nightly import Retention
from signals.settings import RetentionSettings, SessionsSettings
from signals.staff.accounts import add_staff, issue_token
from signals.staff.identity import actor_for
from signals.vocabulary import AuditAction, ProcessRole, ReferralReason, Role
from signals.web.staff_kit.context import fenced_sessions
from tests.support.fences import OWNER, ROLES, FencedWorld, worker_of
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, IN_GRONINGEN, World

pytestmark = pytest.mark.postgres

API = "/api/v1"


PASSWORD = "een lange zin als wachtwoord"


QUICK = PasswordHasherSettings(memory_kib=64)


BODY = {"postcode": "1012AB", "house_number": 12}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The desk's application as the desk's role, and how to call it as somebody."""

    world: FencedWorld
    client: FlaskClient
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def call(self, who: str, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return self.client.open(f"{API}{path}", method=method, headers=headers, **more)

    def ids(self, who: str) -> list[str]:
        return [item["id"] for item in self.call(who, "GET", "/queue").get_json()["items"]]


# The front
def test_a_front_process_takes_a_report_and_answers_a_retry_alike(
    fenced_world: FencedWorld,
) -> None:
    client = fenced_world.front.client()
    answers = [_send(client, 1).get_json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["organisation"]["kind"] == "social_work"
    assert _send(client, 1, house_number=13).status_code == 409
    assert len(fenced_world.all_seeing.sealed()) == 1


def test_a_front_process_says_how_far_a_report_is(fenced_world: FencedWorld) -> None:
    client = fenced_world.front.client()
    receipt = _send(client, 1).get_json()["receipt"]
    assert _state(client, receipt) == "received"
    worker_of(fenced_world.worker).arrive()
    assert _state(client, receipt) == "received"
    assert _state(client, "0000-0000-0000-0000") == "unknown"


def test_a_front_process_knows_who_covers_an_address_and_that_it_is_ready(fenced_world: FencedWorld) -> None:
    client = fenced_world.front.client()
    found = client.post(f"{API}/coverage/lookup", json={"postcode": "9711AA", "house_number": 1})
    assert found.get_json()["organisation"]["name"] == "Voorbeeld Welzijn Groningen"
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("table", ["idempotency_keys", "sealed_reports"])
def test_a_front_process_without_a_right_that_it_needs_is_not_ready(
    fenced_world: FencedWorld, table: str
) -> None:
    """After an upgrade without its grants, the front would answer every report with 503."""
    client = fenced_world.front.client()
    server, name = fenced_world.database.server, fenced_world.database.name
    server.execute(f"REVOKE INSERT ON {table} FROM {ROLES.front}", name)
    try:
        answer = client.get("/readyz")
    finally:
        owner = fenced_world.database.engine(OWNER)
        grants.apply(owner, ROLES)
        owner.dispose()
    assert (answer.status_code, answer.get_json()["failed"]) == (503, ["database"])
    assert client.get("/readyz").status_code == 200
    assert fenced_world.all_seeing.count(SealedReport) == 0


def test_a_front_process_still_counts_up_to_the_limit(fenced_world: FencedWorld) -> None:
    limits = replace(fenced_world.front.settings.limits, open_reports_per_area_and_day=2)
    client = fenced_world.front.client(limits=limits)
    assert [_send(client, number).status_code for number in (1, 2, 3, 1)] == [201, 201, 429, 201]


# The desk
def test_a_desk_process_follows_a_signal_up_from_claim_to_conclusion(desk: Desk) -> None:
    (signal_id,) = desk.ids("anna")
    path = f"/signals/{signal_id}"
    assert desk.call("anna", "GET", path).get_json()["address"]["postcode"] == "1012AB"
    assert desk.call("anna", "POST", f"{path}/claim").status_code == 200
    assert desk.call("anna", "POST", f"{path}/release").status_code == 200
    assert desk.call("anna", "POST", f"{path}/claim").status_code == 200
    assert desk.call("anna", "POST", f"{path}/notes", json={"text": "Gesproken."}).status_code == 201
    attempt = {
        "kind": "visit",
        "result": "contact",
        "attempted_at": desk.world.desk.clock.now().isoformat(),
        "workers": 1,
    }
    assert desk.call("anna", "POST", f"{path}/contact-attempts", json=attempt).status_code == 201
    day = desk.world.desk.clock.now().date().isoformat()
    assert desk.call("anna", "POST", f"{path}/notice", json={"notified_on": day}).status_code == 201
    concluded = desk.call("anna", "POST", f"{path}/conclude", json={"outcome": "talk_sufficed"})
    assert concluded.get_json()["state"] == "concluded"
    assert desk.call("anna", "POST", f"{path}/reopen").status_code == 200


def test_a_desk_process_finds_signals_and_plans_rounds(desk: Desk) -> None:
    (signal_id,) = desk.ids("anna")
    desk.call("anna", "POST", f"/signals/{signal_id}/claim")
    found = desk.call("anna", "POST", "/search", json={"postcode": "1012AB", "house_number": 12})
    assert [item["id"] for item in found.get_json()["items"]] == [signal_id]
    assert desk.call("anna", "POST", "/rounds", json={"ids": [signal_id]}).status_code == 200


def test_another_teams_signal_is_not_found_and_the_trail_tells_it_from_none(desk: Desk) -> None:
    (theirs,) = desk.ids("gerda")
    for signal_id in (theirs, str(uuid.uuid4())):
        assert desk.call("anna", "GET", f"/signals/{signal_id}").status_code == 404
    assert _outcomes(desk.world, AuditAction.FOREIGN_SIGNAL_REFUSED) == ["foreign", "unknown"]


def test_signing_in_and_out_needs_no_organisation(desk: Desk) -> None:
    wrong = {"email": "anna@example.org", "password": PASSWORD, "totp": "000000"}
    assert desk.client.post(f"{API}/sessions", json=wrong).status_code == 401
    assert _outcomes(desk.world, AuditAction.SIGN_IN_FAILED) == ["refused"]
    assert desk.call("anna", "DELETE", "/sessions/current").status_code == 204
    assert desk.call("anna", "GET", "/me").status_code == 401


def test_a_query_that_forgot_whose_rows_it_may_read_reads_the_own_ones(desk: Desk) -> None:
    forgotten = select(Signal.organisation_id)
    with desk.client.application.app_context(), fenced_sessions(desk.world.desk.engine)() as session:
        assert session.scalars(forgotten).all() == []
    with _as_member(desk, "gerda") as sessions, sessions() as session:
        assert session.scalars(forgotten).all() == [GRONINGEN]


def test_a_referral_works_as_the_desk_role_and_tells_the_receiver_of_repeats(desk: Desk) -> None:
    (signal_id,) = desk.ids("anna")
    _refer(desk, "anna", uuid.UUID(signal_id), GRONINGEN)
    assert desk.ids("anna") == []
    assert signal_id in desk.ids("gerda")
    opened = desk.call("gerda", "GET", f"/signals/{signal_id}").get_json()
    assert opened["address"]["postcode"] == "1012AB"
    assert not opened["repeat"]


def test_an_erasure_by_the_api_follows_a_referral_and_is_finished_by_the_worker(desk: Desk) -> None:
    """Each step in a transaction of its own, as the process of the desk does it."""
    (signal_id,) = map(uuid.UUID, desk.ids("anna"))
    (untouched,) = desk.ids("gerda")
    _refer(desk, "anna", signal_id, GRONINGEN)
    body = {**BODY, "identity": "digid", "residence": "brp", "right": "erasure"}
    assert desk.call("fatima", "POST", "/residents/erase", json=body).status_code in (200, 201)
    worker_of(desk.world.worker).destroy_keys()
    assert desk.ids("gerda") == [untouched]
    with desk.world.all_seeing.sessions() as session:
        record = session.scalars(select(DeletionRecord)).one()
        assert session.scalars(select(AddressLink).where(AddressLink.signal_id == signal_id)).all() == []
        assert session.scalars(select(DeletionOrder)).all() == []
    with pytest.raises(KeyGone):
        desk.world.desk.keystore.case_key(record.case_key_id)


def test_an_erasure_that_the_desk_could_not_carry_out_is_carried_out_by_the_worker(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk's process ends right after it commits the decision."""
    (signal_id,) = map(uuid.UUID, desk.ids("anna"))
    monkeypatch.setattr(Retention, "purge_now", _no_disk)
    body = {**BODY, "identity": "digid", "residence": "brp", "right": "objection"}
    desk.call("fatima", "POST", "/residents/erase", json=body)
    monkeypatch.undo()
    assert worker_of(desk.world.worker).destroy_keys() > 0
    assert desk.ids("anna") == []
    with desk.world.all_seeing.sessions() as session:
        record = session.scalars(select(DeletionRecord)).one()
    assert (record.signal_id, record.reason) == (signal_id, "objection")


def test_an_officer_behind_the_fence_puts_a_note_right_and_moves_the_address(desk: Desk) -> None:
    (signal_id,) = desk.ids("anna")
    assert desk.call("anna", "POST", f"/signals/{signal_id}/claim", json={}).status_code == 200
    desk.call("anna", "POST", f"/signals/{signal_id}/notes", json={"text": "Drinkt te veel."})
    ((note,),) = (
        found["follow_up_notes"]
        for found in desk.call("fatima", "POST", "/residents/search", json=BODY).get_json()["signals"]
    )
    body = {**BODY, "house_number": 14, "identity": "digid", "residence": "brp", "signal_id": signal_id}
    body["notes"] = [{"note_id": note["id"], "text": "Kwam vermoeid over."}]
    assert desk.call("fatima", "POST", "/residents/rectify", json=body).status_code == 200
    opened = desk.call("anna", "GET", f"/signals/{signal_id}")
    assert "Kwam vermoeid over." in opened.text
    assert opened.get_json()["address"]["house_number"] == 14


def test_a_team_destroys_the_key_of_what_it_referred_itself(desk: Desk) -> None:
    (signal_id,) = map(uuid.UUID, desk.ids("anna"))
    _refer(desk, "anna", signal_id, GRONINGEN)
    with _as_member(desk, "anna") as sessions:
        assert _retention(desk, sessions).confirm_destroyed(desk.world.desk.clock) == 1
    with desk.world.all_seeing.sessions() as session:
        assert session.scalars(select(Referral)).one().key_destroyed_on is not None


# The worker
def test_the_worker_does_all_its_jobs_as_its_own_role(fenced_world: FencedWorld) -> None:
    for number, address in enumerate((IN_AMSTERDAM, IN_GRONINGEN), start=1):
        fenced_world.front.receive(number, address)
    worker = worker_of(fenced_world.worker)
    assert worker.arrive() == 2
    fenced_world.worker.move(minutes=40)
    assert worker.deliver().delivered == 4
    fenced_world.worker.move(days=8)
    assert worker.provision_keys() > 0
    assert worker.forget_retries() == 2
    assert worker.link_audit() > 0
    fenced_world.worker.move(days=30)
    assert worker.retain().total == 2
    assert worker.destroy_keys() == 0
    fenced_world.worker.move(days=800)
    assert worker.prune_audit() > 0


@pytest.fixture
def desk(fenced_world: FencedWorld) -> Desk:
    """The desk of two teams that have a signal each."""
    for number, address in enumerate((IN_AMSTERDAM, IN_GRONINGEN), start=1):
        fenced_world.front.receive(number, address)
    worker_of(fenced_world.worker).arrive()
    quick = SessionsSettings(password_memory_kib=QUICK.memory_kib)
    app = fenced_world.desk.app(ProcessRole.DESK, sessions=quick)
    tokens = {
        "anna": _hire(fenced_world.worker, "anna", AMSTERDAM, Role.WORKER),
        "gerda": _hire(fenced_world.worker, "gerda", GRONINGEN, Role.WORKER),
        "fatima": _hire(fenced_world.worker, "fatima", AMSTERDAM, Role.PRIVACY_OFFICER),
    }
    return Desk(world=fenced_world, client=app.test_client(), tokens=tokens)


def _no_disk(*_arguments: object) -> None:
    raise OSError


def _hire(world: World, name: str, organisation_id: uuid.UUID, role: Role) -> str:
    """A member of staff and their token, made as the commands do: by the worker's role."""
    with world.sessions.begin() as session:
        new = add_staff(
            world.operation(session),
            organisation_id=organisation_id,
            role=role,
            name=name.capitalize(),
            email=f"{name}@example.org",
            password=PASSWORD,
            hasher=QUICK,
        )
        return issue_token(world.operation(session), member=new.member, label="test")


def _send(client: FlaskClient, number: int, **changes: Any) -> TestResponse:
    headers = {"Idempotency-Key": str(uuid.UUID(int=number, version=4))}
    return client.post(f"{API}/signals", json=BODY | changes, headers=headers)


def _state(client: FlaskClient, receipt: str) -> str:
    state: str = client.post(f"{API}/receipts/status", json={"receipt": receipt}).get_json()["state"]
    return state


def _outcomes(world: FencedWorld, action: AuditAction) -> list[str]:
    with world.all_seeing.sessions() as session:
        query = select(AuditEntry.outcome).where(AuditEntry.action == action).order_by(AuditEntry.outcome)
        return list(session.scalars(query))


def _member(desk: Desk, who: str) -> StaffMember:
    with desk.world.all_seeing.sessions() as session:
        return session.scalars(select(StaffMember).where(StaffMember.email == f"{who}@example.org")).one()


@contextmanager
def _as_member(desk: Desk, who: str) -> Iterator[sessionmaker[Session]]:
    """Sessions of the desk while this person is signed in."""
    with desk.client.application.app_context():
        g.caller = SimpleNamespace(actor=actor_for(_member(desk, who)))
        yield fenced_sessions(desk.world.desk.engine)


def _refer(desk: Desk, who: str, signal_id: uuid.UUID, receiver: uuid.UUID) -> None:
    world = desk.world.desk
    with _as_member(desk, who) as sessions, sessions.begin() as session:
        refer(
            world.operation(session, g.caller.actor),
            signal_id=signal_id,
            to_organisation_id=receiver,
            reason=ReferralReason.OUTSIDE_AREA,
        )


def _retention(desk: Desk, sessions: sessionmaker[Session]) -> Retention:
    world = desk.world.desk
    retention = RetentionSettings(journal_file=world.folder / "desk.journal")
    parts = world.worker(retention=retention)
    return make_retention(parts, sessions=sessions, router=world.router())
