"""Serve a round on foot: up to twelve of the person's own signals, by postcode."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, render_template, request
from marshmallow import ValidationError, fields, validate

from signals.casework.access import FOLLOW_UP_ROLES
from signals.casework.queue import MAX_PAGE, queue_page
from signals.casework.rounds import MOST_STOPS, covered_staff
from signals.clock import today
from signals.web.desk import finding
from signals.web.staff_kit import account_shared, forms
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import desk, reading_operation
from signals.web.staff_kit.opened import organisation_id, read_summaries

round_pages = Blueprint("round_pages", __name__, url_prefix="/desk")
account_shared.share_with(round_pages)

AUTHENTICATION = "cookie"

MOST_SHOWN: Final = 24
"""The page opens so many addresses at most: more are no round, and the pace of an account has a limit."""


class RoundForm(forms.Form):
    """Name the chosen signals."""

    ids = fields.List(
        fields.UUID(), required=True, validate=validate.Length(min=1, max=MOST_STOPS, error="too_many_stops")
    )


@round_pages.get("/round")
@requires_page(*FOLLOW_UP_ROLES)
def choose() -> Any:
    """Show the person's open signals to choose from; with `ids` show the round along those."""
    chosen = request.args.getlist("ids")
    return _walk(chosen) if chosen else _page()


@round_pages.post("/round")
@requires_page(*FOLLOW_UP_ROLES)
def walk() -> Any:
    """Redirect to the round along the chosen signals, a page that a reload shows again."""
    chosen = request.form.getlist("ids")
    if not _FORM.validate({"ids": chosen} if chosen else {}):
        return account_shared.see_other(".choose", ids=chosen)
    return _page(chosen=chosen, wrong=True), 400


def _walk(chosen: Sequence[str]) -> Any:
    """Show the addresses by postcode; one audit entry for each comes first.

    A person may return to this page later. Then it leaves out the signals that nobody can visit any more,
    and says how many those are.
    """
    try:
        ids = frozenset(_FORM.load({"ids": chosen})["ids"])
    except ValidationError:
        return _page(chosen=chosen, wrong=True), 400
    stops = finding.walk(ids, again=True)
    return render_template(
        "desk/round_walk.html",
        stops=stops,
        walked=[str(stop.signal.id) for stop in stops],
        left_out=len(ids) - len(stops),
        today=today(desk().clock),
    )


def _page(*, chosen: Sequence[str] = (), wrong: bool = False) -> str:
    """Show the person's signals by address; an audit entry for each comes first."""
    mine, on = _mine()[:MOST_SHOWN], today(desk().clock)
    stops = finding.walk([one.id for one in mine if not one.restricted_on], again=True)
    places = {stop.signal.id: stop for stop in stops}
    return render_template(
        "desk/round.html",
        signals=[stop.signal for stop in stops] + [one for one in mine if one.id not in places],
        places=places,
        summaries=read_summaries(mine),
        chosen=frozenset(chosen) or _first(mine, on),
        most=MOST_STOPS,
        wrong=wrong,
        today=on,
    )


def _mine() -> list[Any]:
    """Return the person's signals, and those of absent colleagues they cover, the most urgent first."""
    with reading_operation() as reading:
        pages = [
            queue_page(reading.session, organisation_id=organisation_id(), claimed_by_id=who, limit=MAX_PAGE)
            for who in covered_staff(reading)
        ]
    found = [signal for page in pages for signal in page.items]
    return sorted(found, key=lambda signal: (signal.due_on, signal.id))[:MAX_PAGE]


def _first(signals: Sequence[Any], on: date) -> frozenset[str]:
    """Return the signals to choose at first: nobody reached the resident, and none is to wait."""
    found: list[UUID] = [one.id for one in signals if not one.first_contact_at and not _waits(one, on)]
    return frozenset(map(str, found[:MOST_STOPS]))


def _waits(signal: Any, on: date) -> bool:
    later = signal.postponed_until is not None and signal.postponed_until > on
    return later or signal.restricted_on is not None


_FORM: Final = RoundForm()
