"""Organisations and their coverage from a csv: looked at line by line, taken over whole or not at all."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final, TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from notifications.events import Event
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import Clock, today
from signals.models import CoverageArea, Organisation
from signals.organisations.addressing import coordinators
from signals.organisations.administration import is_lasting_desk
from signals.organisations.csv_file import (
    RECIPIENTS,
    Line,
    Progress,
    Rejected,
    by_name,
    place_of,
    read_lines,
    silent,
)
from signals.organisations.onboarding import name_key, receives
from signals.organisations.recipients import leaving, rearranged, withdraw_check
from signals.routing.areas import Area, areas_overlap
from signals.routing.receivers import onboarded_on
from signals.routing.snapshot import lock_organisations, lock_routing, routing_changed
from signals.staff.identity import normal_email
from signals.vocabulary import AuditAction, OrganisationKind

_FACTS: Final = ("kind", "agreement_on", "legal_basis", "retention_basis", "contact_phone", "contact_email")

_TOGETHER: Final = 250
"""Organisations that are stored with the same statements."""


class ChangeKind(StrEnum):
    """What the import does, or would do."""

    ORGANISATION_ADDED = "organisation_added"
    ORGANISATION_CHANGED = "organisation_changed"
    AREA_ADDED = "area_added"
    AREA_ENDED = "area_ended"
    AREA_EXTENDED = "area_extended"
    UNCHANGED = "unchanged"
    STILL_NOT_ONBOARDED = "still_not_onboarded"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change, with the name of its organisation; `detail`: `area` in words, or the fields that change.

    `former`: the day on which an area would have ended that ends sooner or goes on for longer.
    """

    kind: ChangeKind
    name: str
    detail: str = ""
    fields: tuple[str, ...] = ()
    area: Area | None = None
    former: date | None = None


