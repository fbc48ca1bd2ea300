"""Seal data that a browser holds for the desk between two requests; the browser cannot read or change it.

The server stores nothing of it. Each piece is bound to its use and to one person or session, and expires.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from privacy.sealing import (
    EnvelopeRefused,
    MailboxPrivateKey,
    canonical_json,
    open_bytes,
    parse_json,
    seal_bytes,
)
from signals.clock import Clock

OUTBOX: Final = b"signals/outbox/v1"
"""The `info` under which a phone seals (RFC 9180)."""
MARK_LENGTH: Final = 32
"""Hexadecimal digits of the mark of a writer."""


@dataclass(frozen=True, kw_only=True)
class BrowserState:
    """Seal, open and mark with one secret of the keystore (32 bytes), in the same way in every process."""

    clock: Clock
    secret: bytes = field(repr=False)

    def seal(self, what: str, content: Mapping[str, Any], *, whose: str, lasts: timedelta) -> str:
        """Return text for a hidden field or an address: letters, digits, hyphens and underscores."""
        until = int((self.clock.now() + lasts).timestamp())
        data = canonical_json({"until": until, "content": dict(content)})
        sealed = seal_bytes(data, self._key(b"seal/v1"), associated_data=_place(what, whose))
        return _text(sealed)

    def open(self, what: str, text: str, *, whose: str) -> dict[str, Any] | None:
        """Return the content sealed for this use and `whose`; None for anything else and after its expiry."""
        try:
            data = open_bytes(_bytes(text), self._key(b"seal/v1"), associated_data=_place(what, whose))
        except (ValueError, EnvelopeRefused):
            return None
        found = parse_json(data)
        content: dict[str, Any] = found["content"]
        return content if self.clock.now().timestamp() < found["until"] else None

    def mark(self, member_id: UUID) -> str:
        """Return the mark that tells whose page a form stood on, also without a session; it names nobody."""
        whole = hmac.new(self._key(b"writer/v1"), member_id.bytes, hashlib.sha256)
        return whole.hexdigest()[:MARK_LENGTH]

    def outbox_key(self, whose: str) -> str:
        """Return the public key for which the phone of one person seals what waits for reception (X25519)."""
        return _text(self._outbox(whose).public())

    def open_from_outbox(self, text: str, *, whose: str) -> bytes | None:
        """Return what a phone sealed for one person (HPKE); None for anything else."""
        try:
            return self._outbox(whose).decrypt(_bytes(text), OUTBOX)
        except (ValueError, EnvelopeRefused):
            return None

    def _outbox(self, whose: str) -> MailboxPrivateKey:
        return MailboxPrivateKey.from_bytes(
            hmac.new(self._key(OUTBOX), whose.encode(), hashlib.sha256).digest()
        )

    def _key(self, use: bytes) -> bytes:
        return hmac.new(self.secret, use, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def _place(what: str, whose: str) -> bytes:
    return b"\x00".join((b"carried/v1", what.encode(), whose.encode()))
