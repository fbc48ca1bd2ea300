"""The page that imports organisations from a CSV file: it shows a preview, and then does exactly that."""

import hashlib
import io
from typing import Any, Final

from flask import Blueprint, render_template, request
from marshmallow import ValidationError, fields

from signals.organisations.csv_import import OrganisationImport, import_organisations, preview_organisations
from signals.vocabulary import Role
from signals.web.admin.pages import sections
from signals.web.staff_kit import account_shared, forms, page_kit
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import desk, operation, read

import_pages = Blueprint("import_pages", __name__, url_prefix="/admin/organisations/import")
page_kit.share_with(import_pages, sections)

AUTHENTICATION = "cookie"

LARGEST: Final = 96 * 1024
"""Bytes: twice the whole country in lines of 150. The command takes larger files."""


class ImportForm(forms.Form):
    """`text`: the file after its preview; `seen`: a mark of that preview."""

    text = fields.String(load_default="")
    seen = fields.String(load_default="")


@import_pages.get("")
@requires_page(Role.ADMINISTRATOR)
def form() -> str:
    """Ask for a file; with `done`, show how much the last one changed."""
    return _page()


@import_pages.post("")
@requires_page(Role.ADMINISTRATOR, recent="/admin/organisations/import")
def take() -> Any:
    """Show the changes of a file, or make the changes of the preview."""
    try:
        wanted = _FORM.load({name: value for name, value in request.form.items() if value.strip()})
        text = wanted["text"] or _text_of_file()
    except ValidationError as refused:
        return _page(errors=forms.messages(refused)), 400
    if not wanted["seen"]:
        return _preview(text)
    done = _done(text, wanted["seen"])
    if done is None:
        return _preview(text, again=True), 409
    return account_shared.see_other(".form", done=done)


def _preview(text: str, *, again: bool = False) -> str:
    """Preview a file in a reading session, which locks nothing; `again`: it differs from the one before."""
    file = io.StringIO(text, newline="")
    result = read(preview_organisations, desk().clock, file=file)
    return _page(preview=result, text=text, seen=_mark_of(result, text), again=again)


def _done(text: str, seen: str) -> int | None:
    """Make the changes and return how many; None when they differ from the preview."""
    file = io.StringIO(text, newline="")
    with operation() as importing:
        result = import_organisations(importing, file=file)
        if result.rejected or _mark_of(result, text) != seen:
            importing.session.rollback()
            return None
    return result.done


def _mark_of(result: OrganisationImport, text: str) -> str:
    """Return a mark of the organisations before, the file, and its changes."""
    return hashlib.sha256(repr((result, text.split())).encode()).hexdigest()


def _text_of_file() -> str:
    """Return the text of the sent file. Raises `ValidationError` for no file, a large one, and no text."""
    sent = request.files.get("file")
    content = sent.stream.read(LARGEST + 1) if sent is not None else b""
    if not content.strip():
        raise ValidationError("required", "file")
    if len(content) > LARGEST:
        raise ValidationError("file_too_large", "file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError("not_text", "file") from None


def _page(**values: Any) -> str:
    done = request.args.get("done", "")
    values = {"preview": None, "errors": {}, "trouble": "", "done": done if done.isdecimal() else ""} | values
    return render_template("admin/import.html", **values)


_FORM: Final = ImportForm()
