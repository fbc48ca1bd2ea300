"""Mergers: the successor of an organisation keeps seeing repeats at the addresses that both had.

The links of addresses go to the successor, and so do the keys that can match them
(`Keystore.adopt_pseudonym_keys`). Both are deleted after twelve months, as before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.errors import FieldProblem, Invalid, NotFound
from signals.models import AddressLink, Organisation, SealedReport, Signal
from signals.operation import Operation
from signals.organisations.onboarding import find_by_name, receives
from signals.organisations.team_settings import record_change
from signals.routing.receivers import coverage_row


@dataclass(frozen=True, kw_only=True)
class Succession:
    """The organisations of a merger, and the number of address links that were handed over."""

    predecessor_id: UUID
    successor_id: UUID
    links: int


def succeed(operation: Operation, *, predecessor: str, successor: str) -> Succession:
    """Hand the address links of one organisation (by name) to another; hand over its keys after the commit.

    A second call does no harm. Raises `NotFound` for an unknown name. Raises `Invalid` while the predecessor
    gets reports or has signals or waiting reports (its searches need its links and keys), and for a successor
    that gets no reports.
    """
    session = operation.session
    old, new = _named(session, predecessor), _named(session, successor)
    problems = list(_reasons_to_wait(session, old, new, operation.today))
    if problems:
        raise Invalid(*problems)
    mine = update(AddressLink).where(AddressLink.organisation_id == old.id).values(organisation_id=new.id)
    links = cast("CursorResult[Any]", session.execute(mine)).rowcount
    for organisation in (old, new):
        record_change(operation, organisation.id, Ground.MERGED)
    return Succession(predecessor_id=old.id, successor_id=new.id, links=links)


def _named(session: Session, name: str) -> Organisation:
    found = find_by_name(session, name)
    if found is None:
        raise NotFound
    return found


def _reasons_to_wait(
    session: Session, old: Organisation, new: Organisation, on: date
) -> Iterator[FieldProblem]:
    if old.id == new.id:
        yield FieldProblem(field="successor", code="the_same")
    if _gets_reports(old, on):
        yield FieldProblem(field="predecessor", code="still_receives")
    if not _gets_reports(new, on):
        yield FieldProblem(field="successor", code="does_not_receive")
    if _count(session, select(func.count()).where(SealedReport.organisation_id == old.id)):
        yield FieldProblem(field="predecessor", code="reports_wait")
    if _count(session, select(func.count()).select_from(Signal).where(Signal.organisation_id == old.id)):
        yield FieldProblem(field="predecessor", code="has_signals")


def _gets_reports(organisation: Organisation, on: date) -> bool:
    """Return whether reports reach the organisation: it receives, and it covers an area."""
    return receives(organisation, on) and any(
        coverage_row(area).in_force(on) for area in organisation.coverage
    )


def _count(session: Session, query: Any) -> int:
    return int(session.scalar(query) or 0)
