"""The words of the domain as closed lists: what may be stored, sent and shown.

Codes are stable and part of the API; labels for people live in `signals.web.labels`.
"""

from enum import StrEnum


class Environment(StrEnum):
    """The environment of the software; production refuses unsafe settings and the demo."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class ClearReports(StrEnum):
    """Whether the public side takes a report that the sender did not seal."""

    ALLOW = "allow"
    REFUSE = "refuse"


class ProcessRole(StrEnum):
    """Which part of the one code base a process serves."""

    FRONT = "front"
    DESK = "desk"
    ISSUER = "issuer"
    WORKER = "worker"
    ALL = "all"


class Source(StrEnum):
    """The sender as far as it is known: a token proved a profession, or nothing did."""

    CARRIER = "carrier"
    UNPROVEN = "unproven"

    @classmethod
    def of(cls, profession: "Profession | None") -> "Source":
        """Return the source of a report whose sender proved this profession, or none."""
        return cls.CARRIER if profession else cls.UNPROVEN


class Profession(StrEnum):
    """The professions that come to doors; the issuer of a token states it, and a report never does."""

    CARRIER = "carrier"
    METER_READER = "meter_reader"
    HOME_CARE = "home_care"
    HOUSING = "housing"


class ConcernType(StrEnum):
    """The observations that a carrier may report, never diagnoses. Eight at most."""

    MAIL_PILING_UP = "mail_piling_up"
    NOT_SEEN = "not_seen"
    SEEMS_LONELY = "seems_lonely"
    CONFUSED = "confused"
    SELF_NEGLECT = "self_neglect"
    HOME_NEGLECTED = "home_neglected"
    FRAIL = "frail"
    OTHER = "other"


class Seen(StrEnum):
    """How often the carrier saw it."""

    ONCE = "once"
    REPEATEDLY = "repeatedly"
    CHANGED = "changed"


class SignalState(StrEnum):
    """The life of a signal after arrival; a report that has not arrived yet has none."""

    NEW = "new"
    CLAIMED = "claimed"
    IN_FOLLOW_UP = "in_follow_up"
    CONCLUDED = "concluded"
    SET_ASIDE = "set_aside"  # part of a flood: unread, and deleted after a week unless it is brought back


OPEN_STATES = frozenset({SignalState.NEW, SignalState.CLAIMED, SignalState.IN_FOLLOW_UP})
"""The states of a signal that waits for the team or that the team works on."""


class ReceiptState(StrEnum):
    """The state that a carrier may learn of an own report, as of the previous day. Never the outcome."""

    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """The actions of staff (or the system) on a signal; all but NOTIFY are keys of the transition table."""

    ARRIVE = "arrive"
    CLAIM = "claim"
    RELEASE = "release"
    RECORD_ATTEMPT = "record_attempt"
    REFER = "refer"
    TAKE_BACK = "take_back"
    CONCLUDE = "conclude"
    REOPEN = "reopen"
    NOTIFY = "notify"  # the resident, or noted why not yet: the state stays
    SET_ASIDE = "set_aside"
    BRING_BACK = "bring_back"


class OrganisationKind(StrEnum):
    """The kinds of organisations that receive signals."""

    SOCIAL_WORK = "social_work"
    GGD = "ggd"
    NATIONAL = "national"


class Role(StrEnum):
    """The role of a member of staff decides their rights; see the table of people in the domain design."""

    WORKER = "worker"
    LEAD = "lead"
    COORDINATOR = "coordinator"
    ADMINISTRATOR = "administrator"
    PRIVACY_OFFICER = "privacy_officer"


class ApprovalAction(StrEnum):
    """The kinds of requests: an administrator makes all but `role`, `disable` and `connect`; a lead these."""

    GRANT = "grant"  # a new account
    RESET = "reset"  # an account set up anew
    ROLE = "role"  # a role, for somebody new or of the team
    DISABLE = "disable"  # an account shut
    COVER = "cover"  # an area, for another organisation
    PROVIDER = "provider"  # the provider at which a team signs in, or none
    CONNECT = "connect"  # a system of the organisation, which gets signals or events


class AttemptKind(StrEnum):
    """How contact was tried."""

    VISIT = "visit"
    PHONE = "phone"
    LETTER = "letter"
    CARD = "card"
    THROUGH_OTHER = "through_other"


class ComparisonArm(StrEnum):
    """The orders of the first two attempts that a comparison draws from."""

    VISIT_FIRST = "visit_first"
    CARD_FIRST = "card_first"
    LETTER_FIRST = "letter_first"


class AttemptResult(StrEnum):
    """The result of a contact attempt."""

    NO_ANSWER = "no_answer"
    CONTACT = "contact"
    REFUSED = "refused"
    WRONG_ADDRESS = "wrong_address"
    POSTPONED = "postponed"


class Outcome(StrEnum):
    """Exactly one at conclusion."""

    NO_CONCERN = "no_concern"
    TALK_SUFFICED = "talk_sufficed"
    HELP_ACCEPTED = "help_accepted"
    REFERRED = "referred"
    ALREADY_KNOWN = "already_known"
    HELP_DECLINED = "help_declined"
    NOT_REACHED = "not_reached"
    ESCALATED = "escalated"
    DUPLICATE = "duplicate"
    WRONG_ADDRESS = "wrong_address"
    MISUSE = "misuse"


MAY_LEAVE = frozenset({Outcome.HELP_ACCEPTED, Outcome.REFERRED})
"""Outcomes after which somebody else goes on, so that the signal may go to the case system."""

OUTCOME_GROUPS = {
    Outcome.NO_CONCERN: "no_concern",
    Outcome.TALK_SUFFICED: "helped",
    Outcome.HELP_ACCEPTED: "helped",
    Outcome.REFERRED: "helped",
    Outcome.ESCALATED: "helped",
    Outcome.ALREADY_KNOWN: "known",
    Outcome.HELP_DECLINED: "declined",
    Outcome.NOT_REACHED: "not_reached",
    Outcome.DUPLICATE: "void",
    Outcome.WRONG_ADDRESS: "void",
    Outcome.MISUSE: "void",
}
"""Outcomes in groups; an address link keeps only the group of a purged signal."""


class NotReachedReason(StrEnum):
    """Why a resident was not reached; all but the first stand in for attempts that the organisation asks."""

    TRIED_ENOUGH = "tried_enough"
    MOVED_AWAY = "moved_away"
    DECEASED = "deceased"
    NOBODY_LIVES_THERE = "nobody_lives_there"
    UNSAFE_TO_VISIT = "unsafe_to_visit"
    ASKED_TO_STOP = "asked_to_stop"


class ContactBy(StrEnum):
    """How a worker spoke with the resident: a kind of attempt, or not at all; asked at a conclusion."""

    VISIT = "visit"
    PHONE = "phone"
    THROUGH_OTHER = "through_other"
    LETTER = "letter"
    CARD = "card"
    NOBODY = "nobody"


class NotifiedBy(StrEnum):
    """How the resident was told who holds what and why (art. 14 AVG)."""

    LETTER = "letter"
    IN_PERSON = "in_person"
    PHONE = "phone"


class ReferredTo(StrEnum):
    """The destination of a concluded signal: help for `referred`, a crisis route for `escalated`."""

    HUISARTS = "huisarts"
    WIJKTEAM_WMO = "wijkteam_wmo"
    SCHULDHULP = "schuldhulp"
    GGD_OGGZ = "ggd_oggz"
    GGZ = "ggz"
    VERSLAVINGSZORG = "verslavingszorg"
    VEILIG_THUIS = "veilig_thuis"
    WONINGCORPORATIE = "woningcorporatie"
    OTHER = "other"
    CRISIS_112 = "112_crisis"
    WVGGZ = "wvggz"


CRISIS_ROUTES = frozenset({ReferredTo.CRISIS_112, ReferredTo.WVGGZ})


class ReferralReason(StrEnum):
    """Why a signal went to another organisation."""

    OUTSIDE_AREA = "outside_area"
    OTHER_EXPERTISE = "other_expertise"
    MOVED = "moved"
    NO_CAPACITY = "no_capacity"
    OTHER = "other"


class DeferralReason(StrEnum):
    """Why the art. 14 AVG information is deferred (art. 14(5) AVG, art. 41 UAVG)."""

    WOULD_ENDANGER = "would_endanger"
    IMPOSSIBLE = "impossible"
    DISPROPORTIONATE = "disproportionate"
    SAFETY_OF_OTHERS = "safety_of_others"
    ALREADY_INFORMED = "already_informed"


class RetentionRule(StrEnum):
    """Which period a signal falls under; the first that is over ends it."""

    CONCLUDED = "concluded"  # days after the conclusion
    UNATTENDED = "unattended"  # days after receipt, never claimed and nobody informed
    HARD_LIMIT = "hard_limit"  # days after receipt, whatever the state


class DeletionReason(StrEnum):
    """Why a signal was deleted."""

    CONCLUDED = "concluded"
    UNATTENDED = "unattended"
    HARD_LIMIT = "hard_limit"
    ERASURE = "erasure"  # art. 17 AVG
    OBJECTION = "objection"  # art. 21 AVG
    FLOOD = "flood"  # set aside, and nobody brought it back
    UNREADABLE = "unreadable"  # its key or content is damaged, and the privacy officer gave it up


class AuditAction(StrEnum):
    """The action in an audit entry: the event field of NEN 7513."""

    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_OUT = "sign_out"
    SIGNAL_ARRIVED = "signal_arrived"
    SIGNAL_OPENED = "signal_opened"
    CONTENT_USED = "content_used"  # for a note, a referral or a correction; shown to nobody
    SUMMARIES_READ = "summaries_read"
    SIGNAL_CHANGED = "signal_changed"
    FOREIGN_SIGNAL_REFUSED = "foreign_signal_refused"
    ROUND_PRINTED = "round_printed"
    SEARCHED = "searched"
    NOTICE_PRINTED = "notice_printed"
    NOTICE_RECORDED = "notice_recorded"
    SIGNAL_REFERRED = "signal_referred"
    SIGNAL_PURGED = "signal_purged"
    STAFF_CHANGED = "staff_changed"
    ORGANISATION_CHANGED = "organisation_changed"
    COVERAGE_CHANGED = "coverage_changed"
    KEYS_CHANGED = "keys_changed"
    COMPARISON_CHANGED = "comparison_changed"
    EXPORTED = "exported"
    AUDIT_READ = "audit_read"
    AUDIT_PRUNED = "audit_pruned"
    RIGHT_EXERCISED = "right_exercised"
    SIGNAL_ERASED = "signal_erased"
    SIGNAL_RECTIFIED = "signal_rectified"
    SIGNAL_RESTRICTED = "signal_restricted"
    PASSKEY_CHANGED = "passkey_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the word, not a secret
    APPROVAL_ASKED = "approval_asked"
    APPROVAL_DECIDED = "approval_decided"
    ROW_REFUSED = "row_refused"


AUTONYMS = {
    "nl": "Nederlands",
    "en": "English",
    "pl": "Polski",
    "ar": "العربية",
    "tr": "Türkçe",
    "bg": "Български",
    "ro": "Română",
    "uk": "Українська",
}
"""Each language's own name for itself."""

LANGUAGES = tuple(AUTONYMS)
"""ISO 639-1 codes of the carrier's side and the letters, in the order of the language switch."""

STAFF_LANGUAGES = ("nl", "en")
