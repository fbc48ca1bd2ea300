"""Test the work of a team when each process has its own database role."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from notifications.models import OutboxMessage
from privacy.passwords import PasswordHasherSettings
from signals import casework
from signals.audit.log import Actor
from signals.casework.undoing import undoable
from signals.clock import today
from signals.errors import NotFound
from signals.models import Absence, Approval, Organisation, Recipient, Signal, StaffMember
from signals.organisations.administration import change_organisation
from signals.organisations.covering import cover_approved
from signals.organisations.recipients import ask_for_proof
from signals.organisations.team_settings import RecipientWish, ask_again, change_settings
from signals.staff import approvals, team
from signals.staff.absence import absences, add_absence, remove_absence
from signals.staff.accounts import disable
from signals.staff.change_messages import AccountSettings
from signals.staff.invitations import Person
from signals.vocabulary import Action, AttemptKind, AttemptResult, Role, SignalState
from tests.factories import RecipientFactory
from tests.support.fenced_team import acting, person
from tests.support.fences import FencedWorld, worker_of
from tests.support.world import AMSTERDAM, GRONINGEN, World

pytestmark = pytest.mark.postgres

ADMINISTRATOR = Role.ADMINISTRATOR
CHECK = OutboxMessage.event == "recipient_check"
SETTINGS = AccountSettings(site="https://signalen.example", hasher=PasswordHasherSettings(memory_kib=64))


def claimed(fenced: FencedWorld, actor: Actor) -> Signal:
    fenced.front.receive(1)
    worker_of(fenced.worker).arrive()
    [signal] = fenced.all_seeing.signals()
    with acting(fenced.desk, actor) as session:
        casework.claim(fenced.desk.operation(session, actor), signal_id=signal.id)
    return signal


def test_a_lead_changes_settings_and_an_administrator_asks_a_recipient_again(
    fenced_world: FencedWorld,
) -> None:
    desk, lead = fenced_world.desk, person(fenced_world, Role.LEAD)
    with fenced_world.all_seeing.sessions() as session:
        known = session.scalars(select(Recipient).where(Recipient.organisation_id == AMSTERDAM)).all()
    wishes = [RecipientWish(address=entry.address) for entry in known]
    new = RecipientWish(address="nieuw@example.org")
    with acting(desk, lead) as session:
        change_settings(
            desk.operation(session, lead),
            organisation_id=AMSTERDAM,
            changes={"recipients": [*wishes, new], "opens_at": 8},
        )
    assert _asked(fenced_world.worker) == 1
    bea = person(fenced_world, ADMINISTRATOR, None)
    with acting(desk, bea) as session:
        ask_again(
            desk.operation(session, bea),
            organisation_id=AMSTERDAM,
            address=new.address,
        )
    assert _asked(fenced_world.worker) == 1
    with acting(desk, lead) as session:
        change_settings(
            desk.operation(session, lead),
            organisation_id=AMSTERDAM,
            changes={"recipients": wishes},
        )
    with fenced_world.all_seeing.sessions() as session:
        assert session.scalars(select(OutboxMessage.recipient).where(CHECK)).all() == []
        assert session.get_one(Organisation, AMSTERDAM).opens_at == 8


def test_an_administrator_without_an_organisation_corrects_an_address_of_a_team(
    fenced_world: FencedWorld,
) -> None:
    desk, bea = fenced_world.desk, person(fenced_world, ADMINISTRATOR, None)
    with fenced_world.all_seeing.sessions.begin() as session:
        first, *others = session.get_one(Organisation, AMSTERDAM).recipients
        waiting = RecipientFactory.build(
            organisation_id=AMSTERDAM, address="wacht@example.org", position=9, verified_on=None
        )
        spare = RecipientFactory.build(
            organisation_id=AMSTERDAM, address="ook@example.org", position=3, verified_on=first.verified_on
        )
        session.add_all([waiting, spare])
    assert _asked(fenced_world.worker) == 1
    kept = [*others, spare]
    with acting(desk, bea) as session:
        change_organisation(
            desk.operation(session, bea),
            organisation_id=AMSTERDAM,
            changes={"recipients": ["nieuw@example.org", *(one.address for one in kept)]},
        )
    with fenced_world.all_seeing.sessions() as session:
        found = session.get_one(Organisation, AMSTERDAM).recipients
        assert [one.address for one in found] == ["nieuw@example.org", *(one.address for one in kept)]
        assert session.scalars(select(OutboxMessage.recipient).where(CHECK)).all() == []
    assert _asked(fenced_world.worker) == 1


def _asked(world: World) -> int:
    with world.sessions.begin() as session:
        return ask_for_proof(world.operation(session), public_url="https://a.example")


def test_absences_are_the_own_teams_and_the_worker_reminds_by_them(fenced_world: FencedWorld) -> None:
    desk = fenced_world.desk
    anna, bram = person(fenced_world, Role.WORKER), person(fenced_world, Role.WORKER)
    claimed(fenced_world, anna)
    on = today(desk.clock)
    with acting(desk, anna) as session:
        absence = add_absence(
            desk.operation(session, anna), away_from=on, away_until=on + timedelta(days=5), cover_id=bram.id
        )
    desk.clock.moment += timedelta(days=1)
    assert worker_of(fenced_world.worker).remind() > 0
    with fenced_world.all_seeing.sessions() as session:
        told = session.scalars(select(OutboxMessage.event).where(OutboxMessage.event == "stand_in")).all()
        assert told == ["stand_in"]
    gerda = person(fenced_world, Role.LEAD, GRONINGEN)
    with acting(desk, gerda) as session:
        assert absences(session, organisation_id=None, on=on) == []
        with pytest.raises(NotFound):
            remove_absence(desk.operation(session, gerda), absence.id)
    with acting(desk, anna) as session:
        remove_absence(desk.operation(session, anna), absence.id)
    with fenced_world.all_seeing.sessions() as session:
        assert session.scalars(select(Absence)).all() == []


@pytest.mark.parametrize("role", [Role.LEAD, ADMINISTRATOR])
def test_disabling_an_account_releases_its_signals(fenced_world: FencedWorld, role: Role) -> None:
    desk, anna = fenced_world.desk, person(fenced_world, Role.WORKER)
    by = person(fenced_world, role, AMSTERDAM if role is Role.LEAD else None)
    claimed(fenced_world, anna)
    with acting(desk, by) as session:
        member = session.get_one(StaffMember, anna.id)
        disable(desk.operation(session, by), member)
        seen = session.scalars(select(Signal)).all()
    [signal] = fenced_world.all_seeing.signals()
    assert (signal.state, signal.claimed_by_id) == (SignalState.NEW, None)
    assert len(seen) == (1 if role is Role.LEAD else 0)


def test_a_lead_lets_somebody_in_again_who_gets_a_link_and_keeps_nothing_of_before(
    fenced_world: FencedWorld,
) -> None:
    desk, anna = fenced_world.desk, person(fenced_world, Role.WORKER)
    lead = person(fenced_world, Role.LEAD)
    with acting(desk, lead) as session:
        team.disable(desk.operation(session, lead), member_id=anna.id)
        before = session.get_one(StaffMember, anna.id).password_hash
    with acting(desk, lead) as session:
        team.reopen(desk.operation(session, lead), member_id=anna.id, settings=SETTINGS)
    with fenced_world.all_seeing.sessions() as session:
        member = session.get_one(StaffMember, anna.id)
        assert (member.disabled_at, member.password_hash != before) == (None, True)
        told = session.scalars(select(OutboxMessage).where(OutboxMessage.event == "account_link")).all()
        assert [message.recipient for message in told] == [member.email]


def test_an_officer_approves_that_somebody_with_a_signal_becomes_officer_too(
    fenced_world: FencedWorld,
) -> None:
    desk, anna = fenced_world.desk, person(fenced_world, Role.WORKER)
    lead, officer = person(fenced_world, Role.LEAD), person(fenced_world, Role.PRIVACY_OFFICER)
    claimed(fenced_world, anna)
    with acting(desk, lead) as session:
        for _twice in range(2):
            asked = team.change_role(
                desk.operation(session, lead),
                member_id=anna.id,
                role=Role.PRIVACY_OFFICER,
            )
        assert isinstance(asked, Approval)
        approval_id = asked.id
    with acting(desk, officer) as session:
        [found] = approvals.approvals(session, organisation_id=AMSTERDAM)
        assert found.id == approval_id
        approvals.decide(
            desk.operation(session, officer),
            approval_id=approval_id,
            approve=True,
            settings=SETTINGS,
            cover=cover_approved,
        )
    [signal] = fenced_world.all_seeing.signals()
    assert (signal.state, signal.claimed_by_id) == (SignalState.NEW, None)
    with fenced_world.all_seeing.sessions() as session:
        assert session.get_one(StaffMember, anna.id).role is Role.PRIVACY_OFFICER


def test_an_administrator_invites_another_first_lead_instead_of_an_absent_one(
    fenced_world: FencedWorld,
) -> None:
    desk, bea = fenced_world.desk, person(fenced_world, ADMINISTRATOR, None)
    for name in ("nora", "olga", "olga"):
        lead = Person(organisation_id=GRONINGEN, role=Role.LEAD, name=name, email=f"{name}@example.org")
        with acting(desk, bea) as session:
            team.grant(desk.operation(session, bea), person=lead, settings=SETTINGS)
    with fenced_world.all_seeing.sessions() as session:
        of_team = select(StaffMember).where(StaffMember.organisation_id == GRONINGEN)
        found = {member.name: member.disabled_at is None for member in session.scalars(of_team)}
    assert found == {"nora": False, "olga": True}


def test_the_operator_rescues_a_team_as_the_desks_role_and_notifies_everybody(
    fenced_world: FencedWorld,
) -> None:
    desk, lead = fenced_world.desk, person(fenced_world, Role.LEAD)
    officer, bea = person(fenced_world, Role.PRIVACY_OFFICER), person(fenced_world, ADMINISTRATOR, None)
    with fenced_world.all_seeing.sessions.begin() as session:
        session.get_one(StaffMember, lead.id).disabled_at = desk.clock.now()
    with desk.sessions.begin() as session:
        member = session.get_one(StaffMember, lead.id)
        team.rescue(desk.operation(session), member=member, settings=SETTINGS)
    with fenced_world.all_seeing.sessions() as session:
        told = {(message.event, message.recipient) for message in session.scalars(select(OutboxMessage))}
        emails = [session.get_one(StaffMember, one.id).email for one in (lead, officer, bea)]
        assert session.get_one(StaffMember, lead.id).disabled_at is None
    assert told == set(zip(("account_link", "account_changed", "account_changed"), emails, strict=True))


def test_a_deputys_page_finds_its_team_without_anybody_signed_in(fenced_world: FencedWorld) -> None:
    with fenced_world.desk.sessions() as session:
        assert session.get_one(Organisation, AMSTERDAM).name


def test_the_desk_undoes_a_change_of_the_own_team_only(fenced_world: FencedWorld) -> None:
    actor, foreign = person(fenced_world, Role.WORKER), person(fenced_world, Role.WORKER, GRONINGEN)
    desk, signal_id = fenced_world.desk, claimed(fenced_world, actor).id
    with acting(desk, actor) as session:
        operation = desk.operation(session, actor)
        tried = {"kind": AttemptKind.VISIT, "result": AttemptResult.NO_ANSWER, "attempted_at": operation.now}
        undoable(operation, casework.record_attempt, signal_id=signal_id, **tried)
    with pytest.raises(NotFound), acting(desk, foreign) as session:
        casework.undo(desk.operation(session, foreign), signal_id=signal_id)
    with acting(desk, actor) as session:
        casework.undo(desk.operation(session, actor), signal_id=signal_id)
    with fenced_world.all_seeing.sessions() as session:
        signal = session.get_one(Signal, signal_id)
        assert (signal.state, signal.attempts) == (SignalState.CLAIMED, [])
        assert [change.action for change in signal.history] == [Action.CLAIM]
