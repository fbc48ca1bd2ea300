"""What one delivery step writes, as a single statement of PostgreSQL: one round trip and one commit.

A step settles the message that was sent, notes its try and marks the next one as being sent; as a transaction
that is five round trips. The statement is atomic by itself, so that a killed worker leaves no more in doubt:
the one message that was being sent.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary, ref

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

_STATEMENT: Final = """
WITH settled AS (
    UPDATE outbox_messages
    SET state = 'delivered', provider_message_id = %(provider_message_id)s, settled_at = %(at)s,
        leased_until = NULL
    WHERE id = %(sent)s AND state <> 'delivered'
    RETURNING id
), noted AS (
    INSERT INTO delivery_attempts (id, message_id, at, delivered)
    SELECT %(attempt)s, id, %(at)s, true FROM settled
), begun AS (
    UPDATE outbox_messages
    SET state = 'sending', tries = %(tries)s, leased_until = %(until)s
    WHERE id = %(next)s AND state = 'queued' AND leased_until = %(held_until)s
    RETURNING id
)
SELECT EXISTS (SELECT FROM settled), EXISTS (SELECT FROM begun)
"""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """A message that its provider took, and when that was noted."""

    id: uuid.UUID
    provider_message_id: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The next message: `held_until` proves our lease of it, `until` is the new one while it is sent."""

    id: uuid.UUID
    held_until: datetime
    tries: int
    until: datetime


class SingleStatements:
    """Connections on which each statement is a transaction of its own; `sessions` are for queries there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sessions = sessionmaker(engine, expire_on_commit=False)

    def settle_and_begin(self, delivered: Delivered, begun: Begun) -> tuple[bool, bool]:
        """Whether the one was not settled before, and whether the other was still ours."""
        values = {
            "sent": delivered.id,
            "provider_message_id": delivered.provider_message_id,
            "at": delivered.at,
            "attempt": uuid.uuid4(),
            "next": begun.id,
            "held_until": begun.held_until,
            "tries": begun.tries,
            "until": begun.until,
        }
        with self._engine.connect() as connection:
            settled, was_ours = connection.exec_driver_sql(_STATEMENT, values).one()
        return settled, was_ours


def single_statements(factory: sessionmaker[Session]) -> SingleStatements | None:
    """For sessions of PostgreSQL; None for another database, whose steps are transactions."""
    with factory() as session:
        bind = session.get_bind()
    if isinstance(bind, Connection) or bind.dialect.name != "postgresql":
        return None
    return _POOLS.get(bind) or _POOLS.setdefault(bind, SingleStatements(_pool_beside(bind)))


def _pool_beside(engine: Engine) -> Engine:
    """A pool of its own: to switch a shared connection to autocommit and back costs as much as a query."""
    own = create_engine(
        engine.url,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        pool_size=1,
        pool_timeout=10,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={"connect_timeout": 5},
    )
    event.listen(engine, "engine_disposed", lambda _engine: own.dispose())
    beside = ref(engine)

    def lost(context: ExceptionContext) -> None:
        """A server that went away took the connections of the other pool as well, by which all is mended."""
        other = beside()
        if context.is_disconnect and other is not None:
            other.dispose()

    event.listen(own, "handle_error", lost)
    return own


_POOLS: Final[WeakKeyDictionary[Engine, SingleStatements]] = WeakKeyDictionary()
