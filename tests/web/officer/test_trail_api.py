"""The officer reads the trail over the API: pages, filters and CSV."""

import csv
import io
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import AuditEntry, StaffMember
from signals.vocabulary import AuditAction
from tests.support.desk_side import Desk

AS_CSV = {"Accept": "text/csv"}


def audit(desk: Desk, query: str = "", who: str = "fleur", **more: Any) -> TestResponse:
    return desk.call(who, "GET", f"/audit{query}", **more)


def test_the_trail_names_people_and_references(desk: Desk, signal_id: UUID) -> None:
    reference = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()["reference"]
    (line,) = audit(desk, "?action=signal_opened").get_json()["items"]
    assert (line["actor"], line["subject"]) == ("Anna Voorbeeld", reference)
    assert line["subject_id"] == str(signal_id)


def test_reading_the_trail_is_in_the_trail(desk: Desk) -> None:
    audit(desk)
    items = audit(desk, "?action=audit_read").get_json()["items"]
    assert [(line["actor"], line["ground"]) for line in items] == [("Fleur Voorbeeld", "page")] * 2


def test_an_officer_reads_the_own_organisation_only(desk: Desk) -> None:
    foreign = desk.arrive("9711AA", 1)
    desk.call("gerda", "GET", f"/signals/{foreign}")
    subjects = {line["subject_id"] for line in audit(desk).get_json()["items"]}
    assert str(foreign) not in subjects
    theirs = {line["subject_id"] for line in audit(desk, who="floor").get_json()["items"]}
    assert str(foreign) in theirs


def test_the_trail_is_filtered_by_person_subject_and_day(desk: Desk, signal_id: UUID) -> None:
    desk.call("anna", "GET", f"/signals/{signal_id}")
    desk.call("bram", "GET", f"/signals/{signal_id}")
    with Session(desk.engine) as session:
        opened = session.scalars(
            select(AuditEntry).where(AuditEntry.action == AuditAction.SIGNAL_OPENED)
        ).all()
    by_person = audit(desk, f"?actor={opened[0].actor_id}&subject={signal_id}").get_json()["items"]
    assert [line["actor_id"] for line in by_person] == [str(opened[0].actor_id)]
    assert (
        len(audit(desk, f"?subject={signal_id}&since=2026-11-24&until=2026-11-24").get_json()["items"]) == 3
    )
    assert audit(desk, "?since=2026-11-25").get_json()["items"] == []
    late = audit(desk, "?since=2026-11-24T11:00:00%2B01:00&action=signal_opened").get_json()["items"]
    assert late == []


def test_the_trail_is_read_page_by_page_without_gap_or_double(desk: Desk, signal_id: UUID) -> None:
    for _ in range(5):
        desk.call("anna", "GET", f"/signals/{signal_id}")
    seen: list[str] = []
    query = "?action=signal_opened&limit=2"
    while True:
        page = audit(desk, query).get_json()
        seen += [line["id"] for line in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"?action=signal_opened&limit=2&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=201", "?cursor=nonsense", "?action=dance", "?since=yesterday", "?who=anna"]
)
def test_a_wrong_question_to_the_trail_is_refused(desk: Desk, query: str) -> None:
    assert audit(desk, query).status_code == 400


def test_the_trail_comes_as_csv(desk: Desk, signal_id: UUID) -> None:
    desk.call("anna", "GET", f"/signals/{signal_id}")
    answer = audit(desk, "?action=signal_opened", headers=AS_CSV)
    assert answer.mimetype == "text/csv"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["actor"], row["subject_id"]) == ("Anna Voorbeeld", str(signal_id))


def test_no_cell_of_the_csv_is_a_formula(desk: Desk, signal_id: UUID) -> None:
    with Session(desk.engine) as session, session.begin():
        member = session.scalars(select(StaffMember).where(StaffMember.email == "anna@example.org")).one()
        member.name = "=HYPERLINK(1)"
    desk.call("anna", "GET", f"/signals/{signal_id}")
    (row,) = csv.DictReader(io.StringIO(audit(desk, "?action=signal_opened", headers=AS_CSV).text))
    assert row["actor"] == "'=HYPERLINK(1)"
