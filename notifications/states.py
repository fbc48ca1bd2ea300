"""The state of each channel, which a worker writes for the staff side."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.breaker import Breaker
from notifications.clock import Clock
from notifications.models import ChannelState


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A channel and the settings that it lacks; none when it is on."""

    channel: str
    missing: tuple[str, ...] = ()


def write_states(
    session: Session, clock: Clock, *, switches: Collection[Switch], breakers: Mapping[str, Breaker]
) -> int:
    """Write each channel's state in the caller's transaction; return how many."""
    known = {row.channel: row for row in session.scalars(select(ChannelState).with_for_update())}
    for switch in switches:
        row = known.get(switch.channel) or ChannelState(channel=switch.channel)
        breaker = breakers.get(switch.channel) or Breaker()
        row.is_on, row.missing = not switch.missing, " ".join(switch.missing)[:200]
        row.failures, row.problem = breaker.failures, breaker.problem
        paused = breaker.open_until is not None and not breaker.allows(clock.now())
        row.paused_until = breaker.open_until if paused else None
        row.seen_at = clock.now()
        session.add(row)
    return len(switches)


def channel_states(session: Session) -> Sequence[ChannelState]:
    """Return the states, by name of the channel."""
    return session.scalars(select(ChannelState).order_by(ChannelState.channel)).all()
