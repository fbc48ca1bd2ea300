"""Drills (proefmeldingen): each quarter every team proves by one click that what it is sent is read.

A drill is no signal: it holds no content, is in no queue and in no statistics. Unanswered, it goes to one
after another; after two missed in a row the routing falls to the next level, until one is answered.
"""

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload, sessionmaker

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.audit.log import SYSTEM, AuditLog
from signals.clock import AMSTERDAM, Clock, today
from signals.db import set_local
from signals.lifecycle.deadlines import add_working_days, is_working_day
from signals.models import Drill, Organisation
from signals.organisations.addressing import (
    EMAIL_ONLY,
    ContactPoint,
    administrators,
    deputy_of,
    leads_of,
    not_disturbing,
    once_each,
    path_for,
    team_of,
    who_see_signals,
)
from signals.organisations.onboarding import receives
from signals.organisations.recipients import ProofRefused
from signals.organisations.verification_links import PREFIX, path_codes
from signals.routing.snapshot import lock_organisations, routing_changed
from signals.staff.identity import Secrets
from signals.vocabulary import AuditAction, OrganisationKind

STEPS: Final = (0, 3, 4, 5)
"""Working days after sending, at which first recipient, second recipient, lead and administrator are told."""
MISSED_AFTER: Final = 6
"""Working days; the day after the administrator was told."""
MISSED_IN_A_ROW: Final = 2
LINK_DAYS: Final = 45
_OVERVIEW: Final = "/admin/messages"
"""Where administrators see which team it is: a message may not name one."""
AGAIN_DAYS: Final = 7
"""A team whose routing was taken away gets another drill each week, so that it can get it back."""
_SPREAD_DAYS: Final = 56
"""Over the first weeks of a quarter, so that not all teams are tested, nor fail, on one day."""
_FIRST, _SECOND, _LEAD, _ADMINISTRATOR = range(len(STEPS))


@dataclass(frozen=True, kw_only=True)
class ChannelProof:
    """One organisation: when its channel was last proved, and what is open now."""

    organisation_id: uuid.UUID
    name: str
    proved_on: date | None
    sent_on: date | None
    waits: bool
    missed: int
    suspended: bool


@dataclass(frozen=True, kw_only=True)
class Sending:
    """What came of sending one organisation a drill: to how many it goes and when, or what it waits for."""

    organisation_id: uuid.UUID
    name: str
    told: int = 0
    leaves_at: datetime | None = None
    unanswered_since: date | None = None

    @property
    def was_sent(self) -> bool:
        """Whether it is a new one."""
        return self.unanswered_since is None


@dataclass(frozen=True, kw_only=True)
class DrillReport:
    """What one run of the job did."""

    sent: int = 0
    told: int = 0
    missed: int = 0
    suspended: int = 0


