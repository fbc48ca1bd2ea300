"""The own figures of a lead's organisation: what is open, and one page and one PDF a year."""

import json
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, render_template
from flask_babel import gettext

from signals.comparisons.plan import plan_of
from signals.comparisons.register import open_ones
from signals.models import Organisation, OrganisationYear
from signals.statistics.own_figures import own_figures
from signals.vocabulary import Role, SignalState
from signals.web.figures import words
from signals.web.pdf import compile_pdf
from signals.web.staff_kit import account_shared
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import reading_operation

own_figures_pages = Blueprint("own_figures", __name__, url_prefix="/desk")
account_shared.share_with(own_figures_pages)

AUTHENTICATION = "cookie"

_TEMPLATE: Final = Path(__file__).parents[1] / "templates" / "figures" / "own.typ"


@own_figures_pages.get("/figures")
@requires_page(Role.LEAD)
def page() -> str:
    """Show the open signals, and the totals of each year that is over."""
    with reading_operation() as operation:
        found, comparisons = own_figures(operation), open_ones(operation)
    return render_template(
        "figures/own.html",
        comparisons=[(each.code, plan_of(each.registration), mine) for each, mine in comparisons],
        found=found,
        open=[(state, found.open.by_state[state]) for state in SignalState if state in found.open.by_state],
        years=[(each.year, _lines(each)) for each in found.years],
        advice=_advice(),
    )


@own_figures_pages.get("/figures/<year>.pdf")
@requires_page(Role.LEAD)
def year_pdf(year: str) -> Response:
    """Give the totals of one year as PDF; no resident is in it."""
    with reading_operation() as operation:
        found = own_figures(operation).year(year)
        organisation = operation.session.get_one(Organisation, operation.actor.organisation_id).name
    content = compile_pdf(
        _TEMPLATE,
        {
            "language": words.language(),
            "title": gettext("Signals of %(year)s", year=year),
            "organisation": organisation,
            "rows": [[label, words.number(number)] for label, number in _lines(found)],
            "advice_title": gettext("Do not publish these numbers"),
            "advice": _advice(),
        },
    )
    return Response(
        content,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="signals-{year}.pdf"',
            "Cache-Control": "no-store",
        },
    )


def _lines(found: OrganisationYear) -> list[tuple[str, int]]:
    """Return (words, number) of each total, the outcomes last and the most frequent of them first."""
    totals = [
        (gettext("Received"), found.received),
        (gettext("Concluded"), found.concluded),
        (gettext("Followed up in time"), found.in_time),
        (gettext("Reached"), found.reached),
    ]
    outcomes = sorted(json.loads(found.outcomes).items(), key=lambda outcome: -outcome[1])
    return totals + [(words.member("outcome", code), number) for code, number in outcomes if number]


def _advice() -> list[str]:
    return [
        gettext("These numbers are exact, and they are for your own accounts."),
        gettext(
            "The released figures of your region hold the signals of other organisations too, with noise. "
            "Somebody who has both can subtract yours. The noise then still protects the others. But your "
            "own small numbers have no noise, and can point at one resident."
        ),
    ]
