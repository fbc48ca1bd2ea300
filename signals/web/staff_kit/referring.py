"""Refer a signal for the signed-in caller or take it back, and destroy the old key after the commit."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Final
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from signals.audit.grounds import Ground
from signals.casework import refer, take_back
from signals.casework.access import find_signal
from signals.casework.opening import OpenedSignal
from signals.casework.receivers import Receiver, receivers
from signals.casework.taking_back import Handover, admit_to_take_back, handover_of
from signals.clock import today
from signals.errors import FieldProblem, Invalid, NoMailboxKey, NotFound
from signals.models import Organisation, Signal
from signals.operations.making import make_retention
from signals.organisations import administration
from signals.retention.nightly import Retention
from signals.routing.day_table import Route
from signals.vocabulary import ReferralReason
from signals.web.staff_kit.area_words import area_name
from signals.web.staff_kit.context import desk, operation, reading_operation
from signals.web.staff_kit.opened import organisation_id

MOST_CANDIDATES: Final = 50
MOST_FOUND: Final = 10
MAX_REASON: Final = 500

log = get_logger(__name__)


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
            done = handover_of(begun, signal_id)
            if done.receiver.id != receiver_id:
                raise
            return done
        done = handover_of(begun, signal_id)
    destroy_keys()
    return done


def take_signal_back(signal_id: UUID) -> Signal:
    """Take a handover back; a second press finds it back. Raises what `casework.take_back` raises."""
    with operation(signal_id) as begun:
        admission = admit_to_take_back(begun, signal_id=signal_id)
    if admission is None:
        with reading_operation() as reading:
            return find_signal(reading.session, organisation_id=organisation_id(), signal_id=signal_id)
    admission.fetch()
    with operation(signal_id) as begun:
        signal = take_back(replace(begun, admission=admission), signal_id=signal_id)
    destroy_keys()
    return signal


def candidates(search: str = "") -> list[Organisation]:
    """Return organisations that could receive a signal of the caller's organisation, by name."""
    context = desk()
    with context.reading() as session:
        found = administration.receiving(
            session, today(context.clock), besides=organisation_id(), search=search
        )
    return found[:MOST_CANDIDATES]


def receivers_of(opened: OpenedSignal) -> tuple[Route | None, list[Receiver]]:
    """Return the route of an opened signal's address, and everybody to whom the signal can go.

    The route is None while the routing table cannot be read.
    """
    context, address = desk(), opened.report.address
    on = today(context.clock)
    try:
        route = context.router.route(address.postcode, address.number, on)
    except (NoMailboxKey, SQLAlchemyError):
        route = None
    with context.reading() as session:
        return route, receivers(session, own=organisation_id(), route=route, on=on)


def wanted_of(found: Sequence[Receiver], search: str) -> list[Receiver]:
    """Return the receivers that a search finds; without a search those that belong to the address."""
    if not search.strip():
        return [one for one in found if one.belongs]
    wanted = search.strip().casefold()
    named = (one for one in found if any(wanted in words.casefold() for words in _names(one)))
    return list(islice(named, MOST_FOUND))


def _names(receiver: Receiver) -> list[str]:
    return [receiver.organisation.name, *map(area_name, receiver.areas)]


def retention() -> Retention:
    """Return the retention service with the keystore of this process."""
    context = desk()
    return make_retention(context, sessions=context.sessions, router=context.router)


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
