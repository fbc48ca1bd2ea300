"""Opening the keystore by the settings, and saying plainly what is wrong with it and what mends it.

Whoever starts a process or gives a command reads this at three in the morning: no sentence names a secret,
and none advises to make a new key where an old one is only out of place.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from privacy.keystore import (
    KEY_SIZE,
    Keystore,
    KeystoreEmpty,
    KeystoreError,
    WrongMasterKey,
    open_keystore,
)
from privacy.secret_files import SecretFileOpenToOthers, SecretFileRefused, load_master_key
from signals.db import driver_error
from signals.errors import SignalsError
from signals.settings import Settings


class KeysUnusable(SignalsError):
    """The keystore cannot be used."""

    code = "keys_unusable"
    status = 503

    def __init__(self, says: str, mend: str) -> None:
        super().__init__(f"{says}. {mend[:1].upper()}{mend[1:]}.")
        self.says = says
        self.mend = mend


def open_keys(settings: Settings) -> Keystore:
    """The keystore of these settings, with a master key that was found to fit. Raises `KeysUnusable`."""
    with explained(settings):
        keystore = open_keystore(settings.keystore.url, load_master_key(settings.keystore.master_key_file))
        try:
            keystore.ping()
        except BaseException:
            keystore.dispose()
            raise
        return keystore


def refuse_a_second_master_key(settings: Settings) -> None:
    """Raise `KeysUnusable` where a keystore is there: a new master key beside it would open nothing."""
    file = settings.keystore.master_key_file
    if keystore_is_there(settings):
        says = f"keystore.master_key_file: {file} is missing, and there is a keystore that it opens"
        raise KeysUnusable(says, _MEND_FILE.format(file=file))


def keystore_is_there(settings: Settings) -> bool:
    """Whether there is one, under whichever master key. Raises `KeysUnusable` where it cannot be reached."""
    with explained(settings):
        keystore = open_keystore(settings.keystore.url, bytes(KEY_SIZE))
        try:
            return keystore.was_made()
        finally:
            keystore.dispose()


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn what goes wrong with the master key or the keystore into a `KeysUnusable`."""
    file = settings.keystore.master_key_file
    try:
        yield
    except SecretFileOpenToOthers:
        says = f"keystore.master_key_file: others may read the secret file {file}"
        raise KeysUnusable(says, _MEND_OPEN.format(file=file)) from None
    except SecretFileRefused as refused:
        raise KeysUnusable(f"keystore.master_key_file: {refused}", _MEND_FILE.format(file=file)) from None
    except WrongMasterKey:
        says = f"keystore.master_key_file: {file} is not the master key of this keystore"
        raise KeysUnusable(says, _MEND_OTHER_KEY) from None
    except KeystoreEmpty:
        raise KeysUnusable("keystore.url: there is no keystore", _MEND_EMPTY) from None
    except KeystoreError as problem:
        raise KeysUnusable(f"keystore: {str(problem).rstrip('.')}", _MEND_DAMAGED) from None
    except SQLAlchemyError as problem:
        # Its own text may hold the address of the database.
        kind = type(driver_error(problem)).__name__
        raise KeysUnusable(f"keystore.url: the keystore cannot be reached ({kind})", _MEND_AWAY) from None


_MEND_FILE = (
    "put back the file that this keystore was made or last rotated with (there is a copy in the safe, see"
    " docs/backup.md); only a new installation makes one: signals keys new-master {file}, then signals init"
)
_MEND_OPEN = (
    "take it from the others: chmod 600 {file}. Then everything works again, but the key may be known, so"
    " replace it: signals keys new-master NEW, stop the desk and the workers, signals keys rotate NEW"
    " (docs/operations.md, 'Keys')"
)
_MEND_OTHER_KEY = (
    "point it to the file of the last 'signals keys rotate', or keystore.url to the keystore that goes with"
    " this file; nothing was changed"
)
_MEND_EMPTY = (
    "if there was one, start its database, mount its disk or restore its copy (docs/backup.md), and never"
    " make a new one beside it; a new installation makes it with: signals init"
)
_MEND_DAMAGED = "restore the youngest copy of the keystore beside this database (docs/backup.md)"
_MEND_AWAY = "start its database or mount its disk; nothing is lost meanwhile (docs/operations.md)"
