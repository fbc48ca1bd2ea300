"""What a browser carries for the desk between two requests, sealed: it can neither read nor change it.

Nothing of it is stored here. Each piece is bound to its use and to one person or session, and ends by itself.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from privacy.sealing import EnvelopeRefused, canonical_json, open_bytes, parse_json, seal_bytes
from signals.clock import Clock

MARK_LENGTH: Final = 32
"""Hexadecimal digits of a writer's mark."""


@dataclass(frozen=True, kw_only=True)
class BrowserState:
    """Seals, opens and marks under one secret of the keystore (32 bytes), alike in every process."""

    clock: Clock
    secret: bytes = field(repr=False)

    def seal(self, what: str, content: Mapping[str, Any], *, whose: str, lasts: timedelta) -> str:
        """Text for a hidden field or an address: letters, digits, hyphens and underscores."""
        until = int((self.clock.now() + lasts).timestamp())
        data = canonical_json({"until": until, "content": dict(content)})
        sealed = seal_bytes(data, self._key(b"seal/v1"), associated_data=_place(what, whose))
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, what: str, text: str, *, whose: str) -> dict[str, Any] | None:
        """What was sealed for the same use and `whose`; None for anything else, and once it ended."""
        try:
            sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            data = open_bytes(sealed, self._key(b"seal/v1"), associated_data=_place(what, whose))
        except (ValueError, EnvelopeRefused):
            return None
        found = parse_json(data)
        content: dict[str, Any] = found["content"]
        return content if self.clock.now().timestamp() < found["until"] else None

    def mark(self, member_id: UUID) -> str:
        """By which a form says whose page it stood on, also when no session does: it names nobody."""
        whole = hmac.new(self._key(b"writer/v1"), member_id.bytes, hashlib.sha256)
        return whole.hexdigest()[:MARK_LENGTH]

    def _key(self, use: bytes) -> bytes:
        return hmac.new(self.secret, use, hashlib.sha256).digest()


def _place(what: str, whose: str) -> bytes:
    return b"\x00".join((b"carried/v1", what.encode(), whose.encode()))
