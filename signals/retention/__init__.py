"""Delete signals and everything around them when their retention period ends, and again after a restore.

Start at `nightly.Retention.run`. A purge deletes the rows and leaves a deletion record and a fact in one
transaction; then it destroys the case key, which makes every backup of the content unreadable.
"""

from signals.retention.expiry import (
    LINKS_KEPT_DAYS,
    RECEIPTS_KEPT_DAYS,
    RECORDS_KEPT_DAYS,
    Expiry,
)
from signals.retention.journal import Deletion, DeletionJournal, NoJournal
from signals.retention.nightly import Retention, RetentionReport
from signals.retention.orders import order_deletion
from signals.retention.periods import (
    DEFAULT_PERIODS,
    Due,
    Period,
    due_signals,
    periods_of,
    refuse_unfit,
)
from signals.retention.purging import BATCH, Locate, purge

__all__ = [
    "BATCH",
    "DEFAULT_PERIODS",
    "LINKS_KEPT_DAYS",
    "RECEIPTS_KEPT_DAYS",
    "RECORDS_KEPT_DAYS",
    "Deletion",
    "DeletionJournal",
    "Due",
    "Expiry",
    "Locate",
    "NoJournal",
    "Period",
    "Retention",
    "RetentionReport",
    "due_signals",
    "order_deletion",
    "periods_of",
    "purge",
    "refuse_unfit",
]
