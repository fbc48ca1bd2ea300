"""What the queue says of signals whose owner is away: to who stands in, and to the lead where nobody does."""

from collections.abc import Sequence
from dataclasses import dataclass

from signals import casework
from signals.clock import today
from signals.staff import absence
from signals.staff.absence import Away
from signals.vocabulary import Role
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import organisation_id


@dataclass(frozen=True, kw_only=True)
class Asleep:
    """Colleagues who are away with open signals, each with how many: those the reader stands in for, and
    (for a lead) those for whom nobody does."""

    covering: Sequence[tuple[Away, int]]
    uncovered: Sequence[tuple[Away, int]]


def asleep() -> Asleep:
    """For the reader, today."""
    context, actor = desk(), current().actor
    with context.reading() as session:
        away = absence.away_on(session, organisation_id=organisation_id(), on=today(context.clock))
        numbers = casework.open_by_holder(session, organisation_id=organisation_id(), staff_ids=list(away))
    having = [(one, numbers[one.staff_id]) for one in away.values() if one.staff_id in numbers]
    leads = actor.role == Role.LEAD
    return Asleep(
        covering=[found for found in having if found[0].cover_id == actor.id],
        uncovered=[found for found in having if found[0].cover_id is None and leads],
    )
