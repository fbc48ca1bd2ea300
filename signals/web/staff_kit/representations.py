"""Signals as the staff API shows them; the names are fixed, other programs rely on them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from signals.casework import EarlierSignal, OpenedNote, Suggestion
from signals.intake.content import Summary
from signals.lifecycle.transitions import life_of
from signals.models import ContactAttempt, Signal, StatusChange
from signals.routing.postcodes import Address
from signals.vocabulary import SignalState
from signals.web.staff_kit.opened import OpenedSignal

Names = Mapping[UUID, str]


def queue_items(
    signals: Iterable[Signal], summaries: Mapping[UUID, Summary], claimants: Names, on: date
) -> list[dict[str, Any]]:
    """Signals in a list; `on` is today in Amsterdam."""
    nothing = Summary()
    return [_item(signal, summaries.get(signal.id, nothing), claimants, on) for signal in signals]


def opened_signal(opened: OpenedSignal, on: date) -> dict[str, Any]:
    """A signal in the clear."""
    signal, report = opened.signal, opened.report
    return {
        **_item(signal, report.summary, opened.names, on),
        "address": address(report.address),
        "address_doubts": list(opened.doubts),
        "seen": report.summary.seen,
        "noticed_on": _day(report.noticed_on),
        "note": report.note,
        "contact_attempts": [attempt(entry, opened.names) for entry in signal.attempts],
        "history": [_change(entry, opened.names) for entry in life_of(signal)],
        "earlier": [_earlier(entry) for entry in opened.earlier],
        "notice": notice(signal),
        "notes": [_note(entry, opened.names) for entry in opened.notes],
        "suggestion": _suggestion(opened.suggestion),
        "outcome": signal.outcome,
        "referred_to": signal.referred_to,
        "newly_known": signal.newly_known,
        **wmo(signal),
        "first_contact_at": _moment(signal.first_contact_at),
        "concluded_at": _moment(signal.concluded_at),
    }


def is_overdue(signal: Signal, on: date) -> bool:
    """Whether the next deadline has passed; none runs once concluded, or while restricted (art. 18 AVG)."""
    runs = signal.state is not SignalState.CONCLUDED and signal.restricted_on is None
    return runs and signal.due_on < on


def attempt(entry: ContactAttempt, names: Names) -> dict[str, Any]:
    """A contact attempt."""
    return {
        "id": str(entry.id),
        "kind": entry.kind,
        "result": entry.result,
        "attempted_at": _moment(entry.attempted_at),
        "workers": entry.workers,
        "postponed_until": _day(entry.postponed_until),
        "recorded_by": names.get(entry.recorded_by_id, ""),
        "recorded_at": _moment(entry.recorded_at),
    }


def notice(signal: Signal) -> dict[str, Any]:
    """Whether the resident was told."""
    return {"notified_on": _day(signal.notified_on), "deferred_because": signal.deferred_because}


def wmo(signal: Signal) -> dict[str, Any]:
    """Whether a Wmo notification was made."""
    return {"wmo_notified_on": _day(signal.wmo_notified_on)}


def written_note(note_id: UUID, written_by: str, written_at: datetime) -> dict[str, Any]:
    """That a note was written, without its text."""
    return {"id": str(note_id), "written_by": written_by, "written_at": _moment(written_at)}


def address(place: Address) -> dict[str, Any]:
    """An address in its parts."""
    return {"postcode": place.postcode, "house_number": place.number, "addition": place.addition}


def _item(signal: Signal, summary: Summary, names: Names, on: date) -> dict[str, Any]:
    return {
        "id": str(signal.id),
        "reference": signal.reference,
        "state": signal.state,
        "concern_types": list(summary.concern_types),
        "received_on": _day(signal.received_on),
        "claim_by": _day(signal.claim_by),
        "contact_by": _day(signal.contact_by),
        "conclude_by": _day(signal.conclude_by),
        "postponed_until": _day(signal.postponed_until),
        "overdue": is_overdue(signal, on),
        "claimed_by": names.get(signal.claimed_by_id) if signal.claimed_by_id else None,
        "repeat": signal.repeat,
        "restricted_on": _day(signal.restricted_on),
        "version": signal.version,
    }


def _change(entry: StatusChange, names: Names) -> dict[str, Any]:
    return {
        "action": entry.action,
        "before": entry.before,
        "after": entry.after,
        "on": _day(entry.on),
        "at": _moment(entry.at),
        "by": names.get(entry.actor_id) if entry.actor_id else None,
        "reason": entry.reason,
    }


def _earlier(entry: EarlierSignal) -> dict[str, Any]:
    return {
        "id": str(entry.signal_id) if entry.signal_id else None,
        "reference": entry.reference,
        "state": entry.state,
        "received_on": _day(entry.received_on),
        "outcome_group": entry.outcome_group,
        "same_address": entry.same_address,
    }


def _note(entry: OpenedNote, names: Names) -> dict[str, Any]:
    return {
        **written_note(entry.id, names.get(entry.written_by_id, ""), entry.written_at),
        "text": entry.text,
    }


def _suggestion(entry: Suggestion | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {
        "kind": entry.kind,
        "part_of_day": entry.part_of_day,
        "reason_code": entry.reason_code,
        "figures": dict(entry.figures),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
