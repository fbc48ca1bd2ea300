"""Seal the rows that grant something, so that write access to the database alone grants nothing.

A row gets its seal when the session writes it, and proves it whenever a session loads it. The key lies in the
keystore. `seal_rows` gives it to an engine; without it no session of that engine writes or loads such a row.
"""

import hmac
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, Engine, LargeBinary, Table, event, select, update
from sqlalchemy.orm import Mapped, Mapper, Session, declared_attr, mapped_column, object_session
from sqlalchemy.orm.attributes import get_history, instance_dict

from privacy.macs import Mac, many_macs, row_seal
from signals.errors import SignalsError
from signals.models.base import Base

_SEALS: Final = "signals_row_seals"
_REFUSED: Final = "signals_refused_rows"
_REVOKED: Final = "signals_revoked_rights"
_SECRET: Final = "row-seals"  # noqa: S105 - the name of a secret


class RowRefused(SignalsError):
    """The database holds an account or a right that this service did not write: it counts for nothing."""

    code = "row_refused"
    status = 403


@dataclass(frozen=True, kw_only=True)
class RefusedRow:
    """A row whose seal is wrong; `id` is None for rows that no longer can be read."""

    table: str
    id: uuid.UUID | None


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """A right that somebody took away: its row, and of an account what is left.

    `credentials`: password, authenticator or both were replaced. `version` is that of the row since then.
    """

    table: str
    id: uuid.UUID
    version: int
    role: str = ""
    disabled: bool = False
    credentials: bool = False


Report = Callable[[Sequence[RefusedRow]], None]
Keep = Callable[[Sequence[Revoked]], None]


@dataclass(frozen=True, kw_only=True)
class _Seals:
    mac: Mac = field(repr=False)
    report: Report
    keep: Keep


class Sealed:
    """A row that grants something. Change it through the session: an `update()` statement breaks its seal.

    Every column counts. `version` counts the changes; of two changes at once the second one fails.
    """

    rights: ClassVar[tuple[str, ...]] = ()
    """The columns whose change takes a right away, besides the deletion of the row."""
    credentials: ClassVar[tuple[str, ...]] = ()

    version: Mapped[int] = mapped_column()
    seal: Mapped[bytes] = mapped_column(LargeBinary(32))

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it with the class
        return {"version_id_col": cls.version}


def seal_rows(
    engine: Engine,
    secret: Callable[[str], bytes],
    report: Report = lambda _refused: None,
    keep: Keep = lambda _revoked: None,
) -> None:
    """Let sessions of an engine write and load sealed rows; `secret` is that of the keystore.

    `report` gets the refused rows when the transaction that met them is over. `keep` gets what a transaction
    revokes before it commits. Call this before anything derives an engine from this one.
    """
    seals = _Seals(mac=many_macs(secret(_SECRET)), report=report, keep=keep)
    engine.update_execution_options(**{_SEALS: seals})


def sealed_models() -> Iterator[type[Any]]:
    """Yield the class of every sealed table."""
    return (mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Sealed))


def refused_rows(session: Session) -> list[RefusedRow]:
    """Return every stored row whose seal is wrong. The session reports them and raises for none."""
    mac = _seals(session).mac
    found = [row for model in sealed_models() for row in _refused_of(session, mac, model.__table__)]
    session.info.setdefault(_REFUSED, []).extend(found)
    return found


def seal_again(session: Session, model: type[Any], which: ColumnElement[bool]) -> dict[str, Any]:
    """Seal one row as the database holds it, for an operator who looks at it; return its columns, or none."""
    table: Table = model.__table__
    found = session.execute(select(table).where(which)).mappings().one_or_none()
    if found is None:
        return {}
    seal = _seal(_seals(session).mac, table.name, found)
    session.execute(update(table).where(table.c.id == found["id"]).values(seal=seal))
    return dict(found)


def _refused_of(session: Session, mac: Mac, table: Table) -> list[RefusedRow]:
    try:
        rows = session.execute(select(table)).mappings()
        return [
            RefusedRow(table=table.name, id=row["id"])
            for row in rows
            if not _fits(mac, table.name, dict(row))
        ]
    except (ValueError, LookupError, TypeError):  # SQLite stores any text in any column
        wrong = [None]
    return [RefusedRow(table=table.name, id=found) for found in wrong]


