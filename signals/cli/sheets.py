"""`signals sheets`: what hangs in the van and on the wall of the depot."""

from pathlib import Path

import click

from signals.cli import answer, json_option, settings_of


@click.command()
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write the PDF files into; made when it is not there.",
)
@click.option("--address", default=None, help="The page's web address; default: server.public_url.")
@json_option
@click.pass_context
def sheets(context: click.Context, folder: Path, *, address: str | None, as_json: bool) -> None:
    """Write the sheets with the QR code of the carrier's page: A6 for the van, A4 for the wall.

    Example: signals sheets --out sheets
    """
    from signals.web.sheets import write_sheets

    page = address or settings_of(context).server.public_url
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = write_sheets(folder, address=page)
    except OSError as problem:
        raise click.ClickException(f"cannot write there: {problem.strerror}") from None
    answer(
        {"files": [str(file) for file in written], "address": page},
        as_json=as_json,
        text=lambda made: "\n".join(made["files"]),
    )
