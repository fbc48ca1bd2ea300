"""The tables of an issuer, in a database of its own; none names a phone, or the time of a request."""

import uuid
from datetime import date
from typing import Any

from sqlalchemy import Date, Engine, ForeignKey, LargeBinary, MetaData, String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from signals.db import is_sqlite, make_engine


class IssuerBase(DeclarativeBase):
    """The declarative base of these tables, with metadata apart from those of the service."""

    metadata = MetaData()


class WeekKey(IssuerBase):
    """A signing key of one week; `wrapped` is the private half under the issuer's secret, None afterwards."""

    __tablename__ = "week_keys"

    week: Mapped[date] = mapped_column(Date, primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)


class EnrolmentCode(IssuerBase):
    """A code that phones of one depot share; `code_hash` is all that is kept of the code itself."""

    __tablename__ = "enrolment_codes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    label: Mapped[str] = mapped_column(String(80))
    phones: Mapped[int]
    made_on: Mapped[date] = mapped_column(Date)
    made_by: Mapped[str] = mapped_column(String(80))
    ends_on: Mapped[date] = mapped_column(Date)
    revoked_on: Mapped[date | None] = mapped_column(Date)


class CodeDay(IssuerBase):
    """The number of tokens that a code asked for on a day."""

    __tablename__ = "code_days"

    code_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolment_codes.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    asked: Mapped[int]


class Administrator(IssuerBase):
    """A person of the employer who makes codes; signs in with an access key and a one-time code.

    `wrapped_totp` lies under the issuer's secret. `last_step` is the last step of TOTP that was used.
    `wrong_codes` counts wrong one-time codes since the last sign-in.
    """

    __tablename__ = "administrators"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    wrapped_totp: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(default=0)
    wrong_codes: Mapped[int] = mapped_column(default=0)


class AdministratorSession(IssuerBase):
    """A signed-in browser, by the hash of its cookie; `expires_at` in seconds since 1970."""

    __tablename__ = "administrator_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("administrators.name", ondelete="CASCADE"))
    expires_at: Mapped[int]


def make_issuer_engine(url: str) -> Engine:
    """Return an engine on these tables; SQLite flushes at checkpoints only.

    After a power cut, the last counts may be gone, and a code revoked in that second has to be revoked again.
    """
    engine = make_engine(url)
    if is_sqlite(engine):
        event.listen(engine, "connect", _flush_at_checkpoints)
    return engine


def _flush_at_checkpoints(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
