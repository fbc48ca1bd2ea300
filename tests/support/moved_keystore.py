"""Move the keystore of a template to PostgreSQL."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from privacy.keystore import Keystore, open_keystore
from privacy.keystore_schema import keystore_engine, keystore_metadata
from privacy.secret_files import load_master_key


def moved_keystore(folder: Path, url: str) -> Keystore:
    """The template's keystore in PostgreSQL, row by row."""
    old, new = keystore_engine(f"sqlite:///{folder}/keystore.db"), keystore_engine(url)
    with old.connect() as source, new.begin() as target:
        keystore_metadata.create_all(target)
        for table in keystore_metadata.sorted_tables:
            rows: list[dict[str, Any]] = [dict(row) for row in source.execute(select(table)).mappings()]
            if rows:
                target.execute(table.insert(), rows)
    old.dispose()
    new.dispose()
    return open_keystore(url, load_master_key(folder / "master.key"))
