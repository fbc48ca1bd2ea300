"""Receiving a report: once, atomically, sealed, for whom it is meant, and never more than the day's limit."""

import random
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, event, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from privacy.receipts import idempotency_hash
from privacy.sealing import generate_mailbox_keypair, week_start
from signals.errors import AreaBusy, AreaFull, Forbidden, Invalid, KeyReused, NoMailboxKey, NotesDisabled
from signals.intake.daily_limit import AreaLimit
from signals.models import AreaDay, IdempotencyKey, MailboxPublicKey, Organisation, Receipt, SealedReport
from signals.routing.postcodes import Address
from signals.routing.snapshot import routing_changed
from signals.vocabulary import ConcernType, OrganisationKind, ReceiptState, Seen
from tests.support.world import (
    AMSTERDAM,
    GRONINGEN,
    IN_AMSTERDAM,
    IN_GRONINGEN,
    IN_ZEELAND,
    NATIONAL,
    NOW,
    NOWHERE,
    World,
    key,
    report,
    run_at_once,
)

THIS_WEEK = week_start(date(2026, 11, 24))


# The same key


def test_the_same_key_and_body_give_the_same_answer_and_one_row(world: World) -> None:
    first = world.receive(1)
    assert world.receive(1) == first
    assert world.count(SealedReport) == 1


def test_the_same_report_in_another_order_is_the_same_report(world: World) -> None:
    frail, confused = ConcernType.FRAIL, ConcernType.CONFUSED
    first = world.receive(1, concern_types=(frail, confused), seen=Seen.ONCE)
    assert world.receive(1, concern_types=(confused, frail), seen=Seen.ONCE) == first


def test_another_body_under_the_key_is_refused_and_changes_nothing(world: World) -> None:
    first = world.receive(1)
    with pytest.raises(KeyReused):
        world.receive(1, Address(postcode="1012AB", number=13))
    assert world.receive(1) == first
    assert world.count(SealedReport) == 1


def test_another_key_makes_another_report_with_another_receipt(world: World) -> None:
    assert world.receive(1).receipt != world.receive(2).receipt
    assert world.count(SealedReport) == 2


@pytest.mark.parametrize("days", [1, 3, 7])
def test_the_answer_stays_the_same_for_seven_days(world: World, days: int) -> None:
    first = world.receive(1)
    world.worker().arrive()
    world.move(days=days)
    world.worker().forget_retries()
    assert world.receive(1) == first
    assert len(world.signals()) == 1


def test_the_answer_stays_the_same_after_arrival(world: World) -> None:
    first = world.receive(1)
    assert world.worker().arrive() == 1
    assert world.receive(1) == first
    assert world.worker().arrive() == 0


