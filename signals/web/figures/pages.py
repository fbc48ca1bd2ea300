"""Pages of released figures: the main question, every release, the method."""

from collections.abc import Sequence

from flask import Blueprint, Response, render_template
from flask_babel import gettext

from signals.errors import NotFound
from signals.statistics.connected import connected
from signals.statistics.exports import LICENCES
from signals.statistics.menu import BUDGET, PeriodKind, kind_of, menu
from signals.statistics.periods import last_day_of
from signals.web.figures import report, tables, words
from signals.web.figures.answer import PDF, kept
from signals.web.figures.context import figures
from signals.web.figures.figure import Figure
from signals.web.figures.library import Library, Release, library
from signals.web.figures.sharing import READERS, for_readers, not_found, share_with
from signals.web.figures.summary import in_short

figure_pages = Blueprint("figures", __name__, url_prefix="/figures")
share_with(figure_pages)
figure_pages.register_error_handler(NotFound, not_found)

AUTHENTICATION = "cookie"
"""Every view here asks for this, unless figures are public."""


@figure_pages.get("")
@for_readers("cookie", *READERS)
def overview() -> str:
    """Show what follow-up reaches people: each table in the fewest newest years that say enough."""
    with library() as found:
        if not found.quarters:
            return render_template("figures/empty.html")
        shown, findings = found.kept(("overview", words.language()), lambda: _overview(found))
        return render_template(
            "figures/overview.html",
            shown=[*shown, _connected(found)],
            findings=findings,
            quarter=found.quarters[-1],
            year=found.years[-1] if found.years else None,
        )


@figure_pages.get("/releases")
@for_readers("cookie", *READERS)
def releases() -> str:
    """List all releases."""
    with library() as found:
        return render_template("figures/releases.html", releases=found.releases)


@figure_pages.get("/releases/<period>")
@for_readers("cookie", *READERS)
def release(period: str) -> str:
    """Show the figures of one release, or of pooled years."""
    with library() as found:
        wanted = Release(period=period, tables=found.tables(period))
        made_from = ("release", period, words.language())
        shown = found.kept(made_from, lambda: report.figures_of(found, period))
    return render_template(
        "figures/release.html", release=wanted, shown=shown, is_year=kind_of(period) is PeriodKind.YEAR
    )


@figure_pages.get("/releases/<period>/report.pdf")
@for_readers("cookie", *READERS)
def yearly_report(period: str) -> Response:
    """Give the report of a year, or of pooled years, as PDF."""
    with library() as found:
        made_from = ("report", period, words.language())
        content = found.kept(made_from, lambda: report.report_pdf(found, period))
    return kept(content, PDF, name=f"signals-{period}-{words.language()}.pdf")


@figure_pages.get("/method")
@for_readers("cookie", *READERS)
def method() -> str:
    """Tell how the figures are made, in plain words, and where the data are."""
    licence = figures().settings.figures.licence
    with library() as found:
        any_released = bool(found.quarters)
    return render_template(
        "figures/method.html",
        licence=licence,
        licence_url=LICENCES[licence],
        budget=BUDGET,
        menu=menu(),
        any_released=any_released,
    )


def _overview(found: Library) -> tuple[list[Figure], list[str]]:
    """Return the figures and the findings of the newest releases; at least one quarter is released."""
    if not found.years:
        return [tables.received(found)], [gettext("What reaches people is released once a year is over.")]
    shown = [tables.yearly(found, code, found.telling_period(code)) for code in tables.YEARLY]
    return [*shown, tables.received(found)], in_short(found, found.telling_period("attempts"))


def _connected(found: Library) -> Figure:
    """Return the connected municipalities; they change with coverage, not with a release."""
    routing = figures().router.snapshot()
    quarters: Sequence[str] = found.quarters[-tables.QUARTERS :]
    counted = found.kept(
        ("connected", routing.version),
        lambda: [(one, connected(routing.table, last_day_of(one))) for one in quarters],
    )
    return tables.connected(counted)
