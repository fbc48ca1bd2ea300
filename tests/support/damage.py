"""Damage keys in a keystore, as one changed byte on a disk does."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, create_engine, update

from privacy.keystore_schema import case_keys
from signals.settings import Settings


def damage(settings: Settings, *columns: Column[bytes], of: dict[Column[Any], object]) -> None:
    """Write over wrapped keys of the rows that have these values."""
    engine = create_engine(settings.keystore.url)
    (table,) = {column.table for column in columns}
    with engine.begin() as connection:
        changed = update(table).where(*(column == value for column, value in of.items()))
        connection.execute(changed.values({column: bytes(60) for column in columns}))
    engine.dispose()


def damage_case_key(settings: Settings, key_id: UUID) -> None:
    """Damage the key of one case, and that of its summary."""
    damage(settings, case_keys.c.wrapped, case_keys.c.summary, of={case_keys.c.key_id: key_id})
