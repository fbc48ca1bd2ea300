"""Tokens on the public side: read one from a request, and tell phones where they get them."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from privacy.sealing import week_start
from signals.intake.authorisation import GRACE, TrustedIssuers
from signals.vocabulary import Profession

_SCHEME: Final = "privatetoken"
_HEADER: Final = re.compile(r'privatetoken +token *= *"?([A-Za-z0-9_-]{1,1000})={0,2}"?', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class IssuerFacts:
    """The facts with which a phone asks an issuer for tokens; challenge and key are base64url.

    `valid_until`: the last day on which the service accepts a token of this key.
    """

    url: str
    name: str
    profession: Profession
    per_day: int
    stock: int
    challenge: str
    token_key: str
    valid_until: date


def token_in(header: str | None) -> bytes | None:
    """Return the bytes of a `PrivateToken` (RFC 9577, 2.2); None without one.

    A malformed token gives no bytes, which no issuer signed.
    """
    if header is None or not header.lower().startswith(_SCHEME):
        return None
    match = _HEADER.fullmatch(header.strip())
    if match is None or len(match[1]) % 4 == 1:
        return b""
    return urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4))


def issuer_facts(issuers: TrustedIssuers, on: date) -> Iterator[IssuerFacts]:
    """Yield the issuers that this service trusts on a day."""
    for issuer, key in issuers.issuers(on):
        yield IssuerFacts(
            url=issuer.url,
            name=issuer.name,
            profession=issuer.profession,
            per_day=issuer.per_day,
            stock=issuer.stock,
            challenge=urlsafe_b64encode(issuers.challenge_for(issuer)).decode(),
            token_key=urlsafe_b64encode(key.encoded).decode(),
            valid_until=week_start(on) + GRACE + timedelta(days=6),
        )
