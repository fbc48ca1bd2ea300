"""Test the export of art. 15 AVG against the schema: it holds every column of a resident, or a reason.

docs/privacy/velden.md names the owner of each column's data; another test compares that list with the schema.
A new column of the resident fails here until somebody exports it or writes down the reason.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import pytest
from sqlalchemy.orm import Session, selectinload

from signals.audit.log import Actor
from signals.casework import add_note, claim, correct_note
from signals.comparisons.draws import drawn_order
from signals.models import AddressLink, AuditEntry, Organisation, Signal
from signals.residents.export import accesses_to, export_of, record_export
from signals.residents.finding import find_by_address
from signals.settings import NotesSettings
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    AuditAction,
    ComparisonArm,
    ConcernType,
    DeferralReason,
    DeletionReason,
    Outcome,
    ReferralReason,
    ReferredTo,
    Role,
    Seen,
    SignalState,
)
from signals.web.officer.export_schemas import ExportedSchema
from signals.web.officer.rights_pdf import facts_of
from tests import factories
from tests.support.comparisons import begin, let_draw
from tests.support.export_columns import BESIDE_THE_SIGNALS, IN_THE_EXPORT, LEFT_OUT, LEFT_OUT_TABLES, OPENED
from tests.support.privacy_docs import described_columns
from tests.support.rights import PROOF
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, World, key, report

DAY: Final = date(2026, 11, 22)
CODES: Final[tuple[type[StrEnum], ...]] = (
    SignalState, Seen, Outcome, ReferredTo, AttemptKind, AttemptResult, Action, DeferralReason,
    ReferralReason, AuditAction,
)  # fmt: skip


@pytest.fixture
def officer(world: World) -> Actor:
    return world.staff(role=Role.PRIVACY_OFFICER)


@pytest.fixture
def signal_id(world: World) -> uuid.UUID:
    """Return a signal in which every column of the resident has a value."""
    said = report(
        IN_AMSTERDAM, concern_types=[ConcernType.FRAIL], seen=Seen.ONCE, noticed_on=DAY, note="Valt vaak."
    )
    world.intake(notes=True).receive(world.clock, key=key(1), report=said)
    world.worker(notes=NotesSettings(enabled=True)).arrive()
    (signal,) = world.signals()
    worker = world.staff()
    with world.sessions.begin() as session:
        claim(world.operation(session, worker), signal_id=signal.id)
        note = add_note(world.operation(session, worker), signal_id=signal.id, text="Zoon gebeld.")
        session.flush()
        operation = world.operation(session, worker)
        correct_note(operation, signal_id=signal.id, note_id=note.id, text="Dochter gebeld.")
    with world.sessions.begin() as session:
        _fill(session, world, session.get_one(Signal, signal.id), worker)
    begin(world)
    let_draw(world, signal.id, ComparisonArm.CARD_FIRST)
    return signal.id


def _fill(session: Session, world: World, signal: Signal, worker: Actor) -> None:
    """Fill all columns, which no real signal has at once."""
    now = world.clock.now()
    signal.unrouted = signal.outside_area = signal.repeat = signal.team_notified = signal.newly_known = True
    signal.first_contact_at = signal.concluded_at = now
    signal.outcome, signal.referred_to = Outcome.REFERRED, ReferredTo.HUISARTS
    signal.deferred_because = DeferralReason.WOULD_ENDANGER
    days = (
        "postponed_until",
        "notified_on",
        "letter_printed_on",
        "wmo_notified_on",
        "restricted_on",
        "filed_on",
    )
    for place, name in enumerate(days):
        setattr(signal, name, DAY.replace(day=1 + place))
    session.add(
        factories.ContactAttemptFactory.build(
            signal_id=signal.id,
            result=AttemptResult.POSTPONED,
            workers=2,
            postponed_until=DAY.replace(day=20),
            recorded_by_id=worker.id,
        )
    )
    session.add(
        factories.ContactAttemptFactory.build(
            signal_id=signal.id,
            workers=2,
            postponed_until=DAY.replace(day=22),
            recorded_by_id=worker.id,
            replaced_by_id=uuid.UUID(int=7),
        )
    )
    session.add(
        factories.StatusChangeFactory.build(
            signal_id=signal.id,
            sequence=9,
            action=Action.REFER,
            before=SignalState.CLAIMED,
            after=SignalState.NEW,
            actor_id=worker.id,
            at=now,
            reason=ReferralReason.MOVED,
            day=DAY.replace(day=21),
        )
    )


def exported(world: World, officer: Actor) -> dict[str, Any]:
    with world.begin(officer) as operation:
        findings = find_by_address(operation, address=IN_AMSTERDAM)
        organisation = operation.session.get_one(Organisation, AMSTERDAM)
        admission = record_export(operation, findings=findings, proof=PROOF)
        accesses = accesses_to(operation.session, findings)
        orders = {each.id: drawn_order(operation.session, world.keystore, each) for each in findings.signals}
    receivers = {GRONINGEN: "Groningen"}
    found = export_of(findings, admission, organisation, receivers, accesses=accesses, orders=orders)
    return ExportedSchema().dump(found)


def values_at(signal: Mapping[str, Any], place: str) -> list[Any]:
    name, _, part = place.partition("/")
    return [each[part] for each in signal[name]] if part else [signal[name]]


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(second=0, microsecond=0).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def stored(session: Session, signal_id: uuid.UUID) -> Iterator[tuple[str, list[Any]]]:
    """Return each column that is exported as it is, with the values of the signal's rows."""
    signal = session.get_one(
        Signal, signal_id, options=[selectinload(Signal.attempts), selectinload(Signal.history)]
    )
    rows: Mapping[str, list[Any]] = {
        "signals": [signal],
        "contact_attempts": list(signal.attempts),
        "status_changes": list(signal.history),
    }
    for column in IN_THE_EXPORT:
        table, _, name = column.partition(".")
        mapper = type(rows[table][0]).__mapper__
        attribute = mapper.get_property_by_column(mapper.local_table.columns[name]).key
        yield column, [plain(vars(row)[attribute]) for row in rows[table]]


