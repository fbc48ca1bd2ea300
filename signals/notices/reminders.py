"""Reminders before a deadline and word of a missed one: to the team, lead, deputy and service manager.

The job may run at any time and as often as it likes: each message is written once for each event, signal and
recipient. What lost its sense meanwhile is dropped just before it would be sent (`why_obsolete`). Messages
about a signal go to the organisation that has it and to the national desk, never to a coordinator. Of a
signal that nobody may work on (art. 18 AVG) nobody is told anything until that is lifted.
"""

import uuid
from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.clock import AMSTERDAM, Clock, today
from signals.lifecycle.deadlines import add_working_days, is_working_day
from signals.models import Absence, AccountLink, Drill, Organisation, Recipient, Signal, StaffMember
from signals.organisations.addressing import (
    EMAIL_ONLY,
    ContactPoint,
    coordinators,
    deputy_of,
    leads_of,
    not_disturbing,
    of_staff,
    once_each,
    path_for,
    service_managers,
    team_of,
    who_see_signals,
    without,
)
from signals.organisations.onboarding import receives
from signals.organisations.recipients import why_no_check
from signals.retention.periods import OPEN, WARNED_BEFORE, is_unattended, unattended_days
from signals.staff.absence import everybody_away_on, holders_of
from signals.vocabulary import Role, SignalState

CATCH_UP_DAYS: Final = 14
"""A message whose day passed longer ago than this, while no worker ran, is not written any more."""
NOTICE_WORKING_DAYS: Final = 5
"""So long before the month of art. 14(3)(a) AVG is over, the team is reminded of the letter."""
EXPIRES_DAYS: Final = 28

_NAMESPACE: Final = uuid.UUID("8a3d5c1e-63f2-4a0b-9f57-2b8f6a1d4c90")
_NEW, _CLAIMED, _IN_FOLLOW_UP, _CONCLUDED = SignalState


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """A deadline of a signal, in which states it runs, and the events about it."""

    states: frozenset[SignalState]
    deadline: str
    before: Event
    missed: Event


_STAGES: Final = (
    _Stage(
        states=frozenset({_NEW}),
        deadline="claim_by",
        before=Event.REMINDER,
        missed=Event.MISSED_DEADLINE,
    ),
    _Stage(
        states=frozenset({_CLAIMED}),
        deadline="contact_by",
        before=Event.CONTACT_REMINDER,
        missed=Event.MISSED_CONTACT,
    ),
    _Stage(
        states=frozenset({_CLAIMED, _IN_FOLLOW_UP}),
        deadline="conclude_by",
        before=Event.CONCLUDE_REMINDER,
        missed=Event.MISSED_CONCLUSION,
    ),
)
_STATES_OF: Final[Mapping[str, frozenset[SignalState]]] = {
    Event.NEW_SIGNAL: frozenset({_NEW}),
    Event.UNATTENDED: OPEN,
    Event.AGREED_DAY: frozenset({_IN_FOLLOW_UP}),
    **{event: stage.states for stage in _STAGES for event in (stage.before, stage.missed)},
}


def remind(session: Session, clock: Clock, *, public_url: str, channels: Collection[str] = EMAIL_ONLY) -> int:
    """Write every message whose day has come; gives how many are new. Reminders come on working days only.

    A new signal that nobody was told of (after a referral, or before a recipient was verified) is told too.
    """
    plan = _Plan(session, clock, public_url=public_url.rstrip("/"), channels=channels)
    messages = [*plan.new_signals(), *plan.absences()]
    if is_working_day(plan.on):
        messages += [*plan.about_signals(), *plan.digests(), *plan.nothing_open()]
    return enqueue(session, messages)


