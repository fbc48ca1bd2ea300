"""`signals init`, `serve`, `work` and `demo`."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signals.cli import json_option, settings_of
from signals.cli.opening import database, plain_refusals, progress_bar
from signals.settings import CONFIG_VARIABLE, Settings
from signals.vocabulary import Environment

if TYPE_CHECKING:
    from sqlalchemy import Engine


@click.command()
@click.pass_context
def init(context: click.Context) -> None:
    """Make missing settings, secrets and keystore, and say where each is; existing ones stay.

    The settings file and the environment say where. Set the environment of the worker's unit first
    (docs/deployment.md); without it, this makes a keystore of SQLite beside the settings file.

    Example: signals init
    """
    from signals.operations.installation import initialise

    path = _config_path(context)
    with plain_refusals():
        parts = initialise(path)
    for part in parts:
        click.echo(f"{'made         ' if part.new else 'there already'}  {part.name}: {part.where}")


@click.command()
@click.option("--prepare", is_flag=True, help="First init, migrate and, in the demo, seed: for `make run`.")
@click.pass_context
def serve(context: click.Context, *, prepare: bool) -> None:
    """Serve over HTTP until interrupted.

    Example: SIGNALS__SERVER__PORT=8080 signals serve
    """
    if prepare:
        _prepare(context)
    settings = settings_of(context)
    from signals.app import make_worker, prepare_app
    from signals.operations.server import serve as serve_until_stopped

    where = f"http://{settings.server.host}:{settings.server.port}"
    serve_until_stopped(
        settings,
        prepare_app=prepare_app,
        make_worker=make_worker,
        tell=lambda: click.echo(f"Serving on {where} (Ctrl-C stops)", err=True),
    )


@click.command()
@click.pass_context
def work(context: click.Context) -> None:
    """Run the jobs (arrival, outbox, reminders, drills) until interrupted; any number of workers may run.

    Example: SIGNALS__ROLE=worker signals work
    """
    from privacy.logs import configure_logging
    from signals.app import make_worker
    from signals.operations.schedule import run_until_stopped

    settings = settings_of(context)
    configure_logging(level=settings.logging.level)
    with plain_refusals():
        worker = make_worker(settings)
    with closing(worker):
        if settings.metrics.worker_port:
            from signals.web.http.metrics import serve_metrics

            serve_metrics(
                worker.sessions,
                worker.clock,
                {"database": worker.ping, "keystore": worker.keystore.ping},
                host=settings.metrics.worker_host,
                port=settings.metrics.worker_port,
            )
        run_until_stopped(worker)


@click.command()
@json_option
@click.pass_context
def demo(context: click.Context, *, as_json: bool) -> None:
    """Seed the demo: example organisations, live signals, accounts. Refused in production.

    Example: signals demo
    """
    settings = settings_of(context)
    _refuse_in_production(settings)
    with plain_refusals():
        seeded = _seed(settings)
    if as_json:
        click.echo(
            json.dumps({"seeded": seeded, "accounts": str(settings.data_folder / "demo/accounts.json")})
        )
    else:
        click.echo("Demo seeded." if seeded else "The demo is there already.")


def _prepare(context: click.Context) -> None:
    from signals.operations.installation import initialise, migrate
    from signals.operations.server import refuse_a_taken_port

    path = _config_path(context)
    with plain_refusals():
        settings_file, *_ = initialise(path)
    if settings_file.new:
        click.echo(f"{path.name} and keys written", err=True)
    settings = settings_of(context)
    refuse_a_taken_port(settings.server.host, settings.server.port)  # before the minute that seeding takes
    with database(settings) as engine:
        migrate(engine)
        wanted = settings.environment is Environment.DEMO and not _is_seeded(settings, engine)
    if wanted:
        _seed_apart(path)
        click.echo(f"Demo seeded; accounts: {settings.data_folder / 'demo/accounts.json'}", err=True)


def _is_seeded(settings: Settings, engine: "Engine") -> bool:
    from signals.demo import demo_is_there

    return demo_is_there(settings, engine)


def _seed_apart(config: Path) -> None:
    """Seed in a separate process: the server would keep the solver's libraries, 100 MiB."""
    command = [sys.executable, "-m", "signals.cli", "--config", str(config), "demo"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise SystemExit(done.returncode)  # it has said why


def _seed(settings: Settings) -> bool:
    from signals.demo import seed_demo

    with progress_bar() as progress:
        return seed_demo(settings, progress=progress)


def _refuse_in_production(settings: Settings) -> None:
    if settings.environment is Environment.PRODUCTION:
        raise click.ClickException('the demo is refused in environment = "production"')


def _config_path(context: click.Context) -> Path:
    return context.obj or Path(os.environ.get(CONFIG_VARIABLE, "config.toml"))
