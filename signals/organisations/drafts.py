"""One organisation of a CSV file: the changes that its lines make, in memory alone."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from signals.models import CoverageArea, Organisation
from signals.organisations.covering import end_is_allowed
from signals.organisations.csv_file import RECIPIENTS, FileProblem, Line, Rejected, place_of
from signals.organisations.onboarding import receives
from signals.organisations.recipients import leaving, rearranged
from signals.routing.areas import Area
from signals.routing.receivers import onboarded_on
from signals.staff.identity import normal_email
from signals.vocabulary import OrganisationKind


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
    """One change of one organisation: the fields or the area that change.

    `former`: the end that an area had before, when it ends sooner or later now.
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


class Draft:
    """One organisation of the file, with its changes.

    `longer`: each (line, part of an area that it newly covers). `gone`: ids of recipients that leave.
    """

    def __init__(self, lines: list[Line], present: Organisation | None, on: date) -> None:
        self._lines = lines
        self._facts = {name: value for line in lines for name, value in line.facts.items()}
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
        fields = (*self._change_facts(), *self._change_recipients())
        if self.is_new:
            yield self._change(ChangeKind.ORGANISATION_ADDED)
        elif fields:
            self.organisation.settings_version += 1  # an open form of the lead becomes stale
            yield self._change(ChangeKind.ORGANISATION_CHANGED, fields=fields)
        yield from self._change_areas()
        if not self.changed:
            yield Change(kind=ChangeKind.UNCHANGED, name=self.organisation.name)
        elif (since := onboarded_on(self.organisation)) is None or since > self._on:
            yield self._change(ChangeKind.STILL_NOT_ONBOARDED)
        if received and not receives(self.organisation, self._on):
            self.rejected.append(self._stops())

    def _change(
        self,
        kind: ChangeKind,
        *,
        fields: tuple[str, ...] = (),
        area: Area | None = None,
        former: date | None = None,
    ) -> Change:
        self.changed = True
        return Change(kind=kind, name=self.organisation.name, fields=fields, area=area, former=former)

    def hold_back(self) -> list[Area]:
        """Take back the areas that the file adds or extends, for those who must agree first; return them."""
        for _, area in self.longer:
            same = (row for row in self.organisation.coverage if _ends_as(row, area))
            row = next(row for row in same if row.valid_from <= area.valid_from)
            if row.valid_from == area.valid_from:
                self.organisation.coverage.remove(row)
            else:
                row.valid_until = area.valid_from
        return [area for _, area in self.longer]

    def _stops(self) -> Rejected:
        """Reject a file that stops an organisation: an administrator suspends it on its page instead."""
        unverified = {one.address for one in self.organisation.recipients if one.verified_on is None}
        for line in self._lines:
            for column in RECIPIENTS:
                if line.facts.get(column) in unverified:
                    return Rejected(line=line.number, column=column, reason=FileProblem.STOPS_UNVERIFIED)
        return Rejected(line=self._lines[0].number, reason=FileProblem.STOPS_RECEIVING)

    def _change_facts(self) -> Iterator[str]:
        for name, value in self._facts.items():
            if name not in RECIPIENTS and getattr(self.organisation, name) != value:
                setattr(self.organisation, name, value)
                yield name

    def _change_recipients(self) -> Iterator[str]:
        """Arrange the recipients; a new one counts once its reader pressed the link."""
        named = list(dict.fromkeys(self._facts[name] for name in RECIPIENTS if name in self._facts))
        before = [normal_email(one.address) for one in self.organisation.recipients]
        if not named:
            return
        wanted = with_named(before, named)
        if wanted == before:
            return
        self.gone = [one.id for one in leaving(self.organisation, wanted)]
        self.organisation.recipients = rearranged(self.organisation, wanted)
        yield "recipients"

    def _change_areas(self) -> Iterator[Change]:
        known = {place_of(area): area for area in self.organisation.coverage}
        for line in self._lines:
            area = known.get(place_of(line.area))
            if area is None:
                self.organisation.coverage.append(CoverageArea(**vars(line.area)))
                self.longer.append((line, line.area))
                yield self._change(ChangeKind.AREA_ADDED, area=line.area)
            elif line.area.valid_until is not None and area.valid_until != line.area.valid_until:
                yield from self._end(area, line, line.area.valid_until)

    def _end(self, area: CoverageArea, line: Line, until: date) -> Iterator[Change]:
        """Change the end of a coverage; an area that ended does not come back."""
        former, kind = area.valid_until, ChangeKind.AREA_ENDED
        ended = former is not None and former <= self._on
        if ended or not end_is_allowed(area, until, self._on):
            reason = FileProblem.ENDED_ALREADY if ended else FileProblem.END_IN_THE_PAST
            self.rejected.append(Rejected(line=line.number, column="valid_until", reason=reason))
            return
        if former is not None and until > former:
            kind = ChangeKind.AREA_EXTENDED
            self.longer.append((line, replace(line.area, valid_from=former)))
        area.valid_until = until
        yield self._change(kind, area=line.area, former=former)


def _new_organisation(name: str, kind: OrganisationKind) -> Organisation:
    return Organisation(
        id=uuid.uuid4(), name=name, kind=kind, contact_phone="", contact_email="", recipients=[], coverage=[]
    )


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


def _ends_as(row: CoverageArea, area: Area) -> bool:
    """Return whether a row is of the same place as an area, with the same end."""
    return replace(area, valid_from=row.valid_from) == Area(
        level=row.level,
        area=row.area,
        number_from=row.number_from,
        number_to=row.number_to,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )
