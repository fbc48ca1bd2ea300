"""Decide who may see a signal and who may act on it, and open its content. Nothing else does either.

Opening has two steps. `admit` checks the actor and writes the audit entry; the caller commits. Only then
do `report_of`, `notes_of` and `summaries_of` open the content: no entry, no content. A change that seals
content anew shows it to nobody: `admit_to_reseal` needs no commit. A job has no reader and calls
`open_for_job`.

Every function that changes a signal takes the row's lock first. Then it checks role (`Forbidden`, 403), own
organisation (`NotFound`, 404), `expected_version` from If-Match (`StaleVersion`, 412), restriction, state and
claim (`Conflict`, `ClaimedByOther`, 409), and values (`Invalid`, 400), in this order. On SQLite the lock is
the writer's transaction (BEGIN IMMEDIATE), so these functions must not run in a session of `db.reading`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session, SessionTransaction

from signals.audit.grounds import Ground
from signals.audit.log import Actor, AuditEvent, require_role
from signals.casework.sealing import OpenedNote, open_notes
from signals.db import set_local
from signals.errors import ClaimedByOther, Conflict, Forbidden, NotFound, Restricted, StaleVersion
from signals.intake.content import (
    CaseKeys,
    Report,
    SignalRow,
    Summary,
    open_report,
    open_reports,
    open_summaries,
)
from signals.lifecycle.transitions import state_after
from signals.models import AuditEntry, DeletionRecord, Organisation, Signal, StaffMember, StatusChange
from signals.operation import Operation
from signals.staff.absence import HOLDERS, stood_in_for
from signals.vocabulary import Action, AuditAction, Role, SignalState

FOLLOW_UP_ROLES: Final = HOLDERS
# Built once: building it costs as much as running it, and every opening runs it.
_HOW_MANY: Final = (
    select(func.count())
    .select_from(Signal)
    .where(
        Signal.id.in_(bindparam("ids", expanding=True)),
        Signal.organisation_id == bindparam("organisation_id", type_=Signal.organisation_id.type),
    )
)


def organisation_of(actor: Actor) -> UUID:
    """Return the actor's organisation; raise `Forbidden` for an actor without one."""
    if actor.organisation_id is None:
        raise Forbidden
    return actor.organisation_id


def staff_id_of(actor: Actor) -> UUID:
    """Return the actor's staff id; raise `Forbidden` for the system."""
    if actor.id is None:
        raise Forbidden
    return actor.id


def find_signal(
    session: Session, *, organisation_id: UUID, signal_id: UUID, for_update: bool = False
) -> Signal:
    """Return the organisation's signal.

    Raises `NotFound` both for another organisation's signal and for none: see `record_refusal`.
    `for_update` locks the row and reads it afresh.
    """
    query = select(Signal).where(Signal.id == signal_id, Signal.organisation_id == organisation_id)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    signal = session.scalar(query)
    if signal is None:
        raise NotFound
    return signal


