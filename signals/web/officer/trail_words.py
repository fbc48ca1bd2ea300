"""What the audit trail's codes mean: why something was done and what came of it, in words for a reader.

Exports keep the codes, for programs. A code that has no words here is shown as it is.
"""

from collections.abc import Callable, Mapping
from typing import Final

from flask_babel import LazyString, ngettext
from flask_babel import lazy_gettext as _

from signals.vocabulary import AUTONYMS, Action, AuditAction, DeletionReason, RetentionRule, Role
from signals.web.labels import label
from signals.web.staff_kit import display, typed_words
from signals.web.staff_kit.labels import level_words

Words = Mapping[str, LazyString]

_GROUNDS: Final[Words] = {
    "absence_added": _("an absence was added"),
    "absence_removed": _("an absence was removed"),
    "added": _("added"),
    "address": _("by address"),
    "another_language": _("another language"),
    "approved": _("approved"),
    "art_14_avg": _("letter to the resident (art. 14)"),
    "art_15_avg": _("access (art. 15)"),
    "art_16_avg": _("rectification (art. 16)"),
    "art_17_avg": _("erasure (art. 17)"),
    "art_18_avg": _("restriction (art. 18)"),
    "art_21_avg": _("objection (art. 21)"),
    "arrival": _("passed on by a carrier"),
    "api": _("by a program"),
    "authenticator": _("another authenticator"),
    "csv": _("as a CSV file"),
    "declined": _("declined"),
    "deferred": _("later, with a reason"),
    "deputy_asked_again": _("the deputy was asked again"),
    "deputy_proved": _("the deputy confirmed"),
    "disabled": _("shut out"),
    "drill_answered": _("a test message was answered"),
    "drills_missed": _("test messages were not answered"),
    "follow_up": _("follow-up"),
    "from_account": _("from the page of the account"),
    "grant": _("a new account"),
    "handover": _("hand-over to the own case system"),
    "import": _("from a file"),
    "invitation": _("set up after an invitation"),
    "invited": _("invited"),
    "master_rotated": _("another master key"),
    "master_rotation_begun": _("another master key, begun"),
    "merged": _("organisations were merged"),
    "note": _("a note"),
    "notice_taken_back": _("that the resident was told, or why not yet, was taken back"),
    "notified": _("the resident was told"),
    "official_file": _("from the official file"),
    "own": _("by the person themself"),
    "page": _("on a page"),
    "passkey": _("with a passkey"),
    "passkey_copied": _("with a passkey that seems to be copied"),
    "queue": _("in the queue"),
    "recipient_asked_again": _("a recipient was asked again"),
    "recipient_proved": _("a recipient confirmed"),
    "recovered": _("to be set up anew"),
    "recovery": _("set up anew"),
    "reference": _("by reference"),
    "refused": _("could not be opened"),
    "removed": _("removed"),
    "renamed": _("renamed"),
    "reopened": _("let in again"),
    "reset": _("reset of an account"),
    "right_of_resident": _("a right of the resident"),
    "swept": _("keys of deleted signals were destroyed"),
    "token": _("with a token"),
    "token_issued": _("a token was issued"),
    "wmo_notified": _("a Wmo notification was made"),
    "wmo_taken_back": _("the Wmo notification was taken back"),
}
_FIELDS: Final[Words] = {
    "recipients": _("Recipients"),
    "working_days": _("Days on which messages come"),
}
"""Settings that are no single field of a form; the others have their words in `typed_words`."""
_OUTCOMES: Final[Words] = {
    "foreign": _("of another organisation"),
    "found": _("found"),
    "lifted": _("restriction lifted"),
    "refused": _("refused"),
    "restricted": _("restriction set"),
    "unknown": _("does not exist"),
}
_ROLES: Final[Words] = {"system": _("the system"), "unknown": _("unknown")}

_ABSENCES: Final = frozenset({"absence_added", "absence_removed"})


def action_words(action: AuditAction, ground: str) -> str:
    """What was done: an absence is written down as a change of its account, and is none to who reads it."""
    if action is AuditAction.STAFF_CHANGED and ground in _ABSENCES:
        return str(_("Absence changed"))
    return _label(action)


def ground_words(ground: str) -> str:
    """Why something was done; `kind:detail` becomes the words of both."""
    if ground in _GROUNDS:
        return str(_GROUNDS[ground])
    if ground in Action.__members__.values():
        return _label(Action(ground)).lower()
    kind, _colon, detail = ground.partition(":")
    return _DETAILED[kind](detail) if kind in _DETAILED and detail else ground


def outcome_words(outcome: str) -> str:
    """What came of it; empty for what went as usual."""
    if outcome in ("", "ok"):
        return ""
    kind, _colon, number = outcome.partition(":")
    if kind == "shown" and number.isdecimal():
        return str(ngettext("%(num)d signal", "%(num)d signals", int(number)))
    return str(_OUTCOMES.get(outcome) or AUTONYMS.get(outcome, outcome))


def actor_words(actor_role: str) -> str:
    """Who acted, where no name is known: a role, or the system."""
    if actor_role in Role.__members__.values():
        return _label(Role(actor_role))
    return str(_ROLES.get(actor_role, actor_role))


def _label(code: Action | AuditAction | Role | RetentionRule | DeletionReason) -> str:
    return label(code, display.page_language())


def _retention(detail: str) -> str:
    """A period that was set (`concluded:28`), or the reason of a deletion (`erasure`)."""
    code, _colon, days = detail.partition(":")
    if days.isdecimal() and code in RetentionRule.__members__.values():
        period = ngettext("%(num)d day", "%(num)d days", int(days))
        return f"{_label(RetentionRule(code))}: {period}"
    return _label(DeletionReason(code)).lower() if code in DeletionReason.__members__.values() else detail


def _settings(detail: str) -> str:
    """Names of settings; the last is cut off where there were many."""
    names = [_field(name) for name in detail.split(",")]
    return ", ".join(name for name in names if name)


def _field(name: str) -> str:
    words = typed_words.word(name, typed_words.of_pages(""))
    return str(_FIELDS[name]) if name in _FIELDS else words


def _area(added: LazyString) -> Callable[[str], str]:
    return lambda level: f"{added}: {level_words(level, display.page_language())}"


_DETAILED: Final[Mapping[str, Callable[[str], str]]] = {
    "added": _area(_GROUNDS["added"]),
    "ended": _area(_("ended")),
    "changed": _settings,
    "settings": _settings,
    "retention": _retention,
    "role": actor_words,
    "limit_raised": lambda raises: str(_("limit of the day raised (%(number)s)", number=raises)),
    "dead_letter": lambda wish: str(
        {"again": _("message sent again"), "drop": _("message given up")}.get(wish, wish)
    ),
    "through": lambda place: str(_("up to and including place %(place)s", place=place)),
}
