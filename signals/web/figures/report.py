"""The quarterly report as PDF/UA: the figures of a quarter with their tables and notes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from flask_babel import gettext

from privacy.disclosure.tables import QUARTER, YEAR, read_period
from signals.errors import NotFound
from signals.statistics import ReleasedTable
from signals.web.figures import areas, parts, story, trends, words
from signals.web.figures.figure import Figure, Grid
from signals.web.figures.library import Library
from signals.web.pdf import compile_pdf

_FEW: Final = 4  # columns
_TEMPLATE: Final = Path(__file__).parents[1] / "templates" / "figures" / "report.typ"


def report_pdf(library: Library, period: str) -> bytes:
    """Return the report of a released quarter; raise `NotFound` for any other period."""
    release = library.release(period)
    if read_period(period).kind != QUARTER:
        raise NotFound
    title = gettext("Follow-up of signals: %(period)s", period=words.period(period))
    lead = gettext("Released on %(day)s.", day=words.day(release.released_on))
    year = _year_before(library, period)
    attempts = None if year is None else library.table(year, "attempts")
    data = {
        "title": title,
        "author": gettext("Figures of the signals"),
        "language": words.language(),
        "lead": [lead, gettext("The question: what follow-up reaches people?")],
        "findings_title": gettext("In short"),
        "findings": story.findings(attempts) if attempts else [],
        "figures": [_plain(one) for one in _figures(library, period, attempts)],
        "method_title": gettext("How reliable is this?"),
        "method": parts.reliability(),
    }
    return compile_pdf(_TEMPLATE, data)


def _figures(library: Library, period: str, attempts: ReleasedTable | None) -> Iterator[Figure]:
    """Yield the figures in order: the attempts of a year, the quarters up to `period`, the regions."""
    if attempts is not None:
        yield story.by_number(attempts)
        yield story.by_kind(attempts)
    follow_up = _until(library, "follow_up", period)
    yield story.funnel(follow_up[-1])
    yield trends.followed_up(follow_up)
    yield trends.received(_until(library, "intake", period))
    yield trends.known_and_repeated(follow_up[-1])
    yield story.outcomes(library.table(period, "outcome_groups"))
    yield story.noticed(library.table(period, "intake"))
    if attempts is not None:
        yield areas.reached_map(library.table(attempts.period, "regions_follow_up"))


def _until(library: Library, name: str, period: str) -> list[ReleasedTable]:
    earlier = [one for one in library.periods(name, QUARTER) if one <= period][: trends.QUARTERS]
    return [library.table(one, name) for one in reversed(earlier)]


def _year_before(library: Library, period: str) -> str | None:
    """Return the newest released year that ends with this quarter or before."""
    return next((one for one in library.periods("attempts", YEAR) if f"{one}-Q4" <= period), None)


def _plain(one: Figure) -> dict[str, Any]:
    general = set(parts.reliability())
    return {
        "title": one.title,
        "about": one.about,
        "missing": one.missing,
        "chart": str(one.chart or ""),
        "alt": f"{one.title}. {one.about}",
        "caption": one.grid.caption if one.grid else "",
        "heads": list(one.grid.heads) if one.grid else [],
        "rows": _rows(one.grid) if one.grid else [],
        "reliability": [
            *([parts.hatched()] if one.grid and one.grid.hides else []),
            *(sentence for sentence in one.reliability if sentence not in general),
        ],
    }


def _rows(grid: Grid) -> list[list[str]]:
    """Return rows with the range of a share behind it, or below it when there are many columns."""
    between = "\n" if len(grid.heads) > _FEW else " "
    return [
        [row.head, *((cell or gettext("hidden")).replace("\n", between) for cell in row.cells)]
        for row in grid.rows
    ]
