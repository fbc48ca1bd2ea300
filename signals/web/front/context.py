"""What the public side works with; put on the application by the composition root."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from signals.clock import Clock
from signals.intake.receiving import Intake
from signals.settings import Settings

EXTENSION = "signals.front"


@dataclass(frozen=True, kw_only=True)
class FrontContext:
    """Clock, settings and the way in. No keys but public ones."""

    settings: Settings
    clock: Clock
    intake: Intake


def front() -> FrontContext:
    """The context of the current application."""
    return cast(FrontContext, current_app.extensions[EXTENSION])
