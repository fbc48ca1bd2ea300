"""Test the pages of a team's queue."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from signals.casework.access import find_signal, record_refusal
from signals.casework.queue import Section, _queue_query, queue_page, sectioned_page, state_counts
from signals.errors import Invalid, NotFound
from signals.models import AuditEntry
from signals.vocabulary import SignalState
from tests import factories
from tests.casework.states import CLAIMED, CONCLUDED, DAY, IN_FOLLOW_UP, NEW, code_of
from tests.support.desk_fixtures import By, Team, new_team


def all_pages(session: Session, team: Team, **how: Any) -> Iterator[list[UUID]]:
    cursor = None
    while True:
        page = queue_page(session, organisation_id=team.organisation.id, cursor=cursor, **how)
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


def test_a_signal_that_becomes_due_between_two_pages_moves_no_other(session: Session, team: Team) -> None:
    first, second = team.signal(due_on=DAY), team.signal(due_on=DAY + timedelta(days=1))
    page = queue_page(session, organisation_id=team.organisation.id, limit=1)
    team.signal(due_on=DAY - timedelta(days=1))
    rest = queue_page(session, organisation_id=team.organisation.id, limit=1, cursor=page.next_cursor)
    assert [signal.id for signal in (*page.items, *rest.items)] == [first.id, second.id]


def test_the_queue_shows_open_signals_unless_a_state_is_asked_for(session: Session, team: Team) -> None:
    made = {state: team.signal(state).id for state in SignalState}
    (shown,) = all_pages(session, team)
    assert set(shown) == {made[NEW], made[CLAIMED], made[IN_FOLLOW_UP]}
    for state in SignalState:
        assert list(all_pages(session, team, state=state)) == [[made[state]]]


def test_the_queue_can_show_the_signals_of_one_person(session: Session, team: Team) -> None:
    mine, _nobodys = team.signal(CLAIMED), team.signal()
    assert list(all_pages(session, team, claimed_by_id=team.worker.id)) == [[mine.id]]


@pytest.mark.parametrize("limit", [1, 2, 3, 25])
def test_signals_that_nobody_has_are_on_top_of_late_and_today_then_deadlines_count(
    session: Session, team: Team, limit: int
) -> None:
    days = {ahead: DAY + timedelta(days=ahead) for ahead in (-2, -1, 0, 1, 2)}
    colleagues = team.signal(CLAIMED, due_on=days[1], claimed_by_id=team.lead.id)
    nobodys, restricted = team.signal(due_on=days[2]), team.signal(due_on=days[-1], restricted_on=DAY)
    mine = [team.signal(CLAIMED, due_on=days[ahead]) for ahead in (2, 1, 0, -2)]
    today, late_free = team.signal(due_on=DAY), team.signal(due_on=days[-1])
    asked: dict[str, Any] = {"organisation_id": team.organisation.id, "on": DAY, "reader_id": team.worker.id}
    found, cursor = [], None
    while True:
        page = sectioned_page(session, **asked, limit=limit, cursor=cursor)
        found += [(Section(row.section).heading, row.id) for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [
        ("late", late_free.id), ("late", mine[3].id), ("today", today.id), ("today", nobodys.id),
        ("today", mine[2].id), ("yours", mine[1].id), ("yours", mine[0].id),
        ("later", restricted.id), ("later", colleagues.id),
    ]  # fmt: skip


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
    page = queue_page(session, organisation_id=team.organisation.id)
    assert page.claimants == {team.worker.id: team.worker.name}
    assert len(statements) == 1


def test_an_address_cannot_be_read_from_a_list(session: Session, team: Team) -> None:
    team.signal()
    session.expunge_all()
    (signal,) = queue_page(session, organisation_id=team.organisation.id).items
    assert signal.summary == b"sealed summary"
    with pytest.raises(AttributeError):
        _ = signal.content


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_size_out_of_range_is_refused(session: Session, team: Team, limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        queue_page(session, organisation_id=team.organisation.id, limit=limit)
    assert code_of(refused) == ("limit", "out_of_range")


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "A" * 26, "A" * 27, "_" * 27, "A" * 5000, "AAAA AAAA", "==="]
)
def test_a_cursor_that_is_none_of_ours_is_refused(session: Session, team: Team, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        queue_page(session, organisation_id=team.organisation.id, cursor=cursor)
    assert code_of(refused) == ("cursor", "invalid")
    for sectioned in (cursor, f"2{cursor}"):
        with pytest.raises(Invalid) as refused:
            sectioned_page(
                session,
                organisation_id=team.organisation.id,
                on=DAY,
                reader_id=team.worker.id,
                cursor=sectioned,
            )
        assert code_of(refused) == ("cursor", "invalid")


@pytest.mark.parametrize(
    ("state", "index"), [(None, "ix_signals_open_queue"), (NEW, "ix_signals_queue_by_state")]
)
def test_a_page_is_read_from_an_index_in_its_order(
    session: Session, team: Team, state: SignalState | None, index: str
) -> None:
    query = _queue_query(state, False, None, False).params(organisation_id=team.organisation.id, limit=26)
    compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    plan = [row.detail for row in session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]
    assert any(index in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


def test_counting_for_badges_stops_at_a_hundred_and_one(session: Session, team: Team) -> None:
    for _ in range(103):
        team.signal()
    team.signal(CONCLUDED)
    new_team().signal(CLAIMED)
    counts = state_counts(session, organisation_id=team.organisation.id)
    assert counts == {NEW: 101, CLAIMED: 0, IN_FOLLOW_UP: 0, CONCLUDED: 1}


def test_a_foreign_signal_is_not_found_like_an_unknown_one_and_the_audit_tells_them_apart(
    session: Session, team: Team, by: By
) -> None:
    foreign, unknown = new_team().signal().id, factories.base.numbered_id(9, 9)
    for signal_id in (foreign, unknown):
        with pytest.raises(NotFound):
            find_signal(session, organisation_id=team.organisation.id, signal_id=signal_id)
        record_refusal(by(team.worker), signal_id)
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert {entry.subject_id: entry.outcome for entry in entries} == {foreign: "foreign", unknown: "unknown"}
