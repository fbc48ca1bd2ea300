"""Plant what must never be stored readable, use everything, then search every byte that was left on disk."""

import io
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from notifications.channels.folder import FolderChannel
from notifications.events import Event
from notifications.models import MessageState, OutboxMessage
from privacy.logs import configure_logging
from signals import casework
from signals.casework.sealing import open_notes
from signals.intake.content import open_report
from signals.models.place import NEIGHBOURHOOD
from signals.routing.place_import import import_places
from signals.settings import LoggingSettings, NotesSettings, NotificationsSettings
from signals.vocabulary import AttemptKind, AttemptResult, Outcome
from tests.support.answers import TOLD
from tests.support.postgres import PostgresServer
from tests.support.sentinels import files, forms
from tests.support.serving import serving, wait_until
from tests.support.world import World

POSTCODE, NUMBER, ADDITION = "1017XZ", 98413, "QZJ7WX"
NOTE = "Karrewielslotertrommel hoort vreemd gebonk"
SECOND_NOTE = "Quinoapannenkoek aangeboden bij Wolfskuilbrink"
NEIGHBOURHOOD_NAME = "Mosterdzaadwijkje"
ADDRESS = "203.0.113.213"
AGENT = "Zwervermobiel/77.31-sentinel"
COOKIE = "krentenbolcookie8841"
REFERRER = "https://verklikker-sentinel.example/ronde-5512"
KEY = "7d1f6a3e-93b4-4b52-8f0e-5ab1c2d3e4f5"

BODY = {"postcode": POSTCODE, "house_number": NUMBER, "house_number_addition": ADDITION, "note": NOTE}
HEADERS = {
    "Content-Type": "application/json",
    "Idempotency-Key": KEY,
    "X-Forwarded-For": ADDRESS,
    "Forwarded": f"for={ADDRESS}",
    "User-Agent": AGENT,
    "Cookie": f"visitor={COOKIE}",
    "Referer": REFERRER,
}
SENTINELS: Mapping[str, str] = {
    "postcode": POSTCODE,
    "postcode as typed": "1017 XZ",
    "number": str(NUMBER),
    "addition": ADDITION,
    "note": NOTE,
    "a word of the note": "Karrewielslotertrommel",
    "follow-up note": "Quinoapannenkoek",
    "neighbourhood": NEIGHBOURHOOD_NAME,
    "address of the sender": ADDRESS,
    "user agent": AGENT,
    "cookie": COOKIE,
    "referrer": "verklikker-sentinel",
    "idempotency key": KEY,
    "idempotency key without hyphens": KEY.replace("-", ""),
}


def test_nothing_readable_is_left_of_a_report_from_the_door_to_its_conclusion(
    world: World, log: io.StringIO, request: pytest.FixtureRequest
) -> None:
    _pass_on(world, log)
    _follow_up(world)
    assert _read(world) == (POSTCODE, NUMBER, NOTE, SECOND_NOTE)  # it was there to be found
    assert open_report(world.keystore, world.signals()[0]).summary.neighbourhood == NEIGHBOURHOOD_NAME
    _assert_clean(_remains(world, request) | {"log": log.getvalue().encode()})


def test_nothing_readable_is_left_while_a_report_waits_for_arrival(
    world: World, log: io.StringIO, request: pytest.FixtureRequest
) -> None:
    _pass_on(world, log)
    _assert_clean(_remains(world, request) | {"log": log.getvalue().encode()})


def test_refused_reports_leave_nothing_either(world: World, log: io.StringIO) -> None:
    client = _front(world, log)
    for wrong in ({"house_number": 0}, {"seen": NOTE}, {NOTE: POSTCODE}, {"postcode": NOTE}):
        answer = client.post("/api/v1/signals", json=BODY | wrong, headers=HEADERS)
        assert answer.status_code == 400
        _assert_clean({"answer": answer.data, "headers": str(answer.headers).encode()})
    _assert_clean(files(world.folder) | {"log": log.getvalue().encode()})


def test_the_form_without_javascript_leaves_nothing(world: World, log: io.StringIO) -> None:
    client = _front(world, log)
    form = {**{n: str(v) for n, v in BODY.items()}, "idempotency_key": KEY}
    headers = {n: v for n, v in HEADERS.items() if n not in ("Content-Type", "Idempotency-Key")}
    answer = client.post("/", data=form, headers=headers)
    assert answer.status_code in (200, 201)
    world.worker(notes=NotesSettings(enabled=True)).arrive()
    assert len(world.signals()) == 1
    _assert_clean(files(world.folder) | {"log": log.getvalue().encode()})


def test_the_receipt_is_not_kept_readable(world: World, log: io.StringIO) -> None:
    receipt = _pass_on(world, log)
    client = _front(world, log)
    client.post("/api/v1/receipts/status", json={"receipt": receipt})
    _follow_up(world)
    _assert_clean(
        files(world.folder) | {"log": log.getvalue().encode()},
        {"receipt": receipt, "receipt without hyphens": receipt.replace("-", "")},
    )


