"""The steps that a machine still needs, each with what it says before it acts."""

import base64
import os
import pwd
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from privacy.keystore import KeyGone
from privacy.keystore_schema import keystore_engine
from privacy.secret_files import write_new_secret_file
from signals.db import make_engine
from signals.errors import SignalsError
from signals.keys.opening import open_keys, refuse_a_second_master_key
from signals.operations import receipt_fence
from signals.operations.database_roles import Roles, apply
from signals.operations.installation import alone, migrate, prepare_keystore
from signals.operations.setup import databases
from signals.operations.setup.databases import SetupRefused, all_granted, rewrite
from signals.operations.setup.files import Machine, files, front_settings
from signals.operations.setup.writing import Step, writing
from signals.settings import Settings, load_settings

_TLS: Final = (
    "sslmode=verify-full&sslrootcert={folder}/ca.crt"
    "&sslcert={folder}/secrets/owner-database.crt&sslkey={folder}/secrets/owner-database.key"
)


def pending(machine: Machine) -> list[Step]:
    """Return the steps that are not done, in order; none when the machine is right."""
    folder = machine.place("/etc/signals")
    steps = [step for file in files(machine) if (step := writing(file, folder))]
    steps += _accounts(machine)
    if machine.answers.is_local and machine.has("worker"):
        steps += _server(machine)
    if machine.has("worker"):
        steps += _owned(machine)
    if machine.has("front"):
        steps += _front(machine)
    return [*steps, *_services(machine, changed=bool(steps))]


def settings_of_worker(machine: Machine, *, check: bool = False) -> Settings:
    """Return the settings of the worker, as an administrator's commands read them."""
    told = shlex.split(machine.place("/etc/signals/admin.env").read_text(encoding="utf-8"), comments=True)
    environ = dict(line.split("=", 1) for line in told)
    return load_settings(machine.place("/etc/signals/worker.toml"), environ, check=check)


def keep_password(path: Path, password: str) -> None:
    """Put the password of the mail relay in its file, which only root may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"{password}\n")


def _accounts(machine: Machine) -> Iterator[Step]:
    program = machine.place("/usr/bin/systemd-sysusers")
    if machine.has("backup") and program.exists() and not _is_account("signals-backup"):
        made = machine.place("/etc/tmpfiles.d/signals-tmpfiles.conf")
        commands = [[str(program)], [str(program.with_name("systemd-tmpfiles")), "--create", str(made)]]
        yield Step(says="make the account and the folder of the copies", act=partial(_run, commands))


def _is_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _server(machine: Machine) -> Iterator[Step]:
    """Yield what the superuser of this machine's PostgreSQL has to do."""
    socket = machine.answers.socket
    with databases.superuser(socket) as connection:
        statements = (*databases.of_database(), *databases.of_keystore())
        sql = databases.missing_sql(connection, iter(statements))
        access = databases.access_files(connection)
    if sql:
        says = f"run {len(sql)} statements as the superuser of PostgreSQL at {socket}"
        yield Step(says=says, shows=";\n".join(sql), act=partial(databases.execute, socket, sql))
    for path, new in access.items():
        shows = new[: new.index(databases.END)]
        yield Step(says=f"begin {path} with these lines", shows=shows, act=partial(_admit, socket, path, new))


def _admit(socket: str, path: Path, new: str) -> None:
    rewrite(path, new)
    databases.execute(socket, ())


def _owned(machine: Machine) -> Iterator[Step]:
    """Yield what the owners of the two databases have to do."""
    if not _asked(_owner_url(machine), _tables_are_right):
        yield Step(says="make the tables and give each role its rights", act=partial(_make_tables, machine))
    if not _root(machine):
        says = f"make the keystore, and {machine.secret('master.key')} if there is none"
        yield Step(says=says, act=partial(_make_keystore, machine))
    if not _shares_receipts(machine):
        yield Step(
            says="let the desk open a case for an entry in the trail only", act=partial(_fence, machine)
        )


def _owner_url(machine: Machine) -> str:
    answers = machine.answers
    if answers.is_local:
        return f"postgresql+psycopg://signals_owner@/signals?host={answers.socket}"
    tls = _TLS.format(folder=machine.place("/etc/signals"))
    return f"postgresql+psycopg://signals_owner@{answers.database_host}/signals?{tls}"


