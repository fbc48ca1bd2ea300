"""Mailbox keys: one for each organisation and week, whose public half the root signs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from privacy.keystore.named import NamedSecrets
from privacy.keystore.vault import chunks, insert_if_absent
from privacy.keystore_schema import mailbox_keys
from privacy.sealing import generate_mailbox_keypair, sign_public_key, week_start


@dataclass(frozen=True, kw_only=True)
class MailboxPublicKey:
    """The public half of an organisation's mailbox of one week, as the front's database may hold it."""

    key_id: UUID
    organisation_id: UUID
    week: date
    public_key: bytes
    signature: bytes


class MailboxKeys(NamedSecrets):
    """The private halves, and the public ones with their signature."""

    def make_mailbox_key(self, organisation_id: UUID, week: date) -> MailboxPublicKey:
        """Return the organisation's mailbox key of the week around a date, made when there is none.

        Two at once make one. Raises `KeyGone` before `ensure_root`.
        """
        return self.make_mailbox_keys([(organisation_id, week)])[0]

    def make_mailbox_keys(self, pairs: Iterable[tuple[UUID, date]]) -> list[MailboxPublicKey]:
        """Return the keys of many (organisation, any day of the week), in the order of the pairs."""
        wanted = [(organisation_id, week_start(day)) for organisation_id, day in pairs]
        root = self.root_signing_key()
        with self._writing() as connection:
            known = _mailbox_keys_of(connection, wanted)
            missing = sorted(set(wanted) - known.keys())
            if missing:
                rows = [
                    self._new_mailbox_row(root, organisation_id, week) for organisation_id, week in missing
                ]
                insert_if_absent(connection, mailbox_keys, rows)
                known = _mailbox_keys_of(connection, wanted)
        return [known[pair] for pair in wanted]

    def list_mailbox_keys(self) -> list[MailboxPublicKey]:
        """Return the public halves of all mailbox keys, oldest week first."""
        query = _PUBLIC_HALVES.order_by(mailbox_keys.c.week, mailbox_keys.c.organisation_id)
        with self._reading() as connection:
            return [MailboxPublicKey(**row._mapping) for row in connection.execute(query)]

    def mailbox_private_keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the private halves (32 raw bytes) that can be read; leave out destroyed and damaged."""
        return {row.key_id: key for row, key in self._opened_by_id(mailbox_keys.c.wrapped, key_ids)}

    def destroy_mailbox_keys(self, key_ids: Iterable[UUID]) -> int:
        """Delete mailbox keys for good, once all that was sealed to them has arrived; returns how many."""
        return self._destroy_by_id(mailbox_keys, key_ids)

    def _new_mailbox_row(self, root: Ed25519PrivateKey, organisation_id: UUID, week: date) -> dict[str, Any]:
        key_id = uuid4()
        private_key, public_key = generate_mailbox_keypair()
        signature = sign_public_key(
            root, key_id=key_id, organisation_id=organisation_id, week=week, public_key=public_key
        )
        return {
            "key_id": key_id,
            "organisation_id": organisation_id,
            "week": week,
            "public_key": public_key,
            "signature": signature,
            "wrapped": self._master.wrap(private_key, mailbox_keys.c.wrapped, key_id, organisation_id, week),
        }


_PUBLIC_HALVES: Final = select(
    mailbox_keys.c.key_id,
    mailbox_keys.c.organisation_id,
    mailbox_keys.c.week,
    mailbox_keys.c.public_key,
    mailbox_keys.c.signature,
)


def _mailbox_keys_of(
    connection: Connection, pairs: Collection[tuple[UUID, date]]
) -> dict[tuple[UUID, date], MailboxPublicKey]:
    weeks = {week for _, week in pairs}
    found = {}
    for chunk in chunks({organisation_id for organisation_id, _ in pairs}):
        query = _PUBLIC_HALVES.where(
            mailbox_keys.c.organisation_id.in_(chunk), mailbox_keys.c.week.in_(weeks)
        )
        for row in connection.execute(query):
            found[row.organisation_id, row.week] = MailboxPublicKey(**row._mapping)
    return found
