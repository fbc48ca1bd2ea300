"""Recognise a form that arrived twice: somebody pressed its button twice.

The first press made the page of the second out of date. A refusal would invite the person to save again, and
so to do it twice.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from signals.casework.opening import OpenedSignal
from signals.vocabulary import Action, Outcome

Values = Mapping[str, Any]
Check = Callable[[OpenedSignal, Values, UUID], bool]

_MOST_STEPS: Final = {"join": 2, "notice": 3, "conclude": 4}
"""The most versions that one press counts: it may claim first, or record attempts and a notice."""


def is_done(opened: OpenedSignal, form: str, values: Values, *, version: int | None, by: UUID) -> bool:
    """Return whether an out-of-date form asks for exactly what its sender did since.

    `version` is the version that the form showed. The answer is no when anybody changed something in between.
    """
    if version is None or form not in _CHECKS:
        return False
    steps = opened.signal.version - version
    return 1 <= steps <= _MOST_STEPS.get(form, 1) and _CHECKS[form](opened, values, by)


def _corrected(opened: OpenedSignal, values: Values, by: UUID) -> bool:
    said = ("kind", "result", "attempted_at", "workers", "postponed_until")
    mine = [each for each in opened.signal.attempts if each.recorded_by_id == by]
    return any(all(getattr(each, name) == values[name] for name in said) for each in mine)


def _noted(opened: OpenedSignal, values: Values, by: UUID) -> bool:
    said = [note.entry.text.strip() for note in opened.notes if note.entry.written_by_id == by]
    return values["text"].strip() in said


def _concluded(opened: OpenedSignal, values: Values, by: UUID) -> bool:
    same = opened.signal.outcome is values.get("outcome", Outcome.DUPLICATE)
    return same and _last_did(Action.CONCLUDE)(opened, values, by)


def _notified(opened: OpenedSignal, values: Values, _by: UUID) -> bool:
    signal = opened.signal
    if values["notified_by"] is not None and values["notified_on"] is None:
        return signal.notified_on is not None
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


def _planned(opened: OpenedSignal, values: Values, _by: UUID) -> bool:
    return bool(opened.signal.postponed_until == values["postponed_until"])


def _given(opened: OpenedSignal, values: Values, _by: UUID) -> bool:
    return bool(opened.signal.claimed_by_id == values["to_staff_id"])


_CHECKS: Final[Mapping[str, Check]] = {
    "next-day": _planned,
    "notes": _noted,
    "correct-attempt": _corrected,
    "correct-note": _noted,
    "conclude": _concluded,
    "join": _concluded,
    "notice": _notified,
    "undo": lambda opened, _values, _by: opened.signal.undo is None,
    "release": _last_did(Action.RELEASE),
    "reopen": _last_did(Action.REOPEN),
    "wmo": _dated,
    "reassign": _given,
}
"""Checks by form, as in `forms.FORMS`. Claiming twice needs none: the claimant already has the signal."""
