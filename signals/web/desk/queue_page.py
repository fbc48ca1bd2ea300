"""Collect what the queue's page shows, and count the signals that came in since."""

from datetime import date, timedelta
from typing import Any, Final

from flask import request

from signals.casework.queue import arrived_since, queue_page, state_counts
from signals.casework.workload import absent_claims, workload
from signals.errors import FieldProblem, Invalid
from signals.lifecycle.transitions import is_overdue
from signals.notices.limit_notices import busy_days
from signals.vocabulary import Role, SignalState
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk, reading_operation
from signals.web.staff_kit.opened import organisation_id, read_summaries

PAGE_SIZE: Final = 25
STATES: Final = {
    "open": None,
    **{state.value: state for state in SignalState if state is not SignalState.SET_ASIDE},
}
LOOK_BACK: Final = timedelta(days=14)
"""The page counts arrivals this far back, also those that another organisation had for a while."""

MOST: Final = 99_999_999


def queue_values() -> dict[str, Any]:
    """Return the values of the template, as the address asks for them. Raises `Invalid` for "cursor"."""
    chosen, cursor = request.args.get("state", "open"), request.args.get("cursor") or None
    mine, overdue = request.args.get("mine") == "1", request.args.get("overdue") == "1"
    with reading_operation() as reading:
        session, on = reading.session, reading.today
        since = on - LOOK_BACK
        known = arrived_since(session, organisation_id=organisation_id(), since=since)
        page = queue_page(
            session,
            organisation_id=organisation_id(),
            state=STATES.get(chosen),
            claimed_by_id=current().actor.id if mine else None,
            overdue_on=on if overdue else None,
            limit=PAGE_SIZE,
            cursor=cursor,
        )
        counts = state_counts(session, organisation_id=organisation_id())
        leads = current().actor.role == Role.LEAD
        loads = workload(session, organisation_id=organisation_id(), on=on) if leads else []
        busy = [(day.id, day.day) for day in busy_days(reading)] if leads else []
        absent = absent_claims(reading)
    return {
        "page": page,
        "summaries": read_summaries(page.items),
        "counts": counts,
        "loads": loads,
        "absent": absent,
        "busy_days": busy,
        "chosen": chosen if chosen in STATES else "open",
        "mine": mine,
        "overdue": overdue,
        "paged": cursor is not None,
        "since": since.isoformat(),
        "known": known,
        "today": on,
        "is_overdue": is_overdue,
    }


def arrived_meanwhile() -> tuple[int, int]:
    """Return how many signals came in since the page was shown, and how many of them the page announced.

    This is a count and no list: an arrival keeps only its date, which cannot tell new signals from old ones.
    """
    since, known = _day("since"), _number("known")
    with desk().reading() as session:
        now = arrived_since(session, organisation_id=organisation_id(), since=since)
    return max(now - known, 0), _number("said")


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        raise Invalid(FieldProblem(field=name, code="invalid")) from None


def _number(name: str) -> int:
    text = request.args.get(name, "0")
    if not (text.isascii() and text.isdigit()) or int(text[:9]) > MOST:
        raise Invalid(FieldProblem(field=name, code="invalid"))
    return int(text[:9])
