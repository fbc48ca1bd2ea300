"""Test on both databases that an unreadable signal holds up no other."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from privacy.sealing import CaseSealer, canonical_json, summary_key
from signals.intake.content import case_context, open_summaries
from signals.models import DeletionOrder, DeletionRecord, Signal
from signals.retention import purging
from signals.retention.nightly import PurgeIncomplete, Retention
from signals.retention.orders import order_deletion
from signals.vocabulary import DeletionReason
from tests.support.world import IN_GRONINGEN, World

NO_REPORT: dict[str, Any] = {"pc": "1012AB", "nr": 12, "add": "", "on": None}


@pytest.fixture
def unreadable(world: World) -> uuid.UUID:
    """Return one of six signals, with sealed content that is no report."""
    world.receive(1)
    world.worker().arrive()
    (signal,) = world.signals()
    key = world.keystore.case_keys([signal.case_key_id])[signal.case_key_id]
    sealer = CaseSealer(key, case_context(signal))
    content = sealer.seal(canonical_json(NO_REPORT), purpose="content")
    sealer = CaseSealer(summary_key(key), case_context(signal))
    summary = sealer.seal(canonical_json({"types": ["abolished"], "seen": None}), purpose="summary")
    with world.sessions.begin() as session:
        session.execute(update(Signal).where(Signal.id == signal.id).values(content=content, summary=summary))
    for number in range(2, 7):
        world.receive(number, IN_GRONINGEN)
    world.worker().arrive()
    return signal.id


def test_a_purge_takes_it_along_with_the_others(world: World, unreadable: uuid.UUID) -> None:
    world.move(days=28)
    with capture_logs() as lines:
        world.worker().retain()
    assert (world.count(Signal), world.count(DeletionRecord)) == (0, 6)
    assert ("contents.unreadable", str(unreadable)) in [(one["event"], one.get("signal_id")) for one in lines]


def test_every_order_is_carried_out(world: World, unreadable: uuid.UUID) -> None:
    with world.sessions.begin() as session:
        for signal in session.scalars(select(Signal)):
            order_deletion(
                session,
                world.clock,
                organisation_id=signal.organisation_id,
                signal_ids=[signal.id],
                reason=DeletionReason.ERASURE,
            )
    world.worker().destroy_keys()
    assert (world.count(Signal), world.count(DeletionOrder)) == (0, 0)


def test_figures_are_made_and_the_queues_summaries_lack_only_it(world: World, unreadable: uuid.UUID) -> None:
    rows = world.rows(select(Signal))
    assert open_summaries(world.keystore, rows).keys() == {row.id for row in rows} - {unreadable}
    world.move(days=130)
    assert world.worker().release_figures()


def test_a_batch_purges_the_other_signals_and_names_the_one_that_fails(
    world: World, unreadable: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail in the fact of one row, as any other part of a row may."""
    monkeypatch.setattr(purging, "_write_facts", _failing_for(unreadable, purging._write_facts))
    world.move(days=28)
    with capture_logs() as lines:
        report = replace(world.worker().retention(), batch_size=4).run(world.clock)
    assert (report.total, [signal.id for signal in world.signals()]) == (5, [unreadable])
    assert [one["signal_id"] for one in lines if one["event"] == "retention.signal_failed"] == [
        str(unreadable)
    ]
    with pytest.raises(PurgeIncomplete):  # so that the schedule tries it again within minutes
        world.worker().retain()


def _failing_for(signal_id: uuid.UUID, write: Callable[..., None]) -> Callable[..., None]:
    def written(connection: Connection, signals: Sequence[Any], *rest: Any) -> None:
        if signal_id in {signal.id for signal in signals}:
            raise LookupError
        write(connection, signals, *rest)

    return written


def test_keys_that_wait_to_be_destroyed_are_though_the_orders_cannot_be_read(
    world: World, unreadable: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the database fail at one of the two steps; the other goes on."""
    (signal,) = (one for one in world.signals() if one.id == unreadable)
    monkeypatch.setattr(Retention, "confirm_destroyed", lambda *_: 0)
    world.worker().retention().purge_now(world.clock, [unreadable], DeletionReason.ERASURE)
    monkeypatch.undo()
    assert world.keystore.case_keys([signal.case_key_id])
    monkeypatch.setattr(
        Retention, "carry_out_orders", Mock(side_effect=OperationalError("", {}, Exception()))
    )
    with pytest.raises(OperationalError):
        world.worker().destroy_keys()
    assert not world.keystore.case_keys([signal.case_key_id])