def why_obsolete(
    session: Session, event: str, subject_id: uuid.UUID, organisation_id: uuid.UUID | None, recipient: str
) -> str | None:
    """A code of why this need not be told any more, None when it must; asked just before it is sent."""
    if event in _STATES_OF or event == Event.NOTICE_REMINDER:
        return _about_signal(session, event, subject_id, organisation_id, recipient)
    if event in (Event.DRILL, Event.DRILL_UNANSWERED):
        return _about_drill(session, subject_id)
    if event in (Event.STAND_IN, Event.UNCOVERED):
        return "back" if session.get(Absence, subject_id) is None else None
    if event == Event.ACCOUNT_LINK:
        return _about_link(session, subject_id)
    if event in (Event.RECIPIENT_CHECK, Event.DEPUTY_CHECK):
        return why_no_check(session, subject_id, recipient)
    if event == Event.ROUTING_SUSPENDED and organisation_id is not None:
        since = select(Organisation.suspended_from).where(Organisation.id == organisation_id)
        return "restored" if session.scalar(since) is None else None
    if event in (Event.NOTHING_OPEN, Event.DIGEST) and organisation_id is not None:
        return _about_work(session, event, organisation_id)
    return None


def _about_work(session: Session, event: str, organisation_id: uuid.UUID) -> str | None:
    due = _open_with_deadline(session)
    if event == Event.NOTHING_OPEN:
        return "work_came" if organisation_id in due else None
    return None if due.get(organisation_id) else "nothing_open"


def _about_drill(session: Session, drill_id: uuid.UUID) -> str | None:
    """Answered, or the team was sent another since, which tells the day that holds."""
    drill = session.get(Drill, drill_id)
    if drill is None or drill.answered_on is not None:
        return "answered"
    later = (Drill.organisation_id == drill.organisation_id, Drill.sent_on > drill.sent_on)
    return "replaced" if session.scalar(select(Drill.id).where(*later).limit(1)) else None


def month_after(day: date) -> date:
    """The same day of the next month, or its last day where there is none (art. 3 of Regulation 1182/71)."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def working_days_before(day: date, n: int) -> date:
    """The n-th working day before a day."""
    for _ in range(n):
        day -= timedelta(days=1)
        while not is_working_day(day):
            day -= timedelta(days=1)
    return day


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One event to these people; `day` is the one it tells."""

    event: Event
    subject_id: uuid.UUID
    organisation: Organisation
    to: Sequence[ContactPoint] = field(repr=False)
    day: date
    until: date
    path: str = "/desk"


