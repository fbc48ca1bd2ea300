"""A round on foot: up to twelve of one's own signals, in walking order, on a phone or on paper."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, render_template, request
from marshmallow import ValidationError, fields, validate

from signals import casework
from signals.clock import today
from signals.vocabulary import Role
from signals.web.staff_kit import account_shared, forms
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import organisation_id, read_summaries
from signals.web.staff_kit.schemas import MAX_ROUND
from signals.web.staff_kit.search import left_of_round, looked_after

round_pages = Blueprint("round_pages", __name__, url_prefix="/desk")
account_shared.share_with(round_pages)

AUTHENTICATION = "cookie"
"""What every view here asks for."""

_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)


class RoundForm(forms.Form):
    """The signals that were ticked."""

    ids = fields.List(
        fields.UUID(), required=True, validate=validate.Length(min=1, max=MAX_ROUND, error="too_many_stops")
    )


@round_pages.get("/round")
@requires_page(*_FOLLOW_UP)
def choose() -> Any:
    """One's own open signals, to choose from; with `ids` the round along those."""
    chosen = request.args.getlist("ids")
    return _walk(chosen) if chosen else _page()


@round_pages.post("/round")
@requires_page(*_FOLLOW_UP)
def walk() -> Any:
    """To the round along what was ticked: a page that can be gone back to, and that a reload shows again."""
    chosen = request.form.getlist("ids")
    if not _FORM.validate({"ids": chosen} if chosen else {}):
        return account_shared.see_other(".choose", ids=chosen)
    return _page(chosen=chosen, wrong=True), 400


def _walk(chosen: Sequence[str]) -> Any:
    """The addresses in walking order, without who passed them on; one audit entry each comes first.

    A page that is gone back to: what cannot be walked any more is left out, and how many those are is said.
    """
    try:
        ids = frozenset(_FORM.load({"ids": chosen})["ids"])
    except ValidationError:
        return _page(chosen=chosen, wrong=True), 400
    stops = left_of_round(ids)
    return render_template(
        "desk/round_walk.html",
        stops=stops,
        walked=[str(stop.signal.id) for stop in stops],
        left_out=len(ids) - len(stops),
        today=today(desk().clock),
    )


def _page(*, chosen: Sequence[str] = (), wrong: bool = False) -> str:
    mine, on = _mine(), today(desk().clock)
    return render_template(
        "desk/round.html",
        signals=mine,
        summaries=read_summaries(mine),
        chosen=frozenset(chosen) or _first(mine, on),
        most=MAX_ROUND,
        wrong=wrong,
        today=on,
    )


def _mine() -> list[Any]:
    """What one has, and what those have for whom one stands in, the most urgent first."""
    with desk().reading() as session:
        pages = [
            casework.queue_page(
                session, organisation_id=organisation_id(), claimed_by_id=who, limit=casework.MAX_PAGE
            )
            for who in looked_after(session)
        ]
    found = [signal for page in pages for signal in page.items]
    return sorted(found, key=lambda signal: (signal.due_on, signal.id))[: casework.MAX_PAGE]


def _first(signals: Sequence[Any], on: date) -> frozenset[str]:
    """What one goes out for is ticked already: whom nobody spoke yet, unless that is to wait."""
    found: list[UUID] = [one.id for one in signals if not one.first_contact_at and not _waits(one, on)]
    return frozenset(map(str, found[:MAX_ROUND]))


def _waits(signal: Any, on: date) -> bool:
    later = signal.postponed_until is not None and signal.postponed_until > on
    return later or signal.restricted_on is not None


_FORM: Final = RoundForm()
