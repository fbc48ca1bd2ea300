"""The desk's pages for people: the queue and a signal. Every action works without JavaScript."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from marshmallow import ValidationError

from signals import casework
from signals.clock import AMSTERDAM
from signals.errors import (
    Conflict,
    Invalid,
    SignalsError,
    StaleVersion,
)
from signals.models import Signal
from signals.vocabulary import (
    AUTONYMS,
    CRISIS_ROUTES,
    AttemptKind,
    AttemptResult,
    DeferralReason,
    Outcome,
    ReferredTo,
    Role,
    SignalState,
)
from signals.web import labels
from signals.web.desk.handing_over import may_leave
from signals.web.desk.queue_page import arrived_meanwhile, queue_values
from signals.web.desk.signal_page import explain, possible, timeline, told_by_another
from signals.web.staff_kit import account_shared, auth, display, forms
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.labels import result_label
from signals.web.staff_kit.opened import OpenedSignal, changing, open_signal, organisation_id
from signals.web.staff_kit.pressed_twice import is_done
from signals.web.staff_kit.representations import is_overdue
from signals.web.staff_kit.schemas import MAX_ROUND

desk_pages = Blueprint("desk", __name__, url_prefix="/desk")
account_shared.share_with(desk_pages)

AUTHENTICATION = "cookie"
"""What every view here asks for."""

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)


@desk_pages.get("")
@requires_page(*_FOLLOW_UP)
def queue() -> Any:
    """The organisation's signals by their next deadline."""
    return render_template("desk/queue.html", **queue_values())


@desk_pages.get("/news")
@requires_page(*_FOLLOW_UP, active=False)
def news() -> Any:
    """What the queue asks each minute: how many signals came in since; 204 when it knows already."""
    count, said = arrived_meanwhile()
    return render_template("desk/news.html", count=count) if count != said else ("", 204)


@desk_pages.get("/")
@requires_page(*auth.EVERYONE)
def start() -> Response:
    """`/desk/` is where one begins: for a team `/desk`."""
    return _see_other(auth.home(current().member.role))


@desk_pages.get("/signals/<uuid:signal_id>")
@requires_page(*_FOLLOW_UP)
def signal(signal_id: UUID) -> str:
    """A signal in the clear; the audit entry is committed first."""
    opened = open_signal(signal_id)
    return _signal_page(opened, done=_done(opened))


@desk_pages.post("/signals/<uuid:signal_id>/claim")
@requires_page(*_FOLLOW_UP)
def claim(signal_id: UUID) -> Any:
    """Take a signal on."""
    return _change(signal_id, "claim", casework.claim)


@desk_pages.post("/signals/<uuid:signal_id>/release")
@requires_page(*_FOLLOW_UP)
def release(signal_id: UUID) -> Any:
    """Put a signal back."""
    return _change(signal_id, "release", casework.release)


@desk_pages.post("/signals/<uuid:signal_id>/contact-attempts")
@requires_page(*_FOLLOW_UP)
def record_attempt(signal_id: UUID) -> Any:
    """Record one try to reach the resident."""
    return _change(signal_id, "contact-attempts", casework.record_attempt)


@desk_pages.post("/signals/<uuid:signal_id>/notes")
@requires_page(*_FOLLOW_UP)
def add_note(signal_id: UUID) -> Any:
    """Add a note."""
    return _change(signal_id, "notes", partial(casework.add_note, keystore=desk().keystore))


@desk_pages.post("/signals/<uuid:signal_id>/conclude")
@requires_page(*_FOLLOW_UP)
def conclude(signal_id: UUID) -> Any:
    """Conclude with one outcome."""
    return _change(signal_id, "conclude", casework.conclude)


@desk_pages.post("/signals/<uuid:signal_id>/reopen")
@requires_page(*_FOLLOW_UP)
def reopen(signal_id: UUID) -> Any:
    """Take a concluded signal up again."""
    return _change(signal_id, "reopen", casework.reopen)


@desk_pages.post("/signals/<uuid:signal_id>/notice")
@requires_page(*_FOLLOW_UP)
def record_notice(signal_id: UUID) -> Any:
    """Record that the resident was told, or why not yet."""
    return _change(signal_id, "notice", casework.record_notice)


@desk_pages.post("/signals/<uuid:signal_id>/wmo")
@requires_page(*_FOLLOW_UP)
def record_wmo(signal_id: UUID) -> Any:
    """Record when a notification was made by the Wmo."""
    return _change(signal_id, "wmo", casework.record_wmo)


