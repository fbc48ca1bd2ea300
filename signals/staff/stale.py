"""Delete what sign-in and absences leave behind: guesses, answered challenges, links, past absences."""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, delete
from sqlalchemy.orm import Session

from signals.clock import Clock, today
from signals.models import Absence, AccountLink, Challenge, SignInGuess
from signals.staff.absence import KEPT_DAYS
from signals.staff.guesses import FORGOTTEN_AFTER


def forget_stale(session: Session, clock: Clock) -> int:
    """Delete guesses after 15 quiet minutes and expired rows; return how many rows are gone."""
    now = clock.now()
    over = (
        delete(SignInGuess).where(SignInGuess.last_at <= now - FORGOTTEN_AFTER),
        delete(Challenge).where(Challenge.expires_at <= now),
        delete(AccountLink).where(AccountLink.expires_at <= now),
        delete(Absence).where(Absence.away_until < today(clock) - timedelta(days=KEPT_DAYS)),
    )
    return sum(_count(session, statement) for statement in over)


def _count(session: Session, statement: Delete) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
