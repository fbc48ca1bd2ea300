"""One organisation of a CSV file: the changes that its lines make, in memory alone."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from signals.models import CoverageArea, Organisation
from signals.organisations.covering import end_is_allowed
from signals.organisations.csv_file import RECIPIENTS, Line, Rejected, place_of
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
    """One change of one organisation; `detail`: the area in words, or the fields that change.

    `former`: the end that an area had before, when it ends sooner or later now.
    """

    kind: ChangeKind
    name: str
    detail: str = ""
    fields: tuple[str, ...] = ()
    area: Area | None = None
    former: date | None = None


class Draft:
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
        wanted = with_named(list(known), named)
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
