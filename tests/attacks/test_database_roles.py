"""Whoever holds a database role tries every table: what a role may is written here, table by table.

The lists are written apart from `signals.operations.database_roles` on purpose, and made complete from
the models: a new table that is in no row fails here.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import migrations
from signals import casework
from signals.casework.referral import refer
from signals.db import set_local
from signals.models import Absence, Approval, DeletionOrder, RegisterEntry, RetentionPeriod
from signals.models.base import new_id
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    AuditAction,
    DeletionReason,
    ReferralReason,
    RetentionRule,
    Role,
)
from tests.support.fences import OWNER, ROLES, FencedDatabase, FencedWorld, worker_of
from tests.support.publications import store_own_year
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, IN_GRONINGEN, World

pytestmark = pytest.mark.postgres

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")

# Table: what front, desk and worker may, by the first letters of the verbs. TRUNCATE: nobody.
MATRIX = {
    "absences": ("", "SID", "SD"),
    "account_links": ("", "SIUD", "SUD"),
    "address_links": ("", "SIUD", "SIUD"),
    "alembic_version": ("", "S", "S"),
    "approvals": ("", "SIU", "SUD"),
    "area_days": ("S", "SU", "SIUD"),
    "audit_entries": ("", "SI", "SID"),
    "audit_heads": ("", "", "SID"),
    "audit_links": ("", "", "SID"),
    "challenges": ("", "SIUD", "SD"),
    "contact_attempts": ("", "SI", "SIUD"),
    "channel_states": ("", "S", "SIU"),
    "coverage_areas": ("S", "SIUD", "SIUD"),
    "deletion_orders": ("", "SI", "SD"),
    "deletion_records": ("", "SIU", "SIUD"),
    "delivery_attempts": ("", "SD", "SIUD"),
    "delivery_callbacks": ("", "I", "SIUD"),
    "delivery_figures": ("", "S", "SIUD"),
    "drills": ("", "SIU", "SIU"),
    "follow_up_notes": ("", "SIU", "SIUD"),
    "idempotency_keys": ("SI", "", "SD"),
    "mailbox_public_keys": ("S", "SI", "SIUD"),
    "organisations": ("S", "SIU", "SIU"),
    "outbox_messages": ("", "SID", "SIUD"),
    "passkeys": ("", "SIUD", "SD"),
    "organisation_years": ("", "S", "SI"),
    "publications": ("S", "S", "SI"),
    "postcode_municipalities": ("S", "S", "SIUD"),
    "posted_letters": ("", "SU", "SIUD"),
    "receipts": ("S", "SIU", "SIUD"),
    "recipients": ("S", "SIUD", "SIUD"),
    "referrals": ("", "SIU", "SUD"),
    "register_entries": ("", "SI", "SD"),
    "retention_periods": ("", "SIUD", "S"),
    "routing_version": ("S", "SU", "SU"),
    "sealed_reports": ("I", "", "SUD"),
    "sign_in_guesses": ("", "SIUD", "SD"),
    "signal_facts": ("", "I", "SID"),
    "signals": ("", "SUD", "SIUD"),
    "staff_members": ("", "SIU", "SIU"),
    "staff_sessions": ("", "SIUD", "SIUD"),
    "status_changes": ("", "SI", "SIUD"),
}

# Where a role may not do it with every column: those with which it may.
COLUMNS = {
    ("front", "INSERT", "sealed_reports"): {
        "signal_id", "organisation_id", "mailbox_key_id", "schema_version", "received_on", "unrouted",
        "receipt_hash", "envelope",
    },
    ("front", "SELECT", "organisations"): {
        "id", "name", "kind", "agreement_on", "legal_basis", "retention_basis", "suspended_from", "proved_on",
    },
    ("front", "SELECT", "recipients"): {"organisation_id", "verified_on"},
    ("front", "SELECT", "area_days"): {"organisation_id", "day", "raises"},
    ("desk", "UPDATE", "area_days"): {"raises", "notified_percent"},
    ("desk", "UPDATE", "deletion_records"): {"key_destroyed_on"},
    ("desk", "UPDATE", "referrals"): {"key_destroyed_on"},
    ("desk", "UPDATE", "posted_letters"): {"wanted"},
    ("desk", "UPDATE", "drills"): {"answered_on"},
    ("desk", "SELECT", "outbox_messages"): {"id", "event", "subject_id", "organisation_id", "recipient"},
    ("desk", "SELECT", "delivery_attempts"): {"id", "message_id"},
}  # fmt: skip

# Every table that belongs to organisations: when is a row of the organisation `:o`?
_OF_SIGNAL = "signal_id IN (SELECT id FROM signals WHERE organisation_id = :o)"
BELONGS_TO = {
    "absences": "organisation_id = :o",
    "address_links": "organisation_id = :o",
    "approvals": "organisation_id = :o",
    "audit_entries": "organisation_id = :o",
    "contact_attempts": _OF_SIGNAL,
    "deletion_orders": "organisation_id = :o",
    "deletion_records": "organisation_id = :o",
    "delivery_attempts": "message_id IN (SELECT id FROM outbox_messages WHERE organisation_id = :o)",
    "follow_up_notes": _OF_SIGNAL,
    "organisation_years": "organisation_id = :o",
    "outbox_messages": "organisation_id = :o",
    "referrals": ":o IN (from_organisation_id, to_organisation_id)",
    "register_entries": "organisation_id = :o",
    "retention_periods": "organisation_id = :o",
    "signals": "organisation_id = :o",
    "status_changes": _OF_SIGNAL,
}

# Without a fence, and why.
OPEN_TO_THE_DESK = {
    "organisations": "a referral chooses among all of them",
    "recipients": "whether a receiver receives depends on them",
    "coverage_areas": "routing",
    "mailbox_public_keys": "public",
    "staff_members": "sign-in comes before any organisation is known",
    "staff_sessions": "sign-in",
    "passkeys": "sign-in",
    "challenges": "sign-in",
    "account_links": "sign-in",
    "area_days": "the front reads how far a limit was raised, administrators see them all",
    "drills": "an answer comes without sign-in, and administrators see them all",
    "posted_letters": "administrators choose what becomes of dead letters, whose content is not in it",
    "delivery_figures": "administrators see how delivery goes everywhere",
}

TABLES: dict[str, Table | None] = {
    **{table.name: table for metadata in migrations.TARGET for table in metadata.sorted_tables},
    "alembic_version": None,
}


def test_every_table_of_the_models_and_of_the_database_is_in_the_matrix(
    fenced_database: FencedDatabase,
) -> None:
    found = fenced_database.server.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", fenced_database.name
    )
    assert set(MATRIX) == set(TABLES) == set(found.splitlines())


def test_every_table_with_an_organisation_or_a_signal_is_fenced_or_said_to_be_open() -> None:
    def is_bound(table: Table) -> bool:
        return bool({"organisation_id", "signal_id", "staff_member_id"} & set(table.columns.keys()))

    bound = {name for name, table in TABLES.items() if table is not None and is_bound(table)}
    hidden = {name for name, (_, desk, _) in MATRIX.items() if not desk}
    assert bound - hidden <= set(BELONGS_TO) | set(OPEN_TO_THE_DESK)


@pytest.mark.parametrize("table", sorted(MATRIX))
@pytest.mark.parametrize("role", ["front", "desk", "worker"])
def test_a_role_may_do_with_a_table_what_the_matrix_says_and_nothing_else(
    fenced_database: FencedDatabase, role: str, table: str
) -> None:
    may = dict(zip(("front", "desk", "worker"), MATRIX[table], strict=True))[role]
    model = TABLES[table]
    columns = set(model.columns.keys()) if model is not None else {"version_num"}
    with _as(fenced_database, role) as connection:
        for verb in VERBS:
            allowed = COLUMNS.get((role, verb, table), columns) if verb[0] in may else set()
            assert {c for c in columns if _permitted(connection, _attempt(verb, table, c))} == allowed, verb


@pytest.mark.parametrize("role", ["front", "desk", "worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "DROP TABLE signals",
        "ALTER TABLE signals DISABLE ROW LEVEL SECURITY",
        "DROP POLICY signals_see ON signals",
        "CREATE POLICY mine ON signals USING (true)",
        "GRANT ALL ON signals TO PUBLIC",
        "SET ROLE signals_owner",
        "ALTER ROLE signals_front SUPERUSER",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
    ],
)
def test_no_role_changes_the_schema_or_its_own_rights(
    fenced_database: FencedDatabase, role: str, statement: str
) -> None:
    with _as(fenced_database, role) as connection:
        assert _is_refused(connection, statement)
    assert (
        fenced_database.server.execute(
            "SELECT count(*) FROM pg_class WHERE relname = 'signals' AND relforcerowsecurity",
            fenced_database.name,
        )
        == "1"
    )


def test_the_front_cannot_read_an_envelope_back_not_even_its_own(fenced_world: FencedWorld) -> None:
    fenced_world.front.receive(1)
    with (
        fenced_world.front.engine.connect() as connection,
        pytest.raises(DBAPIError, match="permission denied"),
    ):
        connection.execute(text("SELECT envelope FROM sealed_reports"))


def test_the_front_cannot_read_while_it_writes(fenced_database: FencedDatabase) -> None:
    write = "INSERT INTO sealed_reports (signal_id) VALUES (DEFAULT) RETURNING"
    with _as(fenced_database, "front") as connection:
        for column in TABLES["sealed_reports"].columns.keys():  # noqa: SIM118 - names, not columns
            assert not _permitted(connection, f"{write} {column}"), column
        assert not _permitted(connection, f"{write} *")


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
    for table in BELONGS_TO:
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
            assert not _permitted(connection, *_insert(table, row), refusal="row-level security"), table


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
    for actor, expected in ((administrator, {"staff_changed"}), (worker, set())):
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
    yield RetentionPeriod(
        organisation_id=organisation_id, rule=RetentionRule.CONCLUDED, days=14, legal_basis="Selectielijst"
    )
    yield DeletionOrder(
        signal_id=new_id(), organisation_id=organisation_id, reason=DeletionReason.ERASURE, ordered_on=on
    )
    yield RegisterEntry(
        organisation_id=organisation_id,
        right="access",
        recorded_on=on,
        recorded_by_id=officer_id,
        signals_found=0,
        identity_checked="digid",
        residence_checked="brp",
        third_parties_checked=True,
        outcome="exported",
    )
    yield Absence(organisation_id=organisation_id, staff_member_id=officer_id, away_from=on, away_until=on)
    yield Approval(
        organisation_id=organisation_id,
        action="grant",
        role=Role.WORKER,
        email="nieuw@example.org",
        name="Nieuw",
        asked_by_id=officer_id,
        asked_at=world.clock.now(),
    )


_A_GGD = uuid.UUID(int=0xB000)


@contextmanager
def _as(database: FencedDatabase, role: str) -> Iterator[Connection]:
    engine = database.engine(getattr(ROLES, role))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _attempt(verb: str, table: str, column: str) -> str:
    """The least that asks for the right; none of them changes a row."""
    return {
        "SELECT": f'SELECT "{column}" FROM {table} LIMIT 0',
        "INSERT": f'INSERT INTO {table} ("{column}") VALUES (DEFAULT)',
        "UPDATE": f'UPDATE {table} SET "{column}" = DEFAULT WHERE false',
        "DELETE": f"DELETE FROM {table} WHERE false",
        "TRUNCATE": f"TRUNCATE {table}",
    }[verb]


def _permitted(
    connection: Connection,
    statement: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    refusal: str = "permission denied",
) -> bool:
    """Whether the statement gets past this refusal, whatever becomes of it then; nothing of it stays."""
    attempt = connection.begin_nested()
    try:
        connection.execute(text(statement), parameters or {})
    except DBAPIError as error:
        return refusal not in str(error.orig)
    finally:
        attempt.rollback()
    return True


def _is_refused(connection: Connection, statement: str) -> bool:
    """With an error, or (who grants rights without being the owner) with a warning."""
    warnings: list[str] = []
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.add_notice_handler(lambda notice: warnings.append(notice.sqlstate))
    return not _permitted(connection, statement, refusal="") or warnings == ["01007"]


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
