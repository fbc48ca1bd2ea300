"""Drills (proefmeldingen): each quarter every team proves by one click that somebody reads its messages.

A drill is no signal: it has no content, and no queue or statistic counts it. An unanswered drill goes to the
next person. After two missed drills in a row routing falls to the next level, until the team answers one.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM
from signals.clock import AMSTERDAM
from signals.db import set_local
from signals.lifecycle.deadlines import add_working_days, is_working_day
from signals.models import Drill, Organisation
from signals.operation import Operation
from signals.organisations.addressing import (
    EMAIL_ONLY,
    ContactPoint,
    administrators,
    deputy_of,
    leads_of,
    not_disturbing,
    path_for,
    team_of,
    who_see_signals,
)
from signals.organisations.covering import announce_start
from signals.organisations.onboarding import receives
from signals.organisations.recipients import ProofRefused
from signals.organisations.team_settings import record_change
from signals.organisations.verification_links import PREFIX, path_codes
from signals.routing.snapshot import lock_organisations, routing_changed
from signals.staff.standing import has_lead
from signals.vocabulary import OrganisationKind

STEPS: Final = (0, 3, 4, 5)
"""Working days after sending, when first recipient, second recipient, lead and administrator get it."""
MISSED_AFTER: Final = 6
"""Working days; the day after the administrator got it."""
MISSED_IN_A_ROW: Final = 2
LINK_DAYS: Final = 45
_OVERVIEW: Final = "/admin/messages"
"""The page that names the team to administrators: a message may not name it."""
AGAIN_DAYS: Final = 7
"""A team without routing gets another drill each week, so that it can get routing back."""
_SPREAD_DAYS: Final = 56
"""Days at the start of a quarter over which drills are spread, so that not all teams fail on one day."""
_FIRST, _SECOND, _LEAD, _ADMINISTRATOR = range(len(STEPS))


@dataclass(frozen=True, kw_only=True)
class Sending:
    """The result of sending one drill: the number of messages and their moment, or the open drill."""

    organisation_id: uuid.UUID
    name: str
    notified: int = 0
    leaves_at: datetime | None = None
    unanswered_since: date | None = None

    @property
    def was_sent(self) -> bool:
        """Return whether a new drill was sent."""
        return self.unanswered_since is None


@dataclass(frozen=True, kw_only=True)
class DrillReport:
    """The result of one run of the job."""

    sent: int = 0
    notified: int = 0
    missed: int = 0
    suspended: int = 0


@dataclass(frozen=True, kw_only=True)
class Drills:
    """Send drills and handle their answers. `public_url`: the address of the staff pages."""

    public_url: str
    channels: Collection[str] = EMAIL_ONLY

    def run(self, begin: Callable[[], AbstractContextManager[Operation]]) -> DrillReport:
        """Follow up unanswered drills and send due ones, on working days; safe to run twice.

        Each takes a transaction of its own: the first may change routing, and the second refers to
        organisations that another transaction may lock before it changes routing.
        """
        with begin() as operation:
            if not is_working_day(operation.today):
                return DrillReport()
            followed = self.follow_up(operation)
        with begin() as operation:
            found = _organisations(operation.session)
            due = [one.id for one in found if _is_due(operation.session, one, operation.today)]
            return replace(followed, sent=self.send(operation, organisation_ids=due))

    def send(self, operation: Operation, *, organisation_ids: Collection[uuid.UUID]) -> int:
        """Send a drill to each of these organisations without an open one; return how many."""
        return sum(one.was_sent for one in self.send_each(operation, organisation_ids=organisation_ids))

    def send_each(self, operation: Operation, *, organisation_ids: Collection[uuid.UUID]) -> list[Sending]:
        """Send as `send` does, and return the result for each organisation."""
        wanted = set(organisation_ids)
        found = _organisations(operation.session)
        return [self._send_one(operation, one) for one in found if one.id in wanted]

    def follow_up(self, operation: Operation) -> DrillReport:
        """Send unanswered drills to the next person, record missed ones, and take routing away."""
        session, on = operation.session, operation.today
        in_order = open_drills().order_by(Drill.organisation_id, Drill.id)
        drills = session.scalars(in_order.with_for_update()).all()
        missed = {drill for drill in drills if add_working_days(drill.sent_on, MISSED_AFTER) <= on}
        lock_organisations(session, {drill.organisation_id for drill in missed})
        organisations = {found.id: found for found in _organisations(session)}
        report = DrillReport(missed=len(missed))
        for drill in drills:
            organisation = organisations[drill.organisation_id]
            report = replace(report, notified=report.notified + self._climb(operation, drill, organisation))
            if drill in missed:
                drill.missed_on = on
                suspended = self._suspend(operation, drill, organisation)
                report = replace(report, suspended=report.suspended + suspended)
        return report

    def answer(self, operation: Operation, *, drill: Drill) -> bool:
        """Record that somebody pressed the button; return whether routing came back by it."""
        if drill.answered_on is not None:
            return False
        session, on = operation.session, operation.today
        drill.answered_on = on
        session.flush()
        organisation = session.get_one(Organisation, drill.organisation_id)
        _lock(session, organisation)
        if organisation.proved_on is None and has_lead(session, organisation.id):
            announce_start(operation, organisation)
            organisation.proved_on = on
            _record_routing(operation, organisation, Ground.DRILL_ANSWERED)
        by = _suspending(session, organisation)
        if by is None:
            return False
        organisation.suspended_from = by.planned_end
        if by.planned_end is not None and by.planned_end <= on:
            return False  # the planned end came meanwhile
        # Row-level security: the visitor has no organisation, so the messages are written about the drill.
        set_local(session, subject=str(drill.id))
        _record_routing(operation, organisation, Ground.DRILL_ANSWERED)
        self._notify_all(operation, Event.ROUTING_RESTORED, drill, organisation)
        return True

    def _send_one(self, operation: Operation, organisation: Organisation) -> Sending:
        session, on = operation.session, operation.today
        fresh = Sending(organisation_id=organisation.id, name=organisation.name)
        waiting = session.scalar(open_drills().where(Drill.organisation_id == organisation.id).limit(1))
        if waiting is not None:
            return replace(fresh, unanswered_since=waiting.sent_on)
        drill = Drill(organisation_id=organisation.id, sent_on=on, step=_FIRST)
        try:
            with session.begin_nested():
                session.add(drill)
        except IntegrityError:  # another worker sent it at the same moment
            return replace(fresh, unanswered_since=on)
        set_local(session, subject=str(drill.id))  # an administrator is of no team: it is about the drill
        messages = self._notify(operation, drill, organisation, _FIRST)
        return replace(fresh, notified=messages, leaves_at=not_disturbing(organisation, operation.now))

    def _climb(self, operation: Operation, drill: Drill, organisation: Organisation) -> int:
        messages = 0
        for step in range(drill.step + 1, len(STEPS)):
            if add_working_days(drill.sent_on, STEPS[step]) <= operation.today:
                drill.step = step
                messages += self._notify(operation, drill, organisation, step)
        return messages

    def _suspend(self, operation: Operation, drill: Drill, organisation: Organisation) -> bool:
        """Take routing away after two missed drills in a row; the national desk has no level below it.

        The organisation is locked and was read since, so a decision of a person at this moment stays.
        """
        last = operation.session.scalars(_latest(organisation.id).limit(MISSED_IN_A_ROW)).all()
        all_missed = all(found.missed_on is not None and found.answered_on is None for found in last)
        if len(last) < MISSED_IN_A_ROW or not all_missed or organisation.kind is OrganisationKind.NATIONAL:
            return False
        on, end = operation.today, organisation.suspended_from
        if end is not None and end <= on:
            return False
        drill.planned_end = end
        organisation.suspended_from = drill.suspended_from = on
        _record_routing(operation, organisation, Ground.DRILLS_MISSED)
        self._notify_all(operation, Event.ROUTING_SUSPENDED, drill, organisation)
        return True

    def _notify(self, operation: Operation, drill: Drill, organisation: Organisation, step: int) -> int:
        """Write the messages of one step; a step without a person waits for the next one."""
        session = operation.session
        if step == _ADMINISTRATOR:
            event, to, day, path = Event.DRILL_UNANSWERED, administrators(session), drill.sent_on, _OVERVIEW
        else:
            event, to = Event.DRILL, self._answerers(session, organisation, step)
            day, path = add_working_days(drill.sent_on, MISSED_AFTER), f"{PREFIX}/drill/{drill.id}"
        pages = [(contact, path) for contact in to]
        return enqueue(session, self._messages(operation, event, drill, organisation, day, pages))

    def _answerers(self, session: Session, organisation: Organisation, step: int) -> list[ContactPoint]:
        if step == _LEAD:
            return [*leads_of(session, [organisation.id]).get(organisation.id, []), *deputy_of(organisation)]
        return team_of(organisation, channels=self.channels)[step : step + 1]

    def _notify_all(
        self, operation: Operation, event: Event, drill: Drill, organisation: Organisation
    ) -> None:
        """Write a message about routing to team, lead, deputy and administrators."""
        session = operation.session
        team = team_of(organisation, channels=self.channels)
        concerned = [*team, *self._answerers(session, organisation, _LEAD)]
        known = {contact.recipient for contact in concerned}
        signed_in = who_see_signals(session)
        pages = [
            (contact, path_for(contact, organisation.id, "/desk", see_signals=signed_in))
            for contact in concerned
        ]
        pages += [
            (contact, _OVERVIEW) for contact in administrators(session) if contact.recipient not in known
        ]
        enqueue(session, self._messages(operation, event, drill, organisation, operation.today, pages))

    def _messages(
        self,
        operation: Operation,
        event: Event,
        drill: Drill,
        organisation: Organisation,
        day: date,
        pages: Iterable[tuple[ContactPoint, str]],
    ) -> list[NewMessage]:
        """Return a message for each person, with the page that its link opens."""
        until = drill.sent_on + timedelta(days=LINK_DAYS)
        return [
            NewMessage(
                event=event,
                subject_id=drill.id,
                organisation_id=organisation.id,
                channel=contact.channel,
                recipient=contact.recipient,
                language=contact.language,
                values={"link": f"{self.public_url.rstrip('/')}{page}", DATES[event]: day.isoformat()},
                not_before=not_disturbing(organisation, operation.now),
                expires_at=datetime.combine(until, time(), AMSTERDAM),
            )
            for contact, page in dict(pages).items()
        ]


def _is_due(session: Session, organisation: Organisation, on: date) -> bool:
    latest = session.scalar(_latest(organisation.id).limit(1))
    if _suspending(session, organisation) is not None:
        return latest is None or latest.sent_on + timedelta(days=AGAIN_DAYS) <= on
    if not receives(organisation, on):
        return False
    quarter = on.replace(month=(on.month - 1) // 3 * 3 + 1, day=1)
    turn = quarter + timedelta(days=organisation.id.int % _SPREAD_DAYS)
    return on >= turn and (latest is None or latest.sent_on < quarter)


def _record_routing(operation: Operation, organisation: Organisation, ground: Ground) -> None:
    routing_changed(operation.session)
    record_change(operation.acting_as(SYSTEM), organisation.id, ground)


def drill_of(operation: Operation, *, drill_id: uuid.UUID, code: str) -> Drill:
    """Return the drill of a live link. Raises `ProofRefused`, alike for every cause."""
    if not path_codes(operation.keystore).fits(code, f"{PREFIX}/drill/{drill_id}"):
        raise ProofRefused
    drill = operation.session.get(Drill, drill_id)
    if drill is None or operation.today > drill.sent_on + timedelta(days=LINK_DAYS):
        raise ProofRefused
    return drill


def _organisations(session: Session) -> Sequence[Organisation]:
    query = select(Organisation).options(selectinload(Organisation.recipients))
    return session.scalars(query.order_by(Organisation.id)).all()


def _lock(session: Session, organisation: Organisation) -> None:
    """Lock an organisation: an administrator may suspend it at this moment, and that decision stays."""
    lock_organisations(session, [organisation.id])
    session.refresh(organisation, ["suspended_from", "proved_on"])


def open_drills() -> Select[Drill]:
    """Select the drills that somebody may still answer in time."""
    return select(Drill).where(Drill.answered_on.is_(None), Drill.missed_on.is_(None))


def _latest(organisation_id: uuid.UUID) -> Select[Drill]:
    return select(Drill).where(Drill.organisation_id == organisation_id).order_by(Drill.sent_on.desc())


def _suspending(session: Session, organisation: Organisation) -> Drill | None:
    """Return the drill by which an organisation lost its routing; None when no drill did."""
    if organisation.suspended_from is None:
        return None
    by_drill = select(Drill).where(
        Drill.organisation_id == organisation.id, Drill.suspended_from == organisation.suspended_from
    )
    return session.scalar(by_drill.limit(1))
