"""The keystore: mailbox, case and pseudonym keys and named secrets, each wrapped by a master key.

It lives apart from the database, and the master key apart from both, so that whoever takes one can read
nothing. Destroying a case's key is what forgets the case (AVG art. 17), in backups too once they expired.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from privacy.keystore.errors import (
    KeyGone,
    KeyRefused,
    KeystoreEmpty,
    KeystoreError,
    ReceiptRefused,
    WrongMasterKey,
)
from privacy.keystore.mailboxes import MailboxKeys, MailboxPublicKey
from privacy.keystore.pseudonym_keys import PSEUDONYM_CACHE_SECONDS, PseudonymKeys
from privacy.keystore.receipts import KeyReceipt, KeysByReceipt, Opens
from privacy.keystore.wrapping import KEY_SIZE
from privacy.keystore_schema import keystore_engine
from privacy.patience import DESK, JOBS
from privacy.secret_files import load_master_key, write_new_secret_file


class Keystore(MailboxKeys, PseudonymKeys, KeysByReceipt):
    """Keys over an engine of their own; every method is one transaction and may be called from any thread.

    On SQLite the engine must come from `keystore_engine` (its hooks make writers wait for one another).
    """


class DeskKeystore(Keystore):
    """The keystore of a process in which people work: keys of cases for a receipt, and not otherwise."""

    def _stored_keys(self, column: Any, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        raise ReceiptRefused


def open_keystore(url: str, master_key: bytes, *, of_desk: bool = False) -> Keystore:
    """Return the keystore at a SQLAlchemy url (SQLite file or PostgreSQL); see `keystore_engine`.

    Connects to nothing yet: `create_schema` makes the tables, `ping` tells whether the master key fits.
    `of_desk`: a `DeskKeystore`.
    """
    made, patience = (DeskKeystore, DESK) if of_desk else (Keystore, JOBS)
    return made(keystore_engine(url, patience), master_key)
