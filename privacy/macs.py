"""HMAC-SHA256 (RFC 2104, FIPS 180-4) of many messages under one key, and the seal of a database row."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

Mac = Callable[[bytes], bytes]


def many_macs(key: bytes) -> Mac:
    """Return a function that makes HMAC-SHA256 under one key, prepared once for all messages.

    In under half the time of `hmac.digest`. It holds the key: drop it soon.
    """
    keyed = HMAC(key, SHA256())

    def mac(message: bytes) -> bytes:
        own = keyed.copy()
        own.update(message)
        return own.finalize()

    return mac


_DOMAIN: Final = b"signals/row/v1\x00"


def row_seal(mac: Mac, table: str, values: Mapping[str, object]) -> bytes:
    """Return the seal of a row, 32 bytes, by its columns; the primary key and every moment count.

    A row of another table, or with another key, has another seal. Moments must be aware; both databases keep
    their microseconds. Raises TypeError for a type without one spelling.
    """
    said = json.dumps([table, dict(values)], sort_keys=True, separators=(",", ":"), default=_spelled)
    return mac(_DOMAIN + said.encode())


def _spelled(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a moment must be aware")
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no spelling for {type(value).__name__}")
