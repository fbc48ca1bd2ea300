"""Making an installation ready: settings file and secrets once, schemas, the keystore's root, keys ahead.

Everything may be done again at any time: nothing that exists is written over.
"""

import base64
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, make_url

import migrations
from privacy.keystore import open_keystore
from privacy.secret_files import load_master_key, write_new_secret_file
from signals.keys.opening import explained, keystore_is_there, refuse_a_second_master_key
from signals.settings import Settings, load_settings

_CONFIG = """\
# Written once by `signals init`. Every setting with its default, unit and reason: config.example.toml.
role = "all"
environment = "demo"

[scheme]
contact_email = "vragen@example.org"

[front]
root_public_key = "{root}"

[notifications]
delay_minutes = 0
mail_folder = "var/demo/mail"
"""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Of an installation: what it is, where it lies (never what is in it), and whether it is new."""

    name: str
    where: str
    new: bool


def initialise(path: Path) -> tuple[Part, ...]:
    """Write the settings of a demo and its secrets; returns each part, the settings file first.

    What is there stays; a half-finished earlier run is completed. Raises `KeysUnusable` for a keystore whose
    master key is missing or another one.
    """
    with alone(path.parent):
        return _initialise(path)


def _initialise(path: Path) -> tuple[Part, ...]:
    settings = load_settings(path, check=False, must_exist=False)
    master = settings.keystore.master_key_file
    if new_master := not master.exists():
        refuse_a_second_master_key(settings)
        write_new_secret_file(master)
    secrets = [Part(name="master key", where=str(master), new=new_master)]
    if settings.serves_public:
        secrets.append(_secret("secret of the public side", settings.front.secret_file))
    if settings.issues_tokens:
        secrets.append(_secret("secret of the issuer", settings.issuer.secret_file))
    new_keystore = not keystore_is_there(settings)
    root = prepare_keystore(settings)
    new_settings = not path.exists()
    if new_settings:
        _write_new(path, _CONFIG.format(root=base64.b64encode(root).decode()))
    return (
        Part(name="settings", where=str(path.absolute()), new=new_settings),
        *secrets,
        Part(name="keystore", where=_place(settings.keystore.url), new=new_keystore),
    )


def _secret(name: str, file: Path) -> Part:
    new = not file.exists()
    if new:
        write_new_secret_file(file)
    return Part(name=name, where=str(file), new=new)


def _place(url: str) -> str:
    """Return the place of a database in plain words: its url may hold a password."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return str(parsed.database)
    servers = parsed.host or ", ".join(parsed.normalized_query.get("host", ())) or "this machine"
    return f"database {parsed.database} of {servers}"


def prepare_keystore(settings: Settings) -> bytes:
    """Make the keystore's tables and root where there are none; returns the root's public half, 32 bytes.

    Raises `KeysUnusable`.
    """
    with explained(settings):
        master_key = load_master_key(settings.keystore.master_key_file)
        with open_keystore(settings.keystore.url, master_key) as keystore:
            keystore.create_schema()
            keystore.ensure_root()
            return keystore.root_public_key()


def migrate(engine: Engine) -> bool:
    """Bring the database's schema up to this code; returns whether anything was to do."""
    with engine.connect() as connection:
        before = migrations.current(connection)
    if before == migrations.head():
        return False
    migrations.upgrade(engine)
    return True


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While no other process holds this folder so: two installing at once would make its secrets twice."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_new(path: Path, text: str) -> None:
    """All of it or nothing, and never over an existing file."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    unfinished.write_text(text, encoding="utf-8")
    try:
        os.link(unfinished, path)
    finally:
        unfinished.unlink()