class _Plan:
    """What is to be told at one moment, with everything about organisations looked up once."""

    def __init__(self, session: Session, clock: Clock, *, public_url: str, channels: Collection[str]) -> None:
        self.session, self.now, self.on = session, clock.now(), today(clock)
        self.public_url, self.channels = public_url, channels
        query = select(Organisation).options(selectinload(Organisation.recipients))
        self.organisations = {found.id: found for found in session.scalars(query)}
        self.leads = leads_of(session, self.organisations)
        self.managers = service_managers(session)
        self.kept_out = coordinators(session)
        self.see_signals = who_see_signals(session)
        self.away = {away.staff_id: away for away in everybody_away_on(session, self.on)}
        self.colleagues = of_staff(session, [away.cover_id for away in self.away.values() if away.cover_id])
        self.unattended_days = unattended_days(session)
        self.holders = holders_of(session) if self.away else frozenset()

    def new_signals(self) -> Iterator[NewMessage]:
        query = select(Signal.id, Signal.organisation_id, Signal.claim_by).where(
            Signal.state == _NEW,
            Signal.team_told.is_(False),
            Signal.restricted_on.is_(None),
            Signal.claim_by >= self.on - timedelta(days=CATCH_UP_DAYS),
        )
        for signal in self.session.execute(query):
            organisation = self.organisations[signal.organisation_id]
            yield from self._messages(
                _Told(
                    event=Event.NEW_SIGNAL,
                    subject_id=signal.id,
                    organisation=organisation,
                    to=team_of(organisation, channels=self.channels),
                    day=signal.claim_by,
                    until=self.on + timedelta(days=EXPIRES_DAYS),
                )
            )

    def about_signals(self) -> Iterator[NewMessage]:
        for signal in self.session.execute(_live_signals()):
            organisation = self.organisations[signal.organisation_id]
            for told in self._about(signal, organisation):
                yield from self._messages(told)

    def absences(self) -> Iterator[NewMessage]:
        """Who stands in hears of it; where nobody does, the leads hear of signals that would sleep."""
        for away in self.away.values():
            organisation = self.organisations[away.organisation_id]
            covered = away.cover_id is not None
            to = self.colleagues[away.cover_id] if away.cover_id else self._leads_of(organisation)
            if away.staff_id in self.holders:
                yield from self._messages(
                    _Told(
                        event=Event.STAND_IN if covered else Event.UNCOVERED,
                        subject_id=away.id,
                        organisation=organisation,
                        to=to,
                        day=away.away_until,
                        until=away.away_until,
                        path="/desk/absence",
                    )
                )

    def digests(self) -> Iterator[NewMessage]:
        chosen = [found for found in self.organisations.values() if found.digest_at is not None]
        due = _open_with_deadline(self.session) if chosen else {}
        for organisation in chosen:
            if first := due.get(organisation.id):
                yield from self._messages(
                    _Told(
                        event=Event.DIGEST,
                        subject_id=_subject(organisation.id, "digest", self.on.isoformat()),
                        organisation=organisation,
                        to=team_of(organisation, channels=self.channels),
                        day=first,
                        until=self.on,
                    ),
                    opens=time(organisation.digest_at or 0),
                )

    def nothing_open(self) -> Iterator[NewMessage]:
        first = add_working_days(self.on.replace(day=1), 0)
        if not first <= self.on < first + timedelta(days=7):
            return
        busy = _open_with_deadline(self.session)
        for organisation in self.organisations.values():
            if organisation.id not in busy and receives(organisation, self.on):
                yield from self._messages(
                    _Told(
                        event=Event.NOTHING_OPEN,
                        subject_id=_subject(organisation.id, "nothing_open", f"{self.on:%Y-%m}"),
                        organisation=organisation,
                        to=team_of(organisation, channels=self.channels),
                        day=self.on,
                        until=first + timedelta(days=6),
                    )
                )

    def _about(self, signal: Any, organisation: Organisation) -> Iterator[_Told]:
        for stage in _STAGES:
            if signal.state in stage.states:
                yield from self._reminder(signal, organisation, stage)
                yield from self._missed(signal, organisation, stage)
        if signal.postponed_until is not None and signal.state in _STATES_OF[Event.AGREED_DAY]:
            yield from self._agreed(signal, organisation)
        if signal.notified_on is None and signal.deferred_because is None:
            yield from self._notice(signal, organisation)
        if is_unattended(signal):
            yield from self._unattended(signal, organisation)

    def _reminder(self, signal: Any, organisation: Organisation, stage: _Stage) -> Iterator[_Told]:
        """The working day before, but not on the day of receipt, when the team was told of it anyway."""
        due: date = getattr(signal, stage.deadline)
        before = _working_day_of_team_before(organisation, due)
        day = before if before > signal.received_on else due
        if organisation.digest_at is None and day > signal.received_on and day <= self.on <= due:
            team = self._team_for(signal, organisation)
            yield self._told(stage.before, signal, organisation, team, day=due, until=due)

    def _agreed(self, signal: Any, organisation: Organisation) -> Iterator[_Told]:
        """On the day that was agreed, or the first working day after it; the lead where it was missed."""
        day: date = signal.postponed_until
        team = [] if organisation.digest_at is not None else self._team_for(signal, organisation)
        leads = self._leads_of(organisation)
        first = add_working_days(day, 0)
        for since, to in ((first, team), (add_working_days(first, 1), leads)):
            if self._has_come(since):
                yield self._told(Event.AGREED_DAY, signal, organisation, to, day=day)

    def _team_for(self, signal: Any, organisation: Organisation) -> list[ContactPoint]:
        """The team; and who stands in for the one who has it, or the leads where nobody does."""
        team = team_of(organisation, channels=self.channels)
        away = self.away.get(signal.claimed_by_id)
        if away is None:
            return team
        standing_in = self.colleagues[away.cover_id] if away.cover_id else self._leads_of(organisation)
        return [*team, *standing_in]

    def _leads_of(self, organisation: Organisation) -> Sequence[ContactPoint]:
        """The leads, or the deputy of a team without one."""
        return self.leads.get(organisation.id, []) or deputy_of(organisation)

    def _missed(self, signal: Any, organisation: Organisation, stage: _Stage) -> Iterator[_Told]:
        due: date = getattr(signal, stage.deadline)
        for step, (to, path) in enumerate(self._ladder(organisation)):
            if self._has_come(add_working_days(due, 1 + step * organisation.escalation_working_days)):
                yield self._told(stage.missed, signal, organisation, to, day=due, path=path)

    def _unattended(self, signal: Any, organisation: Organisation) -> Iterator[_Told]:
        deleted_on = signal.received_on + timedelta(days=self.unattended_days[organisation.id])
        if not deleted_on - timedelta(days=WARNED_BEFORE) <= self.on < deleted_on:
            return
        for to, path in self._ladder(organisation):
            yield self._told(
                Event.UNATTENDED, signal, organisation, to, day=deleted_on, until=deleted_on, path=path
            )

    def _notice(self, signal: Any, organisation: Organisation) -> Iterator[_Told]:
        last = month_after(signal.received_on)
        team = self._team_for(signal, organisation)
        leads = self._leads_of(organisation)
        for working_days, to in ((NOTICE_WORKING_DAYS, team), (1, leads)):
            if working_days_before(last, working_days) <= self.on <= last:
                yield self._told(Event.NOTICE_REMINDER, signal, organisation, to, day=last, until=last)

    def _ladder(self, organisation: Organisation) -> list[tuple[Sequence[ContactPoint], str]]:
        """Lead, deputy, service manager; where one is missing the next takes its place at once."""
        managers = f"/desk/escalations/{organisation.id}"
        rungs = [
            (self.leads.get(organisation.id, []), "/desk"),
            (deputy_of(organisation), "/desk"),
            (self.managers, managers),
        ]
        return [(to, path) for to, path in rungs if to]

    def _told(
        self,
        event: Event,
        signal: Any,
        organisation: Organisation,
        to: Sequence[ContactPoint],
        *,
        day: date,
        until: date | None = None,
        path: str = "/desk",
    ) -> _Told:
        return _Told(
            event=event,
            subject_id=signal.id,
            organisation=organisation,
            to=to,
            day=day,
            until=until or self.on + timedelta(days=EXPIRES_DAYS),
            path=path,
        )

    def _messages(self, told: _Told, *, opens: time | None = None) -> Iterator[NewMessage]:
        moment = self.now
        if told.event is not Event.NEW_SIGNAL:
            opens = opens or time(told.organisation.opens_at)
            moment = max(moment, datetime.combine(self.on, opens, AMSTERDAM))
        for reach in once_each(without(told.to, self.kept_out)):
            yield NewMessage(
                event=told.event,
                subject_id=told.subject_id,
                organisation_id=told.organisation.id,
                channel=reach.channel,
                recipient=reach.recipient,
                language=reach.language,
                values={
                    "link": f"{self.public_url}{self._path(told, reach)}",
                    DATES[told.event]: told.day.isoformat(),
                },
                not_before=not_disturbing(told.organisation, moment),
                expires_at=datetime.combine(told.until + timedelta(days=1), time(), AMSTERDAM),
            )

    def _path(self, told: _Told, reach: ContactPoint) -> str:
        return path_for(reach, told.organisation.id, told.path, see_signals=self.see_signals)

    def _has_come(self, day: date) -> bool:
        return self.on - timedelta(days=CATCH_UP_DAYS) < day <= self.on


