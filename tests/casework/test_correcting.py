"""Test corrections of attempts and notes: the timeline keeps the old value, all else follows the new."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from signals import casework
from signals.audit.log import Actor
from signals.casework.notes import forget_former
from signals.casework.undoing import undo, undoable
from signals.errors import ClaimedByOther, Conflict, Invalid
from signals.models import ContactAttempt, Signal
from signals.statistics.courses import courses_of
from signals.vocabulary import AttemptKind, AttemptResult
from tests import factories
from tests.casework.states import CLAIMED, CONCLUDED, code_of
from tests.support.desk_fixtures import By, PlainKeys, Team

DAY, MOMENT = factories.EPOCH_DAY, factories.MOMENT
AGREED = DAY + timedelta(days=9)
VISIT, PHONE = AttemptKind.VISIT, AttemptKind.PHONE
NO_ANSWER, CONTACT = AttemptResult.NO_ANSWER, AttemptResult.CONTACT


def tried(
    by: By, session: Session, team: Team, result: AttemptResult = CONTACT, **more: Any
) -> ContactAttempt:
    said = {"kind": VISIT, "result": result, "attempted_at": MOMENT}
    made = casework.record_attempt(by(team.worker), signal_id=team.signal(CLAIMED).id, **said | more)
    session.flush()
    return made


def correct(by: By, actor: Actor, attempt: ContactAttempt, **values: Any) -> ContactAttempt:
    usual = {"kind": PHONE, "result": NO_ANSWER, "attempted_at": MOMENT}
    return undoable(
        by(actor),
        casework.correct_attempt,
        signal_id=attempt.signal_id,
        attempt_id=attempt.id,
        **usual | values,
    )


def reread(session: Session, signal_id: Any) -> Signal:
    session.flush()
    session.expire_all()
    return session.get_one(Signal, signal_id)


def test_figures_and_all_else_follow_the_corrected_attempt_and_the_old_one_stays(
    by: By, session: Session, team: Team, keys: PlainKeys
) -> None:
    old = tried(by, session, team)
    assert old.signal.first_contact_at == MOMENT
    new = correct(by, team.worker, old)
    signal = reread(session, old.signal_id)
    assert (signal.attempts, signal.former_attempts) == ([new], [old])
    assert signal.first_contact_at is None
    assert signal.postponed_until == signal.due_on == DAY + timedelta(days=2)  # it plans the next contact
    (course,) = courses_of(session.connection(), keys, [signal])
    assert [(kind, result) for kind, result, _at in course.attempts] == [(PHONE, NO_ANSWER)]


def test_a_corrected_kind_leaves_the_planned_day_alone(by: By, session: Session, team: Team) -> None:
    old = tried(by, session, team, NO_ANSWER)
    casework.choose_day(by(team.worker), signal_id=old.signal_id, postponed_until=AGREED)
    correct(by, team.worker, old)
    assert reread(session, old.signal_id).due_on == AGREED


def test_a_correction_is_undone_as_any_change_is(by: By, session: Session, team: Team) -> None:
    old = tried(by, session, team)
    correct(by, team.worker, old)
    undo(by(team.worker), signal_id=old.signal_id)
    signal = reread(session, old.signal_id)
    assert (signal.attempts, signal.former_attempts) == ([old], [])
    assert (signal.first_contact_at, signal.due_on) == (MOMENT, signal.conclude_by)


def test_an_attempt_is_corrected_once_and_after_the_conclusion_too(
    by: By, session: Session, team: Team
) -> None:
    old = tried(by, session, team)
    old.signal.state = CONCLUDED
    new = correct(by, team.worker, old)
    with pytest.raises(Conflict):
        correct(by, team.worker, old)
    assert reread(session, old.signal_id).attempts == [new]
    assert new.signal.postponed_until is None


def test_only_the_writer_and_who_may_act_correct_an_entry(by: By, session: Session, team: Team) -> None:
    attempt = tried(by, session, team)
    note = casework.add_note(by(team.colleague), signal_id=attempt.signal_id, text="Buurvrouw gebeld.")
    session.flush()
    with pytest.raises(ClaimedByOther):
        correct(by, team.colleague, attempt)
    for actor, text in ((team.colleague, "Buurman gebeld."), (team.lead, "Buren gebeld.")):
        note = casework.correct_note(by(actor), signal_id=attempt.signal_id, note_id=note.id, text=text)
        session.flush()
        session.expire(attempt.signal)
    correct(by, team.lead, attempt)
    signal = reread(session, attempt.signal_id)
    assert (len(signal.notes), len(signal.former_notes)) == (1, 2)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"attempted_at": MOMENT + timedelta(hours=1)}, ("attempted_at", "in_future")),
        ({"workers": 3}, ("workers", "out_of_range")),
        ({"postponed_until": DAY}, ("postponed_until", "not_ahead")),
        ({"result": CONTACT, "postponed_until": AGREED}, ("postponed_until", "not_with_this_result")),
    ],
)
def test_a_correction_is_checked_as_an_attempt_is(
    by: By, session: Session, team: Team, values: dict[str, Any], field: tuple[str, str]
) -> None:
    attempt = tried(by, session, team, AttemptResult.POSTPONED, postponed_until=AGREED)
    with pytest.raises(Invalid) as refused:
        correct(by, team.worker, attempt, **values)
    assert code_of(refused) == field
    assert reread(session, attempt.signal_id).attempts == [attempt]


def test_a_team_that_takes_a_signal_over_does_not_get_the_mistakes(
    by: By, session: Session, team: Team
) -> None:
    old = tried(by, session, team)
    new = correct(by, team.worker, old)
    forget_former(session, new.signal)  # as a referral does
    signal = reread(session, new.signal_id)
    assert (signal.attempts, signal.former_attempts) == ([new], [])
