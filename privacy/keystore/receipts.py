"""Receipts: the keystore gives a person's process the key of a case only for a committed audit entry.

On PostgreSQL, functions of the databases give and check receipts under a secret that no such process can read
(`signals.operations.receipt_fence`). Elsewhere this process does both, in the same order, and has the secret.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from privacy.keystore.cases import CaseKeys
from privacy.keystore.errors import ReceiptRefused
from privacy.keystore.named import NamedSecrets
from privacy.keystore_schema import case_keys

DOMAIN: Final = b"signals/key-receipt/v1\x00"
SECRET: Final = "receipts"  # noqa: S105 - the name of a secret


class Opens(StrEnum):
    """The content that a receipt opens."""

    CASE = "case"  # all of one case
    LIST = "list"  # the summaries of the cases of a list, and nothing else of them


@dataclass(frozen=True, kw_only=True)
class KeyReceipt:
    """The proof that the audit entry of these case keys is committed."""

    opens: Opens
    entry_id: UUID
    key_ids: tuple[UUID, ...]
    mac: bytes


class KeysByReceipt(CaseKeys, NamedSecrets):
    """The one way to case keys for a process in which people work."""

    @property
    def is_fenced(self) -> bool:
        """Whether the keystore's database, and not this process, checks receipts."""
        if self._fenced is None:
            self._fenced = self._engine.dialect.name == "postgresql" and not self._may_read_keys()
        return self._fenced

    _fenced: bool | None = None

    def receipt_for(self, opens: Opens, entry_id: UUID, key_ids: Iterable[UUID]) -> KeyReceipt:
        """Return a receipt of this process; the caller has checked that the entry is committed."""
        ordered = tuple(sorted(key_ids))
        mac = receipt_mac(self.secret(SECRET), opens, entry_id, ordered)
        return KeyReceipt(opens=opens, entry_id=entry_id, key_ids=ordered, mac=mac)

    def keys_for(self, receipt: KeyReceipt) -> dict[UUID, bytes]:
        """Return the keys that a receipt opens and that still exist. Raises `ReceiptRefused`."""
        if self.is_fenced:
            return self._keys_of_database(receipt)
        expected = receipt_mac(self.secret(SECRET), receipt.opens, receipt.entry_id, receipt.key_ids)
        if not hmac.compare_digest(expected, receipt.mac):
            raise ReceiptRefused
        return CaseKeys._stored_keys(self, self._column(receipt.opens), receipt.key_ids)

    def _column(self, opens: Opens) -> Any:
        return case_keys.c.wrapped if opens is Opens.CASE else case_keys.c.summary

    def _keys_of_database(self, receipt: KeyReceipt) -> dict[UUID, bytes]:
        values = {
            "opens": receipt.opens.value,
            "entry": receipt.entry_id,
            "keys": list(receipt.key_ids),
            "mac": receipt.mac,
        }
        try:
            with self._reading() as connection:
                rows = connection.execute(_KEYS, values).all()
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", "") == _REFUSED:
                raise ReceiptRefused from None
            raise
        return {row.key_id: key for row, key in self._readable(self._column(receipt.opens), rows)}

    def _may_read_keys(self) -> bool:
        asked = select(func.has_column_privilege("public.case_keys", "wrapped", "SELECT"))
        with self._reading() as connection:
            return bool(connection.scalar(asked))


def receipt_mac(secret: bytes, opens: Opens, entry_id: UUID, key_ids: Sequence[UUID]) -> bytes:
    """Return HMAC-SHA256 over what a receipt opens, its entry and its key ids in order."""
    message = (
        DOMAIN + opens.value.encode() + b"\x00" + entry_id.bytes + b"".join(one.bytes for one in key_ids)
    )
    return hmac.digest(secret, message, hashlib.sha256)


_REFUSED: Final = "42501"
_KEYS: Final = text("SELECT key_id, wrapped FROM receipts.keys(:opens, :entry, :keys, :mac)")
