"""The keystore: mailbox, case and pseudonym keys and named secrets, each wrapped by a master key.

It lives apart from the database, and the master key apart from both, so that whoever takes one can read
nothing. Destroying a case's key is what forgets the case (AVG art. 17), in backups too once they expired.
"""

import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from privacy.bulk import Columns, among, insert_many
from privacy.keystore_schema import (
    READ_ONLY,
    case_keys,
    checkpoint_sqlite,
    keystore_engine,
    keystore_metadata,
    mailbox_keys,
    master_versions,
    pseudonym_keys,
    secrets_table,
)
from privacy.sealing import generate_mailbox_keypair, sign_public_key, week_start
from privacy.secret_files import load_master_key as load_master_key
from privacy.secret_files import write_new_secret_file as write_new_secret_file

KEY_SIZE: Final = 32
PSEUDONYM_CACHE_SECONDS: Final = 60.0

_ROOT: Final = "root/ed25519"  # a slash: no name that `secret` takes
_SECRET_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_MASTER_CHECK: Final = b"signals/keystore/master/v1"
_NONCE_SIZE: Final = 12
_CHUNK: Final = 1000
# The columns that a wrapped value is bound to: in another row it does not open.
_BOUND: Final[Mapping[Table, tuple[str, ...]]] = {
    mailbox_keys: ("key_id", "organisation_id", "week"),
    case_keys: ("key_id",),
    pseudonym_keys: ("organisation_id", "origin_id", "quarter"),
    secrets_table: ("name",),
}


class KeystoreError(Exception):
    """The keystore cannot do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class KeyGone(KeystoreError, LookupError):
    """There is no such key, or it was destroyed: what it sealed can never be read again."""


class KeyRefused(KeystoreError):
    """A wrapped key does not open: it was exchanged or damaged, or the master key was rotated."""


class WrongMasterKey(KeystoreError):
    """This master key is not the one of this keystore."""


@dataclass(frozen=True, kw_only=True)
class MailboxPublicKey:
    """The public half of an organisation's mailbox of one week, as the front's database may hold it."""

    key_id: UUID
    organisation_id: UUID
    week: date
    public_key: bytes
    signature: bytes


def open_keystore(url: str, master_key: bytes) -> "Keystore":
    """Return the keystore at a SQLAlchemy url (SQLite file or PostgreSQL); see `keystore_engine`.

    Connects to nothing yet: `create_schema` makes the tables, `ping` tells whether the master key fits.
    """
    return Keystore(keystore_engine(url), master_key)


class Keystore:
    """Keys over an engine of their own; every method is one transaction and may be called from any thread.

    On SQLite the engine must come from `keystore_engine` (its hooks make writers wait for one another).
    """

    def __init__(self, engine: Engine, master_key: bytes) -> None:
        self._engine = engine
        self._master = _Master(master_key)
        self._known_check: bytes | None = None
        self._secrets: dict[str, bytes] = {}
        self._pseudonyms = _PseudonymCache()

    def create_schema(self) -> None:
        """Make the tables that do not exist yet and bind a new keystore to this master key."""
        with self._engine.begin() as connection:
            keystore_metadata.create_all(connection)
            self._require_master(connection)

    def ping(self) -> None:
        """Raise `WrongMasterKey` or the database's own error when the keystore cannot be used."""
        with self._reading() as connection:
            row = connection.execute(select(master_versions)).one_or_none()
        if row is None or not self._fits(row):
            raise WrongMasterKey

    def counts(self) -> dict[str, int]:
        """Return how many rows each table holds, for health pages and metrics."""
        with self._reading() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in keystore_metadata.sorted_tables
            }

    def dispose(self) -> None:
        """Close the engine's connections."""
        self._engine.dispose()

    # The root, which signs mailbox keys and heads of the audit chain

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

    def sign_mailbox_key(
        self, *, key_id: UUID, organisation_id: UUID, week: date, public_key: bytes
    ) -> bytes:
        """Return the root's signature over a mailbox key, as `sealing.verify_public_key` checks it."""
        return sign_public_key(
            self.root_signing_key(),
            key_id=key_id,
            organisation_id=organisation_id,
            week=week,
            public_key=public_key,
        )

    # Mailbox keys

    def make_mailbox_key(self, organisation_id: UUID, week: date) -> MailboxPublicKey:
        """Return the organisation's mailbox key of the week around a date, made when there is none.

        Two at once make one. Raises `KeyGone` before `ensure_root`.
        """
        return self.make_mailbox_keys([(organisation_id, week)])[0]

    def make_mailbox_keys(self, pairs: Iterable[tuple[UUID, date]]) -> list[MailboxPublicKey]:
        """The same for many (organisation, any day of the week), in the order of the pairs."""
        wanted = [(organisation_id, week_start(day)) for organisation_id, day in pairs]
        root = self.root_signing_key()
        with self._writing() as connection:
            known = _mailbox_keys_of(connection, wanted)
            missing = sorted(set(wanted) - known.keys())
            if missing:
                rows = [
                    self._new_mailbox_row(root, organisation_id, week) for organisation_id, week in missing
                ]
                _insert_if_absent(connection, mailbox_keys, rows)
                known = _mailbox_keys_of(connection, wanted)
        return [known[pair] for pair in wanted]

    def list_mailbox_keys(self) -> list[MailboxPublicKey]:
        """Return the public halves of all mailbox keys, oldest week first."""
        query = _PUBLIC_HALVES.order_by(mailbox_keys.c.week, mailbox_keys.c.organisation_id)
        with self._reading() as connection:
            return [MailboxPublicKey(**row._mapping) for row in connection.execute(query)]

    def mailbox_private_keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the private halves (32 raw bytes) that exist; the ids of destroyed keys are left out."""
        return {row.key_id: key for row, key in self._opened_by_id(mailbox_keys, key_ids)}

    def destroy_mailbox_keys(self, key_ids: Iterable[UUID]) -> int:
        """Delete mailbox keys for good, once all that was sealed to them has arrived; returns how many."""
        return self._destroy_by_id(mailbox_keys, key_ids)

    # Case keys

    def store_case_keys(self, keys: Mapping[UUID, bytes], *, created_on: date | None = None) -> None:
        """Store new case keys (32 bytes each) in one go, before the database commits what they seal.

        `created_on` is for the sweep of orphans and defaults to today in UTC. Raises SQLAlchemy's
        `IntegrityError`, and stores none, when one of the ids exists.
        """
        if not keys:
            return
        day = created_on or datetime.now(UTC).date()
        wrapped = [self._master.wrap(key, case_keys, key_id) for key_id, key in keys.items()]
        with self._writing() as connection:
            columns: Columns = {"key_id": list(keys), "wrapped": wrapped}
            insert_many(connection, case_keys, columns, {"created_on": day})

    def case_key(self, key_id: UUID) -> bytes:
        """Return one case key (32 bytes); raises `KeyGone` when it was destroyed."""
        try:
            return self.case_keys([key_id])[key_id]
        except KeyError:
            raise KeyGone from None

    def case_keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the case keys that exist; the ids of destroyed keys are left out."""
        return {row.key_id: key for row, key in self._opened_by_id(case_keys, key_ids)}

    def destroy_case_keys(self, key_ids: Iterable[UUID]) -> int:
        """Delete case keys for good: their cases can never be read again. Returns how many there were."""
        return self._destroy_by_id(case_keys, key_ids)

    def case_key_ids(self, older_than: date | None = None) -> Iterator[UUID]:
        """Yield the ids of case keys made before a date (or all), in order of id, for the sweep of orphans.

        Reads pages in transactions of their own: a sweep may destroy what it was given while it goes on.
        """
        query = select(case_keys.c.key_id).order_by(case_keys.c.key_id).limit(_CHUNK)
        if older_than is not None:
            query = query.where(case_keys.c.created_on < older_than)
        page = self._ids(query)
        while page:
            yield from page
            page = self._ids(query.where(case_keys.c.key_id > page[-1]))

    # Pseudonym keys

    def pseudonym_key(self, organisation_id: UUID, quarter: str) -> bytes:
        """Return the organisation's own pseudonym key of a quarter ("2026-Q4"), made when there is none."""
        pair = (organisation_id, quarter)
        return self.pseudonym_keys_for([pair])[pair]

    def pseudonym_keys_for(self, pairs: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], bytes]:
        """The same for many (organisation, quarter); two at once make one.

        Kept in memory for 60 seconds, so a key that another process destroys works that long here.
        """
        wanted = set(pairs)
        owned = self._own_keys(wanted)
        missing = sorted(wanted - owned.keys())
        if missing:
            self._make_pseudonym_keys(missing)
            owned |= self._own_keys(set(missing))
        return owned

    def pseudonym_keys(self, organisation_id: UUID, quarters: Sequence[str]) -> dict[str, bytes]:
        """Return the organisation's own keys of these quarters that exist; makes none."""
        owned = self._own_keys({(organisation_id, quarter) for quarter in quarters})
        return {quarter: key for (_, quarter), key in owned.items()}

    def matching_keys(self, pairs: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], tuple[bytes, ...]]:
        """Return, for each (organisation, quarter), every key under which a repeat may be found; makes none.

        Its own key comes first, then those of organisations that merged into it (`adopt_pseudonym_keys`).
        A pair without any key has an empty tuple.
        """
        return {
            (owner, quarter): tuple(keys[origin] for origin in sorted(keys, key=lambda o: (o != owner, o)))
            for (owner, quarter), keys in self._pseudonym_keys(set(pairs)).items()
        }

    def adopt_pseudonym_keys(self, from_organisation: UUID, to_organisation: UUID) -> int:
        """Hand all pseudonym keys of a merged organisation to its successor, for matching; returns how many.

        The successor's own keys stay what they are: it finds repeats under both (`matching_keys`).
        """
        columns = pseudonym_keys.c
        with self._writing() as connection:
            query = select(pseudonym_keys).where(columns.organisation_id == from_organisation)
            rows = [self._adopted(row, to_organisation) for row in connection.execute(query)]
            if rows:
                _insert_if_absent(connection, pseudonym_keys, rows)
                connection.execute(delete(pseudonym_keys).where(columns.organisation_id == from_organisation))
        self._pseudonyms.clear()
        return len(rows)

    def destroy_pseudonym_keys(self, before_quarter: str) -> int:
        """Delete the pseudonym keys of all quarters before this one; returns how many there were."""
        with self._writing() as connection:
            result = connection.execute(
                delete(pseudonym_keys).where(pseudonym_keys.c.quarter < before_quarter)
            )
        self._pseudonyms.clear()
        checkpoint_sqlite(self._engine)
        return result.rowcount

    # Named secrets

    def secret(self, name: str) -> bytes:
        """Return the 32 bytes of a named secret, made at the first call; two at once make one.

        Names are lower-case words with digits, hyphens or underscores; raises `ValueError` for others.
        """
        if not _SECRET_NAME.fullmatch(name):
            raise ValueError("not a name for a secret")
        return self._ensured_secret(name)

    def forget_secrets(self, names: Iterable[str]) -> int:
        """Delete named secrets for good; returns how many. What they sealed is never read again."""
        wanted = [name for name in names if _SECRET_NAME.fullmatch(name)]  # never the root
        with self._writing() as connection:
            done = connection.execute(delete(secrets_table).where(secrets_table.c.name.in_(wanted)))
        for name in wanted:
            self._secrets.pop(name, None)
        checkpoint_sqlite(self._engine)
        return done.rowcount

    # The master key

    def rewrap(self, new_master_key: bytes) -> int:
        """Wrap everything under a new master key, in one transaction; returns how many values.

        After it the old master key opens nothing here, and neither it nor what is left of old rows in backups
        opens anything once the old key is destroyed. Other processes must restart with the new key: until
        then their writes raise `WrongMasterKey` and their reads `KeyRefused`.
        """
        new = _Master(new_master_key)
        with self._writing(rotating=True) as connection:
            count = sum(self._rewrap_table(connection, table, new) for table in _BOUND)
            version = connection.scalars(select(master_versions.c.version)).one() + 1
            check = new.wrap(_MASTER_CHECK, master_versions, version)
            connection.execute(update(master_versions).values(version=version, wrapped=check))
        self._master, self._known_check = new, check
        self._pseudonyms.clear()
        checkpoint_sqlite(self._engine)
        return count

    # Transactions

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection.execution_options(**{READ_ONLY: True})

    @contextmanager
    def _writing(self, *, rotating: bool = False) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            self._require_master(connection, rotating=rotating)
            yield connection

    def _require_master(self, connection: Connection, *, rotating: bool = False) -> None:
        # Held until the commit: nothing may be wrapped under a master key that is being replaced. (SQLite
        # has no row locks and needs none: it has one writer.)
        query = select(master_versions).with_for_update(read=not rotating)
        row = connection.execute(query).one_or_none()
        if row is None:
            first = {"version": 1, "wrapped": self._master.wrap(_MASTER_CHECK, master_versions, 1)}
            _insert_if_absent(connection, master_versions, [first])
            row = connection.execute(query).one()
        if not self._fits(row):
            raise WrongMasterKey

    def _fits(self, row: Row[Any]) -> bool:
        if row.wrapped == self._known_check:
            return True
        try:
            fits = self._master.unwrap(row.wrapped, master_versions, row.version) == _MASTER_CHECK
        except KeyRefused:
            return False
        self._known_check = row.wrapped
        return fits

    # Rows

    def _opened_by_id(self, table: Table, key_ids: Iterable[UUID]) -> Iterator[tuple[Row[Any], bytes]]:
        chunks = _chunks(set(key_ids))
        if not chunks:
            return iter(())
        with self._reading() as connection:
            rows = [
                row
                for chunk in chunks
                for row in connection.execute(select(table).where(among(table.c.key_id, chunk, connection)))
            ]
        return ((row, self._opened(table, row)) for row in rows)

    def _opened(self, table: Table, row: Row[Any]) -> bytes:
        return self._master.unwrap(row.wrapped, table, *_bound_values(table, row))

    def _destroy_by_id(self, table: Table, key_ids: Iterable[UUID]) -> int:
        chunks = _chunks(set(key_ids))
        if not chunks:
            return 0
        with self._writing() as connection:
            count = sum(
                connection.execute(delete(table).where(among(table.c.key_id, chunk, connection))).rowcount
                for chunk in chunks
            )
        checkpoint_sqlite(self._engine)
        return count

    def _ids(self, query: Select[tuple[UUID]]) -> list[UUID]:
        with self._reading() as connection:
            return list(connection.scalars(query))

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
            "wrapped": self._master.wrap(private_key, mailbox_keys, key_id, organisation_id, week),
        }

    def _own_keys(self, pairs: set[tuple[UUID, str]]) -> dict[tuple[UUID, str], bytes]:
        found = self._pseudonym_keys(pairs)
        return {pair: keys[pair[0]] for pair, keys in found.items() if pair[0] in keys}

    def _pseudonym_keys(self, pairs: set[tuple[UUID, str]]) -> "dict[tuple[UUID, str], dict[UUID, bytes]]":
        found = self._pseudonyms.known(pairs)
        missing = pairs - found.keys()
        if not missing:
            return found
        fetched: dict[tuple[UUID, str], dict[UUID, bytes]] = {pair: {} for pair in missing}
        with self._reading() as connection:
            rows = connection.execute(_pseudonym_query(missing, connection)).all()
        for row in rows:
            if (pair := (row.organisation_id, row.quarter)) in fetched:
                fetched[pair][row.origin_id] = self._opened(pseudonym_keys, row)
        self._pseudonyms.keep(fetched, _not_the_latest(pairs))
        return found | fetched

    def _make_pseudonym_keys(self, pairs: Sequence[tuple[UUID, str]]) -> None:
        rows = [
            {
                "organisation_id": organisation_id,
                "origin_id": organisation_id,
                "quarter": quarter,
                "wrapped": self._master.wrap(
                    secrets.token_bytes(KEY_SIZE), pseudonym_keys, organisation_id, organisation_id, quarter
                ),
            }
            for organisation_id, quarter in pairs
        ]
        with self._writing() as connection:
            _insert_if_absent(connection, pseudonym_keys, rows)
        self._pseudonyms.forget(pairs)

    def _adopted(self, row: Row[Any], owner: UUID) -> dict[str, Any]:
        key = self._opened(pseudonym_keys, row)
        return {
            "organisation_id": owner,
            "origin_id": row.origin_id,
            "quarter": row.quarter,
            "wrapped": self._master.wrap(key, pseudonym_keys, owner, row.origin_id, row.quarter),
        }

    def _ensured_secret(self, name: str) -> bytes:
        existing = self._existing_secret(name)
        if existing is not None:
            return existing
        wrapped = self._master.wrap(secrets.token_bytes(KEY_SIZE), secrets_table, name)
        with self._writing() as connection:
            _insert_if_absent(connection, secrets_table, [{"name": name, "wrapped": wrapped}])
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
        return self._secrets.setdefault(name, self._opened(secrets_table, row))

    def _rewrap_table(self, connection: Connection, table: Table, new: "_Master") -> int:
        bound = _BOUND[table]
        query: Select[Any] = select(*(table.c[name] for name in bound), table.c.wrapped)
        rows = connection.execute(query).all()
        if not rows:
            return 0
        changes = [
            {f"of_{name}": value for name, value in zip(bound, row, strict=False)}
            | {"rewrapped": new.wrap(self._opened(table, row), table, *_bound_values(table, row))}
            for row in rows
        ]
        matched = (table.c[name] == bindparam(f"of_{name}") for name in bound)
        connection.execute(update(table).where(*matched).values(wrapped=bindparam("rewrapped")), changes)
        return len(rows)


