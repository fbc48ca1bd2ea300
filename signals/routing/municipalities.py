"""Municipalities on a date: the shipped map with the mergers since its date."""

from datetime import date

from signals import reference
from signals.reference import BoundaryChange, Geography, Municipality


def successors_on(geography: Geography, on: date) -> dict[str, str]:
    """Return the code in force on a date for every code that ended since the state of the map."""
    successors: dict[str, str] = {}
    for change in _applicable(geography, on):
        for old, new in successors.items():
            if new == change.old_code:
                successors[old] = change.new_code
        successors[change.old_code] = change.new_code
    return successors


def municipalities_on(geography: Geography, on: date) -> dict[str, Municipality]:
    """Return the municipalities of a date by code.

    A new municipality inherits GGD region and province from one of its predecessors.
    """
    found = dict(geography.municipalities)
    for change in _applicable(geography, on):
        ended = found.pop(change.old_code, None)
        if ended is not None:
            found[change.new_code] = _grown(found.get(change.new_code), ended, change)
    return found


def _applicable(geography: Geography, on: date) -> list[BoundaryChange]:
    """Return the changes since the state of the map by date; only the official file can apply a split."""
    changes = (
        change
        for change in geography.boundary_changes
        if geography.state_of < change.effective_date <= on and change.kind != reference.SPLIT
    )
    return sorted(changes, key=lambda change: change.effective_date)


def _grown(successor: Municipality | None, ended: Municipality, change: BoundaryChange) -> Municipality:
    kept = ended if successor is None else successor
    return Municipality(
        code=change.new_code,
        name=change.new_name,
        ggd_code=kept.ggd_code,
        province_code=kept.province_code,
        inhabitants=ended.inhabitants + (0 if successor is None else successor.inhabitants),
    )
