"""Let every front have the same secret: with another one, a retry becomes a second signal.

The database knows its fingerprint. A front that holds the known secret and a new one may replace the known
one, and both count until each retry of the old one is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from privacy.receipts import body_mac, idempotency_hash, receipt_for, secret_fingerprint
from privacy.secret_files import load_master_key
from signals.db import reading
from signals.errors import NoMailboxKey
from signals.intake.content import RETRY_DAYS
from signals.models import FrontKey
from signals.settings import Settings

_EVERY = select(FrontKey.generation, FrontKey.fingerprint, FrontKey.since).order_by(FrontKey.generation)


class FrontKeyRefused(NoMailboxKey):
    """The secret of this front is not that of the other fronts."""


def front_secrets(settings: Settings) -> list[bytes]:
    """Return the secret of the public side, and the other one of a rotation. Raises `SecretFileRefused`."""
    files = (settings.front.secret_file, settings.front.other_secret_file)
    return [load_master_key(file) for file in files if file is not None]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Hashes that recognise a report; nobody can turn them back into key or body.

    `other`: those by the other secret of a rotation.
    """

    key_hash: bytes
    body_mac: bytes
    receipt: str = field(repr=False)
    other: "Identity | None" = None

    @classmethod
    def of(cls, secret: bytes, key: UUID, body: bytes, *, other: "Identity | None" = None) -> "Identity":
        return cls(
            key_hash=idempotency_hash(key),
            body_mac=body_mac(secret, key, body),
            receipt=receipt_for(secret, key, body),
            other=other,
        )


@dataclass(frozen=True, kw_only=True)
class FrontKeys:
    """The secrets of a front: the one that it uses, and the other one of a rotation."""

    engine: Engine
    secrets: Sequence[bytes] = field(repr=False)

    def identity(self, key: UUID, body: bytes) -> Identity:
        """Return what recognises a report: a retry has the same key and body."""
        found: Identity | None = None
        for secret in reversed(self.secrets):
            found = Identity.of(secret, key, body, other=found)
        assert found is not None
        return found

    def agree(self, on: date) -> None:
        """Return when this front may store reports; note its secret when it is the first, or replaces one.

        Raises `FrontKeyRefused` when another front uses a secret that this one does not hold.
        """
        mine, *_others = held = [secret_fingerprint(secret) for secret in self.secrets]
        with reading(self.engine).connect() as connection:
            known = connection.execute(_EVERY).all()
        replaced_on = {earlier.fingerprint: later.since for earlier, later in pairwise(known)}
        week_ago = on - timedelta(days=RETRY_DAYS)
        counts = [row.fingerprint for row in known if replaced_on.get(row.fingerprint, on) > week_ago]
        if not set(counts) <= set(held):
            raise FrontKeyRefused
        if mine in counts:
            return
        if mine in {row.fingerprint for row in known}:
            raise FrontKeyRefused
        new = {"generation": len(known) + 1, "fingerprint": mine, "since": on}
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(FrontKey).values(new))
        except IntegrityError:  # another front was first: look again
            self.agree(on)
