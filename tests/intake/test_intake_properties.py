"""Intake's promises for any report."""

import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from privacy.redaction import redact
from signals.clock import FixedClock
from signals.errors import KeyReused
from signals.intake.content import Report, Summary, open_report, report_from_plain, report_that_may_stay
from signals.intake.receiving import Intake
from signals.routing.postcodes import Address
from signals.settings import NotesSettings
from signals.vocabulary import ConcernType, Seen
from tests.support.world import NOW, World, make_template, make_world

TODAY = date(2026, 11, 24)

postcodes = st.from_regex(r"[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}", fullmatch=True)
addresses = st.builds(
    Address,
    postcode=postcodes,
    number=st.integers(1, 99999),
    addition=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=6),
)
summaries = st.builds(
    Summary,
    concern_types=st.sets(st.sampled_from(ConcernType)).map(lambda chosen: tuple(sorted(chosen))),
    seen=st.none() | st.sampled_from(Seen),
)
notes = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=280)
reports = st.builds(
    Report,
    address=addresses,
    summary=summaries,
    noticed_on=st.none() | st.dates(TODAY - timedelta(days=14), TODAY),
    note=st.none() | notes,
)
few = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all examples: they differ in their keys."""
    template, folder = tmp_path_factory.mktemp("template"), tmp_path_factory.mktemp("world")
    make_template(template)
    made = make_world(template, folder)
    yield made
    made.close()
    shutil.rmtree(template)


@pytest.fixture(scope="module")
def intake(world: World) -> Intake:
    return world.intake(limit=10**6, notes=True, router=world.router(refresh_seconds=3600))


@given(report=reports)
def test_a_report_survives_the_way_to_json_and_back(report: Report) -> None:
    assert report_from_plain(json.loads(json.dumps(report.to_plain()))) == report


@given(report=reports, other=reports)
def test_two_reports_have_the_same_canonical_bytes_exactly_when_they_are_equal(
    report: Report, other: Report
) -> None:
    assert (report.canonical() == other.canonical()) is (report == other)


@given(report=reports)
def test_nothing_of_a_report_is_in_its_repr(report: Report) -> None:
    assert repr(report) == "Report()"


@few
@given(report=reports)
def test_any_report_is_answered_twice_alike_and_stored_in_one_size(
    world: World, intake: Intake, report: Report
) -> None:
    key, clock = uuid.uuid4(), FixedClock(NOW)
    before = len(world.sealed())
    first = intake.receive(clock, key=key, report=report)
    assert intake.receive(clock, key=key, report=report) == first
    stored = world.sealed()
    assert len(stored) == before + 1
    assert len({len(row.envelope) for row in stored if row.envelope is not None}) == 1


@few
@given(first=reports, second=reports)
def test_any_other_report_under_a_used_key_is_refused(intake: Intake, first: Report, second: Report) -> None:
    assume(first != second)
    key, clock = uuid.uuid4(), FixedClock(NOW)
    intake.receive(clock, key=key, report=first)
    with pytest.raises(KeyReused):
        intake.receive(clock, key=key, report=second)


@few
@given(report=reports, minutes=st.integers(0, 7 * 24 * 60))
def test_the_answer_does_not_depend_on_when_within_seven_days_it_is_asked_again(
    intake: Intake, report: Report, minutes: int
) -> None:
    key = uuid.uuid4()
    first = intake.receive(FixedClock(NOW), key=key, report=report)
    later = FixedClock(NOW + timedelta(minutes=minutes))
    assert intake.receive(later, key=key, report=report) == first


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(reports, min_size=1, max_size=8))
def test_whatever_was_received_is_what_arrives(world: World, intake: Intake, batch: list[Report]) -> None:
    worker = world.worker(notes=NotesSettings(enabled=True))
    worker.arrive()
    known = {signal.id for signal in world.signals()}
    clock = FixedClock(datetime(2026, 11, 24, 12, tzinfo=UTC))
    for report in batch:
        intake.receive(clock, key=uuid.uuid4(), report=report)
    assert worker.arrive() == len(batch)
    arrived = [open_report(world.keystore, s) for s in world.signals() if s.id not in known]
    sealed = [replace(r, note=r.note and redact(r.note).text).canonical() for r in batch]
    expected = [report_that_may_stay(r, received_on=clock.moment.date(), notes_enabled=True) for r in sealed]
    assert sorted(r.canonical() for r in arrived) == sorted(r.canonical() for r in expected)
    assert [_said(r) for r in expected] == [_said(r) for r in batch]


def _said(report: Report) -> tuple[object, ...]:
    summary = report.summary
    return report.address, set(summary.concern_types), summary.seen
