"""The end of facts: three years after their count no table needs them."""

from typing import Final

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from privacy.pseudonyms import quarter_of
from signals.clock import Clock, today
from signals.models import SignalFact

FACTS_KEPT_YEARS: Final = 3
"""A counted fact stays so long, without municipality and types, so that somebody can recount."""


def forget_facts(session: Session, clock: Clock) -> int:
    """Delete facts whose quarters were counted long ago; return how many.

    A fact without a conclusion goes by the quarter of its intake; an uncounted fact stays.
    """
    on = today(clock)
    oldest = quarter_of(on.replace(year=on.year - FACTS_KEPT_YEARS, day=1))
    counted = SignalFact.outcome_counted < oldest
    never_concluded = SignalFact.concluded_quarter.is_(None) | SignalFact.outcome.is_(None)
    done = session.execute(
        delete(SignalFact).where(SignalFact.intake_counted < oldest, or_(counted, never_concluded))
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
