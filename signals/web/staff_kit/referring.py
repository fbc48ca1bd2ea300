"""Handing a signal over: the reason in words is sealed, and the sender's key destroyed after the commit."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from structlog import get_logger

from signals import casework
from signals.casework.referral import refer
from signals.clock import today
from signals.errors import FieldProblem, Invalid, NotFound
from signals.models import Organisation, Referral
from signals.operations.jobs import make_retention
from signals.organisations import administration
from signals.retention import Retention
from signals.vocabulary import ReferralReason
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import changing, organisation_id

MOST_CANDIDATES = 50
MAX_REASON = 500

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Handover:
    """All that the sender may still see of a signal that it referred."""

    signal_id: UUID
    reference: str
    referred_on: date
    receiver: Organisation


def hand_over(
    signal_id: UUID, *, receiver_id: UUID, reason: str, text: str = "", expected_version: int | None = None
) -> Handover:
    """Refer a signal of the caller's organisation and make the sender lose its content.

    `reason`: a code of `ReferralReason`; `text`: what they must know there, sealed as a follow-up note.
    Raises what `signals.casework.referral.refer` raises. Pressed twice, it is done once and said twice.
    """
    with changing(signal_id) as session:
        try:
            _refer(session, signal_id, receiver_id, ReferralReason(reason), text, expected_version)
        except NotFound:
            return _handed_over(session, signal_id, receiver_id)
        session.flush()
        done = _handed_over(session, signal_id, receiver_id)
    destroy_keys()
    return done


def candidates(search: str = "") -> list[Organisation]:
    """Organisations that could receive a signal of the caller's organisation, by name."""
    context = desk()
    with context.reading() as session:
        found = administration.receiving(
            session, today(context.clock), besides=organisation_id(), search=search
        )
    return found[:MOST_CANDIDATES]


def retention() -> Retention:
    """Forgetting, with the keystore of this process."""
    context = desk()
    return make_retention(
        context.settings,
        sessions=context.sessions,
        keystore=context.keystore,
        audit=context.audit,
        router=context.router,
    )


def destroy_keys() -> None:
    """Destroy the keys of what was just referred; what fails, or is not allowed here, the worker does."""
    try:
        retention().confirm_destroyed(desk().clock)
    except (SQLAlchemyError, OSError) as error:
        log.info("desk.keys_left_to_the_worker", cause=type(error).__name__)


def split_reason(text: str) -> tuple[str, str]:
    """A code stays a code; anything else becomes `other` with the words to seal. Raises `Invalid`."""
    text = text.strip()
    if not text:
        raise Invalid(FieldProblem(field="reason", code="required"))
    if text in {code.value for code in ReferralReason}:
        return text, ""
    return ReferralReason.OTHER.value, text


def _refer(
    session: Session,
    signal_id: UUID,
    receiver_id: UUID,
    reason: ReferralReason,
    text: str,
    expected_version: int | None,
) -> None:
    context = desk()
    if text.strip():
        _note(session, signal_id, text, expected_version)
        expected_version = None  # the note has counted it up, under the row's lock
    refer(
        session,
        context.clock,
        signal_id=signal_id,
        to_organisation_id=receiver_id,
        reason=reason,
        actor=current().actor,
        audit=context.audit,
        keystore=context.keystore,
        expected_version=expected_version,
    )


def _handed_over(session: Session, signal_id: UUID, receiver_id: UUID) -> Handover:
    query = select(Referral).where(
        Referral.signal_id == signal_id,
        Referral.from_organisation_id == organisation_id(),
        Referral.to_organisation_id == receiver_id,
    )
    found = session.scalar(query.order_by(Referral.referred_on.desc()).limit(1))
    if found is None:
        raise NotFound
    return Handover(
        signal_id=signal_id,
        reference=found.reference,
        referred_on=found.referred_on,
        receiver=session.get_one(Organisation, receiver_id),
    )


def _note(session: Session, signal_id: UUID, text: str, expected_version: int | None) -> None:
    context = desk()
    casework.add_note(
        session,
        context.clock,
        keystore=context.keystore,
        signal_id=signal_id,
        actor=current().actor,
        audit=context.audit,
        text=text,
        expected_version=expected_version,
    )
    session.flush()
