"""Import organisations and their coverage from a CSV file: the whole file, or nothing.

The rules are those of the pages of administration; see `administration` and `covering`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TextIO
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from notifications.events import Event
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM
from signals.clock import Clock, today
from signals.models import CoverageArea, Organisation
from signals.operation import Operation
from signals.organisations.addressing import coordinators
from signals.organisations.administration import is_lasting_desk
from signals.organisations.changes import announce
from signals.organisations.covering import cover
from signals.organisations.csv_file import (
    RECIPIENTS,
    FileProblem,
    Line,
    Rejected,
    by_name,
    place_of,
    read_lines,
)
from signals.organisations.drafts import Change, Draft
from signals.organisations.onboarding import name_key
from signals.organisations.recipients import withdraw_check
from signals.organisations.team_settings import record_change
from signals.routing.areas import areas_overlap
from signals.routing.losing import Claims
from signals.routing.snapshot import lock_organisations, lock_routing, routing_changed

_FACTS: Final = ("kind", "agreement_on", "legal_basis", "retention_basis", "contact_phone", "contact_email")


@dataclass(frozen=True, kw_only=True)
class OrganisationImport:
    """The changes of a file; when a line is rejected, the caller must not commit.

    `before`: a digest of the organisations before the import, so that a preview can be compared with it.
    """

    changes: tuple[Change, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    before: str = ""


def preview_organisations(session: Session, clock: Clock, *, file: TextIO) -> OrganisationImport:
    """Return the changes and refusals of `import_organisations`; write nothing and lock nothing.

    For a session that only reads (`signals.db.reading_session`): its objects are changed, not stored.
    """
    lines, rejected = read_lines(file)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    with session.no_autoflush:
        return _Plan(session, lines, today(clock)).result


def import_organisations(operation: Operation, *, file: TextIO) -> OrganisationImport:
    """Add and change organisations from a CSV file; flush, unless a line is rejected.

    A line is one area of one organisation, which the name
    identifies; several lines give several areas. `level` is pc6_range (area `1012AB 1-99`), pc6, pc4,
    municipality (`GM0363`), ggd_region (`GG3406`) or national (`NL`). No area is removed: `valid_until` ends
    it (that day excluded). An empty cell changes nothing. A new address counts once its reader pressed the
    link.
    """
    lines, rejected = read_lines(file)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    # Organisations first, then routing, as every change of routing does; a second import waits here.
    lock_organisations(operation.session)
    lock_routing(operation.session)
    with operation.session.no_autoflush:
        plan = _Plan(operation.session, lines, operation.today)
    if not plan.result.rejected:
        _store(operation, [one for one in plan.drafts if one.changed])
    return plan.result


def _store(operation: Operation, changed: Sequence[Draft]) -> None:
    """Store the changes and notify the teams; an administrator's areas wait for those who must agree."""
    session, losers = operation.session, _losers(operation, changed)
    held = [] if operation.actor == SYSTEM else [(one, one.hold_back()) for one in changed]
    session.add_all(one.organisation for one in changed)
    for one in changed:
        record_change(operation, one.organisation.id, Ground.IMPORT)
    session.flush()
    for recipient_id in (gone for one in changed for gone in one.gone):
        withdraw_check(session, recipient_id, Event.RECIPIENT_CHECK)
    for one, areas in held:
        for area in areas:
            cover(operation, one.organisation, area)
    if changed:
        routing_changed(session)
        announce(operation, *losers, *(one.organisation.id for one in changed))


def _losers(operation: Operation, changed: Sequence[Draft]) -> set[UUID]:
    """Return the live teams whose addresses the file gives to others."""
    claims, on = Claims(operation.session), operation.today
    return {team for one in changed for _, area in one.longer for team in claims.losing(area, on).teams}


