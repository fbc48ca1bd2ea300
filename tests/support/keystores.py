"""A keystore on each database, and another process on the same one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest

from privacy.keystore import Keystore, open_keystore

MASTER, NEW_MASTER = bytes(range(32)), bytes(range(32, 64))


AMSTERDAM, GRONINGEN, HAREN = UUID(int=1), UUID(int=2), UUID(int=3)


Opener = Callable[[bytes], Keystore]


KEYS = {UUID(int=number): bytes([number]) * 32 for number in range(10, 15)}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/keys/keystore.db"


@pytest.fixture
def another(url: str) -> Iterator[Opener]:
    """Return a function that opens the keystore under a master key, as another process does."""
    with ExitStack() as opened:

        def open_one(master: bytes) -> Keystore:
            store = open_keystore(url, master)
            opened.callback(store.dispose)
            return store

        yield open_one


@pytest.fixture
def keystore(another: Opener) -> Keystore:
    store = another(MASTER)
    store.create_schema()
    store.ensure_root()
    return store
