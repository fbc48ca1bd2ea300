"""The objects that the figures work with; the composition root puts them on the application."""

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from signals.clock import Clock
from signals.db import reading, session_factory
from signals.routing.snapshot import Router
from signals.settings import Settings
from signals.vocabulary import Role

EXTENSION = "signals.figures"

Admit = Callable[[str, Collection[Role]], None]


@dataclass(frozen=True, kw_only=True)
class Doorkeeper:
    """The desk's functions that recognise a reader; a process without a desk has none."""

    admit: Admit
    recognise: Callable[[], None]
    csrf_field: Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class FiguresContext:
    """Settings, clock, database, routing (for the connected municipalities), and the doorkeeper."""

    settings: Settings
    clock: Clock
    sessions: sessionmaker[Session] = field(repr=False)
    router: Router
    doorkeeper: Doorkeeper | None
    shelf: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def public(self) -> bool:
        """Return whether everybody may read."""
        return self.settings.figures.public


def make_context(
    settings: Settings, clock: Clock, engine: Engine, router: Router, doorkeeper: Doorkeeper | None
) -> FiguresContext:
    """Return the context of an application; its sessions only read."""
    return FiguresContext(
        settings=settings,
        clock=clock,
        sessions=session_factory(reading(engine)),
        router=router,
        doorkeeper=doorkeeper,
    )


def figures() -> FiguresContext:
    """Return the context of the current application."""
    return cast(FiguresContext, current_app.extensions[EXTENSION])
