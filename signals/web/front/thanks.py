"""The sentence that thanks carriers with a number; without a database or a release there is none."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from signals.clock import Clock
from signals.statistics.thanks import Reached, reached_in_newest_year
from signals.web.http.i18n import language
from signals.web.labels import reached

_KEPT: Final = timedelta(hours=1)
"""A number changes once a year, and the form must not wait for the database."""

log = get_logger(__name__)


@dataclass
class Thanks:
    """The number of the newest release, asked at most once an hour."""

    sessions: sessionmaker[Session] = field(repr=False)
    clock: Clock
    _found: Reached | None = None
    _ask_at: datetime | None = None

    def sentence(self) -> str:
        """Return the sentence in the language of the page, or nothing."""
        now = self.clock.now()
        if self._ask_at is None or now >= self._ask_at:
            self._found, self._ask_at = self._ask(), now + _KEPT
        return reached(self._found.year, self._found.people, language()) if self._found else ""

    def _ask(self) -> Reached | None:
        try:
            with self.sessions() as session:
                return reached_in_newest_year(session)
        except SQLAlchemyError:
            log.warning("front.no_thanks")
            return self._found
