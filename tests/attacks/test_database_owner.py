"""Attacks by an owner of the database without the keystore: any row may be written, none opens anything.

The tables come from the models, so that a new table of sign-in or rights cannot be forgotten.
"""

import hashlib
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import JSON, Boolean, Date, Integer, LargeBinary, Table, insert, select, text, update
from sqlalchemy import Enum as EnumColumn
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.app import make_worker
from signals.models import (
    AccountLink,
    Approval,
    Base,
    Challenge,
    IdentityProvider,
    Passkey,
    StaffMember,
    StaffSession,
)
from signals.models.base import UtcDateTime
from signals.models.sealed import RowRefused, Sealed
from signals.vocabulary import ApprovalAction, AuditAction, Role
from tests.support.both_databases import BOTH
from tests.support.desk_side import BASE, Desk
from tests.support.installations import NOW
from tests.support.pages import Browser

GRANTS_NOTHING: Final = {
    "absences": "names a deputy of the same team, who sees the same signals anyway",
    "stopped_accounts": "stops an account; whoever may delete the row lets it go on anyway",
    "unknown_sign_ins": "counts refusals of unknown addresses by the hour",
    "sign_in_guesses": "counts guesses; without its rows a guess is only free sooner",
}
OTHER_TEXT: Final = {"kind": "token", "purpose": "recovery", "decision": "approved", "language": "en"}
"""Values that the CHECKs of these columns allow."""
TOKEN: Final = "the attacker's own secret"


def of_sign_in_and_rights() -> list[Any]:
    """Every class of the module with accounts, unless it grants nothing."""
    mapped = (mapper.class_ for mapper in Base.registry.mappers)
    return [
        model
        for model in mapped
        if model.__module__ == "signals.models.staff" and model.__tablename__ not in GRANTS_NOTHING
    ]


def test_every_table_of_sign_in_and_rights_is_sealed() -> None:
    models = of_sign_in_and_rights()
    assert {model.__tablename__ for model in models} >= {"staff_members", "staff_sessions", "approvals"}
    assert [model.__tablename__ for model in models if not issubclass(model, Sealed)] == []


@BOTH
def test_a_row_that_was_changed_in_any_column_is_refused(desk: Desk) -> None:
    for model, first, _second in _two_of_each(desk):
        for column in model.__table__.columns:
            if column.name != "id":
                with Session(desk.engine) as session:
                    value = _another(session, column, getattr(first, column.name))
                    session.execute(_changed(model.__table__, first.id, {column.name: value}))
                    with pytest.raises(RowRefused):
                        session.get(model, first.id)


@BOTH
def test_a_row_that_was_copied_or_swapped_is_refused(desk: Desk) -> None:
    for model, first, second in _two_of_each(desk):
        table = model.__table__
        with Session(desk.engine) as session:
            copy = _row(session, table, first.id) | {"id": uuid.uuid4()} | _own_unique(table)
            session.execute(insert(table).values(copy))
            with pytest.raises(RowRefused):
                session.get(model, copy["id"])
        for kept in ({"id", *_own_unique(table)}, {*table.columns.keys()} - {"seal", "version"}):
            with Session(desk.engine) as session:
                theirs = {k: v for k, v in _row(session, table, second.id).items() if k not in kept}
                session.execute(_changed(table, first.id, theirs))
                with pytest.raises(RowRefused):
                    session.get(model, first.id)