def _asked(url: str, question: Callable[[Connection], bool]) -> bool:
    """Return the answer of a database; one that does not answer yet is not right yet."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return question(connection)
    except SQLAlchemyError:
        return False
    finally:
        engine.dispose()


def _tables_are_right(connection: Connection) -> bool:
    return migrations.current(connection) == migrations.head() and all_granted(connection, Roles())


def _make_tables(machine: Machine) -> None:
    engine = make_engine(_owner_url(machine))
    try:
        migrate(engine)
        apply(engine, Roles())
    finally:
        engine.dispose()


def _root(machine: Machine) -> bytes | None:
    """Return the root's public half; None when there is no keystore yet, or not all of it."""
    try:
        with open_keys(settings_of_worker(machine), after_restore=True) as keystore:
            keystore.counts()
            return keystore.root_public_key()
    except (OSError, SignalsError, SQLAlchemyError, KeyGone):
        return None


def _make_keystore(machine: Machine) -> None:
    """Make what is missing of master key and keystore."""
    settings = settings_of_worker(machine)
    with alone(machine.place("/etc/signals")):
        if not settings.keystore.master_key_file.exists():
            refuse_a_second_master_key(settings)
            write_new_secret_file(settings.keystore.master_key_file)
        prepare_keystore(settings)


def _shares_receipts(machine: Machine) -> bool:
    try:
        keystore = settings_of_worker(machine).keystore.url
    except (OSError, SignalsError):
        return False
    secrets: list[bytes] = []
    asked = [_asked(url, partial(_takes_secret, secrets)) for url in (_owner_url(machine), keystore)]
    return all(asked) and len(set(secrets)) == 1


def _takes_secret(secrets: list[bytes], connection: Connection) -> bool:
    secrets += connection.scalars(text("SELECT inside FROM receipts.secret"))
    return True


def _fence(machine: Machine) -> None:
    owner = make_engine(_owner_url(machine))
    keystore = keystore_engine(settings_of_worker(machine).keystore.url)
    try:
        receipt_fence.apply(owner, keystore, desk=Roles().desk)
    finally:
        owner.dispose()
        keystore.dispose()


def _front(machine: Machine) -> Iterator[Step]:
    key = machine.secret("front.key")
    if machine.has("worker") and not key.exists():
        yield Step(says=f"make {key}", act=partial(write_new_secret_file, key))
    if machine.has("worker") and not _root(machine):
        says = f"write {machine.place('/etc/signals/front.toml')} with the root of the keystore"
        yield Step(says=says, act=partial(_write_front, machine))
    elif step := _front_step(machine):
        yield step


def _front_step(machine: Machine) -> Step | None:
    root = machine.answers.root_public_key or base64.b64encode(_root(machine) or b"").decode()
    return writing(front_settings(machine, root), machine.place("/etc/signals"))


def _write_front(machine: Machine) -> None:
    if step := _front_step(machine):
        step.act()


def _services(machine: Machine, *, changed: bool) -> Iterator[Step]:
    """Yield the start of the units; after any change also of those that run."""
    systemctl, nginx = machine.place("/usr/bin/systemctl"), machine.place("/usr/sbin/nginx")
    if not systemctl.exists():
        return
    units = [unit for unit in machine.units if changed or not _is_active(systemctl, unit)]
    if not units:
        return
    commands = [["daemon-reload"], ["enable", *units], *(["restart", unit] for unit in units)]
    started = [[str(systemctl), *command] for command in commands]
    if machine.has("front") or machine.has("desk"):
        started += [[str(nginx), "-t"], [str(systemctl), "reload-or-restart", "nginx"]]
    yield Step(says=f"start {', '.join(units)}", shows=_lines(started), act=partial(_run, started))


def _is_active(systemctl: Path, unit: str) -> bool:
    asked = subprocess.run([systemctl, "is-active", "--quiet", unit], check=False)  # noqa: S603 - no shell
    return asked.returncode == 0


def _lines(commands: Sequence[Sequence[str]]) -> str:
    return "\n".join(" ".join(command) for command in commands)


def _run(commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        done = subprocess.run(command, check=False)  # noqa: S603 - our own commands, without a shell
        if done.returncode:
            raise SetupRefused(f"'{' '.join(command)}' failed. Correct what it says, and run setup again")
