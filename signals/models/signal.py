"""A report from the mailbox at the door to the purge: sealed content, and what follow-up needs in the open.

In the open lie dates, states and codes of follow-up; never an address, an observation or a note.
"""

import uuid
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from signals.models.base import NO_ROWID, Base, UtcDateTime, coded, new_id
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    Outcome,
    Profession,
    ReceiptState,
    ReferredTo,
    SignalState,
)


class IdempotencyKey(Base):
    """A key that gives a retry the same answer for 7 days (draft-ietf-httpapi-idempotency-key-header).

    Written by the public side together with its `SealedReport`; the day's limit counts these. No column is
    finer than a date.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("ix_idempotency_keys_organisation_day", "organisation_id", "received_on"),
        NO_ROWID,
    )

    idempotency_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    body_mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    receipt_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    organisation_id: Mapped[uuid.UUID]
    received_on: Mapped[date] = mapped_column(Date)
    redactions: Mapped[str] = mapped_column(String(200), default="{}")
    from_phone: Mapped[bool] = mapped_column(default=False)


class SealedReport(Base):
    """An envelope that waits in a mailbox, and its place. Arrival deletes the row.

    `profession`: of the sender as a token proved it; null without a token. `refused_on`: the envelope did not
    open (swapped or damaged) and waits for a person. No column is finer than a date.
    """

    __tablename__ = "sealed_reports"
    __table_args__ = (
        Index("ix_sealed_reports_refused", "refused_on",
              sqlite_where=text("refused_on IS NOT NULL"), postgresql_where=text("refused_on IS NOT NULL")),
        NO_ROWID,
    )  # fmt: skip

    signal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[uuid.UUID]
    mailbox_key_id: Mapped[uuid.UUID]
    schema_version: Mapped[int]
    received_on: Mapped[date] = mapped_column(Date)
    unrouted: Mapped[bool]
    receipt_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    profession: Mapped[Profession | None] = mapped_column(coded(Profession, "profession"))
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    refused_on: Mapped[date | None] = mapped_column(Date)


class SpentToken(Base):
    """The nonce of a token that came with a stored report, as SHA-256, and the week of its key.

    It is unlinked: nothing in it names a report. It goes when its token is too old to be accepted.
    """

    __tablename__ = "spent_tokens"
    __table_args__ = (NO_ROWID,)

    nonce_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    week: Mapped[date] = mapped_column(Date)


class Receipt(Base):
    """The state that a carrier may learn from a receipt, as of the previous day."""

    __tablename__ = "receipts"
    __table_args__ = (Index("ix_receipts_changed_on", "changed_on"), NO_ROWID)

    receipt_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    state: Mapped[ReceiptState] = mapped_column(coded(ReceiptState, "state"))
    state_before: Mapped[ReceiptState] = mapped_column(coded(ReceiptState, "state_before"))
    changed_on: Mapped[date] = mapped_column(Date)


class Signal(Base):
    """A concern about a resident in the hands of one organisation.

    `content` (address, note, noticed_on) and `summary` (concern types, seen) are sealed under the case
    key `case_key_id`, which lies in the keystore. `version` counts every change; `due_on` is the next
    deadline, by which the queue is sorted. `team_notified`: its team was notified on arrival. The message
    names no signal, because signals that arrive together may be of one carrier.
    `outside_area`: the phone sealed it for a receiver of another area, so the national desk opened it.
    `urgent`: a worker wants a visit at once, so no comparison draws it.
    `postponed_until`: the day of the next contact, which a worker agreed with the resident or planned.
    `wmo_notified_on`: when a worker knowingly made a notification (Wmo 2015, art. 2.3.2).
    `pending_from_id`: the organisation that handed it over, until somebody of this one opens it.
    `undo`: the values before the last change, as `casework.undoing` writes them.
    `letter_printed_on`: the last time that the letter of art. 14 AVG was, which is not yet told.
    `unreadable_on`: the day on which the worker could not open it; null again once it can.
    `filed_on`: the day on which the case system of the organisation got it.
    """

    __tablename__ = "signals"
    __table_args__ = (
        Index("ix_signals_open_queue", "organisation_id", "due_on", "id",
              sqlite_where=text("state <> 'concluded'"), postgresql_where=text("state <> 'concluded'")),
        Index("ix_signals_queue_by_state", "organisation_id", "state", "due_on", "id"),
        Index("ix_signals_claimed_by", "claimed_by_id", "due_on",
              sqlite_where=text("claimed_by_id IS NOT NULL"),
              postgresql_where=text("claimed_by_id IS NOT NULL")),
        Index("ix_signals_unreadable", "organisation_id", "unreadable_on",
              sqlite_where=text("unreadable_on IS NOT NULL"),
              postgresql_where=text("unreadable_on IS NOT NULL")),
        Index("ix_signals_received_on", "organisation_id", "received_on"),
        Index("ix_signals_case_key_id", "case_key_id"),
        Index("ix_signals_concluded_at", "concluded_at",
              sqlite_where=text("state = 'concluded'"), postgresql_where=text("state = 'concluded'")),
        Index("ix_signals_day", "received_on"),
        Index("ix_signals_not_notified", "claim_by",
              sqlite_where=text("team_notified IS 0"), postgresql_where=text("team_notified IS FALSE")),
        Index("ix_signals_conclude_by", "conclude_by",
              sqlite_where=text("state <> 'concluded'"), postgresql_where=text("state <> 'concluded'")),
        Index("ix_signals_postponed_until", "postponed_until",
              sqlite_where=text("postponed_until IS NOT NULL"),
              postgresql_where=text("postponed_until IS NOT NULL")),
        NO_ROWID,
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id"))
    reference: Mapped[str] = mapped_column(String(9), unique=True)
    state: Mapped[SignalState] = mapped_column(coded(SignalState, "state"))
    version: Mapped[int] = mapped_column(default=1)
    received_on: Mapped[date] = mapped_column(Date)
    unrouted: Mapped[bool] = mapped_column(default=False)
    outside_area: Mapped[bool] = mapped_column(default=False)
    repeat: Mapped[bool] = mapped_column(default=False)
    urgent: Mapped[bool] = mapped_column(default=False)
    receipt_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    team_notified: Mapped[bool] = mapped_column(default=False)
    pending_from_id: Mapped[uuid.UUID | None]

    case_key_id: Mapped[uuid.UUID]
    schema_version: Mapped[int] = mapped_column(default=1)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    summary: Mapped[bytes] = mapped_column(LargeBinary)

    claim_by: Mapped[date] = mapped_column(Date)
    contact_by: Mapped[date] = mapped_column(Date)
    conclude_by: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    postponed_until: Mapped[date | None] = mapped_column(Date)

    claimed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_contact_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    concluded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[Outcome | None] = mapped_column(coded(Outcome, "outcome"))
    referred_to: Mapped[ReferredTo | None] = mapped_column(coded(ReferredTo, "referred_to"))
    newly_known: Mapped[bool | None]
    notified_on: Mapped[date | None] = mapped_column(Date)
    deferred_because: Mapped[str | None] = mapped_column(String(40))
    letter_printed_on: Mapped[date | None] = mapped_column(Date)
    wmo_notified_on: Mapped[date | None] = mapped_column(Date)
    restricted_on: Mapped[date | None] = mapped_column(Date)
    undo: Mapped[str | None] = mapped_column(Text)
    unreadable_on: Mapped[date | None] = mapped_column(Date)
    filed_on: Mapped[date | None] = mapped_column(Date)

    # A replaced entry is no part of these: only the timeline and the resident's copy show it.
    attempts: Mapped[list["ContactAttempt"]] = relationship(
        primaryjoin="and_(Signal.id == ContactAttempt.signal_id, ContactAttempt.replaced_by_id.is_(None))",
        back_populates="signal",
        cascade="all, delete-orphan",
        order_by="ContactAttempt.attempted_at",
    )
    notes: Mapped[list["FollowUpNote"]] = relationship(
        primaryjoin="and_(Signal.id == FollowUpNote.signal_id, FollowUpNote.replaced_by_id.is_(None))",
        back_populates="signal",
        cascade="all, delete-orphan",
        order_by="FollowUpNote.written_at",
    )
    former_attempts: Mapped[list["ContactAttempt"]] = relationship(
        primaryjoin="and_(Signal.id == ContactAttempt.signal_id, ContactAttempt.replaced_by_id.is_not(None))",
        order_by="ContactAttempt.attempted_at",
        viewonly=True,
    )
    former_notes: Mapped[list["FollowUpNote"]] = relationship(
        primaryjoin="and_(Signal.id == FollowUpNote.signal_id, FollowUpNote.replaced_by_id.is_not(None))",
        order_by="FollowUpNote.written_at",
        viewonly=True,
    )
    history: Mapped[list["StatusChange"]] = relationship(
        back_populates="signal", cascade="all, delete-orphan", order_by="StatusChange.sequence"
    )


class ContactAttempt(Base):
    """One try to reach the resident; `postponed_until` is the day agreed, with the result `postponed`.

    `replaced_by_id`: the attempt that corrects this one.
    """

    __tablename__ = "contact_attempts"
    __table_args__ = (Index("ix_contact_attempts_signal_id", "signal_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    signal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("signals.id", ondelete="CASCADE"))
    kind: Mapped[AttemptKind] = mapped_column(coded(AttemptKind, "kind"))
    result: Mapped[AttemptResult] = mapped_column(coded(AttemptResult, "result"))
    attempted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    workers: Mapped[int] = mapped_column(default=1)
    postponed_until: Mapped[date | None] = mapped_column(Date)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id"))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    replaced_by_id: Mapped[uuid.UUID | None]

    signal: Mapped[Signal] = relationship(back_populates="attempts")


class FollowUpNote(Base):
    """A worker's note, sealed under the case key of its signal; the note `replaced_by_id` corrects it."""

    __tablename__ = "follow_up_notes"
    __table_args__ = (Index("ix_follow_up_notes_signal_id", "signal_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    signal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("signals.id", ondelete="CASCADE"))
    sealed_text: Mapped[bytes] = mapped_column(LargeBinary)
    written_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff_members.id"))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    replaced_by_id: Mapped[uuid.UUID | None]

    signal: Mapped[Signal] = relationship(back_populates="notes")


class StatusChange(Base):
    """The domain's history of a signal; `status_changes` writes it together with the change.

    `sequence`: the version of the signal after the change. `day`: when the resident was told, as noted then.
    `at` is null for the arrival: nothing finer than a date is kept until staff act.
    """

    __tablename__ = "status_changes"
    __table_args__ = (Index("ix_status_changes_signal_id", "signal_id", "sequence"), NO_ROWID)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    signal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("signals.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    action: Mapped[Action] = mapped_column(coded(Action, "action"))
    before: Mapped[SignalState | None] = mapped_column(coded(SignalState, "before"))
    after: Mapped[SignalState] = mapped_column(coded(SignalState, "after"))
    actor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    on: Mapped[date] = mapped_column("changed_on", Date)
    at: Mapped[datetime | None] = mapped_column("changed_at", UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    day: Mapped[date | None] = mapped_column(Date)

    signal: Mapped[Signal] = relationship(back_populates="history")


class AddressLink(Base):
    """A pseudonym of the address, which makes a repeat visible; only the organisation's key can read it.

    Kept for 12 months, also after the purge of the signal (then without its id). It is looked for by the
    house, so the key begins with it. Its organisation is its signal's: no foreign key asks for it once more.
    """

    __tablename__ = "address_links"
    __table_args__ = (
        Index("ix_address_links_signal_id", "signal_id"),
        Index("ix_address_links_received_on", "received_on"),
        NO_ROWID,
    )

    house_pseudonym: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID]
    quarter: Mapped[str] = mapped_column(String(7))
    pseudonym: Mapped[bytes] = mapped_column(LargeBinary(16))
    received_on: Mapped[date] = mapped_column(Date)
    signal_id: Mapped[uuid.UUID | None]
    outcome_group: Mapped[str | None] = mapped_column(String(20))
