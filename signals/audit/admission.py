"""Admit a person to cases: the keystore gives keys for a committed entry of the trail only."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import Engine, Select, bindparam, select, text
from sqlalchemy.orm import SessionTransaction

from privacy.keystore import KeyReceipt, Keystore, Opens, ReceiptRefused
from signals.audit.grounds import Detailed, Ground
from signals.audit.log import Actor
from signals.clock import Clock
from signals.db import set_local
from signals.models import AuditEntry, Signal
from signals.vocabulary import AuditAction

RECENT: Final = timedelta(minutes=10)
"""An entry admits for so long: an old one tells nothing of who looks now."""
OPENING: Final = (
    AuditAction.SIGNAL_OPENED,
    AuditAction.CONTENT_USED,
    AuditAction.NOTICE_PRINTED,
    AuditAction.ROUND_PRINTED,
    AuditAction.EXPORTED,
    AuditAction.SIGNAL_ERASED,
)
"""Entries that name a signal whose content their actor uses; `operations.receipt_fence` has the same list."""
_ISSUE: Final = text("SELECT keys, mac FROM receipts.issue(:opens, :entry, :signals)")

# Built once: building them costs as much as running them, and every opening runs one.
_ENTRY: Final = select(AuditEntry.id).where(
    AuditEntry.id == bindparam("entry_id", type_=AuditEntry.id.type),
    AuditEntry.at.between(
        bindparam("earliest", type_=AuditEntry.at.type), bindparam("latest", type_=AuditEntry.at.type)
    ),
)
_OF_CASE: Final = _ENTRY.where(
    AuditEntry.action.in_(OPENING),
    AuditEntry.subject_id == Signal.id,
    Signal.case_key_id == bindparam("key_id", type_=Signal.case_key_id.type),
)
_OF_LIST: Final = _ENTRY.where(
    AuditEntry.action == AuditAction.SUMMARIES_READ,
    AuditEntry.ground == bindparam("ground", type_=AuditEntry.ground.type),
)


@dataclass(frozen=True, kw_only=True)
class Admission:
    """The keys of the cases that a person is admitted to, once the transaction of the entries is committed.

    `entries`: the entry of each case key. `opens`: the cases, or the summaries of a list.
    """

    opens: Opens
    signals: Mapping[UUID, UUID]
    entries: Mapping[UUID, UUID]
    actor: Actor
    clock: Clock
    keystore: Keystore = field(repr=False)
    engine: Engine = field(repr=False)
    transaction: SessionTransaction | None = field(repr=False)
    _known: dict[UUID, bytes] = field(default_factory=dict, repr=False)

    def require(self, signal_ids: Iterable[UUID]) -> None:
        """Raise `RuntimeError` for a signal that is not admitted, or before the audit entry is committed."""
        if self.transaction is None or self.transaction.is_active:
            raise RuntimeError("the audit entry must be committed before content is opened")
        if not set(self.signals.values()).issuperset(signal_ids):
            raise RuntimeError("no audit entry admits to this signal")

    def case_keys(self, key_ids: Iterable[UUID]) -> Mapping[UUID, bytes]:
        """Return the keys that still exist, each against the receipt of its entry."""
        return self._fetched(Opens.CASE, key_ids)

    def summary_keys(self, key_ids: Iterable[UUID]) -> Mapping[UUID, bytes]:
        """Return the keys of the summaries of a list, against the receipt of the one entry."""
        return self._fetched(Opens.LIST, key_ids)

    def fetch(self) -> Self:
        """Fetch all keys now, while no transaction holds a connection; return this admission."""
        self._fetched(self.opens, self.signals)
        return self

    def _fetched(self, opens: Opens, key_ids: Iterable[UUID]) -> Mapping[UUID, bytes]:
        wanted = list(key_ids)
        if opens is not self.opens or not self.signals.keys() >= set(wanted):
            raise RuntimeError("no audit entry admits to this signal")
        self.require(())
        if not self._known.keys() >= set(wanted):
            for entry_id, its in self._by_entry(wanted).items():
                self._known.update(self.keystore.keys_for(self._receipt(entry_id, its)))
        return {key_id: self._known[key_id] for key_id in wanted if key_id in self._known}

    def _by_entry(self, key_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
        """Group by entry; a list is one group, whole: its entry names all of it."""
        found: dict[UUID, list[UUID]] = {}
        for key_id in self.signals if self.opens is Opens.LIST else key_ids:
            found.setdefault(self.entries[key_id], []).append(key_id)
        return found

    def _receipt(self, entry_id: UUID, key_ids: list[UUID]) -> KeyReceipt:
        if self.keystore.is_fenced:
            return self._receipt_of_database(entry_id, [self.signals[key_id] for key_id in key_ids])
        self._check_here(entry_id, key_ids)
        return self.keystore.receipt_for(self.opens, entry_id, key_ids)

    def _receipt_of_database(self, entry_id: UUID, signal_ids: list[UUID]) -> KeyReceipt:
        """Ask in a transaction that has written nothing: what it sees is committed."""
        values = {"opens": self.opens.value, "entry": entry_id, "signals": signal_ids}
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            row = connection.execute(_ISSUE, values).one_or_none()
        if row is None or row.mac is None:
            raise ReceiptRefused
        return KeyReceipt(opens=self.opens, entry_id=entry_id, key_ids=tuple(row.keys), mac=row.mac)

    def _check_here(self, entry_id: UUID, key_ids: list[UUID]) -> None:
        """Check the same in this process, on another connection: it sees no uncommitted entry."""
        with self.engine.connect().execution_options(sqlite_single_statements=True) as connection:
            subjects = ",".join(str(self.signals[key_id]) for key_id in key_ids)
            names = {"organisation": self.actor.organisation_id, "staff": self.actor.id, "subject": subjects}
            set_local(connection, **{name: str(value or "") for name, value in names.items()})
            found = connection.execute(*self._committed(entry_id, key_ids)).one_or_none()
            connection.commit()  # after a ROLLBACK psycopg forgets every prepared statement
        if found is None:
            raise ReceiptRefused

    def _committed(self, entry_id: UUID, key_ids: list[UUID]) -> tuple[Select[Any], dict[str, Any]]:
        now = self.clock.now()
        entry = {"entry_id": entry_id, "earliest": now - RECENT, "latest": now + RECENT}
        if self.opens is Opens.LIST:
            return _OF_LIST, entry | {"ground": str(list_ground(self.signals.values()))}
        return _OF_CASE, entry | {"key_id": key_ids[0]}


def list_ground(signal_ids: Iterable[UUID]) -> Detailed:
    """Return the ground of a list's entry: it fixes which signals the list shows."""
    of = hashlib.sha256(b"".join(sorted(signal_id.bytes for signal_id in signal_ids)))
    return Ground.QUEUE.of(of.hexdigest()[:32])
