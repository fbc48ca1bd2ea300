"""The privacy officer's pages: residents' rights, the audit trail, what was forgotten, and the register."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError, fields, pre_load, validate

from signals.audit.trail import AuditFilter
from signals.errors import FieldProblem, Invalid, SignalsError, StaleVersion
from signals.residents import (
    MAX_STATEMENT,
    Correction,
    IdentityProof,
    NoteCorrection,
    Proof,
    ResidenceProof,
    Right,
)
from signals.routing.postcodes import Address
from signals.staff.approvals import waiting_approvals
from signals.vocabulary import AuditAction, ConcernType, RetentionRule, Role
from signals.web.officer import rights, trail_words
from signals.web.officer.api import PDF, csv_answer
from signals.web.officer.forgotten import forgotten, set_period
from signals.web.officer.register import register_page
from signals.web.officer.rights_pdf import rights_pdf
from signals.web.officer.schemas import MOST_DAYS, DayOrMoment, LegalBasis, correction_in
from signals.web.officer.trail import people, trail_csv, trail_page
from signals.web.staff_kit import account_shared, forms, page_kit
from signals.web.staff_kit.address_form import AddressForm
from signals.web.staff_kit.answer import json_answer
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.officer_sections import officer_sections
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.schemas import Choice

officer_pages = Blueprint("officer_pages", __name__, url_prefix="/desk/officer")

AUTHENTICATION = "cookie"
"""What every view here asks for."""

PAGE_SIZE: Final = 50
_SEARCHED: Final = "searched_"
"""Begins the fields that say beside which address a form stands; the others say the right address."""
_NOTE: Final = "note-"
_NOTE_TEXT: Final = "note_text-"


class Ticked(fields.String):
    """A box: `yes` where it is ticked, empty where it is not."""

    def __init__(self) -> None:
        super().__init__(load_default="", validate=validate.OneOf(["", "yes"], error="not_a_choice"))


class ProofForm(forms.Form):
    """What was checked."""

    identity = Choice(IdentityProof, required=True)
    residence = Choice(ResidenceProof, required=True)
    third_parties = Ticked()


class ExportForm(AddressForm, ProofForm):
    """Access, as a file of this format."""

    format = fields.String(load_default="pdf", validate=validate.OneOf(["pdf", "json"], error="not_a_choice"))


class EraseForm(AddressForm, ProofForm):
    """Erasure or objection; `seen`: the signals that the page showed, with spaces between."""

    seen = fields.String(load_default="")

    right = fields.String(
        required=True,
        validate=validate.OneOf([Right.ERASURE.value, Right.OBJECTION.value], error="not_a_choice"),
    )


class RectifyForm(AddressForm, ProofForm):
    """The right address of a signal, what does not hold of what was said, and the resident's own words."""

    signal_id = fields.UUID(required=True)
    withdrawn = fields.List(Choice(ConcernType), load_default=list)
    drop_seen = Ticked()
    drop_noticed_on = Ticked()
    drop_note = Ticked()
    statement = fields.String(load_default="", validate=validate.Length(max=MAX_STATEMENT, error="too_long"))

    @pre_load
    def all_that_is_ticked(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**data, "withdrawn": request.form.getlist("withdrawn")}


class RestrictForm(ProofForm):
    """Restrict a signal or lift that."""

    signal_id = fields.UUID(required=True)
    lift = Ticked()


class PeriodForm(forms.Form):
    """A retention period."""

    rule = Choice(RetentionRule, required=True)
    days = fields.Integer(required=True, validate=validate.Range(min=1, max=MOST_DAYS, error="out_of_range"))
    legal_basis = LegalBasis()


class AuditForm(forms.Form):
    """Filters of the audit trail, from the address of the page."""

    actor = fields.UUID(load_default=None)
    subject = fields.UUID(load_default=None)
    action = Choice(AuditAction, load_default=None)
    since = DayOrMoment(load_default=None)
    until = DayOrMoment(load_default=None, end=True)


page_kit.share_with(officer_pages, officer_sections)


@officer_pages.get("")
@requires_page(Role.PRIVACY_OFFICER)
def overview() -> str:
    """Where to begin, and what waits."""
    with desk().reading() as session:
        waiting = waiting_approvals(session, desk().clock, organisation_id=organisation_id())
    return render_template("desk/officer/overview.html", waiting=waiting)


@officer_pages.get("/residents")
@requires_page(Role.PRIVACY_OFFICER)
def residents() -> str:
    """The rights in plain words, and the search by address."""
    return _search_page()


