"""Traces of a deleted signal: the record of its deletion, and a fact for the statistics.

Neither leads back to an address or, the fact, to a signal.
"""

import uuid
from datetime import date

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import NO_ROWID, Base, coded, new_id
from signals.vocabulary import DeletionReason, RetentionRule


class RetentionPeriod(Base):
    """How long an organisation keeps signals under one rule, and on which ground (art. 5(1)(e) AVG).

    Without a row the default of `signals.retention` holds. A shorter period waits: until `shorter_from`
    `days_before` holds, so that others can object.
    """

    __tablename__ = "retention_periods"
    __table_args__ = (
        UniqueConstraint("organisation_id", "rule"),
        CheckConstraint("days BETWEEN 1 AND 366", name="days"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    rule: Mapped[RetentionRule] = mapped_column(coded(RetentionRule, "rule"))
    days: Mapped[int]
    days_before: Mapped[int | None]
    shorter_from: Mapped[date | None] = mapped_column(Date)
    legal_basis: Mapped[str] = mapped_column(Text)

    def in_force(self, on: date) -> int:
        """Return the days that hold on a day."""
        waits = self.shorter_from is not None and on < self.shorter_from
        return self.days_before if waits and self.days_before else self.days


class DeletionRecord(Base):
    """A record of the deletion of a signal, its day and reason; it outlives the signal by two years.

    `case_key_id` names the key that was destroyed, so that a restored backup can be purged again;
    `key_destroyed_on` is null until the keystore has confirmed.
    """

    __tablename__ = "deletion_records"
    __table_args__ = (
        Index("ix_deletion_records_organisation_day", "organisation_id", "deleted_on"),
        Index("ix_deletion_records_reference", "reference"),
        Index("ix_deletion_records_deleted_on", "deleted_on"),
        Index("ix_deletion_records_unconfirmed", "case_key_id",
              sqlite_where=text("key_destroyed_on IS NULL"),
              postgresql_where=text("key_destroyed_on IS NULL")),
        NO_ROWID,
    )  # fmt: skip

    signal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[uuid.UUID]
    reference: Mapped[str] = mapped_column(String(9))
    case_key_id: Mapped[uuid.UUID]
    deleted_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[DeletionReason] = mapped_column(coded(DeletionReason, "reason"))
    key_destroyed_on: Mapped[date | None] = mapped_column(Date)


class DeletionOrder(Base):
    """An order to delete a signal, written with the decision (art. 17 or 21 AVG); gone once carried out.

    The worker finishes it even if the deciding process stops, and even if another organisation has the
    signal by referral.
    """

    __tablename__ = "deletion_orders"
    __table_args__ = (NO_ROWID,)

    signal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[uuid.UUID]
    reason: Mapped[DeletionReason] = mapped_column(coded(DeletionReason, "reason"))
    ordered_on: Mapped[date] = mapped_column(Date)


class SignalFact(Base):
    """A sealed fact of a deleted signal for the statistics; no id leads back, and no person's role reads it.

    `year`: the last year of which a table needs it, or the code of a comparison (then without a quarter). Its
    key in the keystore goes when that is drawn.
    """

    __tablename__ = "signal_facts"
    __table_args__ = (Index("ix_signal_facts_received_quarter", "received_quarter"), NO_ROWID)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    received_quarter: Mapped[str | None] = mapped_column(String(7))
    year: Mapped[str] = mapped_column(String(4))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Referral(Base):
    """A referral of a signal to another organisation; the sender keeps nothing else of the signal.

    `sequence`: the version of the signal, because two referrals of one day need an order.
    """

    __tablename__ = "referrals"
    __table_args__ = (
        Index("ix_referrals_signal_id", "signal_id"),
        Index("ix_referrals_sender", "from_organisation_id", "reference"),
        Index("ix_referrals_referred_on", "referred_on"),
        Index("ix_referrals_unconfirmed", "old_case_key_id",
              sqlite_where=text("key_destroyed_on IS NULL"),
              postgresql_where=text("key_destroyed_on IS NULL")),
        NO_ROWID,
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    signal_id: Mapped[uuid.UUID]
    reference: Mapped[str] = mapped_column(String(9))
    from_organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id"))
    to_organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id"))
    referred_on: Mapped[date] = mapped_column(Date)
    sequence: Mapped[int]
    reason: Mapped[str] = mapped_column(String(40))
    referred_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id"))
    old_case_key_id: Mapped[uuid.UUID]
    key_destroyed_on: Mapped[date | None] = mapped_column(Date)


class RegisterEntry(Base):
    """A resident's request (art. 15-18 and 21 AVG) that staff dealt with; never its content."""

    __tablename__ = "register_entries"
    __table_args__ = (Index("ix_register_entries_organisation_day", "organisation_id", "recorded_on"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id"))
    right: Mapped[str] = mapped_column(String(20))
    recorded_on: Mapped[date] = mapped_column(Date)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id"))
    signals_found: Mapped[int]
    identity_checked: Mapped[str] = mapped_column(String(20))
    residence_checked: Mapped[str] = mapped_column(String(20))
    third_parties_checked: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(40))
