"""Test account links, passwords and authenticators."""

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from privacy.passwords import needs_rehash, verify_password
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import FixedClock
from signals.errors import Forbidden, Invalid, NotFound, NotSignedIn, SignInFailed
from signals.models import (
    AccountLink,
    Approval,
    AuditEntry,
    Challenge,
    SignInGuess,
    StaffMember,
    StaffSession,
)
from signals.operation import Operation
from signals.staff import identity, invitations, own_account, recovery, sign_in
from signals.staff.change_messages import AccountSettings
from signals.staff.invitations import Person
from signals.staff.new_passwords import problems_of_password
from signals.staff.recovery import LinkRefused
from signals.staff.stale import forget_stale
from signals.vocabulary import AuditAction, Role
from tests import factories
from tests.support.desk_fixtures import (
    CHEAP,
    PlainKeys,
    Team,
)
from tests.support.operations import operation

PAGE = "https://desk.example/desk/account/link"
PASSWORD = "zeven groene fietsen"
NEW_EMAIL = "nieuw@example.org"


class Office:
    """A team and the settings for its accounts."""

    def __init__(
        self, session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys, team: Team
    ) -> None:
        self.session, self.clock, self.audit, self.keys, self.team = session, clock, audit, keys, team
        self.settings = AccountSettings(site="https://desk.example", hasher=CHEAP)
        self.seen: list[uuid.UUID] = []

    def operation(self, actor: Actor = SYSTEM) -> Operation:
        return operation(self.session, self.clock, actor, audit=self.audit, keystore=self.keys)

    def invite(self, actor: Actor | None = None, **how: Any) -> StaffMember:
        values: dict[str, Any] = {
            "organisation_id": self.team.organisation.id,
            "role": Role.WORKER,
            "name": "Nina Nieuw",
            "email": NEW_EMAIL,
        } | how
        return invitations.invite(
            self.operation(actor or self.team.lead), settings=self.settings, person=Person(**values)
        )

    def recover(self, member: StaffMember, actor: Actor | None = None, **how: Any) -> None:
        recovery.recover(
            self.operation(actor or self.team.lead), member=member, settings=self.settings, **how
        )

    def worker(self) -> StaffMember:
        assert self.team.worker.id is not None
        return self.session.get_one(StaffMember, self.team.worker.id)

    def token(self) -> str:
        """Return the secret of the newest link, as the mail carries it."""
        message = self._newest_message()
        told = recovery.fill_in_secret(self.keys, message.event, message.subject_id, message.values)
        return urlsplit(told["link"]).fragment

    def _newest_message(self) -> OutboxMessage:
        """Return the message that is new since the last call; the rows keep no order."""
        fresh = [m for m in self.session.scalars(select(OutboxMessage)) if m.id not in self.seen]
        self.seen += [message.id for message in fresh]
        return self.session.get_one(OutboxMessage, self.seen[-1])

    def code(self, token: str) -> str:
        link = recovery.link_of(self.session, self.clock, token=token)
        return pyotp.TOTP(recovery.offered_totp(self.keys, link.id)).at(self.clock.now())

    def take_up(self, token: str, **how: Any) -> sign_in.SignedIn:
        values: dict[str, Any] = {"password": PASSWORD} | how
        values.setdefault("totp", self.code(token))
        return recovery.activate(self.operation(), token=token, absolute_hours=12, hasher=CHEAP, **values)

    def sign_in(self, email: str, totp: str) -> sign_in.SignedIn:
        return sign_in.sign_in_with_password(
            self.operation(),
            email=email,
            password=PASSWORD,
            totp=totp,
            kind="page",
            absolute_hours=12,
            hasher=CHEAP,
        )

    def grounds(self, action: AuditAction) -> list[str]:
        return list(self.session.scalars(select(AuditEntry.ground).where(AuditEntry.action == action)))


@pytest.fixture
def office(session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys, team: Team) -> Office:
    return Office(session, clock, audit, keys, team)


def administrator() -> Actor:
    return identity.actor_for(factories.StaffMemberFactory.create(role=Role.ADMINISTRATOR, organisation=None))


# Links


