"""Facts for the statistics: what is kept of a signal when it is gone. No id, address or name is in them.

Only the date of receipt is known, so hours count from the end of the working day of receipt.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from privacy.pseudonyms import quarter_of
from signals import reference
from signals.clock import AMSTERDAM
from signals.contents import Report
from signals.deadlines import working_hours_between
from signals.models import ContactAttempt, Signal, StatusChange
from signals.models.base import new_id
from signals.vocabulary import Action, AttemptResult

_END_OF_WORKING_DAY = time(17, 0)


def fact_of(signal: Signal, report: Report | None, municipality_code: str | None) -> dict[str, Any]:
    """The values of a `SignalFact` row; `report` is None when the content could not be read any more.

    The signal's `attempts` and `history` must be loaded. Hours are working hours, rounded to whole ones.
    """
    claimed_at = _first_claim(signal.history)
    contacted_at = _first_attempt(signal.attempts)
    region = reference.municipalities().get(municipality_code or "")
    return {
        "id": new_id(),
        "region_code": region.ggd_code if region else None,
        "municipality_code": municipality_code,
        "received_quarter": quarter_of(signal.received_on),
        "concluded_quarter": quarter_of(_local_date(signal.concluded_at)) if signal.concluded_at else None,
        "concern_types": " ".join(sorted(report.summary.concern_types)) if report else "",
        "hours_to_claim": _hours(signal.received_on, claimed_at),
        "hours_to_contact": _hours(signal.received_on, contacted_at),
        "claimed_in_time": claimed_at is not None and _local_date(claimed_at) <= signal.claim_by,
        "contacted_in_time": contacted_at is not None and _local_date(contacted_at) <= signal.contact_by,
        "attempts": _by_kind(signal.attempts),
        "attempts_count": len(signal.attempts),
        "reached": any(attempt.result is AttemptResult.CONTACT for attempt in signal.attempts),
        "outcome": signal.outcome,
        "newly_known": signal.newly_known,
        "repeat": signal.repeat,
    }


def _first_claim(history: Sequence[StatusChange]) -> datetime | None:
    moments = [change.at for change in history if change.action is Action.CLAIM and change.at is not None]
    return min(moments, default=None)


def _first_attempt(attempts: Sequence[ContactAttempt]) -> datetime | None:
    return min((attempt.attempted_at for attempt in attempts), default=None)


def _hours(received_on: date, moment: datetime | None) -> int | None:
    if moment is None:
        return None
    start = datetime.combine(received_on, _END_OF_WORKING_DAY, AMSTERDAM)
    return round(working_hours_between(start, moment)) if moment > start else 0


def _by_kind(attempts: Sequence[ContactAttempt]) -> str:
    counts = Counter(attempt.kind.value for attempt in attempts)
    return " ".join(f"{kind}:{number}" for kind, number in sorted(counts.items()))


def _local_date(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()
