"""Database and keystore restored to one moment from a write-ahead archive: what was deleted stays deleted."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from privacy.keystore import KeyGone
from signals.keys.opening import KeysUnusable
from signals.settings import DatabaseSettings, KeystoreSettings
from signals.vocabulary import DeletionReason, ProcessRole
from tests.support.archive import Archived, Restored
from tests.support.backups import NIGHT, Site, at, house
from tests.support.fences import OWNER, worker_of
from tests.support.postgres import DURABLE
from tests.support.standby import PRIMARY, dies

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.parametrize("site", ["postgresql"], indirect=True),
]


MOMENT = "%Y-%m-%dT%H:%M:%S%z"


@pytest.fixture
def postgres_server() -> Iterator[Archived]:
    """A server with database and keystore, which will die."""
    with Archived(settings={**DURABLE, **PRIMARY}) as server:
        yield server


def test_a_restore_to_one_moment_forgets_again_what_was_deleted_after_it(
    site: Site, postgres_server: Archived
) -> None:
    world = site.world
    with postgres_server.archiving():
        for number in (1, 2):
            world.receive(number, house(number))
        worker_of(world).arrive()
        moment = postgres_server.execute("SELECT clock_timestamp()")
        signals = world.addresses()
        gone, kept = signals[house(1)], signals[house(2)]
        worker_of(world).retention().purge_now(world.clock, [gone.id], DeletionReason.ERASURE)
        world.receive(3, house(3))
        site.back_up(NIGHT, "--journal")
        postgres_server.wait_for_the_archive()
        world.close()
        dies(postgres_server)
        with Restored(postgres_server.archive, moment) as server:
            _move_to(site, server)
            site.speak_as(OWNER)
            adopted = at(NIGHT, "restore", "--moment", NIGHT.strftime(MOMENT))
            assert adopted.exit_code == 0, adopted.output
            with pytest.raises(KeysUnusable, match="a restore is not finished"):
                site.world.app(ProcessRole.DESK)
            assert site.world.keystore.case_key(gone.case_key_id), "the archive alone does bring it back"
            site.command("retention", "replay", *map(str, site.copies("journal")))
            with pytest.raises(KeyGone):
                site.world.keystore.case_key(gone.case_key_id)
            assert set(site.world.addresses()) == {house(2)}
            assert site.world.keystore.case_key(kept.case_key_id)
            assert site.world.sealed() == []
            site.world.close()


def _move_to(site: Site, server: Restored) -> None:
    """Let the settings name the same two databases on another server."""
    settings, old = site.world.settings, site.server.socket_folder
    urls = [
        url.replace(str(old), str(server.socket_folder))
        for url in (settings.database.url, settings.keystore.url)
    ]
    database = DatabaseSettings(url=urls[0])
    keystore = KeystoreSettings(url=urls[1], master_key_file=settings.keystore.master_key_file)
    site.world.settings = replace(settings, database=database, keystore=keystore)
    site.reopen()
