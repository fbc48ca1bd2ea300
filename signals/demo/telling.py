"""Tell the stories: one pass through time, step by step, by the product's own functions."""

import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, select, update

from notifications.models import MessageState, OutboxMessage
from privacy.receipts import receipt_hash
from privacy.sealing import week_start
from signals.casework import add_note, claim, conclude, record_attempt, record_notice, release, reopen
from signals.clock import AMSTERDAM, FixedClock
from signals.demo.data import Step, Story, shown
from signals.demo.organisations import organisation_id
from signals.intake.authorisation import Proof
from signals.intake.receiving import Intake
from signals.lifecycle.deadlines import add_working_days, working_days_before
from signals.models import Signal, StaffMember
from signals.operation import Operation
from signals.operations.jobs import Worker
from signals.staff.identity import actor_for
from signals.vocabulary import Profession, SignalState

_NAMESPACE: Final = uuid.UUID("0f5b7d52-3a1c-5b7e-8a44-2f3f6f1f7c21")
_RECENT_WORKING_DAYS: Final = 1
_ONE_UNPROVEN_IN: Final = 6


class _Event(NamedTuple):
    """A report (without a step) or a step; events sort by time, then by story."""

    at: datetime
    number: int
    place: int
    step: Step | None


class ProofOfStories:
    """A prover that believes every story; the stories need no issuer."""

    def proof(self, token: bytes, on: date) -> Proof:
        """Return the proof of a carrier."""
        return Proof(nonce_hash=sha256(token).digest(), week=week_start(on), profession=Profession.CARRIER)


@dataclass(frozen=True, kw_only=True)
class StoryTeller:
    """Moves the worker's clock from the first report to `now`, so that each event happens on its day."""

    worker: Worker
    intake: Intake
    now: datetime
    _signals: dict[int, uuid.UUID] = field(default_factory=dict, repr=False)

    def tell(self, stories: Sequence[Story]) -> None:
        """Receive all reports and take all steps, except those after `now`."""
        for event in shown(sorted(self._events(stories)), "signals"):
            story = stories[event.number]
            worker = replace(self.worker, clock=FixedClock(event.at))
            if event.step is None:
                self._signals[event.number] = self._receive(worker, event.number, story)
            else:
                _act(worker, event.step, story.team, self._signals[event.number])

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

    def _receive(self, worker: Worker, number: int, story: Story) -> uuid.UUID:
        """Send one report through intake and arrival; return the id of its signal."""
        key = uuid.uuid5(_NAMESPACE, str(number))
        token = None if number % _ONE_UNPROVEN_IN == 0 else key.bytes
        received = self.intake.receive(worker.clock, key=key, report=story.report, token=token)
        worker.arrive()
        with worker.sessions() as session:
            query = select(Signal.id).where(Signal.receipt_hash == receipt_hash(received.receipt))
            return session.scalars(query).one()


def _act(worker: Worker, step: Step, team: str, signal_id: uuid.UUID) -> None:
    of_team = StaffMember.organisation_id == organisation_id(team), StaffMember.role == step.by
    with worker.begin() as operation:
        actor = actor_for(operation.session.scalars(select(StaffMember).where(*of_team)).one())
        values = _values_of(step, operation)
        _ACTS[step.act](operation.acting_as(actor), signal_id=signal_id, **values)


def _values_of(step: Step, operation: Operation) -> dict[str, Any]:
    """Return the arguments of a step, with the dates that depend on its moment."""
    values = dict(step.values)
    if step.act == "attempt":
        values["attempted_at"] = operation.now
    if "agreed_in_days" in values:
        values["postponed_until"] = operation.today + timedelta(days=values.pop("agreed_in_days"))
    if values.pop("notified", None):
        values["notified_on"] = operation.today
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


def settle_old_messages(operation: Operation) -> None:
    """Mark messages of the demo's past as delivered; those about signals that just came in leave now."""
    since = working_days_before(operation.today, _RECENT_WORKING_DAYS)
    with_new = select(Signal.organisation_id).where(
        Signal.state == SignalState.NEW, Signal.received_on >= since
    )
    moment = datetime.combine(since, time(), AMSTERDAM)
    is_recent = and_(OutboxMessage.organisation_id.in_(with_new), OutboxMessage.not_before >= moment)
    delivered = {"state": MessageState.DELIVERED, "settled_at": OutboxMessage.not_before, "tries": 1}
    for condition, values in ((~is_recent, delivered), (is_recent, {"not_before": operation.now})):
        operation.session.execute(
            update(OutboxMessage).where(condition).values(**values),
            execution_options={"synchronize_session": False},
        )


def _chance_of(story: Story) -> random.Random:
    """Return a random stream for one story, so that a new story leaves the others as they are."""
    address = story.report.address
    return random.Random(f"{story.team} {story.days_ago} {address.postcode} {address.number}")  # noqa: S311 - no secret


def _moment(chance: random.Random, day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour, chance.randint(1, 58)), AMSTERDAM).astimezone(UTC)