def test_another_body_is_still_refused_after_arrival(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    with pytest.raises(KeyReused):
        world.receive(1, IN_GRONINGEN)


def test_a_retry_after_midnight_is_answered_though_its_date_lies_too_far_back_by_then(world: World) -> None:
    oldest = date(2026, 11, 10)
    first = world.receive(1, noticed_on=oldest)
    world.move(days=1)
    with pytest.raises(Invalid):
        world.receive(2, noticed_on=oldest)
    assert world.receive(1, noticed_on=oldest) == first


def test_a_retry_is_answered_though_the_area_is_full(world: World) -> None:
    intake = world.intake(limit=1)
    first = intake.receive(world.clock, key=key(1), report=report())
    with pytest.raises(AreaFull):
        intake.receive(world.clock, key=key(2), report=report())
    assert intake.receive(world.clock, key=key(1), report=report()) == first


def test_another_body_under_a_used_key_is_called_that_though_the_area_is_full(world: World) -> None:
    intake = world.intake(limit=1)
    intake.receive(world.clock, key=key(1), report=report())
    with pytest.raises(KeyReused):
        intake.receive(world.clock, key=key(1), report=report(Address(postcode="1012AB", number=99)))


def test_a_retry_is_answered_though_notes_were_switched_off_since(world: World) -> None:
    noted = report(note="De gordijnen zijn al dagen dicht.")
    first = world.intake(notes=True).receive(world.clock, key=key(1), report=noted)
    with pytest.raises(NotesDisabled):
        world.intake().receive(world.clock, key=key(2), report=noted)
    assert world.intake().receive(world.clock, key=key(1), report=noted) == first


def test_a_retry_is_answered_though_the_keys_are_gone_since(world: World) -> None:
    first = world.receive(1)
    _without_public_keys(world)
    assert world.receive(1) == first


def test_a_retry_names_the_organisation_that_received_though_another_covers_the_area(
    world: World,
) -> None:
    first = world.receive(1)
    with world.sessions.begin() as session:
        suspended = update(Organisation).where(Organisation.id == AMSTERDAM)
        session.execute(suspended.values(suspended_from=date(2026, 11, 1)))
        routing_changed(session)
    assert world.receive(2).organisation.kind is OrganisationKind.GGD
    again = world.receive(1)
    assert (again.organisation.id, again.receipt) == (AMSTERDAM, first.receipt)


def test_sixteen_at_once_under_one_key_make_one_row_and_equal_answers(world: World) -> None:
    intakes = [world.intake() for _ in range(4)]

    def receive(number: int) -> object:
        return intakes[number % 4].receive(world.clock, key=key(1), report=report())

    answers = run_at_once(*[lambda n=n: receive(n) for n in range(16)])
    assert answers == [answers[0]] * 16
    assert world.count(SealedReport) == 1


def test_sixteen_at_once_with_two_bodies_under_one_key_keep_one_of_them(world: World) -> None:
    intake = world.intake()
    homes = [IN_AMSTERDAM, IN_GRONINGEN]

    def receive(number: int) -> str:
        try:
            answer = intake.receive(world.clock, key=key(1), report=report(homes[number % 2]))
        except KeyReused:
            return "refused"
        return answer.receipt

    answers = run_at_once(*[lambda n=n: receive(n) for n in range(16)])
    assert answers.count("refused") == 8
    assert len(set(answers)) == 2
    assert world.count(SealedReport) == 1


def test_sixteen_at_once_under_sixteen_keys_are_all_kept(world: World) -> None:
    intake = world.intake()
    answers = run_at_once(
        *[lambda n=n: intake.receive(world.clock, key=key(n), report=report()) for n in range(16)]
    )
    assert len({answer.receipt for answer in answers}) == 16
    assert world.count(SealedReport) == 16


# Atomic


def test_a_check_that_refuses_leaves_neither_the_report_nor_what_it_wrote(world: World) -> None:
    def authorise(connection: object) -> None:
        connection.execute(insert(Receipt).values(_receipt()))  # type: ignore[attr-defined]
        raise Forbidden

    with pytest.raises(Forbidden):
        world.intake().receive(world.clock, key=key(1), report=report(), authorise=authorise)
    assert [world.count(model) for model in (IdempotencyKey, SealedReport, Receipt)] == [0, 0, 0]


def test_a_check_that_passes_writes_in_the_transaction_of_the_report(world: World) -> None:
    def authorise(connection: object) -> None:
        connection.execute(insert(Receipt).values(_receipt()))  # type: ignore[attr-defined]

    world.intake().receive(world.clock, key=key(1), report=report(), authorise=authorise)
    assert [world.count(model) for model in (IdempotencyKey, SealedReport, Receipt)] == [1, 1, 1]


def test_an_insert_that_fails_leaves_nothing_and_the_retry_succeeds(world: World) -> None:
    receipt = world.receive(1).receipt
    with world.sessions.begin() as session:  # the receipt is taken by a row under another key
        session.execute(update(IdempotencyKey).values(idempotency_hash=b"other".ljust(32)))
    with pytest.raises(SQLAlchemyError):
        world.receive(1)
    assert (world.count(IdempotencyKey), world.count(SealedReport)) == (1, 1)
    with world.sessions.begin() as session:
        session.execute(delete(IdempotencyKey))
    assert world.receive(1).receipt == receipt


def test_a_report_whose_envelope_cannot_be_stored_leaves_no_key_behind(world: World) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sealed_reports RENAME TO away")
    with pytest.raises(SQLAlchemyError):
        world.receive(1)
    assert world.count(IdempotencyKey) == 0
    with world.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO sealed_reports")
    world.receive(1)
    assert (world.count(IdempotencyKey), world.count(SealedReport)) == (1, 1)


# For whom it is meant


@pytest.mark.parametrize(
    ("address", "organisation_id"),
    [(IN_AMSTERDAM, AMSTERDAM), (IN_GRONINGEN, GRONINGEN), (NOWHERE, NATIONAL)],
)
def test_a_report_goes_to_the_organisation_of_its_area(
    sqlite_world: World, address: Address, organisation_id: object
) -> None:
    assert sqlite_world.receive(1, address).organisation.id == organisation_id
    [row] = sqlite_world.sealed()
    assert row.organisation_id == organisation_id


def test_a_municipality_without_an_organisation_is_its_ggds(sqlite_world: World) -> None:
    assert sqlite_world.receive(1, IN_ZEELAND).organisation.kind is OrganisationKind.GGD


@pytest.mark.parametrize("postcode", ["1000AA", "1001ZZ", "1120AA"])
def test_an_unknown_postcode_is_accepted_for_the_national_desk(world: World, postcode: str) -> None:
    answer = world.receive(1, Address(postcode=postcode, number=1))
    [row] = world.sealed()
    assert answer.organisation.kind is OrganisationKind.NATIONAL
    assert row.unrouted


def test_a_routed_report_is_not_called_unrouted(sqlite_world: World) -> None:
    sqlite_world.receive(1)
    assert not sqlite_world.sealed()[0].unrouted


def test_without_a_key_of_the_week_the_national_desk_receives_unrouted(world: World) -> None:
    _without_public_keys(world, AMSTERDAM)
    answer = world.receive(1)
    [row] = world.sealed()
    assert (answer.organisation.id, row.organisation_id) == (NATIONAL, NATIONAL)
    assert row.mailbox_key_id == _key_id(world, NATIONAL)
    assert row.unrouted
    assert world.worker().arrive() == 1


def test_without_any_key_nothing_is_stored(world: World) -> None:
    _without_public_keys(world)
    with pytest.raises(NoMailboxKey):
        world.receive(1)
    assert world.count(SealedReport) == 0


def test_without_the_national_desk_and_its_own_key_nothing_is_stored(world: World) -> None:
    _without_public_keys(world, AMSTERDAM, NATIONAL)
    with pytest.raises(NoMailboxKey):
        world.receive(1)
    assert world.receive(2, IN_GRONINGEN).organisation.id == GRONINGEN


def test_the_key_of_the_week_is_used(world: World) -> None:
    world.receive(1)
    world.move(days=7)
    world.receive(2)
    weeks = {row.received_on: row.mailbox_key_id for row in world.sealed()}
    assert weeks == {
        date(2026, 11, 24): _key_id(world, AMSTERDAM),
        date(2026, 12, 1): _key_id(world, AMSTERDAM, THIS_WEEK + timedelta(weeks=1)),
    }


# Keys that were tampered with


def test_a_public_key_swapped_in_the_database_is_refused_logged_and_not_used(world: World) -> None:
    _private, public = generate_mailbox_keypair()
    _change_key(world, AMSTERDAM, public_key=public)
    with capture_logs() as lines:
        answer = world.receive(1)
    assert {"event": "routing.mailbox_key_refused", "key_id": str(_key_id(world, AMSTERDAM))}.items() <= (
        lines[0].items()
    )
    assert answer.organisation.id == NATIONAL


def test_a_running_process_refuses_a_swapped_key_too(world: World) -> None:
    intake = world.intake()
    assert intake.receive(world.clock, key=key(1), report=report()).organisation.id == AMSTERDAM
    _private, public = generate_mailbox_keypair()
    _change_key(world, AMSTERDAM, public_key=public)
    assert intake.receive(world.clock, key=key(2), report=report()).organisation.id == NATIONAL


def test_a_key_that_was_given_another_week_is_refused_by_a_running_process(world: World) -> None:
    intake = world.intake()
    intake.receive(world.clock, key=key(1), report=report())
    _without_public_keys(world, AMSTERDAM, week=THIS_WEEK)
    _change_key(world, AMSTERDAM, THIS_WEEK + timedelta(weeks=1), week=THIS_WEEK)
    assert intake.receive(world.clock, key=key(2), report=report()).organisation.id == NATIONAL


def test_a_key_that_was_given_to_another_organisation_is_refused(world: World) -> None:
    _without_public_keys(world, GRONINGEN)
    _change_key(world, AMSTERDAM, organisation_id=GRONINGEN)
    assert world.receive(1, IN_GRONINGEN).organisation.id == NATIONAL


def test_without_a_pinned_root_no_key_is_trusted(sqlite_world: World) -> None:
    intake = sqlite_world.intake(router=sqlite_world.router(root_public_key=None))
    with pytest.raises(NoMailboxKey):
        intake.receive(sqlite_world.clock, key=key(1), report=report())


# The day's limit


def test_the_limit_is_exact_for_two_processes_together(world: World) -> None:
    intakes = [world.intake(limit=5), world.intake(limit=5)]
    for number in range(5):
        intakes[number % 2].receive(world.clock, key=key(number), report=report())
    for number, intake in enumerate(intakes, start=5):
        with pytest.raises(AreaFull):
            intake.receive(world.clock, key=key(number), report=report())
    assert world.count(SealedReport) == 5


def test_arrival_does_not_make_room(world: World) -> None:
    intake = world.intake(limit=1)
    intake.receive(world.clock, key=key(1), report=report())
    world.worker().arrive()
    with pytest.raises(AreaFull):
        intake.receive(world.clock, key=key(2), report=report())


def test_another_organisation_still_receives(world: World) -> None:
    intake = world.intake(limit=1)
    intake.receive(world.clock, key=key(1), report=report())
    assert intake.receive(world.clock, key=key(2), report=report(IN_GRONINGEN)).organisation.id == GRONINGEN


def test_the_next_day_in_amsterdam_starts_at_nought(world: World) -> None:
    intake = world.intake(limit=1)
    intake.receive(world.clock, key=key(1), report=report())
    world.clock.moment = datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC)
    with pytest.raises(AreaFull):
        intake.receive(world.clock, key=key(2), report=report())
    world.clock.moment = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    assert intake.receive(world.clock, key=key(2), report=report()).received_on == date(2026, 11, 25)


