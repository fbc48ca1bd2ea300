"""The keystore: mailbox, case and pseudonym keys and named secrets, each wrapped by a master key.

It lives apart from the database, and the master key apart from both, so that whoever takes one can read
nothing. Destroying a case's key is what forgets the case (AVG art. 17), in backups too once they expired.
"""

from privacy.keystore.cases import CaseKeys
from privacy.keystore.errors import KeyGone, KeyRefused, KeystoreEmpty, KeystoreError, WrongMasterKey
from privacy.keystore.mailboxes import MailboxKeys, MailboxPublicKey
from privacy.keystore.pseudonym_keys import PSEUDONYM_CACHE_SECONDS, PseudonymKeys
from privacy.keystore.wrapping import KEY_SIZE
from privacy.keystore_schema import keystore_engine
from privacy.secret_files import load_master_key, write_new_secret_file

__all__ = [
    "KEY_SIZE",
    "PSEUDONYM_CACHE_SECONDS",
    "KeyGone",
    "KeyRefused",
    "Keystore",
    "KeystoreEmpty",
    "KeystoreError",
    "MailboxPublicKey",
    "WrongMasterKey",
    "load_master_key",
    "open_keystore",
    "write_new_secret_file",
]


def open_keystore(url: str, master_key: bytes) -> "Keystore":
    """Return the keystore at a SQLAlchemy url (SQLite file or PostgreSQL); see `keystore_engine`.

    Connects to nothing yet: `create_schema` makes the tables, `ping` tells whether the master key fits.
    """
    return Keystore(keystore_engine(url), master_key)


class Keystore(MailboxKeys, CaseKeys, PseudonymKeys):
    """Keys over an engine of their own; every method is one transaction and may be called from any thread.

    On SQLite the engine must come from `keystore_engine` (its hooks make writers wait for one another).
    """
