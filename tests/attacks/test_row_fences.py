"""Row-level security: one organisation never sees or changes the rows of another."""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from signals import casework
from signals.casework.referral import refer
from signals.db import set_local
from signals.vocabulary import AttemptKind, AttemptResult, AuditAction, DeletionReason, ReferralReason, Role
from tests import factories
from tests.support.comparisons import begin
from tests.support.fenced_rows import BELONGS_TO, COLUMNS, MATRIX, permitted
from tests.support.fences import OWNER, FencedWorld, worker_of
from tests.support.publications import store_own_year
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, IN_GRONINGEN, World

pytestmark = pytest.mark.postgres


def test_with_no_organisation_named_the_desk_sees_no_row_of_any(filled: FencedWorld) -> None:
    with filled.desk.engine.connect() as connection:
        seen = {table: _count(connection, table) for table in BELONGS_TO}
    assert seen == dict.fromkeys(BELONGS_TO, 0)


@pytest.mark.parametrize("nonsense", ["", "00000000-0000-0000-0000-000000000000"])
def test_an_organisation_that_does_not_exist_sees_nothing(filled: FencedWorld, nonsense: str) -> None:
    with filled.desk.engine.begin() as connection:
        set_local(connection, organisation=nonsense)
        assert {_count(connection, table) for table in BELONGS_TO} == {0}


def test_the_desk_sees_the_rows_of_the_organisation_it_names_and_all_of_them(filled: FencedWorld) -> None:
    with filled.desk.engine.begin() as connection:
        set_local(connection, organisation=str(GRONINGEN))
        for table in BELONGS_TO:
            mine = len(_rows(filled, table, GRONINGEN))
            assert mine, f"{table}: the test needs a row of its own"
            assert _rows(filled, table, GRONINGEN, others=True), f"{table}: the test needs a row of another"
            assert _count(connection, table) == mine, table


def test_the_desk_changes_and_deletes_no_row_of_another_organisation(filled: FencedWorld) -> None:
    # Signals last: what belongs to one goes with it.
    for table in sorted(BELONGS_TO, key=lambda name: name == "signals"):
        before = _rows(filled, table, GRONINGEN, others=True)
        for statement in _changes(table):
            with filled.desk.engine.begin() as connection:
                set_local(connection, organisation=str(GRONINGEN))
                assert connection.execute(text(statement)).rowcount, f"{statement} reaches the own rows"
            assert _rows(filled, table, GRONINGEN, others=True) == before, table


def test_the_desk_writes_no_row_for_another_organisation(filled: FencedWorld) -> None:
    for table in BELONGS_TO:
        if "I" not in MATRIX[table][1] or table == "audit_entries":  # entries name whom they are about
            continue
        row = _rows(filled, table, AMSTERDAM)[0]
        with filled.desk.engine.connect() as connection:
            set_local(connection, organisation=str(GRONINGEN))
            assert not permitted(connection, *_insert(table, row), refusal="row-level security"), table


def test_the_desk_gives_no_signal_away_without_a_referral(filled: FencedWorld) -> None:
    move = text("UPDATE signals SET organisation_id = :to")  # without WHERE, so that nothing need be seen
    parameters = {"to": AMSTERDAM}
    with filled.desk.engine.connect() as connection:
        set_local(connection, organisation=str(GRONINGEN))
        with pytest.raises(DBAPIError, match="row-level security"):
            connection.execute(move, parameters)


def test_a_referral_lets_one_signal_go_and_no_other(filled: FencedWorld) -> None:
    with filled.all_seeing.engine.connect() as everything:
        mine = everything.scalars(
            text("SELECT id FROM signals WHERE organisation_id = :o"), {"o": GRONINGEN}
        ).all()
    assert len(mine) >= 2
    move = text("UPDATE signals SET organisation_id = :to WHERE id = :id")
    with filled.desk.engine.connect() as connection:
        set_local(connection, organisation=str(GRONINGEN), towards=str(AMSTERDAM), subject=str(mine[0]))
        assert connection.execute(move, {"to": AMSTERDAM, "id": mine[0]}).rowcount == 1
        with pytest.raises(DBAPIError, match="row-level security"):
            connection.execute(move, {"to": AMSTERDAM, "id": mine[1]})


