"""`signals init`, `serve` and `work`. They import late: a server keeps in memory what its process loads."""

import os
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import click

from signals.cli import answers, settings_file, settings_of_call
from signals.settings import CONFIG_VARIABLE
from signals.vocabulary import Environment

_ALONE = (
    "While there is one account, its administrator sets up the first organisation alone: nobody is there to\n"
    "approve an area. The second account ends this. Make a second administrator with 'signals staff add'."
)


def _initialised(data: dict[str, Any]) -> str:
    lines = [
        f"{'made         ' if part['new'] else 'there already'}  {part['name']}: {part['where']}"
        for part in data["parts"]
    ]
    return "\n".join([*lines, _ALONE])


@click.command()
@answers(_initialised)
def init() -> dict[str, Any]:
    """Make missing settings, secrets and keystore, and say where each is; existing ones stay.

    The settings file and the environment say where. Set the environment of the worker's unit first
    (docs/deployment.md); without it, this makes a keystore of SQLite beside the settings file.

    Example: signals init
    """
    from signals.operations.installation import initialise

    return {"parts": [vars(part) for part in initialise(_config_path())]}


@click.command()
@click.option("--prepare", is_flag=True, help="First init, migrate and, in the demo, seed: for `make run`.")
@click.option("--host", help="Listen on this address; default: server.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; default: server.port.")
def serve(*, prepare: bool, host: str | None, port: int | None) -> None:
    """Serve over HTTP until interrupted.

    Example: signals serve --port 8080
    """
    for name, value in (("HOST", host), ("PORT", port)):
        if value is not None:  # the command that seeds the demo reads the environment too
            os.environ[f"SIGNALS__SERVER__{name}"] = str(value)
    from signals.web.assets import how_to_complete, missing_files

    if missing := missing_files():
        raise click.ClickException(f"cannot serve without {', '.join(missing[:3])}: {how_to_complete()}")
    if prepare:
        _prepare()
    settings = settings_of_call()
    from privacy.logs import install_exception_hooks
    from signals.app import make_worker, open_issuer, prepare_app
    from signals.operations.server import serve as serve_until_stopped

    install_exception_hooks()
    where = f"http://{settings.server.host}:{settings.server.port}"
    serve_until_stopped(
        settings,
        prepare_app=prepare_app,
        make_worker=make_worker,
        open_issuer=open_issuer,
        tell=lambda: click.echo(f"Serving on {where} (Ctrl-C stops)", err=True),
    )


@click.command()
def work() -> None:
    """Run the jobs (arrival, outbox, reminders, drills) until interrupted; any number of workers may run.

    Example: SIGNALS__ROLE=worker signals work
    """
    from privacy.logs import configure_logging, install_exception_hooks
    from signals.app import make_worker
    from signals.clock_guard import require_right_clock
    from signals.operations.schedule import run_until_stopped

    settings = settings_of_call()
    configure_logging(level=settings.logging.level)
    install_exception_hooks()
    with closing(make_worker(settings)) as worker:
        if settings.metrics.worker_port:
            from signals.web.http.metrics import Figures, serve_metrics

            serve_metrics(
                Figures(sessions=worker.sessions, clock=worker.clock, reads_intake=True),
                {
                    "database": worker.ping,
                    "keystore": worker.keystore.ping,
                    "clock": partial(require_right_clock, worker.engine, worker.clock),
                },
                host=settings.metrics.worker_host,
                port=settings.metrics.worker_port,
            )
        run_until_stopped(worker)


def _prepare() -> None:
    from signals.cli.opening import database
    from signals.demo import ACCOUNTS_FILE, demo_is_there
    from signals.operations.installation import initialise, migrate
    from signals.operations.server import refuse_a_taken_port

    path = _config_path()
    made, *_ = initialise(path)
    if made.new:
        click.echo(f"{path.name} and keys written", err=True)
    settings = settings_of_call()
    refuse_a_taken_port(settings.server.host, settings.server.port)  # before the minute that seeding takes
    with database() as engine:
        migrate(engine)
        wanted = settings.environment is Environment.DEMO and not demo_is_there(settings, engine)
    if wanted:
        _seed_apart(path)
        click.echo(f"Demo seeded; accounts: {settings.data_folder / ACCOUNTS_FILE}", err=True)


def _seed_apart(config: Path) -> None:
    """Seed in a separate process: the server would keep the solver's libraries, 100 MiB."""
    command = [sys.executable, "-m", "signals.cli", "--config", str(config), "demo"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise SystemExit(done.returncode)  # it has said why


def _config_path() -> Path:
    return settings_file() or Path(os.environ.get(CONFIG_VARIABLE, "config.toml"))