def test_a_limit_that_was_raised_for_the_day_lets_more_in_and_no_further(world: World) -> None:
    with world.sessions.begin() as session:
        session.add(AreaDay(organisation_id=AMSTERDAM, day=NOW.date(), raises=1))
        session.add(AreaDay(organisation_id=GRONINGEN, day=NOW.date() - timedelta(days=1), raises=4))
    intake = world.intake(limit=1)
    for number in (1, 2):
        intake.receive(world.clock, key=key(number), report=report())
    with pytest.raises(AreaFull):
        intake.receive(world.clock, key=key(3), report=report())
    intake.receive(world.clock, key=key(4), report=report(IN_GRONINGEN))
    with pytest.raises(AreaFull):  # what was raised yesterday is the setting again
        intake.receive(world.clock, key=key(5), report=report(IN_GRONINGEN))


def test_a_tenth_of_the_limit_may_come_in_ten_minutes(world: World) -> None:
    """A laptop once filled an organisation's day in two seconds."""
    intake, clock = world.intake(limit=100), world.clock
    for number in range(10):
        intake.receive(clock, key=key(number), report=report())
        clock.moment += timedelta(seconds=30)
    with pytest.raises(AreaBusy) as refused:
        intake.receive(clock, key=key(10), report=report())
    assert refused.value.retry_after == 301
    assert intake.receive(clock, key=key(9), report=report()).receipt  # a retry
    assert intake.receive(clock, key=key(11), report=report(IN_GRONINGEN)).receipt
    clock.moment += timedelta(seconds=301)
    assert intake.receive(clock, key=key(10), report=report()).receipt


