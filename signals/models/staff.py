"""Members of staff, and their sessions and tokens."""

import uuid
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    and_,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from signals.models.base import NO_ROWID, Base, UtcDateTime, coded, new_id
from signals.models.organisation import Organisation
from signals.models.sealed import Sealed
from signals.vocabulary import ApprovalAction, Role

NOT_ACTIVATED: Final = -1
"""`StaffMember.totp_last_step` of an invitation that its owner has not activated; it is before every step."""


class StaffMember(Sealed, Base):
    """A person who signs in. `totp_sealed` is encrypted under a secret of the keystore.

    `totp_last_step`: the step of the last code that was accepted, None before the first one; `NOT_ACTIVATED`
    as long as nobody ever set the account up. `last_signed_in_on`: the last day that a page was opened.
    `identity_issuer` and `identity_subject` bind it to an account at the provider of the organisation.
    `printed_hash`: the SHA-256 of a printed code.
    """

    __tablename__ = "staff_members"
    rights = ("role", "disabled_at")
    credentials = ("password_hash", "totp_sealed", "printed_hash")
    __table_args__ = (UniqueConstraint("identity_issuer", "identity_subject"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisations.id"))
    role: Mapped[Role] = mapped_column(coded(Role, "role"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    language: Mapped[str] = mapped_column(String(2), default="nl")
    password_hash: Mapped[str] = mapped_column(String(200))
    totp_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    totp_last_step: Mapped[int | None]
    last_signed_in_on: Mapped[date | None] = mapped_column(Date)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    identity_issuer: Mapped[str | None] = mapped_column(String(255))
    identity_subject: Mapped[str | None] = mapped_column(String(255))
    printed_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)

    organisation: Mapped[Organisation | None] = relationship()
    sessions: Mapped[list["StaffSession"]] = relationship(
        back_populates="staff_member", cascade="all, delete-orphan"
    )

    @property
    def invited(self) -> bool:
        """Return whether the member did not set the account up yet."""
        return self.totp_last_step == NOT_ACTIVATED

    @classmethod
    def is_active(cls) -> ColumnElement[bool]:
        """Return the condition that a member set the account up and is not disabled."""
        return and_(cls.disabled_at.is_(None), cls.totp_last_step.is_distinct_from(NOT_ACTIVATED))


class StaffSession(Sealed, Base):
    """A signed-in browser (`page`), a program's sign-in (`api`) or a long-lived token (`token`).

    Only the SHA-256 of the bearer's secret is stored, so that a stolen database opens no session.
    `checked_at`: when the provider of the organisation last confirmed it, None for a local sign-in.
    `proved_at`: when its owner last proved who they are, None for when it was opened.
    """

    __tablename__ = "staff_sessions"
    rights = ("revoked_at",)
    __table_args__ = (
        CheckConstraint("kind IN ('page', 'api', 'token')", name="kind"),
        Index("ix_staff_sessions_staff_member_id", "staff_member_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    staff_member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(5))
    label: Mapped[str] = mapped_column(String(80), default="")
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    proved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    provider_sid: Mapped[str | None] = mapped_column(String(255))
    refresh_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    staff_member: Mapped[StaffMember] = relationship(back_populates="sessions")


class IdentityProvider(Sealed, Base):
    """The OpenID provider at which the members of one organisation sign in.

    `secret_file` names a file on the server, in the folder of the settings. `domains` (of addresses) and
    `factors` (values of `amr` or `acr` that state a second factor) are words with spaces between them.
    """

    __tablename__ = "identity_providers"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id"))
    issuer: Mapped[str] = mapped_column(String(255))
    client_id: Mapped[str] = mapped_column(String(255))
    secret_file: Mapped[str] = mapped_column(String(80))
    domains: Mapped[str] = mapped_column(String(255))
    factors: Mapped[str] = mapped_column(String(255))


class Passkey(Sealed, Base):
    """A WebAuthn credential of a staff member; user verification is required at every use."""

    __tablename__ = "passkeys"
    __table_args__ = (Index("ix_passkeys_staff_member_id", "staff_member_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    staff_member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(60))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    created_on: Mapped[date] = mapped_column(Date)


class Challenge(Sealed, Base):
    """A WebAuthn challenge that was answered: kept until it is too old to be answered a second time.

    Those that wait are not stored: they prove themselves (`signals.staff.challenges`). `id` is the
    challenge's random part, so that of two answers at once one meets the primary key.
    """

    __tablename__ = "challenges"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[str] = mapped_column(String(12))
    staff_member_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("staff_members.id", ondelete="CASCADE")
    )
    challenge: Mapped[bytes] = mapped_column(LargeBinary(64))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AccountLink(Sealed, Base):
    """A mailed link with which somebody sets password and authenticator: once, until `expires_at`.

    `looks` counts how often its page showed an authenticator.

    Only the SHA-256 of its secret is stored. The outbox holds none: the secret follows from the keystore and
    `id`, and is put into the message while it is sent.
    """

    __tablename__ = "account_links"
    rights = ("used_at",)
    __table_args__ = (
        CheckConstraint("purpose IN ('invitation', 'recovery')", name="purpose"),
        Index("ix_account_links_staff_member_id", "staff_member_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[str] = mapped_column(String(10))
    staff_member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    looks: Mapped[int] = mapped_column(default=0)

    staff_member: Mapped[StaffMember] = relationship()


class StoppedAccount(Base):
    """An account that opened very many signals in an hour: it opens none until somebody lets it go on.

    Afterwards the row stays, because openings before `released_at` count no more.
    """

    __tablename__ = "stopped_accounts"
    __table_args__ = (NO_ROWID,)

    staff_member_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("staff_members.id", ondelete="CASCADE"), primary_key=True
    )
    organisation_id: Mapped[uuid.UUID]
    stopped_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Absence(Base):
    """An absence of a member of staff, both days included, and the stand-in; never the reason."""

    __tablename__ = "absences"
    __table_args__ = (
        CheckConstraint("away_until >= away_from", name="dates_in_order"),
        Index("ix_absences_organisation_id", "organisation_id", "away_until"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id"))
    staff_member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id", ondelete="CASCADE"))
    away_from: Mapped[date] = mapped_column(Date)
    away_until: Mapped[date] = mapped_column(Date)
    cover_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff_members.id"))


class UnknownSignIns(Base):
    """How many sign-ins of unknown addresses one hour (UTC) saw; the trail gets the number after the hour."""

    __tablename__ = "unknown_sign_ins"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    number: Mapped[int]


class SignInGuess(Base):
    """How often one sign-in was tried of late, for all processes to see; forgotten after 15 minutes.

    `bucket` is an HMAC under a key of the keystore: the table alone tells no address and no device.
    """

    __tablename__ = "sign_in_guesses"
    __table_args__ = (Index("ix_sign_in_guesses_last_at", "last_at"),)

    bucket: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Approval(Sealed, Base):
    """A request of an administrator to a team or to another administrator, or of a lead to its officer.

    `role` is None when the request asks to shut an account, for an area or for a system. `change` holds the
    area or the system. An area: `subject_id` is the organisation that would cover it. `by_administrators`:
    another administrator may decide, and without an `organisation_id` nobody else.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("decision IN ('asked', 'approved', 'declined', 'expired')", name="decision"),
        Index("ix_approvals_organisation_id", "organisation_id", "decision"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisations.id"))
    subject_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisations.id"))
    by_administrators: Mapped[bool] = mapped_column(default=False)
    change: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    action: Mapped[ApprovalAction] = mapped_column(coded(ApprovalAction, "action"))
    role: Mapped[Role | None] = mapped_column(coded(Role, "role"))
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    asked_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decision: Mapped[str] = mapped_column(String(10), default="asked")
    decided_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
