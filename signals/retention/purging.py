"""Delete signals in bulk, and leave a record, a fact and a link of each in the same transaction."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, case, delete, func, select, update
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from privacy.bulk import among, insert_many
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, AuditEvent
from signals.casework.access import open_for_job
from signals.casework.referral import HANDED_OVER
from signals.intake.content import SignalRow
from signals.models import AddressLink, DeletionRecord, Signal
from signals.operation import Operation
from signals.routing.postcodes import Address
from signals.statistics.comparing import results_to_keep
from signals.statistics.courses import courses_of
from signals.statistics.facts import fact_from
from signals.statistics.sealed_facts import store_facts
from signals.vocabulary import OUTCOME_GROUPS, AuditAction, DeletionReason, SignalState

BATCH = 1000
"""Signals in one transaction: fewer cost more round trips, more hold their locks longer."""

Locate = Callable[[Address, date], str | None]
"""Returns the municipality code of an address on a date, or None."""

_WITHOUT_LINK = (DeletionReason.ERASURE, DeletionReason.OBJECTION, DeletionReason.FLOOD)


def purge(
    operation: Operation,
    *,
    reasons: Mapping[uuid.UUID, DeletionReason],
    locate: Locate,
    still_due: Callable[[Any], bool] = lambda _signal: True,
    days: Mapping[uuid.UUID, date] | None = None,
) -> dict[uuid.UUID, DeletionReason]:
    """Delete signals with everything of theirs, and return the reasons of the deleted ones by id.

    Records, facts and links without the signal's id remain. The next run takes the rows that another worker
    locked, and those for which `still_due` is false. `days`: the days of the first deletions, in a replay.
    `Retention.confirm_destroyed` destroys the keys after the commit.
    """
    session, on = operation.session, operation.today
    session.flush()
    connection = session.connection()
    signals = [signal for signal in _locked(connection, list(reasons)) if still_due(signal)]
    if not signals:
        return {}
    counted = [signal for signal in signals if signal.state is not SignalState.SET_ASIDE]
    _write_facts(connection, counted, operation, locate)
    _write_records(connection, signals, reasons, days or {}, on)
    _settle_links(connection, signals, reasons)
    events = [_audit_event(signal, reasons[signal.id]) for signal in signals]
    operation.audit.record_many(session, operation.clock, events)
    _delete_rows(session, [signal.id for signal in signals])
    return {signal.id: reasons[signal.id] for signal in signals}


_signals: Final = cast(Table, Signal.__table__).c
_links: Final = cast(Table, AddressLink.__table__).c
_messages: Final = cast(Table, OutboxMessage.__table__).c

_READ = (
    _signals.id, _signals.organisation_id, _signals.reference, _signals.state, _signals.received_on,
    _signals.repeat, _signals.case_key_id, _signals.schema_version, _signals.content,
    _signals.summary, _signals.claim_by, _signals.contact_by, _signals.concluded_at, _signals.outcome,
    _signals.newly_known, _signals.notified_on, _signals.deferred_because, _signals.restricted_on,
    _signals.claimed_by_id, _signals.due_on,
)  # fmt: skip


def _locked(connection: Connection, signal_ids: Sequence[uuid.UUID]) -> Sequence[SignalRow]:
    query = select(*_READ).where(among(connection, _signals.id, signal_ids))
    return connection.execute(query.with_for_update(skip_locked=True)).all()


def _write_facts(
    connection: Connection, signals: Sequence[SignalRow], operation: Operation, locate: Locate
) -> None:
    """Write facts with today's region, so that a merged municipality counts with its successor."""
    keystore, on = operation.keystore, operation.today
    reports = open_for_job(operation.cases, signals)
    courses = list(courses_of(connection, keystore, signals))
    found = [(reports.get(signal.id), course) for signal, course in zip(signals, courses, strict=True)]
    facts = [
        fact_from(course, report, locate(report.address, on) if report else None) for report, course in found
    ]
    store_facts(connection, keystore, [*facts, *results_to_keep(connection, courses)])


def _write_records(
    connection: Connection,
    signals: Sequence[SignalRow],
    reasons: Mapping[uuid.UUID, DeletionReason],
    days: Mapping[uuid.UUID, date],
    on: date,
) -> None:
    """Write deletion records; a replay keeps the record of the first deletion."""
    records = {
        "signal_id": [signal.id for signal in signals],
        "organisation_id": [signal.organisation_id for signal in signals],
        "reference": [signal.reference for signal in signals],
        "case_key_id": [signal.case_key_id for signal in signals],
        "reason": [reasons[signal.id] for signal in signals],
        "deleted_on": [days.get(signal.id, on) for signal in signals],
    }
    insert_many(connection, cast(Table, DeletionRecord.__table__), records, unless=())


def _settle_links(
    connection: Connection, signals: Sequence[SignalRow], reasons: Mapping[uuid.UUID, DeletionReason]
) -> None:
    """Delete the links of erased signals and of a flood; reduce other links to the outcome's group.

    Those links still show a repeat. An organisation that referred the signal keeps "referred", because the
    outcome elsewhere is not its business. It also keeps the id, by which its own record tells where the
    signal went (art. 15(1)(c) AVG).
    """
    erased = [signal.id for signal in signals if reasons[signal.id] in _WITHOUT_LINK]
    if erased:
        connection.execute(delete(AddressLink).where(among(connection, _links.signal_id, erased)))
    of_signals = among(connection, _links.signal_id, (signal.id for signal in signals))
    ended = select(_OUTCOME_GROUP).where(_signals.id == _links.signal_id).scalar_subquery()
    connection.execute(
        update(AddressLink)
        .where(of_signals, func.coalesce(_links.outcome_group, "") != HANDED_OVER)
        .values(signal_id=None, outcome_group=ended)
    )


_OUTCOME_GROUP = case(OUTCOME_GROUPS, value=_signals.outcome)


def _audit_event(signal: SignalRow, reason: DeletionReason) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=AuditAction.SIGNAL_PURGED,
        subject_id=signal.id,
        organisation_id=signal.organisation_id,
        ground=Ground.RETENTION.of(reason),
    )


def _delete_rows(session: Session, signal_ids: Sequence[uuid.UUID]) -> None:
    session.expunge_all()  # the database deletes attempts, notes and history along
    connection = session.connection()
    connection.execute(delete(OutboxMessage).where(among(connection, _messages.subject_id, signal_ids)))
    connection.execute(delete(Signal).where(among(connection, _signals.id, signal_ids)))
