"""The forms on the pages about a resident's rights."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import request
from marshmallow import fields, pre_load, validate

from signals.errors import FieldProblem, Invalid
from signals.residents.rectifying import MAX_STATEMENT, NoteCorrection
from signals.residents.requests import IdentityProof, ResidenceProof
from signals.vocabulary import ConcernType
from signals.web.http.fields import Choice
from signals.web.officer.rights_schemas import ERASING_RIGHT
from signals.web.staff_kit import forms
from signals.web.staff_kit.forms import AddressForm

_NOTE: Final = "note-"
_NOTE_TEXT: Final = "note_text-"


class Ticked(fields.String):
    """A box: `yes` when it is ticked, absent or empty when it is not; loads as true or false."""

    def __init__(self) -> None:
        super().__init__(load_default=False, validate=validate.OneOf([True, False]))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        return {"yes": True, "": False}.get(text, text)


class ProofForm(forms.Form):
    """The checks of the officer."""

    identity = Choice(IdentityProof, required=True)
    residence = Choice(ResidenceProof, required=True)
    third_parties = Ticked()


class ExportForm(AddressForm, ProofForm):
    """Access, as a file of this format."""

    format = fields.String(load_default="pdf", validate=validate.OneOf(["pdf", "json"]))


class EraseForm(AddressForm, ProofForm):
    """Erasure or objection; `seen`: the signals that the page showed, with spaces between."""

    seen = fields.String(load_default="")
    right = Choice(ERASING_RIGHT, required=True)


class RectifyForm(AddressForm, ProofForm):
    """The right address of a signal, the wrong parts of its content, and the resident's own words."""

    signal_id = fields.UUID(required=True)
    withdrawn = fields.List(Choice(ConcernType), load_default=list)
    drop_seen = Ticked()
    drop_noticed_on = Ticked()
    drop_note = Ticked()
    statement = fields.String(load_default="", validate=validate.Length(max=MAX_STATEMENT))

    @pre_load
    def take_all_ticked(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Return the fields with every ticked concern, not the last one only."""
        return {**data, "withdrawn": request.form.getlist("withdrawn")}


class RestrictForm(ProofForm):
    """Restrict a signal, or lift the restriction."""

    signal_id = fields.UUID(required=True)
    lift = Ticked()


def notes_in_form() -> list[NoteCorrection]:
    """Return the notes to strike or replace: `note-ID` says which of the two, `note_text-ID` the new text.

    Raises `Invalid` for a wrong id, and for a replacement without a text.
    """
    typed = forms.typed_text()
    chosen = {name.removeprefix(_NOTE): what for name, what in typed.items() if name.startswith(_NOTE)}
    return [
        NoteCorrection(note_id=_note_id(of), text=_replacement(typed, of) if what == "replace" else "")
        for of, what in chosen.items()
        if what in ("strike", "replace")
    ]


def ids_in(text: str) -> list[UUID]:
    """Return the ids that a page wrote between spaces; none when one of them is no id."""
    try:
        return [UUID(one) for one in text.split()]
    except ValueError:
        return []


def _note_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(FieldProblem(field="notes", code="not_a_choice")) from None


def _replacement(typed: Mapping[str, str], note_id: str) -> str:
    text = typed.get(f"{_NOTE_TEXT}{note_id}", "").strip()
    if not text:
        raise Invalid(FieldProblem(field="notes", code="required"))
    return text
