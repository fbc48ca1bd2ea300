"""Messages that are obsolete: a worker asks just before it sends, and drops them."""

import uuid
from typing import Final

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from notifications.events import TO_SYSTEMS, Event
from notifications.models import MessageState, OutboxMessage
from signals.models import Absence, AccountLink, Drill, Organisation, Recipient, Signal, StaffMember
from signals.models.sealed import RowRefused
from signals.notices.stages import STATES_OF, UNCLAIMED_ONLY, open_with_deadline
from signals.notices.systems import why_obsolete_for_system
from signals.organisations.recipients import why_no_check
from signals.vocabulary import Role, SignalState

TO_THE_QUEUE: Final = frozenset(
    {
        Event.NEW_SIGNAL,
        Event.REMINDER,
        Event.CONTACT_REMINDER,
        Event.CONCLUDE_REMINDER,
        Event.NEXT_CONTACT,
        Event.NOTICE_REMINDER,
    }
)
"""Messages that lead to the queue: one of them tells of all signals that wait there."""


def why_obsolete(
    session: Session, event: str, subject_id: uuid.UUID, organisation_id: uuid.UUID | None, recipient: str
) -> str | None:
    """Return a code when a message is obsolete, and None when it must go."""
    if event in TO_SYSTEMS:
        return why_obsolete_for_system(session, event, subject_id, recipient)
    if event in TO_THE_QUEUE and _is_told(session, event, subject_id, recipient):
        return "told"
    if event in STATES_OF or event == Event.NOTICE_REMINDER:
        return _about_signal(session, event, subject_id, organisation_id, recipient)
    if event in (Event.DRILL, Event.DRILL_UNANSWERED):
        return _about_drill(session, subject_id)
    if event in (Event.STAND_IN, Event.UNCOVERED):
        return "back" if session.get(Absence, subject_id) is None else None
    if event == Event.ACCOUNT_LINK:
        return _about_link(session, subject_id)
    if event in (Event.RECIPIENT_CHECK, Event.DEPUTY_CHECK):
        return why_no_check(session, subject_id, recipient)
    if event == Event.ROUTING_SUSPENDED and organisation_id is not None:
        since = select(Organisation.suspended_from).where(Organisation.id == organisation_id)
        return "restored" if session.scalar(since) is None else None
    if event in (Event.NOTHING_OPEN, Event.DIGEST) and organisation_id is not None:
        return _about_work(session, event, organisation_id)
    return None


def _is_told(session: Session, event: str, subject_id: uuid.UUID, recipient: str) -> bool:
    """Return whether the same message with the same link went out after this one was due."""
    to_them = OutboxMessage.event == event, OutboxMessage.recipient == recipient
    waiting = select(OutboxMessage.not_before, OutboxMessage.values).where(
        *to_them, OutboxMessage.subject_id == subject_id
    )
    message = session.execute(waiting).one_or_none()
    if message is None:  # withdrawn meanwhile
        return False
    since = OutboxMessage.state == MessageState.DELIVERED, OutboxMessage.settled_at >= message.not_before
    told = session.scalars(select(OutboxMessage.values).where(*to_them, *since))
    return any(other["link"] == message.values["link"] for other in told)


def _about_work(session: Session, event: str, organisation_id: uuid.UUID) -> str | None:
    due = open_with_deadline(session)
    if event == Event.NOTHING_OPEN:
        return "work_came" if organisation_id in due else None
    return None if due.get(organisation_id) else "nothing_open"


def _about_drill(session: Session, drill_id: uuid.UUID) -> str | None:
    """Return a code when the drill is answered, or when a later drill tells another day."""
    drill = session.get(Drill, drill_id)
    if drill is None or drill.answered_on is not None:
        return "answered"
    later = (Drill.organisation_id == drill.organisation_id, Drill.sent_on > drill.sent_on)
    return "replaced" if session.scalar(select(Drill.id).where(*later).limit(1)) else None


def _about_some_signal(session: Session, organisation_id: uuid.UUID | None, recipient: str) -> str | None:
    """Return a code for a message on arrival, which is about several signals at once."""
    new = exists().where(
        Signal.organisation_id == organisation_id,
        Signal.state == SignalState.NEW,
        Signal.restricted_on.is_(None),
    )
    found = session.execute(select(new.label("new"), _is_kept_out(recipient).label("kept_out"))).one()
    if not found.new:
        return "gone"
    return "coordinator" if found.kept_out else None


def _is_kept_out(recipient: str) -> ColumnElement[bool]:
    """Match recipients who became a coordinator while the message waited, also by their phone."""
    whose = select(func.lower(Recipient.address)).where(Recipient.phone == recipient)
    they = or_(StaffMember.email == recipient.lower(), StaffMember.email.in_(whose))
    return exists().where(they, StaffMember.role == Role.COORDINATOR)


def _about_signal(
    session: Session, event: str, signal_id: uuid.UUID, organisation_id: uuid.UUID | None, recipient: str
) -> str | None:
    query = select(
        Signal.organisation_id,
        Signal.state,
        Signal.notified_on,
        Signal.deferred_because,
        Signal.postponed_until,
        Signal.claimed_by_id,
        Signal.restricted_on,
        _is_kept_out(recipient).label("kept_out"),
    ).where(Signal.id == signal_id)
    signal = session.execute(query).one_or_none()
    if signal is None:
        is_of_some = event == Event.NEW_SIGNAL
        return _about_some_signal(session, organisation_id, recipient) if is_of_some else "gone"
    if signal.kept_out:
        return "coordinator"
    if signal.organisation_id != organisation_id:
        return "referred"
    if signal.restricted_on is not None:
        return "restricted"
    informed = signal.notified_on is not None or signal.deferred_because is not None
    if event in (Event.NOTICE_REMINDER, Event.UNATTENDED) and informed:
        return "informed"
    if event != Event.NOTICE_REMINDER and signal.state not in STATES_OF[event]:
        return f"now_{signal.state.value}"
    if event in UNCLAIMED_ONLY and signal.claimed_by_id is not None:
        return f"now_{signal.state.value}"
    if event == Event.NEXT_CONTACT and signal.postponed_until is None:
        return "went_on"
    return None


def _about_link(session: Session, link_id: uuid.UUID) -> str | None:
    """Return a code for a link that was used, or that a newer link replaced."""
    try:
        link = session.get(AccountLink, link_id)
    except RowRefused:  # the alarm is raised; other messages go on
        link = None
    if link is None:
        return "replaced"
    return "used" if link.used_at is not None else None
