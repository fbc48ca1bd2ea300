"""Organisations that receive signals, their areas and start dates, and the public keys to seal to."""

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from signals.models.base import NO_ROWID, Base, coded, new_id
from signals.vocabulary import OrganisationKind


class Organisation(Base):
    """A social-work organisation, a GGD or the national desk; receives only while onboarded.

    Onboarded: agreement date, legal basis and retention basis filled in, two verified recipients,
    a test message answered, and not suspended. `proved_on`: the day on which the team first answered one
    while it had an activated lead; only `Drills.answer` sets it.
    For messages: `quiet_from` and `quiet_until` are hours of the day in Amsterdam between which the team is
    not written to, `working_days` the ISO weekdays on which it is (`12345`; none: all),
    `digest_at` the hour of its daily digest (none: no digest), `opens_at` the hour from which it is reminded.
    For letters: `letterhead` has the lines below the name, `logo` a picture of `privacy.pictures`,
    `letter_words` a paragraph of the organisation's own, in Dutch.
    `retry_working_days` lie between an attempt without contact and the next: after the first, the second and
    so on; the last number also counts for later attempts.
    `escalation_working_days` lie between lead, deputy and service manager when a deadline was missed.
    A deputy hears of nothing before `deputy_verified_on`. `settings_version` counts the changes of what a
    lead may change.
    """

    __tablename__ = "organisations"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[OrganisationKind] = mapped_column(coded(OrganisationKind, "kind"))
    is_example: Mapped[bool] = mapped_column(default=False)
    agreement_on: Mapped[date | None] = mapped_column(Date)
    legal_basis: Mapped[str | None] = mapped_column(Text)
    retention_basis: Mapped[str | None] = mapped_column(Text)
    suspended_from: Mapped[date | None] = mapped_column(Date)
    proved_on: Mapped[date | None] = mapped_column(Date)
    contact_phone: Mapped[str] = mapped_column(String(40), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    letterhead: Mapped[str] = mapped_column(String(250), default="")
    letter_words: Mapped[str] = mapped_column(String(300), default="")
    logo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    language: Mapped[str] = mapped_column(String(2), default="nl")
    claim_working_days: Mapped[int] = mapped_column(default=1)
    contact_working_days: Mapped[int] = mapped_column(default=2)
    conclude_calendar_days: Mapped[int] = mapped_column(default=28)
    minimum_attempts: Mapped[int] = mapped_column(default=3)
    retry_working_days: Mapped[str] = mapped_column(String(20), default="2,4,7", server_default="2,4,7")
    deputy_email: Mapped[str | None] = mapped_column(String(254))
    deputy_verified_on: Mapped[date | None] = mapped_column(Date)
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    working_days: Mapped[str | None] = mapped_column(String(7))
    digest_at: Mapped[int | None]
    opens_at: Mapped[int] = mapped_column(default=9, server_default="9")
    escalation_working_days: Mapped[int] = mapped_column(default=1, server_default="1")
    settings_version: Mapped[int] = mapped_column(default=1, server_default="1")

    recipients: Mapped[list["Recipient"]] = relationship(
        back_populates="organisation", cascade="all, delete-orphan", order_by="Recipient.position"
    )
    coverage: Mapped[list["CoverageArea"]] = relationship(
        back_populates="organisation", cascade="all, delete-orphan"
    )


class Recipient(Base):
    """A person whom an organisation notifies of a new signal; counts only once the address is verified.

    `channel`: what this person prefers, `email` (also where there is none) or `sms`, to a `phone` in E.164
    that is verified apart from the address.
    """

    __tablename__ = "recipients"
    __table_args__ = (UniqueConstraint("organisation_id", "address"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(default=1)
    address: Mapped[str] = mapped_column(String(254))
    verified_on: Mapped[date | None] = mapped_column(Date)
    channel: Mapped[str | None] = mapped_column(String(5))
    phone: Mapped[str | None] = mapped_column(String(16))
    phone_verified_on: Mapped[date | None] = mapped_column(Date)

    organisation: Mapped[Organisation] = relationship(back_populates="recipients")


class CoverageArea(Base):
    """An area that an organisation covers from a date (inclusive) until a date (exclusive)."""

    __tablename__ = "coverage_areas"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="dates_in_order"),
        CheckConstraint(
            "(level = 'pc6_range') = (number_from IS NOT NULL AND number_to IS NOT NULL)",
            name="range_has_numbers",
        ),
        CheckConstraint(
            "level IN ('pc6_range', 'pc6', 'pc4', 'municipality', 'ggd_region', 'national')", name="level"
        ),
        Index("ix_coverage_areas_area", "level", "area"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    level: Mapped[str] = mapped_column(String(12))
    area: Mapped[str] = mapped_column(String(6))
    number_from: Mapped[int | None]
    number_to: Mapped[int | None]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)

    organisation: Mapped[Organisation] = relationship(back_populates="coverage")


class MunicipalityOfPostcode(Base):
    """Runs of postcodes from the official address file; the shipped PC4 facts are too coarse there."""

    __tablename__ = "postcode_municipalities"

    first_pc6: Mapped[str] = mapped_column(String(6), primary_key=True)
    number_from: Mapped[int] = mapped_column(primary_key=True, default=0)
    last_pc6: Mapped[str] = mapped_column(String(6))
    number_to: Mapped[int] = mapped_column(default=99999)
    municipality_code: Mapped[str] = mapped_column(String(6))


class RoutingVersion(Base):
    """One row whose number grows with every change to organisations, coverage or public keys.

    Every process polls it, so that a change is noticed within seconds without a restart.
    """

    __tablename__ = "routing_version"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    version: Mapped[int] = mapped_column(default=1)


class MailboxPublicKey(Base):
    """The public half of a mailbox key for one organisation and week, signed by the keystore's root."""

    __tablename__ = "mailbox_public_keys"
    __table_args__ = (UniqueConstraint("organisation_id", "week"), NO_ROWID)

    key_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    week: Mapped[date] = mapped_column(Date)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
