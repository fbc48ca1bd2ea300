"""Test a resident's rights later on, on both databases: after a year, and after a rectification."""

import uuid
from dataclasses import replace

from signals.casework.referral import refer
from signals.models import AddressLink, Signal
from signals.residents.export import accesses_to
from signals.residents.rectifying import Correction, is_rectified
from signals.residents.restricting import restrict
from signals.vocabulary import AuditAction, ConcernType, ReferralReason, Role
from tests.support.rights import NEXT_DOOR, PROOF, found, put_right
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, World


def arrive(world: World, number: int, address: object = IN_AMSTERDAM) -> uuid.UUID:
    before = {signal.id for signal in world.signals()}
    world.receive(number, address, concern_types=[ConcernType.FRAIL])
    world.worker().arrive()
    (new,) = {signal.id for signal in world.signals()} - before
    return new


def test_a_restricted_signal_is_found_by_address_as_long_as_it_is_kept(world: World) -> None:
    """Otherwise nobody could lift its restriction or erase it."""
    officer, signal_id = world.staff(role=Role.PRIVACY_OFFICER), arrive(world, 1)
    world.do(officer, restrict, signal_id=signal_id, proof=PROOF)
    for _ in range(3):
        world.move(days=200)
        world.worker().retain()
    assert [signal.id for signal in found(world, officer).signals] == [signal_id]
    assert not found(world, officer, NEXT_DOOR).signals
    assert world.keystore.pseudonym_keys(AMSTERDAM, ["2026-Q4"]) == {}  # nothing else lives under it
    world.do(officer, restrict, signal_id=signal_id, proof=PROOF, lift=True)
    world.worker().retain()
    assert (world.count(Signal), world.count(AddressLink)) == (0, 0)


def test_a_corrected_address_decides_anew_about_a_repeat(world: World) -> None:
    officer = world.staff(role=Role.PRIVACY_OFFICER)
    arrive(world, 1)
    wrong = arrive(world, 2)
    assert repeat(world, wrong)
    for place, is_repeat in ((NEXT_DOOR, False), (IN_AMSTERDAM, True)):
        put_right(world, officer, wrong, Correction(address=place))
        assert repeat(world, wrong) is is_repeat


def test_only_the_result_of_a_correction_counts_as_corrected(world: World) -> None:
    officer, signal_id = world.staff(role=Role.PRIVACY_OFFICER), arrive(world, 1)
    asked = Correction(
        address=NEXT_DOOR, withdrawn=frozenset({ConcernType.FRAIL}), statement="Ik woon hier niet."
    )
    put_right(world, officer, signal_id, asked)
    with world.sessions() as session:
        signal = session.get_one(Signal, signal_id)
        others = (
            replace(asked, address=IN_AMSTERDAM),
            replace(asked, statement="Ik woon hier wel."),
        )
        operation = world.operation(session, officer)
        done = [is_rectified(operation, signal, one) for one in (asked, *others)]
    assert done == [True, False, False]


def repeat(world: World, signal_id: uuid.UUID) -> bool:
    return next(signal.repeat for signal in world.signals() if signal.id == signal_id)


def test_a_sender_can_name_the_receiver_after_the_deletion_there(world: World) -> None:
    officer, signal_id = world.staff(role=Role.PRIVACY_OFFICER), arrive(world, 1)
    world.do(
        world.staff(), refer, signal_id=signal_id, to_organisation_id=GRONINGEN, reason=ReferralReason.MOVED
    )
    world.move(days=28)
    world.worker().retain()
    assert world.count(Signal) == 0
    findings = found(world, officer)
    assert [referral.to_organisation_id for referral in findings.referrals] == [GRONINGEN]
    assert (findings.signals, findings.deleted) == ([], [])
    with world.sessions() as session:
        (used,) = accesses_to(session, findings).values()
    assert [entry.action for entry in used] == [
        AuditAction.SIGNAL_ARRIVED, AuditAction.SIGNAL_REFERRED, AuditAction.SEARCHED
    ]  # fmt: skip
    world.move(days=366)
    world.worker().retain()
    assert world.count(AddressLink) == 0
