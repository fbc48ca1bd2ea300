"""Test account links, passwords and authenticators."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from notifications.models import OutboxMessage
from signals.audit.log import SYSTEM, Actor
from signals.errors import Forbidden, Invalid, SignInFailed
from signals.models import AccountLink, Approval, StaffSession
from signals.staff import identity, recovery
from signals.staff.new_passwords import problems_of_password
from signals.staff.recovery import LinkRefused
from signals.vocabulary import AuditAction, Role
from tests import factories
from tests.support.recovering import NEW_EMAIL, Office

PAGE = "https://desk.example/desk/account/link"


def administrator() -> Actor:
    return identity.actor_for(factories.StaffMemberFactory.create(role=Role.ADMINISTRATOR, organisation=None))


# Links
def test_an_invited_colleague_sets_the_account_up_and_signs_in_with_it(office: Office) -> None:
    member = office.invite()
    token = office.token()
    offer = office.look(token)
    secret, signed_in = offer.secret, office.take_up(token, offer)
    assert signed_in.member.id == member.id
    with pytest.raises(SignInFailed):  # the code of the activation works no more
        office.sign_in(NEW_EMAIL, pyotp.TOTP(secret).at(office.clock.now()))
    office.clock.moment += timedelta(seconds=30)
    office.sign_in(NEW_EMAIL, pyotp.TOTP(secret).at(office.clock.now()))
    assert office.grounds(AuditAction.PASSWORD_CHANGED) == ["invitation"]


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
    offer = office.look(token)
    office.take_up(token, offer)
    with pytest.raises(LinkRefused):
        office.take_up(token, offer)


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


# Rights
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
