"""Keep the register of residents' requests: the right, the checks, the day and the officer.

The register never holds the address, nor what was found there.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from signals.audit.log import Actor, require_role
from signals.casework.access import find_signal, organisation_of, staff_id_of
from signals.errors import StaleVersion
from signals.models import AuditEntry, RegisterEntry, Signal
from signals.operation import Operation
from signals.vocabulary import AuditAction, Role


class Right(StrEnum):
    """Name the rights of the AVG that a resident can use."""

    ACCESS = "access"  # art. 15
    RECTIFICATION = "rectification"  # art. 16
    ERASURE = "erasure"  # art. 17
    RESTRICTION = "restriction"  # art. 18
    OBJECTION = "objection"  # art. 21


class IdentityProof(StrEnum):
    """Name how the privacy officer checked the identity of the requester."""

    SEEN_IN_PERSON = "seen_in_person"
    DIGID = "digid"
    KNOWN_CLIENT = "known_client"
    AUTHORISED = "authorised"  # by a written authorisation


class ResidenceProof(StrEnum):
    """Name how the privacy officer checked that the person lives or lived there."""

    BRP = "brp"
    LETTER_ANSWERED = "letter_answered"  # a code sent to the address came back
    VISITED = "visited"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Hold what the officer checked before content leaves or is deleted.

    `third_parties`: the officer takes out what concerns others before handing over a file (art. 15(4) AVG).
    For another right: the officer weighed the rights of others.
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
    """Return the organisation's register, newest first; `before`: day and id of the last entry shown."""
    place = RegisterEntry.recorded_on, RegisterEntry.id
    query = select(RegisterEntry).where(RegisterEntry.organisation_id == organisation_id)
    if before is not None:
        query = query.where(tuple_(*place) < before)
    return session.scalars(query.order_by(*(column.desc() for column in place)).limit(limit)).all()


def enter(operation: Operation, *, right: Right, proof: Proof, outcome: str, found: int) -> None:
    """Write one entry of the register. `found`: how many signals the request concerned.

    `outcome`: `exported`, `rectified`, `erased`, `restricted`, `lifted`, or `nothing_found`.
    """
    operation.session.add(
        RegisterEntry(
            organisation_id=officers_organisation(operation.actor),
            right=right,
            recorded_on=operation.today,
            recorded_by_id=staff_id_of(operation.actor),
            signals_found=found,
            identity_checked=proof.identity,
            residence_checked=proof.residence,
            third_parties_checked=proof.third_parties,
            outcome=outcome,
        )
    )
    operation.session.flush()


def officers_organisation(actor: Actor) -> uuid.UUID:
    """Return the organisation of a privacy officer; raise `Forbidden` for any other role."""
    require_role(actor, Role.PRIVACY_OFFICER)
    return organisation_of(actor)


def own_signal(operation: Operation, signal_id: uuid.UUID) -> Signal:
    """Return a locked signal of the officer's organisation; raise `NotFound` for any other."""
    own = officers_organisation(operation.actor)
    return find_signal(operation.session, organisation_id=own, signal_id=signal_id, for_update=True)


_NO_STEP: Final = (AuditAction.SEARCHED, AuditAction.CONTENT_USED)
"""Entries of a signal that change nothing of it."""


def was_last_step(operation: Operation, signal: Signal, action: AuditAction, version: int | None) -> bool:
    """Return whether the actor's last step on this version of a signal was this one: a button pressed twice.

    Without a version nothing is compared. Raises `StaleVersion` when anything else changed the signal.
    """
    if version is None or signal.version == version:
        return False
    of_signal = AuditEntry.organisation_id == signal.organisation_id, AuditEntry.subject_id == signal.id
    steps = select(AuditEntry).where(*of_signal, AuditEntry.action.not_in(_NO_STEP))
    last = operation.session.scalars(steps.order_by(AuditEntry.at.desc()).limit(1)).first()
    did = (last.action, last.actor_id) if last else None
    if signal.version != version + 1 or did != (action, operation.actor.id):
        raise StaleVersion
    return True