def test_an_invited_colleague_sets_the_account_up_and_signs_in_with_it(office: Office) -> None:
    member = office.invite()
    token = office.token()
    secret = recovery.offered_totp(
        office.keys, recovery.link_of(office.session, office.clock, token=token).id
    )
    signed_in = office.take_up(token)
    assert signed_in.member.id == member.id
    with pytest.raises(SignInFailed):  # the code of the activation works no more
        office.sign_in(NEW_EMAIL, pyotp.TOTP(secret).at(office.clock.now()))
    office.clock.moment += timedelta(seconds=30)
    office.sign_in(NEW_EMAIL, pyotp.TOTP(secret).at(office.clock.now()))
    assert office.grounds(AuditAction.PASSWORD_CHANGED) == ["invitation"]


def test_nobody_signs_in_before_the_owner_has_activated_the_account(office: Office) -> None:
    member = office.invite()
    assert member.password_hash.startswith("$argon2id$")
    assert not needs_rehash(member.password_hash, CHEAP)  # a check costs the same for every account
    assert not verify_password(member.password_hash, "")


def test_neither_outbox_nor_link_holds_the_secret(office: Office) -> None:
    office.invite()
    token = office.token()
    assert len(token) == 22
    (message,) = office.session.scalars(select(OutboxMessage)).all()
    (link,) = office.session.scalars(select(AccountLink)).all()
    assert message.values == {"link": PAGE, "valid_until": "2026-03-03"}
    assert token not in repr((message.values, link.token_hash, link.id, link.purpose))
    assert recovery.link_token(office.keys, link.id) == token


def test_a_link_works_once(office: Office) -> None:
    office.invite()
    token = office.token()
    code = office.code(token)
    office.take_up(token)
    with pytest.raises(LinkRefused):
        office.take_up(token, totp=code)


def test_a_link_works_for_a_day(office: Office) -> None:
    office.invite()
    token = office.token()
    office.clock.moment += timedelta(hours=24, seconds=-1)
    recovery.link_of(office.session, office.clock, token=token)
    office.clock.moment += timedelta(seconds=1)
    with pytest.raises(LinkRefused):
        recovery.link_of(office.session, office.clock, token=token)


@pytest.mark.parametrize("token", ["", "A" * 22, "é" * 22, "x" * 5000, "\x00", "#", "' OR 1=1 --"])
def test_an_unknown_secret_is_refused(office: Office, token: str) -> None:
    office.invite()
    with pytest.raises(LinkRefused):
        recovery.link_of(office.session, office.clock, token=token)


def test_a_pasted_address_contains_the_secret(office: Office) -> None:
    office.invite()
    token = office.token()
    assert recovery.link_of(office.session, office.clock, token=f"  {PAGE}#{token}\n").purpose == "invitation"


def test_a_newer_link_makes_the_older_one_useless_and_each_is_for_its_own_account(office: Office) -> None:
    member = office.invite()
    first = office.token()
    office.recover(member)
    with pytest.raises(LinkRefused):
        office.take_up(first, totp="000000")
    other = office.invite(email="ander@example.org")
    links = office.session.scalars(select(AccountLink)).all()
    tokens = {link.staff_member_id: recovery.link_token(office.keys, link.id) for link in links}
    assert office.take_up(tokens[member.id]).member.id == member.id
    assert office.take_up(tokens[other.id]).member.id == other.id


def test_the_link_of_a_disabled_account_opens_nothing(office: Office) -> None:
    member = office.invite()
    token = office.token()
    member.disabled_at = office.clock.now()
    with pytest.raises(LinkRefused):
        recovery.link_of(office.session, office.clock, token=token)


@pytest.mark.parametrize(
    ("how", "fields"),
    [({"password": "te kort"}, ["password"]), ({"totp": "000000"}, ["totp"]), ({"totp": ""}, ["totp"])],
)
def test_a_wrong_entry_leaves_link_and_account_as_they_were(
    office: Office, how: dict[str, str], fields: list[str]
) -> None:
    member = office.invite()
    token, before = office.token(), member.password_hash
    with pytest.raises(Invalid) as refused:
        office.take_up(token, **how)
    assert [problem.field for problem in refused.value.problems] == fields
    assert member.password_hash == before
    office.take_up(token)


# Who may


def test_recovery_shuts_an_account_for_every_means_at_once(office: Office) -> None:
    member = office.worker()
    office.session.add(
        factories.StaffSessionFactory.build(staff_member=member, kind="token", token_hash=b"t" * 32)
    )
    before = member.password_hash, member.totp_sealed
    office.recover(member)
    assert member.password_hash != before[0]
    assert member.totp_sealed != before[1]
    live = select(StaffSession).where(StaffSession.revoked_at.is_(None))
    assert office.session.scalars(live).all() == []
    assert "recovered" in office.grounds(AuditAction.STAFF_CHANGED)
    assert office.take_up(office.token()).member.id == member.id


