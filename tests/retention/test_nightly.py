"""Test deletion on time, on both databases, also after a crash."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from privacy.keystore import KeyGone
from signals.casework import claim, record_notice
from signals.clock import today
from signals.models import (
    AddressLink,
    AuditEntry,
    ContactAttempt,
    DeletionRecord,
    Receipt,
    Signal,
    SignalFact,
    StatusChange,
)
from signals.retention.journal import Deletion, DeletionJournal
from signals.retention.nightly import Retention
from signals.retention.periods import still_due
from signals.vocabulary import AuditAction, DeferralReason, DeletionReason
from tests import factories
from tests.support.figures import stored
from tests.support.outsiders import overheard
from tests.support.retention import arrived, concluded, retention_of
from tests.support.world import AMSTERDAM, IN_AMSTERDAM, IN_GRONINGEN, World


def test_a_concluded_signal_is_kept_for_28_days_and_then_forgotten(world: World) -> None:
    concluded(world)
    world.move(days=27)
    assert retention_of(world).run(world.clock).total == 0
    world.move(days=1)
    assert retention_of(world).run(world.clock).purged == {DeletionReason.CONCLUDED: 1}
    assert world.count(Signal) == world.count(ContactAttempt) == world.count(StatusChange) == 0


def test_a_signal_that_nobody_claimed_is_forgotten_after_28_days(world: World) -> None:
    arrived(world)
    world.move(days=28)
    assert retention_of(world).run(world.clock).purged == {DeletionReason.UNATTENDED: 1}


@pytest.mark.parametrize("informed", ["notified_on", "deferred_because"])
def test_an_unclaimed_signal_whose_resident_was_informed_or_deferred_stays(
    world: World, informed: str
) -> None:
    signal_id = arrived(world)
    with world.sessions.begin() as session:
        value = (
            {"notified_on": today(world.clock)}
            if informed == "notified_on"
            else {"deferred_because": DeferralReason.WOULD_ENDANGER}
        )
        record_notice(world.operation(session, world.staff()), signal_id=signal_id, **value)
    world.move(days=40)
    assert retention_of(world).run(world.clock).total == 0


def test_no_signal_is_kept_longer_than_twelve_months(world: World) -> None:
    signal_id = arrived(world)
    world.do(world.staff(), claim, signal_id=signal_id)
    world.move(days=364)
    assert retention_of(world).run(world.clock).total == 0
    world.move(days=1)
    assert retention_of(world).run(world.clock).purged == {DeletionReason.HARD_LIMIT: 1}


def test_an_organisations_own_period_overrides_the_default(world: World) -> None:
    concluded(world)
    with world.sessions.begin() as session:
        session.add(factories.RetentionPeriodFactory.build(organisation_id=AMSTERDAM, days=20))
    world.move(days=20)
    assert retention_of(world).run(world.clock).total == 1


def test_a_restricted_signal_waits(world: World) -> None:
    concluded(world)
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(restricted_on=today(world.clock)))
    world.move(days=400)
    assert retention_of(world).run(world.clock).total == 0


def test_a_purge_leaves_a_record_a_fact_an_audit_entry_and_a_link_without_the_signal(world: World) -> None:
    signal_id = concluded(world)
    reference = world.signals()[0].reference
    world.move(days=28)
    retention_of(world).run(world.clock)
    with world.sessions() as session:
        record = session.scalars(select(DeletionRecord)).one()
        link = session.scalars(select(AddressLink)).one()
        purges = session.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.SIGNAL_PURGED))
        assert [entry.subject_id for entry in purges] == [signal_id]
    assert (record.signal_id, record.reference, record.deleted_on) == (
        signal_id,
        reference,
        today(world.clock),
    )
    assert record.key_destroyed_on == today(world.clock)
    assert (link.signal_id, link.outcome_group) == (None, "helped")
    (fact,) = stored(world)
    assert (fact.region, fact.received, fact.concluded) == ("GG3406", "2026-Q4", "2026")
    assert (fact.kinds, fact.attempts) == ("frail", "visit:yes")
    assert (fact.reached, fact.in_time, fact.newly_known, fact.repeat) == ("yes", "yes", "yes", "no")


def test_a_purged_signal_cannot_be_read_with_a_copy_of_its_row(world: World) -> None:
    concluded(world)
    copy = world.signals()[0]
    world.move(days=28)
    retention_of(world).run(world.clock)
    with pytest.raises(KeyGone):
        world.keystore.case_key(copy.case_key_id)


def test_a_preview_changes_nothing(world: World) -> None:
    concluded(world)
    world.move(days=28)
    assert retention_of(world).preview(world.clock).purged == {DeletionReason.CONCLUDED: 1}
    assert world.count(Signal) == 1


def test_a_run_that_died_before_the_keys_were_destroyed_is_finished_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    concluded(world)
    key_id = world.signals()[0].case_key_id
    world.move(days=28)
    dying = retention_of(world)
    monkeypatch.setattr(DeletionJournal, "append", _die)
    with pytest.raises(_Killed):
        dying.run(world.clock)
    monkeypatch.undo()
    assert world.count(Signal) == 0
    assert world.keystore.case_key(key_id)
    retention_of(world).run(world.clock)
    with pytest.raises(KeyGone):
        world.keystore.case_key(key_id)


def test_a_run_that_died_inside_its_transaction_leaves_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    concluded(world)
    world.move(days=28)
    monkeypatch.setattr("signals.retention.purging._delete_rows", _die)
    with pytest.raises(_Killed):
        retention_of(world).run(world.clock)
    assert world.count(Signal) == 1
    assert world.count(DeletionRecord) == world.count(SignalFact) == 0


def test_a_signal_reopened_during_the_run_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    signal_id = concluded(world)
    world.move(days=28)
    retention = retention_of(world)
    original: Callable[..., object] = Retention._purge_batch

    def reopened_first(self: Retention, *args: object) -> object:
        with world.sessions.begin() as session:
            session.execute(
                update(Signal)
                .where(Signal.id == signal_id)
                .values(state="in_follow_up", concluded_at=None, outcome=None)
            )
        return original(self, *args)

    monkeypatch.setattr(Retention, "_purge_batch", reopened_first)
    assert retention.run(world.clock).total == 0
    assert world.count(Signal) == 1


def test_a_signal_that_went_to_an_organisation_younger_than_the_run_waits_for_the_next(world: World) -> None:
    arrived(world)
    world.move(days=400)
    with world.sessions() as session:
        is_due = still_due(session, world.clock)
    (signal,) = world.signals()
    assert is_due(signal)
    signal.organisation_id = uuid.UUID(int=404)
    assert not is_due(signal)


def test_a_restored_database_and_keystore_are_purged_again_from_the_journal(
    world: World, tmp_path: Path
) -> None:
    """Bring rows and keys back as a restore does; the journal tells what was destroyed."""
    world.receive(1, IN_AMSTERDAM)
    world.receive(2, IN_GRONINGEN)
    world.worker().arrive()
    gone, live = world.addresses()[IN_AMSTERDAM], world.addresses()[IN_GRONINGEN]
    journal = DeletionJournal(tmp_path / "copied.journal")
    journal.append([Deletion(case_key_id=gone.case_key_id, on=today(world.clock))])
    report = retention_of(world).replay(world.clock, journal.deletions())
    assert (report.total, report.keys_destroyed) == (1, 1)
    assert [signal.id for signal in world.signals()] == [live.id]
    assert world.keystore.case_key(live.case_key_id)


def test_a_report_that_still_waits_in_a_restored_copy_is_not_brought_in_again(
    world: World, tmp_path: Path
) -> None:
    """The copy is older than the arrival; the journal knows the signal that was deleted."""
    world.receive(1, IN_AMSTERDAM)
    world.receive(2, IN_GRONINGEN)
    deleted = next(row for row in world.sealed() if row.organisation_id == AMSTERDAM)
    journal = DeletionJournal(tmp_path / "copied.journal")
    key_id = uuid.uuid4()
    journal.append([Deletion(case_key_id=key_id, on=today(world.clock), signal_id=deleted.signal_id)])
    retention_of(world).replay(world.clock, journal.deletions())
    assert world.worker().arrive() == 1
    assert list(world.addresses()) == [IN_GRONINGEN]
    with world.sessions() as session:
        purged = AuditEntry.action == AuditAction.SIGNAL_PURGED
        assert session.scalars(select(AuditEntry.subject_id).where(purged)).all() == [deleted.signal_id]


def test_a_replay_writes_the_fact_again_that_the_restored_database_has_lost(world: World) -> None:
    """The restored database does not know the deletion that committed the first fact."""
    concluded(world)
    (signal,) = world.signals()
    gone = [Deletion(case_key_id=signal.case_key_id, on=today(world.clock))]
    for _ in range(2):  # a replay may be repeated
        retention_of(world).replay(world.clock, gone)
        assert [(fact.region, fact.outcome) for fact in stored(world)] == [("GG3406", "talk_sufficed")]


def test_a_replay_counts_unreadable_signals_without_their_place(world: World) -> None:
    """The key stays destroyed, and the signal still counts."""
    concluded(world)
    (signal,) = world.signals()
    world.keystore.destroy_case_keys([signal.case_key_id])
    gone = [Deletion(case_key_id=signal.case_key_id, on=today(world.clock))]
    assert retention_of(world).replay(world.clock, gone).total == 1
    assert [(fact.region, fact.outcome) for fact in stored(world)] == [("unknown", "talk_sufficed")]


@pytest.mark.parametrize(("percent", "rests"), [(100, [4, 4, 4]), (50, [2, 2, 2]), (0, [0, 0, 0])])
def test_a_purge_rests_after_each_batch_as_long_as_the_batch_took(
    world: World, monkeypatch: pytest.MonkeyPatch, percent: int, rests: list[float]
) -> None:
    """A report that waits meanwhile goes first."""
    for number in range(1, 8):
        world.receive(number, replace(IN_AMSTERDAM, number=number))
    world.worker().arrive()
    world.move(days=28)
    retention = replace(retention_of(world), batch_size=3, rest_percent=percent)
    rested: list[float] = []
    moments = iter(range(0, 100, 4))  # each batch takes four seconds
    monkeypatch.setattr("signals.retention.nightly.monotonic", lambda: next(moments))
    monkeypatch.setattr("signals.retention.nightly.sleep", rested.append)
    assert retention.run(world.clock).total == 7
    assert rested == rests


def test_links_and_their_keys_go_after_twelve_months(world: World) -> None:
    concluded(world)
    world.move(days=28)
    retention_of(world).run(world.clock)
    assert world.count(AddressLink) == 1
    world.move(days=5 * 92)
    retention_of(world).run(world.clock)
    assert world.count(AddressLink) == 0
    assert world.keystore.pseudonym_keys(AMSTERDAM, ["2026-Q4"]) == {}


def test_a_receipt_outlives_the_purge_as_closed_and_expires_after_a_year(world: World) -> None:
    concluded(world)
    world.move(days=29)
    retention_of(world).run(world.clock)
    assert world.row(select(Receipt)).state == "closed"
    world.move(days=366)
    retention_of(world).run(world.clock)
    assert world.count(Receipt) == 0


def test_an_envelope_in_a_backup_cannot_be_opened_once_its_week_is_swept(world: World) -> None:
    world.receive(1)
    key_id = world.sealed()[0].mailbox_key_id
    world.worker().arrive()
    assert world.keystore.mailbox_private_keys([key_id])
    world.move(days=14)
    assert world.worker().sweep_keys() > 0
    assert world.keystore.mailbox_private_keys([key_id]) == {}


def test_a_replay_keeps_the_day_and_the_reason_of_the_first_deletion(world: World, tmp_path: Path) -> None:
    """After a restore from before an erasure, the answer to the resident stays true."""
    arrived(world)
    (signal,) = world.signals()
    erased_on = today(world.clock)
    journal = DeletionJournal(tmp_path / "copied.journal")
    journal.append([Deletion(case_key_id=signal.case_key_id, on=erased_on, reason=DeletionReason.ERASURE)])
    world.move(days=3)
    assert retention_of(world).replay(world.clock, journal.deletions()).purged == {DeletionReason.ERASURE: 1}
    with world.sessions() as session:
        record = session.scalars(select(DeletionRecord)).one()
        assert (record.reason, record.deleted_on) == (DeletionReason.ERASURE, erased_on)
        assert session.scalars(select(AddressLink)).all() == []  # an erasure takes the links along


def test_a_replay_changes_no_record_whose_key_was_confirmed_destroyed(world: World) -> None:
    """A journal has the deletions of years, and a copy brings hardly one back."""
    concluded(world)
    (signal,) = world.signals()
    gone = [Deletion(case_key_id=signal.case_key_id, on=today(world.clock))]
    retention_of(world).replay(world.clock, gone)
    with overheard() as said:
        retention_of(world).replay(world.clock, gone)
    assert [sql for sql, _values in said if sql.startswith("UPDATE deletion_records")] == []


class _Killed(Exception):
    pass


def _die(*_args: object, **_values: object) -> None:
    raise _Killed
