"""Test residents' rights on both databases."""

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select

from privacy.keystore import KeyGone
from signals.audit.log import Actor
from signals.casework import add_note, claim
from signals.casework.referral import refer
from signals.casework.search import search_by_reference
from signals.clock import today
from signals.errors import Invalid, NotFound, Restricted
from signals.intake.content import open_report
from signals.models import AddressLink, AuditEntry, FollowUpNote, RegisterEntry, Signal
from signals.residents.export import record_export
from signals.residents.finding import OtherAdditions
from signals.residents.rectifying import Correction, NoteCorrection
from signals.residents.requests import register
from signals.residents.restricting import restrict
from signals.settings import NotesSettings
from signals.vocabulary import AuditAction, ConcernType, DeletionReason, ReferralReason, Role
from tests.support.chance import without_chance
from tests.support.rights import NEXT_DOOR, PROOF, UPSTAIRS, erase, export, found, put_right
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, World, key, report


@pytest.fixture
def officer(world: World) -> Actor:
    return world.staff(role=Role.PRIVACY_OFFICER)


@pytest.fixture
def signal_id(world: World) -> uuid.UUID:
    """Return a claimed signal with a note in Amsterdam; another one is next door."""
    world.receive(1, IN_AMSTERDAM, concern_types=[ConcernType.FRAIL])
    world.receive(2, NEXT_DOOR)
    world.worker().arrive()
    signal, worker = world.addresses()[IN_AMSTERDAM], world.staff()
    with world.sessions.begin() as session:
        claim(world.operation(session, worker), signal_id=signal.id)
        add_note(world.operation(session, worker), signal_id=signal.id, text="Dochter gebeld.")
    return signal.id


