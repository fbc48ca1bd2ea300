"""`signals sheets`: what hangs in the van and on the wall of the depot."""

from pathlib import Path
from typing import Any

import click

from signals.cli import answers, settings_of_call
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

    Example: signals sheets --out sheets
    """
    page = address or settings_of_call().server.public_url
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = write_sheets(folder, address=page)
    except OSError as problem:
        raise click.ClickException(f"cannot write there: {problem.strerror}") from None
    return {"files": [str(file) for file in written], "address": page}
