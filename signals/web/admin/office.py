"""The calls that the API and the pages of administration share: one transaction each, for the caller."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.clock import today
from signals.models import Approval, AuditEntry, CoverageArea, Organisation, StaffMember
from signals.notices import going_live
from signals.notices.drills import Drills
from signals.organisations import administration, connections, covering
from signals.organisations.area_requests import area_of
from signals.routing import coverage as coverage_rows
from signals.routing.areas import Area
from signals.routing.coverage import CoverageCheck
from signals.staff import approvals as requests
from signals.staff import team
from signals.staff.invitations import Person
from signals.staff.providers import ProviderSettings, asked_provider
from signals.vocabulary import ApprovalAction, AuditAction, Role
from signals.web.staff_kit import account_shared
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import act, desk, operation, read
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.trail_words import action_words, actor_words, ground_words

_CARRIED_OUT: Final = {
    ApprovalAction.COVER: covering.cover_approved,
    ApprovalAction.CONNECT: connections.connect_approved,
}
SHOWN_FOR: Final = timedelta(days=30)
MOST_CHANGES: Final = 100


@dataclass(frozen=True, kw_only=True)
class ApprovalView:
    """A request with names instead of ids; `decision` is `expired` when it waited for too long.

    `mine`: the caller may decide; `for_officer`: only the privacy officer may; `area`: to cover.
    """

    approval: Approval
    mine: bool
    for_officer: bool
    organisation: Organisation | None
    area: Area | None
    provider: ProviderSettings | None
    asked_by: str
    decided_by: str | None
    decision: str


@dataclass(frozen=True, kw_only=True)
class ChangeView:
    """A change of the own organisation, and who made it."""

    at: datetime
    what: str
    by: str


@dataclass(frozen=True, kw_only=True)
class LetIn:
    """Either the account after the change, or the request that waits."""

    member: StaffMember | None = None
    approval: ApprovalView | None = None


def organisations(search: str = "") -> Sequence[Organisation]:
    """Return organisations by name; `search`: a part of the name."""
    return read(administration.organisations, search=search)


def change_organisation(
    organisation: UUID, changes: Mapping[str, Any], version: int | None = None
) -> Organisation:
    """Change the named fields; recipients as mappings with their address.

    `version`: that of a form. Raises `StaleSettings` when the form is out of date.
    """
    wanted = dict(changes)
    if "recipients" in wanted:
        wanted["recipients"] = [entry["address"] for entry in wanted["recipients"]]
    return act(
        administration.change_organisation,
        organisation_id=organisation,
        changes=wanted,
        expected_version=version,
    )


def areas_waiting(organisation: UUID) -> list[Area]:
    """Return the areas that an organisation may cover once somebody approves."""
    asked = [one for one in approvals() if one.approval.subject_id == organisation]
    return [one.area for one in asked if one.area and one.decision == "asked"]


def add_area(organisation: UUID, area: Area) -> CoverageArea | ApprovalView:
    """Let an organisation cover an area, or ask those who must agree."""
    with operation() as adding:
        done = covering.add_area(adding, organisation_id=organisation, area=area)
        return _view(adding.session, done) if isinstance(done, Approval) else done


def end_area(area_id: UUID, valid_until: date) -> CoverageArea:
    """Let a coverage end."""
    with operation() as ending:
        area = covering.end_area(ending, area_id=area_id, valid_until=valid_until)
        ending.session.refresh(area, ["organisation"])
        return area


def check_coverage(on: date | None) -> CoverageCheck:
    """Return gaps and overlaps on a day (today by default), and the next boundary change after it."""
    return read(coverage_rows.check_coverage, on or today(desk().clock))


def staff_of(organisation: UUID | None) -> Sequence[StaffMember]:
    """Return the own team; for an administrator any team, or the staff without an organisation."""
    wanted = organisation if is_administrator() else organisation_id()
    return read(team.members, organisation_id=wanted)


def let_in(*, name: str, email: str, role: Role, language: str, organisation: UUID | None) -> LetIn:
    """Invite somebody, or ask the organisation for approval."""
    own = organisation if is_administrator() or organisation is not None else organisation_id()
    person = Person(organisation_id=own, role=role, name=name, email=email, language=language)
    return _changed(partial(team.grant, person=person))


def reset(member_id: UUID) -> LetIn:
    """Recover an account, or ask the organisation for approval."""
    return _changed(partial(team.reset, member_id=member_id))


def disable(member_id: UUID) -> LetIn:
    """Shut somebody out at once, or ask the privacy officer for approval."""
    return _changed(lambda operation, **_settings: team.disable(operation, member_id=member_id))


def change_role(member_id: UUID, role: Role) -> LetIn:
    """Give somebody of the own team another role, or ask the privacy officer for approval."""
    return _changed(
        lambda operation, **_settings: team.change_role(operation, member_id=member_id, role=role)
    )


def steps_to_live(organisation: Organisation) -> Mapping[str, bool]:
    """Return the steps of an organisation before its test message, and whether each is done."""
    with desk().reading() as session:
        found = session.get_one(Organisation, organisation.id)
        return going_live.steps_to_live(session, found, today(desk().clock))


def send_test_message(organisation: UUID) -> None:
    """Send a team the test message whose answer makes it live. Raises `NotReady`."""
    drills = Drills(public_url=desk().settings.server.public_url)
    act(going_live.send_test_message, organisation_id=organisation, drills=drills)


def approvals() -> list[ApprovalView]:
    """Return the requests about the own organisation; for an administrator, those of all that can be seen."""
    wanted = None if is_administrator() else organisation_id()
    with desk().reading() as session:
        return [_view(session, found) for found in requests.approvals(session, organisation_id=wanted)]


def decide(approval_id: UUID, *, approve: bool) -> ApprovalView:
    """Approve or decline for the own organisation, or as another administrator."""
    settings = account_shared.account_settings()
    with operation() as deciding:
        done = requests.decide(
            deciding,
            settings=settings,
            approval_id=approval_id,
            approve=approve,
            cover=lambda operation, approval: _CARRIED_OUT[approval.action](operation, approval),
        )
        return _view(deciding.session, done)


def is_administrator() -> bool:
    """Return whether the caller is an administrator."""
    return current().actor.role == Role.ADMINISTRATOR


def _changed(change: Callable[..., StaffMember | Approval]) -> LetIn:
    with operation() as changing:
        done = change(changing, settings=account_shared.account_settings())
        if isinstance(done, Approval):
            return LetIn(approval=_view(changing.session, done))
        return LetIn(member=done)


def _view(session: Session, approval: Approval) -> ApprovalView:
    decider = session.get(StaffMember, approval.decided_by_id) if approval.decided_by_id else None
    team = approval.organisation_id
    expired = approval.decision == "asked" and requests.is_over(approval, desk().clock)
    return ApprovalView(
        approval=approval,
        mine=not requests.is_over(approval, desk().clock)
        and requests.may_decide(session, actor=current().actor, approval=approval),
        for_officer=requests.is_for_officer(session, approval),
        organisation=session.get(Organisation, team) if team else None,
        area=area_of(approval) if approval.action is ApprovalAction.COVER else None,
        provider=asked_provider(approval) if approval.action is ApprovalAction.PROVIDER else None,
        asked_by=session.get_one(StaffMember, approval.asked_by_id).name,
        decided_by=decider.name if decider else None,
        decision="expired" if expired else approval.decision,
    )


def recent_changes() -> list[ChangeView]:
    """Return the changes of the last 30 days that decide whether the own organisation receives reports."""
    since = desk().clock.now() - SHOWN_FOR
    query = (
        select(AuditEntry, StaffMember.name)
        .outerjoin(StaffMember, StaffMember.id == AuditEntry.actor_id)
        .where(AuditEntry.organisation_id == organisation_id(), AuditEntry.at >= since)
        .where(AuditEntry.action.in_((AuditAction.ORGANISATION_CHANGED, AuditAction.COVERAGE_CHANGED)))
        .order_by(AuditEntry.at.desc(), AuditEntry.id)
    )
    with desk().reading() as session:
        return [
            ChangeView(
                at=entry.at,
                what=f"{action_words(entry.action, entry.ground)}: {ground_words(entry.ground)}",
                by=name or actor_words(entry.actor_role),
            )
            for entry, name in session.execute(query.limit(MOST_CHANGES))
        ]