def test_a_resident_upstairs_is_neither_found_nor_erased(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    world.receive(3, UPSTAIRS)
    world.worker().arrive()
    upstairs = world.addresses()[UPSTAIRS]
    assert [signal.id for signal in found(world, officer).signals] == [signal_id]
    erase(world, officer)
    assert not found(world, officer).signals
    (left,) = found(world, officer, UPSTAIRS).signals
    assert left.id == upstairs.id
    assert open_report(world.keystore, left).address == UPSTAIRS


def test_the_findings_only_count_the_rest_of_the_house(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    for number, addition in enumerate(("A", "B", "B"), 3):
        world.receive(number, replace(IN_AMSTERDAM, addition=addition))
    world.worker().arrive()
    assert found(world, officer).other_additions == OtherAdditions(signals=3, earlier=0)
    gone = found(world, officer, UPSTAIRS).signal_ids
    world.worker().retention().purge_now(world.clock, gone, DeletionReason.CONCLUDED)
    assert found(world, officer).other_additions == OtherAdditions(signals=2, earlier=1)
    assert found(world, officer, UPSTAIRS).other_additions == OtherAdditions(signals=3, earlier=0)
    assert found(world, officer, NEXT_DOOR).other_additions == OtherAdditions(signals=0, earlier=0)
    stranger = world.staff(GRONINGEN, Role.PRIVACY_OFFICER)
    assert found(world, stranger).other_additions == OtherAdditions(signals=0, earlier=0)


def test_another_organisations_officer_finds_nothing(world: World, signal_id: uuid.UUID) -> None:
    assert not found(world, world.staff(GRONINGEN, Role.PRIVACY_OFFICER)).signals


def test_an_export_without_a_look_at_third_parties_is_refused(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    findings = found(world, officer)
    with world.sessions() as session, pytest.raises(Invalid):
        record_export(
            world.operation(session, officer), findings=findings, proof=replace(PROOF, third_parties=False)
        )


def test_an_erasure_deletes_the_signal_its_key_and_its_link_and_nothing_next_door(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    key_id = world.addresses()[IN_AMSTERDAM].case_key_id
    assert erase(world, officer) == 1
    assert list(world.addresses()) == [NEXT_DOOR]
    assert world.count(AddressLink) == 1
    with pytest.raises(KeyGone):
        world.keystore.case_key(key_id)


def test_an_erasure_follows_a_referral(world: World, officer: Actor, signal_id: uuid.UUID) -> None:
    worker = world.staff()
    with world.sessions.begin() as session:
        session.get_one(Signal, signal_id).claimed_by_id = worker.id
        refer(
            world.operation(session, worker),
            signal_id=signal_id,
            to_organisation_id=GRONINGEN,
            reason=ReferralReason.MOVED,
        )
    assert erase(world, officer) == 1
    assert list(world.addresses()) == [NEXT_DOOR]
    with world.sessions() as session:
        (entry,) = register(session, organisation_id=AMSTERDAM)
    assert (entry.outcome, entry.signals_found) == ("erased", 1)


def test_the_register_keeps_the_request_and_never_its_content(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    erase(world, officer)
    with world.sessions() as session:
        (entry,) = register(session, organisation_id=AMSTERDAM)
    assert (entry.right, entry.outcome, entry.signals_found) == ("erasure", "erased", 1)
    assert (entry.identity_checked, entry.residence_checked) == ("seen_in_person", "letter_answered")
    stored = " ".join(str(getattr(entry, column.key)) for column in RegisterEntry.__table__.columns)
    assert "1012" not in without_chance(stored)


def test_a_rectified_signal_is_found_at_its_new_address_only(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    right = replace(IN_AMSTERDAM, number=120)
    put_right(world, officer, signal_id, Correction(address=right))
    assert not found(world, officer).signals
    assert [signal.id for signal in found(world, officer, right).signals] == [signal_id]
    assert open_report(world.keystore, world.addresses()[right]).summary.concern_types == (ConcernType.FRAIL,)


def test_a_rectification_corrects_the_report_and_keeps_the_residents_statement(
    world: World, officer: Actor
) -> None:
    said = report(IN_AMSTERDAM, concern_types=[ConcernType.FRAIL, ConcernType.NOT_SEEN], note="Valt vaak.")
    world.intake(notes=True).receive(world.clock, key=key(5), report=said)
    world.worker(notes=NotesSettings(enabled=True)).arrive()
    (signal,) = world.signals()
    correction = Correction(
        address=IN_AMSTERDAM,
        withdrawn=frozenset({ConcernType.FRAIL}),
        drop_note=True,
        statement="Ik was op reis en ben gezond.",
    )
    put_right(world, officer, signal.id, correction)
    (exported,) = export(world, officer)["signals"]
    assert (exported["concern_types"], exported["note"]) == (["not_seen"], None)
    (note,) = exported["follow_up_notes"]
    assert note["text"].endswith("Ik was op reis en ben gezond.")
    assert b"op reis" not in world.row(select(FollowUpNote.sealed_text))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Zoon gebeld.", "Gecorrigeerd op {day} op verzoek van de bewoner (art. 16 AVG):\nZoon gebeld."),
        ("", "Geschrapt op {day} op verzoek van de bewoner (art. 16 AVG)."),
    ],
)
def test_a_wrong_note_is_corrected_or_struck_and_says_so(
    world: World, officer: Actor, signal_id: uuid.UUID, text: str, read: str
) -> None:
    before = note_of(world, signal_id)
    rectify_notes(world, officer, signal_id, NoteCorrection(note_id=before.id, text=text))
    after = note_of(world, signal_id)
    (exported,) = export(world, officer)["signals"]
    (note,) = exported["follow_up_notes"]
    assert note["text"] == read.format(day=f"{today(world.clock):%d-%m-%Y}")
    assert (after.id, after.written_by_id, after.written_at) == (
        before.id,
        before.written_by_id,
        before.written_at,
    )
    assert after.sealed_text != before.sealed_text
    with world.sessions() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == AuditAction.SIGNAL_RECTIFIED)
        ).one()
        assert (entry.subject_id, entry.actor_id, entry.ground) == (signal_id, officer.id, "art_16_avg")
        registered = {(entry.right, entry.outcome) for entry in register(session, organisation_id=AMSTERDAM)}
        assert ("rectification", "rectified") in registered


def test_a_note_of_another_signal_or_a_too_long_one_is_refused_and_changes_nothing(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    note = note_of(world, signal_id)
    next_door = world.addresses()[NEXT_DOOR].id
    for of, correction in (
        (next_door, NoteCorrection(note_id=note.id)),
        (signal_id, NoteCorrection(note_id=uuid.uuid4())),
        (signal_id, NoteCorrection(note_id=note.id, text="x" * 4001)),
    ):
        with pytest.raises(Invalid):
            rectify_notes(world, officer, of, correction)
    assert note_of(world, signal_id).sealed_text == note.sealed_text


def note_of(world: World, signal_id: uuid.UUID) -> FollowUpNote:
    return world.row(select(FollowUpNote).where(FollowUpNote.signal_id == signal_id))


def rectify_notes(world: World, officer: Actor, signal_id: uuid.UUID, *corrections: NoteCorrection) -> None:
    put_right(world, officer, signal_id, Correction(address=IN_AMSTERDAM, notes=corrections))


def test_a_statement_has_an_end(world: World, officer: Actor, signal_id: uuid.UUID) -> None:
    with pytest.raises(Invalid):
        put_right(world, officer, signal_id, Correction(address=IN_AMSTERDAM, statement="x" * 1001))


def test_an_export_says_how_long_and_to_whom(world: World, officer: Actor, signal_id: uuid.UUID) -> None:
    document = export(world, officer)
    assert {kept["rule"]: kept["days"] for kept in document["retention"]} == {
        "concluded": 28,
        "unattended": 28,
        "hard_limit": 365,
    }
    assert document["recipients"] == ["own_team", "referred_to", "processor"]


def test_a_restriction_is_set_and_lifted(world: World, officer: Actor, signal_id: uuid.UUID) -> None:
    for lift, expected in ((False, today(world.clock)), (True, None)):
        world.do(officer, restrict, signal_id=signal_id, proof=PROOF, lift=lift)
        assert world.addresses()[IN_AMSTERDAM].restricted_on == expected


def test_nobody_works_on_a_restricted_signal(world: World, officer: Actor, signal_id: uuid.UUID) -> None:
    world.do(officer, restrict, signal_id=signal_id, proof=PROOF)
    with world.sessions() as session, pytest.raises(Restricted):
        claim(world.operation(session, world.staff()), signal_id=signal_id)


def test_a_signal_of_another_organisation_is_neither_rectified_nor_restricted(
    world: World, signal_id: uuid.UUID
) -> None:
    stranger = world.staff(GRONINGEN, Role.PRIVACY_OFFICER)
    with world.sessions() as session, pytest.raises(NotFound):
        restrict(world.operation(session, stranger), signal_id=signal_id, proof=PROOF)


def test_after_a_purge_the_reference_says_when_it_was_deleted(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    reference = world.addresses()[IN_AMSTERDAM].reference
    erase(world, officer)
    stranger = world.staff(GRONINGEN)
    with world.sessions() as session:
        own = search_by_reference(world.operation(session, officer), reference.lower())
        assert (own.items, own.deleted_on) == ([], today(world.clock))
        other = search_by_reference(world.operation(session, stranger), reference)
        assert (other.items, other.deleted_on, other.referred_on) == ([], None, None)


def test_every_step_is_audited_without_the_address(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    erase(world, officer)
    entries = world.rows(select(AuditEntry).where(AuditEntry.actor_id == officer.id))
    assert {entry.action for entry in entries} == {AuditAction.SEARCHED, AuditAction.SIGNAL_ERASED}
    assert not any("1012" in f"{entry.ground}{entry.outcome}" for entry in entries)