def test_every_column_of_the_residents_is_in_the_export_or_says_why_not() -> None:
    said = {*IN_THE_EXPORT, *OPENED, *BESIDE_THE_SIGNALS, *LEFT_OUT}
    of_residents = {
        name
        for name, (whose, _codes, _how) in described_columns().items()
        if whose == "bewoner" and name.partition(".")[0] not in LEFT_OUT_TABLES
    }
    assert of_residents - said == set(), "export it, or write down why it is left out"
    assert said - of_residents == set(), "no such column of the resident's"


def test_the_export_gives_the_values_of_the_columns(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    (signal,) = exported(world, officer)["signals"]
    with world.sessions() as session:
        kept = dict(stored(session, signal_id))
    assert {column for column, values in kept.items() if all(value is None for value in values)} == set()
    told = {column: values_at(signal, place) for column, place in IN_THE_EXPORT.items()}
    # The exported history also has the arrival, which is no row.
    wrong = {column for column, values in kept.items() if not Counter(values) <= Counter(told[column])}
    assert wrong == set()


def test_the_export_holds_sealed_content_in_the_clear(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    (signal,) = exported(world, officer)["signals"]
    assert {name: signal[name] for names in OPENED.values() for name in names} == {
        "address": {"postcode": "1012AB", "house_number": 12, "addition": ""},
        "noticed_on": DAY.isoformat(),
        "note": "Valt vaak.",
        "concern_types": ["frail"],
        "seen": "once",
        "follow_up_notes": [{"at": plain(world.clock.now()), "text": "Dochter gebeld."}],
        "corrected_notes": [{"at": plain(world.clock.now()), "text": "Zoon gebeld."}],
        "drawn_order": ["card", "visit"],
        "accesses": signal["accesses"],
    }


def test_the_export_lists_each_access_with_its_day_and_without_the_person(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    with world.sessions.begin() as session:
        elsewhere = world.staff(GRONINGEN)
        world.audit.record(
            session, world.clock, actor=elsewhere, action=AuditAction.SIGNAL_OPENED, subject_id=signal_id
        )
    (signal,) = exported(world, officer)["signals"]
    with world.sessions() as session:
        own = session.query(AuditEntry).filter_by(subject_id=signal_id, organisation_id=AMSTERDAM).all()
    told = sorted((access["on"], access["action"]) for access in signal["accesses"])
    assert told == sorted((entry.at.date().isoformat(), entry.action.value) for entry in own)
    assert {AuditAction.SIGNAL_ARRIVED, AuditAction.SIGNAL_CHANGED} <= {action for _, action in told}
    assert {name for access in signal["accesses"] for name in access} == {"on", "action"}


def test_the_export_holds_the_remains_of_deleted_and_referred_signals(
    world: World, officer: Actor, signal_id: uuid.UUID
) -> None:
    with world.sessions.begin() as session:
        session.add(
            factories.ReferralFactory.build(
                signal_id=signal_id,
                reference="7KQ2-4MXW",
                from_organisation_id=AMSTERDAM,
                to_organisation_id=GRONINGEN,
                referred_on=DAY,
                referred_by_id=officer.id,
                key_destroyed_on=None,
            )
        )
    document = exported(world, officer)
    assert document["referred"] == [
        {
            "reference": "7KQ2-4MXW",
            "on": DAY.isoformat(),
            "to": "Groningen",
            "reason": "moved",
            "accesses": [],  # they stand at the signal, which is here
        }
    ]
    with world.sessions.begin() as session:
        session.get_one(Signal, signal_id).restricted_on = None
    world.worker().retention().purge_now(world.clock, [signal_id], DeletionReason.CONCLUDED)
    with world.sessions() as session:
        link = session.query(AddressLink).one()
    assert exported(world, officer)["earlier_signals"] == [
        {"received_on": link.received_on.isoformat(), "outcome_group": "helped"}
    ]


def test_the_pdf_shows_everything_in_the_json(world: World, officer: Actor, signal_id: uuid.UUID) -> None:
    (signal,) = exported(world, officer)["signals"]
    whole = list(facts_of(signal))
    unseen = {name for name in signal if list(facts_of(signal | {name: _other(signal[name])})) == whole}
    assert unseen == {"reference"}  # which is the title of its part


SHOWN_LISTS: Final = (
    "contact_attempts", "corrected_attempts", "history", "accesses", "follow_up_notes", "corrected_notes",
)  # fmt: skip


def test_the_pdf_shows_every_entry_of_a_list(world: World, officer: Actor, signal_id: uuid.UUID) -> None:
    (signal,) = exported(world, officer)["signals"]
    whole = list(facts_of(signal))
    unseen = {
        f"{name}/{part}"
        for name in SHOWN_LISTS
        for part, value in signal[name][-1].items()
        for changed in [[*signal[name][:-1], signal[name][-1] | {part: _other(value)}]]
        if list(facts_of(signal | {name: changed})) == whole
    }
    assert unseen == {"history/before"}  # which is the state after the change before it


def _other(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        return {name: _other(part) for name, part in value.items()}
    return _other_text(value) if isinstance(value, str) else []


def _other_text(value: str) -> str:
    """Return the next code, a date or moment a year earlier, or other words."""
    for codes in CODES:
        names = [code.value for code in codes]
        if value in names:
            return names[names.index(value) - 1]
    return value.replace("2026-", "2025-") if value.startswith("2026-") else f"{value}!"
