"""Who has a signal: claiming, putting back, giving to a colleague."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals import casework
from signals.audit.log import Actor, AuditLog
from signals.clock import FixedClock
from signals.errors import ClaimedByOther, Conflict, Forbidden, Invalid, NotFound, StaleVersion
from signals.models import AuditEntry
from signals.vocabulary import Role, SignalState
from tests import factories
from tests.casework.states import CLAIMED, CONCLUDED, IN_FOLLOW_UP, NEW, code_of
from tests.support.desk_fixtures import (
    Team,
    new_team,
)


def test_a_claim_says_who_and_when_and_counts_the_version_up(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal()
    casework.claim(session, clock, signal_id=signal.id, actor=team.worker, audit=audit, expected_version=1)
    assert (signal.state, signal.claimed_by_id, signal.claimed_at) == (
        CLAIMED,
        team.worker.id,
        factories.MOMENT,
    )
    assert signal.version == 2


def test_claiming_what_one_has_changes_nothing(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    casework.claim(session, clock, signal_id=signal.id, actor=team.worker, audit=audit)
    assert signal.version == 1
    assert session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize("state", [CLAIMED, IN_FOLLOW_UP])
def test_the_second_to_claim_is_told_who_has_it_since_when(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, state: SignalState
) -> None:
    signal = team.signal(state)
    with pytest.raises(ClaimedByOther) as refused:
        casework.claim(session, clock, signal_id=signal.id, actor=team.colleague, audit=audit)
    assert (refused.value.claimed_by, refused.value.claimed_at) == (team.worker.name, factories.MOMENT)


def test_a_concluded_signal_cannot_be_claimed_by_anybody(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CONCLUDED)
    for actor in (team.worker, team.colleague):
        with pytest.raises(Conflict) as refused:
            casework.claim(session, clock, signal_id=signal.id, actor=actor, audit=audit)
        assert not isinstance(refused.value, ClaimedByOther)


def test_a_signal_released_in_follow_up_stays_there_and_can_be_claimed_by_a_colleague(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    casework.release(session, clock, signal_id=signal.id, actor=team.worker, audit=audit)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, None)
    casework.claim(session, clock, signal_id=signal.id, actor=team.colleague, audit=audit)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, team.colleague.id)


def test_a_colleague_cannot_release_and_a_lead_can(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    with pytest.raises(ClaimedByOther):
        casework.release(session, clock, signal_id=signal.id, actor=team.colleague, audit=audit)
    casework.release(session, clock, signal_id=signal.id, actor=team.lead, audit=audit)
    assert signal.state is NEW


@pytest.mark.parametrize("state", [NEW, CLAIMED, IN_FOLLOW_UP])
def test_a_lead_gives_an_open_signal_to_a_colleague(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, state: SignalState
) -> None:
    signal = team.signal(state)
    assert team.colleague.id is not None
    casework.reassign(
        session,
        clock,
        signal_id=signal.id,
        to_staff_id=team.colleague.id,
        actor=team.lead,
        audit=audit,
    )
    assert signal.claimed_by_id == team.colleague.id
    assert signal.state is (IN_FOLLOW_UP if state is IN_FOLLOW_UP else CLAIMED)
    assert signal.history[-1].actor_id == team.lead.id


def test_a_signal_cannot_be_given_to_who_may_not_have_it(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal()
    stranger = factories.StaffMemberFactory.create()
    privacy = factories.StaffMemberFactory.create(organisation=team.organisation, role=Role.PRIVACY_OFFICER)
    gone = factories.StaffMemberFactory.create(organisation=team.organisation, disabled_at=factories.MOMENT)
    for person in (stranger, privacy, gone):
        with pytest.raises(Invalid) as refused:
            casework.reassign(
                session, clock, signal_id=signal.id, to_staff_id=person.id, actor=team.lead, audit=audit
            )
        assert code_of(refused) == ("to_staff_id", "unknown")


def test_only_a_lead_reassigns(session: Session, clock: FixedClock, audit: AuditLog, team: Team) -> None:
    signal = team.signal(CLAIMED)
    assert team.colleague.id is not None
    with pytest.raises(Forbidden):
        casework.reassign(
            session,
            clock,
            signal_id=signal.id,
            to_staff_id=team.colleague.id,
            actor=team.colleague,
            audit=audit,
        )


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.ADMINISTRATOR, Role.PRIVACY_OFFICER])
def test_other_roles_may_not_touch_a_signal(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, role: Role
) -> None:
    signal = team.signal()
    actor = Actor(id=team.worker.id, role=role.value, organisation_id=team.organisation.id)
    with pytest.raises(Forbidden):
        casework.claim(session, clock, signal_id=signal.id, actor=actor, audit=audit)


def test_a_stale_version_is_refused_before_anything_else_is_looked_at(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CLAIMED, version=5)
    for actor in (team.worker, team.colleague):
        with pytest.raises(StaleVersion):
            casework.claim(session, clock, signal_id=signal.id, actor=actor, audit=audit, expected_version=4)


def test_another_organisation_finds_nothing_to_claim(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal()
    with pytest.raises(NotFound):
        casework.claim(session, clock, signal_id=signal.id, actor=new_team().lead, audit=audit)
