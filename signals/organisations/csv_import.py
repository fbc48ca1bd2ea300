"""Import organisations and their coverage from a CSV file: the whole file, or nothing.

The rules are those of the pages of administration; see `recipients` and `covering`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any, TextIO
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM
from signals.clock import Clock, today
from signals.models import CoverageArea, Organisation, RoutingVersion
from signals.operation import Operation
from signals.organisations.addressing import coordinators
from signals.organisations.administration import organisations
from signals.organisations.changes import announce
from signals.organisations.covering import cover, end_is_allowed
from signals.organisations.csv_file import RECIPIENTS, FileProblem, Line, Rejected, read_lines
from signals.organisations.onboarding import name_key, receives
from signals.organisations.recipients import replace_recipients, too_few_stay
from signals.organisations.team_settings import record_change
from signals.routing.areas import AnyArea, Area, areas_overlap
from signals.routing.losing import Claims
from signals.routing.receivers import onboarded_on
from signals.routing.snapshot import lock_organisations, lock_routing, routing_changed
from signals.staff.identity import normal_email


class ChangeKind(StrEnum):
    """The kinds of changes."""

    ORGANISATION_ADDED = "organisation_added"
    ORGANISATION_CHANGED = "organisation_changed"
    AREA_ADDED = "area_added"
    AREA_ENDED = "area_ended"
    UNCHANGED = "unchanged"
    STILL_NOT_ONBOARDED = "still_not_onboarded"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one organisation: the fields or the area that change.

    `former`: the end that an area had before, when it ends sooner now.
    """

    kind: ChangeKind
    name: str
    fields: tuple[str, ...] = ()
    area: Area | None = None
    former: date | None = None

    @property
    def detail(self) -> str:
        """Return the area in words, or the names of the fields."""
        if self.area is None:
            return ", ".join(self.fields)
        area, numbers = self.area, f" {self.area.number_from}-{self.area.number_to}"
        words = f"{area.level} {area.area}{numbers if area.number_from else ''} from {area.valid_from}"
        words += f" until {area.valid_until}" if area.valid_until else ""
        return words + (f" (was until {self.former})" if self.former else "")


