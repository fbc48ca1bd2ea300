"""Requests of residents: which right, what was checked of who asks, and the register of them.

The register keeps that a request was dealt with, when and by whom; never the address nor what was found.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from signals.audit.log import Actor, require_role
from signals.clock import Clock, today
from signals.errors import Forbidden, NotFound
from signals.models import RegisterEntry, Signal
from signals.vocabulary import Role


class Right(StrEnum):
    """The rights of the AVG that a request can be about."""

    ACCESS = "access"  # art. 15
    RECTIFICATION = "rectification"  # art. 16
    ERASURE = "erasure"  # art. 17
    RESTRICTION = "restriction"  # art. 18
    OBJECTION = "objection"  # art. 21


class IdentityProof(StrEnum):
    """How the privacy officer made sure of who asks."""

    SEEN_IN_PERSON = "seen_in_person"
    DIGID = "digid"
    KNOWN_CLIENT = "known_client"
    AUTHORISED = "authorised"  # by a written authorisation


class ResidenceProof(StrEnum):
    """How the privacy officer made sure that the person lives or lived there."""

    BRP = "brp"
    LETTER_ANSWERED = "letter_answered"  # a code sent to the address came back
    VISITED = "visited"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was checked before content leaves or is deleted.

    `third_parties`: what concerns others is taken out of a file before it is handed over (art. 15(4) AVG);
    of another right: that theirs were weighed.
    """

    identity: IdentityProof
    residence: ResidenceProof
    third_parties: bool


def register(
    session: Session,
    *,
    organisation_id: uuid.UUID,
    limit: int = 200,
    before: tuple[date, uuid.UUID] | None = None,
) -> Sequence[RegisterEntry]:
    """The organisation's register of requests, newest first; `before`: day and id of the last one had."""
    place = RegisterEntry.recorded_on, RegisterEntry.id
    query = select(RegisterEntry).where(RegisterEntry.organisation_id == organisation_id)
    if before is not None:
        query = query.where(tuple_(*place) < before)
    return session.scalars(query.order_by(*(column.desc() for column in place)).limit(limit)).all()


def enter(
    session: Session,
    clock: Clock,
    *,
    actor: Actor,
    right: Right,
    proof: Proof,
    outcome: str,
    found: int,
) -> None:
    """Write the register: that, when and by whom, and of how many signals.

    `outcome`: `exported`, `rectified`, `erased`, `restricted`, `lifted`, or `nothing_found` where nothing was
    kept of the address.
    """
    assert actor.id is not None
    session.add(
        RegisterEntry(
            organisation_id=officers_organisation(actor),
            right=right,
            recorded_on=today(clock),
            recorded_by_id=actor.id,
            signals_found=found,
            identity_checked=proof.identity,
            residence_checked=proof.residence,
            third_parties_checked=proof.third_parties,
            outcome=outcome,
        )
    )
    session.flush()


def officers_organisation(actor: Actor) -> uuid.UUID:
    """The organisation of a privacy officer; never another's."""
    require_role(actor, Role.PRIVACY_OFFICER)
    if actor.organisation_id is None:
        raise Forbidden
    return actor.organisation_id


def own_signal(session: Session, actor: Actor, signal_id: uuid.UUID) -> Signal:
    """A signal of the officer's organisation, locked; raises `NotFound` for any other."""
    query = select(Signal).where(
        Signal.id == signal_id, Signal.organisation_id == officers_organisation(actor)
    )
    signal = session.scalar(query.with_for_update())
    if signal is None:
        raise NotFound
    return signal
