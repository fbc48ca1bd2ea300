"""Forgetting on time: how long what is kept, the purge that keeps to it, and replaying it after a restore.

A purge deletes the rows, leaves a deletion record and a fact in the same transaction, and then destroys the
case key, after which no backup of the database can be read. Killed anywhere, it is done again: a record
without a confirmed key destruction is taken up by the next run.
"""

from signals.retention.ends import (
    LINKS_KEPT_DAYS,
    RECEIPTS_KEPT_DAYS,
    RECORDS_KEPT_DAYS,
    Ends,
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
    "Ends",
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
