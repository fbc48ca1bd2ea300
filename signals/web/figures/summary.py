"""Say in short which share was reached, and which differences chance and noise do not explain."""

from math import floor, log10

from flask_babel import gettext

from signals.statistics.estimates import whole_split
from signals.statistics.findings import Contrast, Need, attempts_apart, attempts_need
from signals.statistics.intervals import WIDEST, Interval, share
from signals.vocabulary import AttemptKind
from signals.web.figures import words
from signals.web.figures.library import Library
from signals.web.figures.tables import names

_MOST = 3


def in_short(library: Library, period: str) -> list[str]:
    """Return sentences about a year or pooled years: first the whole, then at most three differences."""
    said = [_whole(share(whole_split(library.lines(period, "regions"))), words.period(period))]
    lines = library.lines(period, "attempts")
    apart = attempts_apart(lines)
    if apart:
        return said + [_stated(each) for each in apart[:_MOST]]
    need = attempts_need(lines)
    return said + ([_needed(need)] if need else [])


def _whole(found: Interval, period: str) -> str:
    if found.width > WIDEST:
        unsaid = gettext("Which share of the signals of %(period)s led to contact cannot be said yet.")
        return str(unsaid % {"period": period})
    return str(
        gettext(
            "In %(period)s, %(share)s of the concluded signals led to contact (%(interval)s).",
            period=period,
            share=words.percent(found.value),
            interval=words.percents(found),
        )
    )


def _stated(found: Contrast) -> str:
    attempt, kind = names(found.codes)
    visit = words.member("kind", AttemptKind.VISIT)
    both = sorted([(found.one.value, visit), (found.other.value, kind)])
    (little, less), (much, more) = both
    return str(
        gettext(
            "%(attempt)s: %(more)s leads to contact more often (%(much)s) than %(less)s (%(little)s). The "
            "difference is %(points)s percentage points.",
            attempt=attempt,
            more=more.lower(),
            much=words.percent(much),
            less=less.lower(),
            little=words.percent(little),
            points=words.points(found.difference),
        )
    )


def _needed(need: Need) -> str:
    attempt, kind = names(need.codes)
    return str(
        gettext(
            "Which kind of attempt reaches more people cannot be said yet. About %(signals)s further signals "
            "are needed to show a difference of %(points)s percentage points between a visit and %(kind)s at "
            "the %(attempt)s.",
            signals=words.number(_rounded(need.signals)),
            points=words.number(100 * need.least),
            kind=kind.lower(),
            attempt=attempt.lower(),
        )
    )


def _rounded(signals: float) -> float:
    """Return a number in one digit, upwards: it is a rough guess."""
    power = 10.0 ** max(floor(log10(max(signals, 1))), 1)
    return power * (floor(signals / power) + 1)
