"""Organisations and their coverage from a csv: looked at line by line, taken over whole or not at all."""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, TextIO

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from signals import reference
from signals.administration import has_lasting_desk
from signals.audit import SYSTEM, Actor, AuditLog
from signals.clock import Clock, today
from signals.models import CoverageArea, Organisation
from signals.organisations import Agreement, Area, areas_overlap, create_organisation, onboarded_on
from signals.postcodes import InvalidPostcode, parse_postcode
from signals.recipients import arranged
from signals.routing import hold_routing, routing_changed
from signals.routing_table import NATIONAL_AREA, CoverageLevel, municipalities_on
from signals.staff.identity import normal_email
from signals.vocabulary import AuditAction, OrganisationKind

REQUIRED: Final = ("name", "kind", "level", "area", "valid_from")
OPTIONAL: Final = (
    "valid_until",
    "agreement_on",
    "legal_basis",
    "retention_basis",
    "recipient_1",
    "recipient_2",
    "contact_phone",
    "contact_email",
)
LARGEST_FILE: Final = 20_000
"""Lines; the whole country has fewer municipalities and teams than that by far."""

_RECIPIENTS: Final = ("recipient_1", "recipient_2")
_EMAILS: Final = (*_RECIPIENTS, "contact_email")
_DATES: Final = ("valid_from", "valid_until", "agreement_on")
_LENGTHS: Final = {"name": 120, "contact_phone": 40}
# One value for all lines of an organisation; an empty cell leaves the matter to the other lines.
_OF_THE_ORGANISATION: Final = (
    "kind",
    "agreement_on",
    "legal_basis",
    "retention_basis",
    *_EMAILS,
    "contact_phone",
)


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
class Rejected:
    """A line (the header is 1) that cannot be used, the column at fault and a stable word for why."""

    line: int
    column: str
    reason: str


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
    """Add and change organisations as the csv says; flushes. Columns: `REQUIRED` and `OPTIONAL`.

    A line is one area of one organisation, found again by its name; several lines give several areas.
    `level` is pc6_range (area `1012AB 1-99`), pc6, pc4, municipality (`GM0363`), ggd_region (`GG3406`) or
    national (`NL`). An area is never removed: `valid_until` ends it (that day excluded). An empty cell
    changes nothing. `recipients_verified_on`: the day on which somebody made sure that the addresses are the
    team's own; without it a new address counts for nothing yet.

    What the pages refuse is rejected here too: an area that somebody else covers then, another kind, the
    end of the only national desk.
    """
    lines, rejected = _read(file)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    # Organisations first, then routing, as everybody who changes one does; then what came meanwhile.
    _present(session, locked=True)
    hold_routing(session)  # who imports the same file at this moment waits, and finds it taken over
    present = _present(session)
    grouped = _by_name(lines)
    rejected = list(_kinds_that_differ(grouped, present))
    if rejected:
        return OrganisationImport(rejected=tuple(rejected))
    before = _digest([_state(present[name]) for name in sorted(grouped.keys() & present.keys())])
    had_desk = has_lasting_desk(session, today(clock))
    changes: list[Change] = []
    added: list[tuple[_Line, Organisation]] = []
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
    grouped: Mapping[str, list["_Line"]], present: Mapping[str, Organisation]
) -> Iterator[Rejected]:
    """What an organisation is decides who reads what: no file turns one into another kind."""
    for name, group in grouped.items():
        for line in group:
            kind = line.facts.get("kind")
            if name in present and kind is not None and kind != present[name].kind:
                yield Rejected(line=line.number, column="kind", reason="kind_differs")


def _covered_by_others(session: Session, added: Sequence[tuple["_Line", Organisation]]) -> Iterator[Rejected]:
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
    areas = sorted(str((*_place_of(area), area.valid_until)) for area in organisation.coverage)
    return repr((organisation.name, facts, recipients, areas))


