"""Facts for the statistics: the rest of a deleted signal, without id, address or name.

Only the date of receipt is known, so hours count from the end of the working day of receipt.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from privacy.pseudonyms import quarter_of
from signals import reference
from signals.clock import AMSTERDAM
from signals.intake.content import Report
from signals.lifecycle.deadlines import working_hours_between
from signals.models import Signal
from signals.models.base import new_id
from signals.vocabulary import Action, AttemptKind, AttemptResult, Outcome

_END_OF_WORKING_DAY = time(17, 0)

Attempt = tuple[AttemptKind, AttemptResult, datetime]
"""Kind, result and moment of one contact attempt."""


@dataclass(frozen=True, slots=True)
class Course:
    """The course of the follow-up, the second source of a fact beside the report. A purge reads it in bulk.

    `claimed_at` is the first claim. `intake_counted` and `outcome_counted` name the quarter that counted the
    signal, None before that.
    """

    received_on: date
    claim_by: date
    contact_by: date
    concluded_at: datetime | None
    claimed_at: datetime | None
    attempts: Sequence[Attempt]
    outcome: Outcome | None
    newly_known: bool | None
    repeat: bool
    intake_counted: str | None = None
    outcome_counted: str | None = None


def fact_of(signal: Signal, report: Report | None, municipality_code: str | None) -> dict[str, Any]:
    """Return the values of a `SignalFact` row; `report` is None when its content is gone.

    The signal's `attempts` and `history` must be loaded. Hours are working hours, rounded to whole ones.
    """
    return fact_from(course_of(signal), report, municipality_code)


def course_of(signal: Signal) -> Course:
    """Return the course of a signal; its `attempts` and `history` must be loaded."""
    claims = [change.at for change in signal.history if change.action is Action.CLAIM and change.at]
    return Course(
        received_on=signal.received_on,
        claim_by=signal.claim_by,
        contact_by=signal.contact_by,
        concluded_at=signal.concluded_at,
        claimed_at=min(claims, default=None),
        attempts=[(attempt.kind, attempt.result, attempt.attempted_at) for attempt in signal.attempts],
        outcome=signal.outcome,
        newly_known=signal.newly_known,
        repeat=signal.repeat,
        intake_counted=signal.intake_counted,
        outcome_counted=signal.outcome_counted,
    )


def fact_from(course: Course, report: Report | None, municipality_code: str | None) -> dict[str, Any]:
    """Return the values of `fact_of` for a course that was read without its signal.

    Municipality and types are left out once the intake is counted: no table needs them any more.
    """
    contacted_at = min((at for _, _, at in course.attempts), default=None)
    waits = course.intake_counted is None
    return {
        "id": new_id(),
        "region_code": region_of(municipality_code),
        "municipality_code": municipality_code if waits else None,
        "received_quarter": quarter_of(course.received_on),
        "concluded_quarter": quarter_of(_local_date(course.concluded_at)) if course.concluded_at else None,
        "concern_types": " ".join(sorted(report.summary.concern_types)) if report and waits else "",
        "hours_to_claim": working_hours(course.received_on, course.claimed_at),
        "hours_to_contact": working_hours(course.received_on, contacted_at),
        "claimed_in_time": _in_time(course.claimed_at, course.claim_by),
        "contacted_in_time": _in_time(contacted_at, course.contact_by),
        "attempts": _by_kind(course.attempts),
        "attempts_count": len(course.attempts),
        "reached": any(result is AttemptResult.CONTACT for _, result, _ in course.attempts),
        "outcome": course.outcome,
        "newly_known": course.newly_known,
        "repeat": course.repeat,
        "intake_counted": course.intake_counted,
        "outcome_counted": course.outcome_counted,
    }


def region_of(municipality_code: str | None) -> str | None:
    """Return the GGD region of a municipality, None for one that is on no map.

    A former or future municipality has the region of its successor or predecessor, if that is known.
    """
    municipality = reference.municipalities().get(municipality_code or "")
    return municipality.ggd_code if municipality else _region_of_relatives(municipality_code)


def _region_of_relatives(code: str | None) -> str | None:
    known = reference.municipalities()
    for change in reference.boundary_changes():
        relative = {change.old_code: change.new_code, change.new_code: change.old_code}.get(code or "", "")
        if relative in known:
            return known[relative].ggd_code
    return None


def working_hours(received_on: date, moment: datetime | None) -> int | None:
    """Return whole working hours from the end of the day of receipt (no finer time is kept) to a moment."""
    if moment is None:
        return None
    start = _end_of(received_on)
    return round(working_hours_between(start, moment)) if moment > start else 0


@lru_cache(maxsize=1024)
def _end_of(day: date) -> datetime:
    return datetime.combine(day, _END_OF_WORKING_DAY, AMSTERDAM)


def _in_time(moment: datetime | None, last_day: date) -> bool:
    return moment is not None and _local_date(moment) <= last_day


def _by_kind(attempts: Sequence[Attempt]) -> str:
    counts = Counter(kind.value for kind, _, _ in attempts)
    return " ".join(f"{kind}:{number}" for kind, number in sorted(counts.items()))


def _local_date(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()
