"""Other signals that may be of the same address, as a worker sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals import repeats
from signals.models import AddressLink, Signal
from signals.vocabulary import SignalState


@dataclass(frozen=True, kw_only=True)
class EarlierSignal:
    """A signal that may be of the same address; of a purged one only the last three fields remain.

    `same_address` is False when only the house agrees and the addition does not.
    """

    signal_id: UUID | None
    reference: str | None
    state: SignalState | None
    received_on: date
    outcome_group: str | None
    same_address: bool


def earlier_links(session: Session, *, signal: Signal, probe: repeats.Probe) -> list[EarlierSignal]:
    """Signals of the same organisation at this signal's address or house, newest first.

    `probe` is made of the opened address (`repeats.probes_for`), so that older quarters are found too.
    """
    links = repeats.earlier_links(session, probe, besides=signal.id)
    alive = _still_there(session, signal.organisation_id, links)
    return [_described(link, alive.get(link.signal_id), probe) for link in links]


def _still_there(
    session: Session, organisation_id: UUID, links: Iterable[AddressLink]
) -> dict[UUID | None, tuple[str, SignalState]]:
    ids = [link.signal_id for link in links if link.signal_id is not None]
    if not ids:
        return {}
    query = select(Signal.id, Signal.reference, Signal.state).where(
        Signal.id.in_(ids), Signal.organisation_id == organisation_id
    )
    return {signal_id: (reference, state) for signal_id, reference, state in session.execute(query)}


def _described(
    link: AddressLink, alive: tuple[str, SignalState] | None, probe: repeats.Probe
) -> EarlierSignal:
    reference, state = alive or (None, None)
    return EarlierSignal(
        signal_id=link.signal_id if alive else None,
        reference=reference,
        state=state,
        received_on=link.received_on,
        outcome_group=link.outcome_group,
        same_address=probe.is_same_address(link),
    )
