"""Words for the codes of the audit trail: the action, its ground, its outcome and the actor.

Exports keep the codes, for programs. The page shows a code without words as it is.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from flask_babel import LazyString, ngettext
from flask_babel import lazy_gettext as _

from signals.audit.grounds import Ground, split
from signals.models.connection import SystemKind
from signals.vocabulary import AUTONYMS, AuditAction, DeletionReason, RetentionRule, Role
from signals.web.labels import label
from signals.web.staff_kit import display
from signals.web.staff_kit.labels import level_words

Words = Mapping[str, LazyString]

_SETTINGS: Final[Words] = {
    "agreement_on": _("Date of the agreement"),
    "claim_working_days": _("Claimed within, working days"),
    "conclude_calendar_days": _("Concluded within, days"),
    "contact_email": _("E-mail address for residents"),
    "contact_phone": _("Telephone for residents"),
    "contact_working_days": _("First attempt within, working days"),
    "deputy_email": _("E-mail address of the deputy"),
    "digest_at": _("One message a day at, hour"),
    "escalation_working_days": _("Working days between two of them"),
    "kind": _("Kind"),
    "language": _("Language"),
    "legal_basis": _("Legal ground"),
    "letter_words": _("Your own words in letters and cards"),
    "letterhead": _("Letterhead"),
    "logo": _("Logo"),
    "minimum_attempts": _("Attempts before 'not reached'"),
    "name": _("Name"),
    "opens_at": _("Your working day begins at, hour"),
    "quiet_from": _("Quiet from, hour"),
    "quiet_until": _("Quiet until, hour"),
    "recipients": _("Recipients"),
    "retry_working_days": _("Working days until the next attempt"),
    "retention_basis": _("Ground of the retention periods"),
    "suspended_from": _("Receives nothing from"),
    "working_days": _("Days on which messages come"),
}
_OUTCOMES: Final[Words] = {
    "foreign": _("of another organisation"),
    "found": _("found"),
    "lifted": _("restriction lifted"),
    "refused": _("refused"),
    "restricted": _("restriction set"),
    "unknown": _("does not exist"),
}
_ROLES: Final[Words] = {"system": _("the system"), "unknown": _("unknown")}

_ABSENCES: Final = frozenset({Ground.ABSENCE_ADDED, Ground.ABSENCE_REMOVED})


def action_words(action: AuditAction, ground: str) -> str:
    """Return what somebody did; the trail keeps an absence as a change of the account."""
    if action is AuditAction.STAFF_CHANGED and ground in _ABSENCES:
        return str(_("Absence changed"))
    return _label(action)


def ground_words(ground: str) -> str:
    """Return why somebody did something: the words of the ground, and of its detail if it has one."""
    code, detail = split(ground)
    if detail and code in _DETAILED:
        return _DETAILED[code](detail)
    return _label(Ground(ground)) if ground in Ground.__members__.values() else ground


def outcome_words(outcome: str) -> str:
    """Return the result, or nothing if all went as usual."""
    if outcome in ("", "ok"):
        return ""
    kind, _colon, number = outcome.partition(":")
    if kind == "shown" and number.isdecimal():
        return str(ngettext("%(num)d signal", "%(num)d signals", int(number)))
    return str(_OUTCOMES.get(outcome) or AUTONYMS.get(outcome, outcome))


def actor_words(actor_role: str) -> str:
    """Return who acted if no name is known: a role, or the system."""
    if actor_role in Role.__members__.values():
        return _label(Role(actor_role))
    return str(_ROLES.get(actor_role, actor_role))


def _label(code: StrEnum) -> str:
    return label(code, display.page_language())


def _retention(detail: str) -> str:
    """Return the words for a period (`concluded:28`), or for the reason of a deletion (`erasure`)."""
    code, days = split(detail)
    if days.isdecimal() and code in RetentionRule.__members__.values():
        period = ngettext("%(num)d day", "%(num)d days", int(days))
        return f"{_label(RetentionRule(code))}: {period}"
    return _label(DeletionReason(code)).lower() if code in DeletionReason.__members__.values() else detail


def _settings(detail: str) -> str:
    """Return the names of settings; `Ground.of` may have cut off the last one."""
    return ", ".join(str(_SETTINGS[name]) for name in detail.split(",") if name in _SETTINGS)


def _system(ground: Ground) -> Callable[[str], str]:
    return lambda kind: f"{_label(ground)}: {_label(SystemKind(kind))}"


def _area(ground: Ground) -> Callable[[str], str]:
    return lambda level: f"{_label(ground)}: {level_words(level, display.page_language())}"


_DETAILED: Final[Mapping[str, Callable[[str], str]]] = {
    Ground.CONNECTED: _system(Ground.CONNECTED),
    Ground.DISCONNECTED: _system(Ground.DISCONNECTED),
    Ground.ADDED: _area(Ground.ADDED),
    Ground.ENDED: _area(Ground.ENDED),
    Ground.CHANGED: _settings,
    Ground.SETTINGS: _settings,
    Ground.RETENTION: _retention,
    Ground.QUEUE: lambda _digest: _label(Ground.QUEUE),
    Ground.ROLE: actor_words,
    Ground.LIMIT_RAISED: lambda raises: str(_("limit of the day raised (%(number)s)", number=raises)),
    Ground.DEAD_LETTER: lambda wish: str(
        {"again": _("message sent again"), "drop": _("message given up")}.get(wish, wish)
    ),
    Ground.THROUGH: lambda place: str(_("up to and including place %(place)s", place=place)),
}
