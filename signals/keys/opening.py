"""Open the keystore by the settings, and say clearly what is wrong with it and how to fix it.

The reader starts a process or a command at three in the morning. No sentence names a secret. No sentence
advises a new key where an old one is only in another place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from privacy.keystore import KEY_SIZE, Keystore, KeystoreEmpty, KeystoreError, WrongMasterKey, open_keystore
from privacy.secret_files import SecretFileOpenToOthers, SecretFileRefused, load_master_key
from signals.db import driver_error
from signals.errors import SignalsError
from signals.settings import Settings


class KeysUnusable(SignalsError):
    """The keystore cannot be used."""

    code = "keys_unusable"
    status = 503

    def __init__(self, says: str, fix: str) -> None:
        super().__init__(f"{says}. {fix[:1].upper()}{fix[1:]}.")
        self.says = says
        self.fix = fix


UNFINISHED_RESTORE: Final = "restore-unfinished"
"""A secret that exists from a restore until its replay: old rights are back, so nothing may serve."""


def open_keys(settings: Settings, *, after_restore: bool = False, of_desk: bool = False) -> Keystore:
    """Return the keystore of these settings with a master key that fits.

    Raises `KeysUnusable`, also between a restore and its replay, unless `after_restore`.
    `of_desk`: for a process in which people work; it gives keys of cases for receipts only.
    """
    with explained(settings):
        master_key = load_master_key(settings.keystore.master_key_file)
        keystore = open_keystore(settings.keystore.url, master_key, of_desk=of_desk)
        try:
            keystore.ping()
            if not after_restore and keystore.has_secret(UNFINISHED_RESTORE):
                raise KeysUnusable("a restore is not finished: revoked rights are back", _FIX_RESTORE)
        except BaseException:
            keystore.dispose()
            raise
        return keystore


def refuse_a_second_master_key(settings: Settings) -> None:
    """Raise `KeysUnusable` if a keystore exists: a new master key would open nothing of it."""
    file = settings.keystore.master_key_file
    if keystore_is_there(settings):
        says = f"keystore.master_key_file: {file} is missing, and there is a keystore that it opens"
        raise KeysUnusable(says, _FIX_FILE.format(file=file))


def keystore_is_there(settings: Settings) -> bool:
    """Tell whether a keystore exists, under any master key. Raises `KeysUnusable` if it cannot be reached."""
    with explained(settings), open_keystore(settings.keystore.url, bytes(KEY_SIZE)) as keystore:
        return keystore.was_made()


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn errors of the master key and the keystore into `KeysUnusable`."""
    file = settings.keystore.master_key_file
    try:
        yield
    except SecretFileOpenToOthers:
        says = f"keystore.master_key_file: others may read the secret file {file}"
        raise KeysUnusable(says, _FIX_OPEN.format(file=file)) from None
    except SecretFileRefused as refused:
        raise KeysUnusable(f"keystore.master_key_file: {refused}", _FIX_FILE.format(file=file)) from None
    except WrongMasterKey:
        says = f"keystore.master_key_file: {file} is not the master key of this keystore"
        raise KeysUnusable(says, _FIX_OTHER_KEY) from None
    except KeystoreEmpty:
        raise KeysUnusable("keystore.url: there is no keystore", _FIX_EMPTY) from None
    except KeystoreError as problem:
        raise KeysUnusable(f"keystore: {str(problem).rstrip('.')}", _FIX_DAMAGED) from None
    except SQLAlchemyError as problem:
        # The text of the error may hold the address of the database.
        kind = type(driver_error(problem)).__name__
        raise KeysUnusable(f"keystore.url: the keystore cannot be reached ({kind})", _FIX_AWAY) from None


_FIX_FILE = (
    "put back the file that this keystore was made or last rotated with (there is a copy in the safe, see"
    " docs/restore.md); only a new installation makes one: signals keys new-master {file}, then signals init"
)
_FIX_OPEN = (
    "take it from the others: chmod 600 {file}. Then everything works again, but the key may be known, so"
    " replace it: signals keys new-master NEW, stop the desk and the workers, signals keys rotate NEW"
    " (docs/rotate.md, 'Keys')"
)
_FIX_OTHER_KEY = (
    "point it to the file of the last 'signals keys rotate', or keystore.url to the keystore that goes with"
    " this file; nothing was changed"
)
_FIX_EMPTY = (
    "if there was one, start its database, mount its disk or restore its copy (docs/restore.md), and never"
    " make a new one beside it; a new installation makes it with: signals init"
)
_FIX_DAMAGED = "restore the youngest copy of the keystore beside this database (docs/restore.md)"
_FIX_RESTORE = "run signals retention replay with the newest copy of every journal (docs/restore.md)"
_FIX_AWAY = "start its database or mount its disk; nothing is lost meanwhile (docs/operations.md)"
