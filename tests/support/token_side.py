"""Settings that let a test send many reports without tokens, and an issuer in the folder of a test."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from privacy.tokens import TokenKey
from signals.settings import IssuerSettings, LimitsSettings

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
