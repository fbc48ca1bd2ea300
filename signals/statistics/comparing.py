"""Count a comparison as drawn (intention to treat), and say what it showed.

A signal that takes part counts here instead of in the table `attempts`. So it spends no more than any other,
and no yearly figure tells how the comparison goes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations
from typing import Any, Final, cast

from sqlalchemy import Connection, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from signals.clock import AMSTERDAM
from signals.comparisons.draws import secret_of
from signals.comparisons.plan import EPSILON, ERROR, FOLLOWED_DAYS, kept_to, plan_of
from signals.comparisons.register import comparisons, is_intact
from signals.models import Comparison, ComparisonDraw, Publication, Signal
from signals.statistics.courses import courses_of
from signals.statistics.facts import Course, Result
from signals.statistics.intervals import NOTHING, Interval, Noisy, Split, count, difference, share
from signals.statistics.menu import COMPARISON, NO, YES, Codes, Dimension, PeriodKind, Table
from signals.statistics.periods import YEAR_GRACE_DAYS
from signals.statistics.publications import ReleasedTable
from signals.statistics.sealed_facts import stored_results
from signals.vocabulary import AttemptResult, ComparisonArm

_BATCH: Final = 500
_signals: Final = cast(SqlTable, Signal.__table__).c
_draws: Final = cast(SqlTable, ComparisonDraw.__table__).c
_READ: Final = (
    _signals.id, _signals.organisation_id, _signals.received_on, _signals.repeat, _signals.contact_by,
    _signals.outcome, _signals.newly_known,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """The result of one arm: its signals, the share with contact, and the share that kept to the order."""

    arm: ComparisonArm
    signals: Interval
    contact: Interval
    followed: Interval


def table_for(comparison: Comparison) -> Table:
    """Return the table of a comparison, of which each signal is in one cell."""
    arms, answer = plan_of(comparison.registration).arms, (YES, NO)
    return Table(
        code=COMPARISON,
        kind=PeriodKind.COMPARISON,
        dimensions=(
            Dimension(name="arm", codes=tuple(map(str, arms))),
            Dimension(name="contact", codes=answer),
            Dimension(name="followed", codes=answer),
        ),
        sensitivity=1,
        epsilon=Fraction(EPSILON),
    )


def result_of(course: Course) -> Result | None:
    """Return how a signal counts in its comparison: as drawn, whatever the worker chose."""
    draw = course.draw
    if draw is None:
        return None
    if draw.arm is None or draw.revealed_on is None:
        return Result(draw.code)
    attempts = sorted(course.attempts, key=lambda attempt: attempt[2])
    until = draw.revealed_on + timedelta(days=FOLLOWED_DAYS)
    contacts = [result is AttemptResult.CONTACT for _, result, _ in attempts]
    days = [at.astimezone(AMSTERDAM).date() for _, _, at in attempts]
    reached = any(contact and day <= until for contact, day in zip(contacts, days, strict=True))
    followed = kept_to(draw.arm, [kind for kind, _, _ in attempts], ended_at_first=contacts[:1] == [True])
    return Result(draw.code, str(draw.arm), YES if reached else NO, YES if followed else NO)


def results_to_keep(connection: Connection, courses: Iterable[Course]) -> list[Result]:
    """Return the results of signals that are purged before their comparison is released."""
    found = [result for result in map(result_of, courses) if result]
    codes = {result.comparison for result in found}
    released = set(connection.scalars(select(Publication.period).where(Publication.period.in_(codes))))
    return [result for result in found if result.comparison not in released]


def count_comparison(connection: Connection, keys: Keystore, code: str) -> Counter[Codes]:
    """Count the signals that take part: live ones, and stored results of purged ones."""
    found = [*stored_results(connection, keys, code=code), *_live_results(connection, keys, code)]
    return Counter(result[1:] for result in found if result.arm)


def result_due_on(comparison: Comparison) -> date:
    """Return the day on which the result is drawn, a fixed time after the planned end.

    A stop changes nothing here, so nobody learns anything by stopping. Nor does a count: the day would tell
    whether one signal was there.
    """
    return plan_of(comparison.registration).ends_on + timedelta(days=YEAR_GRACE_DAYS + 1)


def due_comparisons(session: Session, on: date) -> list[str]:
    """Return the comparisons to release on a day; none whose registration was changed."""
    released = set(session.scalars(select(Publication.period)))
    return [
        each.code
        for each in comparisons(session)
        if each.code not in released and result_due_on(each) <= on and is_intact(each)
    ]


def secrets_over(session: Session) -> list[str]:
    """Return the names of keys that nothing needs: of released comparisons without signals that live."""
    released = session.scalars(select(Publication.period).where(Publication.code == COMPARISON)).all()
    live = set(session.scalars(select(_draws.code).distinct()))
    return [secret_of(code) for code in released if code not in live]


def arms_of(table: ReleasedTable) -> list[ArmResult]:
    """Return what each arm of a released comparison showed."""
    return [
        ArmResult(
            arm=ComparisonArm(arm),
            signals=count(_split(table, arm, 1).total),
            contact=share(_split(table, arm, 1)),
            followed=share(_split(table, arm, 2)),
        )
        for arm in table.dimensions[0].codes
    ]


def differences_of(table: ReleasedTable) -> Mapping[tuple[ComparisonArm, ComparisonArm], Interval]:
    """Return the difference in contact of each pair of arms, at an error shared by all (Bonferroni)."""
    pairs = list(combinations(table.dimensions[0].codes, 2))
    return {
        (ComparisonArm(one), ComparisonArm(other)): difference(
            _split(table, one, 1), _split(table, other, 1), error=ERROR / len(pairs)
        )
        for one, other in pairs
    }


def _split(table: ReleasedTable, arm: str, place: int) -> Split:
    """Return the signals of an arm with and without contact (place 1), or with the order kept (place 2)."""
    parts: dict[str, Noisy] = {YES: NOTHING, NO: NOTHING}
    for codes, drawn in table.noisy.items():
        if codes[0] == arm:
            parts[codes[place]] += Noisy(drawn, table.variance)
    return Split(parts[YES], parts[NO])


def _live_results(connection: Connection, keys: Keystore, code: str) -> Iterator[Result]:
    ids: Sequence[Any] = connection.scalars(select(_draws.signal_id).where(_draws.code == code)).all()
    for start in range(0, len(ids), _BATCH):
        some = select(*_READ).where(_signals.id.in_(ids[start : start + _BATCH]))
        yield from filter(None, map(result_of, courses_of(connection, keys, connection.execute(some).all())))
