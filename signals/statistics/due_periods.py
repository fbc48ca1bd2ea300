"""The order of releases: the next period, and the reasons to refuse one."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from privacy.disclosure.tables import QUARTER, WINDOW, YEAR, Period, read_period
from privacy.pseudonyms import quarter_of
from signals.models import CountedTable, SealedReport, Signal, SignalFact, StoredRelease
from signals.statistics.counting import first_day_after, last_day_of, quarter_after
from signals.statistics.old_menu import WINDOW_YEARS, window_from
from signals.statistics.releases import ReleaseRefused


def next_due(session: Session, on: date, *, besides: Collection[str] = ()) -> str | None:
    """Return the next period to release that was over before a date; None when there is none.

    `besides` names refused years. A year without the counts of one of its quarters is not due either.
    """
    released_periods = set(session.scalars(select(StoredRelease.period)))
    counted = counted_quarters(session)
    for period in _completed(released_periods):
        is_counted = counted >= set(quarters_of(read_period(period)))
        if is_counted and period not in released_periods and period not in besides:
            return period
    quarter = next_quarter(session)
    return quarter if quarter is not None and last_day_of(quarter) < on else None


def next_quarter(session: Session) -> str | None:
    """Return the quarter after the last release, or the first with a signal; None without any."""
    quarters = [p for p in session.scalars(select(StoredRelease.period)) if read_period(p).kind == QUARTER]
    if quarters:
        return quarter_after(max(quarters))
    counted = session.scalar(select(func.min(CountedTable.quarter)))
    if counted is not None:
        return str(counted)
    fact = session.scalar(select(func.min(SignalFact.received_quarter)))
    signal = session.scalar(select(func.min(Signal.received_on)))
    return min(filter(None, (fact, quarter_of(signal) if signal else None)), default=None)


def refuse_unless_complete(session: Session, wanted: Period, period: str, on: date) -> None:
    if _last_day(wanted, period) >= on:
        raise ReleaseRefused(f"{period} is not over yet")
    if wanted.kind == QUARTER:
        _refuse_out_of_order(session, period)
        _refuse_while_reports_wait(session, period)
    elif wanted.kind == YEAR:
        _refuse_without(session, period, quarters_of(wanted))
    else:
        _refuse_other_windows(wanted, period)
        _refuse_without(session, period, [str(year) for year in range(wanted.first, wanted.last + 1)])


def _refuse_out_of_order(session: Session, period: str) -> None:
    expected = next_quarter(session)
    if expected is None:
        raise ReleaseRefused("nothing was received yet")
    if period != expected:
        raise ReleaseRefused(f"{period} cannot be released: {expected} is next")


def _refuse_while_reports_wait(session: Session, period: str) -> None:
    """Raise `ReleaseRefused` while stored reports wait: intake is complete only after they arrive."""
    waiting = select(func.count()).select_from(SealedReport)
    waiting = waiting.where(
        SealedReport.refused_on.is_(None), SealedReport.received_on < first_day_after(period)
    )
    if session.scalar(waiting):
        raise ReleaseRefused(f"reports of {period} wait to arrive: let the worker bring them in first")


def _refuse_without(session: Session, period: str, needed: Iterable[str]) -> None:
    there = set(session.scalars(select(StoredRelease.period)))
    missing = [each for each in needed if each not in there]
    if missing:
        raise ReleaseRefused(f"{period} is the sum of its parts, and {', '.join(missing)} was not released")
    lost = sorted(set(quarters_of(read_period(period))) - counted_quarters(session))
    if lost:
        raise ReleaseRefused(
            f"{period} is the sum of its parts, and the counts of {', '.join(lost)} were lost"
        )


def _refuse_other_windows(wanted: Period, period: str) -> None:
    """Raise `ReleaseRefused` for other windows than the fixed ones: two that overlap could be subtracted."""
    if not _is_a_window(wanted):
        raise ReleaseRefused(f"{period} is none of the fixed periods of {WINDOW_YEARS} years, like 2023-2026")


def _is_a_window(wanted: Period) -> bool:
    return (wanted.first, wanted.last) == window_from(wanted.first)


def _last_day(wanted: Period, period: str) -> date:
    return last_day_of(period) if wanted.kind == QUARTER else date(wanted.last, 12, 31)


def _completed(periods: set[str]) -> Iterator[str]:
    """Yield the years and windows whose parts are all among these periods; a year found here counts."""
    years = sorted({read_period(period).first for period in periods})
    whole = [year for year in years if periods >= {f"{year}-Q{number}" for number in range(1, 5)}]
    yield from map(str, whole)
    for year in whole:
        window = Period(WINDOW, year - WINDOW_YEARS + 1, year, 0)
        if _is_a_window(window) and set(range(window.first, year + 1)) <= set(whole):
            yield f"{window.first}-{year}"


def quarters_of(wanted: Period) -> list[str]:
    if wanted.kind == QUARTER:
        return [f"{wanted.first}-Q{wanted.quarter}"]
    return [f"{year}-Q{number}" for year in range(wanted.first, wanted.last + 1) for number in range(1, 5)]


def counted_quarters(session: Session) -> set[str]:
    return set(session.scalars(select(CountedTable.quarter).distinct()))
