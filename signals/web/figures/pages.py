"""Pages of released figures: the main question, areas, every release with its tables, the method."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from privacy.disclosure.tables import QUARTER, YEAR, read_period
from signals.errors import NotFound
from signals.statistics import ReleasedTable
from signals.statistics.exports import csv_name, table_as_csv
from signals.statistics.old_menu import is_division
from signals.statistics.releases import protocol_in
from signals.web.figures import areas, municipalities, parts, report, story, trends, words
from signals.web.figures.access import for_readers
from signals.web.figures.answer import CSV, PDF, kept
from signals.web.figures.context import figures
from signals.web.figures.figure import Figure
from signals.web.figures.library import Library, library
from signals.web.figures.sharing import READERS, not_found, share_with
from signals.web.figures.whole_table import checked, whole_table

figure_pages = Blueprint("figures", __name__, url_prefix="/figures")
share_with(figure_pages)
figure_pages.register_error_handler(NotFound, not_found)

AUTHENTICATION = "cookie"
"""Every view here asks for this, unless figures are public."""

LICENCE_URLS: Final[Mapping[str, str]] = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


@figure_pages.get("")
@for_readers("cookie", *READERS)
def overview() -> str:
    """Show what follow-up reaches people, in the newest releases."""
    with library() as found:
        newest = next(found.periods("follow_up", QUARTER), None)
        if newest is None:
            return render_template("figures/empty.html")
        shown, findings = found.kept(("overview", words.language()), lambda: _overview(found))
        return render_template(
            "figures/overview.html", shown=shown, findings=findings, newest=found.release(newest)
        )


@figure_pages.get("/regions")
@for_readers("cookie", *READERS)
def by_region() -> str:
    """Show the regions on a map, and one of them beside the country."""
    chosen = request.args.get("region", "")
    if chosen and chosen not in dict(areas.regions()):
        raise NotFound
    with library() as found:
        followed = found.newest("regions_follow_up", YEAR)
        received = found.newest("regions_received", YEAR)
        newest, coming = municipalities.newest_window(found), municipalities.coming_window(found)
    if followed is None or received is None:
        return render_template("figures/empty.html", yearly=True)
    shown = [areas.beside_country(followed, chosen)] if chosen else []
    shown += [areas.reached_map(followed), areas.received_map(received)]
    return render_template(
        "figures/regions.html",
        shown=shown,
        regions=areas.regions(),
        chosen=chosen,
        newest=newest,
        coming=coming,
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
    """Show one release: its tables, and the protocol of the audit before it."""
    with library() as found:
        wanted = found.release(period)
        tables = [found.table(period, one.name) for one in wanted.tables]
    written_in, protocol = protocol_in(words.language(), tables[0].protocol)
    return render_template(
        "figures/release.html",
        release=wanted,
        written_in=written_in,
        protocol=protocol,
        checked=checked(tables),
        is_quarter=read_period(period).kind == QUARTER,
    )


@figure_pages.get("/releases/<period>/<table>")
@for_readers("cookie", *READERS)
def table(period: str, table: str) -> str:
    """Show a whole table of a release, with its charts."""
    with library() as found:
        wanted = found.table(period, table)
        if is_division(table):
            return _municipalities(wanted, found.table(period, municipalities.REGIONS))
    return render_template(
        "figures/table.html",
        table=wanted,
        shown=_charts_of(wanted),
        whole=whole_table(wanted),
        withheld=parts.withheld(),
    )


@figure_pages.get("/releases/<period>/<table>.csv")
@for_readers("cookie", *READERS)
def table_csv(period: str, table: str) -> Response:
    """Give a whole table as CSV: a hidden cell is `<10`."""
    with library() as found:
        wanted = found.table(period, table)
    return kept(table_as_csv(wanted), CSV, name=csv_name(wanted))


@figure_pages.get("/releases/<period>/report.pdf")
@for_readers("cookie", *READERS)
def quarterly_report(period: str) -> Response:
    """Give the report of a quarter as PDF."""
    with library() as found:
        made_from = ("report", period, words.language())
        content = found.kept(made_from, lambda: report.report_pdf(found, period))
    return kept(content, PDF, name=f"signals-{period}-{words.language()}.pdf")


@figure_pages.get("/method")
@for_readers("cookie", *READERS)
def method() -> str:
    """Explain how figures are made, and how others may use them."""
    with library() as found:
        first = found.releases[0] if found.releases else None
    licence = figures().settings.figures.licence
    return render_template(
        "figures/method.html",
        first=first,
        licence=licence,
        licence_url=LICENCE_URLS[licence],
        reliability=parts.reliability(),
    )


def _municipalities(wanted: ReleasedTable, regions: ReleasedTable) -> str:
    return render_template(
        "figures/municipalities.html",
        table=wanted,
        total=None if wanted.withheld else municipalities.whole_country(wanted),
        by_region=municipalities.by_region(wanted, regions),
        withheld=parts.withheld(),
        reliability=parts.reliability(),
    )


def _overview(found: Library) -> tuple[list[Figure], list[str]]:
    """Return the figures and the findings of the newest releases; at least one quarter is released."""
    attempts, regions = found.newest("attempts", YEAR), found.newest("regions_follow_up", YEAR)
    follow_up = found.newest_of("follow_up", QUARTER, trends.QUARTERS)
    newest = follow_up[-1]
    shown = [*_about_attempts(attempts), story.funnel(newest), trends.followed_up(follow_up)]
    shown += [trends.received(found.newest_of("intake", QUARTER, trends.QUARTERS))]
    shown += [trends.known_and_repeated(newest), story.outcomes(found.table(newest.period, "outcome_groups"))]
    shown += [areas.reached_map(regions)] if regions else []
    return shown, story.findings(attempts) if attempts else []


def _about_attempts(attempts: ReleasedTable | None) -> list[Figure]:
    if attempts is None:
        about = gettext("Share of the residents who were reached, by the number and the kind of attempts.")
        return [parts.missing(key="attempts", title=gettext("What reaches people"), about=about)]
    return [story.by_number(attempts), story.by_kind(attempts), story.kind_by_number(attempts)]


def _charts_of(wanted: ReleasedTable) -> list[Figure]:
    made: Sequence[Callable[[ReleasedTable], Figure]] = _CHARTS.get(wanted.schema.name, ())
    return [make(wanted) for make in made]


_CHARTS: Final[Mapping[str, Sequence[Callable[[ReleasedTable], Figure]]]] = {
    "intake": (story.noticed,),
    "follow_up": (story.funnel, trends.known_and_repeated),
    "outcome_groups": (story.outcomes,),
    "attempts": (story.by_number, story.by_kind, story.kind_by_number),
    "regions_received": (areas.received_map,),
    "regions_follow_up": (areas.reached_map,),
}
