"""Draw an order for each signal that arrives, and keep it sealed until the first claim.

The key of a comparison lies in the keystore. The database tells neither the order nor whether there is one.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, Table, bindparam, select
from sqlalchemy.orm import Session
from structlog import get_logger

from privacy.bulk import insert_many
from privacy.keystore import KeyRefused, Keystore
from privacy.sealing import SealingError, open_bytes, seal_bytes
from signals.comparisons.plan import ORDERS, drawn_arm, plan_of
from signals.models import Comparison, ComparisonDraw, ComparisonTeam, Signal
from signals.operation import Operation
from signals.vocabulary import AttemptKind, ComparisonArm

_SIZE: Final = 32
"""Bytes of every draw before sealing: the length tells nothing."""

log = get_logger(__name__)

_DRAWS: Final = cast(Table, ComparisonDraw.__table__)
# Built once: every opening runs it.
_OF_ONE: Final = select(_DRAWS).where(
    _DRAWS.c.signal_id == bindparam("signal_id", type_=_DRAWS.c.signal_id.type),
    _DRAWS.c.organisation_id == bindparam("organisation_id", type_=_DRAWS.c.organisation_id.type),
)


class Arrived(NamedTuple):
    """A signal that arrives; `drawable`: nothing about it asks for a visit in any case."""

    signal_id: uuid.UUID
    organisation_id: uuid.UUID
    drawable: bool


@dataclass(frozen=True, kw_only=True)
class Draw:
    """The draw of a signal. Without `arm` it gets a visit; without `revealed_on` it takes no part (yet)."""

    code: str
    arm: ComparisonArm | None = None
    revealed_on: date | None = None

    @property
    def counts(self) -> bool:
        """Return whether the signal takes part: a worker saw its order."""
        return self.revealed_on is not None


def is_open(comparison: Comparison, on: date) -> bool:
    """Return whether signals are drawn on a day."""
    return comparison.stopped_on is None and on <= plan_of(comparison.registration).ends_on


def draw_each(session: Session, keys: Keystore, arrived: Sequence[Arrived], on: date) -> None:
    """Draw for the signals of teams that take part, in this order; the caller's order is random.

    Two workers at once wait for one another at the row of the team.
    """
    rows: list[tuple[Any, ...]] = []
    for team, comparison in _taking_part(session, {each.organisation_id for each in arrived}, on):
        try:
            key = keys.secret(secret_of(team.code))
            place = _place_of(team, key)
        except (KeyRefused, SealingError):  # it draws no more; the signals arrive
            log.error("comparison.place_refused", organisation_id=str(team.organisation_id))
            continue
        arms = plan_of(comparison.registration).arms
        for signal_id, _, drawable in (one for one in arrived if one.organisation_id == team.organisation_id):
            arm = drawn_arm(key, place=(team.code, team.organisation_id, place), arms=arms)
            draw = Draw(code=team.code, arm=arm if drawable else None)
            place += drawable
            rows.append((signal_id, team.organisation_id, team.code, seal_draw(draw, key, signal_id)))
        team.sealed_place = sealed_place(team.organisation_id, key, place)
    session.flush()
    if rows:
        columns = dict(zip(_DRAWS.columns.keys(), zip(*rows, strict=True), strict=True))
        insert_many(session.connection(), _DRAWS, columns)


def reveal(operation: Operation, signal: Signal) -> None:
    """Let a signal take part at its claim, unless a worker tried before or marked it as urgent.

    Every claim seals the row anew: an unchanged row would tell that it has no order.
    """
    of_team = ComparisonDraw.organisation_id == signal.organisation_id
    query = select(ComparisonDraw, Comparison).join(Comparison).where(of_team)
    row = operation.session.execute(query.where(ComparisonDraw.signal_id == signal.id)).one_or_none()
    if row is None:
        return
    stored, comparison = row
    draw = _opened(operation.keystore, stored)
    if draw is None:
        return
    undecided = draw.arm and not draw.counts and not signal.urgent
    if undecided and is_open(comparison, operation.today) and not signal.attempts:
        draw = replace(draw, revealed_on=operation.today)
    stored.sealed = seal_draw(draw, operation.keystore.secret(secret_of(stored.code)), signal.id)


def drawn_order(session: Session, keys: Keystore, signal: Signal) -> tuple[AttemptKind, ...]:
    """Return the first two attempts that were drawn for a signal; nothing when it takes no part.

    Another team, to which a signal was referred, sees no order.
    """
    wanted = {"signal_id": signal.id, "organisation_id": signal.organisation_id}
    row = session.execute(_OF_ONE, wanted).one_or_none()
    draw = _opened(keys, row) if row else None
    return ORDERS[draw.arm] if draw and draw.arm and draw.counts else ()


def draws_of(connection: Connection, keys: Keystore, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, Draw]:
    """Return the draw of each signal that has one."""
    rows = connection.execute(select(_DRAWS).where(_DRAWS.c.signal_id.in_(list(ids)))).all()
    opened = ((row.signal_id, _opened(keys, row)) for row in rows)
    return {signal_id: draw for signal_id, draw in opened if draw is not None}


def sealed_place(organisation_id: uuid.UUID, key: bytes, place: int) -> bytes:
    """Seal how many orders a team has drawn."""
    return seal_bytes(f"{place}".encode().ljust(_SIZE), key, associated_data=_of_team(organisation_id))


def seal_draw(draw: Draw, key: bytes, signal_id: uuid.UUID) -> bytes:
    """Seal the draw of a signal."""
    text = f"{draw.arm or ''}|{draw.revealed_on or ''}".encode()
    return seal_bytes(text.ljust(_SIZE), key, associated_data=_of_signal(signal_id))


def secret_of(code: str) -> str:
    """Return the name of the key of a comparison."""
    return f"comparison-{code.lower()}"


def _taking_part(
    session: Session, organisations: set[uuid.UUID], on: date
) -> list[tuple[ComparisonTeam, Comparison]]:
    query = (
        select(ComparisonTeam, Comparison)
        .join(Comparison)
        .where(ComparisonTeam.takes_part, ComparisonTeam.organisation_id.in_(organisations))
        .order_by(ComparisonTeam.organisation_id)  # one order, so that no two workers deadlock
        .with_for_update(of=ComparisonTeam)
        .execution_options(populate_existing=True)
    )
    return [(team, comparison) for team, comparison in session.execute(query) if is_open(comparison, on)]


def _place_of(team: ComparisonTeam, key: bytes) -> int:
    return int(open_bytes(team.sealed_place, key, associated_data=_of_team(team.organisation_id)))


def _opened(keys: Keystore, row: Any) -> Draw | None:
    """Open the draw of a row; log one that does not open: its signal takes no part any more."""
    try:
        key = keys.secret(secret_of(row.code))
        text = open_bytes(row.sealed, key, associated_data=_of_signal(row.signal_id))
    except (KeyRefused, SealingError):
        log.error("comparison.draw_refused", signal_id=str(row.signal_id))
        return None
    arm, day = text.decode().rstrip().split("|")
    return Draw(
        code=row.code,
        arm=ComparisonArm(arm) if arm else None,
        revealed_on=date.fromisoformat(day) if day else None,
    )


def _of_signal(signal_id: uuid.UUID) -> bytes:
    return b"comparison_draws/sealed/" + signal_id.bytes


def _of_team(organisation_id: uuid.UUID) -> bytes:
    return b"comparison_teams/sealed_place/" + organisation_id.bytes
