"""Open data: every table of the menu as CSV at a lasting address, all as one ZIP file, and as a workbook.

A file holds all periods, so it grows; its lines never change. Labels are Dutch, whoever downloads.
"""

import io
import json
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from flask import Blueprint, Response

from signals.errors import NotFound
from signals.statistics.exports import PACKAGE_FILE, as_csv, datapackage, workbook
from signals.web.figures import words
from signals.web.figures.answer import CSV, JSON, XLSX, ZIP, kept
from signals.web.figures.context import figures
from signals.web.figures.library import Library, library
from signals.web.figures.sharing import READERS, for_readers, share_with
from signals.web.http.i18n import DEFAULT

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
        content = _files(found).get(name)
    if content is None:
        raise NotFound
    return kept(content, JSON if name == PACKAGE_FILE else CSV, name=name)


@open_data.get("/open-data.zip")
@for_readers("cookie", *READERS)
def everything() -> Response:
    """Give the whole folder."""
    with library() as found:
        content = found.kept("zip", lambda: _zipped(found))
    return kept(content, ZIP, name=f"{_FOLDER}.zip")


@open_data.get("/open-data.xlsx")
@for_readers("cookie", *READERS)
def sheets() -> Response:
    """Give the same tables as a workbook."""
    with library() as found:
        if not found.codes:
            raise NotFound
        content = found.kept(
            "xlsx", lambda: workbook({code: found.exported(code) for code in found.codes}, _label)
        )
    return kept(content, XLSX, name=f"{_FOLDER}.xlsx")


def _files(found: Library) -> dict[str, str]:
    """Return the folder: the contents of each file by its name."""
    return found.kept("files", lambda: _written(found))


def _written(found: Library) -> dict[str, str]:
    tables = {code: found.exported(code) for code in found.codes}
    newest = {code: shown[-1][0] for code, shown in tables.items()}
    licence = figures().settings.figures.licence
    described = datapackage(newest, lambda code: words.title(code, DEFAULT), licence=licence)
    return {
        PACKAGE_FILE: f"{json.dumps(described, indent=1, ensure_ascii=False)}\n",
        **{f"{code}.csv": as_csv(shown, _label) for code, shown in tables.items()},
    }


def _zipped(found: Library) -> bytes:
    """Return the same bytes for the same releases: they hold neither a moment nor an owner."""
    content = io.BytesIO()
    with ZipFile(content, "w") as packed:
        for name, text in _files(found).items():
            packed.writestr(ZipInfo(f"{_FOLDER}/{name}"), text, ZIP_DEFLATED)
    return content.getvalue()


def _label(dimension: str, code: str) -> str:
    return words.member(dimension, code, DEFAULT)