def test_a_referral_takes_no_signal_of_the_receiver(filled: FencedWorld) -> None:
    with filled.all_seeing.engine.connect() as everything:
        theirs = everything.scalar(
            text("SELECT id FROM signals WHERE organisation_id = :o"), {"o": AMSTERDAM}
        )
    with filled.desk.engine.begin() as connection:
        set_local(connection, organisation=str(GRONINGEN), towards=str(AMSTERDAM), subject=str(theirs))
        for change in ("organisation_id = organisation_id", "state = 'concluded'"):
            done = connection.execute(text(f"UPDATE signals SET {change} WHERE id = :id"), {"id": theirs})
            assert done.rowcount == 0


def test_the_desk_deletes_a_foreign_signal_only_after_it_referred_that_very_one(filled: FencedWorld) -> None:
    referred = _rows(filled, "referrals", GRONINGEN)[0]["signal_id"]
    elsewhere = {row["id"] for row in _rows(filled, "signals", GRONINGEN, others=True)}
    with filled.desk.engine.connect() as connection:
        set_local(connection, organisation=str(GRONINGEN))
        assert _deleted(connection, referred) == 0
        set_local(connection, subject=",".join(map(str, elsewhere)))
        assert {signal_id for signal_id in elsewhere if _deleted(connection, signal_id)} == {referred}


def test_only_an_administrator_reads_of_administration_elsewhere(filled: FencedWorld) -> None:
    world = filled.all_seeing
    administrator, worker = world.staff(AMSTERDAM, Role.ADMINISTRATOR), world.staff(GRONINGEN)
    with world.sessions.begin() as session:
        for action in (AuditAction.STAFF_CHANGED, AuditAction.SIGNAL_OPENED):
            world.audit.record(session, world.clock, actor=worker, action=action)
    for actor, expected in ((administrator, {"staff_changed", "comparison_changed"}), (worker, set())):
        with filled.desk.engine.begin() as connection:
            set_local(connection, organisation="", staff=str(actor.id))
            assert set(connection.scalars(text("SELECT action FROM audit_entries"))) == expected
            assert bool(_count(connection, "approvals")) == (actor is administrator)
            assert _count(connection, "signals") == 0


def test_a_connection_of_the_pool_does_not_keep_the_organisation(filled: FencedWorld) -> None:
    backends = set()
    for named in (str(GRONINGEN), None):
        with filled.desk.engine.begin() as connection:
            backends.add(connection.scalar(text("SELECT pg_backend_pid()")))
            if named:
                set_local(connection, organisation=named)
            assert (_count(connection, "signals") > 0) == bool(named)
    assert len(backends) == 1, "the test needs one connection given out twice"


def test_the_owner_sees_nothing_until_it_says_that_it_maintains(filled: FencedWorld) -> None:
    engine = filled.database.engine(OWNER)
    with engine.begin() as connection:
        assert {_count(connection, table) for table in BELONGS_TO} == {0}
        set_local(connection, organisation=str(GRONINGEN))
        assert {_count(connection, table) for table in BELONGS_TO} == {0}
        set_local(connection, maintenance="on")
        assert all(_count(connection, table) for table in BELONGS_TO)
    engine.dispose()


def test_maintenance_is_the_owners_word_only(filled: FencedWorld) -> None:
    with filled.desk.engine.begin() as connection:
        set_local(connection, maintenance="on")
        assert {_count(connection, table) for table in BELONGS_TO} == {0}


