"""Other signals that may be of the same address, as a worker sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.arrival import repeats
from signals.models import AddressLink, Signal
from signals.vocabulary import SignalState


@dataclass(frozen=True, kw_only=True)
class EarlierSignal:
    """A signal that may be of the same address; of a purged one only day, group and address remain.

    `same_address` is False when only the house agrees and the addition does not. `worked`: somebody tried to
    reach the resident, or told them; `claimed`: somebody has it. `restricted_on`: nobody may work on it since
    (art. 18 AVG).
    """

    signal_id: UUID | None
    reference: str | None
    state: SignalState | None
    received_on: date
    outcome_group: str | None
    same_address: bool
    worked: bool = False
    claimed: bool = False
    restricted_on: date | None = None


class _Followed(Protocol):
    """What tells whether anything was done: columns of a signal."""

    @property
    def state(self) -> SignalState: ...
    @property
    def notified_on(self) -> date | None: ...


def is_worked(signal: _Followed) -> bool:
    """Whether somebody tried to reach the resident of a signal, or told them (art. 14 AVG)."""
    return signal.state is SignalState.IN_FOLLOW_UP or signal.notified_on is not None


def earlier_links(session: Session, *, signal: Signal, probe: repeats.Probe) -> list[EarlierSignal]:
    """Signals of the same organisation at this signal's address or house, newest first.

    `probe` is made of the opened address (`repeats.probes_for`), so that older quarters are found too.
    """
    links = repeats.earlier_links(session, probe, besides=signal.id)
    alive = _still_there(session, signal.organisation_id, links)
    return [_described(link, alive.get(link.signal_id), probe) for link in links]


def _still_there(
    session: Session, organisation_id: UUID, links: Iterable[AddressLink]
) -> dict[UUID | None, Any]:
    ids = [link.signal_id for link in links if link.signal_id is not None]
    if not ids:
        return {}
    query = select(
        Signal.id,
        Signal.reference,
        Signal.state,
        Signal.notified_on,
        Signal.claimed_by_id,
        Signal.restricted_on,
    ).where(Signal.id.in_(ids), Signal.organisation_id == organisation_id)
    return {row.id: row for row in session.execute(query)}


def _described(link: AddressLink, alive: Any, probe: repeats.Probe) -> EarlierSignal:
    return EarlierSignal(
        signal_id=link.signal_id if alive else None,
        reference=alive.reference if alive else None,
        state=alive.state if alive else None,
        worked=alive is not None and is_worked(alive),
        claimed=alive is not None and alive.claimed_by_id is not None,
        restricted_on=alive.restricted_on if alive else None,
        received_on=link.received_on,
        outcome_group=link.outcome_group,
        same_address=probe.is_same_address(link),
    )
