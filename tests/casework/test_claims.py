"""Test claiming, releasing and reassigning."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals import casework
from signals.audit.log import Actor
from signals.casework.workload import colleagues
from signals.errors import ClaimedByOther, Conflict, Forbidden, Invalid, StaleVersion
from signals.models import AuditEntry
from signals.models.staff import NOT_ACTIVATED
from signals.vocabulary import Role, SignalState
from tests import factories
from tests.casework.states import CLAIMED, CONCLUDED, IN_FOLLOW_UP, NEW, code_of
from tests.support.desk_fixtures import By, Team


def test_a_claim_records_claimant_and_moment_and_counts_the_version_up(team: Team, by: By) -> None:
    signal = team.signal()
    casework.claim(by(team.worker), signal_id=signal.id, expected_version=1)
    assert (signal.state, signal.claimed_by_id, signal.claimed_at) == (
        CLAIMED,
        team.worker.id,
        factories.MOMENT,
    )
    assert signal.version == 2


def test_claiming_the_own_signal_again_changes_nothing(session: Session, team: Team, by: By) -> None:
    signal = team.signal(CLAIMED)
    casework.claim(by(team.worker), signal_id=signal.id)
    assert signal.version == 1
    assert session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize("state", [CLAIMED, IN_FOLLOW_UP])
def test_a_second_claim_names_the_claimant_and_the_moment(team: Team, by: By, state: SignalState) -> None:
    signal = team.signal(state)
    with pytest.raises(ClaimedByOther) as refused:
        casework.claim(by(team.colleague), signal_id=signal.id)
    assert (refused.value.claimed_by, refused.value.claimed_at) == (team.worker.name, factories.MOMENT)


def test_a_concluded_signal_cannot_be_claimed_by_anybody(team: Team, by: By) -> None:
    signal = team.signal(CONCLUDED)
    for actor in (team.worker, team.colleague):
        with pytest.raises(Conflict) as refused:
            casework.claim(by(actor), signal_id=signal.id)
        assert not isinstance(refused.value, ClaimedByOther)


def test_a_signal_released_in_follow_up_stays_there_and_can_be_claimed_by_a_colleague(
    team: Team, by: By
) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    casework.release(by(team.worker), signal_id=signal.id)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, None)
    casework.claim(by(team.colleague), signal_id=signal.id)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, team.colleague.id)


@pytest.mark.parametrize("state", [NEW, CLAIMED, IN_FOLLOW_UP])
def test_a_lead_gives_an_open_signal_to_a_colleague(team: Team, by: By, state: SignalState) -> None:
    signal = team.signal(state)
    assert team.colleague.id is not None
    casework.reassign(by(team.lead), signal_id=signal.id, to_staff_id=team.colleague.id)
    assert signal.claimed_by_id == team.colleague.id
    assert signal.state is (IN_FOLLOW_UP if state is IN_FOLLOW_UP else CLAIMED)
    assert signal.history[-1].actor_id == team.lead.id


def test_a_lead_cannot_reassign_to_somebody_who_may_not_have_signals(
    session: Session, team: Team, by: By
) -> None:
    signal = team.signal()
    stranger = factories.StaffMemberFactory.create()
    privacy = factories.StaffMemberFactory.create(organisation=team.organisation, role=Role.PRIVACY_OFFICER)
    gone = factories.StaffMemberFactory.create(organisation=team.organisation, disabled_at=factories.MOMENT)
    invited = factories.StaffMemberFactory.create(
        organisation=team.organisation, totp_last_step=NOT_ACTIVATED
    )
    offered = colleagues(session, organisation_id=team.organisation.id)
    for person in (stranger, privacy, gone, invited):
        assert person.id not in dict(offered)
        with pytest.raises(Invalid) as refused:
            casework.reassign(by(team.lead), signal_id=signal.id, to_staff_id=person.id)
        assert code_of(refused) == ("to_staff_id", "unknown")


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.ADMINISTRATOR, Role.PRIVACY_OFFICER])
def test_other_roles_may_not_touch_a_signal(team: Team, by: By, role: Role) -> None:
    signal = team.signal()
    actor = Actor(id=team.worker.id, role=role.value, organisation_id=team.organisation.id)
    with pytest.raises(Forbidden):
        casework.claim(by(actor), signal_id=signal.id)


def test_a_stale_version_is_refused_before_anything_else_is_looked_at(team: Team, by: By) -> None:
    signal = team.signal(CLAIMED, version=5)
    for actor in (team.worker, team.colleague):
        with pytest.raises(StaleVersion):
            casework.claim(by(actor), signal_id=signal.id, expected_version=4)
