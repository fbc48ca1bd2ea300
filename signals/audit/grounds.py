"""The grounds of the audit trail: why somebody did something. A stored code never changes."""

from enum import StrEnum
from typing import Final

MAX_LENGTH: Final = 80
"""The column holds so many characters; `Ground.of` cuts off the rest."""


class Detailed(str):
    """A ground with a detail, both codes: `retention:erasure`. `Ground.of` makes it."""

    __slots__ = ()


class Ground(StrEnum):
    """Why somebody did something. The words are in the catalogues."""

    # Follow-up of a signal: the actions of `vocabulary.Action`, and what else a worker does.
    ARRIVE = "arrive"
    CLAIM = "claim"
    RELEASE = "release"
    RECORD_ATTEMPT = "record_attempt"
    REFER = "refer"
    TAKE_BACK = "take_back"
    CONCLUDE = "conclude"
    REOPEN = "reopen"
    SET_ASIDE = "set_aside"
    BRING_BACK = "bring_back"
    ARRIVAL = "arrival"
    FOLLOW_UP = "follow_up"
    HANDOVER = "handover"
    NOTE = "note"
    POSTPONED = "postponed"
    CORRECTED = "corrected"
    UNDONE = "undone"
    QUEUE = "queue"
    REFUSED = "refused"

    # A notification of the resident, or a report under the Wmo.
    DEFERRED = "deferred"
    NOTICE_TAKEN_BACK = "notice_taken_back"
    NOTIFIED = "notified"
    WMO_NOTIFIED = "wmo_notified"
    WMO_TAKEN_BACK = "wmo_taken_back"

    # Searches, and rights of the resident.
    ADDRESS = "address"
    REFERENCE = "reference"
    RIGHT_OF_RESIDENT = "right_of_resident"
    ART_14_AVG = "art_14_avg"
    ART_15_AVG = "art_15_avg"
    ART_16_AVG = "art_16_avg"
    ART_17_AVG = "art_17_avg"
    ART_18_AVG = "art_18_avg"
    ART_21_AVG = "art_21_avg"

    # Comparisons, and the signals that they never draw.
    JOINED = "joined"
    LEFT = "left"
    NOT_URGENT = "not_urgent"
    REGISTERED = "registered"
    STOPPED = "stopped"
    URGENT = "urgent"

    # Accounts and sign-in.
    ABSENCE_ADDED = "absence_added"
    ABSENCE_REMOVED = "absence_removed"
    ADDED = "added"
    ANOTHER_LANGUAGE = "another_language"
    AUTHENTICATOR = "authenticator"
    DISABLED = "disabled"
    FORGED = "forged"
    FROM_ACCOUNT = "from_account"
    INVITATION = "invitation"
    LINK_OPENED = "link_opened"
    OPENINGS_RESUMED = "openings_resumed"
    OPENINGS_STOPPED = "openings_stopped"
    OWN = "own"
    PASSKEY = "passkey"
    PASSKEY_COPIED = "passkey_copied"
    PRINTED_CODE = "printed_code"
    PROVIDER = "provider"
    RECOVERED = "recovered"
    RECOVERY = "recovery"
    REMOVED = "removed"
    RENAMED = "renamed"
    REOPENED = "reopened"
    ROLE = "role"
    TOKEN = "token"  # noqa: S105 - a code of the trail
    TOKEN_ISSUED = "token_issued"  # noqa: S105 - a code of the trail
    UNKNOWN_ADDRESSES = "unknown_addresses"

    # Approvals.
    APPROVED = "approved"
    DECLINED = "declined"
    GRANT = "grant"
    RESET = "reset"

    # Organisations, their areas, recipients and messages.
    CASE_SYSTEM = "case_system"
    CHANGED = "changed"
    CONNECTED = "connected"
    COVERAGE = "coverage"
    DEAD_LETTER = "dead_letter"
    DEPUTY_ASKED_AGAIN = "deputy_asked_again"
    DEPUTY_PROVED = "deputy_proved"
    DRILL_ANSWERED = "drill_answered"
    DISCONNECTED = "disconnected"
    DRILLS_MISSED = "drills_missed"
    ENDED = "ended"
    IMPORT = "import"
    LIMIT_RAISED = "limit_raised"
    MERGED = "merged"
    OFFICIAL_FILE = "official_file"
    RECIPIENT_ASKED_AGAIN = "recipient_asked_again"
    RECIPIENT_PROVED = "recipient_proved"
    SETTINGS = "settings"
    TEST_MESSAGE = "test_message"

    # Keys, retention and the trail itself.
    API = "api"
    CSV = "csv"
    MASTER_ROTATED = "master_rotated"
    MASTER_ROTATION_BEGUN = "master_rotation_begun"
    PAGE = "page"
    RETENTION = "retention"
    SWEPT = "swept"
    THROUGH = "through"

    def of(self, detail: object) -> Detailed:
        """Return this ground with a detail, which is a code too."""
        return Detailed(f"{self}:{detail}"[:MAX_LENGTH])


def split(ground: str) -> tuple[str, str]:
    """Return the code of a stored ground, and its detail or nothing."""
    code, _colon, detail = ground.partition(":")
    return code, detail