class _Plan:
    """The changes of a file, made in memory alone, and the reasons to reject it."""

    def __init__(self, session: Session, lines: Sequence[Line], on: date) -> None:
        self._grouped = by_name(lines)
        self._present = _by_key(_organisations(session))
        self._on = on
        self.drafts: list[Draft] = []
        rejected = [*self._unfit(), *_coordinators_named(session, lines)]
        self.result = OrganisationImport(rejected=tuple(rejected))
        if not rejected:
            self._take()

    def _take(self) -> None:
        present = {key: found[0] for key, found in self._present.items()}
        before = _digest(_state(present[key]) for key in sorted(self._grouped.keys() & present.keys()))
        had_desk = self._has_desk()
        self.drafts = [Draft(group, present.get(key), self._on) for key, group in self._grouped.items()]
        changes = [change for one in self.drafts for change in one.take()]
        rejected = [problem for one in self.drafts for problem in one.rejected]
        rejected.extend(_covered_by_others(self._all(), self.drafts))
        if had_desk and not self._has_desk():
            rejected.append(Rejected(line=1, reason=FileProblem.LAST_NATIONAL_DESK))
        rejected.sort(key=lambda problem: (problem.line, problem.column))
        self.result = OrganisationImport(changes=tuple(changes), rejected=tuple(rejected), before=before)

    def _unfit(self) -> Iterator[Rejected]:
        """Yield lines that change a kind, or that name one of two organisations with the same name."""
        for key, group in self._grouped.items():
            found = self._present.get(key, [])
            if len(found) > 1:
                yield Rejected(line=group[0].number, column="name", reason=FileProblem.NAME_OF_TWO)
                continue
            for line in group:
                if found and line.facts.get("kind", found[0].kind) != found[0].kind:
                    yield Rejected(line=line.number, column="kind", reason=FileProblem.KIND_DIFFERS)

    def _all(self) -> Iterator[Organisation]:
        for found in self._present.values():
            yield from found
        yield from (one.organisation for one in self.drafts if one.is_new)

    def _has_desk(self) -> bool:
        return any(is_lasting_desk(organisation, self._on) for organisation in self._all())


def _coordinators_named(session: Session, lines: Sequence[Line]) -> Iterator[Rejected]:
    """Yield coordinators among the recipients: they get no messages about signals."""
    kept_out = coordinators(session)
    for line in lines:
        for column in RECIPIENTS:
            if line.facts.get(column) in kept_out:
                yield Rejected(line=line.number, column=column, reason=FileProblem.COORDINATOR)


def _covered_by_others(organisations: Iterable[Organisation], taken: Sequence[Draft]) -> Iterator[Rejected]:
    """Yield areas that another organisation covers on some of the same dates, as `add_area` refuses them."""
    longer = [(one.organisation, line, area) for one in taken for line, area in one.longer]
    rows: dict[tuple[str, str], list[tuple[Organisation, CoverageArea]]] = {
        (area.level, area.area): [] for _, _, area in longer
    }
    for organisation in organisations:
        for row in organisation.coverage:
            if (row.level, row.area) in rows:
                rows[row.level, row.area].append((organisation, row))
    for organisation, line, area in longer:
        here = rows[area.level, area.area]
        if any(other is not organisation and areas_overlap(area, row) for other, row in here):
            yield Rejected(line=line.number, column="area", reason=FileProblem.COVERED_BY_ANOTHER)


def _state(organisation: Organisation) -> str:
    """Return all that an import may change, as text."""
    facts = {name: getattr(organisation, name) for name in _FACTS}
    recipients = [(one.address, one.verified_on) for one in organisation.recipients]
    areas = sorted(str((*place_of(area), area.valid_until)) for area in organisation.coverage)
    return repr((organisation.name, facts, recipients, areas))


def _digest(states: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


def _organisations(session: Session) -> Sequence[Organisation]:
    """Return all organisations, read again."""
    query = select(Organisation).options(
        selectinload(Organisation.recipients), selectinload(Organisation.coverage)
    )
    query = query.order_by(Organisation.id).execution_options(populate_existing=True)
    return session.scalars(query).all()


def _by_key(organisations: Iterable[Organisation]) -> dict[str, list[Organisation]]:
    found: dict[str, list[Organisation]] = {}
    for organisation in organisations:
        found.setdefault(name_key(organisation.name), []).append(organisation)
    return found
