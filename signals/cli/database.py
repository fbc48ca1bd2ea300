"""`signals db`: the schema of the database."""

from typing import Any

import click

import migrations
from signals.cli import answers
from signals.cli.opening import database
from signals.operations.database_roles import FenceRefused, Roles, apply, creation, statements
from signals.operations.installation import migrate


@click.group()
def db() -> None:
    """Bring the database's schema up or down, or check it.

    Example: signals db upgrade
    """


@db.command()
@answers(lambda data: "Upgraded." if data["upgraded"] else "It is up to date already.")
def upgrade() -> dict[str, bool]:
    """Bring the schema up to this version.

    Example: signals db upgrade
    """
    with database() as engine:
        return {"upgraded": migrate(engine)}


@db.command()
@click.argument("revision")
@click.confirmation_option(prompt="Going down can lose data. Go on?", help="Do not ask.")
@answers("The database is at {0[revision]}.".format)
def downgrade(revision: str) -> dict[str, str]:
    """Take the schema back to REVISION; `base` leaves no table.

    Example: signals db downgrade 0001 --yes
    """
    from alembic.util import CommandError  # a slow import

    with database() as engine:
        try:
            migrations.downgrade(engine, revision)
        except CommandError:
            raise click.BadParameter("there is no such revision", param_hint="REVISION") from None
    return {"revision": revision}


def _checked(found: dict[str, Any]) -> str:
    if found["ok"]:
        return f"The database is at {found['revision']}, as this version wants it."
    if found["revision"] != found["wanted"]:
        have = found["revision"] or "empty"
        return f"The database is at {have}, wanted is {found['wanted']}: run 'signals db upgrade'."
    return f"Tables and models differ in {found['differences']} places: somebody changed the tables by hand."


@db.command()
@answers(_checked)
def check() -> dict[str, Any]:
    """Compare revision and tables with this version.

    Exit code 1 when they differ.

    Example: signals db check
    """
    with database() as engine, engine.connect() as connection:
        revision, wanted = migrations.current(connection), migrations.head()
        differences = len(migrations.differences(connection))
    ok = revision == wanted and not differences
    return {"ok": ok, "revision": revision, "wanted": wanted, "differences": differences}


def _granted(data: dict[str, Any]) -> str:
    return "\n".join(data["sql"]) or f"Granted to {', '.join(data['roles'])}."


@db.command()
@click.option("--front", default="signals_front", show_default=True, help="Role of the public processes.")
@click.option("--desk", default="signals_desk", show_default=True, help="Role of the staff's processes.")
@click.option("--worker", default="signals_worker", show_default=True, help="Role of the jobs and commands.")
@click.option("--create", is_flag=True, help="Make roles that are missing, without login; needs CREATEROLE.")
@click.option("--sql", is_flag=True, help="Print the SQL and change nothing.")
@answers(_granted)
def grants(*, front: str, desk: str, worker: str, create: bool, sql: bool) -> dict[str, Any]:
    """Give the three database roles their rights.

    PostgreSQL only; run it as the owner of the tables, after each upgrade. Earlier rights are revoked.
    Row-level security separates organisations.

    Example: SIGNALS__DATABASE__URL=postgresql://signals_owner@/signals signals db grants
    """
    try:
        roles = Roles(front=front, desk=desk, worker=worker)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if sql:
        granted = list(statements(roles))
        made = [*creation(roles), *granted] if create else granted
        return {"roles": roles.names, "sql": [f"{statement};" for statement in ["BEGIN", *made, "COMMIT"]]}
    with database() as engine:
        if engine.dialect.name != "postgresql":
            raise click.ClickException("SQLite has no roles: its file's mode is the fence")
        try:
            apply(engine, roles, create=create)
        except FenceRefused as error:
            raise click.ClickException(str(error)) from None
    return {"roles": roles.names, "sql": []}