@officer_pages.post("/residents")
@requires_page(Role.PRIVACY_OFFICER)
def find() -> Any:
    """What there is on an address, with what can be done."""
    return _take(lambda: _found_page(_address(forms.load(_ADDRESS))))


@officer_pages.post("/residents/export")
@requires_page(Role.PRIVACY_OFFICER)
def export() -> Any:
    """Access (art. 15 AVG) as PDF or JSON; register and audit come first."""

    def work() -> Response:
        values = forms.load(_EXPORT)
        document = rights.export(_address(values), _proof(values))
        name = f"inzage.{values['format']}"
        answer = json_answer(document) if values["format"] == "json" else _pdf(document)
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    return _take(work, again="export")


@officer_pages.post("/residents/erase")
@requires_page(Role.PRIVACY_OFFICER)
def erase() -> Any:
    """Erasure (art. 17 AVG) or an objection that holds (art. 21)."""

    def work() -> str:
        values = forms.load(_ERASE)
        seen = _ids_in(values["seen"])
        done = rights.erase(_address(values), _proof(values), Right(values["right"]), seen=seen)
        return render_template("desk/officer/done.html", erased=done)

    return _take(work, again="erase")


@officer_pages.post("/residents/rectify")
@requires_page(Role.PRIVACY_OFFICER)
def rectify() -> Any:
    """Correct a signal (art. 16 AVG): its address, what was said, and the resident's own words with it."""

    def work() -> str:
        values = forms.load(_RECTIFY)
        correction = correction_in(values | {"notes": _notes_in_form()})
        searched = _named_in_form(_SEARCHED)
        if searched is not None and correction == Correction(address=searched):
            raise Invalid(FieldProblem(field="withdrawn", code="nothing_to_correct"))
        signal = rights.rectify(
            values["signal_id"], correction, _proof(values), expected_version=forms.version()
        )
        return render_template("desk/officer/done.html", rectified=signal)

    return _take(work, again=_of_signal("rectify"))


@officer_pages.post("/residents/restrict")
@requires_page(Role.PRIVACY_OFFICER)
def restrict() -> Any:
    """Restrict a signal (art. 18 AVG) or lift that."""

    def work() -> str:
        values = forms.load(_RESTRICT)
        lift, version = values["lift"] == "yes", forms.version()
        signal = rights.restrict(values["signal_id"], _proof(values), lift=lift, expected_version=version)
        return render_template("desk/officer/done.html", restricted=signal)

    return _take(work, again=_of_signal("restrict"))