@BOTH
def test_an_inserted_session_or_token_opens_no_signal(desk: Desk, signal_id: uuid.UUID) -> None:
    browser = desk.app.test_client()
    browser.set_cookie("signals-desk", TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for kind in ("page", "token"):
        _forge(desk, StaffSession, "anna", kind=kind)
        assert browser.get(f"/desk/signals/{signal_id}").status_code == 303
        assert desk.client.get(f"{BASE}/signals/{signal_id}", headers=bearer).status_code == 401
        assert desk.client.get(f"{BASE}/me", headers=bearer).status_code == 401
    assert desk.entries(AuditAction.SIGNAL_OPENED) == []
    _assert_alarm(desk, "staff_sessions")


@BOTH
def test_an_inserted_link_shows_no_second_factor(desk: Desk) -> None:
    code = "a" * 22
    _forge(desk, AccountLink, "fleur", secret=code)
    page = desk.app.test_client().post("/desk/account/link", data={"token": code})
    assert page.status_code == 410
    _assert_alarm(desk, "account_links")


@BOTH
@pytest.mark.parametrize(
    "change",
    [
        {"role": "lead"},
        {"role": "administrator", "organisation_id": None},
        {"email": "attacker@example.org"},
        {"password_hash": "of another password"},
        {"created_at": NOW - timedelta(days=9)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_account_gets_in_by_no_session_and_no_password(desk: Desk, change: dict[str, Any]) -> None:
    browser = Browser(desk, "anna")
    assert browser.get("/desk").status_code == 200
    _write(desk, "anna", **change)
    assert browser.get("/desk").status_code == 303
    assert desk.call("anna", "GET", "/me").status_code == 401
    again = desk.app.test_client()
    refused = again.post("/desk/sign-in", data=browser.form | {"totp": desk.code("anna")})
    assert refused.status_code in (401, 403)
    assert again.get("/desk").status_code == 303
    _assert_alarm(desk, "staff_members")


@BOTH
def test_an_account_without_a_seal_is_refused(desk: Desk) -> None:
    on_sqlite = desk.engine.dialect.name == "sqlite"
    with desk.engine.begin() as connection:
        if not on_sqlite:  # there an empty seal stands for none
            connection.execute(text("ALTER TABLE staff_members ALTER COLUMN seal DROP NOT NULL"))
    _write(desk, "anna", seal=b"" if on_sqlite else None)
    assert desk.call("anna", "GET", "/me").status_code == 401
    _assert_alarm(desk, "staff_members")


@BOTH
def test_an_account_that_was_shut_stays_shut(desk: Desk) -> None:
    with Session(desk.engine) as session, session.begin():
        _member(session, desk, "anna").disabled_at = NOW
    _write(desk, "anna", disabled_at=None)
    assert desk.call("anna", "GET", "/me").status_code == 401
    assert Browser(desk, "anna").get("/desk").status_code == 303


@BOTH
def test_an_approval_that_nobody_asked_for_invites_nobody(desk: Desk) -> None:
    lena = Browser(desk, "lena")
    _forge(desk, Approval, "anna")
    assert lena.get("/desk/approvals").status_code == 403
    _assert_alarm(desk, "approvals")


@BOTH
def test_an_hourly_look_finds_a_row_that_nobody_uses(desk: Desk) -> None:
    worker = make_worker(desk.settings, clock=desk.clock, engine=desk.engine)
    assert worker.watch_rights() == 0
    _forge(desk, Passkey, "fleur")
    assert worker.watch_rights() == 1
    worker.close()
    _assert_alarm(desk, "passkeys")


def _assert_alarm(desk: Desk, table: str) -> None:
    """The trail has it, every administrator gets a message, and the figures for Prometheus count it."""
    entries = desk.entries(AuditAction.ROW_REFUSED)
    assert {entry.ground for entry in entries} == {f"forged:{table}"}
    with Session(desk.engine) as session:
        query = select(OutboxMessage.recipient).where(OutboxMessage.event == "row_refused")
        assert desk.people["bea"].email in set(session.scalars(query))
    assert f"\nsignals_refused_rows {len(entries)}.0\n" in desk.client.get("/metrics").text


def _two_of_each(desk: Desk) -> Iterator[tuple[Any, Any, Any]]:
    """Make two genuine rows in each table, of two people."""
    with Session(desk.engine, expire_on_commit=False) as session, session.begin():
        people = [_member(session, desk, who) for who in ("anna", "lena")]
        made: dict[Any, list[Any]] = {StaffMember: people}
        for model in of_sign_in_and_rights():
            if model is not StaffMember:
                made[model] = [model(**_values(model, member)) for member in people]
                session.add_all(made[model])
    assert set(made) == set(of_sign_in_and_rights())
    for model, (first, second) in made.items():
        yield model, first, second


def _values(model: Any, member: StaffMember, secret: str = "") -> dict[str, Any]:
    """Give values for a row of a table that belongs to somebody; a new table needs a line here."""
    digest = hashlib.sha256((secret or f"{model}{member.id}").encode()).digest()
    later = NOW + timedelta(hours=20)
    of_member: dict[str, Any] = {"staff_member_id": member.id}
    times = {"created_at": NOW, "last_seen_at": NOW, "expires_at": later}
    return {
        StaffSession: of_member | times | {"kind": "page", "token_hash": digest},
        AccountLink: of_member | {"purpose": "invitation", "token_hash": digest, "expires_at": later},
        Challenge: of_member | {"purpose": "sign_in", "challenge": digest, "expires_at": later},
        IdentityProvider: {
            "organisation_id": member.organisation_id,
            "issuer": "https://login.example.org",
            "client_id": "signals",
            "secret_file": "a.secret",
            "domains": "example.org",
            "factors": "mfa",
        },
        Passkey: of_member
        | {
            "label": "a phone",
            "credential_id": digest,
            "public_key": digest,
            "sign_count": 1,
            "created_on": NOW.date(),
        },
        Approval: {
            "organisation_id": member.organisation_id,
            "action": ApprovalAction.GRANT,
            "role": Role.WORKER,
            "email": "spy@example.org",
            "name": member.name,
            "asked_by_id": member.id,
            "asked_at": NOW,
        },
    }[model]


def _forge(desk: Desk, model: Any, who: str, *, secret: str = TOKEN, **values: Any) -> None:
    """Write a row as the owner of the database: all of it is right, but for the seal."""
    with Session(desk.engine) as session:
        row = _values(model, _member(session, desk, who), secret) | values
    table = model.__table__
    lacking = {"id": uuid.uuid4(), "version": 1, "seal": bytes(32), "label": "", "decision": "asked"}
    row = {k: v for k, v in lacking.items() if k in table.columns} | row
    with desk.engine.begin() as connection:
        connection.execute(table.delete().where(*_same_unique(table, row)))
        connection.execute(insert(table).values(row))


def _same_unique(table: Table, row: dict[str, Any]) -> list[Any]:
    unique = [column == row[column.name] for column in table.columns if column.unique and column.name in row]
    return unique or [text("1 = 0")]


def _own_unique(table: Table) -> dict[str, Any]:
    """Give the attacker's own values for the unique columns."""
    mine = {"email": "attacker@example.org", "token_hash": bytes(32), "credential_id": b"mine"}
    mine["printed_hash"] = bytes(32)
    return {column.name: mine[column.name] for column in table.columns if column.unique}


def _member(session: Session, desk: Desk, who: str) -> StaffMember:
    return session.scalars(select(StaffMember).where(StaffMember.email == desk.people[who].email)).one()


def _write(desk: Desk, who: str, **values: Any) -> None:
    """Change an account as the owner of the database."""
    table: Any = StaffMember.__table__
    with desk.engine.begin() as connection:
        connection.execute(update(table).where(table.c.email == desk.people[who].email).values(values))


def _row(session: Session, table: Table, row_id: uuid.UUID) -> dict[str, Any]:
    return dict(session.execute(select(table).where(table.c.id == row_id)).mappings().one())


def _changed(table: Any, row_id: uuid.UUID, values: dict[str, Any]) -> Any:
    return update(table).where(table.c.id == row_id).values(values)


def _another(session: Session, column: Any, value: Any) -> Any:
    """Return a value that the column takes and that the row does not have."""
    for key in column.foreign_keys:
        return session.scalar(select(key.column).where(key.column.is_distinct_from(value)).limit(1))
    kind = column.type
    if isinstance(kind, EnumColumn):
        return next(member for member in kind.enum_class or () if member != value)
    if column.name in OTHER_TEXT:
        return OTHER_TEXT[column.name]
    if isinstance(kind, Boolean):
        return not value
    if isinstance(kind, JSON):
        return {"another": "value"}
    if isinstance(kind, Integer):
        return (value or 0) + 1
    if isinstance(kind, LargeBinary):
        return bytes(reversed(value or b"ab"))
    if isinstance(kind, Date):
        return (value or NOW.date()) - timedelta(days=1)
    if isinstance(kind, UtcDateTime):
        return (value or NOW) + timedelta(microseconds=1)
    return f"{value}x"
