"""The exact figures of one organisation, for its lead: it is the controller, and knows the cases."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast
from uuid import UUID

from sqlalchemy import Connection, Table, and_, case, func, select

from signals.audit.log import require_role
from signals.errors import Forbidden, NotFound
from signals.models import OrganisationYear, Signal
from signals.operation import Operation
from signals.statistics.menu import YES
from signals.statistics.periods import first_day_of, last_day_of
from signals.vocabulary import OPEN_STATES, Role, SignalState


@dataclass(frozen=True, kw_only=True)
class OpenSignals:
    """The open signals by state, and how many are past their next deadline."""

    by_state: Mapping[SignalState, int]
    overdue: int


@dataclass(frozen=True, kw_only=True)
class OwnFigures:
    """Everything on the lead's page; the latest year comes first."""

    open: OpenSignals
    years: Sequence[OrganisationYear] = field(default=())

    def year(self, wanted: str) -> OrganisationYear:
        """Return one year; raise `NotFound`."""
        found = next((each for each in self.years if each.year == wanted), None)
        if found is None:
            raise NotFound
        return found


def own_figures(operation: Operation) -> OwnFigures:
    """Return the figures of a lead's own organisation; raise `Forbidden` for other roles."""
    require_role(operation.actor, Role.LEAD)
    if operation.actor.organisation_id is None:
        raise Forbidden
    mine = operation.actor.organisation_id
    return OwnFigures(open=_open(operation, mine), years=_years(operation, mine))


def _open(operation: Operation, organisation_id: UUID) -> OpenSignals:
    late = func.sum(case((and_(Signal.due_on < operation.today, Signal.restricted_on.is_(None)), 1), else_=0))
    query = select(Signal.state, func.count(), late).where(Signal.organisation_id == organisation_id)
    rows = operation.session.execute(query.where(Signal.state.in_(OPEN_STATES)).group_by(Signal.state)).all()
    return OpenSignals(
        by_state={state: number for state, number, _ in rows}, overdue=sum(late for *_, late in rows)
    )


def _years(operation: Operation, organisation_id: UUID) -> Sequence[OrganisationYear]:
    query = select(OrganisationYear).where(OrganisationYear.organisation_id == organisation_id)
    return operation.session.scalars(query.order_by(OrganisationYear.year.desc())).all()


Groups = Mapping[tuple[str, ...], int]
"""The number of facts for each combination of some of their fields."""

RECEIVED: Final = ("organisation", "received")
CONCLUDED: Final = ("concluded", "organisation", "outcome", "in_time", "reached")

_signals: Final = cast(Table, Signal.__table__).c
NO_FLOOD: Final = _signals.state != SignalState.SET_ASIDE
"""A signal that was set aside in a flood counts nowhere, and leaves no fact."""


def own_totals(
    connection: Connection, year: str, *, received: Groups, concluded: Groups
) -> list[OrganisationYear]:
    """Return the totals of each organisation, from facts by the fields `RECEIVED` and `CONCLUDED`.

    `received`: stored facts only, because live signals are counted here.
    """
    arrived = _received(connection, received, year)
    own: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter, {key: Counter() for key in arrived})
    for (ended, organisation, *course), number in concluded.items():
        if ended == year:
            own[organisation][tuple(course)] += number
    own.pop("", None)  # most facts of the demo belong to no organisation
    return [_total(year, key, arrived[key], courses) for key, courses in own.items()]


def _received(connection: Connection, stored: Groups, year: str) -> Counter[str]:
    """Return the signals that each organisation received in a year, by its id."""
    within = _signals.received_on.between(first_day_of(year), last_day_of(year))
    live = select(_signals.organisation_id, func.count()).where(within, NO_FLOOD)
    live = live.group_by(_signals.organisation_id)
    found = Counter({str(organisation): number for organisation, number in connection.execute(live)})
    for (organisation, quarter), number in stored.items():
        if quarter.startswith(year):
            found[organisation] += number
    return found


def _total(year: str, organisation: str, received: int, courses: Groups) -> OrganisationYear:
    outcomes, in_time, reached = Counter[str](), Counter[str](), Counter[str]()
    for (outcome, was_in_time, was_reached), number in courses.items():
        outcomes[outcome] += number
        in_time[was_in_time] += number
        reached[was_reached] += number
    return OrganisationYear(
        organisation_id=UUID(organisation),
        year=year,
        received=received,
        concluded=outcomes.total(),
        in_time=in_time[YES],
        reached=reached[YES],
        outcomes=json.dumps(outcomes, sort_keys=True),
    )
