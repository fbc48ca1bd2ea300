"""Test on both databases that the trail is linked, verified and pruned, and shows tampering."""

import uuid

import pytest
from sqlalchemy import delete, select, text, update

from privacy.audit_chain import FindingKind, SignedHead
from signals.audit.trail import AuditFilter, latest_head, prune_trail, read_entries, verify_trail
from signals.db import is_sqlite
from signals.models import AuditEntry, AuditHead, AuditLink
from signals.vocabulary import AuditAction
from tests.factories import AuditEntryFactory
from tests.support.at_once import run_at_once
from tests.support.trail import keys_of, link, opened
from tests.support.world import World


def findings(world: World, known_head: SignedHead | None = None) -> set[FindingKind]:
    with world.sessions() as session:
        found = verify_trail(session, world.clock, keys=keys_of(world), known_head=known_head)
    return {finding.kind for finding in found}


def change(world: World, *statements: object) -> None:
    """Change rows as somebody with the password of the database can."""
    with world.sessions.begin() as session:
        for statement in statements:
            session.execute(statement)


def entry_at(world: World, position: int) -> uuid.UUID:
    return world.row(select(AuditLink.entry_id).where(AuditLink.position == position))


def test_an_untouched_trail_is_whole(world: World) -> None:
    opened(world, 5)
    assert link(world) == 5
    opened(world, 3)
    assert link(world) == 3
    assert findings(world) == set()


def test_an_edited_entry_is_found(world: World) -> None:
    opened(world, 3)
    link(world)
    change(world, update(AuditEntry).where(AuditEntry.id == entry_at(world, 2)).values(outcome="refused"))
    with world.sessions() as session:
        (finding,) = verify_trail(session, world.clock, keys=keys_of(world))
    assert (finding.kind, finding.position) == (FindingKind.EDITED, 2)


@pytest.mark.parametrize("column", ["actor_id", "subject_id", "organisation_id"])
def test_a_replaced_id_is_found(world: World, column: str) -> None:
    """SQLite accepts text that is no id; verifying goes on."""
    opened(world, 3)
    link(world)
    other = "'no id'" if is_sqlite(world.engine) else "gen_random_uuid()"
    change(world, text(f"UPDATE audit_entries SET {column} = {other}"))
    assert findings(world) == {FindingKind.EDITED}


@pytest.mark.parametrize(("position", "kind"), [(2, FindingKind.DELETED), (3, FindingKind.TRUNCATED)])
def test_an_entry_deleted_with_its_link_is_found(world: World, position: int, kind: FindingKind) -> None:
    opened(world, 3)
    link(world)
    entry_id = entry_at(world, position)
    change(
        world,
        delete(AuditLink).where(AuditLink.position == position),
        delete(AuditEntry).where(AuditEntry.id == entry_id),
    )
    assert kind in findings(world)


def test_a_head_kept_elsewhere_finds_a_trail_cut_off_with_its_head(world: World) -> None:
    opened(world, 2)
    link(world)
    opened(world, 1)
    link(world)
    with world.sessions() as session:
        kept = latest_head(session)
    last = entry_at(world, 3)
    change(
        world,
        delete(AuditHead).where(AuditHead.position == 3),
        delete(AuditLink).where(AuditLink.position == 3),
        delete(AuditEntry).where(AuditEntry.id == last),
    )
    assert findings(world) == set()
    assert findings(world, kept) == {FindingKind.TRUNCATED}


def test_a_forged_head_is_found(world: World) -> None:
    opened(world, 2)
    link(world)
    change(world, update(AuditHead).values(signature=bytes(64)))
    assert FindingKind.HEAD_REFUSED in findings(world)


def test_entries_with_a_removed_head_are_found(world: World) -> None:
    opened(world, 2)
    link(world)
    opened(world, 1)
    link(world)
    change(world, delete(AuditHead).where(AuditHead.position == 3))
    with world.sessions() as session:
        (finding,) = verify_trail(session, world.clock, keys=keys_of(world))
    assert (finding.kind, finding.position) == (FindingKind.UNSIGNED, 3)
    change(world, delete(AuditHead))
    assert findings(world) == {FindingKind.UNSIGNED}


