"""Pages of comparisons: each is its own registration, and shows its result when that is released."""

from collections.abc import Sequence
from fractions import Fraction

from flask import Blueprint, render_template
from flask_babel import gettext
from sqlalchemy.orm import Session

from signals.comparisons.plan import EPSILON, FOLLOWED_DAYS, plan_of
from signals.comparisons.register import comparisons, is_intact
from signals.errors import NotFound
from signals.models import Comparison, Publication
from signals.statistics.comparing import arms_of, differences_of, result_due_on
from signals.statistics.intervals import Interval
from signals.statistics.menu import COMPARISON
from signals.statistics.publications import ReleasedTable, read_table
from signals.vocabulary import Role
from signals.web.figures import words
from signals.web.figures.figure import Cell, Grid, Row
from signals.web.figures.library import library
from signals.web.figures.sharing import READERS, for_readers, not_found, share_with
from signals.web.labels import label

comparison_pages = Blueprint("comparisons", __name__, url_prefix="/figures/comparisons")
share_with(comparison_pages)
comparison_pages.register_error_handler(NotFound, not_found)

AUTHENTICATION = "cookie"
"""Every view here asks for this, unless figures are public."""


@comparison_pages.get("")
@for_readers("cookie", *READERS)
def overview() -> str:
    """List all comparisons."""
    with library() as found:
        shown = [(each, plan_of(each.registration)) for each in comparisons(found.session)]
        return render_template("figures/comparisons.html", shown=shown, coordinator=Role.COORDINATOR)


@comparison_pages.get("/<code>")
@for_readers("cookie", *READERS)
def one(code: str) -> str:
    """Show a registration, and the result once it is released; nothing of it before."""
    with library() as found:
        comparison = found.session.get(Comparison, code)
        if comparison is None:
            raise NotFound
        plan, table = plan_of(comparison.registration), _result(found.session, code)
        return render_template(
            "figures/comparison.html",
            comparison=comparison,
            plan=plan,
            arms=[label(arm, words.language()) for arm in plan.arms],
            due_on=result_due_on(comparison),
            intact=is_intact(comparison),
            epsilon=words.decimal(Fraction(EPSILON)),
            followed_days=FOLLOWED_DAYS,
            released_on=table.drawn_on if table else None,
            grid=_grid(table) if table else None,
            findings=_findings(table) if table else (),
        )


def _result(session: Session, code: str) -> ReleasedTable | None:
    row = session.get(Publication, (code, COMPARISON))
    return read_table(row) if row else None


def _grid(table: ReleasedTable) -> Grid:
    heads = [gettext("Order"), gettext("Signals"), gettext("Contact"), gettext("Order kept")]
    rows = [
        Row(
            head=label(found.arm, words.language()),
            cells=[
                Cell(shown=words.number(found.signals.value), interval=words.numbers(found.signals)),
                *(
                    Cell(shown=words.percent(each.value), interval=words.percents(each))
                    for each in (found.contact, found.followed)
                ),
            ],
        )
        for found in arms_of(table)
    ]
    return Grid(caption=gettext("What was drawn, and what it led to"), heads=heads, rows=rows)


def _findings(table: ReleasedTable) -> Sequence[str]:
    return [
        _finding(label(one, words.language()), label(other, words.language()), found)
        for (one, other), found in differences_of(table).items()
    ]


def _finding(one: str, other: str, found: Interval) -> str:
    """Return the difference of two orders in words; one that may be chance is called so."""
    said = {"one": one, "other": other.lower()}
    said |= {"points": words.signed(found.value), "range": words.signed_range(found)}
    if found.low <= 0 <= found.high:
        text = gettext(
            "%(one)s against %(other)s: the difference in contact is %(points)s points (%(range)s). "
            "That can be chance.",
            **said,
        )
    else:
        text = gettext(
            "%(one)s against %(other)s: the difference in contact is %(points)s points (%(range)s).", **said
        )
    return str(text)
