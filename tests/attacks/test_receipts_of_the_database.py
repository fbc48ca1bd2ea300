"""Attack with the roles of a desk on PostgreSQL: its code, its SQL and its master key."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import OperationalError, ProgrammingError

from privacy.keystore import KeyReceipt, Opens, ReceiptRefused
from privacy.keystore_schema import case_keys, keystore_engine
from signals.audit.grounds import Ground
from signals.audit.log import Actor
from signals.casework import refer
from signals.casework.access import admit, admit_to_list, report_of, summaries_of
from signals.casework.pace import stop_account
from signals.casework.taking_back import admit_to_take_back, take_back
from signals.errors import ContentGone
from signals.intake.content import open_report
from signals.models import AuditEntry, Signal
from signals.operations import receipt_fence
from signals.operations.receipt_fence import KEYSTORE_RIGHTS
from signals.residents.erasing import record_erasure
from signals.residents.finding import find_by_address
from signals.vocabulary import AuditAction, ReferralReason, Role
from tests.support.fences import OWNER
from tests.support.receipts import DESK, FencedDesk, fenced_desk
from tests.support.rights import PROOF
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM

__all__ = ["fenced_desk"]

pytestmark = pytest.mark.postgres


@pytest.fixture
def worker(fenced_desk: FencedDesk) -> Actor:
    return fenced_desk.world.staff()


def committed(desk: FencedDesk, actor: Actor, signal: Signal, action: str = "signal_opened") -> UUID:
    with desk.session() as session:
        entry = desk.operation(session, actor).record(AuditAction(action), subject_id=signal.id)
        session.commit()
        return entry.id


def issued(engine: Engine, opens: str, entry: UUID, signals: Sequence[UUID]) -> bytes | None:
    asked = text("SELECT mac FROM receipts.issue(:opens, :entry, :signals)")
    with engine.connect() as connection:
        mac: bytes | None = connection.scalar(
            asked, {"opens": opens, "entry": entry, "signals": list(signals)}
        )
        return mac


def test_a_person_opens_a_signal_and_a_list_after_the_commit(fenced_desk: FencedDesk, worker: Actor) -> None:
    signal = fenced_desk.arrive()
    assert fenced_desk.keystore.is_fenced
    with fenced_desk.session() as session:
        opened = admit(fenced_desk.operation(session, worker), [signal.id], AuditAction.SIGNAL_OPENED)
        session.commit()
        listed = admit_to_list(fenced_desk.operation(session, worker), [signal])
        session.commit()
    assert report_of(signal, opened).address == IN_AMSTERDAM
    assert summaries_of([signal], listed).keys() == {signal.id}


def test_a_damaged_key_blinds_the_desk_for_its_own_signal_only(
    fenced_desk: FencedDesk, worker: Actor
) -> None:
    damaged, other = fenced_desk.arrive(1), fenced_desk.arrive(2)
    engine = keystore_engine(fenced_desk.url(1, OWNER))
    with engine.begin() as connection:
        lost = update(case_keys).where(case_keys.c.key_id == damaged.case_key_id)
        connection.execute(lost.values(wrapped=bytes(60), summary=bytes(60)))
    engine.dispose()
    with fenced_desk.session() as session:
        listed = admit_to_list(fenced_desk.operation(session, worker), [damaged, other])
        session.commit()
        opened = admit(fenced_desk.operation(session, worker), [damaged.id], AuditAction.SIGNAL_OPENED)
        session.commit()
    assert summaries_of([damaged, other], listed).keys() == {other.id}
    with pytest.raises(ContentGone):
        report_of(damaged, opened)


@pytest.mark.parametrize("column", ["wrapped", "summary", "*"])
def test_the_desks_role_selects_no_key_of_a_case(fenced_desk: FencedDesk, column: str) -> None:
    fenced_desk.arrive()
    engine = keystore_engine(fenced_desk.url(1, DESK))
    with engine.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text(f"SELECT {column} FROM case_keys"))
    engine.dispose()


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM receipts.secret", "SELECT receipts.mac('case', gen_random_uuid(), '{}')",
     "CREATE FUNCTION receipts.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
)  # fmt: skip
def test_the_desks_role_reads_no_secret_and_makes_no_receipt(
    fenced_desk: FencedDesk, number: int, statement: str
) -> None:
    engine = keystore_engine(fenced_desk.url(number, DESK))
    with engine.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text(statement))
    engine.dispose()


def test_an_entry_of_the_own_open_transaction_gives_no_receipt(
    fenced_desk: FencedDesk, worker: Actor
) -> None:
    """Also not from a savepoint, whose transaction has another number."""
    signal = fenced_desk.arrive()
    asked = text("SELECT mac FROM receipts.issue('case', :entry, :signals)")
    with fenced_desk.session() as session:
        operation = fenced_desk.operation(session, worker)
        for nested in (False, True):
            if nested:
                session.begin_nested()
            entry = operation.record(AuditAction.SIGNAL_OPENED, subject_id=signal.id)
            session.flush()
            assert session.scalar(asked, {"entry": entry.id, "signals": [signal.id]}) is None
        session.rollback()
    assert issued(fenced_desk.engine, "case", entry.id, [signal.id]) is None


@pytest.mark.parametrize("action", ["searched", "sign_in", "summaries_read", "signal_changed"])
def test_an_entry_of_something_else_gives_no_receipt(
    fenced_desk: FencedDesk, worker: Actor, action: str
) -> None:
    signal = fenced_desk.arrive()
    entry = committed(fenced_desk, worker, signal, action)
    assert issued(fenced_desk.engine, "case", entry, [signal.id]) is None


def test_no_entry_opens_another_signal_another_list_or_for_a_stranger(
    fenced_desk: FencedDesk, worker: Actor
) -> None:
    signal, other = fenced_desk.arrive(1), fenced_desk.arrive(2)
    engine, entry = fenced_desk.engine, committed(fenced_desk, worker, signal)
    assert issued(engine, "case", entry, [signal.id]) is not None
    for opens, signals in (("case", [other.id]), ("case", [signal.id, other.id]), ("list", [signal.id])):
        assert issued(engine, opens, entry, signals) is None
    with fenced_desk.session() as session:
        listed = admit_to_list(fenced_desk.operation(session, worker), [signal])
        session.commit()
    entry = listed.entries[signal.case_key_id]
    assert issued(engine, "list", entry, [signal.id]) is not None
    for opens, signals in (("case", [signal.id]), ("list", [other.id]), ("list", [signal.id, other.id])):
        assert issued(engine, opens, entry, signals) is None
    nobody = Actor(id=uuid4(), role="worker", organisation_id=worker.organisation_id)
    assert issued(engine, "case", committed(fenced_desk, nobody, signal), [signal.id]) is None


FREED = {
    "shared": "",
    "swapped": "UPDATE signals SET case_key_id = gen_random_uuid() WHERE id = :other",
    "deleted": "DELETE FROM signals WHERE id = :other",
}


@pytest.mark.parametrize("how", FREED)
def test_the_desk_gives_no_signal_the_key_of_another(
    fenced_desk: FencedDesk, worker: Actor, how: str
) -> None:
    """One entry about the own signal would otherwise open every signal."""
    signal, other = fenced_desk.arrive(1), fenced_desk.arrive(2)
    with fenced_desk.session() as session:
        fenced_desk.operation(session, worker)
        if FREED[how]:
            session.execute(text(FREED[how]), {"other": other.id})
        take = text("UPDATE signals SET case_key_id = :key WHERE id = :own")
        with pytest.raises(ProgrammingError, match="a new key only"):
            session.execute(take, {"key": other.case_key_id, "own": signal.id})


def test_the_desk_gives_no_signal_the_id_of_another(fenced_desk: FencedDesk, worker: Actor) -> None:
    other = fenced_desk.arrive()
    with fenced_desk.session() as session:
        fenced_desk.operation(session, worker)
        take = text("UPDATE signals SET id = gen_random_uuid() WHERE id = :other")
        with pytest.raises(ProgrammingError, match="a new key only"):
            session.execute(take, {"other": other.id})


def test_a_stopped_account_gets_no_receipt(fenced_desk: FencedDesk, worker: Actor) -> None:
    signal = fenced_desk.arrive()
    with fenced_desk.session() as session:
        stop_account(fenced_desk.operation(session, worker))
        session.commit()
    entry = committed(fenced_desk, worker, signal)
    assert issued(fenced_desk.engine, "case", entry, [signal.id]) is None


def test_an_old_entry_gives_no_receipt(fenced_desk: FencedDesk, worker: Actor) -> None:
    signal = fenced_desk.arrive()
    entry = committed(fenced_desk, worker, signal)
    fenced_desk.server.execute(
        f"UPDATE audit_entries SET at = at - interval '11 minutes' WHERE id = '{entry}'", fenced_desk.names[0]
    )
    assert issued(fenced_desk.engine, "case", entry, [signal.id]) is None


def test_a_receipt_opens_what_it_names_and_nothing_else(fenced_desk: FencedDesk, worker: Actor) -> None:
    signal, other = fenced_desk.arrive(1), fenced_desk.arrive(2)
    entry = committed(fenced_desk, worker, signal)
    mac = issued(fenced_desk.engine, "case", entry, [signal.id]) or b""
    keys = (signal.case_key_id,)
    assert fenced_desk.keystore.keys_for(
        KeyReceipt(opens=Opens.CASE, entry_id=entry, key_ids=keys, mac=mac)
    ) == fenced_desk.world.keystore.case_keys(keys)
    for opens, of, key_ids in (
        (Opens.CASE, entry, (other.case_key_id,)),
        (Opens.CASE, entry, (*keys, other.case_key_id)),
        (Opens.CASE, uuid4(), keys),
        (Opens.LIST, entry, keys),
    ):
        with pytest.raises(ReceiptRefused):
            fenced_desk.keystore.keys_for(KeyReceipt(opens=opens, entry_id=of, key_ids=key_ids, mac=mac))


def test_the_process_that_dies_between_entry_and_opening_leaves_the_entry(
    fenced_desk: FencedDesk, worker: Actor
) -> None:
    signal = fenced_desk.arrive()
    entry = committed(fenced_desk, worker, signal)
    with fenced_desk.world.sessions() as session:
        kept = session.scalars(select(AuditEntry).where(AuditEntry.id == entry)).one()
    assert (kept.subject_id, kept.actor_id) == (signal.id, worker.id)
    with fenced_desk.session() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("DELETE FROM audit_entries"))


def test_without_the_keystore_the_entry_stays_and_nothing_opens(
    fenced_desk: FencedDesk, worker: Actor
) -> None:
    signal = fenced_desk.arrive()
    assert fenced_desk.keystore.is_fenced
    with fenced_desk.session() as session:
        opened = admit(fenced_desk.operation(session, worker), [signal.id], AuditAction.SIGNAL_OPENED)
        session.commit()
    name = fenced_desk.names[1]
    fenced_desk.server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    fenced_desk.server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    for _ in range(2):
        with pytest.raises(OperationalError):
            report_of(signal, opened)
    fenced_desk.server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert report_of(signal, opened).address == IN_AMSTERDAM


def test_the_command_may_run_again_and_mends_a_secret_that_differs(
    fenced_desk: FencedDesk, worker: Actor
) -> None:
    signal = fenced_desk.arrive()
    rows, keys = (keystore_engine(fenced_desk.url(number, OWNER)) for number in (0, 1))
    with rows.begin() as connection:
        connection.execute(text("UPDATE receipts.secret SET inside = outside"))
    with fenced_desk.session() as session:
        opened = admit(fenced_desk.operation(session, worker), [signal.id], AuditAction.SIGNAL_OPENED)
        session.commit()
    with pytest.raises(ReceiptRefused):
        report_of(signal, opened)
    for _ in range(2):
        receipt_fence.apply(rows, keys, desk=DESK)
        assert report_of(signal, opened).address == IN_AMSTERDAM
    assert set(KEYSTORE_RIGHTS) == set(fenced_desk.world.keystore.counts())
    for engine in (rows, keys):
        engine.dispose()


def test_a_desk_still_makes_and_destroys_keys_and_finds_repeats(fenced_desk: FencedDesk) -> None:
    desk, all_seeing, key_id = fenced_desk.keystore, fenced_desk.world.keystore, uuid4()
    desk.ping()
    desk.store_case_keys({key_id: b"k" * 32})
    assert all_seeing.case_key(key_id) == b"k" * 32
    assert desk.destroy_case_keys([key_id]) == 1
    assert desk.pseudonym_key(key_id, "2026-Q4") == all_seeing.pseudonym_key(key_id, "2026-Q4")
    assert desk.secret("audit") == all_seeing.secret("audit")
    with pytest.raises(ProgrammingError, match="permission denied"):
        desk.mailbox_private_keys([key_id])


def test_a_signal_is_referred_with_its_note_and_erased_from_the_desk(
    fenced_desk: FencedDesk, worker: Actor
) -> None:
    signal = fenced_desk.arrive()
    with fenced_desk.session() as session:
        used = admit(fenced_desk.operation(session, worker), [signal.id], AuditAction.CONTENT_USED)
        session.commit()
        operation = replace(fenced_desk.operation(session, worker), admission=used.fetch())
        refer(
            operation,
            signal_id=signal.id,
            to_organisation_id=GRONINGEN,
            reason=ReferralReason.MOVED,
            text="Let op de hond.",
        )
        session.commit()
    (referred,) = fenced_desk.world.signals()
    assert referred.case_key_id != signal.case_key_id
    assert open_report(fenced_desk.world.keystore, referred).address == IN_AMSTERDAM
    officer = fenced_desk.world.staff(role=Role.PRIVACY_OFFICER)
    with fenced_desk.session() as session:
        findings = find_by_address(fenced_desk.operation(session, officer), address=IN_AMSTERDAM)
        operation = fenced_desk.operation(session, officer)
        erasing = record_erasure(operation, findings=findings, proof=PROOF)
        session.commit()
    assert erasing.fetch().case_keys([referred.case_key_id])


def test_a_sender_gets_the_receivers_key_only_while_nobody_there_opened_the_signal(
    fenced_desk: FencedDesk, worker: Actor
) -> None:
    handed, opened = (_handed_over(fenced_desk, worker, number) for number in (1, 2))
    receiver = fenced_desk.world.staff(GRONINGEN)
    with fenced_desk.session() as session:
        admit(fenced_desk.operation(session, receiver), [opened], AuditAction.SIGNAL_OPENED)
        session.commit()
        operation = fenced_desk.operation(session, worker)
        late = operation.record(AuditAction.CONTENT_USED, subject_id=opened, ground=Ground.TAKE_BACK).id
        session.commit()
        admission = admit_to_take_back(fenced_desk.operation(session, worker), signal_id=handed)
        session.commit()
        assert admission is not None
        operation = replace(fenced_desk.operation(session, worker), admission=admission.fetch())
        take_back(operation, signal_id=handed)
        session.commit()
    assert issued(fenced_desk.engine, "case", late, [opened]) is None
    back = next(signal for signal in fenced_desk.world.signals() if signal.id == handed)
    assert open_report(fenced_desk.world.keystore, back).address == IN_AMSTERDAM
    assert back.organisation_id == AMSTERDAM


def _handed_over(desk: FencedDesk, worker: Actor, number: int) -> UUID:
    signal = desk.arrive(number)
    with desk.session() as session:
        used = admit(desk.operation(session, worker), [signal.id], AuditAction.CONTENT_USED)
        session.commit()
        operation = replace(desk.operation(session, worker), admission=used.fetch())
        refer(operation, signal_id=signal.id, to_organisation_id=GRONINGEN, reason=ReferralReason.MOVED)
        session.commit()
    return signal.id
