"""A concluded signal goes to the case system of its organisation: only there, only if wanted, and once."""

import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.channels.zgw import CaseSystem, Filing, file_case
from notifications.models import OutboxMessage
from signals.app import make_worker
from signals.lifecycle.telling_systems import HANDOVER_WAITS
from signals.models import Connection, Signal
from signals.models.connection import SystemKind
from signals.notices import systems
from signals.operations.jobs import Worker
from signals.settings import NotificationsSettings, Settings, SystemsSettings
from signals.vocabulary import AuditAction
from tests.support.connected import connect
from tests.support.desk_side import Desk
from tests.support.zgw_peer import DOCUMENTS, HOST, SECRET, ZAKEN, Peer, case_system

VISIT = {
    "kind": "visit",
    "result": "contact",
    "attempted_at": "2026-11-24T10:00:00+01:00",
    "workers": 2,
}
NO_HELP: list[dict[str, Any]] = [
    {"outcome": "talk_sufficed", "newly_known": False},
    {"outcome": "already_known"},
]
HELP = {"outcome": "help_accepted", "newly_known": True}
ROOT = Path(__file__).parents[3]
LEASE = timedelta(seconds=120)


@dataclass(kw_only=True)
class Team:
    """A desk whose organisation is connected to a case system, and the worker that sends to it."""

    desk: Desk
    peer: Peer
    settings: Settings
    worker: Worker

    def conclude(self, **outcome: Any) -> UUID:
        """A signal that anna followed up and concluded, whose hand-over is due."""
        signal_id = self.desk.arrive(concern_types=["frail"])
        for what, body in (
            ("claim", None),
            ("contact-attempts", VISIT),
            ("notes", {"text": "Mevrouw wil graag hulp."}),
            ("notice", {"notified_on": "2026-11-24"}),
            ("conclude", outcome or HELP),
        ):
            self.call(signal_id, what, body)
        self.wait(HANDOVER_WAITS)
        return signal_id

    def call(self, signal_id: UUID, what: str, body: Any = None) -> None:
        answer = self.desk.call("anna", "POST", f"/signals/{signal_id}/{what}", json=body)
        assert answer.status_code in (200, 201), answer.text

    def wait(self, for_so_long: timedelta) -> None:
        self.desk.clock.moment += for_so_long

    def row(self, model: type[Any], **which: Any) -> Any:
        with Session(self.desk.engine) as session:
            return session.scalars(select(model).filter_by(**which)).one_or_none()

    @property
    def message(self) -> Any:
        return self.row(OutboxMessage, channel="zgw")

    def exported(self) -> list[tuple[UUID | None, str, str]]:
        entries = self.desk.entries(AuditAction.EXPORTED)
        return [(entry.subject_id, entry.ground, entry.actor_role) for entry in entries]


@pytest.fixture
def team(desk: Desk, tmp_path: Path) -> Iterator[Team]:
    with case_system() as peer:
        own = connect(desk, SystemKind.ZGW, peer.settings)
        secrets = tmp_path / "case-systems"
        secrets.mkdir()
        (secrets / f"{own}.secret").write_text(f"{SECRET}\n")
        settings = replace(
            desk.settings,
            notifications=NotificationsSettings(mail_folder=None, delay_minutes=0),
            systems=SystemsSettings(secrets_folder=secrets, private_hosts=HOST),
        )
        worker = make_worker(settings, clock=desk.clock, engine=desk.engine)
        yield Team(desk=desk, peer=peer, settings=settings, worker=worker)
        worker.keystore.dispose()


def test_a_concluded_signal_is_in_the_case_system_with_its_hand_over(team: Team) -> None:
    signal_id = team.conclude()
    assert team.worker.deliver_to_systems().delivered == 1
    reference = team.row(Signal, id=signal_id).reference
    assert team.peer.numbers() == (1, 1, 1)
    assert team.peer.things[ZAKEN][0]["identificatie"] == f"SIGNAAL-{reference}"
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(team.peer.pdf())).pages)
    assert "1012 AB" in text or "1012AB" in text
    assert team.exported() == [(signal_id, "case_system", "system")]
    assert team.row(Signal, id=signal_id).filed_on is not None


def test_only_the_document_has_content(team: Team) -> None:
    team.conclude()
    team.worker.deliver_to_systems()
    everything = str(team.peer.things).replace(team.peer.things[DOCUMENTS][0]["inhoud"], "")
    assert "1012" not in everything
    assert "frail" not in everything


@pytest.mark.parametrize(
    "outcome", [{"outcome": "talk_sufficed", "newly_known": False}, {"outcome": "already_known"}]
)
def test_no_other_outcome_leaves(team: Team, outcome: dict[str, Any]) -> None:
    team.conclude(**outcome)
    assert (team.message, team.worker.deliver_to_systems().total) == (None, 0)