def known_names(session: Session, *, organisation_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names behind ids that an organisation may know; skip all others.

    It knows its own name, the references of its own signals (live or deleted), its own staff, and the
    administrators: it knows everybody who acts on it.
    """
    own_staff = or_(StaffMember.organisation_id == organisation_id, StaffMember.organisation_id.is_(None))
    queries = (
        select(Organisation.id, Organisation.name).where(
            Organisation.id.in_(ids), Organisation.id == organisation_id
        ),
        select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(ids), own_staff),
        select(DeletionRecord.signal_id, DeletionRecord.reference).where(
            DeletionRecord.signal_id.in_(ids), DeletionRecord.organisation_id == organisation_id
        ),
        select(Signal.id, Signal.reference).where(
            Signal.id.in_(ids), Signal.organisation_id == organisation_id
        ),
    )
    return {row[0]: row[1] for query in queries for row in session.execute(query)}


def require_signals(operation: Operation, signal_ids: Collection[UUID]) -> None:
    """Raise `NotFound` when the actor's organisation lacks one of these; load nothing sealed."""
    wanted = {"ids": list(signal_ids), "organisation_id": organisation_of(operation.actor)}
    if operation.session.scalar(_HOW_MANY, wanted) != len(set(signal_ids)):
        raise NotFound


def lock_signal(operation: Operation, signal_id: UUID, expected_version: int | None) -> Signal:
    """Return the locked signal when the actor's team may work on it in this version."""
    require_role(operation.actor, *FOLLOW_UP_ROLES)
    signal = find_signal(
        operation.session,
        organisation_id=organisation_of(operation.actor),
        signal_id=signal_id,
        for_update=True,
    )
    if expected_version is not None and signal.version != expected_version:
        raise StaleVersion
    if signal.restricted_on is not None:
        raise Restricted
    if signal.state is SignalState.SET_ASIDE:
        raise Conflict  # a lead brings it back first
    return signal


def lock_claimed_signal(
    operation: Operation, signal_id: UUID, expected_version: int | None, action: Action
) -> Signal:
    """Return the locked signal when its state allows the action and the actor may act on the claim."""
    signal = lock_signal(operation, signal_id, expected_version)
    state_after(signal.state, action)
    if signal.claimed_by_id is None:
        raise Conflict  # released in follow-up: somebody must claim it first
    if not may_act_on(operation, signal):
        raise claimed_by_other(operation.session, signal)
    return signal


def may_act_on(operation: Operation, signal: Signal) -> bool:
    """Return whether the actor claimed the signal, leads the team, or stands in for the claimant today."""
    actor = operation.actor
    if actor.role == Role.LEAD or signal.claimed_by_id == actor.id:
        return True
    if signal.claimed_by_id is None:
        return False
    return signal.claimed_by_id in stood_in_for(
        operation.session,
        organisation_id=signal.organisation_id,
        staff_id=staff_id_of(actor),
        on=operation.today,
    )


def is_open_and_claimed(signal: Signal) -> bool:
    """Return whether somebody has this signal and has not concluded it."""
    return signal.claimed_by_id is not None and signal.state is not SignalState.CONCLUDED


def claimed_by_other(session: Session, signal: Signal) -> ClaimedByOther:
    """Return the refusal that names the claimant and the moment of the claim."""
    name = session.scalar(select(StaffMember.name).where(StaffMember.id == signal.claimed_by_id))
    return ClaimedByOther(name or "", signal.claimed_at)


def record_change(operation: Operation, signal: Signal, action: AuditAction, ground: Ground) -> None:
    """Count the version up and write the audit entry of a change that leaves the state alone."""
    signal.version += 1
    operation.record(action, subject_id=signal.id, ground=ground, organisation_id=signal.organisation_id)


def record_refusal(operation: Operation, signal_id: UUID) -> None:
    """Write the audit entry of a refused signal: the actor's organisation does not have it.

    The entry tells another organisation's signal from no signal. The answer to the caller does not.
    """
    own = organisation_of(operation.actor)
    set_local(operation.session, subject=str(signal_id))
    elsewhere = select(Signal.id).where(Signal.id == signal_id, Signal.organisation_id != own)
    operation.record(
        AuditAction.FOREIGN_SIGNAL_REFUSED,
        subject_id=signal_id,
        outcome="unknown" if operation.session.scalar(elsewhere) is None else "foreign",
    )


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Permit opening the content of these signals, once the transaction of its audit entries is committed.

    `shown`: whether somebody sees the content. Otherwise the same transaction seals it anew.
    """

    signal_ids: frozenset[UUID]
    transaction: SessionTransaction | None = field(repr=False)
    shown: bool = True

    def require(self, signal_ids: Iterable[UUID]) -> None:
        """Raise `RuntimeError` for a signal that is not admitted, or before the audit entry is committed."""
        if self.shown and (self.transaction is None or self.transaction.is_active):
            raise RuntimeError("the audit entry must be committed before content is opened")
        if not self.signal_ids.issuperset(signal_ids):
            raise RuntimeError("no audit entry admits to this signal")


def admit(
    operation: Operation,
    signal_ids: Collection[UUID],
    action: AuditAction,
    *,
    ground: Ground | None = None,
    outcome: str = "ok",
) -> Admission:
    """Write an audit entry for each signal and permit opening it after the commit.

    Raises `NotFound` when the actor's organisation does not have one of them.
    """
    require_signals(operation, signal_ids)
    entries = [
        AuditEvent(actor=operation.actor, action=action, subject_id=signal_id, ground=ground, outcome=outcome)
        for signal_id in signal_ids
    ]
    operation.audit.record_many(operation.session, operation.clock, entries)
    return _admission(operation, signal_ids)


def admit_to_list(operation: Operation, signal_ids: Collection[UUID]) -> Admission:
    """Write one audit entry for a list and permit opening the summaries of its signals after the commit."""
    operation.record(AuditAction.SUMMARIES_READ, ground=Ground.QUEUE, outcome=f"shown:{len(signal_ids)}")
    return _admission(operation, signal_ids)


def admit_to_reseal(operation: Operation, signal: Signal, change: AuditEntry | StatusChange) -> Admission:
    """Permit opening content that nobody sees, in the transaction of the change that seals it anew.

    `change`: the audit entry, or the result of `transition`, which wrote one. Raises `RuntimeError` for a
    change of another signal or of another transaction.
    """
    of_signal = change.subject_id if isinstance(change, AuditEntry) else change.signal.id
    if of_signal != signal.id or change not in operation.session:
        raise RuntimeError("no change of this signal was written in this transaction")
    return Admission(signal_ids=frozenset({signal.id}), transaction=None, shown=False)


def report_of(keystore: CaseKeys, signal: Signal, admission: Admission) -> Report:
    """Open what the carrier reported. Raises `ContentGone` when the case key was destroyed."""
    admission.require([signal.id])
    return open_report(keystore, signal)


def notes_of(keystore: CaseKeys, signal: Signal, admission: Admission) -> list[OpenedNote]:
    """Open the workers' notes, oldest first. Raises `ContentGone` when the case key was destroyed."""
    admission.require([signal.id])
    return open_notes(keystore, signal)


def summaries_of(
    keystore: CaseKeys, signals: Collection[Signal], admission: Admission
) -> dict[UUID, Summary]:
    """Open what the carriers noticed, for the signals of a list; skip those whose key was destroyed."""
    admission.require(signal.id for signal in signals)
    return open_summaries(keystore, signals)


def open_for_job(keys: CaseKeys, signals: Iterable[Signal | SignalRow]) -> dict[UUID, Report]:
    """Open reports for a job that shows them to nobody; skip those that cannot be read.

    The jobs move address links, write facts and count. A test names the modules that may call this.
    """
    return open_reports(keys, signals)


def _admission(operation: Operation, signal_ids: Collection[UUID]) -> Admission:
    return Admission(signal_ids=frozenset(signal_ids), transaction=operation.session.get_transaction())
