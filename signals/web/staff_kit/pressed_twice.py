"""A form that came twice, for its button was pressed twice: the second asks for what the first one did.

Its page was then out of date by its own doing. To be told so invites to save once more, and to do it double.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from signals.vocabulary import Action, Outcome
from signals.web.staff_kit.opened import OpenedSignal

Values = Mapping[str, Any]
Check = Callable[[OpenedSignal, Values, UUID], bool]

_JOINING: Final = 2
"""Versions by which joining moves on a signal that nobody had: it is claimed first."""


def is_done(opened: OpenedSignal, form: str, values: Values, *, version: int | None, by: UUID) -> bool:
    """Whether a form that was refused as out of date asks for just what its sender did since.

    `version`: the one that the form was made from. Whoever changed something between, the answer is no.
    """
    if version is None or form not in _CHECKS:
        return False
    steps = opened.signal.version - version
    return (steps == 1 or (form == "join" and steps == _JOINING)) and _CHECKS[form](opened, values, by)


def _attempted(opened: OpenedSignal, values: Values, by: UUID) -> bool:
    last = max(opened.signal.attempts, key=lambda attempt: attempt.recorded_at, default=None)
    if last is None or last.recorded_by_id != by:
        return False
    return all(
        getattr(last, name) == values[name] for name in ("kind", "result", "workers", "postponed_until")
    )


def _noted(opened: OpenedSignal, values: Values, by: UUID) -> bool:
    last = max(opened.notes, key=lambda note: note.written_at, default=None)
    return last is not None and last.written_by_id == by and last.text.strip() == values["text"].strip()


def _concluded(opened: OpenedSignal, values: Values, by: UUID) -> bool:
    same = opened.signal.outcome is values.get("outcome", Outcome.DUPLICATE)
    return same and _last_did(Action.CONCLUDE)(opened, values, by)


def _told(opened: OpenedSignal, values: Values, _by: UUID) -> bool:
    signal = opened.signal
    return (signal.notified_on, signal.deferred_because) == (
        values["notified_on"],
        values["deferred_because"],
    )


def _last_did(action: Action) -> Check:
    def check(opened: OpenedSignal, _values: Values, by: UUID) -> bool:
        last = max(opened.signal.history, key=lambda change: change.sequence, default=None)
        return last is not None and (last.action, last.actor_id) == (action, by)

    return check


def _dated(opened: OpenedSignal, values: Values, _by: UUID) -> bool:
    return bool(opened.signal.wmo_notified_on == values["wmo_notified_on"])


def _given(opened: OpenedSignal, values: Values, _by: UUID) -> bool:
    return bool(opened.signal.claimed_by_id == values["to_staff_id"])


_CHECKS: Final[Mapping[str, Check]] = {
    "contact-attempts": _attempted,
    "notes": _noted,
    "conclude": _concluded,
    "join": _concluded,
    "notice": _told,
    "release": _last_did(Action.RELEASE),
    "reopen": _last_did(Action.REOPEN),
    "wmo": _dated,
    "reassign": _given,
}
"""By the form, as in `forms.FORMS`; claiming twice is no trouble, for whoever claims has it."""
