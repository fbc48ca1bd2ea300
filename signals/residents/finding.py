"""Finding a resident: by address, through the pseudonym, or by the reference on a letter."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session, selectinload

from privacy.keystore import Keystore
from signals.arrival.repeats import Probe, at_probe, beside_probe, probes_for
from signals.audit.log import Actor, AuditLog
from signals.casework.referral import referred_away
from signals.clock import Clock, today
from signals.errors import NotFound
from signals.lifecycle.case_numbers import reference_as_read
from signals.models import AddressLink, DeletionRecord, Organisation, Referral, Signal
from signals.residents.requests import officers_organisation
from signals.routing.postcodes import Address
from signals.vocabulary import AuditAction


@dataclass(frozen=True, kw_only=True)
class OtherAdditions:
    """How much lies at the same house number under another addition, or under none.

    `signals`: live ones of the organisation. `earlier`: those of which it keeps only that there was one, as
    they were deleted or referred. Never which: they may be a neighbour's, or the same door spelt otherwise.
    """

    signals: int
    earlier: int


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the organisation has on an address: live signals, links of deleted ones, and what it referred."""

    probe: Probe = field(repr=False)
    signals: Sequence[Signal]
    deleted: Sequence[AddressLink] = field(repr=False)
    referrals: Sequence[Referral]
    other_additions: OtherAdditions

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept of exactly this address."""
        return not (self.signals or self.deleted or self.referrals)

    @property
    def signal_ids(self) -> list[uuid.UUID]:
        """All signals that are found, each once: live here, or referred and perhaps live elsewhere."""
        ids = [*(signal.id for signal in self.signals), *(each.signal_id for each in self.referrals)]
        return list(dict.fromkeys(ids))

    @property
    def deleted_received_on(self) -> list[date]:
        """When those came in that were deleted, oldest first."""
        return [link.received_on for link in self.deleted]


@dataclass(frozen=True, kw_only=True)
class ReferenceAnswer:
    """What is said of a reference: the signal, or that and when it was deleted or referred."""

    signal: Signal | None = None
    deleted_on: date | None = None
    referred_on: date | None = None
    referred_to: str | None = None


def find_by_reference(session: Session, *, organisation_id: uuid.UUID, reference: str) -> ReferenceAnswer:
    """What may be said of a reference on a letter; raises `NotFound` when the organisation never had it."""
    normal = reference_as_read(reference)
    owned = select(Signal).where(Signal.organisation_id == organisation_id, Signal.reference == normal)
    if (signal := session.scalar(owned)) is not None:
        return ReferenceAnswer(signal=signal)
    # Before a referral: who referred it and has its deletion got it back first.
    gone = select(DeletionRecord.deleted_on).where(
        DeletionRecord.organisation_id == organisation_id, DeletionRecord.reference == normal
    )
    if (deleted_on := session.scalar(gone)) is not None:
        return ReferenceAnswer(deleted_on=deleted_on)
    if (referral := referred_away(session, organisation_id=organisation_id, reference=normal)) is not None:
        receiver = session.get_one(Organisation, referral.to_organisation_id)
        return ReferenceAnswer(referred_on=referral.referred_on, referred_to=receiver.name)
    raise NotFound


def find_by_address(
    session: Session,
    clock: Clock,
    *,
    keystore: Keystore,
    actor: Actor,
    audit: AuditLog,
    address: Address,
) -> Findings:
    """Everything of the officer's own organisation at exactly this address; the search itself is audited.

    Of the rest of the house only how much there is: see `OtherAdditions`.
    """
    organisation_id = officers_organisation(actor)
    (probe,) = probes_for(keystore, [(organisation_id, address)], today(clock))
    links = session.scalars(select(AddressLink).where(*at_probe(probe))).all()
    ids = [link.signal_id for link in links if link.signal_id is not None]
    signals = session.scalars(
        select(Signal)
        .where(Signal.id.in_(ids), Signal.organisation_id == organisation_id)
        .options(selectinload(Signal.attempts), selectinload(Signal.notes), selectinload(Signal.history))
        .order_by(Signal.received_on, Signal.id)
    ).all()
    referrals = session.scalars(
        select(Referral).where(Referral.signal_id.in_(ids), Referral.from_organisation_id == organisation_id)
    ).all()
    audit.record(session, clock, actor=actor, action=AuditAction.SEARCHED, ground="right_of_resident")
    return Findings(
        probe=probe,
        signals=signals,
        deleted=sorted((link for link in links if link.signal_id is None), key=lambda link: link.received_on),
        referrals=referrals,
        other_additions=_other_additions(session, probe),
    )


def _other_additions(session: Session, probe: Probe) -> OtherAdditions:
    own = and_(Signal.id == AddressLink.signal_id, Signal.organisation_id == probe.organisation_id)
    gone = case((Signal.id.is_(None), AddressLink.id))
    counts = select(func.count(Signal.id.distinct()), func.count(gone))
    counts = counts.select_from(AddressLink).outerjoin(Signal, own).where(*beside_probe(probe))
    signals, earlier = session.execute(counts).one()
    return OtherAdditions(signals=signals, earlier=earlier)
