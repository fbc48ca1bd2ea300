"""Attack from inside a desk's process: skip `casework.access` and ask the keystore for keys."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from privacy.keystore import KeyReceipt, Keystore, Opens, ReceiptRefused
from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.audit.log import Actor
from signals.casework.access import admission, admit, admit_to_list, report_of, summaries_of
from signals.db import session_factory
from signals.models import AuditEntry, Signal, StaffMember
from signals.operation import Operation
from signals.staff.identity import actor_for
from signals.vocabulary import AuditAction
from signals.web.staff_kit.context import EXTENSION
from tests.support.both_databases import BOTH
from tests.support.desk_side import Desk
from tests.support.operations import operation

pytestmark = BOTH


@pytest.fixture
def signal(desk: Desk, engine: Engine) -> Signal:
    """Return a signal of Amsterdam, in which Anna works."""
    return row_of(engine, desk.arrive())


@pytest.fixture
def keystore(desk: Desk) -> Keystore:
    found: Keystore = desk.app.extensions[EXTENSION].keystore
    return found


@pytest.fixture
def acting(desk: Desk, engine: Engine, keystore: Keystore) -> Iterator[Operation]:
    """Return an operation of Anna, not yet committed."""
    with session_factory(engine)() as session:
        yield operation(session, desk.clock, anna(session, desk), keystore=keystore)


def anna(session: Session, desk: Desk) -> Actor:
    found = session.scalars(select(StaffMember).where(StaffMember.email == desk.people["anna"].email)).one()
    actor = actor_for(found)
    session.rollback()
    return actor


def row_of(engine: Engine, signal_id: UUID) -> Signal:
    with session_factory(engine)() as session:
        return session.get_one(Signal, signal_id)


def forged(acting: Operation, signal: Signal, entry_id: UUID) -> Admission:
    """Return the admission that a committed entry of this id would give."""
    keys, entries = {signal.id: signal.case_key_id}, {signal.id: entry_id}
    acting.session.begin()
    made = admission(acting, keys, entries)
    acting.session.rollback()
    return made


def entry_of(acting: Operation, signal: Signal, action: AuditAction, **changes: object) -> UUID:
    """Write and commit an entry, with changed fields under a MAC that does not fit any more."""
    entry = acting.record(action, subject_id=signal.id, ground=Ground.FOLLOW_UP)
    for name, value in changes.items():
        setattr(entry, name, value)
    acting.session.commit()
    return entry.id


def test_the_keystore_gives_the_desk_no_key_without_a_receipt(keystore: Keystore, signal: Signal) -> None:
    key_id = signal.case_key_id
    for ask in (keystore.case_keys, keystore.summary_keys):
        with pytest.raises(ReceiptRefused):
            ask([key_id])
    with pytest.raises(ReceiptRefused):
        keystore.case_key(key_id)


def test_an_invented_receipt_opens_nothing(keystore: Keystore, signal: Signal) -> None:
    for opens in Opens:
        made = KeyReceipt(opens=opens, entry_id=uuid4(), key_ids=(signal.case_key_id,), mac=bytes(32))
        with pytest.raises(ReceiptRefused):
            keystore.keys_for(made)


def test_an_entry_that_is_not_committed_opens_nothing(acting: Operation, signal: Signal) -> None:
    admitted = admit(acting, [signal.id], AuditAction.SIGNAL_OPENED)
    pretending = replace(admitted, transaction=replace_by_ended(acting))
    with pytest.raises(ReceiptRefused):
        report_of(signal, pretending)
    acting.session.rollback()
    with pytest.raises(ReceiptRefused):
        report_of(signal, admitted)


def replace_by_ended(acting: Operation) -> object:
    """Return a transaction that has ended, as code would that wants to pass the first check."""
    with Session(acting.session.get_bind().engine) as other:
        other.begin()
        ended = other.get_transaction()
        other.rollback()
    return ended


def test_an_entry_about_another_signal_opens_nothing(
    desk: Desk, engine: Engine, acting: Operation, signal: Signal
) -> None:
    other = row_of(engine, desk.arrive(number=14))
    with pytest.raises(ReceiptRefused):
        report_of(signal, forged(acting, signal, entry_of(acting, other, AuditAction.SIGNAL_OPENED)))


@pytest.mark.parametrize("action", [AuditAction.SEARCHED, AuditAction.SIGN_IN, AuditAction.SUMMARIES_READ])
def test_an_entry_of_something_else_opens_nothing(
    acting: Operation, signal: Signal, action: AuditAction
) -> None:
    with pytest.raises(ReceiptRefused):
        report_of(signal, forged(acting, signal, entry_of(acting, signal, action)))


def test_an_old_entry_opens_nothing(acting: Operation, signal: Signal) -> None:
    earlier = acting.now - timedelta(minutes=11)
    entry = entry_of(acting, signal, AuditAction.SIGNAL_OPENED, at=earlier)
    with pytest.raises(ReceiptRefused):
        report_of(signal, forged(acting, signal, entry))


def test_the_entry_of_a_list_opens_summaries_of_that_list_and_no_content(
    desk: Desk, engine: Engine, acting: Operation, signal: Signal
) -> None:
    admitted = admit_to_list(acting, [signal])
    acting.session.commit()
    assert summaries_of([signal], admitted).keys() == {signal.id}
    with pytest.raises(RuntimeError):
        report_of(signal, admitted)
    entry = admitted.entries[signal.case_key_id]
    with pytest.raises(ReceiptRefused):
        report_of(signal, forged(acting, signal, entry))
    other = row_of(engine, desk.arrive(number=14))
    longer = replace(admitted, signals={other.case_key_id: other.id}, entries={other.case_key_id: entry})
    with pytest.raises(ReceiptRefused):
        summaries_of([other], longer)


def test_the_key_of_a_summary_opens_no_content(acting: Operation, signal: Signal) -> None:
    admitted = admit_to_list(acting, [signal])
    acting.session.commit()
    summaries = admitted.summary_keys([signal.case_key_id])
    opened = admit(acting, [signal.id], AuditAction.SIGNAL_OPENED)
    acting.session.commit()
    assert summaries != opened.case_keys([signal.case_key_id])


def test_code_that_makes_an_entry_opens_the_signal_and_leaves_the_entry(
    acting: Operation, engine: Engine, signal: Signal
) -> None:
    entry = entry_of(acting, signal, AuditAction.SIGNAL_OPENED)
    assert report_of(signal, forged(acting, signal, entry)).address.number == 12
    with session_factory(engine)() as session:
        assert session.get_one(AuditEntry, entry).subject_id == signal.id