class _Master:
    """The master key as AES-256-GCM: wraps a secret for one place and opens it nowhere else."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError("the master key has 32 bytes")
        self._cipher = AESGCM(key)

    def wrap(self, secret: bytes, table: Table, *place: object) -> bytes:
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, secret, _place(table, place))

    def unwrap(self, wrapped: bytes, table: Table, *place: object) -> bytes:
        nonce, sealed = wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:]
        try:
            return self._cipher.decrypt(nonce, sealed, _place(table, place))
        except (InvalidTag, ValueError):
            raise KeyRefused from None


class _PseudonymCache:
    """Opened pseudonym keys by (organisation, quarter) and origin, for `PSEUDONYM_CACHE_SECONDS`.

    That a pair has no keys is kept of quarters that are over only: of the latest one another worker may be
    making the key right now.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[UUID, str], tuple[float, dict[UUID, bytes]]] = {}

    def known(self, pairs: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], dict[UUID, bytes]]:
        now = time.monotonic()
        entries = ((pair, self._entries.get(pair)) for pair in pairs)
        return {pair: entry[1] for pair, entry in entries if entry is not None and entry[0] > now}

    def keep(
        self, found: Mapping[tuple[UUID, str], dict[UUID, bytes]], over: Collection[tuple[UUID, str]]
    ) -> None:
        expires = time.monotonic() + PSEUDONYM_CACHE_SECONDS
        self._entries.update({pair: (expires, keys) for pair, keys in found.items() if keys or pair in over})

    def forget(self, pairs: Iterable[tuple[UUID, str]]) -> None:
        for pair in pairs:
            self._entries.pop(pair, None)

    def clear(self) -> None:
        self._entries.clear()


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
    for chunk in _chunks({organisation_id for organisation_id, _ in pairs}):
        query = _PUBLIC_HALVES.where(
            mailbox_keys.c.organisation_id.in_(chunk), mailbox_keys.c.week.in_(weeks)
        )
        for row in connection.execute(query):
            found[row.organisation_id, row.week] = MailboxPublicKey(**row._mapping)
    return found


