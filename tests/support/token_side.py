"""Settings that let a test send many reports without tokens, and an issuer in the folder of a test."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from privacy.sealing import week_start
from privacy.tokens import TOKEN_TYPE, TokenKey, TokenRequest, challenge
from signals.clock import AMSTERDAM
from signals.issuer.signing import BlindSigner, new_key
from signals.settings import IssuerSettings, LimitsSettings
from signals.vocabulary import Profession
from tests.support.token_client import Pending

GENEROUS = LimitsSettings(
    unproven_reports_per_area_and_day=100_000, unproven_reports_per_area_and_hour=100_000
)
"""For tests that are about something else than the small lane of unproven reports."""


def issuer_in(folder: Path) -> IssuerSettings:
    """Return the settings of an issuer whose secret lies in this folder."""
    return IssuerSettings(database_url=f"sqlite:///{folder}/issuer.db", secret_file=folder / "issuer.key")


def key_of(directory: Mapping[str, Any], week: int = 0) -> TokenKey:
    """Return the n-th key of an issuer's directory."""
    return TokenKey(encoded=urlsafe_b64decode(directory["token-keys"][week]["token-key"]))


@dataclass
class Mint:
    """An issuer in memory with the keys of four weeks, whose tokens a test makes without a code."""

    on: date
    url: str = "https://issuer.example.org"
    origin: str = "example.org"
    keys: dict[date, tuple[TokenKey, BlindSigner]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for weeks in range(-2, 2):
            public, private = new_key()
            self.keys[week_start(self.on) + timedelta(weeks=weeks)] = public, BlindSigner(private)

    @property
    def modulus(self) -> int:
        """Return the modulus of this week's key."""
        return self.keys[week_start(self.on)][0].modulus

    def token(self, weeks: int = 0, *, origin: str | None = None) -> bytes:
        """Return a new token of the key of so many weeks from now."""
        key, signer = self.keys[week_start(self.on) + timedelta(weeks=weeks)]
        answers = challenge(issuer=urlsplit(self.url).netloc, origin=origin or self.origin)
        pending = Pending.new(key, answers)
        return pending.token(signer.sign(TokenRequest.parse(pending.request).blinded))

    def directory(self, profession: Profession = Profession.CARRIER) -> dict[str, Any]:
        """Return the directory as the issuer publishes it."""
        entries = [
            {
                "token-type": TOKEN_TYPE,
                "token-key": urlsafe_b64encode(key.encoded).decode(),
                "not-before": int(datetime.combine(week, time(), AMSTERDAM).timestamp()),
            }
            for week, (key, _signer) in self.keys.items()
        ]
        facts = {"name": "Voorbeeld", "profession": profession, "tokens-per-day": 8, "stock": 24}
        return {"issuer-request-uri": "/token-request", "token-keys": entries, **facts}

    def trust_in(self, file: Path, **how: Any) -> None:
        """Let a service that reads this file trust the issuer."""
        file.write_text(json.dumps({self.url: self.directory(**how)}))
