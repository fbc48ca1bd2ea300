"""An outbox on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from notifications.models import Base
from signals.db import make_engine, session_factory
from tests.support.outbox import Outbox


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outbox]:
    on_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'outbox.db'}" if on_file else str(request.getfixturevalue("postgres_url"))
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    yield Outbox(url, engine, session_factory(engine))
    engine.dispose()
