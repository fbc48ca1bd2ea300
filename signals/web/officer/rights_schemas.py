"""The bodies of calls about a resident's rights, and the answers to them."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from signals.casework.notes import MAX_NOTE
from signals.residents.rectifying import MAX_STATEMENT, Correction, NoteCorrection
from signals.residents.requests import IdentityProof, Proof, ResidenceProof, Right
from signals.routing.postcodes import Address
from signals.vocabulary import ConcernType, SignalState
from signals.web.http.fields import AdditionField, Choice, CodeList, HouseNumberField, PostcodeField, Strict
from signals.web.staff_kit.schemas import Moment, OrganisationSchema, TrueOrFalse

MOST_NOTES: Final = 100
ERASING_RIGHT: Final = CodeList(
    name="ErasingRight", text="A right that ends in deletion", codes=(Right.ERASURE, Right.OBJECTION)
)


class AddressQuery(Strict):
    """The exact address of a request; with an addition, the search finds only that addition."""

    postcode = PostcodeField(required=True, metadata={"example": "1012AB"})
    house_number = HouseNumberField(required=True, strict=True, metadata={"minimum": 1, "maximum": 99999})
    house_number_addition = AdditionField(load_default="", metadata={"maxLength": 6})


class ProofFields(Strict):
    """The checks before content leaves or is deleted: an address alone proves nothing."""

    identity = Choice(IdentityProof, required=True)
    residence = Choice(ResidenceProof, required=True)
    third_parties = TrueOrFalse(
        load_default=False, metadata={"description": "That the rights of others were weighed"}
    )


class ExportSchema(AddressQuery, ProofFields):
    """A request for access (art. 15 AVG); `third_parties` must be true."""

    third_parties = TrueOrFalse(
        load_default=False,
        metadata={
            "description": (
                "That the answer will be looked through, and what concerns others taken out, before it is "
                "handed over (art. 15(4) AVG)"
            )
        },
    )


class EraseSchema(AddressQuery, ProofFields):
    """An erasure (art. 17 AVG), or an objection that holds (art. 21)."""

    right = Choice(ERASING_RIGHT, load_default=Right.ERASURE)


class NoteCorrectionSchema(Strict):
    """The correct text of a note of the follow-up."""

    note_id = fields.UUID(required=True)
    text = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_NOTE),
        metadata={"description": "What it says from now on; empty: it is struck"},
    )

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> NoteCorrection:
        return NoteCorrection(**data)


class RectifySchema(AddressQuery, ProofFields):
    """The right address of a signal (art. 16 AVG), and the parts of its content that are wrong."""

    signal_id = fields.UUID(required=True)
    withdrawn = fields.List(
        Choice(ConcernType),
        load_default=list,
        metadata={"description": "Kinds of concern that do not hold: they go"},
    )
    drop_seen = TrueOrFalse(
        load_default=False, metadata={"description": "How often it was seen does not hold: it goes"}
    )
    drop_noticed_on = TrueOrFalse(
        load_default=False, metadata={"description": "The day on which it was noticed does not hold: it goes"}
    )
    drop_note = TrueOrFalse(
        load_default=False, metadata={"description": "The carrier's note does not hold: it goes"}
    )
    notes = fields.List(
        fields.Nested(NoteCorrectionSchema),
        load_default=list,
        validate=validate.Length(max=MOST_NOTES),
        metadata={"description": "Notes of workers that do not hold: put right, or struck"},
    )
    statement = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_STATEMENT),
        metadata={"description": "The resident's own supplementary statement, kept among the notes"},
    )


class RestrictSchema(ProofFields):
    """Keep a signal without working on it (art. 18 AVG), or lift that."""

    signal_id = fields.UUID(required=True)
    lift = TrueOrFalse(load_default=False)


def correction_in(values: Mapping[str, Any]) -> Correction:
    """Return the correction among loaded values."""
    return Correction(
        address=address_in(values),
        withdrawn=frozenset(values["withdrawn"]),
        drop_seen=values["drop_seen"],
        drop_noticed_on=values["drop_noticed_on"],
        drop_note=values["drop_note"],
        notes=tuple(values["notes"]),
        statement=values["statement"],
    )


def address_in(values: Mapping[str, Any]) -> Address:
    """Return the address among loaded values."""
    return Address(
        postcode=values["postcode"], number=values["house_number"], addition=values["house_number_addition"]
    )


def proof_in(values: Mapping[str, Any]) -> Proof:
    """Return the proof among loaded values."""
    return Proof(
        identity=values["identity"], residence=values["residence"], third_parties=values["third_parties"]
    )


# Answers


class HeldNoteSchema(Schema):
    """A note of a worker, without its text."""

    id = fields.UUID(required=True)
    written_at = Moment(required=True)


class HeldSignalSchema(Schema):
    """A live signal, without content."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    state = Choice(SignalState, required=True)
    received_on = fields.Date(required=True)
    restricted_on = fields.Date(required=True, allow_none=True)
    follow_up_notes = fields.List(fields.Nested(HeldNoteSchema), required=True, attribute="notes")


class HeldReferralSchema(Schema):
    """A signal that went to another organisation."""

    reference = fields.String(required=True)
    referred_on = fields.Date(required=True)
    organisation = fields.Nested(OrganisationSchema, required=True)


class OtherAdditionsSchema(Schema):
    """The numbers for other additions of the house number, or for none: perhaps a neighbour's."""

    signals = fields.Integer(required=True, metadata={"description": "Live signals"})
    earlier = fields.Integer(
        required=True, metadata={"description": "Deleted or referred: only that there was one is kept"}
    )


class HeldSchema(Schema):
    """All that the organisation has about an address, without content."""

    signals = fields.List(fields.Nested(HeldSignalSchema), required=True)
    deleted_received_on = fields.List(fields.Date(), required=True)
    referrals = fields.List(fields.Nested(HeldReferralSchema), required=True)
    other_additions = fields.Nested(OtherAdditionsSchema, required=True, attribute="findings.other_additions")


class ErasedSchema(Schema):
    """The number of signals: all, and those that another organisation had by referral."""

    signals = fields.Integer(required=True)
    elsewhere = fields.Integer(required=True)
    at_once = fields.Boolean(
        required=True, metadata={"description": "False: the worker deletes the rest within seconds"}
    )


class RightDoneSchema(Schema):
    """A signal after it was rectified or restricted."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    version = fields.Integer(required=True)
    restricted_on = fields.Date(required=True, allow_none=True)
