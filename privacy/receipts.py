"""Idempotency and receipts at the front, without storing the key, the body or the receipt itself.

Everything is derived from the front's secret, so that a retry gets the same answer and a stolen table none.
"""

import base64
import hashlib
import hmac
import re
from functools import lru_cache
from typing import Final
from uuid import UUID

RECEIPT_BYTES: Final = 10
SECRET_SIZE: Final = 32

_KEY_DOMAIN: Final = b"signals/idempotency-key/v1\x00"
_BODY_DOMAIN: Final = b"signals/body/v1\x00"
_RECEIPT_DOMAIN: Final = b"signals/receipt/v1\x00"
_RECEIPT_HASH_DOMAIN: Final = b"signals/receipt-hash/v1\x00"
_FINGERPRINT_DOMAIN: Final = b"signals/front-secret/v1\x00"
_RFC4648: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TO_CROCKFORD: Final = str.maketrans(_RFC4648, _CROCKFORD)
_AS_READ: Final = str.maketrans("OIL", "011", " -")
_SIXTEEN: Final = re.compile(f"[{_CROCKFORD}]{{16}}")
_GROUPED: Final = re.compile(f"[{_CROCKFORD}]{{4}}(?:-[{_CROCKFORD}]{{4}}){{3}}")


def idempotency_hash(key: UUID) -> bytes:
    """Return the primary key of the idempotency row: SHA-256 of the sender's key, 32 bytes."""
    return hashlib.sha256(_KEY_DOMAIN + key.bytes).digest()


def body_mac(front_secret: bytes, key: UUID, canonical_body: bytes) -> bytes:
    """Return 32 bytes that tell another body under the same key; a plain hash would be a guessable address.

    Raises `ValueError` for a secret of fewer than 32 bytes.
    """
    return hmac.digest(_checked(front_secret), _BODY_DOMAIN + key.bytes + canonical_body, hashlib.sha256)


def receipt_for(front_secret: bytes, key: UUID, canonical_body: bytes) -> str:
    """Return the receipt, `XXXX-XXXX-XXXX-XXXX`: 80 bits by HKDF-SHA256 (RFC 5869) in Crockford's base32.

    The same key and body always give the same receipt. Raises `ValueError` for a short secret.
    """
    info = _RECEIPT_DOMAIN + key.bytes + hashlib.sha256(canonical_body).digest()
    raw = hmac.digest(_pseudorandom_key(front_secret), info + b"\x01", hashlib.sha256)  # HKDF's only block
    return _grouped(base64.b32encode(raw[:RECEIPT_BYTES]).decode("ascii").translate(_TO_CROCKFORD))


def secret_fingerprint(front_secret: bytes) -> bytes:
    """Return 32 bytes that tell one secret from another, and nothing else about it."""
    return hmac.digest(_checked(front_secret), _FINGERPRINT_DOMAIN, hashlib.sha256)


def parse_receipt(text: str) -> str | None:
    """Return the receipt as `receipt_for` writes it, or None when it cannot be one.

    Case, spaces and hyphens do not count; O is read as 0, I and L as 1.
    """
    compact = "".join(text.upper().split()).translate(_AS_READ)
    return _grouped(compact) if _SIXTEEN.fullmatch(compact) else None


def receipt_hash(receipt: str) -> bytes:
    """Return the 32 bytes under which a receipt's state is stored; takes the form of `parse_receipt` only.

    Raises `ValueError` for any other form: it would silently never be found.
    """
    if not _GROUPED.fullmatch(receipt):
        raise ValueError("a receipt is hashed in the form that parse_receipt returns")
    return hashlib.sha256(_RECEIPT_HASH_DOMAIN + receipt.encode("ascii")).digest()


@lru_cache(maxsize=4)
def _pseudorandom_key(front_secret: bytes) -> bytes:
    """HKDF's half that is the same for all receipts (RFC 5869, 2.2, without salt)."""
    return hmac.digest(bytes(hashlib.sha256().digest_size), _checked(front_secret), hashlib.sha256)


def _grouped(sixteen: str) -> str:
    return "-".join(sixteen[start : start + 4] for start in range(0, 16, 4))


def _checked(front_secret: bytes) -> bytes:
    if len(front_secret) < SECRET_SIZE:
        raise ValueError("the front secret has at least 32 bytes")
    return front_secret
