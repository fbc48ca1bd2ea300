"""Opening a signal: the audit entry is committed first, then the content is read. No entry, no content."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from signals.arrival.repeats import probes_for
from signals.audit.log import AuditEvent
from signals.casework import (
    EarlierSignal,
    OpenedNote,
    Suggestion,
    acts_on,
    earlier_links,
    next_best_attempt,
    open_notes,
    require_signal,
    signal_with_follow_up,
)
from signals.clock import today
from signals.errors import Forbidden, NoMailboxKey
from signals.intake.content import Report, Summary, open_report, open_summaries
from signals.models import Signal, StaffMember
from signals.routing.plausibility import AddressDoubt, doubts_about
from signals.staff.absence import Away, away_on
from signals.vocabulary import AuditAction, SignalState
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk, operation

_NAMES: Final = select(StaffMember.id, StaffMember.name).where(
    StaffMember.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, kw_only=True)
class OpenedSignal:
    """Everything that a worker sees of a signal. `names`: staff who did something with it, by id.

    `acts`: the reader may act on it while it is claimed; `away`: who has it is away today.
    """

    signal: Signal
    report: Report = field(repr=False)
    notes: list[OpenedNote] = field(repr=False)
    earlier: list[EarlierSignal]
    suggestion: Suggestion | None
    acts: bool
    away: Away | None
    doubts: tuple[AddressDoubt, ...]
    names: Mapping[UUID, str] = field(repr=False)


def open_signal(signal_id: UUID) -> OpenedSignal:
    """The signal in the clear, when it is the caller's organisation's.

    Raises `NotFound` alike for another organisation's and for none, `ContentGone` when its key was destroyed.
    """
    with changing(signal_id) as session:
        record_opening(session, signal_id)
    return read_opened(signal_id)


@contextmanager
def changing(signal_id: UUID) -> Iterator[Session]:
    """One transaction on a signal, committed at the end.

    A signal that is not the caller's organisation's leaves an audit entry, in a transaction of its own: the
    same work whether it exists elsewhere or not, so that neither answer nor time tells.
    """
    with operation(signal_id) as opened:
        yield opened.session


def record_opening(session: Session, signal_id: UUID, *, ground: str = "follow_up") -> None:
    """The audit entry of an opening, in the caller's transaction: commit it before `read_opened`."""
    context, actor = desk(), current().actor
    require_signal(session, organisation_id=organisation_id(), signal_id=signal_id)
    opening = AuditEvent(actor=actor, action=AuditAction.SIGNAL_OPENED, subject_id=signal_id, ground=ground)
    context.audit.record_many(session, context.clock, [opening])


def read_summaries(signals: Sequence[Signal]) -> dict[UUID, Summary]:
    """What was noticed, for a list of signals; one audit entry for the list is committed first."""
    context = desk()
    if not signals:
        return {}
    with context.sessions.begin() as session:
        context.audit.record(
            session,
            context.clock,
            actor=current().actor,
            action=AuditAction.SUMMARIES_READ,
            ground="queue",
            outcome=f"shown:{len(signals)}",
        )
    return open_summaries(context.keystore, signals)


def read_opened(signal_id: UUID) -> OpenedSignal:
    """Read and open; the caller has committed the audit entry."""
    context = desk()
    with context.reading() as session:
        # Referred or purged between the two transactions: `NotFound`.
        signal = signal_with_follow_up(session, organisation_id=organisation_id(), signal_id=signal_id)
        names = _names(session, signal)
        away = _away(session, signal)
        acts = acts_on(session, context.clock, signal, current().actor)
        report = open_report(context.keystore, signal)
        earlier = _earlier(session, signal, report)
    return OpenedSignal(
        signal=signal,
        report=report,
        notes=open_notes(context.keystore, signal),
        earlier=earlier,
        suggestion=None if signal.restricted_on else next_best_attempt(signal, signal.attempts),
        acts=acts,
        away=away,
        doubts=_doubts(report),
        names=names,
    )


def organisation_id() -> UUID:
    """The caller's organisation; raises `Forbidden` for staff without one."""
    found = current().actor.organisation_id
    if found is None:
        raise Forbidden
    return found


def _doubts(report: Report) -> tuple[AddressDoubt, ...]:
    """What to check of the address; nothing while routing cannot be read."""
    context, address = desk(), report.address
    try:
        route = context.router.route(address.postcode, address.number, today(context.clock))
    except (NoMailboxKey, SQLAlchemyError):
        return ()
    return doubts_about(address, municipality_code=route.municipality_code)


def _away(session: Session, signal: Signal) -> Away | None:
    if signal.claimed_by_id is None or signal.state is SignalState.CONCLUDED:
        return None
    on = today(desk().clock)
    return away_on(session, organisation_id=signal.organisation_id, on=on).get(signal.claimed_by_id)


def _earlier(session: Session, signal: Signal, report: Report) -> list[EarlierSignal]:
    context = desk()
    place = (signal.organisation_id, report.address)
    (probe,) = probes_for(context.keystore, [place], today(context.clock))
    return earlier_links(session, signal=signal, probe=probe)


def _names(session: Session, signal: Signal) -> dict[UUID, str]:
    ids = {
        signal.claimed_by_id,
        *(attempt.recorded_by_id for attempt in signal.attempts),
        *(note.written_by_id for note in signal.notes),
        *(change.actor_id for change in signal.history),
    } - {None}
    if not ids:
        return {}
    return {staff_id: name for staff_id, name in session.execute(_NAMES, {"ids": list(ids)})}  # noqa: C416  (rows, not pairs)
