"""Browsers that signed in before: known by a cookie that proves it, names nobody and is stored nowhere."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from signals.clock import Clock
from signals.staff.identity import normal_email

KNOWN_FOR: Final = timedelta(days=180)
MOST_PEOPLE: Final = 5
"""So many people may share a browser and each be known in it."""

_EPOCH: Final = date(2020, 1, 1)
_NONCE, _DAYS, _MAC = 16, 2, 16


class KnownDevices:
    """Makes and recognises the cookie: for each person nonce (16 bytes), day (2) and HMAC (16), in base64url.

    It is read at sign-in only, to count this browser's guesses apart, and lasts 180 days.
    """

    def __init__(self, clock: Clock, key: bytes) -> None:
        self._clock, self._key = clock, key

    def recognise(self, email: str, cookie: str) -> bytes | None:
        """The nonce of this browser if this person signed in here before; None for a forged or old one."""
        return next((entry[:_NONCE] for entry in _entries(cookie) if self._is_of(entry, email)), None)

    def remember(self, email: str, cookie: str = "") -> str:
        """The browser's new cookie, after a good sign-in: an entry for this person before those of others."""
        others = [entry for entry in _entries(cookie) if not self._is_of(entry, email)]
        dated = secrets.token_bytes(_NONCE) + (self._today() - _EPOCH).days.to_bytes(_DAYS)
        return ".".join(_text(entry) for entry in [dated + self._mac(dated, email), *others][:MOST_PEOPLE])

    def _is_of(self, entry: bytes, email: str) -> bool:
        dated, mac = entry[:-_MAC], entry[-_MAC:]
        age = self._today() - (_EPOCH + timedelta(days=int.from_bytes(dated[_NONCE:])))
        return hmac.compare_digest(mac, self._mac(dated, email)) and age < KNOWN_FOR

    def _mac(self, dated: bytes, email: str) -> bytes:
        of = b"device/v1\x00" + dated + normal_email(email).encode("utf-8", "replace")
        return hmac.new(self._key, of, hashlib.sha256).digest()[:_MAC]

    def _today(self) -> date:
        now: datetime = self._clock.now()
        return now.astimezone(UTC).date()


def _entries(cookie: str) -> Iterator[bytes]:
    for text in cookie.split(".")[:MOST_PEOPLE]:
        try:
            entry = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            continue
        if len(entry) == _NONCE + _DAYS + _MAC:
            yield entry


def _text(entry: bytes) -> str:
    return urlsafe_b64encode(entry).decode().rstrip("=")
