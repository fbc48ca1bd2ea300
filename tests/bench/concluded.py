"""Concluded signals by the thousand, whole as follow-up leaves them: seals, case keys, history and links."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import Connection, Table, select

from privacy.bulk import insert_many
from signals.intake.content import Report, Summary, context_of, seal_for_case
from signals.models import AddressLink, ContactAttempt, Organisation, Signal, StaffMember, StatusChange
from signals.models.base import Base
from signals.operations.jobs import Worker
from signals.routing.postcodes import Address
from signals.vocabulary import Action, AttemptKind, AttemptResult, ConcernType, Outcome, Role, SignalState
from tests.bench.addresses import addresses
from tests.bench.house import settle

ROWS_EACH = 7
"""Rows that a purge deletes of each: the signal, four of its history, two contact attempts."""
_LIFE = (Action.ARRIVE, Action.CLAIM, Action.RECORD_ATTEMPT, Action.CONCLUDE)
_AFTER = (SignalState.NEW, SignalState.CLAIMED, SignalState.IN_FOLLOW_UP, SignalState.CONCLUDED)
_CHUNK = 2000


@dataclass(frozen=True, kw_only=True)
class _Case:
    signal_id: UUID
    organisation_id: UUID
    key_id: UUID
    key: bytes
    address: Address


def seed_concluded(worker: Worker, count: int, *, received_on: date, seed: int) -> None:
    """Add signals to all organisations, received on a date and concluded five days later."""
    with worker.sessions.begin() as session:
        staff_id = _staff(session)
        organisations = sorted(session.scalars(select(Organisation.id)))
    cases = _cases(organisations, seed)
    for start in range(0, count, _CHUNK):
        chunk = list(islice(cases, min(_CHUNK, count - start)))
        worker.keystore.store_case_keys({case.key_id: case.key for case in chunk}, created_on=received_on)
        with worker.engine.begin() as connection:
            _insert(connection, Signal, _signals(chunk, received_on, staff_id, seed * 10**6 + start))
            _insert(connection, StatusChange, _history(chunk, received_on, staff_id))
            _insert(connection, ContactAttempt, _attempts(chunk, received_on, staff_id))
            _insert(connection, AddressLink, _links(chunk, received_on))
    settle(worker.engine)


def _staff(session: Any) -> UUID:
    member = StaffMember(
        role=Role.WORKER, name="Bench", email=f"{uuid4()}@example.org", password_hash="none",
        totp_sealed=b"none", created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    session.add(member)
    session.flush()
    return member.id


def _cases(organisations: Sequence[UUID], seed: int) -> Iterator[_Case]:
    for number, address in enumerate(addresses(seed)):
        yield _Case(
            signal_id=uuid4(),
            organisation_id=organisations[number % len(organisations)],
            key_id=uuid4(),
            key=secrets.token_bytes(32),
            address=address,
        )


def _insert(connection: Connection, model: type[Base], rows: list[dict[str, Any]]) -> None:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    insert_many(connection, cast(Table, model.__table__), columns)


def _signals(cases: Sequence[_Case], on: date, staff_id: UUID, first: int) -> list[dict[str, Any]]:
    return [_signal(case, on, staff_id, first + number) for number, case in enumerate(cases)]


def _signal(case: _Case, on: date, staff_id: UUID, number: int) -> dict[str, Any]:
    report = Report(
        address=case.address,
        summary=Summary(concern_types=(ConcernType.SEEMS_LONELY, ConcernType.MAIL_PILING_UP)),
    )
    context = context_of(case.signal_id, case.organisation_id, case.key_id)
    content, summary = seal_for_case(report, case.key, context)
    return {
        "id": case.signal_id, "organisation_id": case.organisation_id, "reference": f"{number:09x}",
        "state": SignalState.CONCLUDED, "version": 4, "received_on": on, "unrouted": False,
        "repeat": number % 20 == 0, "case_key_id": case.key_id, "schema_version": 1,
        "content": content, "summary": summary, "claim_by": on + timedelta(days=1),
        "contact_by": on + timedelta(days=2), "conclude_by": on + timedelta(days=28),
        "due_on": on + timedelta(days=28), "claimed_by_id": staff_id, "claimed_at": _at(on, 1),
        "first_contact_at": _at(on, 4), "concluded_at": _at(on, 5), "outcome": Outcome.TALK_SUFFICED,
        "newly_known": True, "team_notified": True,
    }  # fmt: skip


def _history(cases: Sequence[_Case], on: date, staff_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "id": uuid4(), "signal_id": case.signal_id, "sequence": place + 1, "action": action,
            "before": _AFTER[place - 1] if place else None, "after": _AFTER[place],
            "actor_id": staff_id if place else None, "changed_on": on + timedelta(days=place),
            "changed_at": _at(on, place) if place else None,
        }
        for case in cases
        for place, action in enumerate(_LIFE)
    ]  # fmt: skip


def _attempts(cases: Sequence[_Case], on: date, staff_id: UUID) -> list[dict[str, Any]]:
    results = ((AttemptKind.VISIT, AttemptResult.NO_ANSWER), (AttemptKind.PHONE, AttemptResult.CONTACT))
    return [
        {
            "id": uuid4(), "signal_id": case.signal_id, "kind": kind, "result": result,
            "attempted_at": _at(on, 2 + place), "workers": 1, "recorded_by_id": staff_id,
            "recorded_at": _at(on, 2 + place),
        }
        for case in cases
        for place, (kind, result) in enumerate(results)
    ]  # fmt: skip


def _links(cases: Sequence[_Case], on: date) -> list[dict[str, Any]]:
    return [
        {
            "id": uuid4(), "organisation_id": case.organisation_id, "quarter": "2026-Q4",
            "pseudonym": secrets.token_bytes(16), "house_pseudonym": secrets.token_bytes(16),
            "received_on": on, "signal_id": case.signal_id,
        }
        for case in cases
    ]  # fmt: skip


def _at(on: date, days: int) -> datetime:
    return datetime.combine(on + timedelta(days=days), time(10, 30), UTC)