@pytest.mark.slow
def test_a_server_of_its_own_leaves_nothing_in_files_mail_or_output(sqlite_world: World) -> None:
    world = sqlite_world
    with serving(world) as served:
        status, body = served.post("/api/v1/signals", json.dumps(BODY).encode(), HEADERS)
        assert status == 201
        form = urllib.parse.urlencode({"postcode": POSTCODE, "house_number": "0", "note": NOTE}).encode()
        page = {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"}
        with pytest.raises(OSError, match="400"):
            served.post("/", form, page)
        wait_until(lambda: _mails_about_new_signals(world) == 2)  # its jobs write of other things, too
        world.clock.moment = datetime.now(UTC)
        _follow_up(world, arrive=False)
        served.terminate()
        output = served.log().encode()
    left = files(world.folder)
    assert any("mail" in name for name in left)
    receipt = json.loads(body)["receipt"]
    _assert_clean(left | {"output": output}, {**SENTINELS, "receipt": receipt})


def test_the_search_finds_a_sentinel_in_each_of_its_forms() -> None:
    """The search itself must be able to fail."""
    for form in forms(NOTE):
        with pytest.raises(AssertionError, match="note"):
            _assert_clean({"a file": b"before" + form + b"after"})


def _front(world: World, log: io.StringIO) -> FlaskClient:
    app = world.app(notes=NotesSettings(enabled=True), logging=LoggingSettings(level="DEBUG"))
    configure_logging(log, "DEBUG", date_only=True)
    return app.test_client()


def _name_neighbourhood(world: World) -> None:
    """Import it: the pages of the country are public, and compressed, so the search does not meet them."""
    rows = [(POSTCODE, NUMBER, (NEIGHBOURHOOD_NAME, "", "GM0363"))]
    import_places(world.begin, kind=NEIGHBOURHOOD, file=b"", rows=rows)


def _pass_on(world: World, log: io.StringIO) -> str:
    _name_neighbourhood(world)
    answer = _front(world, log).post(
        "/api/v1/signals", json=BODY, headers=HEADERS, environ_base={"REMOTE_ADDR": ADDRESS}
    )
    assert answer.status_code == 201
    receipt: str = answer.get_json()["receipt"]
    return receipt


def _follow_up(world: World, *, arrive: bool = True) -> None:
    """Arrival, the team's mail, and everything that a worker does."""
    if arrive:
        notifications = NotificationsSettings(delay_minutes=0, mail_folder=world.folder / "demo" / "mail")
        worker = world.worker(notifications=notifications, notes=NotesSettings(enabled=True))
        assert worker.arrive() == 1
        mail = FolderChannel(folder=world.folder / "demo" / "mail", sender="a@example.org")
        replace(worker, channels={"email": mail}).deliver()
    actor = world.staff()
    [signal] = world.signals()
    with world.sessions.begin() as session:
        casework.claim(world.operation(session, actor), signal_id=signal.id)
        casework.add_note(world.operation(session, actor), signal_id=signal.id, text=SECOND_NOTE)
        casework.record_attempt(
            world.operation(session, actor),
            signal_id=signal.id,
            kind=AttemptKind.VISIT,
            result=AttemptResult.CONTACT,
            attempted_at=world.clock.now(),
        )
        casework.conclude(
            world.operation(session, actor), signal_id=signal.id, outcome=Outcome.TALK_SUFFICED, **TOLD
        )


def _read(world: World) -> tuple[str, int, str | None, str]:
    [signal] = world.signals()
    report = open_report(world.keystore, signal)
    with world.sessions() as session:
        [note] = open_notes(world.keystore, session.merge(signal))
    return report.address.postcode, report.address.number, report.note, note.text


def _remains(world: World, request: pytest.FixtureRequest) -> dict[str, bytes]:
    """Every byte on disk: the world's folder and, where there is one, the data folder of PostgreSQL."""
    left = files(world.folder)
    if world.engine.dialect.name == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        server.execute("CHECKPOINT")
        begun = (world.folder / "signals.db").stat().st_mtime
        left |= files(server.data_folder, since=begun - 1) | {"server's log": server.log_file.read_bytes()}
    else:
        assert any(name.endswith("-wal") for name in left)
    return left


def _assert_clean(places: Mapping[str, bytes], sentinels: Mapping[str, str] = SENTINELS) -> None:
    found = sorted(
        f"{name} in {Path(place).name}"
        for place, content in places.items()
        for name, sentinel in sentinels.items()
        if any(_stands_in(content, form) for form in forms(sentinel))
    )
    assert found == []


def _stands_in(content: bytes, form: bytes) -> bool:
    """Look for a short number as a word: ids in hex and names with an oid have its digits by chance."""
    if len(form) >= 6:
        return form in content
    around = (
        content[max(0, one.start() - 1) : one.start()] + content[one.end() : one.end() + 1]
        for one in re.finditer(re.escape(form), content)
    )
    return any(not set(beside) & set(b"0123456789abcdef_") for beside in around)


def _mails_about_new_signals(world: World) -> int:
    """Count the delivered mails, one for each recipient."""
    sent = select(OutboxMessage.id).where(
        OutboxMessage.event == Event.NEW_SIGNAL, OutboxMessage.state == MessageState.DELIVERED
    )
    with world.sessions() as session:
        return len(session.scalars(sent).all())