@pytest.fixture
def filled(fenced_world: FencedWorld) -> FencedWorld:
    """Rows of two organisations in every fenced table, made by the product where it makes them."""
    world = fenced_world.all_seeing
    begin(world, teams=(AMSTERDAM, GRONINGEN))
    for number, address in enumerate((IN_AMSTERDAM, IN_GRONINGEN) * 4, start=1):
        world.receive(number, address)
    worker = worker_of(world)
    worker.arrive()
    world.move(minutes=40)
    worker.deliver()
    for organisation_id in (AMSTERDAM, GRONINGEN):
        purged, referred, followed, _ = _signals(world, organisation_id)
        with world.sessions.begin() as session:
            _follow_up(session, world, organisation_id, followed, referred)
        store_own_year(world.engine, organisation_id, "2025")
        worker.retention().purge_now(world.clock, [purged], DeletionReason.ERASURE)
    return fenced_world


def _follow_up(
    session: Session, world: World, organisation_id: uuid.UUID, followed: uuid.UUID, referred: uuid.UUID
) -> None:
    actor, officer = world.staff(organisation_id), world.staff(organisation_id, Role.PRIVACY_OFFICER)
    now = world.clock.now()
    casework.claim(world.operation(session, actor), signal_id=followed)
    casework.record_attempt(
        world.operation(session, actor),
        signal_id=followed,
        kind=AttemptKind.VISIT,
        result=AttemptResult.NO_ANSWER,
        attempted_at=now,
    )
    casework.add_note(world.operation(session, actor), signal_id=followed, text="Niemand thuis.")
    refer(
        world.operation(session, actor),
        signal_id=referred,
        to_organisation_id=_A_GGD,
        reason=ReferralReason.OTHER_EXPERTISE,
    )
    session.add_all(_papers(organisation_id, officer.id, world))


def _papers(organisation_id: uuid.UUID, officer_id: uuid.UUID | None, world: World) -> Iterator[Any]:
    on = world.clock.now().date()
    own: dict[str, Any] = {"organisation_id": organisation_id}
    yield factories.RetentionPeriodFactory.build(days=14, **own)
    yield factories.DeletionOrderFactory.build(ordered_on=on, **own)
    yield factories.RegisterEntryFactory.build(recorded_by_id=officer_id, recorded_on=on, **own)
    yield factories.AbsenceFactory.build(staff_member_id=officer_id, away_from=on, away_until=on, **own)
    yield factories.ConnectionFactory.build(**own)
    yield factories.ApprovalFactory.build(
        role=Role.WORKER, asked_by_id=officer_id, asked_at=world.clock.now(), **own
    )


_A_GGD = uuid.UUID(int=0xB000)


def _changes(table: str) -> Iterator[str]:
    """Statements without WHERE, as far as the desk may do such a thing to this table."""
    if "U" in MATRIX[table][1]:
        column = min(COLUMNS.get(("desk", "UPDATE", table), {"id"}))
        yield f"UPDATE {table} SET {column} = {column}"
    if "D" in MATRIX[table][1]:
        yield f"DELETE FROM {table}"


def _insert(table: str, row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    columns = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":v{place}" for place in range(len(row)))
    plain = (json.dumps(value) if isinstance(value, dict) else value for value in row.values())
    return f"INSERT INTO {table} ({columns}) VALUES ({values})", {f"v{i}": v for i, v in enumerate(plain)}


def _rows(
    filled: FencedWorld, table: str, organisation_id: uuid.UUID, *, others: bool = False
) -> list[dict[str, Any]]:
    condition = f"NOT ({BELONGS_TO[table]})" if others else BELONGS_TO[table]
    with filled.all_seeing.engine.connect() as connection:
        rows = connection.execute(
            text(f"SELECT * FROM {table} WHERE {condition} ORDER BY 1"), {"o": organisation_id}
        )
        return [dict(row) for row in rows.mappings()]


def _count(connection: Connection, table: str) -> int:
    column = "message_id" if table == "delivery_attempts" else "1"
    return connection.scalar(text(f"SELECT count({column}) FROM {table}")) or 0


def _deleted(connection: Connection, signal_id: uuid.UUID) -> int:
    return connection.execute(text("DELETE FROM signals WHERE id = :id"), {"id": signal_id}).rowcount


def _signals(world: World, organisation_id: uuid.UUID) -> list[uuid.UUID]:
    return [signal.id for signal in world.signals() if signal.organisation_id == organisation_id]
