"""A person changes the own password and authenticator, and ends own sessions."""

from datetime import timedelta

import pyotp
import pytest

from privacy.passwords import verify_password
from signals.errors import Invalid, NotFound, NotSignedIn
from signals.models import Challenge, SignInGuess, StaffSession
from signals.staff import identity, own_account, recovery
from signals.staff.recovery import LinkRefused
from signals.staff.stale import forget_stale
from signals.vocabulary import AuditAction
from tests import factories
from tests.support.desk_fixtures import CHEAP
from tests.support.recovering import PASSWORD, Office


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
