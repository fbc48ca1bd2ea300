"""An issuer at an address of its own, whose codes carriers' phones have."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from signals.app import open_issuer
from signals.clock import SystemClock, today
from signals.issuer.codes import add_code
from signals.issuer.service import Issuer
from signals.vocabulary import ProcessRole
from tests.browser.carrier import Service
from tests.support.serving import serving


@dataclass(kw_only=True)
class Depot:
    """An issuer at an address of its own."""

    issuer: Issuer
    name: str

    def code(self, phones: int = 40) -> str:
        with self.issuer.sessions.begin() as session:
            on = today(SystemClock())
            made = add_code(session, label="Depot", phones=phones, days=9, by="test", on=on)
            self.last = made.id
            return made.code


@pytest.fixture(scope="module")
def depot(running: Service) -> Iterator[Depot]:
    world = running.world
    with serving(world, role=ProcessRole.ISSUER) as served:
        url = f"http://127.0.0.1:{served.port}"
        server = replace(world.settings.server, public_url=url)
        issuer = open_issuer(replace(world.settings, server=server))
        issuer.keep()
        world.settings.front.issuers_file.write_text(json.dumps({url: issuer.directory()}))
        yield Depot(issuer=issuer, name=issuer.name)
        issuer.engine.dispose()