def test_a_full_area_is_refused_without_asking_the_database_each_time(world: World) -> None:
    world.receive(1)
    limit, asked = AreaLimit(1, refresh_seconds=3600), []
    event.listen(world.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for _ in range(3):
        with pytest.raises(AreaFull):
            limit.check(world.engine, AMSTERDAM, NOW.date(), NOW)
    assert len([statement for statement in asked if "idempotency_keys" in statement]) == 1


@pytest.mark.parametrize(
    ("stored", "later", "asks"), [(0, 9.9, 0), (0, 10.1, 1), (400, 5.9, 0), (400, 6.1, 1)]
)
def test_the_emptier_an_area_the_rarer_it_is_asked_about(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, stored: int, later: float, asks: int
) -> None:
    ticks = [100.0]
    monkeypatch.setattr("signals.intake.daily_limit.time.monotonic", lambda: ticks[-1])
    limit, asked = AreaLimit(1000, refresh_seconds=2.0), []
    limit.check(sqlite_world.engine, AMSTERDAM, NOW.date(), NOW)
    for _ in range(stored):
        limit.count(AMSTERDAM, NOW.date(), NOW - timedelta(hours=1))
    event.listen(sqlite_world.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    ticks.append(100.0 + later)
    limit.check(sqlite_world.engine, AMSTERDAM, NOW.date(), NOW)
    assert len([statement for statement in asked if "idempotency_keys" in statement]) == asks


def test_a_report_is_stored_over_a_connection_that_was_lost_meanwhile(postgres_world: World) -> None:
    intake = postgres_world.intake(limit=10**6)
    intake.receive(postgres_world.clock, key=key(1), report=report())
    with postgres_world.engine.connect() as connection:
        ended = connection.scalars(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'"
            )
        ).all()
    assert ended
    intake.receive(postgres_world.clock, key=key(2), report=report())
    assert postgres_world.count(SealedReport) == 2


def test_a_raised_limit_lets_more_in(world: World) -> None:
    world.intake(limit=1).receive(world.clock, key=key(1), report=report())
    world.intake(limit=2).receive(world.clock, key=key(2), report=report())
    with pytest.raises(AreaFull):
        world.intake(limit=2).receive(world.clock, key=key(3), report=report())


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        (datetime(2026, 11, 24, 9, 30, tzinfo=UTC), 1800),
        (datetime(2026, 11, 24, 22, 50, tzinfo=UTC), 600),
        (datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 24, 23, 0, tzinfo=UTC), 1800),
        (datetime(2026, 7, 1, 21, 45, tzinfo=UTC), 900),
    ],
)
def test_a_refused_carrier_may_ask_again_in_half_an_hour_or_at_midnight_in_amsterdam(
    sqlite_world: World, moment: datetime, seconds: float
) -> None:
    sqlite_world.clock.moment = moment
    sqlite_world.worker().provision_keys()
    with pytest.raises(AreaFull) as refused:
        sqlite_world.intake(limit=0).receive(sqlite_world.clock, key=key(1), report=report())
    assert refused.value.retry_after == seconds


