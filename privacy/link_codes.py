"""Codes in links, cookies and challenges: one format for all, signed with itsdangerous.

A code proves that this installation made it for one purpose and one value. A token is a random part, an
expiry and a code over both, joined by dots. The database stores neither, so its reader cannot follow a link.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from itsdangerous import Signer
from itsdangerous.signer import HMACAlgorithm

_BYTES: Final = 16
CODE: Final = re.compile(r"[A-Za-z0-9_-]{22}")
"""128 bits in base64url, short enough for a text message."""
TOKEN: Final = re.compile(rf"{CODE.pattern}\.[0-9]{{1,12}}\.{CODE.pattern}")


class CodeRefused(ValueError):
    """This token is not ours, is for something else, or is too old."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token that was read; `nonce` is its random part (16 bytes)."""

    nonce: bytes = field(repr=False)
    expires_at: datetime


class _Hmac128(HMACAlgorithm):
    """HMAC-SHA-256, cut to 128 bits (RFC 2104, section 5)."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:_BYTES]


class LinkCodes:
    """Make and check the codes of one purpose; `key` is a secret of the keystore (32 bytes)."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key, self._purpose = key, purpose
        self._signer = self._signer_for(purpose.encode())

    def code(self, *parts: str) -> str:
        """Return the code of a value; `parts` may not hold a NUL, except the last one."""
        return self._signer.get_signature(_joined(parts)).decode()

    def fits(self, code: str, *parts: str) -> bool:
        """Return whether a code belongs to a value, compared in constant time."""
        return hmac.compare_digest(self.code(*parts).encode(), code.encode("utf-8", "replace"))

    def new_token(self, *parts: str, expires_at: datetime) -> str:
        """Return a new token for a value; `expires_at` counts in whole seconds."""
        nonce, expiry = _text(secrets.token_bytes(_BYTES)), str(int(expires_at.timestamp()))
        return f"{nonce}.{expiry}.{self.code(nonce, expiry, *parts)}"

    def read_token(self, token: str, *parts: str, now: datetime) -> Token:
        """Return the parts of a live token for a value; raise `CodeRefused` otherwise."""
        if not TOKEN.fullmatch(token):
            raise CodeRefused
        nonce, expiry, code = token.split(".")
        if not self.fits(code, nonce, expiry, *parts):
            raise CodeRefused
        expires_at = datetime.fromtimestamp(int(expiry), UTC)
        if now >= expires_at:
            raise CodeRefused
        return Token(nonce=urlsafe_b64decode(f"{nonce}=="), expires_at=expires_at)

    def secret(self, *parts: str) -> bytes:
        """Return 32 secret bytes that follow from a value, apart from its code."""
        return self._signer_for(_joined((self._purpose, "secret", *parts))).derive_key()

    def _signer_for(self, salt: bytes) -> Signer:
        return Signer(
            self._key,
            salt=salt,
            key_derivation="hmac",
            digest_method=hashlib.sha256,
            algorithm=_Hmac128(hashlib.sha256),
        )


def _joined(parts: tuple[str, ...]) -> bytes:
    return "\0".join(parts).encode("utf-8", "replace")


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