@pytest.mark.parametrize(
    "who", ["worker", "foreign lead", "lead for elsewhere", "coordinator", "administrator"]
)
def test_a_forbidden_invitation_sends_nothing(office: Office, who: str) -> None:
    foreign = identity.actor_for(factories.StaffMemberFactory.create(role=Role.LEAD))
    cases: dict[str, dict[str, Any]] = {
        "worker": {"actor": office.team.worker},
        "foreign lead": {"actor": foreign},
        "lead for elsewhere": {"organisation_id": foreign.organisation_id},
        "coordinator": {"role": Role.COORDINATOR, "organisation_id": None},
        "administrator": {"role": Role.ADMINISTRATOR},
    }
    with pytest.raises(Forbidden):
        office.invite(**cases[who])
    assert office.session.scalars(select(OutboxMessage)).all() == []


def test_an_administrator_invites_only_the_first_lead_of_an_organisation(office: Office) -> None:
    boss, empty = administrator(), factories.OrganisationFactory.create()
    with pytest.raises(Forbidden):
        office.invite(boss, organisation_id=empty.id, role=Role.WORKER)
    lead = office.invite(boss, organisation_id=empty.id, role=Role.LEAD)
    office.take_up(office.token())
    lead.disabled_at = office.clock.now()  # disabling a whole team does not open the way in
    office.session.flush()
    with pytest.raises(Forbidden):
        office.invite(boss, organisation_id=empty.id, role=Role.LEAD, email="tweede@example.org")


@pytest.mark.parametrize("who", ["worker", "self", "foreign lead", "administrator"])
def test_a_forbidden_recovery_changes_nothing(office: Office, who: str) -> None:
    member = office.worker()
    actor = {
        "worker": office.team.colleague,
        "self": identity.actor_for(member),
        "foreign lead": identity.actor_for(factories.StaffMemberFactory.create(role=Role.LEAD)),
        "administrator": administrator(),
    }[who]
    before = member.password_hash
    with pytest.raises(Forbidden):
        office.recover(member, actor)
    assert member.password_hash == before


def test_a_lead_does_not_recover_the_own_account(office: Office) -> None:
    assert office.team.lead.id is not None
    with pytest.raises(Forbidden):
        office.recover(office.session.get_one(StaffMember, office.team.lead.id))


def test_a_disabled_account_is_not_recovered(office: Office) -> None:
    member = office.worker()
    member.disabled_at = office.clock.now()
    office.session.flush()
    with pytest.raises(Forbidden):
        office.recover(member, SYSTEM)


@pytest.mark.parametrize(
    "change", [{}, {"decision": "asked"}, {"action": "grant"}, {"email": "x@example.org"}]
)
def test_an_administrator_recovers_only_with_the_approval_for_it(
    office: Office, change: dict[str, str]
) -> None:
    member, boss = office.worker(), administrator()
    values: dict[str, Any] = {
        "organisation_id": member.organisation_id,
        "action": "reset",
        "email": member.email,
        "name": member.name,
        "asked_by_id": boss.id,
        "asked_at": office.clock.now(),
        "decision": "approved",
    } | change
    if change:
        with pytest.raises(Forbidden):
            office.recover(member, boss, approval=Approval(**values))
    else:
        office.recover(member, boss, approval=Approval(**values))


# Passwords


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elf tekens!", "too_short"),
        ("x" * 201, "too_long"),
        ("Wachtwoord2026!", "too_common"),
        ("W@chtw00rd!!!!", "too_common"),
        ("welkomwelkom", "too_common"),
        ("123456789012", "too_common"),
        ("aaaaaaaaaaaaaaab", "too_common"),
        ("1234-5678-9012", "too_common"),
        ("............", "too_common"),
        ("Gemeente2026!", "too_common"),
        ("SanneVoorbeeld12", "too_personal"),
        ("s.voorbeeld1979", "too_personal"),
    ],
)
def test_a_weak_password_is_refused(password: str, code: str) -> None:
    problems = problems_of_password(password, name="Sanne Voorbeeld", email="s.voorbeeld@welzijn.example")
    assert [problem.code for problem in problems] == [code]


