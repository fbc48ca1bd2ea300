"""A database that was restored to a day before a release: refused, or brought back as it was published."""

import json
import shutil
from contextlib import closing
from datetime import date
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from sqlalchemy import select

from privacy.disclosure.folder import DESCRIPTION, BrokenFolder, read_folder
from privacy.disclosure.verification import verified
from signals.models import CountedTable, StoredRelease
from signals.statistics import released_table
from signals.statistics.adopting import Adopted, adopt
from signals.statistics.counting import located_by
from signals.statistics.exports import datapackage, write_folder
from signals.statistics.releases import ReleaseRefused
from signals.statistics.releasing import Releasing
from tests.support.disclosure import Coins
from tests.support.figures import fact_rows, facts
from tests.support.world import World

Q1, Q2, Q3, Q4 = (f"2025-Q{number}" for number in range(1, 5))


class Service:
    """A service whose database can be set back, while its keystore and its published folder go on."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.published = folder / "published"
        self._backup = folder / "backup.db"

    def add(self, *quarters: str, number: int = 40) -> None:
        with self.world.sessions.begin() as session:
            for quarter in quarters:
                facts(session, [{"received_quarter": quarter, "concluded_quarter": quarter}] * number)

    @property
    def releasing(self) -> Releasing:
        world, locate = self.world, located_by(self.world.router())
        return Releasing(sessions=world.sessions, keys=world.keystore, locate=locate, chance=Coins())

    def release(self, *periods: str) -> None:
        for period in periods:
            assert self.releasing.release(self.world.clock, period=period).is_new

    def publish(self) -> None:
        with self.world.sessions() as session:
            write_folder(session, self.published, licence="CC0-1.0")

    def back_up(self) -> None:
        with (
            closing(connect(self.world.folder / "signals.db")) as here,
            closing(connect(self._backup)) as there,
        ):
            here.backup(there)

    def restore(self) -> None:
        self.world.engine.dispose()
        for left in self.world.folder.glob("signals.db-*"):
            left.unlink()
        shutil.copyfile(self._backup, self.world.folder / "signals.db")

    def adopt(self) -> tuple[Adopted, ...]:
        return adopt(self.releasing, self.world.clock, folder=self.published)

    def described(self) -> dict[str, Any]:
        with self.world.sessions() as session:
            return datapackage(session, licence="CC0-1.0")

    def intake(self, period: str) -> int | None:
        with self.world.sessions() as session:
            rows = released_table(session, period=period, table="intake").rows
        return next(value for keys, _measure, value in rows if keys == ("total",))

    def periods(self) -> set[str]:
        with self.world.sessions() as session:
            return set(session.scalars(select(StoredRelease.period)))


@pytest.fixture
def service(sqlite_world: World, tmp_path: Path) -> Service:
    """Two quarters are released and published, of which the backup has the first."""
    made = Service(sqlite_world, tmp_path)
    made.add(Q1, Q2, Q3, Q4)
    made.release(Q1)
    made.back_up()
    made.release(Q2)
    made.publish()
    return made


def test_a_period_that_the_database_lost_is_not_released_anew(service: Service) -> None:
    service.restore()
    with pytest.raises(ReleaseRefused, match="restored to a day before") as caught:
        service.release(Q2)
    assert f"release {Q2} --after FOLDER" in str(caught.value)
    assert service.releasing.release_due(service.world.clock, grace_days=35) == ()
    assert service.periods() == {Q1}


def test_a_lost_release_is_restored_to_the_last_cell(service: Service) -> None:
    before = service.described()
    service.restore()
    assert service.adopt() == (Adopted(period=Q2, recounted=True),)
    assert service.described() == before
    assert service.adopt() == ()


def test_later_releases_go_on_and_the_year_with_them(service: Service) -> None:
    service.restore()
    service.adopt()
    service.release(Q3, Q4, "2025")
    assert service.intake("2025") == 160
    assert {row.intake_counted for row in fact_rows(service.world)} == {Q1, Q2, Q3, Q4}
    service.publish()
    assert verified(read_folder(service.published)).ok


def test_a_quarter_that_was_counted_otherwise_keeps_what_was_published_and_has_no_year(
    service: Service,
) -> None:
    service.restore()
    service.add(Q2, number=30)
    assert service.adopt() == (Adopted(period=Q2, recounted=False),)
    assert service.intake(Q2) == 40
    service.release(Q3, Q4)
    assert service.intake(Q4) == 40  # and not with those that came twice
    with pytest.raises(ReleaseRefused, match=f"the counts of {Q2} were lost"):
        service.release("2025")
    with service.world.sessions() as session:
        assert set(session.scalars(select(CountedTable.quarter))) == {Q1, Q3, Q4}
    due = service.releasing.release_due(service.world.clock, grace_days=35)
    assert [one.period for one in due] == ["2026-Q1", "2026-Q2", "2026-Q3"]


def test_a_year_is_brought_back_with_its_quarters(service: Service) -> None:
    service.release(Q3, Q4, "2025")
    service.publish()
    before = service.described()
    service.restore()
    assert [one.period for one in service.adopt()] == [Q2, Q3, Q4, "2025"]
    assert service.described() == before


def test_a_folder_of_another_service_is_refused(service: Service) -> None:
    service.restore()
    table = service.published / f"{Q1}-intake.csv"
    table.write_text(table.read_text().replace("total,signals,40", "total,signals,45"))
    with pytest.raises(ReleaseRefused, match=f"intake of {Q1} was released otherwise here"):
        service.adopt()


def test_a_folder_with_a_gap_is_refused(service: Service) -> None:
    service.release(Q3)
    service.publish()
    service.restore()
    change(service, lambda described: drop(described, Q2))
    with pytest.raises(ReleaseRefused, match=f"has {Q3} and lacks {Q2}"):
        service.adopt()


def test_a_folder_that_lacks_a_table_is_refused(service: Service) -> None:
    service.restore()
    change(service, lambda described: described["resources"].pop())
    with pytest.raises(ReleaseRefused, match=f"the folder lacks tables of {Q2}"):
        service.adopt()


def test_a_folder_that_does_not_say_when_is_refused(service: Service) -> None:
    service.restore()
    change(service, lambda described: described.pop("releases"))
    with pytest.raises(BrokenFolder, match="releases"):
        service.adopt()
    assert service.periods() == {Q1}


def test_the_day_and_the_protocol_come_back_too(service: Service) -> None:
    released_on = service.world.clock.now().date()
    service.restore()
    service.world.clock.moment = service.world.clock.moment.replace(month=12)
    service.adopt()
    with service.world.sessions() as session:
        table = released_table(session, period=Q2, table="intake")
    assert (table.released_on, list(table.protocol)) == (date(2026, 11, 24), ["nl", "en"])
    assert released_on == date(2026, 11, 24)


def change(service: Service, how: Any) -> None:
    path = service.published / DESCRIPTION
    described = json.loads(path.read_text())
    how(described)
    path.write_text(json.dumps(described))


def drop(described: dict[str, Any], period: str) -> None:
    for name in ("releases", "resources"):
        described[name] = [one for one in described[name] if one["period"] != period]