# What is stored


def test_every_stored_report_has_one_size(sqlite_world: World) -> None:
    intake = sqlite_world.intake(notes=True)
    long = report(
        IN_AMSTERDAM,
        note="\N{SLIGHTLY SMILING FACE}" * 280,
        concern_types=tuple(ConcernType),
        seen=Seen.CHANGED,
        noticed_on=date(2026, 11, 20),
    )
    for number, each in enumerate([report(), long]):
        intake.receive(sqlite_world.clock, key=key(number), report=each)
    first, second = (row.envelope for row in sqlite_world.sealed())
    assert len(first) == len(second)


def test_the_receipt_is_not_stored_and_not_in_the_answers_repr(sqlite_world: World) -> None:
    answer = sqlite_world.receive(1)
    [row] = sqlite_world.sealed()
    assert answer.receipt not in repr(answer)
    with sqlite_world.sessions() as session:
        known = session.scalars(select(IdempotencyKey)).one()
    values = [*vars(row).values(), *vars(known).values()]
    assert answer.receipt.encode() not in b"".join(value for value in values if isinstance(value, bytes))


@pytest.mark.parametrize("days_back", [-1, 15])
def test_a_date_ahead_or_more_than_fourteen_days_back_is_refused(sqlite_world: World, days_back: int) -> None:
    noticed = date(2026, 11, 24) - timedelta(days=days_back)
    with pytest.raises(Invalid) as refused:
        sqlite_world.receive(1, noticed_on=noticed)
    assert [(p.field, p.code) for p in refused.value.problems] == [("noticed_on", "out_of_range")]
    assert sqlite_world.count(SealedReport) == 0


