"""Refer a signal for the signed-in caller, and destroy the sender's case key after the commit."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from signals.audit.grounds import Ground
from signals.casework import refer
from signals.casework.referral import referral_to
from signals.clock import today
from signals.errors import FieldProblem, Invalid, NotFound
from signals.models import Organisation
from signals.operation import Operation
from signals.operations.jobs import make_retention
from signals.organisations import administration
from signals.retention.nightly import Retention
from signals.vocabulary import ReferralReason
from signals.web.staff_kit.context import desk, operation
from signals.web.staff_kit.opened import organisation_id

MOST_CANDIDATES: Final = 50
MAX_REASON: Final = 500

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Handover:
    """Hold everything that the sender may still see of a signal that it referred."""

    signal_id: UUID
    reference: str
    referred_on: date
    receiver: Organisation
    state: str = "referred"


def hand_over(
    signal_id: UUID, *, receiver_id: UUID, reason: str, text: str = "", expected_version: int | None = None
) -> Handover:
    """Refer a signal of the caller's organisation, so that the sender loses its content.

    `reason`: a code of `ReferralReason`. `text`: what the receiver must know, sealed as a follow-up note.
    A form that arrives twice refers once and answers twice. Raises what `casework.refer` raises.
    """
    with operation(signal_id, uses=Ground.REFER) as begun:
        try:
            refer(
                begun,
                signal_id=signal_id,
                to_organisation_id=receiver_id,
                reason=ReferralReason(reason),
                text=text,
                expected_version=expected_version,
            )
        except NotFound:
            return _handed_over(begun, signal_id, receiver_id)
        done = _handed_over(begun, signal_id, receiver_id)
    destroy_keys()
    return done


def candidates(search: str = "") -> list[Organisation]:
    """Return organisations that could receive a signal of the caller's organisation, by name."""
    context = desk()
    with context.reading() as session:
        found = administration.receiving(
            session, today(context.clock), besides=organisation_id(), search=search
        )
    return found[:MOST_CANDIDATES]


def retention() -> Retention:
    """Return the retention service with the keystore of this process."""
    context = desk()
    return make_retention(
        context.settings,
        sessions=context.sessions,
        keystore=context.keystore,
        audit=context.audit,
        router=context.router,
    )


def destroy_keys() -> None:
    """Destroy the keys of referred signals; the worker does what fails or is not allowed here."""
    try:
        retention().confirm_destroyed(desk().clock)
    except (SQLAlchemyError, OSError) as error:
        log.info("desk.keys_left_to_the_worker", cause=type(error).__name__)


def split_reason(text: str) -> tuple[str, str]:
    """Return (code, words to seal): a code stays a code, other words become `other`. Raises `Invalid`."""
    text = text.strip()
    if not text:
        raise Invalid(FieldProblem(field="reason", code="required"))
    if text in {code.value for code in ReferralReason}:
        return text, ""
    return ReferralReason.OTHER.value, text


def _handed_over(begun: Operation, signal_id: UUID, receiver_id: UUID) -> Handover:
    found = referral_to(begun, signal_id=signal_id, to_organisation_id=receiver_id)
    if found is None:
        raise NotFound
    return Handover(
        signal_id=signal_id,
        reference=found.reference,
        referred_on=found.referred_on,
        receiver=begun.session.get_one(Organisation, receiver_id),
    )