def _seals(session: Session) -> _Seals:
    seals: _Seals | None = session.get_bind().get_execution_options().get(_SEALS)
    if seals is None:
        raise RuntimeError("this engine has no key for rows that grant something: see `seal_rows`")
    return seals


def _values(row: Sealed) -> dict[str, Any]:
    mapper: Mapper[Any] = type(row).__mapper__  # type: ignore[attr-defined]
    return {name: getattr(row, name) for name in mapper.columns.keys()}  # noqa: SIM118 - no mapping


def _seal(mac: Mac, table: str, values: Mapping[Any, Any]) -> bytes:
    return row_seal(mac, table, {name: value for name, value in values.items() if name != "seal"})


def _fits(mac: Mac, table: str, values: Mapping[str, Any]) -> bool:
    seal = values["seal"] or b""  # the owner of the database may let the column be empty
    return hmac.compare_digest(_seal(mac, table, values), seal)


@event.listens_for(Sealed, "before_insert", propagate=True)
def _seal_new(mapper: Mapper[Any], _connection: object, row: Any) -> None:
    for name, column in mapper.columns.items():
        if getattr(row, name) is None and column.default is not None:
            default: Any = column.default
            setattr(row, name, default.arg(None) if default.is_callable else default.arg)
    _write_seal(row, version=1)


@event.listens_for(Sealed, "before_update", propagate=True)
def _seal_again(_mapper: object, _connection: object, row: Any) -> None:
    session = object_session(row)
    if session is not None and session.is_modified(row, include_collections=False):
        _write_seal(row, version=row.version + 1)
        _note_revoked(session, row)


@event.listens_for(Sealed, "before_delete", propagate=True)
def _note_deleted(_mapper: object, _connection: object, row: Any) -> None:
    session = object_session(row)
    if session is not None:
        _noted(session).append(Revoked(table=row.__tablename__, id=row.id, version=row.version + 1))


def _note_revoked(session: Session, row: Any) -> None:
    changed = {name for name in (*row.rights, *row.credentials) if get_history(row, name).has_changes()}
    if changed:
        revoked = Revoked(
            table=row.__tablename__,
            id=row.id,
            version=row.version + 1,
            role=getattr(row, "role", ""),
            disabled=getattr(row, "disabled_at", None) is not None,
            credentials=bool(changed.intersection(row.credentials)),
        )
        _noted(session).append(revoked)


def _noted(session: Session) -> list[Revoked]:
    noted: list[Revoked] = session.info.setdefault(_REVOKED, [])
    return noted


def _write_seal(row: Any, *, version: int) -> None:
    session = object_session(row)
    if session is not None:
        row.seal = _seal(_seals(session).mac, row.__tablename__, _values(row) | {"version": version})


@event.listens_for(Sealed, "load", propagate=True)
def _check_loaded(row: Any, context: Any) -> None:
    _check(row, context.session)


@event.listens_for(Sealed, "refresh", propagate=True)
def _check_refreshed(row: Any, context: Any, _names: object) -> None:
    _check(row, context.session)


def _check(row: Any, session: Session) -> None:
    seals, values = _seals(session), instance_dict(row)
    columns = {name: values[name] for name in type(row).__mapper__.columns.keys()}  # noqa: SIM118
    if not _fits(seals.mac, row.__tablename__, columns):
        session.info.setdefault(_REFUSED, []).append(RefusedRow(table=row.__tablename__, id=row.id))
        raise RowRefused


@event.listens_for(Session, "before_commit")
def _keep_revoked(session: Session) -> None:
    """Keep it first: what is lost in a crash must not come back by a restore."""
    if session.in_nested_transaction():
        return
    session.flush()
    if revoked := session.info.pop(_REVOKED, None):
        _seals(session).keep(revoked)


@event.listens_for(Session, "after_transaction_end")
def _report_refused(session: Session, transaction: Any) -> None:
    """Report when the connection is free: the report is a transaction of its own."""
    if transaction.parent is not None:
        return
    session.info.pop(_REVOKED, None)  # of a rollback
    if refused := session.info.pop(_REFUSED, None):
        _seals(session).report(refused)
