"""The objects that the public side works with; the composition root puts them on the application."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

from flask import current_app

from signals.clock import Clock
from signals.db import reading, session_factory
from signals.intake.authorisation import TrustedIssuers
from signals.intake.receiving import Intake
from signals.settings import Settings
from signals.web.front.thanks import Thanks

EXTENSION = "signals.front"


@dataclass(frozen=True, kw_only=True)
class FrontContext:
    """Clock, settings, the intake with public keys only, the trusted issuers, and the thanks to carriers."""

    settings: Settings
    clock: Clock
    intake: Intake
    issuers: TrustedIssuers

    @cached_property
    def thanks(self) -> Thanks:
        """Return the thanks to carriers, from the newest release."""
        return Thanks(session_factory(reading(self.intake.engine)), self.clock)


def front() -> FrontContext:
    """Return the context of the current application."""
    return cast(FrontContext, current_app.extensions[EXTENSION])
