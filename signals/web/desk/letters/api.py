"""Serve the letter of article 14 AVG to programs."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from signals.casework.access import FOLLOW_UP_ROLES
from signals.vocabulary import LANGUAGES
from signals.web.desk.letters.printing import DEFAULT, print_notice
from signals.web.http.fields import Strict
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.staff_kit.auth import requires

letter_api = StaffBlueprint(
    "letters", __name__, url_prefix=API_BASE, description="What is printed for a resident"
)

AUTHENTICATION = "bearer"

PDF: Final = "application/pdf"


class LanguageQuery(Strict):
    """Choose the language."""

    language = fields.String(
        load_default=DEFAULT, validate=validate.OneOf(list(LANGUAGES), error="not_a_choice")
    )


@letter_api.get("/signals/<uuid:signal_id>/notice.pdf")
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
    return Response(content, content_type=PDF, headers=headers)