def _not_the_latest(pairs: set[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Those of quarters before the latest that is asked for: no key is made for them any more."""
    latest = max(quarter for _, quarter in pairs)
    return {pair for pair in pairs if pair[1] != latest}


def _pseudonym_query(pairs: Collection[tuple[UUID, str]], connection: Connection) -> Select[Any]:
    # Whole organisations by whole quarters: at most a few rows more than asked, and one query plan.
    return select(pseudonym_keys).where(
        among(pseudonym_keys.c.organisation_id, {owner for owner, _ in pairs}, connection),
        among(pseudonym_keys.c.quarter, {quarter for _, quarter in pairs}, connection),
    )


def _insert_if_absent(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    # Rows come sorted where there are several: two writers of the same ones would deadlock otherwise.
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)


def _bound_values(table: Table, row: Row[Any]) -> list[Any]:
    return [row._mapping[name] for name in _BOUND[table]]


def _place(table: Table, values: Sequence[object]) -> bytes:
    return "|".join(("signals/keystore/v1", table.name, *map(str, values))).encode()


def _chunks(ids: Collection[UUID]) -> list[list[UUID]]:
    ordered = sorted(ids, key=attrgetter("int"))  # five times as fast as by the ids' own order, and the same
    return [ordered[start : start + _CHUNK] for start in range(0, len(ordered), _CHUNK)]
