"""Commands about messages: dead letters, drills, and a doctor that looks at the channels."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, make_url, select, update

from notifications.models import DeliveryAttempt, MessageState, OutboxMessage
from notifications.outbox import enqueue
from signals.clock import AMSTERDAM
from signals.db import make_engine, session_factory
from signals.models import Drill, Organisation, Recipient
from signals.settings import Settings
from tests.notifications.building import new_message, subject
from tests.notifications.smtp_server import HOST, Mailbox, smtp_server
from tests.support.commands import TEAMS, Signals, rows, statements, take_on
from tests.support.installation import install, settings_in


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation")
    install(folder)
    script = Signals(folder)
    teams = script.file("teams.csv", TEAMS)
    take_on(script, teams)
    return folder


@pytest.fixture
def script(signals: Signals) -> Signals:
    return signals


def given_up(script: Signals, *numbers: int, recipient: str = "c@example.org") -> list[str]:
    """Dead letters to a recipient of Amsterdam; gives their ids."""
    engine = make_engine(settings_of(script).database.url)
    with session_factory(engine).begin() as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == "Amsterdam")).one()
        to = {"organisation_id": team, "recipient": recipient, "channel": "email"}
        enqueue(session, [new_message(subject_id=subject(number), **to) for number in numbers])
    engine.dispose()
    statements(script, update(OutboxMessage).values(state=MessageState.FAILED))
    return [str(found) for found in rows(script, select(OutboxMessage.id).order_by(OutboxMessage.subject_id))]


def settings_of(script: Signals) -> Settings:
    return settings_in(script.folder)


def states(script: Signals) -> list[MessageState]:
    return rows(script, select(OutboxMessage.state).order_by(OutboxMessage.subject_id))


# Dead letters


def test_dead_letters_are_listed_without_addresses(script: Signals) -> None:
    [letter] = given_up(script, 1)
    output = script("outbox", "list")
    assert letter in output
    assert "@" not in output
    assert [found["id"] for found in script.json("outbox", "list")] == [letter]


def test_named_dead_letters_are_sent_again_and_the_others_stay(script: Signals) -> None:
    letters = given_up(script, 1, 2)
    assert script.json("outbox", "retry", letters[0]) == {"queued": 1, "left": 0}
    assert sorted(states(script)) == [MessageState.FAILED, MessageState.QUEUED]


@pytest.mark.parametrize(
    ("command", "told", "becomes"),
    [
        ("retry", {"queued": 1, "left": 0}, MessageState.QUEUED),
        ("drop", {"dropped": 1}, MessageState.EXPIRED),
    ],
)
def test_the_dead_letters_of_one_cause_are_meant_and_no_others(
    script: Signals, command: str, told: dict[str, int], becomes: MessageState
) -> None:
    for letter, problem in zip(given_up(script, 1, 2), ("smtp_550", "smtp_552"), strict=True):
        tried = {"id": uuid.uuid4(), "message_id": uuid.UUID(letter), "at": datetime.now(UTC)}
        statements(script, insert(DeliveryAttempt).values(delivered=False, problem=problem, **tried))
    assert script.json("outbox", command, "--cause", "smtp_550") == told
    assert states(script) == [becomes, MessageState.FAILED]


def test_retry_leaves_and_names_messages_to_an_address_that_nobody_has_any_more(script: Signals) -> None:
    given_up(script, 1, recipient="weg@example.org")
    assert script.json("outbox", "list")[0]["address"] == "gone"
    assert "fix: no recipient of this organisation has confirmed this address" in script("outbox", "list")
    output = script("outbox", "retry", "--all")
    assert output == "0 will be sent again, 1 left: no recipient has confirmed that address\n"
    assert states(script) == [MessageState.FAILED]


def test_all_dead_letters_can_be_dropped(script: Signals) -> None:
    given_up(script, 1, 2)
    assert script.json("outbox", "drop", "--all") == {"dropped": 2}
    assert states(script) == [MessageState.EXPIRED] * 2


@pytest.mark.parametrize(
    "arguments", [(), ("--all", str(uuid.UUID(int=1))), ("--all", "--cause", "smtp_550"), ("no-id",)]
)
def test_dead_letters_are_named_or_all_are_meant(script: Signals, arguments: tuple[str, ...]) -> None:
    script("outbox", "retry", *arguments, code=2)


# Drills


def test_a_drill_goes_to_an_organisation_by_name_or_id(script: Signals) -> None:
    assert script.json("drill", "--organisation", "Amsterdam")["sent"] == 1
    [national] = rows(script, select(Organisation.id).where(Organisation.name == "Landelijk"))
    told = script.json("drill", "--organisation", str(national))
    assert told == {"sent": 1, "organisations": [{"name": "Landelijk", "what": "sent"}]}


def test_why_an_organisation_gets_no_drill_now_is_said(script: Signals) -> None:
    script("drill", "--organisation", "Amsterdam")
    statements(script, update(Drill).values(sent_on=date(2026, 3, 2)))
    assert script("drill", "--organisation", "Amsterdam") == (
        "Amsterdam: not sent: the drill of 2026-03-02 waits for its answer\n0 sent\n"
    )


def test_a_drill_that_has_nobody_to_go_to_is_said_to_have_none(script: Signals) -> None:
    statements(script, update(Recipient).values(verified_on=None))
    output = script("drill", "--organisation", "Amsterdam")
    assert output.startswith("Amsterdam: sent to nobody yet: no recipient has a confirmed address")


def test_a_drill_that_waits_for_the_end_of_quiet_hours_says_until_when(script: Signals) -> None:
    now = datetime.now(AMSTERDAM)
    quiet = {"quiet_from": now.hour, "quiet_until": (now.hour + 2) % 24}
    statements(script, update(Organisation).values(**quiet))
    output = script("drill", "--organisation", "Amsterdam")
    assert output.startswith("Amsterdam: sent when the team may be written to, ")
    assert output.endswith(":00\n1 sent\n")


def test_a_drill_to_all_and_what_came_of_it(script: Signals) -> None:
    assert script.json("drill", "--all")["sent"] == 2
    assert {proof["waits"] for proof in script.json("drill", "--show")} == {True}
    assert "Amsterdam: never proved; waits for an answer" in script("drill", "--show")
    assert len(rows(script, select(Drill.id))) == 2


def test_an_unknown_organisation_and_two_wishes_at_once_are_refused(script: Signals) -> None:
    script("drill", "--organisation", "Nergens", code=2)
    script("drill", "--all", "--show", code=2)


def test_without_a_wish_the_job_runs_once(script: Signals) -> None:
    assert set(script.json("drill")) == {"sent", "notified", "missed", "suspended"}


# The doctor


def test_a_disk_that_is_nearly_full_is_a_problem_before_reports_are_refused(
    script: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = dict.fromkeys((script.folder, *script.folder.rglob("*")), 2**40)
    keystore = make_url(settings_of(script).keystore.url).database
    free[Path(str(keystore)).parent] = 199 * 2**20
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free[folder]))
    output = script("doctor", code=1)
    assert "PROBLEM disk: 199 MB free where keystore.url lies" in output
    assert "Disk full" in output


@contextmanager
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A real mail server, which the settings name while the block lasts and afterwards."""
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        wanted = {"MAIL_FOLDER": "", "SMTP_HOST": HOST, "SMTP_PORT": str(port), "SMTP_SECURITY": "none"}
        for name, value in wanted.items():
            monkeypatch.setenv(f"SIGNALS__NOTIFICATIONS__{name}", value)
        yield mailbox


