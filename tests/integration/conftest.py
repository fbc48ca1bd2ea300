"""Parts that work together, on both databases."""

from tests.support.fences import fenced_database, fenced_world
from tests.support.world_fixtures import (
    catalogues,
    database_url,
    postgres_template,
    postgres_world,
    postgres_world_url,
    sqlite_world,
    template,
    world,
)

__all__ = [
    "catalogues",
    "database_url",
    "fenced_database",
    "fenced_world",
    "postgres_template",
    "postgres_world",
    "postgres_world_url",
    "sqlite_world",
    "template",
    "world",
]
