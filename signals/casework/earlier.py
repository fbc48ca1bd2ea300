"""List the other signals that may be of the same address, as a worker sees them."""

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
    """Describe a signal that may be of the same address; a purged one keeps only day, group and address.

    `same_address` is False when the house agrees and the addition does not. `worked`: see `is_worked`.
    `claimed`: somebody has it. `restricted_on`: nobody may work on it since that day (art. 18 AVG).
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
    """Name the columns of a signal that show whether anybody did something."""

    @property
    def state(self) -> SignalState: ...
    @property
    def notified_on(self) -> date | None: ...


def is_worked(signal: _Followed) -> bool:
    """Return whether a worker tried to reach the resident or notified them (art. 14 AVG)."""
    return signal.state is SignalState.IN_FOLLOW_UP or signal.notified_on is not None


def earlier_signals(session: Session, *, signal: Signal, probe: repeats.Probe) -> list[EarlierSignal]:
    """Return the organisation's other signals at this address or house, newest first.

    `probe` comes from the opened address (`repeats.probes_for`), so that it finds older quarters too.
    """
    links = repeats.earlier_links(session, probe, besides=signal.id)
    existing = _still_there(session, signal.organisation_id, links)
    return [_described(link, existing.get(link.signal_id), probe) for link in links]


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


def _described(link: AddressLink, row: Any, probe: repeats.Probe) -> EarlierSignal:
    return EarlierSignal(
        signal_id=link.signal_id if row else None,
        reference=row.reference if row else None,
        state=row.state if row else None,
        worked=row is not None and is_worked(row),
        claimed=row is not None and row.claimed_by_id is not None,
        restricted_on=row.restricted_on if row else None,
        received_on=link.received_on,
        outcome_group=link.outcome_group,
        same_address=probe.is_same_address(link),
    )
