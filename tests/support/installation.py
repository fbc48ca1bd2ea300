"""An installation in a folder, as `signals init` and `signals db upgrade` make it, with cheap passwords."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session

from signals.db import make_engine, session_factory
from signals.operations.installation import initialise, migrate
from signals.settings import Settings, load_settings
from tests.support.sealing import sealing_engine

CHEAP = "\n[sessions]\npassword_memory_kib = 64\n"


def install(folder: Path) -> Path:
    """Settings, secrets, keystore and a migrated, empty database; returns the path of config.toml."""
    config = folder / "config.toml"
    initialise(config)
    config.write_text(config.read_text() + CHEAP)
    engine = make_engine(settings_in(folder).database.url)
    migrate(engine)
    engine.dispose()
    return config


def settings_in(folder: Path) -> Settings:
    """The settings of the installation in a folder, whatever the environment of the tests says."""
    return load_settings(folder / "config.toml", environ={})


@contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    """A session of the installation's database; nothing stays open."""
    engine = sealing_engine(settings)
    try:
        with session_factory(engine)() as session:
            yield session
    finally:
        engine.dispose()
