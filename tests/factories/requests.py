"""Requests of residents and of administrators, and reports and referrals that they may concern."""

import factory

from signals.models import Approval, Referral, RegisterEntry, RetentionPeriod, SealedReport
from signals.vocabulary import ApprovalAction, RetentionRule
from tests.factories.base import EPOCH_DAY, MOMENT, RowFactory, numbered_id


class ApprovalFactory(RowFactory):
    """A request for an account; `organisation_id` and `asked_by_id` must be given."""

    class Meta:
        model = Approval

    id = factory.Sequence(lambda n: numbered_id(0xA9, n))
    action = ApprovalAction.GRANT
    email = "nieuw@example.org"
    name = "Nieuw"
    asked_at = MOMENT


class RegisterEntryFactory(RowFactory):
    """A request for access that was answered; `organisation_id` and `recorded_by_id` must be given."""

    class Meta:
        model = RegisterEntry

    id = factory.Sequence(lambda n: numbered_id(0x4E, n))
    right = "access"
    recorded_on = EPOCH_DAY
    signals_found = 0
    identity_checked = "digid"
    residence_checked = "brp"
    third_parties_checked = True
    outcome = "exported"


class ReferralFactory(RowFactory):
    """A referral whose old key is destroyed; both organisations and `referred_by_id` must be given."""

    class Meta:
        model = Referral

    id = factory.Sequence(lambda n: numbered_id(0x4F, n))
    signal_id = factory.Sequence(lambda n: numbered_id(0x51, n))
    reference = factory.Sequence(lambda n: f"{n // 10_000:04d}-{n % 10_000:04d}")
    referred_on = EPOCH_DAY
    reason = "moved"
    old_case_key_id = factory.Sequence(lambda n: numbered_id(0xCA, n))
    key_destroyed_on = EPOCH_DAY
    sequence = 2  # last: it hides the function of this name


class SealedReportFactory(RowFactory):
    """A report that waits, with no real envelope; organisation and mailbox key must be given."""

    class Meta:
        model = SealedReport

    receipt_hash = b"r" * 32
    signal_id = factory.Sequence(lambda n: numbered_id(0x51, n))
    schema_version = 1
    received_on = EPOCH_DAY
    unrouted = False
    envelope = b"sealed"


class RetentionPeriodFactory(RowFactory):
    """A period of an organisation for concluded signals; `organisation_id` and `days` must be given."""

    class Meta:
        model = RetentionPeriod

    rule = RetentionRule.CONCLUDED
    legal_basis = "Selectielijst"
