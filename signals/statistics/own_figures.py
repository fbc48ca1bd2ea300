"""The exact figures of one organisation, for its lead: it is the controller, and knows the cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import and_, case, func, select

from signals.audit.log import require_role
from signals.errors import Forbidden, NotFound
from signals.models import OrganisationYear, Signal
from signals.operation import Operation
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
