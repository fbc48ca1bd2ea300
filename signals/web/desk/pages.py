"""Serve the desk's pages for people: the queue and a signal. Every action works without JavaScript."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError

from signals import casework
from signals.casework.access import FOLLOW_UP_ROLES
from signals.casework.duplicates import to_join
from signals.casework.opening import OpenedSignal
from signals.casework.outcomes import ReopenReason
from signals.casework.referral import notified_by_sender
from signals.casework.rounds import MOST_STOPS
from signals.casework.steps import may_leave
from signals.casework.undoing import may_undo
from signals.casework.workload import colleagues
from signals.clock import AMSTERDAM
from signals.errors import Conflict, Invalid, SignalsError, StaleVersion
from signals.lifecycle.transitions import next_step
from signals.models import Signal
from signals.models.base import new_id
from signals.vocabulary import (
    AUTONYMS,
    CRISIS_ROUTES,
    AttemptKind,
    AttemptResult,
    ContactBy,
    DeferralReason,
    NotifiedBy,
    ReferredTo,
    Role,
)
from signals.web import labels
from signals.web.desk.changes import Change, change_signal
from signals.web.desk.concluding import ending_choices, ending_groups, next_signal
from signals.web.desk.pressed_twice import is_done
from signals.web.desk.queue_page import arrived_meanwhile, queue_values
from signals.web.desk.signal_page import explain, possible, timeline
from signals.web.staff_kit import account_shared, auth, display, forms
from signals.web.staff_kit.auth import current, own_mark, requires_page
from signals.web.staff_kit.context import desk, read
from signals.web.staff_kit.labels import result_label
from signals.web.staff_kit.opened import open_signal, organisation_id

desk_pages = Blueprint("desk", __name__, url_prefix="/desk")
account_shared.share_with(desk_pages)

AUTHENTICATION = "cookie"

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@desk_pages.get("")
@requires_page(*auth.EVERYONE)
def queue() -> Any:
    """Show the organisation's signals by their next deadline; lead other roles to their own first page."""
    if current().actor.role not in FOLLOW_UP_ROLES:
        return start()
    return render_template("desk/queue.html", **queue_values())


@desk_pages.get("/news")
@requires_page(*FOLLOW_UP_ROLES, active=False)
def news() -> Any:
    """Tell the queue's page how many signals came in since; 204 when the page knows already."""
    count, said = arrived_meanwhile()
    return render_template("desk/news.html", count=count) if count != said else ("", 204)


@desk_pages.get("/")
@requires_page(*auth.EVERYONE)
def start() -> Response:
    """Redirect `/desk/` to the first page of the person's role."""
    return account_shared.go_to(auth.home(current().member.role))


@desk_pages.get("/signals/<uuid:signal_id>")
@requires_page(*FOLLOW_UP_ROLES)
def signal(signal_id: UUID) -> str:
    """Show a signal in the clear; the audit entry is committed first."""
    opened = open_signal(signal_id)
    return _signal_page(opened, done=_done(opened))


_CHANGES: Final[Mapping[str, Change[object]]] = {
    "claim": casework.claim,
    "release": casework.release,
    "contact-attempts": casework.record_attempt,
    "next-day": casework.choose_day,
    "notes": casework.add_note,
    "urgent": casework.mark_urgent,
    "conclude": casework.conclude,
    "reopen": casework.reopen,
    "notice": casework.record_notice,
    "wmo": casework.record_wmo,
    "reassign": casework.reassign,
    "join": casework.conclude_as_duplicate,
    "correct-attempt": casework.correct_attempt,
    "correct-note": casework.correct_note,
    "undo": casework.undo,
}
"""The change that each form of a signal's page makes, by the last part of its address."""


def _serve(form: str, change: Change[object]) -> None:
    @requires_page(*((Role.LEAD,) if form == "reassign" else FOLLOW_UP_ROLES))
    def changed(signal_id: UUID) -> Any:
        return _change(signal_id, form, change)

    desk_pages.add_url_rule(f"/signals/<uuid:signal_id>/{form}", form, changed, methods=["POST"])


for _form, _made in _CHANGES.items():
    _serve(_form, _made)


