"""Time-based one-time passwords (RFC 6238), each accepted once."""

import hmac
import re
from datetime import datetime
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
_DIGITS: Final = re.compile(r"[0-9]{6}")


def new_totp_secret() -> str:
    """Return a new secret: 160 bits in base32, as authenticator apps take it (RFC 4226 section 4, R6)."""
    return pyotp.random_base32(32)


def verify_totp(secret: str, code: str, at: datetime, last_step: int | None) -> int | None:
    """Return the accepted time step (30 seconds each, since 1970), or None when the code is refused.

    One step of drift either way is accepted, never a step at or before `last_step`: the caller stores the
    answer as the new `last_step` in the same transaction, so that a code works once (RFC 6238 section 5.2).
    Raises `ValueError` for a naive `at`.
    """
    if at.tzinfo is None:
        raise ValueError("an aware datetime is needed")
    digits = "".join(code.split())
    if not _DIGITS.fullmatch(digits):
        return None
    now = int(at.timestamp()) // STEP_SECONDS
    return _matching_step(pyotp.TOTP(secret), digits, (now, now - 1, now + 1), last_step)


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """Return the `otpauth://` address for a QR code. It holds secret and account: never log it."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def _matching_step(
    totp: pyotp.TOTP, digits: str, steps: tuple[int, ...], last_step: int | None
) -> int | None:
    # Every step is compared, so that the time taken does not tell which one fitted.
    matches = [step for step in steps if step >= 0 and hmac.compare_digest(totp.generate_otp(step), digits)]
    fresh = (step for step in matches if last_step is None or step > last_step)
    return next(fresh, None)