@dataclass(frozen=True, kw_only=True)
class Drills:
    """What drills work with. `public_url`: where staff reach the product."""

    audit: AuditLog
    public_url: str
    channels: Collection[str] = EMAIL_ONLY

    def run(self, sessions: sessionmaker[Session], clock: Clock) -> DrillReport:
        """Follow up what is unanswered and send what is due, on working days; safe to run twice.

        Each in a transaction of its own: the one may change routing, and the other refers to organisations
        that somebody holds who waits to change it.
        """
        if not is_working_day(today(clock)):
            return DrillReport()
        with sessions.begin() as session:
            followed = self.follow_up(session, clock)
        with sessions.begin() as session:
            due = [
                found.id for found in _organisations(session) if self._is_due(session, found, today(clock))
            ]
            return replace(followed, sent=self.send(session, clock, organisation_ids=due))

    def send(self, session: Session, clock: Clock, *, organisation_ids: Collection[uuid.UUID]) -> int:
        """Send a drill now to each of these, where none waits; gives how many."""
        done = self.send_each(session, clock, organisation_ids=organisation_ids)
        return sum(sending.was_sent for sending in done)

    def send_each(
        self, session: Session, clock: Clock, *, organisation_ids: Collection[uuid.UUID]
    ) -> list[Sending]:
        """As `send`, and tells of each what came of it."""
        wanted = set(organisation_ids)
        found = _organisations(session)
        return [self._send_one(session, clock, one) for one in found if one.id in wanted]

    def follow_up(self, session: Session, clock: Clock) -> DrillReport:
        """Tell the next in line of what is unanswered; note what was missed, and its consequence."""
        on, told, suspended = today(clock), 0, 0
        in_order = _open_drills().order_by(Drill.organisation_id, Drill.id)
        drills = session.scalars(in_order.with_for_update()).all()
        missed = {drill for drill in drills if add_working_days(drill.sent_on, MISSED_AFTER) <= on}
        lock_organisations(session, {drill.organisation_id for drill in missed})
        organisations = {found.id: found for found in _organisations(session)}
        for drill in drills:
            organisation = organisations[drill.organisation_id]
            told += self._climb(session, clock, drill, organisation)
            if drill in missed:
                drill.missed_on = on
                suspended += self._consequence(session, clock, drill, organisation)
        return DrillReport(told=told, missed=len(missed), suspended=suspended)

    def _climb(self, session: Session, clock: Clock, drill: Drill, organisation: Organisation) -> int:
        told = 0
        for step in range(drill.step + 1, len(STEPS)):
            if add_working_days(drill.sent_on, STEPS[step]) <= today(clock):
                drill.step = step
                told += self._tell(session, clock, drill, organisation, step)
        return told

    def answer(self, session: Session, clock: Clock, *, drill: Drill) -> bool:
        """Somebody pressed the button: the channel is proved. Gives whether routing came back by it."""
        if drill.answered_on is not None:
            return False
        drill.answered_on = today(clock)
        session.flush()
        organisation = session.get_one(Organisation, drill.organisation_id)
        _lock(session, organisation)
        by = _suspending(session, organisation)
        if by is None:
            return False
        organisation.suspended_from = by.planned_end
        if by.planned_end is not None and by.planned_end <= today(clock):
            return False  # it has ended meanwhile, as was planned
        # Row-level security: who answers has no organisation, so the messages are written about the drill.
        set_local(session, subject=str(drill.id))
        self._record_routing(session, clock, organisation, "drill_answered")
        self._tell_all(session, clock, Event.ROUTING_RESTORED, drill, organisation)
        return True

    def _send_one(self, session: Session, clock: Clock, organisation: Organisation) -> Sending:
        fresh = Sending(organisation_id=organisation.id, name=organisation.name)
        waiting = session.scalar(_open_drills().where(Drill.organisation_id == organisation.id).limit(1))
        if waiting is not None:
            return replace(fresh, unanswered_since=waiting.sent_on)
        drill = Drill(organisation_id=organisation.id, sent_on=today(clock), step=_FIRST)
        try:
            with session.begin_nested():
                session.add(drill)
        except IntegrityError:  # another worker sent it at the same moment
            return replace(fresh, unanswered_since=today(clock))
        told = self._tell(session, clock, drill, organisation, _FIRST)
        return replace(fresh, told=told, leaves_at=not_disturbing(organisation, clock.now()))

    def _is_due(self, session: Session, organisation: Organisation, on: date) -> bool:
        latest = session.scalar(_latest(organisation.id).limit(1))
        if _suspending(session, organisation) is not None:
            return latest is None or latest.sent_on + timedelta(days=AGAIN_DAYS) <= on
        if not receives(organisation, on):
            return False
        quarter = on.replace(month=(on.month - 1) // 3 * 3 + 1, day=1)
        turn = quarter + timedelta(days=organisation.id.int % _SPREAD_DAYS)
        return on >= turn and (latest is None or latest.sent_on < quarter)

    def _consequence(self, session: Session, clock: Clock, drill: Drill, organisation: Organisation) -> int:
        """Two missed in a row: routing falls to the next level. The national desk has none below it.

        The organisation is held, and was read since: what a person decides at this moment stays as it is.
        """
        last = session.scalars(_latest(organisation.id).limit(MISSED_IN_A_ROW)).all()
        all_missed = all(found.missed_on is not None and found.answered_on is None for found in last)
        if len(last) < MISSED_IN_A_ROW or not all_missed or organisation.kind is OrganisationKind.NATIONAL:
            return 0
        on, end = today(clock), organisation.suspended_from
        if end is not None and end <= on:
            return 0
        drill.planned_end = end
        organisation.suspended_from = drill.suspended_from = on
        self._record_routing(session, clock, organisation, "drills_missed")
        self._tell_all(session, clock, Event.ROUTING_SUSPENDED, drill, organisation)
        return 1

    def _record_routing(
        self, session: Session, clock: Clock, organisation: Organisation, ground: str
    ) -> None:
        routing_changed(session)
        self.audit.record(
            session,
            clock,
            actor=SYSTEM,
            action=AuditAction.ORGANISATION_CHANGED,
            subject_id=organisation.id,
            organisation_id=organisation.id,
            ground=ground,
        )

    def _tell(
        self, session: Session, clock: Clock, drill: Drill, organisation: Organisation, step: int
    ) -> int:
        """One step of the ladder; where nobody stands on it, the next step comes on its day."""
        if step == _ADMINISTRATOR:
            messages = self._messages(
                clock,
                Event.DRILL_UNANSWERED,
                drill,
                organisation,
                administrators(session),
                drill.sent_on,
                path=_OVERVIEW,
            )
        else:
            to = self._answerers(session, organisation, step)
            until = add_working_days(drill.sent_on, MISSED_AFTER)
            path = f"{PREFIX}/drill/{drill.id}"
            messages = self._messages(clock, Event.DRILL, drill, organisation, to, until, path=path)
        return enqueue(session, list(messages))

    def _answerers(self, session: Session, organisation: Organisation, step: int) -> Sequence[ContactPoint]:
        if step == _LEAD:
            return [*leads_of(session, [organisation.id]).get(organisation.id, []), *deputy_of(organisation)]
        return team_of(organisation, channels=self.channels)[step : step + 1]

    def _tell_all(
        self, session: Session, clock: Clock, event: Event, drill: Drill, organisation: Organisation
    ) -> None:
        concerned = [
            *team_of(organisation, channels=self.channels),
            *self._answerers(session, organisation, _LEAD),
        ]
        known = {reach.recipient for reach in concerned}
        others = [reach for reach in administrators(session) if reach.recipient not in known]
        day = today(clock)
        team = self._messages(
            clock,
            event,
            drill,
            organisation,
            concerned,
            day,
            path="/desk",
            see_signals=who_see_signals(session),
        )
        office = self._messages(clock, event, drill, organisation, others, day, path=_OVERVIEW)
        enqueue(session, [*team, *office])

    def _messages(
        self,
        clock: Clock,
        event: Event,
        drill: Drill,
        organisation: Organisation,
        to: Sequence[ContactPoint],
        day: date,
        *,
        path: str,
        see_signals: Collection[tuple[uuid.UUID | None, str]] | None = None,
    ) -> Iterator[NewMessage]:
        """`see_signals`: who gets into the page at `path`, where not everybody does; see `path_for`."""
        until = drill.sent_on + timedelta(days=LINK_DAYS)
        for reach in once_each(to):
            page = path
            if see_signals is not None:
                page = path_for(reach, organisation.id, path, see_signals=see_signals)
            yield NewMessage(
                event=event,
                subject_id=drill.id,
                organisation_id=organisation.id,
                channel=reach.channel,
                recipient=reach.recipient,
                language=reach.language,
                values={"link": f"{self.public_url.rstrip('/')}{page}", DATES[event]: day.isoformat()},
                not_before=not_disturbing(organisation, clock.now()),
                expires_at=datetime.combine(until, time(), AMSTERDAM),
            )


def drill_of(session: Session, clock: Clock, *, keystore: Secrets, drill_id: uuid.UUID, code: str) -> Drill:
    """The drill that a link is about, if the link is live. Raises `ProofRefused`, alike for every cause."""
    if not path_codes(keystore).fits(code, f"{PREFIX}/drill/{drill_id}"):
        raise ProofRefused
    drill = session.get(Drill, drill_id)
    if drill is None or today(clock) > drill.sent_on + timedelta(days=LINK_DAYS):
        raise ProofRefused
    return drill


def channel_proofs(session: Session) -> list[ChannelProof]:
    """For each organisation when its channel was last proved; for administrators."""
    drills: dict[uuid.UUID, list[Drill]] = {}
    for drill in session.scalars(select(Drill).order_by(Drill.sent_on)):
        drills.setdefault(drill.organisation_id, []).append(drill)
    query = select(Organisation).order_by(Organisation.name)
    return [_proof(found, drills.get(found.id, [])) for found in session.scalars(query)]


def _proof(organisation: Organisation, drills: Sequence[Drill]) -> ChannelProof:
    answered = [drill.answered_on for drill in drills if drill.answered_on is not None]
    missed = 0
    for drill in reversed(drills):
        if drill.answered_on is not None:
            break
        missed += drill.missed_on is not None
    taken = {drill.suspended_from for drill in drills if drill.suspended_from is not None}
    return ChannelProof(
        organisation_id=organisation.id,
        name=organisation.name,
        proved_on=max(answered, default=None),
        sent_on=drills[-1].sent_on if drills else None,
        waits=bool(drills) and drills[-1].answered_on is None and drills[-1].missed_on is None,
        missed=missed,
        suspended=organisation.suspended_from is not None and organisation.suspended_from in taken,
    )


def _organisations(session: Session) -> Sequence[Organisation]:
    query = select(Organisation).options(selectinload(Organisation.recipients))
    return session.scalars(query.order_by(Organisation.id)).all()


def _lock(session: Session, organisation: Organisation) -> None:
    """An administrator may suspend it at this moment, and what a person decides stays as it is."""
    lock_organisations(session, [organisation.id])
    session.refresh(organisation, ["suspended_from"])


def _open_drills() -> Select[Drill]:
    return select(Drill).where(Drill.answered_on.is_(None), Drill.missed_on.is_(None))


def _latest(organisation_id: uuid.UUID) -> Select[Drill]:
    return select(Drill).where(Drill.organisation_id == organisation_id).order_by(Drill.sent_on.desc())


def _suspending(session: Session, organisation: Organisation) -> Drill | None:
    """The drill by which an organisation lost its routing, if it was one."""
    if organisation.suspended_from is None:
        return None
    by_drill = select(Drill).where(
        Drill.organisation_id == organisation.id, Drill.suspended_from == organisation.suspended_from
    )
    return session.scalar(by_drill.limit(1))
