"""Tell the stories: one pass through time, step by step, by the product's own functions."""

import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, select, update
from sqlalchemy.orm import Session, sessionmaker

from notifications.models import MessageState, OutboxMessage
from privacy.keystore import Keystore
from privacy.receipts import receipt_hash
from signals.arrival.batches import ArrivalDesk
from signals.audit.log import AuditLog
from signals.casework import add_note, claim, conclude, record_attempt, record_notice, release, reopen
from signals.clock import AMSTERDAM, Clock, FixedClock, today
from signals.demo.data import Step, Story
from signals.demo.organisations import organisation_id
from signals.intake.content import Report, Summary
from signals.intake.receiving import Intake
from signals.lifecycle.deadlines import add_working_days, working_days_before
from signals.models import Signal, StaffMember
from signals.operation import Operation
from signals.organisations.csv_file import Progress
from signals.routing.postcodes import Address
from signals.staff.identity import actor_for
from signals.vocabulary import SignalState

_NAMESPACE: Final = uuid.UUID("0f5b7d52-3a1c-5b7e-8a44-2f3f6f1f7c21")
_RECENT_WORKING_DAYS: Final = 1


class _Event(NamedTuple):
    """A report (without a step) or a step; events sort by time, then by story."""

    at: datetime
    number: int
    place: int
    step: Step | None


@dataclass(frozen=True, kw_only=True)
class StoryTeller:
    """Moves `clock` from the first report to `now`, so that each event happens on its day."""

    sessions: sessionmaker[Session]
    intake: Intake
    arrival: ArrivalDesk
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    clock: FixedClock
    now: datetime
    _signals: dict[int, uuid.UUID] = field(default_factory=dict, repr=False)

    def tell(self, stories: Sequence[Story], *, progress: Progress) -> None:
        """Receive all reports and take all steps, except those after `now`."""
        for event in progress(sorted(self._events(stories)), "signals"):
            self.clock.moment = event.at
            story = stories[event.number]
            if event.step is None:
                self._signals[event.number] = self._receive(event.number, story)
            else:
                self._act(event.step, story.team, self._signals[event.number])

    def _events(self, stories: Sequence[Story]) -> Iterator[_Event]:
        on = self.now.astimezone(AMSTERDAM).date()
        for number, story in enumerate(stories):
            chance = _chance_of(story)
            day = working_days_before(on, story.days_ago)
            yield _Event(min(_moment(chance, day, chance.randint(9, 10)), self.now), number, 0, None)
            for place, step in enumerate(story.steps, start=1):
                at = _moment(chance, add_working_days(day, step.after), step.hour)
                if at <= self.now:
                    yield _Event(at, number, place, step)

    def _receive(self, number: int, story: Story) -> uuid.UUID:
        """Send one report through intake and arrival; return the id of its signal."""
        address = Address.parse(postcode=story.postcode, number=story.number, addition=story.addition)
        report = Report(address=address, summary=Summary(concern_types=story.concern_types, seen=story.seen))
        key = uuid.uuid5(_NAMESPACE, str(number))
        # A check makes intake store the report in a transaction, here the demo's.
        received = self.intake.receive(self.clock, key=key, report=report, authorise=_allow_everybody)
        self.arrival.arrive(self.clock)
        with self.sessions() as session:
            query = select(Signal.id).where(Signal.receipt_hash == receipt_hash(received.receipt))
            return session.scalars(query).one()

    def _act(self, step: Step, team: str, signal_id: uuid.UUID) -> None:
        of_team = StaffMember.organisation_id == organisation_id(team), StaffMember.role == step.by
        with self.sessions.begin() as session:
            operation = Operation(
                session=session,
                clock=self.clock,
                actor=actor_for(session.scalars(select(StaffMember).where(*of_team)).one()),
                audit=self.audit,
                keystore=self.keystore,
            )
            _ACTS[step.act](operation, signal_id=signal_id, **self._values_of(step))

    def _values_of(self, step: Step) -> dict[str, Any]:
        """Return the arguments of a step, with the dates that depend on its moment."""
        values = dict(step.values)
        if step.act == "attempt":
            values["attempted_at"] = self.clock.now()
        if "agreed_in_days" in values:
            values["postponed_until"] = today(self.clock) + timedelta(days=values.pop("agreed_in_days"))
        if "notified" in values:
            values["notified_on"] = today(self.clock)
            del values["notified"]
        return values


_ACTS: Final[Mapping[str, Callable[..., Any]]] = {
    "claim": claim,
    "release": release,
    "attempt": record_attempt,
    "note": add_note,
    "notice": record_notice,
    "conclude": conclude,
    "reopen": reopen,
}


def settle_old_messages(session: Session, clock: Clock) -> None:
    """Mark messages of the demo's past as delivered; those about signals that just came in leave now."""
    since = working_days_before(today(clock), _RECENT_WORKING_DAYS)
    with_new = select(Signal.organisation_id).where(
        Signal.state == SignalState.NEW, Signal.received_on >= since
    )
    moment = datetime.combine(since, time(), AMSTERDAM)
    is_recent = and_(OutboxMessage.organisation_id.in_(with_new), OutboxMessage.not_before >= moment)
    delivered = {"state": MessageState.DELIVERED, "settled_at": OutboxMessage.not_before, "tries": 1}
    for condition, values in ((~is_recent, delivered), (is_recent, {"not_before": clock.now()})):
        session.execute(
            update(OutboxMessage).where(condition).values(**values),
            execution_options={"synchronize_session": False},
        )


def _allow_everybody(_connection: Connection) -> None:
    """Ask for no token."""


def _chance_of(story: Story) -> random.Random:
    """Return a random stream for one story, so that a new story leaves the others as they are."""
    return random.Random(f"{story.team} {story.days_ago} {story.postcode} {story.number}")  # noqa: S311 - no secret


def _moment(chance: random.Random, day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour, chance.randint(1, 58)), AMSTERDAM).astimezone(UTC)