@desk_pages.post("/signals/<uuid:signal_id>/reassign")
@requires_page(Role.LEAD)
def reassign(signal_id: UUID) -> Any:
    """Give a signal to a colleague."""
    return _change(signal_id, "reassign", casework.reassign)


@desk_pages.post("/signals/<uuid:signal_id>/join")
@requires_page(*_FOLLOW_UP)
def join(signal_id: UUID) -> Any:
    """Conclude as a duplicate of the open signal at the same address."""
    return _change(signal_id, "join", casework.conclude_as_duplicate)


def _change(signal_id: UUID, form: str, change: Callable[..., object]) -> Any:
    """Do one thing and show the signal again; when it is refused, with what was typed."""
    try:
        version = _do(signal_id, change, forms.load(forms.FORMS[form]))
    except StaleVersion as refused:
        opened, values = open_signal(signal_id), forms.load(forms.FORMS[form])
        if not is_done(opened, form, values, version=forms.version(), by=current().member.id):
            return _once_more(opened, form, refused)
        version = opened.signal.version
    except (ValidationError, Invalid, Conflict) as refused:
        return _once_more(open_signal(signal_id), form, refused)
    return _see_other(url_for("desk.signal", signal_id=signal_id, done=form, at=version, round=_walked()))


def _walked() -> list[str]:
    """The signals of the round on foot from which the page was opened: the way back leads to it."""
    ids = request.args.getlist("round")
    return ids if len(ids) <= MAX_ROUND and all(map(_ID.fullmatch, ids)) else []


def _done(opened: OpenedSignal) -> str:
    """The form of which the address says that it was done, as long as nothing was done since.

    The address stays in the browser: going back to it must not tell what does not hold any more.
    """
    done, at = request.args.get("done", ""), request.args.get("at", "")
    return done if done in forms.FORMS and at == str(opened.signal.version) else ""


def _do(signal_id: UUID, change: Callable[..., object], values: Mapping[str, Any]) -> int:
    """Do it; gives the version of the signal after it."""
    context = desk()
    with changing(signal_id) as session:
        change(
            session,
            context.clock,
            signal_id=signal_id,
            actor=current().actor,
            audit=context.audit,
            expected_version=forms.version(),
            **values,
        )
        session.flush()
        return session.get_one(Signal, signal_id).version


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
    """`form` is the one that was refused: it is open, holds what was `typed` and shows its `errors`."""
    now, language = desk().clock.now().astimezone(AMSTERDAM), display.page_language()
    return render_template(
        "desk/signal.html",
        opened=opened,
        signal=opened.signal,
        report=opened.report,
        possible=possible(opened.signal, current().actor, acts=opened.acts),
        events=timeline(opened, language),
        join=casework.to_join(opened.signal, opened.earlier),
        colleagues=_colleagues(opened.signal),
        walked=_walked(),
        may_leave=may_leave(opened.signal),
        may_refer=_may_refer(opened),
        choices=_choices(language),
        deferral=_deferral(opened.signal, language),
        told_by_another=told_by_another(opened.signal),
        done=done,
        form=form,
        errors=errors or {},
        trouble=trouble,
        typed=typed or {},
        now=now,
        today=now.date(),
        overdue=is_overdue(opened.signal, now.date()),
    )


def _may_refer(opened: OpenedSignal) -> bool:
    """What nobody has, anybody of the team may hand over; else who has it, a stand-in or the lead."""
    unclaimed = opened.signal.claimed_by_id is None
    return opened.signal.state is not SignalState.CONCLUDED and (unclaimed or opened.acts)


def _deferral(signal: Signal, language: str) -> str:
    """Why the resident was not told yet, in words; empty where that was not put off."""
    if signal.deferred_because is None:
        return ""
    return labels.label(DeferralReason(signal.deferred_because), language)


def _colleagues(signal: Signal) -> list[tuple[str, str]]:
    """To whom a lead may give it."""
    if current().actor.role != Role.LEAD:
        return []
    with desk().reading() as session:
        found = casework.colleagues(session, organisation_id=organisation_id(), besides=signal.claimed_by_id)
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
        "outcome": labels.choices(Outcome, language),
        "referred_to": labels.choices(ReferredTo, language, without=crisis),
        "crisis": [(code.value, labels.label(code, language)) for code in ReferredTo if code in crisis],
        "not_reached": labels.choices(casework.NotReachedReason, language),
        "reopen": labels.choices(casework.ReopenReason, language),
        "deferred_because": labels.choices(DeferralReason, language),
        "language": list(AUTONYMS.items()),
    }


def _see_other(path: str) -> Response:
    response: Response = redirect(path, 303)  # type: ignore[assignment]
    return response
