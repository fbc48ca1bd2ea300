"""Connections to systems of an organisation: where content or events leave to."""

import uuid
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import Base, coded, new_id
from signals.models.sealed import Sealed


class SystemKind(StrEnum):
    """The systems of an organisation that something leaves to; also the channel of its messages."""

    ZGW = "zgw"  # the case system: the hand-over of a concluded signal
    WEBHOOK = "webhook"  # any other system: id, reference, state and day


class Connection(Sealed, Base):
    """A system of an organisation that its lead asked for and its privacy officer approved.

    `settings`: addresses, types and the client id; never a secret. Its row is the switch: without it, nothing
    leaves. A message to the system names this `id`, so that none goes to a later system.
    """

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("organisation_id", "kind"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    kind: Mapped[SystemKind] = mapped_column(coded(SystemKind, "kind"))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    connected_on: Mapped[date] = mapped_column(Date)