@officer_pages.get("/register")
@requires_page(Role.PRIVACY_OFFICER)
def register() -> str:
    """The register of requests, page by page."""
    page = register_page(limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    return render_template(
        "desk/officer/register.html", page=page, right=Right, identity=IdentityProof, residence=ResidenceProof
    )


@officer_pages.get("/audit")
@requires_page(Role.PRIVACY_OFFICER)
def audit() -> Any:
    """The audit trail with its filters."""
    try:
        wanted, errors = _filter(), {}
    except ValidationError as refused:
        wanted, errors = AuditFilter(), page_kit.errors_of(refused)
    page = trail_page(wanted, limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    with desk().reading() as session:
        staff = [(str(member.id), member.name) for member in people(session)]
    chosen = {name: text for name, text in request.args.items() if name in _AUDIT.fields}
    text = render_template(
        "desk/officer/audit.html",
        page=page,
        people=staff,
        actions=page_kit.choices(AuditAction),
        action_words=trail_words.action_words,
        ground_words=trail_words.ground_words,
        outcome_words=trail_words.outcome_words,
        actor_words=trail_words.actor_words,
        chosen=chosen,
        errors=errors,
    )
    return text, 400 if errors else 200


@officer_pages.get("/audit.csv")
@requires_page(Role.PRIVACY_OFFICER)
def audit_csv() -> Response:
    """The same as a CSV file."""
    return csv_answer(trail_csv(_filter()))


@officer_pages.get("/retention")
@requires_page(Role.PRIVACY_OFFICER)
def retention() -> str:
    """What was forgotten when, and the periods."""
    return _retention_page(done=request.args.get("done") == "changed")


@officer_pages.post("/retention")
@requires_page(Role.PRIVACY_OFFICER)
def change_period() -> Any:
    """Set a period with its ground."""
    try:
        set_period(**forms.load(_PERIOD))
    except ValidationError as refused:
        return _retention_page(errors=page_kit.errors_of(refused), typed=forms.typed_text()), 400
    return account_shared.see_other(".retention", done="changed")


def _take(work: Callable[[], Any], *, again: str = "") -> Any:
    """Do it, or show the form once more with what was typed; nothing of an address gets into a URL."""
    try:
        return work()
    except (*page_kit.REFUSED, StaleVersion) as refused:
        status = 400 if isinstance(refused, ValidationError) else refused.status
        return _once_more(refused, again), status


def _once_more(refused: SignalsError | ValidationError, again: str) -> str:
    errors, trouble = page_kit.errors_of(refused), page_kit.trouble_of(refused)
    place = _named_in_form(_SEARCHED) or _named_in_form("")
    if again and place is not None:
        return _found_page(place, form=again, errors=errors, trouble=trouble)
    return _search_page(errors=errors, trouble=trouble, typed=forms.typed_text())


def _named_in_form(before: str) -> Address | None:
    """The address in the fields whose names begin so; None where there is none."""
    typed = {name: request.form.get(f"{before}{name}", "") for name in _ADDRESS.fields}
    try:
        return _address(_ADDRESS.load(typed))
    except ValidationError:
        return None


def _notes_in_form() -> list[NoteCorrection]:
    """The notes that are struck or replaced: `note-ID` says which of the two, `note_text-ID` by what."""
    typed = forms.typed_text()
    chosen = {name.removeprefix(_NOTE): what for name, what in typed.items() if name.startswith(_NOTE)}
    return [
        NoteCorrection(note_id=_note_id(of), text=_replacement(typed, of) if what == "replace" else "")
        for of, what in chosen.items()
        if what in ("strike", "replace")
    ]


def _note_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(FieldProblem(field="notes", code="not_a_choice")) from None


def _ids_in(text: str) -> list[UUID]:
    """Ids that a page wrote between spaces; what is none of them was written by nobody."""
    try:
        return [UUID(one) for one in text.split()]
    except ValueError:
        return []


def _replacement(typed: Mapping[str, str], note_id: str) -> str:
    """By what a note is replaced; nothing is refused: to strike is chosen, never left out."""
    text = typed.get(f"{_NOTE_TEXT}{note_id}", "").strip()
    if not text:
        raise Invalid(FieldProblem(field="notes", code="required"))
    return text


def _of_signal(form: str) -> str:
    """The name of a signal's own form on the page: there are as many as signals."""
    return f"{form}-{request.form.get('signal_id', '')}"


def _search_page(
    *,
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    typed: Mapping[str, str] | None = None,
) -> str:
    return render_template(
        "desk/officer/residents.html", errors=errors or {}, trouble=trouble, typed=typed or {}
    )


def _found_page(
    place: Address, *, form: str = "", errors: Mapping[str, str] | None = None, trouble: str = ""
) -> str:
    return render_template(
        "desk/officer/found.html",
        place=place,
        held=rights.find(place),
        identity=page_kit.choices(IdentityProof),
        residence=page_kit.choices(ResidenceProof),
        concerns=page_kit.choices(ConcernType),
        withdrawn=request.form.getlist("withdrawn"),
        form=form,
        errors=errors or {},
        trouble=trouble,
        typed=forms.typed_text(),
    )


def _retention_page(
    *,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    done: bool = False,
) -> str:
    return render_template(
        "desk/officer/retention.html",
        found=forgotten(limit=PAGE_SIZE, cursor=request.args.get("cursor")),
        errors=errors or {},
        typed=typed or {},
        done=done,
    )


def _filter() -> AuditFilter:
    values = _AUDIT.load({name: text for name, text in request.args.items() if text.strip()})
    return AuditFilter(
        actor_id=values["actor"],
        subject_id=values["subject"],
        action=values["action"],
        since=values["since"],
        until=values["until"],
    )


def _pdf(document: Mapping[str, Any]) -> Response:
    return Response(rights_pdf(document), content_type=PDF)


def _address(values: Mapping[str, Any]) -> Address:
    return Address(
        postcode=values["postcode"],
        number=values["house_number"],
        addition=values["house_number_addition"],
    )


def _proof(values: Mapping[str, Any]) -> Proof:
    return Proof(
        identity=values["identity"],
        residence=values["residence"],
        third_parties=values["third_parties"] == "yes",
    )


_ADDRESS = AddressForm()
_EXPORT = ExportForm()
_ERASE = EraseForm()
_RECTIFY = RectifyForm()
_RESTRICT = RestrictForm()
_PERIOD = PeriodForm()
_AUDIT = AuditForm()
