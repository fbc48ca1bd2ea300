"""Named secrets, and the root, which signs mailbox keys and heads of the audit chain."""

import re
import secrets
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, delete, select

from privacy.keystore.errors import KeyGone, KeyRefused
from privacy.keystore.vault import Vault, insert_if_absent
from privacy.keystore.wrapping import KEY_SIZE
from privacy.keystore_schema import checkpoint_sqlite, secrets_table

_ROOT: Final = "root/ed25519"  # a slash: no name that `secret` takes
_SECRET_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class NamedSecrets(Vault):
    """32 bytes under a name each, made at the first call."""

    def __init__(self, engine: Engine, master_key: bytes) -> None:
        super().__init__(engine, master_key)
        self._secrets: dict[str, bytes] = {}

    def ensure_root(self) -> None:
        """Make the Ed25519 root once; its public half is to be pinned in the front's settings."""
        self._ensured_secret(_ROOT)

    def root_public_key(self) -> bytes:
        """Return the root's public half, 32 raw bytes; raises `KeyGone` before `ensure_root`."""
        return self.root_signing_key().public_key().public_bytes_raw()

    def root_signing_key(self) -> Ed25519PrivateKey:
        """Return the root itself, to sign heads of the audit chain; raises `KeyGone` before `ensure_root`."""
        seed = self._existing_secret(_ROOT)
        if seed is None:
            raise KeyGone("the keystore has no root yet")
        return Ed25519PrivateKey.from_private_bytes(seed)

    def secret(self, name: str) -> bytes:
        """Return the 32 bytes of a named secret, made at the first call; two at once make one.

        Names are lower-case words with digits, hyphens or underscores; raises `ValueError` for others, and
        `KeyRefused` for a damaged secret.
        """
        if not _SECRET_NAME.fullmatch(name):
            raise ValueError("not a name for a secret")
        return self._ensured_secret(name)

    def has_secret(self, name: str) -> bool:
        """Whether a named secret was made; asking makes none."""
        return bool(_SECRET_NAME.fullmatch(name)) and self._existing_secret(name) is not None

    def forget_secrets(self, names: Iterable[str]) -> int:
        """Delete named secrets for good; returns how many. Nobody reads their contents again."""
        wanted = [name for name in names if _SECRET_NAME.fullmatch(name)]  # never the root
        with self._writing() as connection:
            done = connection.execute(delete(secrets_table).where(secrets_table.c.name.in_(wanted)))
        for name in wanted:
            self._secrets.pop(name, None)
        checkpoint_sqlite(self._engine)
        return done.rowcount

    def _ensured_secret(self, name: str) -> bytes:
        existing = self._existing_secret(name)
        if existing is not None:
            return existing
        wrapped = self._master.wrap(secrets.token_bytes(KEY_SIZE), secrets_table.c.wrapped, name)
        with self._writing() as connection:
            insert_if_absent(connection, secrets_table, [{"name": name, "wrapped": wrapped}])
        stored = self._existing_secret(name)
        if stored is None:
            raise KeyGone
        return stored

    def _existing_secret(self, name: str) -> bytes | None:
        if name in self._secrets:
            return self._secrets[name]
        with self._reading() as connection:
            query = select(secrets_table).where(secrets_table.c.name == name)
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        for _row, secret in self._readable(secrets_table.c.wrapped, [row]):
            return self._secrets.setdefault(name, secret)
        raise KeyRefused
