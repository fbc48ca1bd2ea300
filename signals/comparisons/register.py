"""Register a comparison, stop drawing for it, and let a team take part."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.comparisons.draws import is_open, sealed_place, secret_of
from signals.comparisons.plan import ORDERS, Plan, digest_of
from signals.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Comparison, ComparisonTeam, Publication
from signals.operation import Operation
from signals.vocabulary import AuditAction, ComparisonArm, Role

SHORTEST: Final = timedelta(days=90)
LONGEST: Final = timedelta(days=5 * 365)
MOST_TEXT: Final = 300


def plan_for(
    on: date,
    *,
    question: str,
    arms: Sequence[ComparisonArm],
    base_percent: int,
    target_percent: int,
    ends_on: date,
    ethics_reference: str,
) -> Plan:
    """Return the plan that a coordinator would register on a day; raise `Invalid` with every problem."""
    plan = Plan(
        question=question.strip(),
        arms=tuple(arm for arm in ORDERS if arm in arms),
        base_percent=base_percent,
        target_percent=target_percent,
        ends_on=ends_on,
        ethics_reference=ethics_reference.strip(),
        registered_on=on,
    )
    if problems := list(_problems(plan)):
        raise Invalid(*problems)
    return plan


def register(operation: Operation, plan: Plan) -> Comparison:
    """Register a comparison as a coordinator; from then on nothing of it changes.

    The audit trail keeps its digest.
    """
    require_role(operation.actor, Role.COORDINATOR)
    code = _next_code(operation.session)
    text = plan.as_text(code)
    made = Comparison(code=code, registration=text, digest=digest_of(text))
    operation.session.add(made)
    try:
        operation.session.flush()
    except IntegrityError:
        raise Conflict from None  # another coordinator took the code
    operation.record(AuditAction.COMPARISON_CHANGED, ground=Ground.REGISTERED.of(made.digest))
    return made


def stop(operation: Operation, *, code: str) -> None:
    """Draw no further signals, as a coordinator. The result still waits for the planned end."""
    require_role(operation.actor, Role.COORDINATOR)
    found = _open_one(operation, code)
    found.stopped_on = operation.today
    operation.record(AuditAction.COMPARISON_CHANGED, ground=Ground.STOPPED.of(code))


def take_part(operation: Operation, *, code: str, takes_part: bool) -> None:
    """Let the lead's team take part in a comparison, or not any more; a team is in one at a time."""
    require_role(operation.actor, Role.LEAD)
    organisation_id = operation.actor.organisation_id
    if organisation_id is None:
        raise Forbidden
    _open_one(operation, code)
    session = operation.session
    if takes_part:
        rows = update(ComparisonTeam).where(ComparisonTeam.organisation_id == organisation_id)
        session.execute(rows.values(takes_part=False))
    team = session.get(ComparisonTeam, (organisation_id, code), populate_existing=True)
    if team is None and takes_part:
        key = operation.keystore.secret(secret_of(code))
        place = sealed_place(organisation_id, key, 0)
        team = ComparisonTeam(organisation_id=organisation_id, code=code, sealed_place=place)
        session.add(team)
    if team is not None:
        team.takes_part = takes_part
    operation.record(
        AuditAction.COMPARISON_CHANGED,
        subject_id=organisation_id,
        organisation_id=organisation_id,
        ground=(Ground.JOINED if takes_part else Ground.LEFT).of(code),
    )


def comparisons(session: Session) -> Sequence[Comparison]:
    """Return all comparisons, the newest first."""
    return session.scalars(select(Comparison).order_by(Comparison.code.desc())).all()


def open_ones(operation: Operation) -> list[tuple[Comparison, bool]]:
    """Return each comparison that draws today, and whether the actor's team takes part."""
    own = ComparisonTeam.organisation_id == operation.actor.organisation_id
    joined = set(operation.session.scalars(select(ComparisonTeam.code).where(own, ComparisonTeam.takes_part)))
    found = comparisons(operation.session)
    return [(each, each.code in joined) for each in found if is_open(each, operation.today)]


def is_intact(comparison: Comparison) -> bool:
    """Return whether the registration still has its digest."""
    return digest_of(comparison.registration) == comparison.digest


def _open_one(operation: Operation, code: str) -> Comparison:
    found = operation.session.get(Comparison, code)
    if found is None:
        raise NotFound
    if not is_open(found, operation.today):
        raise Conflict
    return found


def _next_code(session: Session) -> str:
    """Return a code that no comparison has, nor a result that the ledger kept through a restore."""
    registered = session.scalar(select(func.max(Comparison.code))) or "C000"
    released = session.scalar(select(func.max(Publication.period)).where(Publication.period > "C")) or "C000"
    return f"C{int(max(registered, released)[1:]) + 1:03}"


def _problems(plan: Plan) -> Iterator[FieldProblem]:
    for name, text in (("question", plan.question), ("ethics_reference", plan.ethics_reference)):
        if not text or len(text) > MOST_TEXT:
            yield FieldProblem(field=name, code="too_long" if text else "required")
    if len(plan.arms) < 2:
        yield FieldProblem(field="arms", code="too_few_arms")
    if not 1 <= plan.base_percent <= 98:
        yield FieldProblem(field="base_percent", code="out_of_range")
    elif not plan.base_percent < plan.target_percent <= 99:
        yield FieldProblem(field="target_percent", code="out_of_range")
    if not SHORTEST <= plan.ends_on - plan.registered_on <= LONGEST:
        yield FieldProblem(field="ends_on", code="not_within_years")
