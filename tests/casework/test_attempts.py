"""Test contact attempts and the suggestion for the next one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from signals import casework
from signals.arrival.repeats import Probe
from signals.audit.log import Actor
from signals.casework.earlier import earlier_signals
from signals.casework.suggestions import PartOfDay, next_best_attempt, part_of_day
from signals.clock import FixedClock
from signals.errors import ClaimedByOther, Invalid
from signals.models import Signal
from signals.vocabulary import Action, AttemptKind, AttemptResult, SignalState
from tests import factories
from tests.casework.states import CLAIMED, CONCLUDED, IN_FOLLOW_UP, NEW, code_of
from tests.support.desk_fixtures import By, Team, new_team


def attempt(by: By, team: Team, signal: Signal, actor: Actor | None = None, **how: Any) -> None:
    values: dict[str, Any] = {
        "kind": AttemptKind.VISIT,
        "result": AttemptResult.NO_ANSWER,
        "attempted_at": factories.MOMENT,
        "workers": 2,
    } | how
    casework.record_attempt(by(actor or team.worker), signal_id=signal.id, **values)


def test_the_first_attempt_starts_the_follow_up(by: By, team: Team) -> None:
    signal = team.signal(CLAIMED)
    attempt(by, team, signal)
    assert (signal.state, signal.version, signal.first_contact_at) == (IN_FOLLOW_UP, 2, None)
    (made,) = signal.attempts
    assert (made.workers, made.recorded_by_id) == (2, team.worker.id)


def test_first_contact_is_the_earliest_time_that_somebody_spoke_with_the_resident(
    by: By, clock: FixedClock, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    clock.moment += timedelta(days=1)
    attempt(by, team, signal, result=AttemptResult.CONTACT, attempted_at=clock.moment)
    attempt(by, team, signal, result=AttemptResult.REFUSED)
    attempt(by, team, signal, attempted_at=factories.MOMENT - timedelta(hours=1))
    assert signal.first_contact_at == factories.MOMENT


@pytest.mark.parametrize("state", [NEW, IN_FOLLOW_UP])
def test_the_first_attempt_at_a_signal_that_nobody_has_claims_it(
    by: By, team: Team, state: SignalState
) -> None:
    signal = team.signal(state, claimed_by_id=None, claimed_at=None)
    attempt(by, team, signal, actor=team.colleague)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, team.colleague.id)
    assert [change.action for change in signal.history] == [Action.CLAIM, Action.RECORD_ATTEMPT]
    with pytest.raises(ClaimedByOther):
        attempt(by, team, signal)


MIDNIGHT_IN_AMSTERDAM = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"attempted_at": factories.MOMENT + timedelta(minutes=6)}, ("attempted_at", "in_future")),
        ({"attempted_at": datetime.max.replace(tzinfo=UTC)}, ("attempted_at", "in_future")),
        ({"attempted_at": datetime.min.replace(tzinfo=UTC)}, ("attempted_at", "before_receipt")),
        ({"attempted_at": MIDNIGHT_IN_AMSTERDAM - timedelta(seconds=1)}, ("attempted_at", "before_receipt")),
        ({"attempted_at": datetime(2026, 3, 2, 10, 0)}, ("attempted_at", "needs_offset")),
        ({"workers": 0}, ("workers", "out_of_range")),
        ({"workers": 3}, ("workers", "out_of_range")),
    ],
)
def test_an_attempt_that_cannot_have_been_is_refused(
    by: By,
    team: Team,
    how: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    signal = team.signal(CLAIMED)
    with pytest.raises(Invalid) as refused:
        attempt(by, team, signal, **how)
    assert code_of(refused) == expected
    assert signal.state is CLAIMED


@pytest.mark.parametrize("at", [MIDNIGHT_IN_AMSTERDAM, factories.MOMENT + timedelta(minutes=5)])
def test_an_attempt_counts_from_the_day_of_receipt_up_to_a_clock_five_minutes_fast(
    by: By, team: Team, at: datetime
) -> None:
    signal = team.signal(CLAIMED)
    attempt(by, team, signal, attempted_at=at)
    assert signal.state is IN_FOLLOW_UP


def test_earlier_signals_of_the_address_and_of_the_house_are_told_apart(session: Session, team: Team) -> None:
    signal, same, house = team.signal(), team.signal(), team.signal(CONCLUDED)
    link: dict[str, Any] = {"organisation_id": team.organisation.id}
    factories.AddressLinkFactory.create(**link, signal_id=signal.id)
    factories.AddressLinkFactory.create(**link, signal_id=same.id, received_on=date(2026, 2, 3))
    factories.AddressLinkFactory.create(
        **link, signal_id=house.id, pseudonym=b"q" * 16, received_on=date(2026, 2, 2)
    )
    factories.AddressLinkFactory.create(**link, outcome_group="reached", received_on=date(2026, 2, 1))
    factories.AddressLinkFactory.create(**link, house_pseudonym=b"i" * 16)
    factories.AddressLinkFactory.create(organisation_id=new_team().organisation.id)
    probe = Probe(
        organisation_id=team.organisation.id, quarter="2026-Q1", exact=(b"p" * 16,), house=(b"h" * 16,)
    )
    found = earlier_signals(session, signal=signal, probe=probe)
    assert [
        (earlier.reference, earlier.state, earlier.outcome_group, earlier.same_address) for earlier in found
    ] == [
        (same.reference, NEW, None, True),
        (house.reference, CONCLUDED, None, False),
        (None, None, "reached", True),
    ]


def tried(*attempts: tuple[AttemptKind, int, AttemptResult]) -> list[Any]:
    """Return attempts (kind, hour in Amsterdam, result) on successive days."""
    return [
        factories.ContactAttemptFactory.build(
            kind=kind,
            result=result,
            attempted_at=factories.MOMENT.replace(hour=hour - 1) + timedelta(days=number),
        )
        for number, (kind, hour, result) in enumerate(attempts)
    ]


NOBODY = AttemptResult.NO_ANSWER


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([], (AttemptKind.VISIT, PartOfDay.MORNING, "first_attempt")),
        (
            [(AttemptKind.PHONE, 10, NOBODY)],
            (AttemptKind.VISIT, PartOfDay.AFTERNOON, "other_kind_other_time"),
        ),
        ([(AttemptKind.VISIT, 10, NOBODY)], (AttemptKind.CARD, None, "other_kind_other_time")),
        (
            [
                (AttemptKind.VISIT, 10, NOBODY),
                (AttemptKind.CARD, 11, NOBODY),
            ],
            (AttemptKind.THROUGH_OTHER, None, "other_kind_other_time"),
        ),
        (
            [
                (AttemptKind.PHONE, 10, NOBODY),
                *((kind, 11, NOBODY) for kind in AttemptKind if kind is not AttemptKind.PHONE),
            ],
            (AttemptKind.VISIT, PartOfDay.AFTERNOON, "other_kind_other_time"),
        ),
        (
            [(AttemptKind.LETTER, 10, NOBODY)],
            (AttemptKind.VISIT, PartOfDay.MORNING, "letter_alone_reaches_few"),
        ),
        (
            [(AttemptKind.PHONE, 14, AttemptResult.POSTPONED)],
            (AttemptKind.PHONE, PartOfDay.MORNING, "as_agreed"),
        ),
    ],
)
def test_the_next_attempt_is_of_another_kind_at_another_part_of_the_day(
    attempts: list[tuple[AttemptKind, int, AttemptResult]],
    expected: tuple[AttemptKind, PartOfDay | None, str],
) -> None:
    signal = factories.SignalFactory.build(state=IN_FOLLOW_UP)
    found = next_best_attempt(signal, tried(*attempts))
    assert found is not None
    assert (found.kind, found.part_of_day, found.reason_code) == expected


@pytest.mark.parametrize(
    "result", [AttemptResult.CONTACT, AttemptResult.REFUSED, AttemptResult.WRONG_ADDRESS]
)
def test_nothing_is_suggested_once_the_resident_was_reached_or_does_not_live_there(
    result: AttemptResult,
) -> None:
    signal = factories.SignalFactory.build(state=IN_FOLLOW_UP)
    assert next_best_attempt(signal, tried((AttemptKind.VISIT, 10, result))) is None


def test_a_suggestion_brings_the_figures_behind_it() -> None:
    signal = factories.SignalFactory.build(state=IN_FOLLOW_UP)
    letters = next_best_attempt(signal, tried((AttemptKind.LETTER, 10, NOBODY)))
    visits = next_best_attempt(signal, tried((AttemptKind.VISIT, 10, NOBODY)))
    assert letters is not None
    assert visits is not None
    assert letters.figures["letter_only"] == 6
    assert visits.figures == {"one_or_two_attempts": 18, "four_or_more_mixed": 37}


@pytest.mark.parametrize(
    ("hour", "part"), [(0, "morning"), (11, "morning"), (12, "afternoon"), (16, "afternoon"), (17, "evening")]
)
def test_the_part_of_the_day_follows_the_clock_in_amsterdam(hour: int, part: str) -> None:
    assert part_of_day(datetime(2026, 7, 1, hour, tzinfo=UTC) - timedelta(hours=2)) == part


def test_the_telephone_is_suggested_only_where_somebody_called_before() -> None:
    signal = factories.SignalFactory.build(state=IN_FOLLOW_UP)
    others = [(kind, 10, NOBODY) for kind in AttemptKind if kind is not AttemptKind.PHONE]
    for attempts, offered in ((others * 2, False), ([(AttemptKind.PHONE, 10, NOBODY), *others * 2], True)):
        found = next_best_attempt(signal, tried(*attempts))
        assert found is not None
        assert (found.kind is AttemptKind.PHONE) is offered