@pytest.mark.parametrize(
    "password",
    ["zeven groene fietsen", "een lange zin als wachtwoord", "Ik eet om 7 uur brood!", "лето в деревне"],
)
def test_a_long_password_of_any_characters_is_good(password: str) -> None:
    assert list(problems_of_password(password, name="Jan de Wit", email="jan@example.org")) == []


# The own account


def own_session(office: Office, secret: bytes = b"own") -> StaffSession:
    made: StaffSession = factories.StaffSessionFactory.create(
        staff_member=office.worker(), token_hash=secret.ljust(32)
    )
    office.session.flush()
    return made


def change_password(office: Office, own: StaffSession, password: str = PASSWORD) -> None:
    own_account.change_password(office.operation(), staff_session=own, password=password, hasher=CHEAP)


def test_a_new_password_ends_every_other_session_but_no_token(office: Office) -> None:
    own, other = own_session(office), own_session(office, b"other")
    token = factories.StaffSessionFactory.create(staff_member=office.worker(), kind="token")
    change_password(office, own)
    assert verify_password(office.worker().password_hash, PASSWORD)
    office.session.expire_all()
    assert (own.revoked_at, token.revoked_at) == (None, None)
    assert other.revoked_at == office.clock.now()
    assert office.grounds(AuditAction.PASSWORD_CHANGED) == ["own"]


def test_a_new_password_makes_a_waiting_link_useless(office: Office) -> None:
    own, member = own_session(office), office.worker()
    recovery.mail_link(office.operation(), office.settings, member, "recovery")
    token = office.token()
    change_password(office, own)
    with pytest.raises(LinkRefused):
        recovery.link_of(office.session, office.clock, token=token)


def test_a_session_from_before_a_recovery_cannot_set_a_password(office: Office) -> None:
    own = own_session(office)
    office.recover(office.worker())
    before = office.worker().password_hash
    with pytest.raises(NotSignedIn):
        change_password(office, own)
    assert office.worker().password_hash == before


def test_a_right_code_replaces_the_authenticator(office: Office) -> None:
    own, other = own_session(office), own_session(office, b"other")
    own.staff_member.totp_sealed = b"sealed"
    office.session.flush()
    secret = own_account.offered_totp(office.keys, own)
    assert own_account.offered_totp(office.keys, other) != secret

    def change(code: str) -> None:
        own_account.change_totp(office.operation(), staff_session=own, totp=code)

    with pytest.raises(Invalid):
        change("000000")
    change(pyotp.TOTP(secret).at(office.clock.now()))
    assert identity.open_totp(office.keys, office.worker()) == secret
    assert own_account.offered_totp(office.keys, own) != secret
    office.session.expire_all()
    assert other.revoked_at is not None


def test_only_own_sessions_are_listed_and_ended(office: Office) -> None:
    own, idle = own_session(office), own_session(office, b"idle")
    idle.last_seen_at -= timedelta(minutes=60)
    foreign = factories.StaffSessionFactory.create()
    listed = own_account.sessions_of(
        office.session, office.clock, member_id=own.staff_member_id, idle_minutes=60
    )
    assert [found.id for found in listed] == [own.id]
    by_owner = office.operation(identity.actor_for(own.staff_member))
    own_account.revoke_one(by_owner, own.id)
    assert own.revoked_at is not None
    with pytest.raises(NotFound):
        own_account.revoke_one(by_owner, foreign.id)


def test_signing_in_is_recent_for_ten_minutes(office: Office) -> None:
    own = own_session(office)
    office.clock.moment = own.created_at + timedelta(minutes=10, seconds=-1)
    assert own_account.signed_in_recently(office.clock, staff_session=own)
    office.clock.moment += timedelta(seconds=1)
    assert not own_account.signed_in_recently(office.clock, staff_session=own)


def test_expired_links_guesses_and_challenges_are_deleted(office: Office) -> None:
    now = office.clock.now()
    office.invite()
    office.session.add(SignInGuess(bucket=b"b" * 32, count=1, last_at=now, next_at=now))
    office.session.add(Challenge(purpose="sign_in", challenge=b"c", expires_at=now + timedelta(minutes=5)))
    forgotten = []
    for step in (timedelta(minutes=4), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=24)):
        office.clock.moment += step
        forgotten.append(forget_stale(office.session, office.clock))
    assert forgotten == [0, 1, 1, 1]
