"""The places of the national desk for reports without a token that were sealed for another team.

The front counted such a report for that team. Without these places, one sender fills the desk through every
team in the country.
"""

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from structlog import get_logger

from signals.arrival.envelopes import Case
from signals.db import is_sqlite
from signals.models import UnprovenDay

log = get_logger(__name__)


def admit(session: Session, cases: Sequence[Case], on: date, per_day: int) -> list[Case]:
    """Return the cases that may arrive today; each later night tries the others again."""
    strayed = [case for case in cases if case.outside_area and case.row.profession is None]
    if not strayed:
        return list(cases)
    places = _take(session, strayed[0].row.organisation_id, on, wanted=len(strayed), most=per_day)
    late = {case.row.signal_id for case in strayed[places:]}
    if late:
        log.warning("arrival.desk_is_full", number=len(late))
    return [case for case in cases if case.row.signal_id not in late]


def _take(session: Session, organisation_id: uuid.UUID, on: date, *, wanted: int, most: int) -> int:
    """Take places of the day, as intake does; return how many there were."""
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    fresh = {"organisation_id": organisation_id, "day": on, "number": 0}
    session.execute(insert(UnprovenDay).values(fresh).on_conflict_do_nothing())
    of_day = select(UnprovenDay).where(UnprovenDay.organisation_id == organisation_id, UnprovenDay.day == on)
    counted = session.scalars(of_day.with_for_update()).one()
    taken = max(0, min(wanted, most - counted.number))
    counted.number += taken
    session.flush()
    return taken
