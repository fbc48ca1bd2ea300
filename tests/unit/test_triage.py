"""The queue of a team, and what each person may do with a signal."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from signals import triage
from signals.audit import Actor, AuditLog
from signals.clock import FixedClock
from signals.errors import (
    ClaimedByOther,
    Conflict,
    ContentGone,
    Forbidden,
    Invalid,
    NotFound,
    StaleVersion,
)
from signals.models import AuditEntry, FollowUpNote, Signal, StaffMember
from signals.repeats import Probe
from signals.triage.queue import _queue_query
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    AuditAction,
    DeferralReason,
    Outcome,
    ReferredTo,
    Role,
    SignalState,
)
from tests import factories
from tests.desk_fixtures import (
    PlainKeys,
    Team,
    audit,
    clock,
    keys,
    migrated_file,
    new_team,
    session,
    sqlite_engine,
    team,
)

__all__ = ["audit", "clock", "keys", "migrated_file", "session", "sqlite_engine", "team"]

NEW, CLAIMED, IN_FOLLOW_UP, CONCLUDED = SignalState
DAY = factories.EPOCH_DAY


def code_of(refused: pytest.ExceptionInfo[Invalid]) -> tuple[str, str]:
    (problem,) = refused.value.problems
    return problem.field, problem.code


# The queue


def all_pages(session: Session, team: Team, **how: Any) -> Iterator[list[UUID]]:
    cursor = None
    while True:
        page = triage.queue_page(session, organisation_id=team.organisation.id, cursor=cursor, **how)
        yield [signal.id for signal in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return


def test_pages_follow_the_next_deadline_without_a_gap_or_a_repeat(session: Session, team: Team) -> None:
    made = [team.signal(due_on=DAY + timedelta(days=number % 3)) for number in range(7)]
    in_order = [signal.id for signal in sorted(made, key=lambda signal: (signal.due_on, signal.id))]
    pages = list(all_pages(session, team, limit=3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [signal_id for page in pages for signal_id in page] == in_order


def test_a_last_page_that_is_full_has_no_next_one(session: Session, team: Team) -> None:
    for _ in range(2):
        team.signal()
    assert [len(page) for page in all_pages(session, team, limit=2)] == [2]


def test_a_signal_that_becomes_due_between_two_pages_moves_no_other(session: Session, team: Team) -> None:
    first, second = team.signal(due_on=DAY), team.signal(due_on=DAY + timedelta(days=1))
    page = triage.queue_page(session, organisation_id=team.organisation.id, limit=1)
    team.signal(due_on=DAY - timedelta(days=1))
    rest = triage.queue_page(session, organisation_id=team.organisation.id, limit=1, cursor=page.next_cursor)
    assert [signal.id for signal in (*page.items, *rest.items)] == [first.id, second.id]


def test_the_queue_shows_open_signals_unless_a_state_is_asked_for(session: Session, team: Team) -> None:
    made = {state: team.signal(state).id for state in SignalState}
    (shown,) = all_pages(session, team)
    assert set(shown) == {made[NEW], made[CLAIMED], made[IN_FOLLOW_UP]}
    for state in SignalState:
        assert list(all_pages(session, team, state=state)) == [[made[state]]]


def test_the_queue_can_be_of_one_person_or_of_what_is_overdue(session: Session, team: Team) -> None:
    mine, late = team.signal(CLAIMED), team.signal(due_on=DAY - timedelta(days=1))
    assert list(all_pages(session, team, claimed_by_id=team.worker.id)) == [[mine.id]]
    assert list(all_pages(session, team, overdue_on=DAY)) == [[late.id]]
    assert list(all_pages(session, team, overdue_on=DAY - timedelta(days=1))) == [[]]


def test_the_queue_holds_nothing_of_another_organisation(session: Session, team: Team) -> None:
    new_team().signal()
    assert list(all_pages(session, team)) == [[]]


def test_a_page_and_the_names_on_it_are_one_query(session: Session, team: Team) -> None:
    team.signal(CLAIMED)
    team.signal()
    statements: list[str] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
    )
    page = triage.queue_page(session, organisation_id=team.organisation.id)
    assert page.claimants == {team.worker.id: team.worker.name}
    assert len(statements) == 1


def test_an_address_cannot_be_read_from_a_list(session: Session, team: Team) -> None:
    team.signal()
    session.expunge_all()
    (signal,) = triage.queue_page(session, organisation_id=team.organisation.id).items
    assert signal.summary == b"sealed summary"
    with pytest.raises(AttributeError):
        _ = signal.content


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_size_out_of_range_is_refused(session: Session, team: Team, limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        triage.queue_page(session, organisation_id=team.organisation.id, limit=limit)
    assert code_of(refused) == ("limit", "out_of_range")


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "A" * 26, "A" * 27, "_" * 27, "A" * 5000, "AAAA AAAA", "==="]
)
def test_a_cursor_that_is_none_of_ours_is_refused(session: Session, team: Team, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        triage.queue_page(session, organisation_id=team.organisation.id, cursor=cursor)
    assert code_of(refused) == ("cursor", "invalid")


@pytest.mark.parametrize(
    ("state", "index"), [(None, "ix_signals_open_queue"), (NEW, "ix_signals_queue_by_state")]
)
def test_a_page_is_read_from_an_index_in_its_order(
    session: Session, team: Team, state: SignalState | None, index: str
) -> None:
    query = _queue_query(state, False, False, False).params(organisation_id=team.organisation.id, limit=26)
    compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    plan = [row.detail for row in session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]
    assert any(index in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


def test_counting_for_badges_stops_at_a_hundred_and_one(session: Session, team: Team) -> None:
    for _ in range(103):
        team.signal()
    team.signal(CONCLUDED)
    new_team().signal(CLAIMED)
    counts = triage.state_counts(session, organisation_id=team.organisation.id)
    assert counts == {NEW: 101, CLAIMED: 0, IN_FOLLOW_UP: 0, CONCLUDED: 1}


def test_a_foreign_signal_is_not_found_like_one_that_never_was(session: Session, team: Team) -> None:
    foreign, unknown = new_team().signal().id, factories.base.numbered_id(9, 9)
    for signal_id in (foreign, unknown):
        with pytest.raises(NotFound):
            triage.find_signal(session, organisation_id=team.organisation.id, signal_id=signal_id)
    own = team.signal().id
    elsewhere = [
        triage.exists_elsewhere(session, organisation_id=team.organisation.id, signal_id=signal_id)
        for signal_id in (foreign, unknown, own)
    ]
    assert elsewhere == [True, False, False]


# Claims


def test_a_claim_says_who_and_when_and_counts_the_version_up(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal()
    triage.claim(session, clock, signal_id=signal.id, actor=team.worker, audit=audit, expected_version=1)
    assert (signal.state, signal.claimed_by_id, signal.claimed_at) == (
        CLAIMED,
        team.worker.id,
        factories.MOMENT,
    )
    assert signal.version == 2


def test_claiming_what_one_has_changes_nothing(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    triage.claim(session, clock, signal_id=signal.id, actor=team.worker, audit=audit)
    assert signal.version == 1
    assert session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize("state", [CLAIMED, IN_FOLLOW_UP])
def test_the_second_to_claim_is_told_who_has_it_since_when(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, state: SignalState
) -> None:
    signal = team.signal(state)
    with pytest.raises(ClaimedByOther) as refused:
        triage.claim(session, clock, signal_id=signal.id, actor=team.colleague, audit=audit)
    assert (refused.value.claimed_by, refused.value.claimed_at) == (team.worker.name, factories.MOMENT)


def test_a_concluded_signal_cannot_be_claimed_by_anybody(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CONCLUDED)
    for actor in (team.worker, team.colleague):
        with pytest.raises(Conflict) as refused:
            triage.claim(session, clock, signal_id=signal.id, actor=actor, audit=audit)
        assert not isinstance(refused.value, ClaimedByOther)


def test_a_signal_released_in_follow_up_stays_there_and_can_be_claimed_by_a_colleague(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    triage.release(session, clock, signal_id=signal.id, actor=team.worker, audit=audit)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, None)
    triage.claim(session, clock, signal_id=signal.id, actor=team.colleague, audit=audit)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, team.colleague.id)


def test_a_colleague_cannot_release_and_a_lead_can(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    with pytest.raises(ClaimedByOther):
        triage.release(session, clock, signal_id=signal.id, actor=team.colleague, audit=audit)
    triage.release(session, clock, signal_id=signal.id, actor=team.lead, audit=audit)
    assert signal.state is NEW


@pytest.mark.parametrize("state", [NEW, CLAIMED, IN_FOLLOW_UP])
def test_a_lead_gives_an_open_signal_to_a_colleague(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, state: SignalState
) -> None:
    signal = team.signal(state)
    assert team.colleague.id is not None
    triage.reassign(
        session,
        clock,
        signal_id=signal.id,
        to_staff_id=team.colleague.id,
        actor=team.lead,
        audit=audit,
    )
    assert signal.claimed_by_id == team.colleague.id
    assert signal.state is (IN_FOLLOW_UP if state is IN_FOLLOW_UP else CLAIMED)
    assert signal.history[-1].actor_id == team.lead.id


def test_a_signal_cannot_be_given_to_who_may_not_have_it(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal()
    stranger = factories.StaffMemberFactory.create()
    privacy = factories.StaffMemberFactory.create(organisation=team.organisation, role=Role.PRIVACY_OFFICER)
    gone = factories.StaffMemberFactory.create(organisation=team.organisation, disabled_at=factories.MOMENT)
    for person in (stranger, privacy, gone):
        with pytest.raises(Invalid) as refused:
            triage.reassign(
                session, clock, signal_id=signal.id, to_staff_id=person.id, actor=team.lead, audit=audit
            )
        assert code_of(refused) == ("to_staff_id", "unknown")


def test_only_a_lead_reassigns(session: Session, clock: FixedClock, audit: AuditLog, team: Team) -> None:
    signal = team.signal(CLAIMED)
    assert team.colleague.id is not None
    with pytest.raises(Forbidden):
        triage.reassign(
            session,
            clock,
            signal_id=signal.id,
            to_staff_id=team.colleague.id,
            actor=team.colleague,
            audit=audit,
        )


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.ADMINISTRATOR, Role.PRIVACY_OFFICER])
def test_other_roles_may_not_touch_a_signal(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, role: Role
) -> None:
    signal = team.signal()
    actor = Actor(id=team.worker.id, role=role.value, organisation_id=team.organisation.id)
    with pytest.raises(Forbidden):
        triage.claim(session, clock, signal_id=signal.id, actor=actor, audit=audit)


def test_a_stale_version_is_refused_before_anything_else_is_looked_at(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CLAIMED, version=5)
    for actor in (team.worker, team.colleague):
        with pytest.raises(StaleVersion):
            triage.claim(session, clock, signal_id=signal.id, actor=actor, audit=audit, expected_version=4)


def test_another_organisation_finds_nothing_to_claim(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal()
    with pytest.raises(NotFound):
        triage.claim(session, clock, signal_id=signal.id, actor=new_team().lead, audit=audit)


# Attempts


def attempt(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, signal: Signal, **how: Any
) -> None:
    values: dict[str, Any] = {
        "actor": team.worker,
        "kind": AttemptKind.VISIT,
        "result": AttemptResult.NO_ANSWER,
        "attempted_at": factories.MOMENT,
        "workers": 2,
    } | how
    triage.record_attempt(session, clock, signal_id=signal.id, audit=audit, **values)


def test_the_first_attempt_starts_the_follow_up(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    attempt(session, clock, audit, team, signal)
    assert (signal.state, signal.version, signal.first_contact_at) == (IN_FOLLOW_UP, 2, None)
    (made,) = signal.attempts
    assert (made.workers, made.recorded_by_id) == (2, team.worker.id)


def test_first_contact_is_the_earliest_time_that_somebody_spoke_with_the_resident(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    clock.moment += timedelta(days=1)
    attempt(session, clock, audit, team, signal, result=AttemptResult.CONTACT, attempted_at=clock.moment)
    attempt(session, clock, audit, team, signal, result=AttemptResult.REFUSED)
    attempt(session, clock, audit, team, signal, attempted_at=factories.MOMENT - timedelta(hours=1))
    assert signal.first_contact_at == factories.MOMENT


def test_a_new_signal_cannot_be_attempted_without_a_claim(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    with pytest.raises(Conflict):
        attempt(session, clock, audit, team, team.signal())


def test_a_released_signal_cannot_be_attempted_without_a_claim_not_even_by_a_lead(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(IN_FOLLOW_UP, claimed_by_id=None, claimed_at=None)
    with pytest.raises(Conflict):
        attempt(session, clock, audit, team, signal, actor=team.lead)


def test_a_colleague_cannot_attempt_what_another_has(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    with pytest.raises(ClaimedByOther):
        attempt(session, clock, audit, team, team.signal(CLAIMED), actor=team.colleague)


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
    session: Session,
    clock: FixedClock,
    audit: AuditLog,
    team: Team,
    how: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    signal = team.signal(CLAIMED)
    with pytest.raises(Invalid) as refused:
        attempt(session, clock, audit, team, signal, **how)
    assert code_of(refused) == expected
    assert signal.state is CLAIMED


@pytest.mark.parametrize("at", [MIDNIGHT_IN_AMSTERDAM, factories.MOMENT + timedelta(minutes=5)])
def test_an_attempt_counts_from_the_day_of_receipt_up_to_a_clock_five_minutes_fast(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, at: datetime
) -> None:
    signal = team.signal(CLAIMED)
    attempt(session, clock, audit, team, signal, attempted_at=at)
    assert signal.state is IN_FOLLOW_UP


# Notes


def test_a_note_is_stored_sealed_and_opens_again(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal()
    made = triage.add_note(
        session,
        clock,
        keystore=keys,
        signal_id=signal.id,
        actor=team.colleague,
        audit=audit,
        text="  Buurvrouw gesproken.  ",
    )
    session.flush()
    assert b"Buurvrouw" not in made.sealed_text
    assert signal.version == 2
    (opened,) = triage.open_notes(keys, signal)
    assert (opened.text, opened.written_by_id) == ("Buurvrouw gesproken.", team.colleague.id)
    assert "Buurvrouw" not in repr(opened)


def test_notes_of_any_length_up_to_a_few_hundred_letters_look_alike(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal()
    for words in ("Ja.", "Niet thuis. " * 30):
        triage.add_note(
            session,
            clock,
            keystore=keys,
            signal_id=signal.id,
            actor=team.worker,
            audit=audit,
            text=words,
        )
    session.flush()
    assert len({len(note.sealed_text) for note in session.scalars(select(FollowUpNote))}) == 1


@pytest.mark.parametrize(("words", "code"), [("   ", "required"), ("a" * 4001, "too_long")])
def test_a_note_must_say_something_and_not_too_much(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys, words: str, code: str
) -> None:
    signal = team.signal()
    with pytest.raises(Invalid) as refused:
        triage.add_note(
            session,
            clock,
            keystore=keys,
            signal_id=signal.id,
            actor=team.worker,
            audit=audit,
            text=words,
        )
    assert code_of(refused) == ("text", code)


def test_a_concluded_signal_takes_no_more_notes(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal(CONCLUDED)
    with pytest.raises(Conflict):
        triage.add_note(
            session,
            clock,
            keystore=keys,
            signal_id=signal.id,
            actor=team.worker,
            audit=audit,
            text="Nog iets.",
        )


def test_without_the_case_key_notes_can_neither_be_written_nor_read(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal()
    how: dict[str, Any] = {"keystore": keys, "signal_id": signal.id, "actor": team.worker, "audit": audit}
    triage.add_note(session, clock, **how, text="Een.")
    keys.gone.add(signal.case_key_id)
    with pytest.raises(ContentGone):
        triage.add_note(session, clock, **how, text="Twee.")
    with pytest.raises(ContentGone):
        triage.open_notes(keys, signal)


# The letter of article 14


def notice(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, signal: Signal, **how: Any
) -> None:
    triage.record_notice(session, clock, signal_id=signal.id, actor=team.colleague, audit=audit, **how)


def test_that_the_resident_was_told_is_recorded_and_audited(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(CONCLUDED)
    notice(session, clock, audit, team, signal, notified_on=DAY)
    entry = session.scalars(select(AuditEntry)).one()
    assert (signal.notified_on, signal.version) == (DAY, 2)
    assert (entry.action, entry.ground) == (AuditAction.NOTICE_RECORDED, "notified")


def test_a_deferral_gives_way_to_the_day_on_which_the_resident_was_told(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal()
    notice(session, clock, audit, team, signal, deferred_because=DeferralReason.WOULD_ENDANGER)
    deferred = signal.deferred_because
    assert deferred == "would_endanger"
    notice(session, clock, audit, team, signal, notified_on=DAY)
    assert (signal.notified_on, signal.deferred_because) == (DAY, None)
    with pytest.raises(Conflict):
        notice(session, clock, audit, team, signal, deferred_because=DeferralReason.IMPOSSIBLE)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({}, "exactly_one"),
        ({"notified_on": DAY, "deferred_because": DeferralReason.IMPOSSIBLE}, "exactly_one"),
        ({"notified_on": DAY + timedelta(days=1)}, "in_future"),
        ({"notified_on": DAY - timedelta(days=1)}, "before_receipt"),
    ],
)
def test_a_notice_that_cannot_be_is_refused(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, how: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        notice(session, clock, audit, team, team.signal(), **how)
    assert code_of(refused) == ("notified_on", code)


# Conclusions


def conclude(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, signal: Signal, **how: Any
) -> None:
    values: dict[str, Any] = {"actor": team.worker, "outcome": Outcome.TALK_SUFFICED} | how
    triage.conclude(session, clock, signal_id=signal.id, audit=audit, **values)


def test_a_conclusion_has_an_outcome_and_a_moment_and_keeps_who_did_it(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    conclude(session, clock, audit, team, signal, newly_known=True)
    assert (signal.state, signal.outcome, signal.newly_known) == (CONCLUDED, Outcome.TALK_SUFFICED, True)
    assert (signal.concluded_at, signal.claimed_by_id) == (factories.MOMENT, team.worker.id)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("referred_to", [None, ReferredTo.HUISARTS, ReferredTo.WVGGZ])
def test_where_to_goes_with_referral_and_escalation_only(
    session: Session,
    clock: FixedClock,
    audit: AuditLog,
    team: Team,
    outcome: Outcome,
    referred_to: ReferredTo | None,
) -> None:
    fits = {Outcome.REFERRED: ReferredTo.HUISARTS, Outcome.ESCALATED: ReferredTo.WVGGZ}
    signal = team.signal(IN_FOLLOW_UP)
    how: dict[str, Any] = {
        "outcome": outcome,
        "referred_to": referred_to,
        "reason": triage.NotReachedReason.MOVED_AWAY if outcome is Outcome.NOT_REACHED else None,
    }
    if fits.get(outcome) is referred_to:
        conclude(session, clock, audit, team, signal, **how)
        assert (signal.outcome, signal.referred_to) == (outcome, referred_to)
    else:
        with pytest.raises(Invalid) as refused:
            conclude(session, clock, audit, team, signal, **how)
        assert code_of(refused)[0] == "referred_to"
        assert signal.outcome is None


@pytest.mark.parametrize(
    ("kinds", "enough"),
    [
        ([], False),
        ([AttemptKind.VISIT, AttemptKind.PHONE], False),
        ([AttemptKind.VISIT] * 3, False),
        ([AttemptKind.VISIT, AttemptKind.VISIT, AttemptKind.CARD], True),
    ],
)
def test_not_reached_needs_three_attempts_of_two_kinds(
    session: Session,
    clock: FixedClock,
    audit: AuditLog,
    team: Team,
    kinds: list[AttemptKind],
    enough: bool,
) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    for kind in kinds:
        factories.ContactAttemptFactory.create(signal=signal, kind=kind, recorded_by_id=team.worker.id)
    if enough:
        conclude(session, clock, audit, team, signal, outcome=Outcome.NOT_REACHED)
        assert signal.outcome is Outcome.NOT_REACHED
    else:
        with pytest.raises(Invalid) as refused:
            conclude(session, clock, audit, team, signal, outcome=Outcome.NOT_REACHED)
        assert code_of(refused) == ("outcome", "too_few_attempts")


def test_a_reason_stands_in_for_attempts_and_is_kept_in_the_history(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    reason = triage.NotReachedReason.DECEASED
    conclude(session, clock, audit, team, signal, outcome=Outcome.NOT_REACHED, reason=reason)
    assert signal.history[-1].reason == "deceased"


def test_a_colleague_cannot_conclude_and_a_lead_can(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    with pytest.raises(ClaimedByOther):
        conclude(session, clock, audit, team, signal, actor=team.colleague)
    conclude(session, clock, audit, team, signal, actor=team.lead)
    assert signal.state is CONCLUDED


@pytest.mark.parametrize("state", [NEW, CONCLUDED])
def test_what_is_new_or_concluded_cannot_be_concluded(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, state: SignalState
) -> None:
    with pytest.raises(Conflict):
        conclude(session, clock, audit, team, team.signal(state), actor=team.lead)


def test_who_reopens_has_the_signal_and_its_outcome_is_cleared(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team
) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    conclude(
        session,
        clock,
        audit,
        team,
        signal,
        outcome=Outcome.REFERRED,
        referred_to=ReferredTo.HUISARTS,
        newly_known=False,
    )
    triage.reopen(
        session,
        clock,
        signal_id=signal.id,
        actor=team.colleague,
        audit=audit,
        reason=triage.ReopenReason.RESIDENT_CALLED_BACK,
    )
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, team.colleague.id)
    assert (signal.outcome, signal.referred_to, signal.newly_known, signal.concluded_at) == (None,) * 4


@pytest.mark.parametrize("state", [NEW, CLAIMED, IN_FOLLOW_UP])
def test_what_is_open_cannot_be_reopened(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, state: SignalState
) -> None:
    signal = team.signal(state)
    with pytest.raises(Conflict):
        triage.reopen(session, clock, signal_id=signal.id, actor=team.worker, audit=audit)


# Earlier signals, and the next attempt


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
    found = triage.earlier_links(session, signal=signal, probe=probe)
    assert [
        (earlier.reference, earlier.state, earlier.outcome_group, earlier.same_address) for earlier in found
    ] == [
        (same.reference, NEW, None, True),
        (house.reference, CONCLUDED, None, False),
        (None, None, "reached", True),
    ]


def tried(*attempts: tuple[AttemptKind, int, AttemptResult]) -> list[Any]:
    """Attempts (kind, hour in Amsterdam, result) on days one after another."""
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
        ([], (AttemptKind.VISIT, triage.PartOfDay.MORNING, "first_attempt")),
        (
            [(AttemptKind.PHONE, 10, NOBODY)],
            (AttemptKind.VISIT, triage.PartOfDay.AFTERNOON, "other_kind_other_time"),
        ),
        ([(AttemptKind.VISIT, 10, NOBODY)], (AttemptKind.CARD, None, "other_kind_other_time")),
        (
            [
                (AttemptKind.VISIT, 10, NOBODY),
                (AttemptKind.CARD, 11, NOBODY),
            ],
            (AttemptKind.PHONE, triage.PartOfDay.AFTERNOON, "other_kind_other_time"),
        ),
        (
            [(AttemptKind.LETTER, 10, NOBODY)],
            (AttemptKind.VISIT, triage.PartOfDay.MORNING, "letter_alone_reaches_few"),
        ),
        (
            [(AttemptKind.PHONE, 14, AttemptResult.POSTPONED)],
            (AttemptKind.PHONE, triage.PartOfDay.MORNING, "as_agreed"),
        ),
    ],
)
def test_the_next_attempt_is_of_another_kind_at_another_part_of_the_day(
    attempts: list[tuple[AttemptKind, int, AttemptResult]],
    expected: tuple[AttemptKind, triage.PartOfDay | None, str],
) -> None:
    signal = factories.SignalFactory.build(state=IN_FOLLOW_UP)
    found = triage.next_best_attempt(signal, tried(*attempts))
    assert found is not None
    assert (found.kind, found.part_of_day, found.reason_code) == expected


@pytest.mark.parametrize(
    "result", [AttemptResult.CONTACT, AttemptResult.REFUSED, AttemptResult.WRONG_ADDRESS]
)
def test_nothing_is_suggested_once_the_resident_was_reached_or_does_not_live_there(
    result: AttemptResult,
) -> None:
    signal = factories.SignalFactory.build(state=IN_FOLLOW_UP)
    assert triage.next_best_attempt(signal, tried((AttemptKind.VISIT, 10, result))) is None


def test_a_suggestion_brings_the_figures_behind_it() -> None:
    signal = factories.SignalFactory.build(state=IN_FOLLOW_UP)
    letters = triage.next_best_attempt(signal, tried((AttemptKind.LETTER, 10, NOBODY)))
    visits = triage.next_best_attempt(signal, tried((AttemptKind.VISIT, 10, NOBODY)))
    assert letters is not None
    assert visits is not None
    assert letters.figures["letter_only"] == 6
    assert visits.figures == {"one_or_two_attempts": 18, "four_or_more_mixed": 37}


@pytest.mark.parametrize(
    ("hour", "part"), [(0, "morning"), (11, "morning"), (12, "afternoon"), (16, "afternoon"), (17, "evening")]
)
def test_the_part_of_the_day_goes_by_the_clock_in_amsterdam(hour: int, part: str) -> None:
    assert triage.part_of_day(datetime(2026, 7, 1, hour, tzinfo=UTC) - timedelta(hours=2)) == part


def test_the_name_of_the_claimant_is_found_and_nobody_has_none(session: Session, team: Team) -> None:
    assert triage.claimant_name(session, team.signal(CLAIMED)) == team.worker.name
    assert triage.claimant_name(session, team.signal()) is None
    assert session.get(StaffMember, team.worker.id) is not None
