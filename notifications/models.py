"""Messages, and each try to send them. Subjects are opaque ids without a foreign key."""

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class MessageState(StrEnum):
    """The states of a message."""

    QUEUED = "queued"  # waits for its moment or next try; with `leased_until`: in a worker's batch, not begun
    SENDING = "sending"  # handed to a provider; after `leased_until` it is unknown whether it arrived
    DELIVERED = "delivered"  # the provider took it
    FAILED = "failed"  # given up: a dead letter, for a person to handle
    EXPIRED = "expired"  # obsolete before it could be sent


class Base(DeclarativeBase):
    """The declarative base of the notifications' tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class _UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class OutboxMessage(Base):
    """One message to one recipient, written in the transaction that causes it.

    No row has the moment of writing: for a new signal it would reveal the moment of the visit. `not_before`
    includes the random delay. `reason`: the code of the reason why it expired.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        UniqueConstraint("subject_id", "event", "recipient"),  # a purge looks up the messages of a subject
        Index("ix_outbox_messages_due", "not_before",
              sqlite_where=text("state IN ('queued', 'sending')"),
              postgresql_where=text("state IN ('queued', 'sending')")),
        Index("ix_outbox_messages_dead", "settled_at",
              sqlite_where=text("state = 'failed'"), postgresql_where=text("state = 'failed'")),
        Index("ix_outbox_messages_settled_at", "settled_at",
              sqlite_where=text("settled_at IS NOT NULL"), postgresql_where=text("settled_at IS NOT NULL")),
        Index("ix_outbox_messages_told", "recipient", "event", "settled_at",
              sqlite_where=text("state = 'delivered'"), postgresql_where=text("state = 'delivered'")),
        Index("ix_outbox_messages_provider_message_id", "provider_message_id",
              sqlite_where=text("provider_message_id IS NOT NULL"),
              postgresql_where=text("provider_message_id IS NOT NULL")),
        {"sqlite_with_rowid": False},  # row ids would reveal the order of writing
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    event: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[uuid.UUID]
    organisation_id: Mapped[uuid.UUID | None]
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2), default="nl")
    values: Mapped[dict[str, str]] = mapped_column(JSON)
    state: Mapped[MessageState] = mapped_column(
        Enum(
            MessageState,
            name="state",
            native_enum=False,
            create_constraint=True,
            length=10,
            values_callable=lambda members: [member.value for member in members],
        )
    )
    not_before: Mapped[datetime] = mapped_column(_UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(_UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None] = mapped_column(_UtcDateTime)
    provider_message_id: Mapped[str | None] = mapped_column(String(200))
    settled_at: Mapped[datetime | None] = mapped_column(_UtcDateTime)
    reason: Mapped[str | None] = mapped_column(String(40))

    attempts: Mapped[list["DeliveryAttempt"]] = relationship(
        back_populates="message", cascade="all, delete-orphan", order_by="DeliveryAttempt.at"
    )


class DeliveryAttempt(Base):
    """One try to send a message; `problem` is a class of failure, never a provider's text."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (Index("ix_delivery_attempts_message_id", "message_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("outbox_messages.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(_UtcDateTime)
    delivered: Mapped[bool]
    problem: Mapped[str | None] = mapped_column(String(40))

    message: Mapped[OutboxMessage] = relationship(back_populates="attempts")


class DeliveryCallback(Base):
    """A status that a provider sent about a message, kept until a worker applies it.

    The receiver only writes it down, so order and repeats do not matter.
    """

    __tablename__ = "delivery_callbacks"
    __table_args__ = (UniqueConstraint("provider_message_id", "status"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    message_id: Mapped[uuid.UUID | None]
    provider_message_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20))
    code: Mapped[int | None]
    received_at: Mapped[datetime] = mapped_column(_UtcDateTime)


class DeliveryFigure(Base):
    """The number of messages of an organisation and channel in a state, written by a worker each minute.

    The staff side reads these figures: it may not read messages. `problem`: the class of the last failure of
    undelivered messages. `oldest_at`: the moment from which the oldest waits; `latest_at`: the last moment at
    which one was settled.
    """

    __tablename__ = "delivery_figures"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    organisation_id: Mapped[uuid.UUID | None]
    channel: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    problem: Mapped[str | None] = mapped_column(String(40))
    number: Mapped[int]
    oldest_at: Mapped[datetime | None] = mapped_column(_UtcDateTime)
    latest_at: Mapped[datetime | None] = mapped_column(_UtcDateTime)
    counted_at: Mapped[datetime] = mapped_column(_UtcDateTime)


class PostedLetter(Base):
    """One dead letter as the staff side may see it, posted by a worker: no recipient and no content.

    `wanted`: the action that somebody chose (`again` or `drop`), until a worker takes it. `standing`: its
    address is the `same` or `gone`.
    """

    __tablename__ = "posted_letters"
    __table_args__ = ({"sqlite_with_rowid": False},)

    message_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(String(40))
    organisation_id: Mapped[uuid.UUID | None]
    channel: Mapped[str] = mapped_column(String(10))
    tries: Mapped[int]
    problem: Mapped[str | None] = mapped_column(String(40))
    given_up_at: Mapped[datetime | None] = mapped_column(_UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(_UtcDateTime)
    wanted: Mapped[str | None] = mapped_column(String(10))
    standing: Mapped[str] = mapped_column(String(10), default="same", server_default="same")


class ChannelState(Base):
    """A channel in the worker that wrote last: on or off, the missing settings, and the end of a pause.

    Each worker has a circuit breaker of its own; they see the same provider.
    """

    __tablename__ = "channel_states"

    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    is_on: Mapped[bool]
    missing: Mapped[str] = mapped_column(String(200))
    failures: Mapped[int]
    problem: Mapped[str | None] = mapped_column(String(40))
    paused_until: Mapped[datetime | None] = mapped_column(_UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(_UtcDateTime)
