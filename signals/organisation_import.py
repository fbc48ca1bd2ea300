"""Organisations and their coverage from a csv: looked at line by line, taken over whole or not at all."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from signals.administration import has_lasting_desk
from signals.audit import SYSTEM, Actor, AuditLog
from signals.clock import Clock, today
from signals.models import CoverageArea, Organisation
from signals.organisation_file import RECIPIENTS, Line, Rejected, by_name, place_of, read_lines
from signals.organisations import Agreement, Area, areas_overlap, create_organisation, onboarded_on
from signals.reach import coordinators
from signals.recipients import arranged, wrong_address
from signals.routing import hold_routing, routing_changed
from signals.staff.identity import normal_email
from signals.vocabulary import AuditAction

_FACTS: Final = ("kind", "agreement_on", "legal_basis", "retention_basis", "contact_phone", "contact_email")


class ChangeKind(StrEnum):
    """What the import does, or would do."""

    ORGANISATION_ADDED = "organisation_added"
    ORGANISATION_CHANGED = "organisation_changed"
    AREA_ADDED = "area_added"
    AREA_ENDED = "area_ended"
    UNCHANGED = "unchanged"
    STILL_NOT_ONBOARDED = "still_not_onboarded"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change, with the name of its organisation; `detail`: `area` in words, or the fields that change."""

    kind: ChangeKind
    name: str
    detail: str = ""
    area: Area | None = None


