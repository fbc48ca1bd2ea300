"""The proof from outside: whether published figures, taken together, give away what they hide."""

from collections.abc import Callable
from dataclasses import dataclass

from privacy.disclosure.auditor import NEEDED, Interval, audit, told
from privacy.disclosure.folder import BrokenFolder, Published
from privacy.disclosure.medians import differences, without_base
from privacy.disclosure.puzzle import Inconsistent
from privacy.disclosure.tables import Cell


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found; `derived` are medians without a shown base, or too near to others."""

    hidden: int
    intervals: tuple[Interval, ...]
    told: tuple[Interval, ...]
    derived: tuple[Cell, ...]
    contradiction: bool
    needed: int = NEEDED

    @property
    def ok(self) -> bool:
        """Whether nothing is given away."""
        return not (self.told or self.derived or self.contradiction)


def verified(
    published: Published, *, exact: bool = False, advance: Callable[[int], None] | None = None
) -> Verification:
    """Audit everything in the folder together; BrokenFolder when its tables do not belong together.

    With `exact` each interval is solved to its ends, else until enough values are proven.
    """
    values, schemas = published.values, published.schemas
    contradiction = False
    intervals: tuple[Interval, ...] = ()
    try:
        intervals = audit(values, schemas, enough=None if exact else NEEDED, advance=advance)
        derived = {*without_base(schemas, values), *differences(schemas, values)}
    except Inconsistent:
        contradiction, derived = True, set()
    except ValueError as error:
        raise BrokenFolder(str(error)) from None
    return Verification(
        hidden=sum(value is None for value in values.values()),
        intervals=intervals,
        told=told(intervals),
        derived=tuple(sorted(derived)),
        contradiction=contradiction,
    )
