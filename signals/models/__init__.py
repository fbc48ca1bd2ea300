"""The tables of the signals, one module for one concept."""

from signals.models.area_day import AreaDay, UnprovenDay
from signals.models.audit import AuditEntry, AuditHead, AuditLink
from signals.models.base import Base
from signals.models.comparison import Comparison, ComparisonDraw, ComparisonTeam
from signals.models.connection import Connection
from signals.models.drill import Drill
from signals.models.organisation import (
    CoverageArea,
    MailboxPublicKey,
    MunicipalityOfPostcode,
    Organisation,
    Recipient,
    RoutingVersion,
)
from signals.models.place import PlacePage
from signals.models.retention import (
    DeletionOrder,
    DeletionRecord,
    Referral,
    RegisterEntry,
    RetentionPeriod,
    SignalFact,
)
from signals.models.running import FrontKey, JobRun
from signals.models.signal import (
    AddressLink,
    ContactAttempt,
    FollowUpNote,
    IdempotencyKey,
    Receipt,
    SealedReport,
    Signal,
    SpentToken,
    StatusChange,
)
from signals.models.staff import (
    Absence,
    AccountLink,
    Approval,
    Challenge,
    IdentityProvider,
    Passkey,
    SignInGuess,
    StaffMember,
    StaffSession,
    StoppedAccount,
    UnknownSignIns,
)
from signals.models.statistics import OrganisationYear, Publication
