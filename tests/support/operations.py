"""Operations for tests, as the edge opens them."""

from typing import Any

from sqlalchemy.orm import Session

from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import Clock
from signals.operation import Operation


def operation(
    session: Session,
    clock: Clock,
    actor: Actor = SYSTEM,
    *,
    audit: AuditLog | None = None,
    keystore: Any = None,
) -> Operation:
    """Return an operation in this session. A keystore with secrets also gives the key of the audit log."""
    key = keystore.secret("audit") if keystore is not None else b"k" * 32
    return Operation(
        session=session,
        clock=clock,
        actor=actor,
        audit=audit or AuditLog(key),
        keystore=keystore,
        site="https://signalen.example",
    )
