"""The audit log (NEN 7513): insert-only entries, the chain that links them, and its signed heads."""

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import NO_ROWID, Base, UtcDateTime, coded, new_id
from signals.vocabulary import AuditAction

OPENINGS: Final = "action IN ('signal_opened', 'round_printed', 'notice_printed', 'exported')"
"""The entries of signals whose content somebody sees."""


class AuditEntry(Base):
    """One access: event, time, person, subject (a signal's id, never an address) and ground.

    `mac` is made over all fields, so that an edited entry is found. No foreign keys: entries outlive
    what they speak of. No index by subject, for each entry would pay for it: 5 us, beside the 8 that one
    costs PostgreSQL. An officer asks for a subject now and then; within the organisation that takes 2 ms of a
    million entries, over all organisations 0.1 s.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_organisation_at", "organisation_id", "at"),
        Index("ix_audit_entries_at", "at"),
        Index("ix_audit_entries_openings", "actor_id", "at",
              sqlite_where=text(OPENINGS), postgresql_where=text(OPENINGS)),
        NO_ROWID,
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[uuid.UUID | None]
    actor_role: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[uuid.UUID | None]
    action: Mapped[AuditAction] = mapped_column(coded(AuditAction, "action", checked=False))
    subject_id: Mapped[uuid.UUID | None]
    ground: Mapped[str] = mapped_column(String(80), default="")
    outcome: Mapped[str] = mapped_column(String(40), default="")
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditLink(Base):
    """The place of an entry in the chain; written by one worker under a lock."""

    __tablename__ = "audit_links"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    link: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditHead(Base):
    """The chain's head at a moment, signed (Ed25519) by the keystore's root."""

    __tablename__ = "audit_heads"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    link: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
