"""Wrapping: every secret of the keystore is sealed under the master key, for its own place and no other."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Row

from privacy.keystore.errors import KeyRefused
from privacy.keystore_schema import case_keys, mailbox_keys, pseudonym_keys, secrets_table

KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
BOUND: Final[Mapping[Column[bytes], tuple[str, ...]]] = {
    mailbox_keys.c.wrapped: ("key_id", "organisation_id", "week"),
    case_keys.c.wrapped: ("key_id",),
    case_keys.c.summary: ("key_id",),
    pseudonym_keys.c.wrapped: ("organisation_id", "origin_id", "quarter"),
    secrets_table.c.wrapped: ("name",),
}
"""The columns that a wrapped value is bound to: in another row, or as another value, it does not open."""


class Master:
    """The master key as AES-256-GCM: wraps a secret for one place and opens it nowhere else."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError("the master key has 32 bytes")
        self._cipher = AESGCM(key)

    def wrap(self, secret: bytes, column: Column[bytes], *place: object) -> bytes:
        """Seal a secret for this column of the row that has these values in its bound columns."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, secret, _place(column, place))

    def unwrap(self, wrapped: bytes, column: Column[bytes], *place: object) -> bytes:
        """Open what was wrapped for the same place; raises `KeyRefused`."""
        nonce, sealed = wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:]
        try:
            return self._cipher.decrypt(nonce, sealed, _place(column, place))
        except (InvalidTag, ValueError):
            raise KeyRefused from None


def bound_values(column: Column[bytes], row: Row[Any]) -> list[Any]:
    """Return the values of a row that a wrapped key of it is bound to."""
    return [row._mapping[name] for name in BOUND[column]]


def _place(column: Column[bytes], values: Sequence[object]) -> bytes:
    return "|".join(("signals/keystore/v1", column.table.name, column.name, *map(str, values))).encode()
