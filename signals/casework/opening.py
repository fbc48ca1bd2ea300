"""Read everything that a worker sees of one signal: the report, the follow-up, and the next best attempt.

Every opening runs these statements, so they are built once: building one costs as much as running it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import set_committed_value

from signals.arrival.repeats import probes_for
from signals.audit.admission import Admission
from signals.casework.access import is_open_and_claimed, may_act_on, notes_of, organisation_of, report_of
from signals.casework.earlier import EarlierSignal, earlier_signals
from signals.casework.sealing import OpenedNote
from signals.casework.suggestions import Suggestion, next_best_attempt
from signals.comparisons.draws import drawn_order
from signals.errors import NoMailboxKey, NotFound
from signals.intake.content import Report, Summary
from signals.lifecycle.status_changes import life_of
from signals.lifecycle.transitions import is_overdue
from signals.models import ContactAttempt, FollowUpNote, Signal, StaffMember, StatusChange
from signals.operation import Operation
from signals.routing.places import Place, place_of
from signals.routing.postcodes import Address, AddressDoubt, doubts_about
from signals.routing.snapshot import Router
from signals.staff.absence import Away, away_on

_Entry = TypeVar("_Entry")
_SIGNAL_ID: Final = bindparam("signal_id", type_=Signal.id.type)
_NAMES: Final = select(StaffMember.id, StaffMember.name).where(
    StaffMember.id.in_(bindparam("ids", expanding=True))
)


def _of_signal(owner: InstrumentedAttribute[UUID], *order: Any) -> Select[Any]:
    return select(owner.class_).where(owner == _SIGNAL_ID).order_by(*order)


_FOLLOW_UP: Final = {
    "attempts": _of_signal(ContactAttempt.signal_id, ContactAttempt.attempted_at),
    "notes": _of_signal(FollowUpNote.signal_id, FollowUpNote.written_at),
    "history": _of_signal(StatusChange.signal_id, StatusChange.sequence),
}
_HAS_FOLLOW_UP: Final = (
    select(ContactAttempt.id).where(ContactAttempt.signal_id == Signal.id).exists().label("attempts"),
    select(FollowUpNote.id).where(FollowUpNote.signal_id == Signal.id).exists().label("notes"),
    select(StatusChange.id).where(StatusChange.signal_id == Signal.id).exists().label("history"),
)
_WHOLE: Final = select(Signal, *_HAS_FOLLOW_UP).where(
    Signal.id == _SIGNAL_ID,
    Signal.organisation_id == bindparam("organisation_id", type_=Signal.organisation_id.type),
)


@dataclass(frozen=True, kw_only=True)
class Signed(Generic[_Entry]):
    """Hold an entry of a signal with the name of the person who made it; the arrival has no person."""

    entry: _Entry
    by: str | None


@dataclass(frozen=True, kw_only=True)
class OpenedSignal:
    """Hold everything that a worker sees of a signal.

    `former_attempts`, `former_notes`: what a correction replaced. `acts`: the reader may act on it while it
    is claimed. `away`: the absence of the claimant today.
    """

    signal: Signal
    report: Report = field(repr=False)
    place: Place = field(repr=False)
    attempts: Sequence[Signed[ContactAttempt]]
    former_attempts: Sequence[Signed[ContactAttempt]]
    notes: Sequence[Signed[OpenedNote]] = field(repr=False)
    former_notes: Sequence[Signed[OpenedNote]] = field(repr=False)
    history: Sequence[Signed[StatusChange]]
    earlier: Sequence[EarlierSignal]
    suggestion: Suggestion | None
    claimed_by: str | None
    acts: bool
    away: Away | None
    overdue: bool
    doubts: tuple[AddressDoubt, ...] = ()

    @property
    def summary(self) -> Summary:
        """Return what the carrier noticed."""
        return self.report.summary


def open_signal(operation: Operation, signal_id: UUID, admission: Admission) -> OpenedSignal:
    """Read and open one signal of the actor's organisation.

    Raises `NotFound` when it was referred or purged since the admission, and `ContentGone` when its key was
    destroyed.
    """
    signal = signal_with_follow_up(
        operation.session, organisation_id=organisation_of(operation.actor), signal_id=signal_id
    )
    names = _names(operation.session, signal)
    report = report_of(signal, admission)
    notes, former = notes_of(signal, admission), notes_of(signal, admission, former=True)
    return OpenedSignal(
        signal=signal,
        report=report,
        place=place_of(operation.session, report.address),
        attempts=_signed(signal.attempts, "recorded_by_id", names),
        former_attempts=_signed(signal.former_attempts, "recorded_by_id", names),
        notes=_signed(notes, "written_by_id", names),
        former_notes=_signed(former, "written_by_id", names),
        history=[Signed(entry=each, by=names.get(each.actor_id)) for each in life_of(signal)],
        earlier=_earlier(operation, signal, report),
        suggestion=None if signal.restricted_on else _suggestion(operation, signal),
        claimed_by=names.get(signal.claimed_by_id),
        acts=may_act_on(operation, signal),
        away=_away(operation, signal),
        overdue=is_overdue(signal, operation.today),
    )


def _signed(entries: Sequence[_Entry], author: str, names: Mapping[UUID | None, str]) -> list[Signed[_Entry]]:
    return [Signed(entry=entry, by=names.get(getattr(entry, author), "")) for entry in entries]


def signal_with_follow_up(session: Session, *, organisation_id: UUID, signal_id: UUID) -> Signal:
    """Return the signal with attempts, notes and history loaded; raise `NotFound` as `find_signal` does.

    A kind of which there is no row costs no statement of its own.
    """
    wanted = {"signal_id": signal_id, "organisation_id": organisation_id}
    row = session.execute(_WHOLE, wanted).one_or_none()
    if row is None:
        raise NotFound
    signal: Signal = row[0]
    for name, query in _FOLLOW_UP.items():
        found = session.scalars(query, wanted).all() if row._mapping[name] else []
        former = [entry for entry in found if getattr(entry, "replaced_by_id", None) is not None]
        set_committed_value(signal, name, [entry for entry in found if entry not in former])
        if name != "history":
            set_committed_value(signal, f"former_{name}", former)
    return signal


def address_doubts(router: Router, address: Address, on: date) -> tuple[AddressDoubt, ...]:
    """Return what to check of an address; nothing while the routing table cannot be read."""
    try:
        route = router.route(address.postcode, address.number, on)
    except (NoMailboxKey, SQLAlchemyError):
        return ()
    return doubts_about(address, municipality_code=route.municipality_code)


def _suggestion(operation: Operation, signal: Signal) -> Suggestion | None:
    drawn = drawn_order(operation.session, operation.keystore, signal)
    return next_best_attempt(signal, signal.attempts, drawn)


def _earlier(operation: Operation, signal: Signal, report: Report) -> list[EarlierSignal]:
    place = (signal.organisation_id, report.address)
    (probe,) = probes_for(operation.keystore, [place], operation.today)
    return earlier_signals(operation.session, signal=signal, probe=probe)


def _away(operation: Operation, signal: Signal) -> Away | None:
    if signal.claimed_by_id is None or not is_open_and_claimed(signal):
        return None
    away = away_on(operation.session, organisation_id=signal.organisation_id, on=operation.today)
    return away.get(signal.claimed_by_id)


def _names(session: Session, signal: Signal) -> dict[UUID | None, str]:
    """Return the names of the staff who did something with the signal, by id."""
    ids = {
        signal.claimed_by_id,
        *(attempt.recorded_by_id for attempt in signal.attempts),
        *(attempt.recorded_by_id for attempt in signal.former_attempts),
        *(note.written_by_id for note in (*signal.notes, *signal.former_notes)),
        *(change.actor_id for change in signal.history),
    } - {None}
    if not ids:
        return {}
    return {staff_id: name for staff_id, name in session.execute(_NAMES, {"ids": list(ids)})}  # noqa: C416  (rows, not pairs)
