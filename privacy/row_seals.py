"""Make the seal of one database row: a MAC over its table and everything that the row says."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from privacy.macs import Mac

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
