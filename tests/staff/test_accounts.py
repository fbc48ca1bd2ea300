"""Test accounts, sign-in, sessions, and the throttle of guesses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.passwords import PasswordHasherSettings, needs_rehash
from privacy.sealing import EnvelopeRefused
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import FixedClock
from signals.errors import Forbidden, Invalid, NotSignedIn, SignInFailed
from signals.models import AuditEntry, StaffSession
from signals.operation import Operation
from signals.staff import accounts, identity, sessions, sign_in
from signals.staff.identity import open_totp
from signals.vocabulary import AuditAction, Role
from tests import factories
from tests.support.desk_fixtures import CHEAP, PlainKeys, Team
from tests.support.operations import operation

EMAIL = "worker@example.org"

PASSWORD = "een lang wachtwoord"


class Desk:
    def __init__(
        self, session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys, organisation_id: UUID
    ) -> None:
        self.session, self.clock, self.audit, self.keys = session, clock, audit, keys
        self.organisation_id = organisation_id
        added = self.add()
        self.member, self.secret = added.member, added.totp_secret

    def operation(self, actor: Actor = SYSTEM) -> Operation:
        return operation(self.session, self.clock, actor, audit=self.audit, keystore=self.keys)

    def add(self, **how: Any) -> accounts.NewStaff:
        values: dict[str, Any] = {
            "organisation_id": self.organisation_id,
            "role": Role.WORKER,
            "name": "Sanne Voorbeeld",
            "email": EMAIL,
            "password": PASSWORD,
        } | how
        return accounts.add_staff(self.operation(), hasher=CHEAP, **values)

    def sign_in(self, **how: Any) -> sign_in.SignedIn:
        values: dict[str, Any] = {
            "email": EMAIL,
            "password": PASSWORD,
            "totp": self.code(),
            "kind": "page",
            "absolute_hours": 12,
        } | how
        return sign_in.sign_in_with_password(self.operation(), hasher=CHEAP, **values)

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.clock.now())

    def authenticate(self, token: str, **how: Any) -> StaffSession:
        values: dict[str, Any] = {"kinds": {"page"}, "idle_minutes": 60} | how
        return sessions.authenticate(self.session, self.clock, token=token, **values)

    def audited(self, action: AuditAction) -> list[AuditEntry]:
        return list(self.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


@pytest.fixture
def desk(session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys, team: Team) -> Desk:
    return Desk(session, clock, audit, keys, team.organisation.id)


# Accounts
def test_a_totp_secret_is_stored_sealed_to_its_own_account(desk: Desk) -> None:
    other = desk.add(email="other@example.org").member
    assert desk.secret.encode() not in desk.member.totp_sealed
    assert open_totp(desk.keys, desk.member) == desk.secret
    other.totp_sealed = desk.member.totp_sealed
    with pytest.raises(EnvelopeRefused):
        open_totp(desk.keys, other)


def test_neither_a_new_account_nor_a_session_shows_its_secret(desk: Desk) -> None:
    signed_in = desk.sign_in()
    shown = repr(desk.add(email="other@example.org", totp_secret="B" * 32)) + repr(signed_in)
    assert "B" * 32 not in shown
    assert signed_in.token not in shown


@pytest.mark.parametrize(
    ("how", "field", "code"),
    [
        ({"email": EMAIL.upper()}, "email", "taken"),
        ({"email": "nobody"}, "email", "invalid"),
        ({"email": "a@b c.nl"}, "email", "invalid"),
        ({"password": "elf tekens!"}, "password", "too_short"),
        ({"password": "x" * 201}, "password", "too_long"),
        ({"name": "  "}, "name", "out_of_range"),
        ({"language": "fr"}, "language", "unknown"),
        ({"organisation_id": None}, "organisation_id", "required"),
    ],
)
def test_an_impossible_account_is_refused(desk: Desk, how: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        desk.add(**({"email": "new@example.org"} | how))
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.COORDINATOR])
def test_some_roles_need_no_organisation(desk: Desk, role: Role) -> None:
    assert desk.add(role=role, organisation_id=None, email="new@example.org").member.role is role


# Signing in
def test_password_and_code_open_a_session_that_is_stored_as_a_hash(desk: Desk) -> None:
    signed_in = desk.sign_in(email=EMAIL.upper())
    assert signed_in.member is desk.member
    assert signed_in.token.encode() not in signed_in.session.token_hash
    assert signed_in.session.expires_at == factories.MOMENT + timedelta(hours=12)
    (entry,) = desk.audited(AuditAction.SIGN_IN)
    assert (entry.actor_id, entry.organisation_id) == (desk.member.id, desk.organisation_id)


def test_a_code_is_accepted_once(desk: Desk) -> None:
    desk.sign_in()
    with pytest.raises(SignInFailed):
        desk.sign_in()
    desk.clock.moment += timedelta(seconds=30)
    desk.sign_in()


@pytest.mark.parametrize(
    "how", [{"email": "nobody@example.org"}, {"password": "een ander wachtwoord"}, {"totp": "000000"}]
)
def test_every_failure_looks_the_same_and_leaves_an_entry_at_a_known_account(
    desk: Desk, how: dict[str, Any]
) -> None:
    with pytest.raises(SignInFailed) as refused:
        desk.sign_in(**how)
    assert str(refused.value) == str(SignInFailed())
    desk.session.commit()
    entries = desk.audited(AuditAction.SIGN_IN_FAILED)
    assert [entry.actor_id for entry in entries] == ([] if "email" in how else [desk.member.id])
    assert desk.session.scalars(select(StaffSession)).all() == []


def test_an_unknown_account_costs_the_same_hashing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def noting(name: str) -> Callable[..., bool]:
        def check(*_: object) -> bool:
            calls.append(name)
            return False

        return check

    monkeypatch.setattr(sign_in, "verify_nobody", noting("nobody"))
    monkeypatch.setattr(sign_in, "verify_password", noting("somebody"))
    for email in (EMAIL, "nobody@example.org"):
        with pytest.raises(SignInFailed):
            desk.sign_in(email=email)
    assert calls == ["somebody", "nobody"]


def test_a_password_that_changes_after_its_check_opens_no_session(desk: Desk) -> None:
    checked = sign_in.check_password(desk.session, email=EMAIL, password=PASSWORD, hasher=CHEAP)
    assert checked.right
    desk.member.password_hash = "another"
    with pytest.raises(SignInFailed):
        desk.sign_in(checked=checked)


def test_a_good_sign_in_renews_a_hash_of_an_old_cost(desk: Desk) -> None:
    dearer = PasswordHasherSettings(memory_kib=16, time_cost=1)
    assert needs_rehash(desk.member.password_hash, dearer)
    sign_in.sign_in_with_password(
        desk.operation(),
        email=EMAIL,
        password=PASSWORD,
        totp=desk.code(),
        kind="page",
        absolute_hours=12,
        hasher=dearer,
    )
    assert not needs_rehash(desk.member.password_hash, dearer)


# Sessions
@pytest.mark.parametrize("token", ["", "unknown", "é", "\ud800"])
def test_an_unknown_token_opens_nothing(desk: Desk, token: str) -> None:
    with pytest.raises(NotSignedIn):
        desk.authenticate(token)


def test_a_used_session_stays_open_and_an_idle_one_ends(desk: Desk) -> None:
    token = desk.sign_in().token
    for _ in range(3):
        desk.clock.moment += timedelta(minutes=59)
        desk.authenticate(token)
    desk.clock.moment += timedelta(minutes=60)
    with pytest.raises(NotSignedIn):
        desk.authenticate(token)


def test_a_used_session_ends_after_its_hours(desk: Desk) -> None:
    token = desk.sign_in(absolute_hours=1).token
    desk.clock.moment += timedelta(minutes=59)
    desk.authenticate(token)
    desk.clock.moment += timedelta(minutes=1)
    with pytest.raises(NotSignedIn):
        desk.authenticate(token)


def test_signing_out_ends_only_this_session(desk: Desk) -> None:
    first = desk.sign_in()
    desk.clock.moment += timedelta(seconds=30)
    second = desk.sign_in()
    sessions.sign_out(desk.operation(), first.session)
    with pytest.raises(NotSignedIn):
        desk.authenticate(first.token)
    assert desk.authenticate(second.token).id == second.session.id
    assert len(desk.audited(AuditAction.SIGN_OUT)) == 1


def test_disabling_ends_every_session_and_token_at_once(desk: Desk, team: Team) -> None:
    page = desk.sign_in().token
    program = accounts.issue_token(desk.operation(), member=desk.member, label="zaaksysteem")
    accounts.disable(desk.operation(team.lead), desk.member)
    for token in (page, program):
        with pytest.raises(NotSignedIn):
            desk.authenticate(token, kinds={"page", "token"})
    assert all(found.revoked_at is not None for found in desk.member.sessions)
    assert desk.audited(AuditAction.STAFF_CHANGED)[-1].ground in {"added", "token_issued", "disabled"}


@pytest.mark.parametrize("who", ["worker", "self", "foreign lead"])
def test_only_a_manager_of_an_account_can_disable_it(desk: Desk, team: Team, who: str) -> None:
    foreign = factories.StaffMemberFactory.create(role=Role.LEAD)
    actors = {
        "worker": team.worker,
        "self": identity.actor_for(desk.member),
        "foreign lead": identity.actor_for(foreign),
    }
    with pytest.raises(Forbidden):
        accounts.disable(desk.operation(actors[who]), desk.member)
    assert desk.member.disabled_at is None


def test_a_token_works_for_programs_for_its_days_without_an_idle_limit(desk: Desk) -> None:
    token = accounts.issue_token(desk.operation(), member=desk.member, label="zaaksysteem", days=30)
    assert token.startswith("sig_")
    desk.clock.moment += timedelta(days=29)
    assert desk.authenticate(token, kinds={"api", "token"}).label == "zaaksysteem"
    desk.clock.moment += timedelta(days=1)
    with pytest.raises(NotSignedIn):
        desk.authenticate(token, kinds={"api", "token"})


@pytest.mark.parametrize(("label", "days"), [("", 30), ("x" * 81, 30), ("x", 0), ("x", 731)])
def test_a_token_without_label_or_end_is_refused(desk: Desk, label: str, days: int) -> None:
    with pytest.raises(Invalid):
        accounts.issue_token(desk.operation(), member=desk.member, label=label, days=days)


def test_a_disabled_account_gets_no_token(desk: Desk) -> None:
    accounts.disable(desk.operation(), desk.member)
    with pytest.raises(Forbidden):
        accounts.issue_token(desk.operation(), member=desk.member, label="x")


def test_each_spelling_of_an_address_gives_one_stored_address() -> None:
    assert identity.normal_email(" E\u0301lise@Example.org ") == "\u00e9lise@example.org"
