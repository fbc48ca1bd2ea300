"""Reminders before a deadline, and messages about a missed one, to team, lead, deputy and service manager.

The job may run at any time and any number of times: each message is written once for each event, signal and
recipient. Messages about a signal go to its organisation and to the national desk, never to a coordinator. A
restricted signal (art. 18 AVG) causes no messages until the restriction is lifted.
"""

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.clock import AMSTERDAM, Clock, today
from signals.lifecycle.deadlines import (
    add_working_days,
    is_working_day,
    month_after,
    team_day_before,
    working_days_before,
)
from signals.models import Organisation, Signal
from signals.notices.due import CATCH_UP_DAYS, may_be_due
from signals.notices.stages import STAGES, STATES_OF, Stage, open_with_deadline
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
from signals.retention.periods import WARNED_BEFORE, is_unattended, unattended_days
from signals.staff.absence import everybody_away_on, holders_of
from signals.vocabulary import SignalState

NOTICE_WORKING_DAYS: Final = 5
"""The team is reminded of the letter this long before the month of art. 14(3)(a) AVG ends."""
EXPIRES_DAYS: Final = 28
_NAMESPACE: Final = uuid.UUID("8a3d5c1e-63f2-4a0b-9f57-2b8f6a1d4c90")
_NEW, _CLAIMED, _IN_FOLLOW_UP, _CONCLUDED, _SET_ASIDE = SignalState


def remind(session: Session, clock: Clock, *, public_url: str, channels: Collection[str] = EMAIL_ONLY) -> int:
    """Write every message whose day has come; return how many are new. Reminders come on working days only.

    A new signal without a message to the team (after a referral, or before an address was verified) gets one.
    """
    plan = _Plan(session, clock, public_url=public_url.rstrip("/"), channels=channels)
    messages = [*plan.new_signals(), *plan.absences()]
    if is_working_day(plan.on):
        messages += [*plan.about_signals(), *plan.digests(), *plan.nothing_open()]
    return enqueue(session, messages)


@dataclass(frozen=True, kw_only=True)
class _Notification:
    """One event for these people; `day` is the date in the message."""

    event: Event
    subject_id: uuid.UUID
    organisation: Organisation
    to: Sequence[ContactPoint] = field(repr=False)
    day: date
    until: date
    path: str = "/desk"