def _digest(states: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class _Line:
    number: int
    name: str
    area: Area
    facts: Mapping[str, Any] = field(repr=False)


class _Taking:
    """One organisation of the file, brought into the database."""

    def __init__(
        self,
        session: Session,
        lines: list[_Line],
        present: Organisation | None,
        verified_on: date | None,
        on: date,
    ) -> None:
        self._session = session
        self._lines = lines
        self._present = present
        self._verified_on = verified_on
        self._on = on
        self.added: list[_Line] = []
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
        known = {_place_of(area): area for area in self.organisation.coverage}
        for line in self._lines:
            area = known.get(_place_of(line.area))
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
    for place, address in enumerate(known[: len(_RECIPIENTS)]):
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


def _by_name(lines: Iterable[_Line]) -> dict[str, list[_Line]]:
    grouped: dict[str, list[_Line]] = {}
    for line in lines:
        grouped.setdefault(line.name, []).append(line)
    return grouped


def _merged(lines: Iterable[_Line]) -> dict[str, Any]:
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
    found = [facts.get(name) for name in _RECIPIENTS]
    return list(dict.fromkeys(address for address in found if address))


def _place_of(area: Area | CoverageArea) -> tuple[Any, ...]:
    return (area.level, area.area, area.number_from, area.number_to, area.valid_from)


def _area_text(area: Area) -> str:
    numbers = f" {area.number_from}-{area.number_to}" if area.number_from else ""
    until = f" until {area.valid_until}" if area.valid_until else ""
    return f"{area.level} {area.area}{numbers} from {area.valid_from}{until}"


# Reading


def _read(file: TextIO) -> tuple[list[_Line], list[Rejected]]:
    """All lines, or everything that is wrong with them."""
    reader = csv.DictReader(file, delimiter=_separator(file))
    problems = list(_header_problems(reader.fieldnames or ()))
    lines: list[_Line] = []
    if problems:
        return lines, problems
    for row in reader:
        if reader.line_num > LARGEST_FILE:
            return [], [Rejected(line=reader.line_num, column="", reason="file_too_long")]
        found = list(_cell_problems(row, reader.line_num))
        problems.extend(found)
        if not found:
            lines.append(_line_of(row, reader.line_num))
    problems.extend(_contradictions(lines))
    if not lines and not problems:
        problems.append(Rejected(line=1, column="", reason="no_lines"))
    return lines, sorted(problems, key=lambda problem: (problem.line, problem.column))


def _separator(file: TextIO) -> str:
    """Semicolon or comma, whichever the header has more of: Dutch spreadsheets write the former."""
    start = file.tell()
    header = file.readline()
    file.seek(start)
    return max(";,", key=header.count)


def _header_problems(names: Iterable[str]) -> Iterator[Rejected]:
    present = list(names)
    for name in REQUIRED:
        if name not in present:
            yield Rejected(line=1, column=name, reason="missing")
    if any(name not in (*REQUIRED, *OPTIONAL) for name in present):
        # The name itself is not repeated: it may be a value, where somebody left the header out.
        yield Rejected(line=1, column="", reason="unknown_column")
    if len(set(present)) < len(present):
        yield Rejected(line=1, column="", reason="column_twice")


def _cell_problems(row: Mapping[str | None, Any], number: int) -> Iterator[Rejected]:
    if None in row or None in row.values():
        yield Rejected(line=number, column="", reason="number_of_cells")
        return
    for column, reason in _reasons({str(name): str(value).strip() for name, value in row.items()}):
        yield Rejected(line=number, column=column, reason=reason)


def _reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in cells.items():
        if not text.isprintable():  # control characters, and signs that turn the direction of what follows
            yield name, "control_characters"
    for name in REQUIRED:
        if not cells[name]:
            yield name, "required"
    for name, longest in _LENGTHS.items():
        if len(cells.get(name, "")) > longest:
            yield name, "too_long"
    if cells["kind"] and cells["kind"] not in set(OrganisationKind):
        yield "kind", "unknown"
    for name in _EMAILS:
        if cells.get(name) and _email(cells[name]) is None:
            yield name, "invalid"
    yield from _date_reasons(cells)
    yield from _area_reasons(cells)


def _date_reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    dates = {name: _date(cells[name]) for name in _DATES if cells.get(name)}
    for name, value in dates.items():
        if value is None:
            yield name, "not_a_date"
    start, end = dates.get("valid_from"), dates.get("valid_until")
    if start and end and end <= start:
        yield "valid_until", "not_after_valid_from"


def _area_reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not cells["level"] or not cells["area"]:
        return
    if cells["level"] not in set(CoverageLevel):
        yield "level", "unknown"
        return
    area, first, last = _parts(cells["level"], cells["area"])
    if not _area_exists(CoverageLevel(cells["level"]), area):
        yield "area", "unknown"
    elif cells["level"] == CoverageLevel.PC6_RANGE and not (first and last and 1 <= first <= last <= 99999):
        yield "area", "house_numbers"


def _parts(level: str, text: str) -> tuple[str, int | None, int | None]:
    """(area, first number, last number) of `1012AB 1-99`; numbers are None where there are none."""
    if level not in (CoverageLevel.PC6_RANGE, CoverageLevel.PC6):
        return text.upper(), None, None
    numbers = ""
    if level == CoverageLevel.PC6_RANGE:
        text, _, numbers = text.rpartition(" ")
    first, _, last = numbers.partition("-")
    whole = [int(n) if n.isascii() and n.isdecimal() and len(n) <= 5 else None for n in (first, last)]
    try:
        return parse_postcode(text), whole[0], whole[1]
    except InvalidPostcode:
        return "", None, None


def _area_exists(level: CoverageLevel, area: str) -> bool:
    geography = reference.geography()
    match level:
        case CoverageLevel.MUNICIPALITY:
            coming = {change.new_code for change in geography.boundary_changes}
            return area in geography.municipalities.keys() | municipalities_on(geography, date.max) | coming
        case CoverageLevel.GGD_REGION:
            return area in reference.ggd_regions()
        case CoverageLevel.NATIONAL:
            return area == NATIONAL_AREA
        case CoverageLevel.PC4:
            return len(area) == 4 and area.isascii() and area.isdecimal() and area >= "1000"
        case CoverageLevel.PC6 | CoverageLevel.PC6_RANGE:
            return bool(area)


def _line_of(row: Mapping[str, str], number: int) -> _Line:
    cells = {name: value.strip() for name, value in row.items()}
    area, first, last = _parts(cells["level"], cells["area"])
    return _Line(
        number=number,
        name=cells["name"],
        area=Area(
            level=cells["level"],
            area=area,
            number_from=first,
            number_to=last,
            valid_from=date.fromisoformat(cells["valid_from"]),
            valid_until=_date(cells.get("valid_until", "")),
        ),
        facts={name: _fact(name, cells[name]) for name in _OF_THE_ORGANISATION if cells.get(name)},
    )


def _fact(name: str, text: str) -> Any:
    if name == "kind":
        return OrganisationKind(text)
    if name in _DATES:
        return _date(text)
    return _email(text) if name in _EMAILS else text


def _contradictions(lines: Iterable[_Line]) -> Iterator[Rejected]:
    """Lines of one organisation that do not agree, and areas that are listed twice."""
    for group in _by_name(lines).values():
        said: dict[str, Any] = {}
        places: set[tuple[Any, ...]] = set()
        for line in group:
            for column, value in line.facts.items():
                if said.setdefault(column, value) != value:
                    yield Rejected(line=line.number, column=column, reason="contradicts_an_earlier_line")
            if _place_of(line.area) in places:
                yield Rejected(line=line.number, column="area", reason="listed_twice")
            places.add(_place_of(line.area))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _email(text: str) -> str | None:
    """The address in its one spelling, as accounts and settings have it: else one person counts as two."""
    try:
        return normal_email(validate_email(text, check_deliverability=False).normalized)
    except EmailNotValidError:
        return None
