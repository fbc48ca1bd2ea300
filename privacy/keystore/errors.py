"""Refusals of a keystore; no message says anything of a key."""


class KeystoreError(Exception):
    """The keystore cannot do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class KeyGone(KeystoreError, LookupError):
    """There is no such key, or it was destroyed: what it sealed can never be read again."""


class KeyRefused(KeystoreError):
    """A wrapped key does not open: it was exchanged or damaged, or the master key was rotated."""


class ReceiptRefused(KeystoreError):
    """The key of a case needs a receipt of a committed audit entry; this is none."""


class WrongMasterKey(KeystoreError):
    """This master key is not the one of this keystore."""


class KeystoreEmpty(KeystoreError):
    """There is no keystore here: it was never made, or its database is another one than it was."""


class KeystoreNotOwned(KeystoreError):
    """The keystore's tables belong to another role: their files keep destroyed keys."""
