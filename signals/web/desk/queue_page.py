"""Collect what the queue's page shows, and count the signals that came in since."""

from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final

from flask import request

from signals.casework.queue import QueuePage, Section, arrived_since, queue_page, sectioned_page, state_counts
from signals.casework.workload import absent_claims, workload
from signals.errors import FieldProblem, Invalid
from signals.lifecycle.transitions import next_step
from signals.models import Organisation
from signals.notices.limit_notices import busy_days
from signals.operation import Operation
from signals.organisations.onboarding import receives
from signals.vocabulary import Role, SignalState
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import read, reading_operation
from signals.web.staff_kit.first_tasks import first_values
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
    chosen, mine = request.args.get("state", "open"), request.args.get("mine") == "1"
    with reading_operation() as reading:
        session, on = reading.session, reading.today
        since = on - LOOK_BACK
        known = arrived_since(session, organisation_id=organisation_id(), since=since)
        page = _page(reading, STATES.get(chosen), mine=mine)
        counts = state_counts(session, organisation_id=organisation_id())
        leads = current().actor.role == Role.LEAD
        loads = workload(session, organisation_id=organisation_id(), on=on) if leads else []
        busy = [(day.id, day.day) for day in busy_days(reading)] if leads else []
        absent = absent_claims(reading)
        live = bool(page.items) or receives(session.get_one(Organisation, organisation_id()), on)
    return {
        "page": page,
        "summaries": read_summaries(page.items),
        "counts": counts,
        "loads": loads,
        "absent": absent,
        "busy_days": busy,
        "chosen": chosen if chosen in STATES else "open",
        "mine": mine,
        "paged": "cursor" in request.args,
        "sections": [(key, list(rows)) for key, rows in groupby(page.items, _section_of)],
        "appended": _name(page.continues) if "HX-Request" in request.headers else "",
        "receives": live,
        "since": since.isoformat(),
        "known": known,
        "today": on,
        **(first_values() if leads else {}),
        "next_step": next_step,
    }


def _page(reading: Operation, state: SignalState | None, *, mine: bool) -> QueuePage:
    me = current().member.id
    wanted: dict[str, Any] = {
        "organisation_id": organisation_id(),
        "state": state,
        "claimed_by_id": me if mine else None,
        "limit": PAGE_SIZE,
        "cursor": request.args.get("cursor") or None,
    }
    if state is SignalState.CONCLUDED:  # nothing is due any more
        return queue_page(reading.session, **wanted)
    return sectioned_page(reading.session, on=reading.today, reader_id=me, **wanted)


def _section_of(row: Any) -> str:
    return _name(getattr(row, "section", None))


def _name(section: int | None) -> str:
    return "" if section is None else Section(section).heading


def arrived_meanwhile() -> tuple[int, int]:
    """Return how many signals came in since the page was shown, and how many of them the page announced.

    This is a count and no list: an arrival keeps only its date, which cannot tell new signals from old ones.
    """
    since, known = _day("since"), _number("known")
    now = read(arrived_since, organisation_id=organisation_id(), since=since)
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
