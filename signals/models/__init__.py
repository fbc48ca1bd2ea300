"""The tables of the signals, one module for one concept."""

from signals.models.audit import AuditEntry, AuditHead, AuditLink
from signals.models.base import Base
from signals.models.organisation import (
    CoverageArea,
    MailboxPublicKey,
    MunicipalityOfPostcode,
    Organisation,
    Recipient,
    RoutingVersion,
)
from signals.models.signal import (
    AddressLink,
    ContactAttempt,
    FollowUpNote,
    Receipt,
    SealedReport,
    Signal,
    StatusChange,
)
from signals.models.staff import StaffMember, StaffSession

__all__ = [
    "AddressLink",
    "AuditEntry",
    "AuditHead",
    "AuditLink",
    "Base",
    "ContactAttempt",
    "CoverageArea",
    "FollowUpNote",
    "MailboxPublicKey",
    "MunicipalityOfPostcode",
    "Organisation",
    "Receipt",
    "Recipient",
    "RoutingVersion",
    "SealedReport",
    "Signal",
    "StaffMember",
    "StaffSession",
    "StatusChange",
]
