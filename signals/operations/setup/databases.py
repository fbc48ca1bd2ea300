"""The SQL of a superuser: roles, databases and a log that keeps nothing about a carrier; and who may enter.

Each statement has a question that is true while the statement is still needed.
"""

import os
import pwd
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import Connection, text

from signals.errors import SignalsError
from signals.operations.database_roles import RIGHTS, Roles
from signals.operations.row_fences import FENCES

SUPERUSER: Final = "postgres"
ACCOUNT: Final = "postgres"
"""The account of this machine that its PostgreSQL runs as, and admits as its superuser."""
_COPIES: Final = "LOGIN BYPASSRLS IN ROLE pg_read_all_data"
_START: Final = "# signals setup: begin"
END: Final = "# signals setup: end"


class SetupRefused(SignalsError):
    """The machine cannot be set up; the message says why."""

    code = "setup_refused"


@dataclass(frozen=True)
class Statement:
    """SQL, and a question that is true while it is needed."""

    needed: str
    sql: str


def of_database() -> Iterator[Statement]:
    """Yield what the server of the database needs."""
    for role in ("signals_owner", "signals_front", "signals_desk", "signals_worker"):
        yield _role(role, "LOGIN")
    yield _role("signals_backup", _COPIES)
    # A report that fails leaves no line with its moment in this server's log.
    yield Statement(
        "NOT EXISTS (SELECT FROM pg_roles AS r JOIN pg_db_role_setting AS s ON s.setrole = r.oid"
        " WHERE r.rolname = 'signals_front' AND 'log_min_messages=panic' = ANY (s.setconfig))",
        "ALTER ROLE signals_front SET log_min_messages = 'panic'",
    )
    yield from _database(
        "signals", "signals_owner", "signals_front, signals_desk, signals_worker, signals_backup"
    )
    yield from _LOG


def of_keystore() -> Iterator[Statement]:
    """Yield what the server of the keystore needs, which may be the same one."""
    yield _role("signals_backup", _COPIES)
    yield _role("signals_desk", "LOGIN")
    yield _role("signals_keys", "LOGIN")
    yield from _database("signals_keys", "signals_keys", "signals_desk, signals_backup")
    yield from _LOG


def _role(name: str, how: str) -> Statement:
    return Statement(
        f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')", f"CREATE ROLE {name} {how}"
    )


def _database(name: str, owner: str, users: str) -> Iterator[Statement]:
    here = f"FROM pg_database WHERE datname = '{name}'"
    yield Statement(f"NOT EXISTS (SELECT {here})", f"CREATE DATABASE {name} OWNER {owner}")
    yield Statement(
        f"NOT EXISTS (SELECT {here} AND NOT has_database_privilege('public', oid, 'CONNECT'))",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {users}",
    )


def _logged(name: str, value: str) -> Statement:
    return Statement(
        f"NOT EXISTS (SELECT FROM pg_file_settings WHERE name = '{name}' AND setting = '{value}')",
        f"ALTER SYSTEM SET {name} = '{value}'",
    )


_LOG: Final = tuple(
    _logged(name, value)
    for name, value in {
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",  # no DETAIL: it can hold a row
        "log_parameter_max_length_on_error": "0",
        "log_statement": "none",
        "log_min_duration_statement": "-1",
        "log_connections": "off",  # a front opens one when it is busy
        "log_disconnections": "off",
    }.items()
)


@contextmanager
def superuser(socket: str) -> Iterator[psycopg.Connection]:
    """Connect as the superuser; root becomes its account, for PostgreSQL asks the socket who calls.

    Raises `SetupRefused`.
    """
    try:
        with _as_its_account():
            connection = psycopg.connect(
                host=socket, user=SUPERUSER, dbname=SUPERUSER, autocommit=True, connect_timeout=10
            )
    except psycopg.OperationalError as problem:
        says = f"PostgreSQL does not admit {SUPERUSER} at {socket} ({type(problem).__name__}): is it started?"
        raise SetupRefused(says) from None
    with connection:
        yield connection


@contextmanager
def _as_its_account() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    try:
        account = pwd.getpwnam(ACCOUNT)
    except KeyError:
        raise SetupRefused(f"there is no account {ACCOUNT}: install PostgreSQL") from None
    try:
        os.setegid(account.pw_gid)
        os.seteuid(account.pw_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def missing_sql(connection: psycopg.Connection, statements: Iterator[Statement]) -> list[str]:
    """Return the statements that this server still needs, in order, each once."""
    asked = (statement for statement in statements if _says_yes(connection, statement.needed))
    return list(dict.fromkeys(statement.sql for statement in asked))


def _says_yes(connection: psycopg.Connection, question: str) -> bool:
    row = connection.execute(f"SELECT {question}".encode()).fetchone()
    return bool(row and row[0])


def execute(socket: str, statements: Sequence[str]) -> None:
    """Run statements as the superuser, and let the server read its files again."""
    with superuser(socket) as connection:
        for statement in (*statements, "SELECT pg_reload_conf()"):
            connection.execute(statement.encode())


def access_files(connection: psycopg.Connection) -> dict[Path, str]:
    """Return for pg_hba.conf and pg_ident.conf what they must be, if that is not what they are."""
    account = pwd.getpwuid(os.geteuid()).pw_name
    wanted = {"hba_file": _HBA, "ident_file": _IDENT.replace("root ", f"{account} ")}
    changed = {}
    for setting, lines in wanted.items():
        row = connection.execute(f"SHOW {setting}".encode()).fetchone()
        assert row
        path = Path(row[0])
        with _as_its_account():
            now = path.read_text(encoding="utf-8")
        new = f"{_START}\n{lines}{END}\n{_without_ours(now)}"
        if new != now:
            changed[path] = new
    return changed


def _without_ours(now: str) -> str:
    before, start, rest = now.partition(f"{_START}\n")
    return before + rest.partition(f"{END}\n")[2] if start else now


def rewrite(path: Path, new: str) -> None:
    """Replace a file of PostgreSQL at once, as its account: root would follow a link that lies there."""
    with _as_its_account():
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.write_text(new, encoding="utf-8")
        shutil.copymode(path, unfinished)
        unfinished.replace(path)


def all_granted(connection: Connection, roles: Roles) -> bool:
    """Tell whether roles have every right of `RIGHTS`, and tables every fence."""
    fenced = connection.execute(_FENCED).scalar_one()
    asked = [
        {"role": getattr(roles, role), "table": f"public.{table}", "verb": verb}
        for table, by_role in RIGHTS.items()
        for role, granted in by_role.items()
        for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if verb in granted.as_sql()
    ]
    return fenced == len(FENCES) and all(connection.execute(_MAY, one).scalar() for one in asked)


_HBA: Final = """\
local signals      signals_owner,signals_front,signals_desk,signals_worker,signals_backup peer map=signals
local signals_keys signals_keys,signals_desk,signals_backup peer map=signals
"""
_IDENT: Final = """\
signals signals-front  signals_front
signals signals-desk   signals_desk
signals signals-worker signals_worker
signals signals-worker signals_keys
signals signals-backup signals_backup
signals root           signals_owner
signals root           signals_worker
signals root           signals_keys
"""
_FENCED: Final = text(
    "SELECT count(DISTINCT tablename) FROM pg_policies WHERE policyname = 'signals_maintain'"
)
_MAY: Final = text(
    "SELECT CASE CAST(:verb AS text) WHEN 'DELETE' THEN has_table_privilege(:role, :table, :verb)"
    " ELSE has_any_column_privilege(:role, :table, :verb) END"
)
