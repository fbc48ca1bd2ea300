"""Open data: the folder of all released tables, file by file at lasting addresses, and as one ZIP file.

`signals statistics verify` reads the same folder.
"""

import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from flask import Blueprint, Response

from signals.errors import NotFound
from signals.statistics.exports import PACKAGE_FILE, datapackage, table_as_csv, write_folder
from signals.web.figures.access import for_readers
from signals.web.figures.answer import CSV, JSON, ZIP, kept
from signals.web.figures.context import figures
from signals.web.figures.library import Library, library
from signals.web.figures.sharing import READERS, share_with

open_data = Blueprint("open_data", __name__, url_prefix="/figures")
share_with(open_data)

AUTHENTICATION = "cookie"
"""Every view here asks for this, unless figures are public."""

_FOLDER: Final = "signals-figures"


@open_data.get("/open-data/<name>")
@for_readers("cookie", *READERS)
def file(name: str) -> Response:
    """Give one file of the folder: the description, or a table by its name there."""
    with library() as found:
        if name == PACKAGE_FILE:
            description = datapackage(found.session, licence=_licence())
            return kept(f"{json.dumps(description, indent=1, ensure_ascii=False)}\n", JSON)
        return kept(table_as_csv(found.table(*_split(found, name))), CSV, name=name)


@open_data.get("/open-data.zip")
@for_readers("cookie", *READERS)
def everything() -> Response:
    """Give the whole folder."""
    with library() as found:
        content = found.kept("zip", lambda: _zipped(found))
    return kept(content, ZIP, name=f"{_FOLDER}.zip")


def _split(found: Library, name: str) -> tuple[str, str]:
    """Return period and table of a file's name; raise `NotFound`."""
    for release in found.releases:
        for table in release.tables:
            if name == f"{release.period}-{table.name}.csv":
                return release.period, table.name
    raise NotFound


def _zipped(found: Library) -> bytes:
    """Return the same bytes for the same releases: they hold neither a moment nor an owner."""
    content = io.BytesIO()
    with TemporaryDirectory(prefix="signals-figures-") as place, ZipFile(content, "w") as packed:
        write_folder(found.session, Path(place), licence=_licence())
        for path in sorted(Path(place).iterdir()):
            packed.writestr(ZipInfo(f"{_FOLDER}/{path.name}"), path.read_bytes(), ZIP_DEFLATED)
    return content.getvalue()


def _licence() -> str:
    return figures().settings.figures.licence
