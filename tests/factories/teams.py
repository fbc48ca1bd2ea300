"""Make the rows of a team: areas, days near the limit, and absences."""

import factory

from signals.models import Absence, AreaDay, Connection, CoverageArea
from signals.models.connection import SystemKind
from tests.factories.base import EPOCH_DAY, RowFactory, numbered_id


class CoverageAreaFactory(RowFactory):
    """A municipality that a team covers; `organisation_id` and `area` must be given."""

    class Meta:
        model = CoverageArea

    id = factory.Sequence(lambda n: numbered_id(0xC0, n))
    level = "municipality"
    valid_from = EPOCH_DAY.replace(year=2025)


class AreaDayFactory(RowFactory):
    """A day near the limit of a team; `organisation_id` and `day` must be given."""

    class Meta:
        model = AreaDay

    id = factory.Sequence(lambda n: numbered_id(0xDA, n))
    notified_percent = 80


class AbsenceFactory(RowFactory):
    """One day without a stand-in; `organisation_id` and `staff_member_id` must be given."""

    class Meta:
        model = Absence

    id = factory.Sequence(lambda n: numbered_id(0xAB, n))
    away_from = EPOCH_DAY
    away_until = EPOCH_DAY


class ConnectionFactory(RowFactory):
    """A webhook of a team; `organisation_id` must be given."""

    class Meta:
        model = Connection

    id = factory.Sequence(lambda n: numbered_id(0xCE, n))
    kind = SystemKind.WEBHOOK
    settings = factory.LazyFunction(lambda: {"url": "https://hooks.example.org/events"})
    connected_on = EPOCH_DAY
