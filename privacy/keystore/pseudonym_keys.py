"""Pseudonym keys: one for each organisation and quarter, and those taken over after a merger."""

import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, Row, Select, delete, select

from privacy.keystore.vault import Vault, insert_if_absent
from privacy.keystore.wrapping import KEY_SIZE
from privacy.keystore_schema import checkpoint_sqlite, pseudonym_keys

PSEUDONYM_CACHE_SECONDS: Final = 60.0


class PseudonymKeys(Vault):
    """Keys under which a repeat may be found."""

    def __init__(self, engine: Engine, master_key: bytes) -> None:
        super().__init__(engine, master_key)
        self._pseudonyms = _PseudonymCache()

    def pseudonym_key(self, organisation_id: UUID, quarter: str) -> bytes:
        """Return the organisation's own pseudonym key of a quarter ("2026-Q4"), made when there is none."""
        pair = (organisation_id, quarter)
        return self.pseudonym_keys_for([pair])[pair]

    def pseudonym_keys_for(self, pairs: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], bytes]:
        """Return the keys of many (organisation, quarter); two processes at once make one key.

        Leaves out a damaged key: without it nobody may make another one, which would match no older link.
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
            rows = [
                self._adopted(row, key, to_organisation)
                for row, key in self._readable(columns.wrapped, connection.execute(query).all())
            ]
            if rows:
                insert_if_absent(connection, pseudonym_keys, rows)
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
            rows = connection.execute(_pseudonym_query(missing)).all()
        wanted = (row for row in rows if (row.organisation_id, row.quarter) in fetched)
        for row, key in self._readable(pseudonym_keys.c.wrapped, wanted):
            fetched[row.organisation_id, row.quarter][row.origin_id] = key
        self._pseudonyms.keep(fetched, _not_the_latest(pairs))
        return found | fetched

    def _make_pseudonym_keys(self, pairs: Sequence[tuple[UUID, str]]) -> None:
        rows = [
            {
                "organisation_id": organisation_id,
                "origin_id": organisation_id,
                "quarter": quarter,
                "wrapped": self._master.wrap(
                    secrets.token_bytes(KEY_SIZE),
                    pseudonym_keys.c.wrapped,
                    organisation_id,
                    organisation_id,
                    quarter,
                ),
            }
            for organisation_id, quarter in pairs
        ]
        with self._writing() as connection:
            insert_if_absent(connection, pseudonym_keys, rows)
        self._pseudonyms.forget(pairs)

    def _adopted(self, row: Row[Any], key: bytes, owner: UUID) -> dict[str, Any]:
        return {
            "organisation_id": owner,
            "origin_id": row.origin_id,
            "quarter": row.quarter,
            "wrapped": self._master.wrap(key, pseudonym_keys.c.wrapped, owner, row.origin_id, row.quarter),
        }

    def _forget_opened(self) -> None:
        super()._forget_opened()
        self._pseudonyms.clear()


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


def _not_the_latest(pairs: set[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Return the pairs before the latest quarter asked for: the keystore makes no new key for them."""
    latest = max(quarter for _, quarter in pairs)
    return {pair for pair in pairs if pair[1] != latest}


def _pseudonym_query(pairs: Collection[tuple[UUID, str]]) -> Select[Any]:
    # Whole organisations by whole quarters: at most a few rows more than asked, and one query plan.
    return select(pseudonym_keys).where(
        pseudonym_keys.c.organisation_id.in_({owner for owner, _ in pairs}),
        pseudonym_keys.c.quarter.in_({quarter for _, quarter in pairs}),
    )
