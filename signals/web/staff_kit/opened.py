"""Open signals for the signed-in caller: commit the audit entry, then read the content."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.casework import opening
from signals.casework.access import admit, admit_to_list, organisation_of, summaries_of
from signals.casework.opening import OpenedSignal
from signals.casework.suggestions import Suggestion, next_best_attempt
from signals.clock import today
from signals.intake.content import Summary
from signals.models import Signal
from signals.statistics.courses import tries_of
from signals.vocabulary import AttemptKind, AuditAction
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import act, desk, operation, reading_operation


def open_signal(signal_id: UUID) -> OpenedSignal:
    """Open a signal of the caller's organisation.

    Raises `NotFound` both for another organisation's signal and for none, and `ContentGone` when its key was
    destroyed.
    """
    with operation(signal_id) as begun:
        admission = admit(begun, [signal_id], AuditAction.SIGNAL_OPENED, ground=Ground.FOLLOW_UP)
    return read_opened(signal_id, admission)


def read_opened(signal_id: UUID, admission: Admission) -> OpenedSignal:
    """Read a signal whose audit entry is committed."""
    admission.fetch()
    with reading_operation() as reading:
        opened = opening.open_signal(reading, signal_id, admission)
        suggestion = _with_own_figures(reading.session, opened)
    # Outside the transaction: the routing table is read on a connection of its own.
    doubts = opening.address_doubts(desk().router, opened.report.address, today(desk().clock))
    return replace(opened, doubts=doubts, suggestion=suggestion)


def _with_own_figures(session: Session, opened: OpenedSignal) -> Suggestion | None:
    """Return the suggestion with the scheme's own figures, once they say enough.

    A kind that reached nobody at this attempt gives way to another, while there is one.
    """
    suggestion, attempt = opened.suggestion, len(opened.attempts) + 1
    nobody: list[AttemptKind] = []
    while suggestion and suggestion.figures:
        own = tries_of(session, attempt=attempt, kind=suggestion.kind)
        if own is None:
            return suggestion
        percent = {name: round(100 * getattr(own.share, name)) for name in ("value", "low", "high")}
        if percent["value"] or own.kind is None:
            figures = {"attempt": own.attempt, **percent}
            return replace(suggestion, source=own.period, figures=figures, figures_of=own.kind)
        nobody.append(own.kind)
        suggestion = next_best_attempt(opened.signal, opened.signal.attempts, without=nobody)
    return suggestion or opened.suggestion


def read_summaries(signals: Sequence[Signal]) -> dict[UUID, Summary]:
    """Open what the carriers noticed, for a list of signals, after one audit entry for the list."""
    if not signals:
        return {}
    admission = act(admit_to_list, signals)
    return summaries_of(signals, admission)


def organisation_id() -> UUID:
    """Return the caller's organisation; raise `Forbidden` for a caller without one."""
    return organisation_of(current().actor)