def _working_day_of_team_before(organisation: Organisation, day: date) -> date:
    """The last working day before a day on which this team is written to: else word came after the day."""
    before = working_days_before(day, 1)
    for _ in range(7):
        if not organisation.working_days or str(before.isoweekday()) in organisation.working_days:
            return before
        before = working_days_before(before, 1)
    return working_days_before(day, 1)


def _live_signals() -> Any:
    """What is open, and what still waits for its art. 14 letter; nothing that nobody may work on."""
    uninformed = and_(Signal.notified_on.is_(None), Signal.deferred_because.is_(None))
    return select(
        Signal.id,
        Signal.organisation_id,
        Signal.state,
        Signal.received_on,
        Signal.claim_by,
        Signal.contact_by,
        Signal.conclude_by,
        Signal.notified_on,
        Signal.deferred_because,
        Signal.postponed_until,
        Signal.claimed_by_id,
    ).where(
        Signal.restricted_on.is_(None),
        or_(Signal.state != _CONCLUDED, uninformed),
    )


def _open_with_deadline(session: Session) -> dict[uuid.UUID, date | None]:
    """Organisations with anything open, and their first deadline; None where nobody may work on any of it."""
    runs = case((Signal.restricted_on.is_(None), Signal.due_on))
    query = (
        select(Signal.organisation_id, func.min(runs).label("first"))
        .where(Signal.state != _CONCLUDED)
        .group_by(Signal.organisation_id)
    )
    return {row.organisation_id: row.first for row in session.execute(query)}


