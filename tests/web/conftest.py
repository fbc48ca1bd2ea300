"""Fixtures of the tests of pages and calls."""

from tests.support.app_fixtures import (
    client,
    clock,
    engine,
    front_app,
    front_settings,
    installation,
    make_app,
    make_front,
    people,
)
from tests.support.desk_side import desk, desk_settings, signal_id
from tests.support.world_fixtures import template

__all__ = [
    "client",
    "clock",
    "desk",
    "desk_settings",
    "engine",
    "front_app",
    "front_settings",
    "installation",
    "make_app",
    "make_front",
    "people",
    "signal_id",
    "template",
]
