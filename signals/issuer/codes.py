"""Enrolment codes: one for a depot or a subcontractor, shared by its phones, and never for a person."""

import hashlib
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Date, Engine, Insert, Integer, bindparam, delete, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.orm import Session

from signals.db import is_sqlite
from signals.errors import AskAgainLater, FieldProblem, Invalid, NotFound, SignalsError
from signals.issuer.tables import CodeDay, EnrolmentCode

WEAK_CROWD: Final = 5
"""With fewer phones on a code, its tokens point at few people."""
MOST_LETTERS: Final = 80
MOST_PHONES: Final = 10_000
MOST_DAYS: Final = 366
COUNTS_KEPT_DAYS: Final = 7
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_READ: Final = str.maketrans("OIL", "011", " -")
_TWENTY: Final = re.compile(f"[{_ALPHABET}]{{20}}")


class CodeUnknown(SignalsError):
    """This enrolment code does not exist, or it was revoked, or its time is over."""

    code = "enrolment_refused"
    status = 403


class TokensGone(AskAgainLater):
    """This enrolment code has no more tokens today."""

    code = "no_more_tokens"


@dataclass(frozen=True, kw_only=True)
class NewCode:
    """A code that was just made: the only moment at which anybody can read it."""

    id: uuid.UUID
    code: str = field(repr=False)
    ends_on: date
    weak_crowd: bool


def random_code() -> str:
    """Return 100 random bits in Crockford's base32, as `XXXXX-XXXXX-XXXXX-XXXXX`."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(20))
    return "-".join(letters[start : start + 5] for start in range(0, 20, 5))


def hash_of(code: str) -> bytes:
    """Return the 32 bytes that stand for a code as a person typed it; of no code, 32 zeros."""
    compact = code.upper().translate(_AS_READ)
    if not _TWENTY.fullmatch(compact):
        return bytes(32)
    return hashlib.sha256(b"signals/enrolment/v1\x00" + compact.encode()).digest()


def add_code(session: Session, *, label: str, phones: int, days: int, by: str, on: date) -> NewCode:
    """Make a code for so many phones and days. Raises `Invalid`."""
    label = label.strip()
    problems = name_problems("label", label)
    if not 1 <= phones <= MOST_PHONES:
        problems.append(FieldProblem(field="phones", code="out_of_range"))
    if not 1 <= days <= MOST_DAYS:
        problems.append(FieldProblem(field="days", code="out_of_range"))
    if problems:
        raise Invalid(*problems)
    code, ends_on = random_code(), on + timedelta(days=days)
    row = EnrolmentCode(
        code_hash=hash_of(code), label=label, phones=phones, made_on=on, made_by=by, ends_on=ends_on
    )
    session.add(row)
    session.flush()
    return NewCode(id=row.id, code=code, ends_on=ends_on, weak_crowd=phones < WEAK_CROWD)


def name_problems(field: str, name: str) -> list[FieldProblem]:
    """Return what is wrong with the name of a depot or a person."""
    if 1 <= len(name) <= MOST_LETTERS:
        return []
    return [FieldProblem(field=field, code="too_long" if name else "required")]


def revoke_code(session: Session, code_id: uuid.UUID, on: date) -> EnrolmentCode:
    """Revoke a code from this moment on; a second time changes nothing. Raises `NotFound`."""
    row = session.get(EnrolmentCode, code_id)
    if row is None:
        raise NotFound
    row.revoked_on = row.revoked_on or on
    return row


def list_codes(session: Session) -> Sequence[EnrolmentCode]:
    """Return every code, the newest first."""
    newest = select(EnrolmentCode).order_by(EnrolmentCode.made_on.desc(), EnrolmentCode.label)
    return session.scalars(newest).all()


def forget_counts(session: Session, on: date) -> None:
    """Delete the counts of days that are over for a week."""
    session.execute(delete(CodeDay).where(CodeDay.day < on - timedelta(days=COUNTS_KEPT_DAYS)))


def count_token(engine: Engine, code: str, on: date, *, per_phone: int, retry_after: int) -> None:
    """Count one token of a code on a day; raise `CodeUnknown` or `TokensGone`.

    One statement counts and checks, so that requests at one moment never pass the limit together; `engine`
    commits each by itself.
    """
    place = {"hash": hash_of(code), "on": on.isoformat() if is_sqlite(engine) else on}
    count, find = _texts(engine.dialect.name)
    with engine.connect() as connection:
        if connection.exec_driver_sql(count, place | {"per_phone": per_phone}).rowcount == 1:
            return
        known = connection.exec_driver_sql(find, place).first()
    raise TokensGone(retry_after) if known else CodeUnknown


@cache
def _texts(dialect: str) -> tuple[str, str]:
    """Return the two statements as text: an expression costs as much as the rest of the call."""
    compiler = pysqlite.dialect(paramstyle="named") if dialect == "sqlite" else psycopg.dialect()  # type: ignore[no-untyped-call]
    count, find = (str(each.compile(dialect=compiler)) for each in (_counting(dialect), _LIVE))
    return count, find


def _counting(dialect: str) -> Insert:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    most = select(EnrolmentCode.phones * bindparam("per_phone", type_=Integer())).where(
        EnrolmentCode.id == CodeDay.code_id
    )
    return (
        insert(CodeDay)
        .from_select(["code_id", "day", "asked"], _LIVE)
        .on_conflict_do_update(
            index_elements=["code_id", "day"],
            set_={"asked": CodeDay.asked + literal_column("1")},
            where=CodeDay.asked < most.scalar_subquery(),
        )
    )


_DAY: Final = bindparam("on", type_=Date())
_LIVE: Any = select(EnrolmentCode.id, _DAY.label("day"), literal_column("1").label("asked")).where(
    EnrolmentCode.code_hash == bindparam("hash"),
    EnrolmentCode.revoked_on.is_(None),
    EnrolmentCode.ends_on >= _DAY,
)
