"""Browsers that signed in before: a cookie proves it; the cookie names nobody and is stored nowhere."""

from datetime import timedelta
from typing import Final

from privacy.link_codes import TOKEN, CodeRefused, LinkCodes
from signals.clock import Clock
from signals.staff.identity import normal_email

KNOWN_FOR: Final = timedelta(days=180)
MOST_PEOPLE: Final = 5
"""This many people can share a browser and each be known in it."""

_BETWEEN: Final = "~"


class KnownDevices:
    """Make and recognise the cookie: for each person a token (`privacy.link_codes`) that binds the address.

    Sign-in reads it to count the guesses of this browser apart, and nothing else does.
    """

    def __init__(self, clock: Clock, key: bytes) -> None:
        self._clock, self._codes = clock, LinkCodes(key, "device")

    def recognise(self, email: str, cookie: str) -> bytes | None:
        """Return the random part of this person's token; None for a forged or old one."""
        found = (self._nonce(token, email) for token in _tokens(cookie))
        return next((nonce for nonce in found if nonce is not None), None)

    def remember(self, email: str, cookie: str = "") -> str:
        """Return the new cookie after a good sign-in: this person's token first, then those of others."""
        others = [token for token in _tokens(cookie) if self._nonce(token, email) is None]
        own = self._codes.new_token(normal_email(email), expires_at=self._clock.now() + KNOWN_FOR)
        return _BETWEEN.join([own, *others][:MOST_PEOPLE])

    def _nonce(self, token: str, email: str) -> bytes | None:
        try:
            return self._codes.read_token(token, normal_email(email), now=self._clock.now()).nonce
        except CodeRefused:
            return None


def _tokens(cookie: str) -> list[str]:
    return [text for text in cookie.split(_BETWEEN)[:MOST_PEOPLE] if TOKEN.fullmatch(text)]
