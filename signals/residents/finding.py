"""Find what the organisation has on an address, through the pseudonym of the address."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session, selectinload

from signals.arrival.repeats import Probe, at_probe, beside_probe, probes_for
from signals.audit.grounds import Ground
from signals.casework.search import record_found, record_search
from signals.models import AddressLink, Referral, Signal
from signals.operation import Operation
from signals.residents.requests import officers_organisation
from signals.routing.postcodes import Address
from signals.vocabulary import Action

_FOLLOW_UP: Final = (
    Signal.attempts, Signal.former_attempts, Signal.notes, Signal.former_notes, Signal.history,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OtherAdditions:
    """Count what lies at the same house number under another addition, or under none.

    `signals`: stored signals of the organisation. `earlier`: deleted or referred ones, of which it keeps only
    the fact. This never says which, because they may be a neighbour's, or the same door spelt otherwise.
    """

    signals: int
    earlier: int


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Hold what the organisation has on an address: signals, links of deleted ones, and referrals."""

    probe: Probe = field(repr=False)
    signals: Sequence[Signal]
    deleted: Sequence[AddressLink] = field(repr=False)
    referrals: Sequence[Referral]
    other_additions: OtherAdditions

    @property
    def is_empty(self) -> bool:
        """Return whether the organisation keeps nothing of exactly this address."""
        return not (self.signals or self.deleted or self.referrals)

    @property
    def signal_ids(self) -> list[uuid.UUID]:
        """Return the ids of all found signals, each once, also of referred ones."""
        ids = [*(signal.id for signal in self.signals), *(each.signal_id for each in self.referrals)]
        return list(dict.fromkeys(ids))

    @property
    def deleted_received_on(self) -> list[date]:
        """Return when the deleted signals came in, oldest first."""
        return [link.received_on for link in self.deleted]


def find_by_address(operation: Operation, *, address: Address) -> Findings:
    """Find everything of the officer's organisation at exactly this address.

    Write an audit entry of the search, and one of each found signal. This only counts
    what the rest of the house has: see `OtherAdditions`.
    """
    session, organisation_id = operation.session, officers_organisation(operation.actor)
    (probe,) = probes_for(operation.keystore, [(organisation_id, address)], operation.today)
    links = session.scalars(select(AddressLink).where(*at_probe(probe))).all()
    ids = [link.signal_id for link in links if link.signal_id is not None]
    signals = session.scalars(
        select(Signal)
        .where(Signal.id.in_(ids), Signal.organisation_id == organisation_id)
        .options(*(selectinload(part) for part in _FOLLOW_UP))
        .order_by(Signal.received_on, Signal.id)
    ).all()
    referrals = session.scalars(
        select(Referral).where(
            Referral.signal_id.in_(ids),
            Referral.from_organisation_id == organisation_id,
            Referral.reason != Action.TAKE_BACK,  # nobody here had opened it
        )
    ).all()
    record_search(operation, Ground.RIGHT_OF_RESIDENT)
    found = Findings(
        probe=probe,
        signals=signals,
        deleted=sorted((link for link in links if link.signal_id is None), key=lambda link: link.received_on),
        referrals=referrals,
        other_additions=_other_additions(session, probe),
    )
    record_found(operation, Ground.RIGHT_OF_RESIDENT, found.signal_ids)
    return found


def _other_additions(session: Session, probe: Probe) -> OtherAdditions:
    own = and_(Signal.id == AddressLink.signal_id, Signal.organisation_id == probe.organisation_id)
    gone = case((Signal.id.is_(None), AddressLink.id))
    counts = select(func.count(Signal.id.distinct()), func.count(gone))
    counts = counts.select_from(AddressLink).outerjoin(Signal, own).where(*beside_probe(probe))
    signals, earlier = session.execute(counts).one()
    return OtherAdditions(signals=signals, earlier=earlier)
