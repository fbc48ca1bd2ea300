"""WebAuthn challenges that prove themselves: issued without a write, answered once within five minutes.

A flood of requests for challenges neither fills the database nor delays a report.
"""

import uuid
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from privacy.link_codes import CodeRefused, LinkCodes, Token
from signals.clock import Clock
from signals.errors import SignalsError
from signals.models import Challenge
from signals.operation import Operation
from signals.staff.identity import Secrets

Purpose = Literal["register", "sign_in", "confirm", "provider"]

LASTS: Final = timedelta(minutes=5)


class ChallengeRefused(SignalsError):
    """This challenge is not ours, is for something else, is too old or was answered before."""

    code = "challenge_refused"


def new_challenge(
    clock: Clock,
    *,
    keystore: Secrets,
    purpose: Purpose,
    member_id: uuid.UUID | None = None,
    lasts: timedelta = LASTS,
) -> bytes:
    """Return a challenge: a token (`privacy.link_codes`) that binds purpose and person."""
    token = _codes(keystore).new_token(purpose, str(member_id), expires_at=clock.now() + lasts)
    return token.encode()


def use_challenge(
    operation: Operation, challenge: bytes, purpose: Purpose, member_id: uuid.UUID | None = None
) -> None:
    """Mark a challenge as answered, once its answer is right. Raises `ChallengeRefused`."""
    token = require_challenge(operation, challenge, purpose, member_id)
    operation.session.execute(delete(Challenge).where(Challenge.expires_at <= operation.now))
    answered = Challenge(
        id=uuid.UUID(bytes=token.nonce),
        purpose=purpose,
        staff_member_id=member_id,
        challenge=challenge,
        expires_at=token.expires_at,
    )
    try:
        with operation.session.begin_nested():
            operation.session.add(answered)
    except IntegrityError:
        raise ChallengeRefused from None


def require_challenge(
    operation: Operation, challenge: bytes, purpose: Purpose, member_id: uuid.UUID | None = None
) -> Token:
    """Return the token of a challenge that was made here for this purpose and person, and is not too old.

    Raises `ChallengeRefused`.
    """
    text = challenge.decode("ascii", "replace")
    try:
        return _codes(operation.keystore).read_token(text, purpose, str(member_id), now=operation.now)
    except CodeRefused:
        raise ChallengeRefused from None


def _codes(keystore: Secrets) -> LinkCodes:
    return LinkCodes(keystore.secret("challenges"), "webauthn")