def test_nothing_leaves_before_a_conclusion_could_be_undone(team: Team) -> None:
    team.conclude()
    team.wait(-timedelta(minutes=1))
    assert team.worker.deliver_to_systems().total == 0


def test_a_reopened_signal_stays_and_leaves_after_the_second_conclusion(team: Team) -> None:
    signal_id = team.conclude()
    team.call(signal_id, "reopen", {})
    assert team.message is None
    team.call(signal_id, "conclude", HELP)
    team.wait(HANDOVER_WAITS)
    assert team.worker.deliver_to_systems().delivered == 1
    team.call(signal_id, "reopen", {})
    team.call(signal_id, "conclude", HELP)
    team.wait(HANDOVER_WAITS)
    assert team.worker.deliver_to_systems().delivered == 1
    assert team.peer.numbers() == (1, 2, 2)


def test_a_disconnected_system_gets_nothing_more(team: Team) -> None:
    team.conclude()
    with team.desk.begin() as operation:
        operation.session.delete(operation.session.scalars(select(Connection)).one())
    assert team.worker.deliver_to_systems().expired == 1
    assert (team.message.reason, team.peer.asked) == ("disconnected", [])


def test_a_system_that_is_disconnected_while_it_answers_gets_no_content(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.conclude()

    def file(system: CaseSystem, filing: Filing, content: Callable[[], bytes]) -> str:
        with team.desk.begin() as operation:
            operation.session.delete(operation.session.scalars(select(Connection)).one())
        return file_case(system, filing, content)

    monkeypatch.setattr(systems, "file_case", file)
    assert team.worker.deliver_to_systems().delivered == 0
    assert (team.peer.numbers(), team.exported()) == ((0, 0, 0), [])


def test_a_refused_hand_over_is_a_dead_letter_and_can_be_sent_again(team: Team) -> None:
    team.conclude()
    team.peer.answers.append((400, {}))
    assert team.worker.deliver_to_systems().failed == 1
    team.worker.count_messages()
    [letter] = team.desk.call("bea", "GET", "/delivery/dead-letters").get_json()["items"]
    assert (letter["channel"], letter["problem"]) == ("zgw", "zgw_400")
    again = team.desk.call("bea", "POST", f"/delivery/dead-letters/{letter['id']}/again")
    assert again.status_code == 202
    team.worker.count_messages()
    assert team.worker.deliver_to_systems().delivered == 1


def test_a_system_without_a_secret_on_the_server_is_tried_again_later(team: Team) -> None:
    team.conclude()
    folder = team.settings.systems.secrets_folder
    assert folder is not None
    for file in folder.iterdir():
        file.unlink()
    assert team.worker.deliver_to_systems().retried == 1
    assert team.exported() == []


def test_a_restricted_signal_stays(team: Team) -> None:
    signal_id = team.conclude()
    with team.desk.begin() as operation:
        operation.session.get_one(Signal, signal_id).restricted_on = operation.today
    assert team.worker.deliver_to_systems().expired == 1
    assert team.peer.asked == []


def test_two_workers_at_once_make_one_zaak(team: Team) -> None:
    team.conclude()
    start = threading.Barrier(2)

    def work() -> int:
        start.wait(60)
        return team.worker.deliver_to_systems().delivered

    with ThreadPoolExecutor(2) as pool:
        assert sum(one.result(60) for one in [pool.submit(work), pool.submit(work)]) == 1
    assert team.peer.numbers() == (1, 1, 1)


KILLED_WORKER = """
import pickle, sys
from pathlib import Path
from signals.app import make_worker
from signals.clock import FixedClock

settings, moment = pickle.loads(Path(sys.argv[1]).read_bytes())
make_worker(settings, clock=FixedClock(moment)).deliver_to_systems()
"""


@pytest.mark.parametrize(("path", "half"), [(ZAKEN, (1, 0, 0)), (DOCUMENTS, (1, 1, 0))])
def test_a_worker_killed_half_way_is_resumed_by_another(
    team: Team, tmp_path: Path, path: str, half: tuple[int, int, int]
) -> None:
    signal_id = team.conclude()
    parts = tmp_path / "parts"
    parts.write_bytes(pickle.dumps((team.settings, team.desk.clock.moment)))
    killed: list[subprocess.Popen[bytes]] = []
    team.peer.after = lambda made: killed[0].kill() if made == path else None
    killed.append(subprocess.Popen([sys.executable, "-c", KILLED_WORKER, str(parts)], cwd=ROOT))
    assert killed[0].wait(120) == -signal.SIGKILL
    assert team.peer.numbers() == half
    team.peer.after = lambda _path: None
    assert team.worker.deliver_to_systems().total == 0  # the lease of the dead one still runs
    team.wait(LEASE)
    assert team.worker.deliver_to_systems().delivered == 1
    assert team.peer.numbers() == (1, 1, 1)
    assert team.row(Signal, id=signal_id).filed_on is not None