@dataclass(frozen=True, kw_only=True)
class OrganisationImport:
    """What was done; with any line rejected, nothing may be committed.

    `before`: a digest of how the organisations of the file were, to tell whether two looks saw the same.
    """

    changes: tuple[Change, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    before: str = ""


def import_organisations(
    session: Session,
    clock: Clock,
    *,
    file: TextIO,
    audit: AuditLog,
    actor: Actor = SYSTEM,
    recipients_verified_on: date | None = None,
) -> OrganisationImport:
    """Add and change organisations as the csv says; flushes. Columns: `REQUIRED` and `OPTIONAL` of
    `organisation_file`.

    A line is one area of one organisation, found again by its name; several lines give several areas.
    `level` is pc6_range (area `1012AB 1-99`), pc6, pc4, municipality (`GM0363`), ggd_region (`GG3406`) or
    national (`NL`). An area is never removed: `valid_until` ends it (that day excluded). An empty cell
    changes nothing. `recipients_verified_on`: the day on which somebody made sure that the addresses are the
    team's own; without it a new address counts for nothing yet.

    What the pages refuse is rejected here too: an area that somebody else covers then, another kind, a
    coordinator as a recipient, the end of the only national desk.
    """
    lines, rejected = read_lines(file)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    # Organisations first, then routing, as everybody who changes one does; then what came meanwhile.
    _present(session, locked=True)
    hold_routing(session)  # who imports the same file at this moment waits, and finds it taken over
    present = _present(session)
    grouped = by_name(lines)
    rejected = [*_kinds_that_differ(grouped, present), *_coordinators_named(session, lines)]
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    before = _digest([_state(present[name]) for name in sorted(grouped.keys() & present.keys())])
    had_desk = has_lasting_desk(session, today(clock))
    changes: list[Change] = []
    added: list[tuple[Line, Organisation]] = []
    for name, group in grouped.items():
        change = _Taking(session, group, present.get(name), recipients_verified_on, today(clock))
        changes.extend(change.take())
        added.extend((line, change.organisation) for line in change.added)
        if change.changed:
            audit.record(
                session,
                clock,
                actor=actor,
                action=AuditAction.ORGANISATION_CHANGED,
                subject_id=change.organisation.id,
                ground="import",
                organisation_id=change.organisation.id,
            )
    session.flush()
    if any(change.kind is not ChangeKind.UNCHANGED for change in changes):
        routing_changed(session)
    rejected = list(_covered_by_others(session, added))
    if had_desk and not has_lasting_desk(session, today(clock)):
        rejected.append(Rejected(line=1, column="", reason="last_national_desk"))
    return OrganisationImport(changes=tuple(changes), rejected=tuple(rejected), before=before)


def _kinds_that_differ(
    grouped: Mapping[str, list[Line]], present: Mapping[str, Organisation]
) -> Iterator[Rejected]:
    """What an organisation is decides who reads what: no file turns one into another kind."""
    for name, group in grouped.items():
        for line in group:
            kind = line.facts.get("kind")
            if name in present and kind is not None and kind != present[name].kind:
                yield Rejected(line=line.number, column="kind", reason="kind_differs")


def _coordinators_named(session: Session, lines: Sequence[Line]) -> Iterator[Rejected]:
    kept_out = coordinators(session)
    for line in lines:
        for column in RECIPIENTS:
            if column in line.facts and any(wrong_address(column, line.facts[column], kept_out)):
                yield Rejected(line=line.number, column=column, reason="coordinator")


def _covered_by_others(session: Session, added: Sequence[tuple[Line, Organisation]]) -> Iterator[Rejected]:
    """Areas that somebody else covers on some of the same dates: signals would change hands unseen."""
    wanted = {line.area.area for line, _ in added}
    rows = session.scalars(select(CoverageArea).where(CoverageArea.area.in_(wanted))).all() if wanted else ()
    for line, organisation in added:
        here = (row for row in rows if (row.level, row.area) == (line.area.level, line.area.area))
        if any(row.organisation_id != organisation.id and areas_overlap(line.area, row) for row in here):
            yield Rejected(line=line.number, column="area", reason="covered_by_another")


def _state(organisation: Organisation) -> str:
    """All that an import may change, as it is."""
    facts = {name: getattr(organisation, name) for name in _FACTS}
    recipients = [(one.address, one.verified_on) for one in organisation.recipients]
    areas = sorted(str((*place_of(area), area.valid_until)) for area in organisation.coverage)
    return repr((organisation.name, facts, recipients, areas))


def _digest(states: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


class _Taking:
    """One organisation of the file, brought into the database."""

    def __init__(
        self,
        session: Session,
        lines: list[Line],
        present: Organisation | None,
        verified_on: date | None,
        on: date,
    ) -> None:
        self._session = session
        self._lines = lines
        self._present = present
        self._verified_on = verified_on
        self._on = on
        self.added: list[Line] = []
        self._facts = _merged(lines)
        self.changed = False
        self.organisation: Organisation

    def take(self) -> Iterator[Change]:
        """Do it, telling each change."""
        if self._present is None:
            yield from self._add()
        else:
            self.organisation = self._present
            yield from self._change()
        since = onboarded_on(self.organisation)
        if self.changed and (since is None or since > self._on):
            yield self._told(ChangeKind.STILL_NOT_ONBOARDED)

    def _add(self) -> Iterator[Change]:
        facts = self._facts
        self.organisation = create_organisation(
            self._session,
            name=self._lines[0].name,
            kind=facts["kind"],
            areas=[line.area for line in self._lines],
            agreement=_agreement(facts),
            recipients=_recipients(facts),
            recipients_verified_on=self._verified_on,
            contact_phone=facts.get("contact_phone", ""),
            contact_email=facts.get("contact_email", ""),
        )
        for name in ("agreement_on", "legal_basis", "retention_basis"):
            setattr(self.organisation, name, facts.get(name))
        self.changed = True
        self.added = list(self._lines)
        yield self._told(ChangeKind.ORGANISATION_ADDED)
        for line in self._lines:
            yield self._told_of(ChangeKind.AREA_ADDED, line.area)

    def _change(self) -> Iterator[Change]:
        changed = [*self._change_facts(), *self._change_recipients()]
        if changed:
            self.organisation.settings_version += 1  # who read them before does not undo this unseen
            self.changed = True
            yield self._told(ChangeKind.ORGANISATION_CHANGED, ", ".join(changed))
        yield from self._change_areas()
        if not self.changed:
            yield self._told(ChangeKind.UNCHANGED)

    def _change_facts(self) -> Iterator[str]:
        for name, value in self._facts.items():
            if name.startswith("recipient_") or getattr(self.organisation, name) == value:
                continue
            setattr(self.organisation, name, value)
            yield name

    def _change_recipients(self) -> Iterator[str]:
        named = _recipients(self._facts)
        known = {normal_email(recipient.address): recipient for recipient in self.organisation.recipients}
        if not named:
            return
        wanted = _with_named(list(known), named)
        verified = {
            address: (known[address].verified_on if address in known else None)
            or (self._verified_on if address in named else None)
            for address in wanted
        }
        if verified == {address: recipient.verified_on for address, recipient in known.items()}:
            return
        recipients = arranged(self._session, self.organisation, wanted)
        for recipient in recipients:
            recipient.verified_on = verified[recipient.address]
        self.organisation.recipients = recipients
        yield "recipients"

    def _change_areas(self) -> Iterator[Change]:
        known = {place_of(area): area for area in self.organisation.coverage}
        for line in self._lines:
            area = known.get(place_of(line.area))
            if area is None:
                self.organisation.coverage.append(CoverageArea(**vars(line.area)))
                self.changed = True
                self.added.append(line)
                yield self._told_of(ChangeKind.AREA_ADDED, line.area)
            elif line.area.valid_until is not None and area.valid_until != line.area.valid_until:
                area.valid_until = line.area.valid_until
                self.changed = True
                yield self._told_of(ChangeKind.AREA_ENDED, line.area)

    def _told_of(self, kind: ChangeKind, area: Area) -> Change:
        return Change(kind=kind, name=self._lines[0].name, detail=_area_text(area), area=area)

    def _told(self, kind: ChangeKind, detail: str = "") -> Change:
        return Change(kind=kind, name=self._lines[0].name, detail=detail)


def _with_named(known: Sequence[str], named: Sequence[str]) -> list[str]:
    """The recipients with those of a file, which names two at most: one that is new comes in the place of one
    of the first two that the file does not name. Those that a team has besides are the team's own.
    """
    new = [address for address in named if address not in known]
    wanted = list(known)
    for place, address in enumerate(known[: len(RECIPIENTS)]):
        if new and address not in named:
            wanted[place] = new.pop(0)
    return [*wanted, *new]


def _present(session: Session, *, locked: bool = False) -> dict[str, Organisation]:
    query = select(Organisation).options(
        selectinload(Organisation.recipients), selectinload(Organisation.coverage)
    )
    query = query.order_by(Organisation.id).execution_options(populate_existing=True)
    if locked:
        query = query.with_for_update(of=Organisation)  # as whoever changes one in the browser
    return {organisation.name: organisation for organisation in session.scalars(query)}


def _merged(lines: Iterable[Line]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for line in lines:
        merged |= line.facts
    return merged


def _agreement(facts: Mapping[str, Any]) -> Agreement | None:
    if not all(facts.get(name) for name in ("agreement_on", "legal_basis", "retention_basis")):
        return None
    return Agreement(
        on=facts["agreement_on"],
        legal_basis=facts["legal_basis"],
        retention_basis=facts["retention_basis"],
    )


def _recipients(facts: Mapping[str, Any]) -> list[str]:
    found = [facts.get(name) for name in RECIPIENTS]
    return list(dict.fromkeys(address for address in found if address))


def _area_text(area: Area) -> str:
    numbers = f" {area.number_from}-{area.number_to}" if area.number_from else ""
    until = f" until {area.valid_until}" if area.valid_until else ""
    return f"{area.level} {area.area}{numbers} from {area.valid_from}{until}"
