"""A lead's working figures of the own team: live and exact, for the desk only."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, render_template
from flask_babel import gettext
from markupsafe import Markup

from signals.statistics.own_figures import OwnFigures, Tried, own_figures
from signals.vocabulary import Outcome, Role, SignalState
from signals.web.figures import charts, words
from signals.web.figures.charts import Bar
from signals.web.figures.svg import Frame
from signals.web.staff_kit import account_shared
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import reading_operation

own_figures_pages = Blueprint("own_figures", __name__, url_prefix="/desk")
account_shared.share_with(own_figures_pages)

AUTHENTICATION = "cookie"
"""Every view here asks for this."""

QUARTERS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Reached:
    """The share of tried signals that were reached, by one dimension: a chart and its lines."""

    key: str
    title: str
    head: str
    chart: Markup
    lines: Sequence[tuple[str, int, int]]


@own_figures_pages.get("/figures")
@requires_page(Role.LEAD)
def page() -> str:
    """Show the signals that are open, came in, were tried and concluded, as far as the team keeps them."""
    with reading_operation() as operation:
        found = own_figures(operation)
    return render_template(
        "figures/own.html",
        found=found,
        open=[(state, found.open.by_state[state]) for state in SignalState if state in found.open.by_state],
        received=found.received[:QUARTERS],
        concluded=found.concluded[:QUARTERS],
        outcomes=_outcomes(found),
        reached=[
            _reached(found.tried, "number", gettext("Trying more often")),
            _reached(found.tried, "kinds", gettext("Trying in other ways")),
        ],
        words=words,
    )


def _outcomes(found: OwnFigures) -> list[tuple[str, list[int]]]:
    """Return (words, number in each shown quarter) for every outcome that occurs."""
    shown = found.concluded[:QUARTERS]
    occurring = {outcome for quarter in shown for outcome in quarter.outcomes}
    return [
        (words.member("outcome", code), [quarter.outcomes.get(code, 0) for quarter in shown])
        for code in Outcome
        if code in occurring
    ]


def _reached(tried: Iterable[Tried], dimension: str, title: str) -> Reached:
    signals: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for one in tried:
        code = one.number if dimension == "number" else one.kinds
        signals[code] += one.signals
        hits[code] += one.reached
    lines = [
        (words.member(dimension, code), signals[code], hits[code])
        for code in words.members(dimension)
        if signals[code] and code not in ("none", "0")
    ]
    bars = [
        Bar(
            label=label,
            value=reached / whole,
            shown=gettext("%(part)d of %(whole)d", part=reached, whole=whole),
        )
        for label, whole, reached in lines
    ]
    said = "; ".join(f"{bar.label}: {bar.shown}" for bar in bars)
    frame = Frame(key=f"own-{dimension}-chart", title=title, description=f"{said}.")
    return Reached(
        key=f"own-{dimension}",
        title=title,
        head=words.dimension(dimension),
        chart=charts.bars(frame, bars, most=1.0),
        lines=lines,
    )
