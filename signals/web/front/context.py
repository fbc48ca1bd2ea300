"""The objects that the public side works with; the composition root puts them on the application."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from signals.clock import Clock
from signals.intake.receiving import Intake
from signals.settings import Settings

EXTENSION = "signals.front"


@dataclass(frozen=True, kw_only=True)
class FrontContext:
    """Clock, settings and the intake, with public keys only."""

    settings: Settings
    clock: Clock
    intake: Intake


def front() -> FrontContext:
    """Return the context of the current application."""
    return cast(FrontContext, current_app.extensions[EXTENSION])
