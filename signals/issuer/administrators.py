"""People of the employer who make codes: each has an access key and one-time codes.

A key has 100 random bits, so nobody guesses it. Ten wrong one-time codes shut the account.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from privacy.sealing import open_bytes, seal_bytes
from privacy.totp import new_totp_secret, provisioning_uri, verify_totp
from signals.errors import Invalid, NotFound
from signals.issuer.codes import hash_of, name_problems, random_code
from signals.issuer.tables import Administrator, AdministratorSession

SESSION_LASTS: Final = timedelta(hours=1)
MOST_WRONG_CODES: Final = 10


@dataclass(frozen=True, kw_only=True)
class NewAdministrator:
    """The secrets of a new administrator, given once: the access key, and that of the authenticator app."""

    name: str
    access_key: str = field(repr=False)
    totp_secret: str = field(repr=False)
    totp_address: str = field(repr=False)


def add_administrator(session: Session, issuer_secret: bytes, *, name: str, issuer: str) -> NewAdministrator:
    """Add somebody, or give somebody who is there a new key and secret. Raises `Invalid`."""
    name, access_key, secret = name.strip(), random_code(), new_totp_secret()
    if problems := name_problems("name", name):
        raise Invalid(*problems)
    _forget(session, name)
    wrapped = seal_bytes(secret.encode(), issuer_secret, associated_data=_place(name))
    session.add(Administrator(name=name, key_hash=hash_of(access_key), wrapped_totp=wrapped))
    address = provisioning_uri(secret, account=name, issuer=issuer)
    return NewAdministrator(name=name, access_key=access_key, totp_secret=secret, totp_address=address)


def remove_administrator(session: Session, name: str) -> None:
    """Remove somebody and end every session of theirs. Raises `NotFound`."""
    if name not in list_administrators(session):
        raise NotFound
    _forget(session, name)


def list_administrators(session: Session) -> Sequence[str]:
    """Return the names, in order."""
    return session.scalars(select(Administrator.name).order_by(Administrator.name)).all()


def sign_in(
    session: Session, issuer_secret: bytes, *, access_key: str, code: str, now: datetime
) -> str | None:
    """Return the token of a new session; None for a wrong pair, whichever half of it is wrong.

    The caller commits in both cases: a wrong one-time code counts.
    """
    session.execute(delete(AdministratorSession).where(AdministratorSession.expires_at <= now.timestamp()))
    by_key = select(Administrator).where(Administrator.key_hash == hash_of(access_key)).with_for_update()
    found = session.scalars(by_key).one_or_none()
    if found is None or found.wrong_codes >= MOST_WRONG_CODES:
        return None
    secret = open_bytes(found.wrapped_totp, issuer_secret, associated_data=_place(found.name)).decode()
    step = verify_totp(secret, code, now, found.last_step)
    if step is None:
        found.wrong_codes += 1
        return None
    found.last_step, found.wrong_codes = step, 0
    token = secrets.token_urlsafe(32)
    expires_at = int((now + SESSION_LASTS).timestamp())
    session.add(AdministratorSession(token_hash=_hash(token), name=found.name, expires_at=expires_at))
    return token


def signed_in(session: Session, token: str, now: datetime) -> str | None:
    """Return the name of the administrator whose session this is; None when it is over."""
    found = session.get(AdministratorSession, _hash(token))
    return found.name if found is not None and found.expires_at > now.timestamp() else None


def sign_out(session: Session, token: str) -> None:
    """End a session."""
    session.execute(delete(AdministratorSession).where(AdministratorSession.token_hash == _hash(token)))


def _forget(session: Session, name: str) -> None:
    session.execute(delete(AdministratorSession).where(AdministratorSession.name == name))
    session.execute(delete(Administrator).where(Administrator.name == name))


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"signals/issuer/session/v1\x00" + token.encode("utf-8", "replace")).digest()


def _place(name: str) -> bytes:
    return f"signals/issuer/totp/v1|{name}".encode()
