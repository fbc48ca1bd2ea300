"""Test that one place opens content, and only after the audit entry is committed."""

import ast
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from signals.casework.access import admit, known_names, report_of
from signals.errors import NotFound
from signals.vocabulary import AuditAction
from tests.factories import DeletionRecordFactory
from tests.support.desk_fixtures import By, Team, new_team
from tests.support.world import GRONINGEN, IN_AMSTERDAM, World

SIGNALS = Path(__file__).resolve().parents[2] / "signals"
OPENERS = {"open_report", "open_reports", "open_summaries", "open_notes"}
JOBS = {
    "retention/expiry.py",  # seals links anew; nobody sees the address
    "retention/purging.py",  # writes facts; nobody sees the report
    "retention/unreadable.py",  # only tries; nobody sees the report
    "statistics/counting.py",  # counts; nobody sees the report
}


def arrived(world: World) -> None:
    world.receive(1)
    world.worker().arrive()


def test_no_content_is_opened_before_its_audit_entry_is_committed(world: World) -> None:
    arrived(world)
    (signal,) = world.signals()
    with world.sessions.begin() as session:
        admission = admit(world.operation(session, world.staff()), [signal.id], AuditAction.SIGNAL_OPENED)
        with pytest.raises(RuntimeError, match="committed"):
            report_of(signal, admission)
    assert report_of(signal, admission).address == IN_AMSTERDAM


def test_an_admission_opens_no_other_signal(world: World) -> None:
    for number in (1, 2):
        world.receive(number)
    world.worker().arrive()
    one, other = world.signals()
    admission = world.do(world.staff(), admit, [one.id], AuditAction.SIGNAL_OPENED)
    with pytest.raises(RuntimeError, match="no audit entry"):
        report_of(other, admission)


def test_nobody_is_admitted_to_a_signal_of_another_organisation(world: World) -> None:
    arrived(world)
    (signal,) = world.signals()
    stranger = world.staff(GRONINGEN)
    with world.sessions() as session, pytest.raises(NotFound):
        admit(world.operation(session, stranger), [signal.id], AuditAction.SIGNAL_OPENED)


def test_an_empty_round_admits_to_nothing(team: Team, by: By) -> None:
    assert admit(by(team.worker), [], AuditAction.ROUND_PRINTED).signals == {}
    with pytest.raises(NotFound):
        admit(by(team.worker), [team.signal().id, new_team().signal().id], AuditAction.ROUND_PRINTED)


@pytest.mark.parametrize(
    ("names", "modules"),
    [(OPENERS, {"casework/access.py"}), ({"open_for_job"}, JOBS)],
    ids=["content", "jobs"],
)
def test_only_access_opens_content_and_only_jobs_that_show_nothing_need_no_entry(
    names: set[str], modules: set[str]
) -> None:
    found = {
        path.relative_to(SIGNALS).as_posix()
        for path in SIGNALS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and names.intersection(alias.name for alias in node.names)
    }
    assert found == modules


def test_an_organisation_learns_names_of_its_own_only(session: Session, team: Team) -> None:
    own, foreign = team.signal(), new_team().signal()
    deleted = DeletionRecordFactory.create(organisation_id=team.organisation.id)
    wanted = {own.id, foreign.id, foreign.organisation_id, own.organisation_id, deleted.signal_id}
    assert known_names(session, organisation_id=own.organisation_id, ids=wanted) == {
        own.id: own.reference,
        own.organisation_id: team.organisation.name,
        deleted.signal_id: deleted.reference,
    }
