"""WebAuthn challenges that prove themselves: made without writing anything, answered once in five minutes.

So nobody fills the database, or holds up a carrier's report, by asking for challenges.
"""

import hashlib
import hmac
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from signals.clock import Clock
from signals.errors import SignalsError
from signals.models import Challenge
from signals.staff.identity import Secrets

Purpose = Literal["register", "sign_in", "confirm"]

LASTS: Final = timedelta(minutes=5)
_NOBODY: Final = uuid.UUID(int=0)
_NONCE, _UNTIL, _MAC = 16, 8, 32


class ChallengeRefused(SignalsError):
    """This challenge is not ours, is for something else, is too old or was answered before."""

    code = "challenge_refused"


def new_challenge(
    clock: Clock, *, keystore: Secrets, purpose: Purpose, member_id: uuid.UUID | None = None
) -> bytes:
    """56 bytes: random (16), end (8, seconds since 1970), HMAC (32) that binds purpose and person."""
    until = int((clock.now() + LASTS).timestamp())
    part = secrets.token_bytes(_NONCE) + until.to_bytes(_UNTIL)
    return part + _mac(keystore, part, purpose, member_id)


def use_challenge(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    challenge: bytes,
    purpose: Purpose,
    member_id: uuid.UUID | None = None,
) -> None:
    """Mark a challenge as answered, after its answer was found right. Raises `ChallengeRefused`."""
    require_challenge(clock, keystore=keystore, challenge=challenge, purpose=purpose, member_id=member_id)
    now = clock.now()
    session.execute(delete(Challenge).where(Challenge.expires_at <= now))
    answered = Challenge(
        id=uuid.UUID(bytes=challenge[:_NONCE]),
        purpose=purpose,
        staff_member_id=member_id,
        challenge=challenge,
        expires_at=_end(challenge),
    )
    try:
        with session.begin_nested():
            session.add(answered)
    except IntegrityError:
        raise ChallengeRefused from None


def require_challenge(
    clock: Clock, *, keystore: Secrets, challenge: bytes, purpose: Purpose, member_id: uuid.UUID | None = None
) -> None:
    """Raise `ChallengeRefused` unless it was made here, for this purpose and person, and is not too old."""
    part, mac = challenge[:-_MAC], challenge[-_MAC:]
    right_size = len(challenge) == _NONCE + _UNTIL + _MAC
    if not right_size or not hmac.compare_digest(mac, _mac(keystore, part, purpose, member_id)):
        raise ChallengeRefused
    if clock.now() >= _end(challenge):
        raise ChallengeRefused


def _end(challenge: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(challenge[_NONCE : _NONCE + _UNTIL]), UTC)


def _mac(keystore: Secrets, part: bytes, purpose: Purpose, member_id: uuid.UUID | None) -> bytes:
    bound = b"\x00".join((b"webauthn/v1", purpose.encode(), (member_id or _NOBODY).bytes, part))
    return hmac.new(keystore.secret("challenges"), bound, hashlib.sha256).digest()
