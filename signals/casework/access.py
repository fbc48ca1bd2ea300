"""Decide who may see a signal and who may act on it, and open its content. Nothing else does either.

Opening has two steps. `admit` checks the actor and writes the audit entry; the caller commits. Only then
do `report_of`, `notes_of` and `summaries_of` open the content: no entry, no content. The keystore asks for
the entry too (`signals.audit.admission`). A job has no reader and calls `open_for_job`.

Every function that changes a signal takes the row's lock first. Then it checks role (`Forbidden`, 403), own
organisation (`NotFound`, 404), `expected_version` from If-Match (`StaleVersion`, 412), restriction, state and
claim (`Conflict`, `ClaimedByOther`, 409), and values (`Invalid`, 400), in this order. On SQLite the lock is
the writer's transaction (BEGIN IMMEDIATE), so these functions must not run in a session of `db.reading`.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from privacy.keystore import Opens
from signals.audit.admission import Admission, list_ground
from signals.audit.grounds import Ground
from signals.audit.log import Actor, AuditEvent, require_role
from signals.audit.pace import require_pace
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
from signals.models import DeletionRecord, Organisation, Signal, StaffMember
from signals.operation import Operation
from signals.staff.absence import HOLDERS, stood_in_for
from signals.vocabulary import Action, AuditAction, Role, SignalState

FOLLOW_UP_ROLES: Final = HOLDERS
# Built once: building it costs as much as running it, and every opening runs it.
_KEYS_OF: Final = select(Signal.id, Signal.case_key_id, Signal.pending_from_id).where(
    Signal.id.in_(bindparam("ids", expanding=True)),
    Signal.organisation_id == bindparam("organisation_id", type_=Signal.organisation_id.type),
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
    return require_claim(operation, lock_signal(operation, signal_id, expected_version), action)


def require_claim(operation: Operation, signal: Signal, action: Action) -> Signal:
    """Return a locked signal when its state allows the action and the actor may act on the claim."""
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


def require_author(operation: Operation, signal: Signal, author_id: UUID) -> None:
    """Raise `ClaimedByOther` unless the actor made an entry of a signal, or may act on the signal."""
    if author_id != operation.actor.id and not may_act_on(operation, signal):
        raise claimed_by_other(operation.session, signal)


def is_open_and_claimed(signal: Signal) -> bool:
    """Return whether somebody has this signal and has not concluded it."""
    return signal.claimed_by_id is not None and signal.state is not SignalState.CONCLUDED


def claimed_by_other(session: Session, signal: Signal) -> ClaimedByOther:
    """Return the refusal that names the claimant and the moment of the claim."""
    name = session.scalar(select(StaffMember.name).where(StaffMember.id == signal.claimed_by_id))
    return ClaimedByOther(name or "", signal.claimed_at)


def record_change(operation: Operation, signal: Signal, action: AuditAction, ground: Ground) -> None:
    """Count the version up and write the audit entry of a change that leaves the state alone.

    A receiver who changes a signal accepts the handover, as one who opens it.
    """
    signal.version += 1
    signal.pending_from_id = None
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


def admit(
    operation: Operation,
    signal_ids: Collection[UUID],
    action: AuditAction,
    *,
    ground: Ground | None = None,
    outcome: str = "ok",
) -> Admission:
    """Write an audit entry for each signal and permit opening it after the commit.

    The first opening accepts a handover: the sender cannot take it back any more. Raises `NotFound` when
    the actor's organisation does not have one of them, and `OpeningsStopped` when the actor opens too many
    in an hour.
    """
    wanted = {"ids": list(signal_ids), "organisation_id": organisation_of(operation.actor)}
    rows = operation.session.execute(_KEYS_OF, wanted).all()
    keys = {row.id: row.case_key_id for row in rows}
    if keys.keys() != set(signal_ids):
        raise NotFound
    _accept(operation, [row.id for row in rows if row.pending_from_id])
    if operation.openings_per_hour and operation.actor.id is not None:
        require_pace(
            operation.session,
            staff_id=operation.actor.id,
            now=operation.now,
            limit=operation.openings_per_hour,
            opens=() if action is AuditAction.CONTENT_USED else keys,
        )
    events = [
        AuditEvent(actor=operation.actor, action=action, subject_id=signal_id, ground=ground, outcome=outcome)
        for signal_id in keys
    ]
    entries = operation.audit.record_many(operation.session, operation.clock, events)
    return admission(operation, keys, dict(zip(keys, entries, strict=True)))


def _accept(operation: Operation, pending: Collection[UUID]) -> None:
    """End the waiting of handovers; raise `NotFound` when the sender took one back just now.

    The update waits for the lock of a sender who takes back, and finds the row gone afterwards.
    """
    if not pending:
        return
    here = Signal.id.in_(pending), Signal.organisation_id == organisation_of(operation.actor)
    opened = update(Signal).where(*here).values(pending_from_id=None).returning(Signal.id)
    if len(operation.session.scalars(opened).all()) != len(pending):
        raise NotFound


def admit_to_list(operation: Operation, signals: Collection[Signal]) -> Admission:
    """Write one audit entry for a list and permit opening the summaries of its signals after the commit."""
    keys = {signal.id: signal.case_key_id for signal in signals}
    entry = operation.record(
        AuditAction.SUMMARIES_READ, ground=list_ground(keys), outcome=f"shown:{len(signals)}"
    )
    return admission(operation, keys, dict.fromkeys(keys, entry.id), opens=Opens.LIST)


def admission(
    operation: Operation, keys: Mapping[UUID, UUID], entries: Mapping[UUID, UUID], opens: Opens = Opens.CASE
) -> Admission:
    """Return the permission that entries give; `keys` and `entries` are the case key and entry by signal."""
    session = operation.session
    return Admission(
        opens=opens,
        signals={key_id: signal_id for signal_id, key_id in keys.items()},
        entries={key_id: entries[signal_id] for signal_id, key_id in keys.items()},
        actor=operation.actor,
        clock=operation.clock,
        keystore=operation.keystore,
        engine=session.get_bind().engine,
        transaction=session.get_transaction(),
    )


def report_of(signal: Signal, admission: Admission) -> Report:
    """Open what the carrier reported. Raises `ContentGone` when the case key was destroyed."""
    admission.require([signal.id])
    return open_report(admission, signal)


def notes_of(signal: Signal, admission: Admission, *, former: bool = False) -> list[OpenedNote]:
    """Open the workers' notes, oldest first, or those that a correction replaced (`former`).

    Raises `ContentGone` when the case key was destroyed.
    """
    admission.require([signal.id])
    return open_notes(admission, signal, signal.former_notes if former else signal.notes)


def summaries_of(signals: Collection[Signal], admission: Admission) -> dict[UUID, Summary]:
    """Open what the carriers noticed, for the signals of a list; skip those whose key was destroyed."""
    admission.require(signal.id for signal in signals)
    return open_summaries(admission, signals)


def content_to_reseal(operation: Operation, signal: Signal) -> tuple[Report, list[OpenedNote]]:
    """Open content that nobody sees: the caller seals it anew and writes the audit entry of that."""
    return open_report(operation.cases, signal), open_notes(operation.cases, signal)


def open_for_job(keys: CaseKeys, signals: Iterable[Signal | SignalRow]) -> dict[UUID, Report]:
    """Open reports for a job that shows them to nobody; skip those that cannot be read.

    The jobs move address links, write facts and count. A test names the modules that may call this.
    """
    return open_reports(keys, signals)
