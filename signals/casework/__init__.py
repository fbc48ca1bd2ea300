"""The team's queue and what its people do with a signal: claim, try, note, inform, conclude, reopen.

Every changing function takes the row's lock first and then checks, in this order: role (`Forbidden`, 403),
own organisation (`NotFound`, 404), `expected_version` from If-Match (`StaleVersion`, 412), state and claim
(`Conflict`, `ClaimedByOther`, 409), values (`Invalid`, 400). None commits. On SQLite the lock is the writer's
transaction (BEGIN IMMEDIATE), so they must not run in a session of `db.reading`.
"""

from signals.audit.log import require_role
from signals.casework.access import FOLLOW_UP_ROLES, acts_on
from signals.casework.claims import claim, reassign, release
from signals.casework.duplicates import conclude_as_duplicate, to_join
from signals.casework.earlier import EarlierSignal, earlier_links
from signals.casework.notes import MAX_NOTE, OpenedNote, add_note, open_notes
from signals.casework.opening import require_signal, signal_with_follow_up
from signals.casework.queue import (
    COUNT_CAP,
    MAX_PAGE,
    QueuePage,
    claimant_name,
    exists_elsewhere,
    find_signal,
    queue_page,
    state_counts,
)
from signals.casework.suggestions import PartOfDay, Suggestion, next_best_attempt, part_of_day
from signals.casework.work import (
    NotReachedReason,
    ReopenReason,
    conclude,
    record_attempt,
    record_notice,
    record_wmo,
    reopen,
)
from signals.casework.workload import Load, colleagues, open_by_holder, workload

__all__ = [
    "COUNT_CAP",
    "FOLLOW_UP_ROLES",
    "MAX_NOTE",
    "MAX_PAGE",
    "EarlierSignal",
    "Load",
    "NotReachedReason",
    "OpenedNote",
    "PartOfDay",
    "QueuePage",
    "ReopenReason",
    "Suggestion",
    "acts_on",
    "add_note",
    "claim",
    "claimant_name",
    "colleagues",
    "conclude",
    "conclude_as_duplicate",
    "earlier_links",
    "exists_elsewhere",
    "find_signal",
    "next_best_attempt",
    "open_by_holder",
    "open_notes",
    "part_of_day",
    "queue_page",
    "reassign",
    "record_attempt",
    "record_notice",
    "record_wmo",
    "release",
    "reopen",
    "require_role",
    "require_signal",
    "signal_with_follow_up",
    "state_counts",
    "to_join",
    "workload",
]
