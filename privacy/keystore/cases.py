"""Case keys: destroying one is what forgets its case (AVG art. 17), in backups too once they expired."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Column, func, select

from privacy.bulk import Columns, insert_many
from privacy.keystore.errors import KeyGone
from privacy.keystore.vault import CHUNK, Vault
from privacy.keystore_schema import case_keys
from privacy.sealing import summary_key

_WHOLE: Final = case_keys.c.wrapped
_SUMMARY: Final = case_keys.c.summary


class CaseKeys(Vault):
    """A key for each case."""

    def store_case_keys(self, keys: Mapping[UUID, bytes], *, created_on: date | None = None) -> None:
        """Store new case keys (32 bytes each) in one go, before the database commits what they seal.

        `created_on` is for the sweep of orphans and defaults to today in UTC. Raises SQLAlchemy's
        `IntegrityError`, and stores none, when one of the ids exists.
        """
        if keys:
            wrap = self._master.wrap
            columns: Columns = {
                "key_id": list(keys),
                "wrapped": [wrap(key, _WHOLE, key_id) for key_id, key in keys.items()],
                "summary": [wrap(summary_key(key), _SUMMARY, key_id) for key_id, key in keys.items()],
            }
            same = {"created_on": created_on or datetime.now(UTC).date()}
            with self._writing() as connection:
                insert_many(connection, case_keys, columns, same)

    def case_key(self, key_id: UUID) -> bytes:
        """Return one case key (32 bytes); raises `KeyGone` when it was destroyed or damaged."""
        try:
            return self.case_keys([key_id])[key_id]
        except KeyError:
            raise KeyGone from None

    def case_keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the case keys that can be read; leave out destroyed and damaged ones."""
        return self._stored_keys(_WHOLE, key_ids)

    def summary_keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys of the summaries of these cases; they open nothing else."""
        return self._stored_keys(_SUMMARY, key_ids)

    def _stored_keys(self, column: Column[bytes], key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        return {row.key_id: key for row, key in self._opened_by_id(column, key_ids)}

    def destroy_case_keys(self, key_ids: Iterable[UUID]) -> int:
        """Delete case keys for good: their cases can never be read again. Returns how many there were."""
        return self._destroy_by_id(case_keys, key_ids)

    def count_case_keys(self, older_than: date) -> int:
        """Return how many case keys were made before a date."""
        query = select(func.count()).select_from(case_keys).where(case_keys.c.created_on < older_than)
        with self._reading() as connection:
            return connection.scalar(query) or 0

    def case_keys_made(self, *, since: date, before: date) -> list[UUID]:
        """Return the ids of case keys made from one date until before another, by the index of dates."""
        made = case_keys.c.created_on
        return self._ids(select(case_keys.c.key_id).where(made >= since, made < before))

    def case_key_ids(self, older_than: date | None = None) -> Iterator[UUID]:
        """Yield the ids of case keys made before a date (or all), in order of id, for the sweep of orphans.

        Reads pages in transactions of their own: a sweep may destroy what it was given while it goes on.
        """
        query = select(case_keys.c.key_id).order_by(case_keys.c.key_id).limit(CHUNK)
        if older_than is not None:
            query = query.where(case_keys.c.created_on < older_than)
        page = self._ids(query)
        while page:
            yield from page
            page = self._ids(query.where(case_keys.c.key_id > page[-1]))
