"""Who signs in, and the sessions and tokens with which they do."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from signals.models.base import Base, UtcDateTime, coded, new_id
from signals.models.organisation import Organisation
from signals.vocabulary import Role


class StaffMember(Base):
    """A person who signs in. `totp_sealed` is encrypted under a secret of the keystore."""

    __tablename__ = "staff_members"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisations.id"))
    role: Mapped[Role] = mapped_column(coded(Role, "role"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    language: Mapped[str] = mapped_column(String(2), default="nl")
    password_hash: Mapped[str] = mapped_column(String(200))
    totp_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    totp_last_step: Mapped[int | None]
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    organisation: Mapped[Organisation | None] = relationship()
    sessions: Mapped[list["StaffSession"]] = relationship(
        back_populates="staff_member", cascade="all, delete-orphan"
    )


class StaffSession(Base):
    """A signed-in browser (`page`), a program's sign-in (`api`) or a long-lived token (`token`).

    Only the SHA-256 of the bearer's secret is stored, so that a stolen database opens no session.
    """

    __tablename__ = "staff_sessions"
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

    staff_member: Mapped[StaffMember] = relationship(back_populates="sessions")