class _Plan:
    """The notifications of one moment; it reads everything about organisations once."""

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
        self.unattended_days = unattended_days(session, self.on)
        self.holders = holders_of(session) if self.away else frozenset()

    def new_signals(self) -> Iterator[NewMessage]:
        query = select(Signal.id, Signal.organisation_id, Signal.claim_by).where(
            Signal.state == _NEW,
            Signal.team_notified.is_(False),
            Signal.restricted_on.is_(None),
            Signal.claim_by >= self.on - timedelta(days=CATCH_UP_DAYS),
        )
        for signal in self.session.execute(query):
            organisation = self.organisations[signal.organisation_id]
            yield from self._messages(
                _Notification(
                    event=Event.NEW_SIGNAL,
                    subject_id=signal.id,
                    organisation=organisation,
                    to=team_of(organisation, channels=self.channels),
                    day=signal.claim_by,
                    until=self.on + timedelta(days=EXPIRES_DAYS),
                )
            )

    def about_signals(self) -> Iterator[NewMessage]:
        due = may_be_due(self.on, unattended_days=self.unattended_days)
        for signal in self.session.execute(due.execution_options(yield_per=1_000)):
            organisation = self.organisations[signal.organisation_id]
            for notification in self._about(signal, organisation):
                yield from self._messages(notification)

    def absences(self) -> Iterator[NewMessage]:
        """Notify the person who stands in, or the leads when nobody does."""
        for away in self.away.values():
            organisation = self.organisations[away.organisation_id]
            covered = away.cover_id is not None
            to = self.colleagues[away.cover_id] if away.cover_id else self._leads_of(organisation)
            if away.staff_id in self.holders:
                yield from self._messages(
                    _Notification(
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
        due = open_with_deadline(self.session) if chosen else {}
        for organisation in chosen:
            if first := due.get(organisation.id):
                yield from self._messages(
                    _Notification(
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
        busy = open_with_deadline(self.session)
        for organisation in self.organisations.values():
            if organisation.id not in busy and receives(organisation, self.on):
                yield from self._messages(
                    _Notification(
                        event=Event.NOTHING_OPEN,
                        subject_id=_subject(organisation.id, "nothing_open", f"{self.on:%Y-%m}"),
                        organisation=organisation,
                        to=team_of(organisation, channels=self.channels),
                        day=self.on,
                        until=first + timedelta(days=6),
                    )
                )

    def _about(self, signal: Any, organisation: Organisation) -> Iterator[_Notification]:
        for stage in STAGES:
            if signal.state in stage.states and not (stage.unclaimed and signal.claimed_by_id):
                yield from self._reminder(signal, organisation, stage)
                yield from self._missed(signal, organisation, stage)
        if signal.postponed_until is not None and signal.state in STATES_OF[Event.NEXT_CONTACT]:
            yield from self._next_contact(signal, organisation)
        if signal.notified_on is None and signal.deferred_because is None:
            yield from self._notice(signal, organisation)
        if is_unattended(signal):
            yield from self._unattended(signal, organisation)

    def _reminder(self, signal: Any, organisation: Organisation, stage: Stage) -> Iterator[_Notification]:
        """Remind on the working day before, but not on the day of receipt, which has a message already."""
        due: date = getattr(signal, stage.deadline)
        before = team_day_before(due, organisation.working_days)
        day = before if before > signal.received_on else due
        if organisation.digest_at is None and day > signal.received_on and day <= self.on <= due:
            team = self._team_for(signal, organisation)
            yield self._notification(stage.before, signal, organisation, team, day=due, until=due)

    def _next_contact(self, signal: Any, organisation: Organisation) -> Iterator[_Notification]:
        """Remind on the planned day or the first working day after it, and the lead one working day later."""
        day: date = signal.postponed_until
        team = [] if organisation.digest_at is not None else self._team_for(signal, organisation)
        leads = self._leads_of(organisation)
        first = add_working_days(day, 0)
        for since, to in ((first, team), (add_working_days(first, 1), leads)):
            if self._has_come(since):
                yield self._notification(Event.NEXT_CONTACT, signal, organisation, to, day=day)

    def _team_for(self, signal: Any, organisation: Organisation) -> list[ContactPoint]:
        """Return the team, with the stand-in of an absent claimant, or the leads without a stand-in."""
        team = team_of(organisation, channels=self.channels)
        away = self.away.get(signal.claimed_by_id)
        if away is None:
            return team
        standing_in = self.colleagues[away.cover_id] if away.cover_id else self._leads_of(organisation)
        return [*team, *standing_in]

    def _leads_of(self, organisation: Organisation) -> Sequence[ContactPoint]:
        """Return the leads, or the deputy of a team without a lead."""
        return self.leads.get(organisation.id, []) or deputy_of(organisation)

    def _missed(self, signal: Any, organisation: Organisation, stage: Stage) -> Iterator[_Notification]:
        due: date = getattr(signal, stage.deadline)
        for step, (to, path) in enumerate(self._ladder(organisation)):
            if self._has_come(add_working_days(due, 1 + step * organisation.escalation_working_days)):
                yield self._notification(stage.missed, signal, organisation, to, day=due, path=path)

    def _unattended(self, signal: Any, organisation: Organisation) -> Iterator[_Notification]:
        deleted_on = signal.received_on + timedelta(days=self.unattended_days[organisation.id])
        if not deleted_on - timedelta(days=WARNED_BEFORE) <= self.on < deleted_on:
            return
        for to, path in self._ladder(organisation):
            yield self._notification(
                Event.UNATTENDED, signal, organisation, to, day=deleted_on, until=deleted_on, path=path
            )

    def _notice(self, signal: Any, organisation: Organisation) -> Iterator[_Notification]:
        last = month_after(signal.received_on)
        team = self._team_for(signal, organisation)
        leads = self._leads_of(organisation)
        for working_days, to in ((NOTICE_WORKING_DAYS, team), (1, leads)):
            if working_days_before(last, working_days) <= self.on <= last:
                yield self._notification(
                    Event.NOTICE_REMINDER, signal, organisation, to, day=last, until=last
                )

    def _ladder(self, organisation: Organisation) -> list[tuple[Sequence[ContactPoint], str]]:
        """Return lead, deputy and service manager; the next takes the place of a missing one."""
        managers = f"/desk/escalations/{organisation.id}"
        rungs = [
            (self.leads.get(organisation.id, []), "/desk"),
            (deputy_of(organisation), "/desk"),
            (self.managers, managers),
        ]
        return [(to, path) for to, path in rungs if to]

    def _notification(
        self,
        event: Event,
        signal: Any,
        organisation: Organisation,
        to: Sequence[ContactPoint],
        *,
        day: date,
        until: date | None = None,
        path: str = "/desk",
    ) -> _Notification:
        return _Notification(
            event=event,
            subject_id=signal.id,
            organisation=organisation,
            to=to,
            day=day,
            until=until or self.on + timedelta(days=EXPIRES_DAYS),
            path=path,
        )

    def _messages(self, notification: _Notification, *, opens: time | None = None) -> Iterator[NewMessage]:
        moment = self.now
        if notification.event is not Event.NEW_SIGNAL:
            opens = opens or time(notification.organisation.opens_at)
            moment = max(moment, datetime.combine(self.on, opens, AMSTERDAM))
        for contact in once_each(without(notification.to, self.kept_out)):
            yield NewMessage(
                event=notification.event,
                subject_id=notification.subject_id,
                organisation_id=notification.organisation.id,
                channel=contact.channel,
                recipient=contact.recipient,
                language=contact.language,
                values={
                    "link": f"{self.public_url}{self._path(notification, contact)}",
                    DATES[notification.event]: notification.day.isoformat(),
                },
                not_before=not_disturbing(notification.organisation, moment),
                expires_at=datetime.combine(notification.until + timedelta(days=1), time(), AMSTERDAM),
            )

    def _path(self, notification: _Notification, contact: ContactPoint) -> str:
        return path_for(
            contact, notification.organisation.id, notification.path, see_signals=self.see_signals
        )

    def _has_come(self, day: date) -> bool:
        return self.on - timedelta(days=CATCH_UP_DAYS) < day <= self.on


def _subject(organisation_id: uuid.UUID, what: str, when: str) -> uuid.UUID:
    """Return the opaque id of an event that happens once for an organisation and a period."""
    return uuid.uuid5(_NAMESPACE, f"{what}/{organisation_id}/{when}")
