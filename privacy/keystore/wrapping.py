"""Wrapping: every secret of the keystore is sealed under the master key, for its own place and no other."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, Table

from privacy.keystore.errors import KeyRefused
from privacy.keystore_schema import case_keys, mailbox_keys, pseudonym_keys, secrets_table

KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
BOUND: Final[Mapping[Table, tuple[str, ...]]] = {
    mailbox_keys: ("key_id", "organisation_id", "week"),
    case_keys: ("key_id",),
    pseudonym_keys: ("organisation_id", "origin_id", "quarter"),
    secrets_table: ("name",),
}
"""The columns that a wrapped value is bound to: in another row it does not open."""


class Master:
    """The master key as AES-256-GCM: wraps a secret for one place and opens it nowhere else."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError("the master key has 32 bytes")
        self._cipher = AESGCM(key)

    def wrap(self, secret: bytes, table: Table, *place: object) -> bytes:
        """Seal a secret for the row of a table that has these values in its bound columns."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, secret, _place(table, place))

    def unwrap(self, wrapped: bytes, table: Table, *place: object) -> bytes:
        """Open what was wrapped for the same place; raises `KeyRefused`."""
        nonce, sealed = wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:]
        try:
            return self._cipher.decrypt(nonce, sealed, _place(table, place))
        except (InvalidTag, ValueError):
            raise KeyRefused from None


def bound_values(table: Table, row: Row[Any]) -> list[Any]:
    """Return the values of a row that its wrapped key is bound to."""
    return [row._mapping[name] for name in BOUND[table]]


def _place(table: Table, values: Sequence[object]) -> bytes:
    return "|".join(("signals/keystore/v1", table.name, *map(str, values))).encode()
