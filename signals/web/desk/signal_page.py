"""Work out what a signal's page shows: the next step, the other actions, and the timeline."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import zip_longest
from typing import Any
from uuid import UUID

from flask_babel import gettext

from signals.audit.log import Actor
from signals.casework.opening import OpenedSignal
from signals.casework.steps import Step, steps_on
from signals.casework.undoing import UndoOver
from signals.errors import ClaimedByOther, SignalsError, StaleVersion
from signals.models import ContactAttempt, Signal, StatusChange
from signals.vocabulary import Action
from signals.web.http.messages import detail_of, title_of
from signals.web.labels import label
from signals.web.staff_kit.display import day, moment
from signals.web.staff_kit.labels import reason_label, result_label


@dataclass(frozen=True, kw_only=True)
class Possible:
    """Hold what the reader can do now; `first` is the next step, or None without one."""

    first: Step | None
    steps: tuple[Step, ...]
    mine: bool

    @property
    def others(self) -> tuple[Step, ...]:
        """Return the other steps that have a form of their own below the next step."""
        shown = {self.first, Step.REFER, Step.NEXT_DAY}
        shown |= {Step.ATTEMPT} if self.first is Step.CLAIM else set()
        return tuple(step for step in self.steps if step not in shown)

    @property
    def refer(self) -> bool:
        """Return whether the reader may hand the signal over, on a page of its own."""
        return Step.REFER in self.steps


@dataclass(frozen=True, kw_only=True)
class Event:
    """Hold one line of the timeline; `at` is None when only the day is known. `struck`: it holds no more.

    `form`: the form that corrects `entry`; empty where there is nothing to correct.
    """

    on: date
    at: datetime | None
    what: str
    by: str = ""
    text: str = field(default="", repr=False)
    struck: bool = False
    form: str = ""
    entry: Any = field(default=None, repr=False)
    author_id: UUID | None = None

    def may_be_corrected(self, by: UUID, *, acts: bool) -> bool:
        """Return whether this person may correct it: who made it, and who may act on the signal."""
        return bool(self.form) and not self.struck and (acts or self.author_id == by)


def possible(signal: Signal, actor: Actor, *, acts: bool) -> Possible:
    """Return the steps of this person, the next one first; `acts`: they may act on the claim."""
    steps = tuple(steps_on(signal, actor, acts=acts))
    return Possible(first=_first(signal, steps), steps=steps, mine=signal.claimed_by_id == actor.id)


def timeline(opened: OpenedSignal, language: str) -> list[Event]:
    """Return everything that happened, newest first; within a moment, the later history first."""
    events = [
        *_changes(opened, language, ends=False),
        *_attempts(opened, language),
        *_notes(opened),
        *_wmo(opened),
        *_notifications(opened, language),
        *_changes(opened, language, ends=True),
    ]
    return sorted(events, key=_when)[::-1]


def _when(event: Event) -> datetime:
    """Return the moment to sort by; an attempt noted at once comes after the claim that it made."""
    entry = event.entry
    if isinstance(entry, ContactAttempt) and entry.recorded_at - entry.attempted_at < timedelta(minutes=1):
        return entry.recorded_at
    return event.at or datetime.combine(event.on, time(), UTC)


def explain(refused: SignalsError, opened: OpenedSignal) -> str:
    """Return why something was refused, with name and moment when somebody else came first."""
    if isinstance(refused, StaleVersion) and not isinstance(refused, UndoOver):
        words = gettext(
            "Last changed by %(name)s, %(moment)s. What you typed is still below: look at what changed and "
            "save again.",
            **_last_change(opened),
        )
        return str(words)
    return explain_unopened(refused)


def explain_unopened(refused: SignalsError) -> str:
    """Return the same for a change that named no version, without a look at the signal."""
    if isinstance(refused, ClaimedByOther) and refused.claimed_by and refused.claimed_at:
        words = gettext(
            "%(name)s has this signal since %(moment)s. Ask them or your team lead.",
            name=refused.claimed_by,
            moment=moment(refused.claimed_at),
        )
        return str(words)
    return f"{title_of(refused.code)}. {detail_of(refused.code)}"


def _first(signal: Signal, steps: tuple[Step, ...]) -> Step | None:
    if Step.CLAIM in steps:
        return Step.CLAIM
    if Step.CONCLUDE in steps and signal.first_contact_at is not None:
        return Step.CONCLUDE
    return Step.ATTEMPT if Step.ATTEMPT in steps else None


def _changes(opened: OpenedSignal, language: str, *, ends: bool) -> Iterator[Event]:
    """Yield the conclusions, which come after an attempt of the same moment, or all other changes."""
    for signed in opened.history:
        change = signed.entry
        told_better = change.action in (Action.RECORD_ATTEMPT, Action.NOTIFY)
        if not told_better and (change.action is Action.CONCLUDE) is ends:
            yield Event(
                on=change.on,
                at=change.at,
                what=label(change.action, language),
                by=signed.by or "",
                text=reason_label(change.reason, language) if change.reason else "",
            )


def _attempts(opened: OpenedSignal, language: str) -> Iterator[Event]:
    for signed in (*opened.attempts, *opened.former_attempts):
        attempt = signed.entry
        went = result_label(attempt.kind, attempt.result, language).lower()
        yield Event(
            on=attempt.attempted_at.date(),
            at=attempt.attempted_at,
            what=f"{label(attempt.kind, language)}: {went}",
            by=signed.by or "",
            text=". ".join(_about(attempt)),
            struck=attempt.replaced_by_id is not None,
            form="correct-attempt",
            entry=attempt,
            author_id=attempt.recorded_by_id,
        )


def _about(attempt: ContactAttempt) -> Iterator[str]:
    if attempt.workers == 2:
        yield gettext("With two workers")
    if attempt.postponed_until is not None:
        yield gettext("Agreed for %(day)s", day=day(attempt.postponed_until))


def _wmo(opened: OpenedSignal) -> Iterator[Event]:
    if opened.signal.wmo_notified_on is not None:
        yield Event(on=opened.signal.wmo_notified_on, at=None, what=gettext("Wmo notification made"))


def _notifications(opened: OpenedSignal, language: str) -> Iterator[Event]:
    """Show when the resident was told (art. 14 AVG), or why not yet, and by whom."""
    told = [signed for signed in opened.history if signed.entry.action in (Action.NOTIFY, Action.REFER)]
    for signed, later in zip_longest(told, told[1:]):
        change = signed.entry
        if change.action is Action.NOTIFY:
            yield Event(
                on=change.day or change.on,
                at=change.at if change.day in (None, change.on) else None,
                what=_told(change),
                by=signed.by or "",
                text=reason_label(change.reason, language) if change.reason else "",
                struck=later is not None and _replaces(later.entry, change),
                form="notice" if change.day is not None and later is None else "",
                author_id=change.actor_id,
            )


def _told(change: StatusChange) -> str:
    words = gettext("This was noted by mistake and was taken back")
    if change.day is not None:
        words = gettext("The resident was told")
    elif change.reason is not None:
        words = gettext("Telling the resident was deferred")
    return str(words)


def _replaces(later: StatusChange, change: StatusChange) -> bool:
    """Return whether a later line corrects this one. A deferral before telling, or a referral, does not."""
    if later.action is Action.REFER:
        return False
    taken_back = later.day is None and later.reason is None
    return taken_back or (change.day is not None and later.day is not None)


def _notes(opened: OpenedSignal) -> Iterator[Event]:
    for signed in (*opened.notes, *opened.former_notes):
        note = signed.entry
        yield Event(
            on=note.written_at.date(),
            at=note.written_at,
            what=gettext("Note"),
            by=signed.by or "",
            text=note.text or gettext("Unreadable"),
            struck=signed in opened.former_notes,
            form="correct-note",
            entry=note,
            author_id=note.written_by_id,
        )


def _last_change(opened: OpenedSignal) -> dict[str, str]:
    changes = [
        *((signed.entry.at, signed.by or "") for signed in opened.history if signed.entry.actor_id),
        *((signed.entry.recorded_at, signed.by or "") for signed in opened.attempts),
        *((signed.entry.written_at, signed.by or "") for signed in opened.notes),
    ]
    if not changes:
        return {"name": gettext("a colleague"), "moment": gettext("just now")}
    at, name = max((at, name) for at, name in changes if at)
    return {"name": name or gettext("a colleague"), "moment": moment(at)}
