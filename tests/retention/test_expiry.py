"""Test the expiry of everything beside the signals."""

from collections.abc import Iterable

import pytest
from sqlalchemy import select

from signals.audit.log import Actor
from signals.clock import today
from signals.models import (
    Approval,
    AuditEntry,
    ContactAttempt,
    Passkey,
    Referral,
    RegisterEntry,
    StaffMember,
    StaffSession,
)
from signals.models.base import Base
from signals.vocabulary import AuditAction
from tests.factories import ApprovalFactory, ReferralFactory, RegisterEntryFactory
from tests.support.world import AMSTERDAM, GRONINGEN, World


def run(world: World) -> None:
    world.worker().retention().run(world.clock)


def add(world: World, rows: Iterable[Base]) -> None:
    with world.sessions.begin() as session:
        session.add_all(rows)


def register_entry(world: World, staff: Actor) -> RegisterEntry:
    return RegisterEntryFactory.build(
        organisation_id=AMSTERDAM, recorded_by_id=staff.id, recorded_on=today(world.clock)
    )


def referral(world: World, staff: Actor) -> Referral:
    return ReferralFactory.build(
        from_organisation_id=AMSTERDAM,
        to_organisation_id=GRONINGEN,
        referred_by_id=staff.id,
        referred_on=today(world.clock),
        key_destroyed_on=today(world.clock),
    )


def session_of(world: World, staff: Actor) -> StaffSession:
    now = world.clock.now()
    return StaffSession(
        staff_member_id=staff.id, kind="page", token_hash=bytes(32), created_at=now, last_seen_at=now,
        expires_at=now,
    )  # fmt: skip


def approval(world: World, staff: Actor) -> Approval:
    return ApprovalFactory.build(organisation_id=AMSTERDAM, asked_by_id=staff.id, asked_at=world.clock.now())


@pytest.mark.parametrize(
    ("made", "days"),
    [(register_entry, 1826), (referral, 730), (session_of, 30), (approval, 730)],
    ids=["register", "referrals", "sessions", "approvals"],
)
def test_a_row_is_there_until_its_last_day_and_then_goes(world: World, made: object, days: int) -> None:
    row = made(world, world.staff())  # type: ignore[operator]
    add(world, [row])
    world.move(days=days)
    run(world)
    assert world.count(type(row)) == 1
    world.move(days=1)
    run(world)
    assert world.count(type(row)) == 0


def test_a_referral_stays_while_its_signal_lives(world: World) -> None:
    """A restriction keeps the signal, and an erasure must find where it went."""
    world.receive(1)
    world.worker().arrive()
    (signal,) = world.signals()
    row = referral(world, world.staff())
    row.signal_id = signal.id
    add(world, [row])
    with world.sessions.begin() as session:
        session.merge(signal).restricted_on = today(world.clock)
    world.move(days=800)
    run(world)
    assert world.count(Referral) == 1


def test_a_disabled_account_is_emptied_and_references_to_it_stay(world: World) -> None:
    staff = world.staff()
    assert staff.id is not None
    add(world, [session_of(world, staff), register_entry(world, staff)])
    add(world, [
        Passkey(staff_member_id=staff.id, label="Sleutel", credential_id=b"id", public_key=b"key",
                sign_count=0, created_on=today(world.clock)),
    ])  # fmt: skip
    with world.sessions.begin() as session:
        world.audit.record(session, world.clock, actor=staff, action=AuditAction.SEARCHED)
        session.get_one(StaffMember, staff.id).disabled_at = world.clock.now()
    world.move(days=731)
    run(world)
    assert account(world, staff).name == "Medewerker"
    world.move(days=1)
    run(world)
    emptied = account(world, staff)
    assert (emptied.name, emptied.email) == ("-", f"{staff.id}@removed.invalid")
    assert (emptied.password_hash, emptied.totp_sealed) == ("", b"")
    assert world.count(Passkey) == world.count(StaffSession) == 0
    with world.sessions() as session:
        assert session.scalars(select(RegisterEntry.recorded_by_id)).all() == [staff.id]
        searched = AuditEntry.action == AuditAction.SEARCHED
        assert session.scalars(select(AuditEntry.actor_id).where(searched)).all() == [staff.id]
    assert world.count(ContactAttempt) == 0


def account(world: World, staff: Actor) -> StaffMember:
    with world.sessions() as session:
        return session.get_one(StaffMember, staff.id)
