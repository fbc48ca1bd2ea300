"""Strike all processes of a run of kills at once: by a silent, full or lost database."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from signals.db import make_engine
from signals.settings import DatabaseSettings, LimitsSettings, ServerSettings
from tests.support.kill_run import Fault, KillRun
from tests.support.postgres import SUPERUSER, PostgresServer
from tests.support.standby import (
    PRIMARY,
    Standby,
    dies,
    several,
    until_it_follows,
    wait_for_the_standby,
)
from tests.support.swallowing import SwallowingProxy, swallowing
from tests.support.world import World, fill_another, make_world

STRUCK_SECONDS = 20
"""How long a database stays silent, and a disk full."""
BEHIND_SECONDS = 1
DISK_SIZE = "1g"
UNLIMITED = LimitsSettings(
    open_reports_per_area_and_day=100_000,
    unproven_reports_per_area_and_day=100_000,
    unproven_reports_per_area_and_hour=100_000,
)
PAIRS = ServerSettings(processes=2)
_NAME = "signals"


@contextmanager
def small_disk() -> Iterator[Path]:
    """Mount a disk in memory that can be filled; without the right to mount, give a plain folder."""
    with tempfile.TemporaryDirectory(prefix="soak-", dir="/tmp") as folder:
        options = f"size={DISK_SIZE},mode=755"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False)
        try:
            yield Path(folder)
        finally:
            if mounted.returncode == 0:
                subprocess.run(["umount", folder], check=True)


@contextmanager
def struck_sqlite(template: Path) -> Iterator[tuple[World, list[Fault]]]:
    """Make a world whose disk becomes full."""
    with small_disk() as disk:
        folder = disk / "world"
        folder.mkdir()
        with closing(make_world(template, folder)) as world:
            world.settings = replace(world.settings, limits=UNLIMITED, server=PAIRS)
            yield world, _full_disk(disk, after=0.5)


@contextmanager
def struck_postgresql(template: Path) -> Iterator[tuple[World, list[Fault]]]:
    """Make a world whose database falls silent, whose disk becomes full, and whose primary dies."""
    with small_disk() as disk, ExitStack() as stack:
        primary = stack.enter_context(PostgresServer(durable=True, settings=PRIMARY, root=disk))
        engine = make_engine(primary.create_database(_NAME))
        fill_another(engine, template)
        engine.dispose()
        standby = Standby(primary, settings=PRIMARY)
        stack.enter_context(standby)
        wait_for_the_standby(primary)
        until_it_follows(primary)
        (disk / "world").mkdir()
        world = make_world(template, disk / "world", several(primary, standby, database=_NAME))
        stack.callback(world.close)
        struck = _Struck(
            disk=disk,
            primary=primary,
            standby=standby,
            proxies=[stack.enter_context(swallowing(server.url(_NAME))) for server in (primary, standby)],
        )
        database = DatabaseSettings(url=struck.url)
        world.settings = replace(world.settings, limits=UNLIMITED, server=PAIRS, database=database)
        yield world, struck.faults()


@dataclass(frozen=True, kw_only=True)
class _Struck:
    """A primary on a small disk and its standby, each behind a proxy."""

    disk: Path
    primary: PostgresServer
    standby: Standby
    proxies: list[SwallowingProxy]

    @property
    def url(self) -> str:
        hosts = "&".join(f"host={proxy.address}" for proxy in self.proxies)
        return f"postgresql+psycopg://{SUPERUSER}@/{_NAME}?{hosts}&target_session_attrs=read-write"

    def faults(self) -> list[Fault]:
        return [
            Fault(name="silence", after=0.2, strike=self._fall_silent),
            *_full_disk(self.disk, after=0.4, mend=self.primary.come_back),
            Fault(name="connections forgotten", after=0.6, strike=self._forget),
            Fault(name="promoted standby", after=0.8, strike=self._promote),
        ]

    def _fall_silent(self, run: KillRun) -> None:
        for proxy in self.proxies:
            proxy.swallows.set()
        time.sleep(STRUCK_SECONDS)
        for proxy in self.proxies:
            proxy.swallows.clear()
        run.come_back()

    def _forget(self, run: KillRun) -> None:
        for proxy in self.proxies:
            proxy.forget()
        run.come_back()

    def _promote(self, run: KillRun) -> None:
        with self.standby.falling_behind():
            time.sleep(BEHIND_SECONDS)
            dies(self.primary)
        self.standby.promote()
        run.come_back()


def _full_disk(disk: Path, *, after: float, mend: Callable[[], object] = lambda: None) -> list[Fault]:
    """Return the fault of a disk that is full for a while; none where nothing was mounted."""

    def strike(run: KillRun) -> None:
        with _full(disk):
            time.sleep(STRUCK_SECONDS)
        mend()
        run.come_back()

    return [Fault(name="full disk", after=after, strike=strike)] if disk.is_mount() else []


@contextmanager
def _full(disk: Path) -> Iterator[None]:
    """Fill a disk to the last byte for the length of the block."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))
    yield
    ballast.unlink()
