"""Import organisations and their coverage from a CSV file: the whole file, or nothing.

The rules are those of the pages of administration; see `administration` and `covering`.
"""

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
from signals.audit.grounds import Ground
from signals.clock import Clock, today
from signals.models import CoverageArea, Organisation
from signals.operation import Operation
from signals.organisations.addressing import coordinators
from signals.organisations.administration import is_lasting_desk
from signals.organisations.covering import end_is_allowed
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
from signals.organisations.team_settings import record_change
from signals.routing.areas import Area, areas_overlap
from signals.routing.receivers import onboarded_on
from signals.routing.snapshot import lock_organisations, lock_routing, routing_changed
from signals.staff.identity import normal_email
from signals.vocabulary import OrganisationKind

_FACTS: Final = ("kind", "agreement_on", "legal_basis", "retention_basis", "contact_phone", "contact_email")

_TOGETHER: Final = 250
"""Organisations that are stored with the same statements."""


class ChangeKind(StrEnum):
    """The kinds of changes."""

    ORGANISATION_ADDED = "organisation_added"
    ORGANISATION_CHANGED = "organisation_changed"
    AREA_ADDED = "area_added"
    AREA_ENDED = "area_ended"
    AREA_EXTENDED = "area_extended"
    UNCHANGED = "unchanged"
    STILL_NOT_ONBOARDED = "still_not_onboarded"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one organisation; `detail`: the area in words, or the fields that change.

    `former`: the end that an area had before, when it ends sooner or later now.
    """

    kind: ChangeKind
    name: str
    detail: str = ""
    fields: tuple[str, ...] = ()
    area: Area | None = None
    former: date | None = None


@dataclass(frozen=True, kw_only=True)
class OrganisationImport:
    """The changes of a file; when a line is rejected, the caller must not commit.

    `before`: a digest of the organisations before the import, so that a preview can be compared with it.
    """

    changes: tuple[Change, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    before: str = ""


def preview_organisations(
    session: Session,
    clock: Clock,
    *,
    file: TextIO,
    recipients_verified_on: date | None = None,
    progress: Progress = silent,
) -> OrganisationImport:
    """Return the changes and refusals of `import_organisations`; write nothing and lock nothing.

    For a session that only reads (`signals.db.reading_session`): its objects are changed, not stored.
    """
    lines, rejected = read_lines(file, progress)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    with session.no_autoflush:
        return _Plan(session, lines, recipients_verified_on, today(clock)).result


def import_organisations(
    operation: Operation,
    *,
    file: TextIO,
    recipients_verified_on: date | None = None,
    progress: Progress = silent,
) -> OrganisationImport:
    """Add and change organisations from a CSV file; flush, unless a line is rejected.

    Columns: `REQUIRED` and `OPTIONAL` of `csv_file`. A line is one area of one organisation, which the name
    identifies; several lines give several areas. `level` is pc6_range (area `1012AB 1-99`), pc6, pc4,
    municipality (`GM0363`), ggd_region (`GG3406`) or national (`NL`). No area is removed: `valid_until` ends
    it (that day excluded). An empty cell changes nothing. `recipients_verified_on`: the day on which somebody
    verified the addresses; without it a new address does not count yet.
    """
    lines, rejected = read_lines(file, progress)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    # Organisations first, then routing, as every change of routing does; a second import waits here.
    lock_organisations(operation.session)
    lock_routing(operation.session)
    with operation.session.no_autoflush:
        plan = _Plan(operation.session, lines, recipients_verified_on, operation.today)
    if not plan.result.rejected:
        _store(operation, [one for one in plan.drafts if one.changed], progress)
    return plan.result


def _store(operation: Operation, changed: Sequence["_Draft"], progress: Progress) -> None:
    session = operation.session
    starts = range(0, len(changed), _TOGETHER)
    for batch in progress([changed[start : start + _TOGETHER] for start in starts], "storing"):
        for one in batch:
            session.add(one.organisation)
            record_change(operation, one.organisation.id, Ground.IMPORT)
        session.flush()
    for recipient_id in (gone for one in changed for gone in one.gone):
        withdraw_check(session, recipient_id, Event.RECIPIENT_CHECK)
    if changed:
        routing_changed(session)


class _Plan:
    """The changes of a file, made in memory alone, and the reasons to reject it."""

    def __init__(self, session: Session, lines: Sequence[Line], verified_on: date | None, on: date) -> None:
        self._grouped = by_name(lines)
        self._present = _by_key(_organisations(session))
        self._on = on
        self.drafts: list[_Draft] = []
        rejected = [*self._unfit(), *_coordinators_named(session, lines)]
        self.result = OrganisationImport(rejected=tuple(rejected))
        if not rejected:
            self._take(verified_on)

    def _take(self, verified_on: date | None) -> None:
        present = {key: found[0] for key, found in self._present.items()}
        before = _digest(_state(present[key]) for key in sorted(self._grouped.keys() & present.keys()))
        had_desk = self._has_desk()
        self.drafts = [
            _Draft(group, present.get(key), verified_on, self._on) for key, group in self._grouped.items()
        ]
        changes = [change for one in self.drafts for change in one.take()]
        rejected = [problem for one in self.drafts for problem in one.rejected]
        rejected.extend(_covered_by_others(self._all(), self.drafts))
        if had_desk and not self._has_desk():
            rejected.append(Rejected(line=1, column="", reason="last_national_desk"))
        rejected.sort(key=lambda problem: (problem.line, problem.column))
        self.result = OrganisationImport(changes=tuple(changes), rejected=tuple(rejected), before=before)

    def _unfit(self) -> Iterator[Rejected]:
        """Yield lines that change a kind, or that name one of two organisations with the same name."""
        for key, group in self._grouped.items():
            found = self._present.get(key, [])
            if len(found) > 1:
                yield Rejected(line=group[0].number, column="name", reason="name_of_two")
                continue
            for line in group:
                if found and line.facts.get("kind", found[0].kind) != found[0].kind:
                    yield Rejected(line=line.number, column="kind", reason="kind_differs")

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
                yield Rejected(line=line.number, column=column, reason="coordinator")


def _covered_by_others(
    organisations: Iterable[Organisation], taken: Sequence["_Draft"]
) -> Iterator[Rejected]:
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
            yield Rejected(line=line.number, column="area", reason="covered_by_another")


def _state(organisation: Organisation) -> str:
    """Return all that an import may change, as text."""
    facts = {name: getattr(organisation, name) for name in _FACTS}
    recipients = [(one.address, one.verified_on) for one in organisation.recipients]
    areas = sorted(str((*place_of(area), area.valid_until)) for area in organisation.coverage)
    return repr((organisation.name, facts, recipients, areas))


def _digest(states: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


class _Draft:
    """One organisation of the file, with its changes.

    `longer`: each (line, part of an area that it newly covers). `gone`: ids of recipients that leave.
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
        """Apply the lines and yield each change."""
        received = not self.is_new and receives(self.organisation, self._on)
        yield from self._change()
        if received and not receives(self.organisation, self._on):
            self.rejected.append(self._stops())
        since = onboarded_on(self.organisation)
        if self.changed and (since is None or since > self._on):
            yield self._changed_so(ChangeKind.STILL_NOT_ONBOARDED)

    def _change(self) -> Iterator[Change]:
        changed = (*self._change_facts(), *self._change_recipients())
        if self.is_new:
            yield self._changed_so(ChangeKind.ORGANISATION_ADDED)
        elif changed:
            self.organisation.settings_version += 1  # an open form of the lead becomes stale
            self.changed = True
            yield self._changed_so(ChangeKind.ORGANISATION_CHANGED, changed)
        yield from self._change_areas()
        if not self.changed:
            yield self._changed_so(ChangeKind.UNCHANGED)

    def _stops(self) -> Rejected:
        """Reject a file that stops an organisation: an administrator suspends it on its page instead."""
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
                yield self._area_change(ChangeKind.AREA_ADDED, line.area)
            elif line.area.valid_until is not None and area.valid_until != line.area.valid_until:
                yield from self._end(area, line, line.area.valid_until)

    def _end(self, area: CoverageArea, line: Line, until: date) -> Iterator[Change]:
        """Change the end of a coverage; an area that ended does not come back."""
        former, kind = area.valid_until, ChangeKind.AREA_ENDED
        if former is not None and former <= self._on:
            self._reject(line, "ended_already")
            return
        if not end_is_allowed(area, until, self._on):
            self._reject(line, "end_in_the_past")
            return
        if former is not None and until > former:
            kind = ChangeKind.AREA_EXTENDED
            self.longer.append((line, replace(line.area, valid_from=former)))
        area.valid_until = until
        yield self._area_change(kind, line.area, former)

    def _reject(self, line: Line, reason: str) -> None:
        self.rejected.append(Rejected(line=line.number, column="valid_until", reason=reason))

    def _area_change(self, kind: ChangeKind, area: Area, former: date | None = None) -> Change:
        self.changed = True
        detail = _area_text(area) + (f" (was until {former})" if former else "")
        return Change(kind=kind, name=self.organisation.name, detail=detail, area=area, former=former)

    def _changed_so(self, kind: ChangeKind, fields: tuple[str, ...] = ()) -> Change:
        return Change(kind=kind, name=self.organisation.name, detail=", ".join(fields), fields=fields)


def _new_organisation(name: str, kind: OrganisationKind) -> Organisation:
    return Organisation(
        id=uuid.uuid4(), name=name, kind=kind, contact_phone="", contact_email="", recipients=[], coverage=[]
    )


def _with_named(known: Sequence[str], named: Sequence[str]) -> list[str]:
    """Return the recipients with the (at most two) recipients of a file.

    A new one replaces one of the first two that the file does not name; the team keeps its others.
    """
    new = [address for address in named if address not in known]
    wanted = list(known)
    for place, address in enumerate(known[: len(RECIPIENTS)]):
        if new and address not in named:
            wanted[place] = new.pop(0)
    return [*wanted, *new]


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
