"""Other signals that may be of the same address, found through pseudonyms."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from signals.models import AddressLink, Signal
from signals.vocabulary import SignalState

MAX_EARLIER: Final = 50


@dataclass(frozen=True, kw_only=True)
class EarlierSignal:
    """An earlier or later signal that may be of the same address; of a purged one only the last three remain.

    `same_address` is False when only the house agrees and the addition does not.
    """

    signal_id: UUID | None
    reference: str | None
    state: SignalState | None
    received_on: date
    outcome_group: str | None
    same_address: bool


def earlier_links(session: Session, *, signal: Signal) -> list[EarlierSignal]:
    """Signals of the same organisation that share a pseudonym with this one, newest first, at most 50.

    Compares stored pseudonyms with one another and needs no key. A pseudonym depends on its quarter's key,
    so a match over quarters shows only when the arrival gave both signals a link under one quarter.
    """
    own = session.scalars(select(AddressLink).where(AddressLink.signal_id == signal.id)).all()
    if not own:
        return []
    addresses = [link.pseudonym for link in own]
    houses = [link.house_pseudonym for link in own]
    query = (
        select(AddressLink, Signal.reference, Signal.state)
        .outerjoin(
            Signal,
            and_(Signal.id == AddressLink.signal_id, Signal.organisation_id == AddressLink.organisation_id),
        )
        .where(
            AddressLink.organisation_id == signal.organisation_id,
            or_(AddressLink.pseudonym.in_(addresses), AddressLink.house_pseudonym.in_(houses)),
            AddressLink.signal_id.is_distinct_from(signal.id),
        )
        .order_by(AddressLink.received_on.desc(), AddressLink.id)
        .limit(MAX_EARLIER)
    )
    return _once_each(
        EarlierSignal(
            signal_id=link.signal_id,
            reference=reference,
            state=state,
            received_on=link.received_on,
            outcome_group=link.outcome_group,
            same_address=link.pseudonym in addresses,
        )
        for link, reference, state in session.execute(query)
    )


def _once_each(found: Iterable[EarlierSignal]) -> list[EarlierSignal]:
    """A signal may have links under several quarters; one is enough, rather of the address itself."""
    best: dict[object, EarlierSignal] = {}
    for number, earlier in enumerate(found):
        key = earlier.signal_id or number
        if key not in best or earlier.same_address:
            best[key] = earlier
    return list(best.values())
