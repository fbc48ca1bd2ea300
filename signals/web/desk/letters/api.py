"""Serve the letter of article 14 AVG to programs."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import Response

from signals.casework.access import FOLLOW_UP_ROLES
from signals.vocabulary import LANGUAGES
from signals.web.desk.letters.printing import DEFAULT, print_notice
from signals.web.http.fields import Choice, CodeList, Strict
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import prefers
from signals.web.staff_kit.auth import requires

letter_api = StaffBlueprint(
    "letters", __name__, url_prefix=API_BASE, description="What is printed for a resident"
)

AUTHENTICATION = "bearer"

PDF: Final = "application/pdf"
_BYTES: Final = "application/octet-stream"
ALSO_BYTES: Final = {
    "responses": {200: {"content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}}}}
}
"""The same file under the type by which generated clients know a file, for a reader that prefers it."""


_LANGUAGE: Final = CodeList(name="LetterLanguage", text="The language of a letter", codes=LANGUAGES)


class LanguageQuery(Strict):
    """Choose the language."""

    language = Choice(_LANGUAGE, load_default=DEFAULT)


@letter_api.get("/signals/<uuid:signal_id>/notice.pdf")
@letter_api.doc(**ALSO_BYTES)
@requires(*FOLLOW_UP_ROLES)
@letter_api.arguments(LanguageQuery, location="query", unknown="raise")
@letter_api.response(200, {"type": "string", "format": "binary"}, content_type=PDF)
@answers(404, 409, 410)
def notice(wanted: Mapping[str, str], signal_id: UUID) -> Response:
    """Print the letter to the resident (art. 14 AVG) as a tagged PDF; the audit entry is committed first."""
    return pdf_answer(*print_notice(signal_id, wanted["language"]))


def pdf_answer(content: bytes, name: str) -> Response:
    """Answer with a PDF to show; its file name holds no address."""
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(content, content_type=_BYTES if prefers(_BYTES) else PDF, headers=headers)
