"""Tell administrators of a day on which several reports did not open: a key is wrong, or somebody plays."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifications.events import Event
from signals.clock import Clock, today
from signals.models import SealedReport
from signals.notices.daily import tell_administrators

ALARM: Final = 3
"""So many reports that arrival set aside in one day are no accident of one phone."""


def watch_set_aside(session: Session, clock: Clock, *, public_url: str) -> int:
    """Write a message about today and yesterday where `ALARM` was reached; return how many are new.

    Yesterday too: the last report of a day may arrive after this job's last run.
    """
    day = SealedReport.refused_on
    full = (
        select(day).where(day >= today(clock) - timedelta(days=1)).group_by(day).having(func.count() >= ALARM)
    )
    return sum(
        tell_administrators(session, clock, event=Event.REPORTS_SET_ASIDE, on=on, public_url=public_url)
        for on in session.scalars(full).all()
        if on is not None
    )
