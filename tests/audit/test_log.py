"""Test that audit entries are complete, sealed by their MAC, and no finer than allowed."""

from datetime import UTC, datetime

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from privacy.audit_macs import AuditFacts, entry_mac
from signals.audit.log import SYSTEM, Actor, AuditEvent, AuditLog, day_only
from signals.clock import FixedClock
from signals.models import AuditEntry
from signals.vocabulary import AuditAction
from tests import factories

SOMEBODY = Actor(
    id=factories.base.numbered_id(1, 1),
    role="worker",
    organisation_id=factories.base.numbered_id(1, 2),
    name="Medewerker",
)
SUBJECT = factories.base.numbered_id(1, 3)


def facts_of(entry: AuditEntry) -> AuditFacts:
    return AuditFacts(
        entry_id=entry.id,
        at=entry.at,
        actor_id=entry.actor_id,
        actor_role=entry.actor_role,
        organisation_id=entry.organisation_id,
        action=entry.action.value,
        subject_id=entry.subject_id,
        ground=entry.ground,
        outcome=entry.outcome,
    )


def test_a_stored_entry_fits_its_mac(session: Session, clock: FixedClock, audit: AuditLog) -> None:
    clock.moment = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
    audit.record(
        session, clock, actor=SOMEBODY, action=AuditAction.SIGNAL_OPENED, subject_id=SUBJECT, ground="visit"
    )
    session.flush()
    session.expire_all()
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.mac == entry_mac(b"k" * 32, facts_of(entry))
    assert entry.mac != entry_mac(b"x" * 32, facts_of(entry))


def test_an_entry_belongs_to_the_organisation_of_the_actor_by_default(
    session: Session, clock: FixedClock, audit: AuditLog
) -> None:
    own = audit.record(session, clock, actor=SOMEBODY, action=AuditAction.SEARCHED)
    told = audit.record(
        session, clock, actor=SYSTEM, action=AuditAction.SIGNAL_ARRIVED, organisation_id=SUBJECT
    )
    assert own.organisation_id == SOMEBODY.organisation_id
    assert told.organisation_id == SUBJECT


def test_an_entry_of_a_day_has_no_time(session: Session, clock: FixedClock, audit: AuditLog) -> None:
    entry = audit.record(
        session,
        clock,
        actor=SYSTEM,
        action=AuditAction.SIGNAL_ARRIVED,
        at=day_only(factories.EPOCH_DAY),
    )
    assert entry.at == datetime(2026, 3, 2, tzinfo=UTC)


def test_many_entries_go_in_with_one_statement(session: Session, clock: FixedClock, audit: AuditLog) -> None:
    statements: list[str] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
    )
    arrived = [AuditEvent(actor=SYSTEM, action=AuditAction.SIGNAL_ARRIVED, subject_id=SUBJECT)] * 5
    assert len(audit.record_many(session, clock, arrived)) == 5
    assert len([statement for statement in statements if statement.startswith("INSERT")]) == 1
    entries = session.scalars(select(AuditEntry)).all()
    assert len({entry.id for entry in entries}) == 5
    assert all(entry.mac == entry_mac(b"k" * 32, facts_of(entry)) for entry in entries)
