"""Telling the stories: one pass through time, step by step, by the product's own functions."""

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
from signals.audit.log import Actor, AuditLog
from signals.casework import add_note, claim, conclude, record_attempt, record_notice, release, reopen
from signals.clock import AMSTERDAM, Clock, FixedClock, today
from signals.demo.organisations import organisation_id
from signals.demo.progress import Progress
from signals.demo.stories import Step, Story
from signals.intake.content import Report, Summary
from signals.intake.receiving import Intake
from signals.lifecycle.deadlines import add_working_days, working_days_before
from signals.models import Organisation, Signal, StaffMember
from signals.operation import Operation
from signals.routing.postcodes import Address
from signals.staff.identity import actor_for
from signals.vocabulary import Role, SignalState

_NAMESPACE: Final = uuid.UUID("0f5b7d52-3a1c-5b7e-8a44-2f3f6f1f7c21")
_RECENT_WORKING_DAYS: Final = 1


@dataclass(frozen=True, kw_only=True)
class StoryTeller:
    """Moves `clock` from the first report to `now` and lets everything happen on its day."""

    sessions: sessionmaker[Session]
    intake: Intake
    arrival: ArrivalDesk
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    clock: FixedClock
    now: datetime
    _signals: dict[int, uuid.UUID] = field(default_factory=dict, repr=False)

    def tell(self, stories: Sequence[Story], *, progress: Progress) -> None:
        """All reports and all that was done; whatever would lie ahead of `now` is left out."""
        people = self._people()
        for event in progress(sorted(self._events(stories)), "signals"):
            self.clock.moment = event.at
            if event.step is None:
                self._receive(event.number, stories[event.number])
            else:
                self._do(
                    event.step,
                    event.number,
                    people[organisation_id(stories[event.number].team), event.step.by],
                )

    def _events(self, stories: Sequence[Story]) -> Iterator["_Event"]:
        on = self.now.astimezone(AMSTERDAM).date()
        for number, story in enumerate(stories):
            chance = _chance_of(story)
            day = working_days_before(on, story.days_ago)
            received = min(_moment(chance, day, chance.randint(9, 10)), self.now)
            yield _Event(received, number, 0, None)
            for place, step in enumerate(story.steps, start=1):
                at = _moment(chance, add_working_days(day, step.after), step.hour)
                if at <= self.now:
                    yield _Event(at, number, place, step)

    def _people(self) -> Mapping[tuple[uuid.UUID | None, Role], Actor]:
        with self.sessions() as session:
            return {(m.organisation_id, m.role): actor_for(m) for m in session.scalars(select(StaffMember))}

    def _receive(self, number: int, story: Story) -> None:
        address = Address.parse(postcode=story.postcode, number=story.number, addition=story.addition)
        summary = Summary(concern_types=story.concern_types, seen=story.seen)
        key = uuid.uuid5(_NAMESPACE, str(number))
        report = Report(address=address, summary=summary)
        # With a check, even one that lets everybody in, the report is stored in a transaction: the demo's.
        received = self.intake.receive(self.clock, key=key, report=report, authorise=_everybody)
        self.arrival.arrive(self.clock)
        with self.sessions() as session:
            query = select(Signal.id).where(Signal.receipt_hash == receipt_hash(received.receipt))
            self._signals[number] = session.scalars(query).one()

    def _do(self, step: Step, number: int, actor: Actor) -> None:
        act = _ACTS[step.do]
        with self.sessions.begin() as session:
            operation = Operation(
                session=session, clock=self.clock, actor=actor, audit=self.audit, keystore=self.keystore
            )
            act(operation, signal_id=self._signals[number], **self._values_of(step))

    def _values_of(self, step: Step) -> dict[str, Any]:
        values = dict(step.values)
        if step.do == "attempt":
            values["attempted_at"] = self.clock.now()
        if "agreed_in_days" in values:
            values["postponed_until"] = today(self.clock) + timedelta(days=values.pop("agreed_in_days"))
        if values.pop("told", False):
            values["notified_on"] = self.clock.now().astimezone(AMSTERDAM).date()
        return values


def _everybody(_connection: Connection) -> None:
    """No token is asked for."""


_ACTS: Final[Mapping[str, Callable[..., Any]]] = {
    "claim": claim,
    "release": release,
    "attempt": record_attempt,
    "note": add_note,
    "notice": record_notice,
    "conclude": conclude,
    "reopen": reopen,
}


class _Event(NamedTuple):
    """A report (without a step) or a step, in the order of time, then of the stories."""

    at: datetime
    number: int
    place: int
    step: Step | None


def choose_words(session: Session) -> None:
    """One team is written to in English and one chose a digest, so that both can be read among the mails."""
    session.get_one(Organisation, organisation_id("haarlem-noord")).language = "en"
    session.get_one(Organisation, organisation_id("utrecht")).digest_at = 8


def settle_old_messages(session: Session, clock: Clock) -> None:
    """Mark messages of the demo's past as delivered; those about signals that just came in go out now."""
    since = working_days_before(today(clock), _RECENT_WORKING_DAYS)
    with_new = select(Signal.organisation_id).where(
        Signal.state == SignalState.NEW, Signal.received_on >= since
    )
    moment = datetime.combine(since, time(), AMSTERDAM)
    is_recent = and_(OutboxMessage.organisation_id.in_(with_new), OutboxMessage.not_before >= moment)
    delivered = {"state": MessageState.DELIVERED, "settled_at": OutboxMessage.not_before, "tries": 1}
    for which, values in ((~is_recent, delivered), (is_recent, {"not_before": clock.now()})):
        session.execute(
            update(OutboxMessage).where(which).values(**values),
            execution_options={"synchronize_session": False},
        )


def _chance_of(story: Story) -> random.Random:
    """Return a random stream for one story, so that a new story leaves the others as they are."""
    return random.Random(f"{story.team} {story.days_ago} {story.postcode} {story.number}")  # noqa: S311 - no secret


def _moment(chance: random.Random, day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour, chance.randint(1, 58)), AMSTERDAM).astimezone(UTC)