def test_an_early_cut_of_the_beginning_is_found(world: World) -> None:
    opened(world, 2)
    link(world)
    opened(world, 2)
    link(world)
    first = [entry_at(world, 1), entry_at(world, 2)]
    change(
        world,
        delete(AuditLink).where(AuditLink.position <= 2),
        delete(AuditEntry).where(AuditEntry.id.in_(first)),
    )
    assert FindingKind.DELETED in findings(world)


def test_an_entry_that_no_worker_links_is_reported_after_an_hour(world: World) -> None:
    opened(world)
    assert findings(world) == set()
    world.move(hours=2)
    assert findings(world) == {FindingKind.UNLINKED}


def test_a_changed_arrival_of_today_is_found(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    assert findings(world) == set()
    change(world, update(AuditEntry).values(outcome="other"))
    assert findings(world) == {FindingKind.EDITED}


def test_arrivals_are_linked_when_their_day_is_over_and_not_with_the_next_act_of_staff(world: World) -> None:
    """Otherwise two heads would tell between which moments the report came in."""
    world.receive(1)
    world.receive(2)
    world.worker().arrive()
    opened(world)
    assert link(world) == 1
    opened(world)
    assert link(world) == 1
    assert findings(world) == set()
    world.move(days=1)
    assert link(world) == 2
    assert findings(world) == set()


def test_two_workers_at_once_make_one_chain(world: World) -> None:
    opened(world, 20)
    run_at_once(*[lambda: link(world)] * 4)
    link(world)
    positions = list(world.rows(select(AuditLink.position).order_by(AuditLink.position)))
    assert positions == list(range(1, 21))
    assert findings(world) == set()


def test_an_entry_from_a_wrong_clock_blocks_no_entry_of_today(world: World) -> None:
    world.move(days=30)
    opened(world)
    world.move(days=-30)
    assert link(world) == 1
    opened(world, 2)
    assert link(world) == 2


def test_an_added_entry_of_last_week_is_found_and_not_linked(world: World) -> None:
    opened(world)
    world.move(days=7)
    opened(world)
    link(world)
    world.move(days=-6)
    opened(world)
    world.move(days=6)
    assert link(world) == 0
    assert findings(world) == {FindingKind.UNLINKED}


def test_a_worker_links_all_waiting_entries_in_one_run_after_a_stop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signals.audit.trail.BATCH", 4)
    monkeypatch.setattr("signals.operations.jobs.LINKED_AT_ONCE", 4)
    opened(world, 10)
    assert world.worker().link_audit() == 10


def test_pruning_stops_at_a_signed_head_and_the_rest_stays_whole(world: World) -> None:
    opened(world, 3)
    link(world)
    world.move(days=700)
    opened(world, 2)
    link(world)
    world.move(days=40)
    with world.sessions.begin() as session:
        assert prune_trail(session, world.clock, audit=world.audit) == 3
    assert link(world) == 1
    assert findings(world) == set()
    with world.sessions() as session:
        actions = [entry.action for entry in read_entries(session, AuditFilter())]
    assert actions == [AuditAction.AUDIT_PRUNED, AuditAction.SIGNAL_OPENED, AuditAction.SIGNAL_OPENED]


def test_tampering_after_a_pruning_is_still_found(world: World) -> None:
    opened(world, 2)
    link(world)
    world.move(days=740)
    opened(world, 3)
    link(world)
    with world.sessions.begin() as session:
        prune_trail(session, world.clock, audit=world.audit)
    change(world, update(AuditEntry).where(AuditEntry.id == entry_at(world, 4)).values(ground="forged"))
    assert FindingKind.EDITED in findings(world)


def test_an_entry_written_around_the_log_is_found(world: World) -> None:
    """A row inserted by hand has a wrong MAC."""
    opened(world)
    link(world)
    with world.sessions.begin() as session:
        session.add(AuditEntryFactory.build(at=world.clock.now()))
    assert findings(world) == {FindingKind.EDITED}
    link(world)
    assert findings(world) == {FindingKind.EDITED}