def _change(signal_id: UUID, form: str, change: Change[object]) -> Any:
    """Change the signal and show it again; after a refusal show what the person typed."""
    try:
        values = forms.load(forms.FORMS[form])
        _, version = change_signal(signal_id, change, values, version=forms.version())
    except StaleVersion as refused:
        opened, values = open_signal(signal_id), forms.load(forms.FORMS[form])
        if not is_done(opened, form, values, version=forms.version(), by=current().member.id):
            return _once_more(opened, form, refused)
        version = opened.signal.version
    except (ValidationError, Invalid, Conflict) as refused:
        return _once_more(open_signal(signal_id), form, refused)
    return account_shared.see_other(
        "desk.signal", signal_id=signal_id, done=form, at=version, round=_walked()
    )


def _walked() -> list[str]:
    """Return the signals of the round that led to this page, for the link back."""
    ids = request.args.getlist("round")
    return ids if len(ids) <= MOST_STOPS and all(map(_ID.fullmatch, ids)) else []


def _done(opened: OpenedSignal) -> str:
    """Return the form named in `done` of the web address; empty when somebody changed the signal since.

    The address stays in the browser, so a later visit must not claim what no longer holds.
    """
    done, at = request.args.get("done", ""), request.args.get("at", "")
    return done if done in forms.FORMS and at == str(opened.signal.version) else ""


def _once_more(opened: OpenedSignal, form: str, refused: ValidationError | SignalsError) -> tuple[str, int]:
    errors = forms.messages(refused)
    status = 400 if isinstance(refused, ValidationError) else refused.status
    trouble = explain(refused, opened) if isinstance(refused, SignalsError) and not errors else ""
    return _signal_page(opened, form=form, errors=errors, trouble=trouble, typed=forms.typed_text()), status


def _signal_page(
    opened: OpenedSignal,
    *,
    done: str = "",
    form: str = "",
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    typed: Mapping[str, str] | None = None,
) -> str:
    """Show the page. `form` was refused: it is open, holds what was `typed` and shows its `errors`."""
    now, language = desk().clock.now().astimezone(AMSTERDAM), display.page_language()
    groups = ending_groups(opened.signal, language)
    return render_template(
        "desk/signal.html",
        opened=opened,
        signal=opened.signal,
        report=opened.report,
        possible=possible(opened.signal, current().actor, acts=opened.acts),
        events=timeline(opened, language),
        join=to_join(opened.signal, opened.earlier),
        colleagues=_colleagues(opened.signal),
        walked=_walked(),
        may_leave=may_leave(opened.signal),
        ending_groups=groups,
        asked={question for group in groups for ending in group.endings for question in ending.asks},
        enough_tried=not any(group.least for group in groups),
        next_signal=next_signal(opened.signal),
        choices=_choices(language),
        deferral=_deferral(opened.signal, language),
        notified_by_sender=notified_by_sender(opened.signal),
        done=done,
        correct=request.args.get("correct", "") or (typed or {}).get("entry", ""),
        form=form,
        errors=errors or {},
        trouble=trouble,
        typed=typed or {},
        now=now,
        today=now.date(),
        overdue=opened.overdue,
        may_undo=may_undo(opened.signal, current().actor, now.date()),
        next_step=next_step,
        attempt_id=new_id(),
        outbox_key=desk().browser_state.outbox_key(own_mark()),
    )


def _deferral(signal: Signal, language: str) -> str:
    """Return in words why the resident was not notified yet; empty when nobody deferred it."""
    if signal.deferred_because is None:
        return ""
    return labels.label(DeferralReason(signal.deferred_because), language)


def _colleagues(signal: Signal) -> list[tuple[str, str]]:
    """Return the colleagues to whom a lead may give the signal."""
    if current().actor.role != Role.LEAD:
        return []
    found = read(colleagues, organisation_id=organisation_id(), besides=signal.claimed_by_id)
    return [(str(staff_id), name) for staff_id, name in found]


def _choices(language: str) -> dict[str, list[tuple[str, str]]]:
    crisis = frozenset(CRISIS_ROUTES)
    return {
        "kind": labels.choices(AttemptKind, language),
        "posted": [
            (
                AttemptResult.NO_ANSWER.value,
                result_label(AttemptKind.LETTER, AttemptResult.NO_ANSWER, language),
            )
        ],
        "result": labels.choices(AttemptResult, language),
        "outcome": ending_choices(language),
        "contact_by": labels.choices(ContactBy, language),
        "notified_by": labels.choices(NotifiedBy, language),
        "referred_to": labels.choices(ReferredTo, language, without=crisis),
        "crisis": [(code.value, labels.label(code, language)) for code in ReferredTo if code in crisis],
        "reopen": labels.choices(ReopenReason, language),
        "deferred_because": labels.choices(DeferralReason, language),
        "language": list(AUTONYMS.items()),
    }
