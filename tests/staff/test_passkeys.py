"""Test passkeys with a device in Python, and every wrong answer of a device."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import FixedClock
from signals.errors import Invalid, NotFound, NotSignedIn, SignInFailed
from signals.models import AuditEntry, Challenge, Passkey, StaffMember, StaffSession
from signals.operation import Operation
from signals.staff import identity, passkeys, sign_in
from signals.staff.challenges import ChallengeRefused
from signals.staff.relying_party import PasskeyRefused, RelyingParty, relying_party
from signals.staff.sessions import open_session
from signals.vocabulary import AuditAction
from tests import factories
from tests.support.authenticator import Authenticator
from tests.support.desk_fixtures import PlainKeys, Team
from tests.support.operations import operation

HERE = RelyingParty(id="localhost", origin="http://localhost:8000", name="Deurpost")


class Ceremonies:
    """A member of staff with a device."""

    def __init__(self, session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys) -> None:
        self.session, self.clock, self.audit, self.keys = session, clock, audit, keys
        self.member = factories.StaffMemberFactory.create()
        self.device = Authenticator()
        self.signed_in = self.session_of(self.member)

    def operation(self, actor: Actor = SYSTEM) -> Operation:
        return operation(self.session, self.clock, actor, audit=self.audit, keystore=self.keys)

    def session_of(self, member: StaffMember) -> StaffSession:
        _token, opened = open_session(self.session, member, "page", self.clock.now(), timedelta(hours=12))
        self.session.flush()
        return opened

    def options(self, member: StaffMember | None = None) -> str:
        return passkeys.registration_options(self.operation(), party=HERE, member=member or self.member)

    def register(self, answer: str | None = None, **how: Any) -> Passkey:
        values: dict[str, Any] = {"label": "telefoon", "staff_session": self.signed_in} | how
        return passkeys.register(
            self.operation(),
            party=HERE,
            answer=answer if answer is not None else self.device.create(self.options()),
            **values,
        )

    def ask(self, **of: Any) -> str:
        return passkeys.sign_in_options(self.clock, keystore=self.keys, party=HERE, **of)

    def sign_in(self, answer: str | None = None, **of: Any) -> sign_in.SignedIn:
        return passkeys.sign_in_with_passkey(
            self.operation(),
            party=HERE,
            answer=answer if answer is not None else self.device.get(self.ask()),
            absolute_hours=12,
            **of,
        )

    def grounds(self, action: AuditAction) -> list[str]:
        return list(self.session.scalars(select(AuditEntry.ground).where(AuditEntry.action == action)))


@pytest.fixture
def desk(session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys) -> Ceremonies:
    return Ceremonies(session, clock, audit, keys)


# The relying party
@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("https://desk.example", ("desk.example", "https://desk.example")),
        ("https://desk.example:8443/", ("desk.example", "https://desk.example:8443")),
        ("http://localhost:8000", ("localhost", "http://localhost:8000")),
        ("http://127.0.0.1:8000", ("localhost", "http://localhost:8000")),
        ("http://[::1]:8000", ("localhost", "http://localhost:8000")),
        ("https://192.0.2.7", None),
        ("http://desk.example", None),
    ],
)
def test_passkeys_need_a_domain_that_browsers_trust(url: str, party: tuple[str, str] | None) -> None:
    found = relying_party(url, "Deurpost")
    assert (found and (found.id, found.origin)) == party


# Registering and signing in


def test_a_registered_passkey_signs_its_owner_in(desk: Ceremonies) -> None:
    desk.register()
    signed_in = desk.sign_in()
    assert signed_in.member.id == desk.member.id
    assert signed_in.session.kind == "page"
    assert desk.grounds(AuditAction.PASSKEY_CHANGED) == ["added"]
    assert desk.grounds(AuditAction.SIGN_IN) == ["passkey"]


def test_the_counter_is_kept_and_a_copied_passkey_is_refused_and_recorded(desk: Ceremonies) -> None:
    passkey = desk.register()
    desk.device.count = 7
    desk.sign_in()
    assert passkey.sign_count == 8
    desk.device.count = 7
    with pytest.raises(SignInFailed):
        desk.sign_in()
    assert desk.grounds(AuditAction.SIGN_IN_FAILED) == ["passkey_copied"]
    assert passkey.sign_count == 8


def test_a_device_without_a_counter_works_more_than_once(desk: Ceremonies) -> None:
    desk.device.count = 0
    desk.register()
    for _ in range(2):
        desk.device.count = -1
        desk.sign_in()


def test_an_answer_works_once(desk: Ceremonies) -> None:
    desk.device.count = 0
    desk.register()
    desk.device.count = -1  # the counter cannot tell
    answer = desk.device.get(desk.ask())
    desk.sign_in(answer)
    with pytest.raises(SignInFailed):
        desk.sign_in(answer)


def test_an_answer_expires_after_five_minutes(desk: Ceremonies) -> None:
    desk.register()
    in_time, late = desk.device.get(desk.ask()), desk.device.get(desk.ask())
    desk.clock.moment += timedelta(minutes=4, seconds=59)
    desk.sign_in(in_time)
    desk.clock.moment += timedelta(seconds=1)
    with pytest.raises(SignInFailed):
        desk.sign_in(late)


def test_old_used_challenges_are_deleted(desk: Ceremonies) -> None:
    desk.register()
    desk.sign_in()
    desk.clock.moment += timedelta(minutes=5)
    desk.sign_in()
    assert len(desk.session.scalars(select(Challenge)).all()) == 1


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("verified", False),
        ("origin", "http://localhost:8001"),
        ("origin", "https://evil.example"),
        ("rp_id", "evil.example"),
        ("user_handle", b"somebody else's"),
        ("key", Authenticator().key),
    ],
)
def test_a_wrong_answer_opens_nothing_and_leaves_a_trace(desk: Ceremonies, what: str, wrong: Any) -> None:
    desk.register()
    setattr(desk.device, what, wrong)
    with pytest.raises(SignInFailed):
        desk.sign_in()
    assert desk.grounds(AuditAction.SIGN_IN_FAILED) == ["passkey"]


@pytest.mark.parametrize(
    ("what", "wrong"), [("verified", False), ("origin", "https://evil.example"), ("rp_id", "evil.example")]
)
def test_a_passkey_is_not_registered_by_a_wrong_answer(desk: Ceremonies, what: str, wrong: Any) -> None:
    setattr(desk.device, what, wrong)
    with pytest.raises(PasskeyRefused):
        desk.register()


def test_a_challenge_works_for_one_purpose_and_one_person(desk: Ceremonies) -> None:
    desk.register()
    other = factories.StaffMemberFactory.create()
    confirming = desk.device.get(desk.ask(member_id=desk.member.id))
    with pytest.raises(SignInFailed):
        desk.sign_in(confirming)
    with pytest.raises(SignInFailed):
        desk.sign_in(desk.device.get(desk.ask(member_id=other.id)), member_id=other.id)
    with pytest.raises(ChallengeRefused):
        desk.register(Authenticator(credential_id=b"another").create(desk.options(other)))
    assert desk.sign_in(
        desk.device.get(desk.ask(member_id=desk.member.id)), member_id=desk.member.id
    ).member.id == (desk.member.id)


def test_the_passkey_of_a_disabled_member_opens_nothing(desk: Ceremonies) -> None:
    desk.register()
    desk.member.disabled_at = desk.clock.now()
    with pytest.raises(SignInFailed):
        desk.sign_in()
    with pytest.raises(NotSignedIn):
        desk.register()


def test_a_credential_belongs_to_one_person(desk: Ceremonies) -> None:
    desk.register()
    other = factories.StaffMemberFactory.create()
    with pytest.raises(PasskeyRefused):
        desk.register(desk.device.create(desk.options(other)), staff_session=desk.session_of(other))


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", "7", '"x"', '{"response": {}}', "{" * 20_000])
def test_nonsense_is_refused_like_a_wrong_answer(desk: Ceremonies, answer: str) -> None:
    with pytest.raises(SignInFailed):
        desk.sign_in(answer)
    with pytest.raises((PasskeyRefused, ChallengeRefused)):
        desk.register(answer)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_altered_answer_never_opens_anything(desk: Ceremonies, data: st.DataObject) -> None:
    if not passkeys.passkeys_of(desk.session, member_id=desk.member.id):
        desk.register()
    answer = desk.device.get(desk.ask())
    first, last = answer.index('"response"'), answer.index('"clientExtensionResults"')
    place = first + data.draw(st.integers(0, 9_999)) % (last - first)
    letter = data.draw(st.sampled_from('Aa0_-"{}:, '))
    if letter == answer[place] or answer[place].isspace() or not answer[place].isalnum():
        return
    altered = answer[:place] + letter + answer[place + 1 :]
    try:
        signed_in = desk.sign_in(altered)
    except SignInFailed:
        return
    # An accepted answer has the same content: the last letter of base64 has unused bits.
    assert signed_in.member.id == desk.member.id
    assert place > answer.index('"response"')


# Own passkeys


def test_only_its_owner_renames_and_removes_a_passkey(desk: Ceremonies, team: Team) -> None:
    passkey = desk.register()
    other = desk.session.get_one(StaffMember, team.worker.id)
    acts: tuple[Callable[[StaffMember], None], ...] = (
        lambda who: passkeys.rename(
            desk.operation(identity.actor_for(who)), passkey_id=passkey.id, label="laptop"
        ),
        lambda who: passkeys.remove(desk.operation(identity.actor_for(who)), passkey_id=passkey.id),
    )
    for act in acts:
        with pytest.raises(NotFound):
            act(other)
        act(desk.member)
    with pytest.raises(SignInFailed):
        desk.sign_in()
    assert sorted(desk.grounds(AuditAction.PASSKEY_CHANGED)) == ["added", "removed", "renamed"]


@pytest.mark.parametrize("label", ["", "  ", "x" * 61])
def test_a_passkey_has_a_name(desk: Ceremonies, label: str) -> None:
    with pytest.raises(Invalid):
        desk.register(label=label)


def test_a_person_has_at_most_ten_passkeys(desk: Ceremonies) -> None:
    for number in range(10):
        desk.device.credential_id = b"credential-%d" % number
        desk.register()
    desk.device.credential_id = b"one too many"
    with pytest.raises(Invalid):
        desk.register()