@dataclass(frozen=True, kw_only=True)
class OrganisationImport:
    """The changes of a file; when a line is rejected, the caller must not commit.

    `before`: the versions of all that the import may change, so that a preview can be compared with it.
    """

    changes: tuple[Change, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    before: tuple[int, ...] = ()

    @property
    def done(self) -> int:
        """Return the number of changes."""
        nothing = (ChangeKind.UNCHANGED, ChangeKind.STILL_NOT_ONBOARDED)
        return sum(change.kind not in nothing for change in self.changes)


def preview_organisations(session: Session, clock: Clock, *, file: TextIO) -> OrganisationImport:
    """Return the changes and refusals of `import_organisations`; write nothing and lock nothing.

    For a session that only reads (`signals.db.reading_session`): its objects are changed, not stored.
    """
    return _plan(session, today(clock), file)[0]


def import_organisations(operation: Operation, *, file: TextIO) -> OrganisationImport:
    """Add and change organisations from a CSV file; flush, unless a line is rejected.

    A line is one area of one organisation, which the name
    identifies; several lines give several areas. `level` is pc6_range (area `1012AB 1-99`), pc6, pc4,
    municipality (`GM0363`), ggd_region (`GG3406`) or national (`NL`). No area is removed: `valid_until` ends
    it (that day excluded). An empty cell changes nothing. A new address counts once its reader pressed the
    link.
    """
    # Organisations first, then routing, as every change of routing does; a second import waits here.
    lock_organisations(operation.session)
    lock_routing(operation.session)
    result, drafts = _plan(operation.session, operation.today, file)
    if not result.rejected:
        _store(operation, [one for one in drafts if one.changed])
    return result


def _store(operation: Operation, changed: Sequence["_Draft"]) -> None:
    """Store the changes and notify the teams; an administrator's areas wait for those who must agree."""
    session = operation.session
    session.add_all(one.organisation for one in changed)
    for one in changed:
        if one.recipients is not None:
            replace_recipients(session, one.organisation, one.recipients)
        record_change(operation, one.organisation.id, Ground.IMPORT)
    session.flush()
    losers = _cover(operation, [(one.organisation, area) for one in changed for _, area in one.added])
    if changed:
        session.flush()
        routing_changed(session)
        announce(operation, *losers, *(one.organisation.id for one in changed))


def _cover(operation: Operation, added: Sequence[tuple[Organisation, Area]]) -> set[UUID]:
    """Cover the areas; for the server's command line, return the live teams that lose addresses."""
    if operation.actor != SYSTEM:
        for organisation, area in added:
            cover(operation, organisation, area)
        return set()
    claims = Claims(operation.session) if added else None
    losers = {team for _, area in added if claims for team in claims.losing(area, operation.today).teams}
    for organisation, area in added:
        organisation.coverage.append(CoverageArea(**vars(area)))
    return losers


def _plan(session: Session, on: date, file: TextIO) -> tuple[OrganisationImport, list["_Draft"]]:
    """Make the changes in memory alone, or return the reasons to reject the file."""
    lines, rejected = read_lines(file)
    if rejected:
        return OrganisationImport(rejected=tuple(rejected)), []
    with session.no_autoflush:
        present = {name_key(one.name): one for one in organisations(session)}
        kept_out, named = coordinators(session), _by_name(lines)
        versions = [present[key].settings_version for key in sorted(named.keys() & present.keys())]
        before = (session.scalars(select(RoutingVersion.version)).one(), *versions)
        drafts = [_Draft(group, present.get(key), on, kept_out) for key, group in named.items()]
        changes = [change for one in drafts for change in one.take()]
        rejected = [problem for one in drafts for problem in one.rejected]
        rejected += _covered_already(present.values(), drafts)
    rejected.sort(key=lambda problem: (problem.line, problem.column))
    done = () if rejected else tuple(changes)
    return OrganisationImport(changes=done, rejected=tuple(rejected), before=before), drafts


class _Draft:
    """One organisation of the file, changed in memory by its lines.

    `added`: the areas that it newly covers. `recipients`: all their addresses, None when these stay.
    """

    def __init__(
        self, lines: list[Line], present: Organisation | None, on: date, kept_out: frozenset[str]
    ) -> None:
        self._lines = lines
        self._on = on
        self._is_new = present is None
        self._facts: dict[str, Any] = {"kind": present.kind} if present else {}
        self.organisation = present or _new_organisation(lines[0].name)
        self.recipients: list[str] | None = None
        self.added: list[tuple[Line, Area]] = []
        self.rejected = list(self._wrong_facts(kept_out))
        self.changed = False
        self._change = partial(Change, name=self.organisation.name)

    def take(self) -> list[Change]:
        """Apply the lines and return each change."""
        received = receives(self.organisation, self._on)
        found = [*self._change_own(), *self._change_areas()]
        self.changed = bool(found)
        if not found:
            found.append(self._change(kind=ChangeKind.UNCHANGED))
        elif (since := onboarded_on(self.organisation)) is None or since > self._on:
            found.append(self._change(kind=ChangeKind.STILL_NOT_ONBOARDED))
        if received and not receives(self.organisation, self._on):
            self._reject(self._lines[0], "", FileProblem.STOPS_RECEIVING)
        return found

    def _reject(self, line: Line, column: str, reason: FileProblem) -> None:
        self.rejected.append(Rejected(line=line.number, column=column, reason=reason))

    def _wrong_facts(self, kept_out: frozenset[str]) -> Iterator[Rejected]:
        """Collect the facts; yield contradictions, and coordinators among the recipients."""
        for line in self._lines:
            for column, value in line.facts.items():
                if column in RECIPIENTS and value in kept_out:
                    yield Rejected(line=line.number, column=column, reason=FileProblem.COORDINATOR)
                if self._facts.setdefault(column, value) != value:
                    kind = column == "kind"
                    reason = FileProblem.KIND_DIFFERS if kind else FileProblem.CONTRADICTS_AN_EARLIER_LINE
                    yield Rejected(line=line.number, column=column, reason=reason)

    def _change_own(self) -> Iterator[Change]:
        fields = (*self._change_facts(), *self._change_recipients())
        if self._is_new:
            yield self._change(kind=ChangeKind.ORGANISATION_ADDED)
        elif fields:
            self.organisation.settings_version += 1  # an open form of the lead becomes stale
            yield self._change(kind=ChangeKind.ORGANISATION_CHANGED, fields=fields)

    def _change_facts(self) -> Iterator[str]:
        for name, value in self._facts.items():
            if name not in RECIPIENTS and getattr(self.organisation, name) != value:
                setattr(self.organisation, name, value)
                yield name

    def _change_recipients(self) -> Iterator[str]:
        """Arrange the recipients; a new one counts once its reader pressed the link."""
        named = {name: self._facts[name] for name in RECIPIENTS if name in self._facts}
        before = [normal_email(one.address) for one in self.organisation.recipients]
        wanted = with_named(before, list(dict.fromkeys(named.values())))
        if wanted == before:
            return
        self.recipients = wanted
        if any(too_few_stay(self.organisation, wanted)):
            column = next(name for name, address in named.items() if address not in before)
            self._reject(self._lines[0], column, FileProblem.STOPS_UNVERIFIED)
        yield "recipients"

    def _change_areas(self) -> Iterator[Change]:
        known = {_place_of(area): area for area in self.organisation.coverage}
        for line in self._lines:
            row, until = known.get(_place_of(line.area)), line.area.valid_until
            if row is None:
                self.added.append((line, line.area))
                yield self._change(kind=ChangeKind.AREA_ADDED, area=line.area)
            elif until is None or row.valid_until == until:
                continue
            elif end_is_allowed(row, until, self._on):
                former, row.valid_until = row.valid_until, until
                yield self._change(kind=ChangeKind.AREA_ENDED, area=line.area, former=former)
            else:
                self._reject(line, "valid_until", FileProblem.END_NOT_ALLOWED)


def _new_organisation(name: str) -> Organisation:
    return Organisation(id=uuid4(), name=name, contact_phone="", contact_email="", recipients=[], coverage=[])


def with_named(known: Sequence[str], named: Sequence[str]) -> list[str]:
    """Return the recipients with the (at most two) recipients of a file.

    A new one replaces one of the first two that the file does not name; the team keeps its others.
    """
    new = [address for address in named if address not in known]
    wanted = list(known)
    for place, address in enumerate(known[: len(RECIPIENTS)]):
        if new and address not in named:
            wanted[place] = new.pop(0)
    return [*wanted, *new]


def _covered_already(present: Iterable[Organisation], drafts: Iterable[_Draft]) -> Iterator[Rejected]:
    """Yield areas that are covered on some of the same dates, as `cover` refuses them."""
    rows: dict[tuple[str, str], list[AnyArea]] = defaultdict(list)
    for row in (row for organisation in present for row in organisation.coverage):
        rows[row.level, row.area].append(row)
    for line, area in (added for one in drafts for added in one.added):
        here = rows[area.level, area.area]
        if any(areas_overlap(area, other) for other in here):
            yield Rejected(line=line.number, column="area", reason=FileProblem.COVERED_ALREADY)
        here.append(area)


def _by_name(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """Return the lines of each organisation by `name_key`, in order."""
    grouped: dict[str, list[Line]] = {}
    for line in lines:
        grouped.setdefault(name_key(line.name), []).append(line)
    return grouped


def _place_of(area: AnyArea) -> tuple[object, ...]:
    """Return the key that a line and its coverage share: everything but the end."""
    return (area.level, area.area, area.number_from, area.number_to, area.valid_from)
