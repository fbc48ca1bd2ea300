"""What the queue's page shows, and how many signals came in since it was shown."""

from datetime import date, timedelta
from typing import Any, Final

from flask import request

from signals import casework
from signals.casework.queue import arrived_since
from signals.clock import today
from signals.errors import FieldProblem, Invalid
from signals.vocabulary import Role, SignalState
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import organisation_id, read_summaries
from signals.web.staff_kit.representations import is_overdue

PAGE_SIZE: Final = 25
STATES: Final = {"open": None, **{state.value: state for state in SignalState}}
LOOK_BACK: Final = timedelta(days=14)
"""How far back arrivals are counted: also those that another organisation had for a while."""

MOST: Final = 99_999_999


def queue_values() -> dict[str, Any]:
    """What the template is filled with, as the address asks for it. Raises `Invalid` for "cursor"."""
    context, on = desk(), today(desk().clock)
    chosen, cursor = request.args.get("state", "open"), request.args.get("cursor") or None
    mine, overdue = request.args.get("mine") == "1", request.args.get("overdue") == "1"
    since = on - LOOK_BACK
    with context.reading() as session:
        known = arrived_since(session, organisation_id=organisation_id(), since=since)
        page = casework.queue_page(
            session,
            organisation_id=organisation_id(),
            state=STATES.get(chosen),
            claimed_by_id=current().actor.id if mine else None,
            overdue_on=on if overdue else None,
            limit=PAGE_SIZE,
            cursor=cursor,
        )
        counts = casework.state_counts(session, organisation_id=organisation_id())
        leads = current().actor.role == Role.LEAD
        loads = casework.workload(session, organisation_id=organisation_id(), on=on) if leads else []
    return {
        "page": page,
        "summaries": read_summaries(page.items),
        "counts": counts,
        "loads": loads,
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
    """How many signals came in since the page was shown, and how many of them it has told of already.

    Counted and not listed: no time finer than a date is kept by which new ones could be told from old.
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