def test_a_receipt_is_known_at_once_as_received(world: World) -> None:
    answer = world.receive(1)
    assert world.intake().receipt_state(world.clock, answer.receipt)[0] is ReceiptState.RECEIVED


def test_ids_do_not_tell_the_order_of_arrival(sqlite_world: World) -> None:
    for number in range(12):
        sqlite_world.receive(number)
    in_order = [_signal_id(sqlite_world, number) for number in range(12)]
    assert in_order != sorted(in_order)
    assert {signal_id.version for signal_id in in_order} == {4}  # the kind without a clock in it


def _signal_id(world: World, number: int) -> uuid.UUID:
    same = IdempotencyKey.receipt_hash == SealedReport.receipt_hash
    query = select(SealedReport.signal_id).join(IdempotencyKey, same)
    query = query.where(IdempotencyKey.idempotency_hash == idempotency_hash(key(number)))
    with world.sessions() as session:
        return session.scalars(query).one()


def _receipt() -> dict[str, object]:
    state = ReceiptState.RECEIVED
    return {
        "receipt_hash": random.Random(1).randbytes(32),
        "state": state,
        "state_before": state,
        "changed_on": date(2026, 11, 24),
    }


def _without_public_keys(world: World, *organisation_ids: object, week: date | None = None) -> None:
    statement = delete(MailboxPublicKey)
    if organisation_ids:
        statement = statement.where(MailboxPublicKey.organisation_id.in_(organisation_ids))
    if week is not None:
        statement = statement.where(MailboxPublicKey.week == week)
    with world.sessions.begin() as session:
        session.execute(statement)
        routing_changed(session)


def _change_key(world: World, of_organisation: object, of_week: date = THIS_WEEK, **values: object) -> None:
    with world.sessions.begin() as session:
        session.execute(
            update(MailboxPublicKey)
            .where(MailboxPublicKey.organisation_id == of_organisation, MailboxPublicKey.week == of_week)
            .values(values)
        )
        routing_changed(session)


def _key_id(world: World, organisation_id: object, week: date = THIS_WEEK) -> object:
    with world.sessions() as session:
        return session.scalar(
            select(MailboxPublicKey.key_id).where(
                MailboxPublicKey.organisation_id == organisation_id, MailboxPublicKey.week == week
            )
        )
