"""The alarm of a full day for lead and administrator: a link, and one press that lets reports in again."""

from dataclasses import replace

import pytest

from signals.db import session_factory
from signals.models import AreaDay
from signals.models.area_day import MOST_RAISES
from signals.settings import LimitsSettings, Settings
from tests.browser.desk import SIZES, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.support.limits import near_the_limit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIMIT = 2
THUMB = 48


@pytest.fixture
def desk_settings(desk_settings: Settings) -> Settings:
    """Carriers reach it too, and the second report of a day fills it."""
    return replace(desk_settings, limits=LimitsSettings(open_reports_per_area_and_day=LIMIT))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("who", ["lena", "bea"])
def test_every_state_is_for_everybody(site: Site, window: OpenWindow, who: str, size: str) -> None:
    near = near_the_limit(site.desk)
    one = window(who, size=SIZES[size])
    for told, done in ((80, 0), (100, 0), (0, 1), (100, MOST_RAISES)):
        with session_factory(site.desk.engine).begin() as session:
            row = session.get_one(AreaDay, near)
            row.notified_percent, row.raises = told, done
        page = one.open(f"/desk/limits/{near}?done=raised")
        assert one.axe() == []
        assert one.wider_than_the_screen() == []
        assert page.locator("main form button").count() == (done < MOST_RAISES)
        heights = [
            box["height"] for one_ in page.locator("main button").all() if (box := one_.bounding_box())
        ]
        assert all(height >= THUMB for height in heights)
