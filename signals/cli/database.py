"""`signals db`: the schema of the database."""

from typing import Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import database


@click.group()
def db() -> None:
    """Bring the database's schema up or down, or check it.

    Example: signals db upgrade
    """


@db.command()
@json_option
@click.pass_context
def upgrade(context: click.Context, *, as_json: bool) -> None:
    """Bring the schema up to this version of the software; what is up to date stays.

    Example: signals db upgrade
    """
    from signals.operations.installation import migrate

    with database(settings_of(context)) as engine:
        changed = migrate(engine)
    answer(
        {"upgraded": changed},
        as_json=as_json,
        text=lambda _: "Upgraded." if changed else "It is up to date already.",
    )


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask: going down can lose columns with what is in them.")
@click.pass_context
def downgrade(context: click.Context, revision: str, *, yes: bool) -> None:
    """Take the schema back to REVISION; `base` leaves no table.

    Example: signals db downgrade 0001 --yes
    """
    import migrations

    if not yes:
        click.confirm("Going down can lose data. Go on?", abort=True, err=True)
    from alembic.util import CommandError

    with database(settings_of(context)) as engine:
        try:
            migrations.downgrade(engine, revision)
        except CommandError:
            raise click.BadParameter("there is no such revision", param_hint="REVISION") from None
    click.echo(f"The database is at {revision}.")


@db.command()
@json_option
@click.pass_context
def check(context: click.Context, *, as_json: bool) -> None:
    """Compare revision and tables with this version of the software; exit code 1 when they differ.

    Example: signals db check
    """
    import migrations

    with database(settings_of(context)) as engine, engine.connect() as connection:
        found: dict[str, Any] = {
            "revision": migrations.current(connection),
            "wanted": migrations.head(),
            "differences": len(migrations.differences(connection)),
        }
    found["ok"] = found["revision"] == found["wanted"] and not found["differences"]
    answer(found, as_json=as_json, text=_checked, ok=found["ok"])


@db.command()
@click.option("--front", default="signals_front", show_default=True, help="Role of the public processes.")
@click.option("--desk", default="signals_desk", show_default=True, help="Role of the staff's processes.")
@click.option("--worker", default="signals_worker", show_default=True, help="Role of the jobs and commands.")
@click.option("--create", is_flag=True, help="Make roles that are missing, without login; needs CREATEROLE.")
@click.option("--sql", is_flag=True, help="Print the SQL and change nothing.")
@click.pass_context
def grants(context: click.Context, *, front: str, desk: str, worker: str, create: bool, sql: bool) -> None:
    """Give the three database roles the rights that their processes need, and separate organisations.

    PostgreSQL only; run it as the owner of the tables, after each upgrade. Earlier rights are revoked.
    When the settings make the figures public, the public side may read what was released.

    Example: SIGNALS__DATABASE__URL=postgresql://signals_owner@/signals signals db grants
    """
    from signals.operations.database_roles import FenceRefused, Roles, apply, creation, statements

    public_figures = settings_of(context).figures.public
    try:
        roles = Roles(front=front, desk=desk, worker=worker)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if sql:
        granted = list(statements(roles, public_figures=public_figures))
        made = [*creation(roles), *granted] if create else granted
        click.echo("\n".join(f"{statement};" for statement in ["BEGIN", *made, "COMMIT"]))
        return
    with database(settings_of(context)) as engine:
        if engine.dialect.name != "postgresql":
            raise click.ClickException("SQLite has no roles: its file's mode is the fence")
        try:
            apply(engine, roles, create=create, public_figures=public_figures)
        except FenceRefused as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"Granted to {', '.join(roles.names)}.")


def _checked(found: dict[str, Any]) -> str:
    if found["ok"]:
        return f"The database is at {found['revision']}, as this version wants it."
    if found["revision"] != found["wanted"]:
        have = found["revision"] or "empty"
        return f"The database is at {have}, wanted is {found['wanted']}: run 'signals db upgrade'."
    return f"Tables and models differ in {found['differences']} places: somebody changed the tables by hand."