@dataclass(frozen=True, kw_only=True)
class OrganisationImport:
    """What was done; with any line rejected, nothing may be committed.

    `before`: a digest of how the organisations of the file were, to tell whether two looks saw the same.
    """

    changes: tuple[Change, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    before: str = ""


def look_at_organisations(
    session: Session,
    clock: Clock,
    *,
    file: TextIO,
    recipients_verified_on: date | None = None,
    progress: Progress = silent,
) -> OrganisationImport:
    """What `import_organisations` would do and refuse: writes nothing, and holds nobody up.

    For a session that only reads (`signals.db.reading_session`): its objects are changed, not stored.
    """
    lines, rejected = read_lines(file, progress)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    with session.no_autoflush:
        return _Look(session, lines, recipients_verified_on, today(clock)).result


def import_organisations(
    session: Session,
    clock: Clock,
    *,
    file: TextIO,
    audit: AuditLog,
    actor: Actor = SYSTEM,
    recipients_verified_on: date | None = None,
    progress: Progress = silent,
) -> OrganisationImport:
    """Add and change organisations as the csv says; flushes, unless a line is rejected. Columns: `REQUIRED`
    and `OPTIONAL` of `organisation_file`.

    A line is one area of one organisation, found again by its name; several lines give several areas.
    `level` is pc6_range (area `1012AB 1-99`), pc6, pc4, municipality (`GM0363`), ggd_region (`GG3406`) or
    national (`NL`). An area is never removed: `valid_until` ends it (that day excluded). An empty cell
    changes nothing. `recipients_verified_on`: the day on which somebody made sure that the addresses are the
    team's own; without it a new address counts for nothing yet.

    What the pages refuse is rejected here too: an area that somebody else covers then, an end that lies in
    the past, an area that ended and comes back, another kind, a coordinator as a recipient, a team that
    would stop to receive, the end of the only national desk.
    """
    lines, rejected = read_lines(file, progress)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    # Organisations first, then routing, as everybody who changes one does; then what came meanwhile.
    lock_organisations(session)
    lock_routing(session)  # who imports the same file at this moment waits, and finds it taken over
    with session.no_autoflush:
        look = _Look(session, lines, recipients_verified_on, today(clock))
    if not look.result.rejected:
        _store(session, clock, audit, actor, [one for one in look.taken if one.changed], progress)
    return look.result


def _store(
    session: Session,
    clock: Clock,
    audit: AuditLog,
    actor: Actor,
    changed: Sequence["_Taking"],
    progress: Progress,
) -> None:
    starts = range(0, len(changed), _TOGETHER)
    for batch in progress([changed[start : start + _TOGETHER] for start in starts], "storing"):
        for one in batch:
            session.add(one.organisation)
            audit.record(
                session,
                clock,
                actor=actor,
                action=AuditAction.ORGANISATION_CHANGED,
                subject_id=one.organisation.id,
                ground="import",
                organisation_id=one.organisation.id,
            )
        session.flush()
    for recipient_id in (gone for one in changed for gone in one.gone):
        withdraw_check(session, recipient_id, Event.RECIPIENT_CHECK)
    if changed:
        routing_changed(session)


class _Look:
    """A file held against what is there: what it changes (in memory alone), and what is wrong with that."""

    def __init__(self, session: Session, lines: Sequence[Line], verified_on: date | None, on: date) -> None:
        self._grouped = by_name(lines)
        self._there = _by_key(_organisations(session))
        self._on = on
        self.taken: list[_Taking] = []
        rejected = [*self._unfit(), *_coordinators_named(session, lines)]
        self.result = OrganisationImport(rejected=tuple(rejected))
        if not rejected:
            self._take(verified_on)

    def _take(self, verified_on: date | None) -> None:
        present = {key: found[0] for key, found in self._there.items()}
        before = _digest(_state(present[key]) for key in sorted(self._grouped.keys() & present.keys()))
        had_desk = self._has_desk()
        self.taken = [
            _Taking(group, present.get(key), verified_on, self._on) for key, group in self._grouped.items()
        ]
        changes = [change for one in self.taken for change in one.take()]
        rejected = [problem for one in self.taken for problem in one.rejected]
        rejected.extend(_covered_by_others(self._all(), self.taken))
        if had_desk and not self._has_desk():
            rejected.append(Rejected(line=1, column="", reason="last_national_desk"))
        rejected.sort(key=lambda problem: (problem.line, problem.column))
        self.result = OrganisationImport(changes=tuple(changes), rejected=tuple(rejected), before=before)

    def _unfit(self) -> Iterator[Rejected]:
        """What an organisation is decides who reads what: no file turns one into another kind."""
        for key, group in self._grouped.items():
            found = self._there.get(key, [])
            if len(found) > 1:
                yield Rejected(line=group[0].number, column="name", reason="name_of_two")
                continue
            for line in group:
                if found and line.facts.get("kind", found[0].kind) != found[0].kind:
                    yield Rejected(line=line.number, column="kind", reason="kind_differs")

    def _all(self) -> Iterator[Organisation]:
        for found in self._there.values():
            yield from found
        yield from (one.organisation for one in self.taken if one.is_new)

    def _has_desk(self) -> bool:
        return any(is_lasting_desk(organisation, self._on) for organisation in self._all())


def _coordinators_named(session: Session, lines: Sequence[Line]) -> Iterator[Rejected]:
    """Messages about signals are kept from them; the addresses of a file are in their one spelling."""
    kept_out = coordinators(session)
    for line in lines:
        for column in RECIPIENTS:
            if line.facts.get(column) in kept_out:
                yield Rejected(line=line.number, column=column, reason="coordinator")


def _covered_by_others(
    organisations: Iterable[Organisation], taken: Sequence["_Taking"]
) -> Iterator[Rejected]:
    """Areas that somebody else covers on some of the same dates: signals would change hands unseen."""
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
    """One organisation of the file, as it becomes; stored by whoever wants that.

    `longer`: each (line, part of an area that is covered from now on). `gone`: ids of recipients whose
    address went.
    """

    def __init__(
        self, lines: list[Line], present: Organisation | None, verified_on: date | None, on: date
    ) -> None:
        self._lines = lines
        self._facts = _merged(lines)
        self._verified_on = verified_on
        self._on = on
        self.is_new = present is None
        self.organisation = present or _new_organisation(lines[0].name, self._facts["kind"])
        self.longer: list[tuple[Line, Area]] = []
        self.gone: list[uuid.UUID] = []
        self.rejected: list[Rejected] = []
        self.changed = self.is_new

    def take(self) -> Iterator[Change]:
        """Do it, telling each change."""
        received = not self.is_new and receives(self.organisation, self._on)
        yield from self._change()
        if received and not receives(self.organisation, self._on):
            self.rejected.append(self._stops())
        since = onboarded_on(self.organisation)
        if self.changed and (since is None or since > self._on):
            yield self._told(ChangeKind.STILL_NOT_ONBOARDED)

    def _change(self) -> Iterator[Change]:
        changed = (*self._change_facts(), *self._change_recipients())
        if self.is_new:
            yield self._told(ChangeKind.ORGANISATION_ADDED)
        elif changed:
            self.organisation.settings_version += 1  # who read them before does not undo this unseen
            self.changed = True
            yield self._told(ChangeKind.ORGANISATION_CHANGED, changed)
        yield from self._change_areas()
        if not self.changed:
            yield self._told(ChangeKind.UNCHANGED)

    def _stops(self) -> Rejected:
        """By a file nobody stops to receive: who means it suspends the team, or takes a check back."""
        for line in self._lines:
            for column in RECIPIENTS:
                if column in line.facts and self._has_unverified(line.facts[column]):
                    return Rejected(line=line.number, column=column, reason="stops_unverified")
        return Rejected(line=self._lines[0].number, column="", reason="stops_receiving")

    def _has_unverified(self, address: str) -> bool:
        return any(one.address == address and one.verified_on is None for one in self.organisation.recipients)

    def _change_facts(self) -> Iterator[str]:
        for name, value in self._facts.items():
            if name in RECIPIENTS or getattr(self.organisation, name) == value:
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
        self._set_recipients(wanted, verified)
        yield "recipients"

    def _set_recipients(self, wanted: Sequence[str], verified: Mapping[str, date | None]) -> None:
        self.gone = [recipient.id for recipient in leaving(self.organisation, wanted)]
        recipients = rearranged(self.organisation, wanted)
        for recipient in recipients:
            recipient.verified_on = verified[recipient.address]
        self.organisation.recipients = recipients

    def _change_areas(self) -> Iterator[Change]:
        known = {place_of(area): area for area in self.organisation.coverage}
        for line in self._lines:
            area = known.get(place_of(line.area))
            if area is None:
                self.organisation.coverage.append(CoverageArea(**vars(line.area)))
                self.longer.append((line, line.area))
                yield self._told_of(ChangeKind.AREA_ADDED, line.area)
            elif line.area.valid_until is not None and area.valid_until != line.area.valid_until:
                yield from self._end(area, line, line.area.valid_until)

    def _end(self, area: CoverageArea, line: Line, until: date) -> Iterator[Change]:
        """As on the page of coverage: what was routed stays explained, and what ended does not come back."""
        former, kind = area.valid_until, ChangeKind.AREA_ENDED
        if former is not None and former <= self._on:
            self._reject(line, "ended_already")
            return
        if until < self._on:
            self._reject(line, "end_in_the_past")
            return
        if former is not None and until > former:
            kind = ChangeKind.AREA_EXTENDED
            self.longer.append((line, replace(line.area, valid_from=former)))
        area.valid_until = until
        yield self._told_of(kind, line.area, former)

    def _reject(self, line: Line, reason: str) -> None:
        self.rejected.append(Rejected(line=line.number, column="valid_until", reason=reason))

    def _told_of(self, kind: ChangeKind, area: Area, former: date | None = None) -> Change:
        self.changed = True
        detail = _area_text(area) + (f" (was until {former})" if former else "")
        return Change(kind=kind, name=self.organisation.name, detail=detail, area=area, former=former)

    def _told(self, kind: ChangeKind, fields: tuple[str, ...] = ()) -> Change:
        return Change(kind=kind, name=self.organisation.name, detail=", ".join(fields), fields=fields)


def _new_organisation(name: str, kind: OrganisationKind) -> Organisation:
    return Organisation(
        id=uuid.uuid4(), name=name, kind=kind, contact_phone="", contact_email="", recipients=[], coverage=[]
    )


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


def _organisations(session: Session) -> Sequence[Organisation]:
    """All of them, as they are by now."""
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


def _merged(lines: Iterable[Line]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for line in lines:
        merged |= line.facts
    return merged


def _recipients(facts: Mapping[str, Any]) -> list[str]:
    found = [facts.get(name) for name in RECIPIENTS]
    return list(dict.fromkeys(address for address in found if address))


def _area_text(area: Area) -> str:
    numbers = f" {area.number_from}-{area.number_to}" if area.number_from else ""
    until = f" until {area.valid_until}" if area.valid_until else ""
    return f"{area.level} {area.area}{numbers} from {area.valid_from}{until}"
