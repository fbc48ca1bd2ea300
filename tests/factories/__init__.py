"""Rows for tests: one factory a table, fixed moments and sequences, nothing random.

`factories.using(session)` says which session the rows go to; they are flushed, never committed.
"""

from tests.factories.base import EPOCH_DAY, MOMENT, using
from tests.factories.messages import DeliveryAttemptFactory, OutboxMessageFactory, RecipientFactory
from tests.factories.organisations import OrganisationFactory, receiving
from tests.factories.records import (
    AuditEntryFactory,
    DeletionOrderFactory,
    DeletionRecordFactory,
    StatusChangeFactory,
)
from tests.factories.requests import (
    ApprovalFactory,
    ReferralFactory,
    RegisterEntryFactory,
    RetentionPeriodFactory,
    SealedReportFactory,
)
from tests.factories.signals import AddressLinkFactory, ContactAttemptFactory, ReceiptFactory, SignalFactory
from tests.factories.staff import StaffMemberFactory, StaffSessionFactory
from tests.factories.teams import AbsenceFactory, AreaDayFactory, ConnectionFactory, CoverageAreaFactory

__all__ = [
    "EPOCH_DAY",
    "MOMENT",
    "AbsenceFactory",
    "AddressLinkFactory",
    "ApprovalFactory",
    "AreaDayFactory",
    "AuditEntryFactory",
    "ConnectionFactory",
    "ContactAttemptFactory",
    "CoverageAreaFactory",
    "DeletionOrderFactory",
    "DeletionRecordFactory",
    "DeliveryAttemptFactory",
    "OrganisationFactory",
    "OutboxMessageFactory",
    "ReceiptFactory",
    "RecipientFactory",
    "ReferralFactory",
    "RegisterEntryFactory",
    "RetentionPeriodFactory",
    "SealedReportFactory",
    "SignalFactory",
    "StaffMemberFactory",
    "StaffSessionFactory",
    "StatusChangeFactory",
    "receiving",
    "using",
]
