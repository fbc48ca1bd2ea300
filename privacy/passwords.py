"""Passwords of staff: argon2id (RFC 9106), and the same work for an account that does not exist."""

import secrets
import unicodedata
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError


@dataclass(frozen=True, kw_only=True)
class PasswordHasherSettings:
    """The cost of one guess: memory in KiB, passes, lanes. Tests pass little memory; nothing else does."""

    memory_kib: int = 64 * 1024
    time_cost: int = 3
    parallelism: int = 1


STANDARD: Final = PasswordHasherSettings()


def hash_password(password: str, settings: PasswordHasherSettings = STANDARD) -> str:
    """Return the PHC string to store: algorithm, cost and a random salt are in it."""
    return _hasher(settings).hash(_as_bytes(password))


def verify_password(hash: str, password: str) -> bool:
    """Tell whether this is the password; a damaged hash is a no, and costs less than a real check."""
    try:
        return _hasher(STANDARD).verify(hash, _as_bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def verify_nobody(password: str, settings: PasswordHasherSettings = STANDARD) -> bool:
    """Return False after the work of a real check, so that time does not tell which accounts exist."""
    _hasher(settings).hash(_as_bytes(password))
    return False


def unusable_password(settings: PasswordHasherSettings = STANDARD) -> str:
    """Return a PHC string that no password fits, made without the work of a hash.

    For an account whose owner has yet to choose: a missing hash would answer quicker and tell who that is.
    """
    cost = f"m={settings.memory_kib},t={settings.time_cost},p={settings.parallelism}"
    salt, found = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19${cost}${salt}${found}"


def needs_rehash(hash: str, settings: PasswordHasherSettings = STANDARD) -> bool:
    """Tell whether the hash was made at another cost: store a new one at the next good sign-in."""
    return _hasher(settings).check_needs_rehash(hash)


def _hasher(settings: PasswordHasherSettings) -> PasswordHasher:
    return PasswordHasher(
        time_cost=settings.time_cost,
        memory_cost=settings.memory_kib,
        parallelism=settings.parallelism,
        type=Type.ID,
    )


def _as_bytes(password: str) -> bytes:
    # NFKC: the same keys give other code points on another system. Lone surrogates may not raise: the
    # UnicodeEncodeError would carry the password.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