def _about_some_signal(session: Session, organisation_id: uuid.UUID | None, recipient: str) -> str | None:
    """On arrival the team is told of several signals at once, and of none in particular."""
    new = exists().where(
        Signal.organisation_id == organisation_id, Signal.state == _NEW, Signal.restricted_on.is_(None)
    )
    found = session.execute(select(new.label("new"), _is_kept_out(recipient).label("kept_out"))).one()
    if not found.new:
        return "gone"
    return "coordinator" if found.kept_out else None


def _is_kept_out(recipient: str) -> ColumnElement[bool]:
    """Whether they became a coordinator while the message waited; a phone is somebody's, too."""
    whose = select(func.lower(Recipient.address)).where(Recipient.phone == recipient)
    they = or_(StaffMember.email == recipient.lower(), StaffMember.email.in_(whose))
    return exists().where(they, StaffMember.role == Role.COORDINATOR)


def _about_signal(
    session: Session, event: str, signal_id: uuid.UUID, organisation_id: uuid.UUID | None, recipient: str
) -> str | None:
    query = select(
        Signal.organisation_id,
        Signal.state,
        Signal.notified_on,
        Signal.deferred_because,
        Signal.postponed_until,
        Signal.claimed_by_id,
        Signal.restricted_on,
        _is_kept_out(recipient).label("kept_out"),
    ).where(Signal.id == signal_id)
    signal = session.execute(query).one_or_none()
    if signal is None:
        is_of_some = event == Event.NEW_SIGNAL
        return _about_some_signal(session, organisation_id, recipient) if is_of_some else "gone"
    if signal.kept_out:
        return "coordinator"
    if signal.organisation_id != organisation_id:
        return "referred"
    if signal.restricted_on is not None:
        return "restricted"
    informed = signal.notified_on is not None or signal.deferred_because is not None
    if event in (Event.NOTICE_REMINDER, Event.UNATTENDED) and informed:
        return "informed"
    if event != Event.NOTICE_REMINDER and signal.state not in _STATES_OF[event]:
        return f"now_{signal.state.value}"
    if event == Event.UNATTENDED and signal.claimed_by_id is not None:
        return f"now_{signal.state.value}"
    if event == Event.AGREED_DAY and signal.postponed_until is None:
        return "went_on"
    return None


def _about_link(session: Session, link_id: uuid.UUID) -> str | None:
    """A newer link takes the place of an older one, which opens nothing any more."""
    link = session.get(AccountLink, link_id)
    if link is None:
        return "replaced"
    return "used" if link.used_at is not None else None


def _subject(organisation_id: uuid.UUID, what: str, when: str) -> uuid.UUID:
    """The opaque id of something that happens once for an organisation and a period."""
    return uuid.uuid5(_NAMESPACE, f"{what}/{organisation_id}/{when}")