def channel(found: list[dict[str, object]], name: str) -> dict[str, object]:
    [check] = [check for check in found if check["check"] == name]
    return check


def test_the_doctor_signs_in_at_the_mail_server_and_says_that_text_messages_are_off(
    script: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(monkeypatch) as mailbox:
        found = script.json("doctor", code=1)["checks"]
    email, sms = channel(found, "channel email"), channel(found, "channel sms")
    assert (email["ok"], email["says"]) == (True, "signed in")
    assert (sms["ok"], sms["says"]) == (True, "off")
    assert mailbox.inbox == []


def test_the_doctor_says_that_the_mail_server_is_away(
    script: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(monkeypatch):
        pass
    found = script.json("doctor", code=1)["checks"]
    email = channel(found, "channel email")
    assert email["says"] == "the mail server cannot be reached (smtp_connection)"
    assert "notifications.smtp_host" in str(email["mend"])


def test_a_password_file_that_is_not_there_is_named(script: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALS__NOTIFICATIONS__SMTP_PASSWORD_FILE", str(script.folder / "weg"))
    assert "notifications.smtp_password_file cannot be read" in script("doctor", code=1)


def test_the_doctor_says_what_to_do_with_dead_letters_and_the_list_says_why(script: Signals) -> None:
    given_up(script, 1)
    outbox = channel(script.json("doctor", code=1)["checks"], "outbox")
    assert "signals outbox list" in str(outbox["mend"])
    assert "fix: look into the worker's log" in script("outbox", "list")


def test_the_doctor_sends_a_test_message_on_request(script: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(monkeypatch) as mailbox:
        found = script.json("doctor", "--send-test", "beheer@example.org", code=1)["checks"]
    assert channel(found, "test message")["ok"] is True
    assert [envelope.rcpt_tos for envelope in mailbox.inbox] == [["beheer@example.org"]]


@pytest.mark.parametrize("address", ["0612345678", "niemand"])
def test_a_test_message_needs_a_channel_that_is_on(script: Signals, address: str) -> None:
    found = script.json("doctor", "--send-test", address, code=1)["checks"]
    assert channel(found, "test message")["ok"] is False
    assert address not in str(found)
