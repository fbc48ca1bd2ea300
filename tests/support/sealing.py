"""Engines that write and load rows of sign-in and rights, as every process of the staff side does."""

from sqlalchemy import Engine

from privacy.keystore import open_keystore
from privacy.secret_files import load_master_key
from signals.db import make_engine
from signals.models.sealed import seal_rows
from signals.settings import Settings


def sealing_engine(settings: Settings) -> Engine:
    """An engine on the database of these settings, with the key for seals from their keystore."""
    keystore = open_keystore(settings.keystore.url, load_master_key(settings.keystore.master_key_file))
    engine = make_engine(settings.database.url)
    seal_rows(engine, keystore.secret)
    keystore.dispose()
    return engine
