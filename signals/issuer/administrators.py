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

from privacy.totp import new_totp_secret, provisioning_uri, verify_totp
from signals.errors import FieldProblem, Invalid, NotFound
from signals.issuer.codes import hash_of, random_code
from signals.issuer.tables import Administrator, AdministratorSession
from signals.issuer.week_keys import Wrapping

SESSION_LASTS: Final = timedelta(hours=1)
MOST_WRONG_CODES: Final = 10


@dataclass(frozen=True, kw_only=True)
class NewAdministrator:
    """What a new administrator gets, once: the access key, and the secret of the authenticator app."""

    name: str
    access_key: str = field(repr=False)
    totp_secret: str = field(repr=False)
    totp_address: str = field(repr=False)


def add_administrator(session: Session, wrapping: Wrapping, *, name: str, issuer: str) -> NewAdministrator:
    """Add somebody, or give somebody who is there a new key and secret. Raises `Invalid`."""
    if not 1 <= len(name.strip()) <= 80:
        raise Invalid(FieldProblem(field="name", code="required" if not name.strip() else "too_long"))
    remove_administrator(session, name.strip(), must_exist=False)
    new = NewAdministrator(
        name=name.strip(),
        access_key=random_code(),
        totp_secret=(secret := new_totp_secret()),
        totp_address=provisioning_uri(secret, account=name.strip(), issuer=issuer),
    )
    wrapped = wrapping.wrap(secret.encode(), _place(new.name))
    session.add(Administrator(name=new.name, key_hash=hash_of(new.access_key), wrapped_totp=wrapped))
    return new


def remove_administrator(session: Session, name: str, *, must_exist: bool = True) -> None:
    """Remove somebody and end every session of theirs. Raises `NotFound`."""
    found = session.get(Administrator, name)
    if found is None:
        if must_exist:
            raise NotFound
        return
    session.execute(delete(AdministratorSession).where(AdministratorSession.name == name))
    session.delete(found)
    session.flush()


def list_administrators(session: Session) -> Sequence[str]:
    """Return the names, in order."""
    return session.scalars(select(Administrator.name).order_by(Administrator.name)).all()


def sign_in(session: Session, wrapping: Wrapping, *, access_key: str, code: str, now: datetime) -> str | None:
    """Return the token of a new session; None for a wrong pair, whichever half of it is wrong.

    The caller commits in both cases: a wrong one-time code counts.
    """
    session.execute(delete(AdministratorSession).where(AdministratorSession.expires_at <= now.timestamp()))
    by_key = select(Administrator).where(Administrator.key_hash == hash_of(access_key)).with_for_update()
    found = session.scalars(by_key).one_or_none()
    if found is None or found.wrong_codes >= MOST_WRONG_CODES:
        return None
    secret = wrapping.unwrap(found.wrapped_totp, _place(found.name)).decode()
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


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"signals/issuer/session/v1\x00" + token.encode("utf-8", "replace")).digest()


def _place(name: str) -> str:
    return f"signals/issuer/totp/v1|{name}"
