"""`signals sheets`: what hangs in the van and on the wall of the depot."""

from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from signals.cli import answers, settings_of_call
from signals.cli.opening import database
from signals.db import reading, session_factory
from signals.statistics.thanks import Reached, reached_in_newest_year
from signals.web.sheets import write_sheets


@click.command()
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write the PDF files into; made when it is not there.",
)
@click.option("--address", help="The page's web address; default: server.public_url.")
@answers(lambda made: "\n".join(made["files"]))
def sheets(folder: Path, *, address: str | None) -> dict[str, Any]:
    """Write the sheets with the QR code of the carrier's page: A6 for the van, A4 for the wall.

    They thank carriers with the number of the newest released year, if there is one.

    Example: signals sheets --out sheets
    """
    page = address or settings_of_call().server.public_url
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = write_sheets(folder, address=page, found=_reached())
    except OSError as problem:
        raise click.ClickException(f"cannot write there: {problem.strerror}") from None
    return {"files": [str(file) for file in written], "address": page}


def _reached() -> Reached | None:
    """Return the number to thank with; a machine without the database prints sheets too."""
    try:
        with database() as engine, session_factory(reading(engine))() as session:
            return reached_in_newest_year(session)
    except (SQLAlchemyError, OSError):
        click.echo("No database answers, so the sheets name no number.", err=True)
        return None
