"""The commands do what they say, with exit codes that a program can go by, and explain themselves."""

import sys
import threading
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from notifications.models import OutboxMessage
from signals.db import make_engine
from signals.models import AuditEntry, CoverageArea, Organisation, StaffMember, StaffSession, StoppedAccount
from tests.factories import MOMENT
from tests.support.commands import TEAMS, Signals, rows, statements
from tests.support.installation import settings_in

ADDRESSES = "PC6;Huisnummer;Gemeente2026\n1012AB;12;0384\n"


PASSWORD = "een lang wachtwoord"


def add_worker(signals: Signals, email: str = "w@example.org", **options: str) -> str:
    values = {"organisation": "Amsterdam", "role": "worker", "name": "W", "email": email} | options
    arguments = [text for name, value in values.items() for text in (f"--{name}", value)]
    return signals("staff", "add", *arguments, "--password-stdin", stdin=f"{PASSWORD}\n")


def test_an_unknown_command_is_called_wrongly(signals: Signals) -> None:
    signals("dance", code=2)


def test_refused_settings_are_listed_and_nothing_is_done(signals: Signals) -> None:
    config = signals.folder / "config.toml"
    config.write_text(config.read_text() + "\n[server]\nprot = 1\n[kitchen]\nsink = 1\n")
    output = signals("doctor", code=1)
    assert "server.prot" in output
    assert "kitchen" in output


def test_init_writes_once_and_never_over(tmp_path: Path) -> None:
    signals = Signals(tmp_path)
    assert "made           settings" in signals("init")
    before = {
        path: path.read_bytes() for path in (tmp_path / "config.toml", tmp_path / "var/secrets/master.key")
    }
    assert "already" in signals("init")
    assert {path: path.read_bytes() for path in before} == before


def test_the_demo_is_refused_in_production(signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALS__ENVIRONMENT", "production")
    signals("demo", code=1)


@pytest.mark.parametrize(
    ("command", "until_stopped"),
    [("work", "signals.operations.schedule.run_until_stopped"), ("serve", "signals.operations.server.serve")],
)
def test_a_process_that_crashes_logs_no_text_of_the_exception(
    signals: Signals, monkeypatch: pytest.MonkeyPatch, command: str, until_stopped: str
) -> None:
    for module in (sys, threading):
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    monkeypatch.setattr(until_stopped, lambda *_parts, **_more: None)
    signals(command)
    assert {sys.excepthook.__module__, threading.excepthook.__module__} == {"privacy.logs"}


# db
def test_a_migrated_database_is_as_this_version_wants_it(signals: Signals) -> None:
    assert signals.json("db", "check")["ok"]
    assert signals.json("db", "upgrade") == {"upgraded": False}


@pytest.mark.slow
def test_an_empty_database_is_behind_and_can_be_brought_up(signals: Signals) -> None:
    signals("db", "downgrade", "base", "--yes")
    found = signals.json("db", "check", code=1)
    assert (found["ok"], found["revision"]) == (False, None)
    assert signals.json("db", "upgrade") == {"upgraded": True}
    signals("db", "check")


def test_tables_changed_by_hand_are_noticed(signals: Signals) -> None:
    engine = make_engine(settings_in(signals.folder).database.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE organisations ADD COLUMN colour VARCHAR(9)")
    engine.dispose()
    assert signals.json("db", "check", code=1)["differences"] == 1


def test_going_down_asks_first(signals: Signals) -> None:
    signals("db", "downgrade", "base", code=1, stdin="n\n")
    signals("db", "check")


def test_a_revision_that_is_none_is_called_wrongly(signals: Signals) -> None:
    signals("db", "downgrade", "9999", "--yes", code=2)


# coverage
def test_show_names_who_receives(signals: Signals) -> None:
    found = signals.json("coverage", "show", "1012 ab", "12")
    assert found["covered"]
    assert (found["organisation"]["name"], found["municipality"]["code"]) == ("Amsterdam", "GM0363")
    assert "Landelijk" in signals("coverage", "show", "9711AA")
    too_early = signals("coverage", "show", "9711AA", "--on", "2020-01-01", code=1)
    assert "no national desk receives" in too_early


@pytest.mark.parametrize("arguments", [("99",), ("1012AB", "0"), ("1012AB", "twelve"), ()])
def test_show_of_no_address_is_called_wrongly(signals: Signals, arguments: tuple[str, ...]) -> None:
    signals("coverage", "show", *arguments, code=2)


def test_gaps_are_problems(signals: Signals) -> None:
    found = signals.json("coverage", "check", "--on", "2026-11-24", code=1)
    assert "falls_to_national" in {problem["kind"] for problem in found["problems"]}
    assert found["next_change"]["effective_date"] == "2027-01-01"


def test_the_check_tells_from_whom_to_whom_the_next_boundary_change_moves_postcodes(signals: Signals) -> None:
    [amsterdam] = rows(signals, select(Organisation.id).where(Organisation.name == "Amsterdam"))
    area = {"organisation_id": amsterdam, "valid_from": date(2024, 1, 1)}
    ended = {"level": "municipality", "area": "GM1696", "valid_until": date(2027, 1, 1)}
    finer = {"level": "pc4", "area": "1231", "valid_until": None}
    added = [area | {"id": uuid4()} | each for each in (ended, finer)]
    statements(signals, insert(CoverageArea).values(added))
    said = signals("coverage", "check", "--on", "2026-11-24", code=1)
    assert "  1231: Amsterdam, before and after" in said
    assert "  1232-1244, 1394, 3625: Amsterdam until then, then Landelijk" in said
    [move] = signals.json("coverage", "check", "--on", "2026-11-24", code=1)["next_change"]["moves"]
    assert {found["after"]["name"] for found in move["handovers"]} == {"Amsterdam", "Landelijk"}


def test_the_address_file_is_taken_over_once(signals: Signals) -> None:
    file = signals.file("pc6hnr.csv", ADDRESSES)
    assert signals.json("coverage", "import", file, "--partial")["added"] == 1
    assert signals.json("coverage", "import", file)["kept"] == 1
    assert signals.json("coverage", "show", "1012AB", "12")["municipality"]["code"] == "GM0384"


def test_a_dry_run_of_the_address_file_changes_nothing(signals: Signals) -> None:
    file = signals.file("pc6hnr.csv", ADDRESSES)
    assert signals.json("coverage", "import", file, "--partial", "--dry-run")["added"] == 1
    assert signals.json("coverage", "show", "1012AB", "12")["municipality"]["code"] == "GM0363"


def test_a_file_that_lacks_most_of_the_country_is_taken_as_a_part_and_that_is_said(signals: Signals) -> None:
    file = signals.file("pc6hnr.csv", ADDRESSES)
    said = signals("coverage", "import", file, "--dry-run")
    assert "1 of about 7,985,899 addresses" in said
    assert "Taken as a part" in said
    assert "1 added" in said
    assert "Taken as a part" not in signals("coverage", "import", file, "--partial", "--dry-run")
    taken = signals.json("coverage", "import", file)
    assert (taken["partial"], taken["added"], taken["removed"]) == (True, 1, 0)
    assert signals.json("coverage", "show", "1012AB", "12")["municipality"]["code"] == "GM0384"
    assert signals.json("coverage", "show", "1013AB", "12")["municipality"]["code"] == "GM0363"


def test_another_file_is_refused(signals: Signals) -> None:
    assert "missing" in signals("coverage", "import", signals.file("other.csv", "a;b\n1;2\n"), code=1)
    signals("coverage", "import", str(signals.folder / "none.csv"), code=2)


# organisations
def test_the_list_says_which_organisations_receive(signals: Signals) -> None:
    found = signals.json("organisations", "list")
    assert [(one["name"], one["receives"]) for one in found] == [("Amsterdam", True), ("Landelijk", True)]
    assert "Amsterdam, social_work, receives" in signals("organisations", "list")


def test_a_merger_waits_until_the_predecessor_receives_nothing_more(signals: Signals) -> None:
    refused = signals("organisations", "merge", "Amsterdam", "Landelijk", code=1)
    assert "still covers an area" in refused
    assert "no organisation" in signals("organisations", "merge", "Nobody", "Landelijk", code=1)


def test_a_team_that_would_stop_to_receive_is_told_with_what_to_do(signals: Signals) -> None:
    file = signals.file("more.csv", TEAMS.replace("c@", "e@").replace("d@", "f@"))
    for more in ((), ("--dry-run",)):
        said = signals("organisations", "import", file, *more, code=1)
        assert "line 3: recipient_1 stops_unverified" in said
        assert "let its reader press the link" in said


def test_on_a_terminal_a_bar_says_how_far_an_import_is(
    signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = signals.file("pc6hnr.csv", ADDRESSES)
    assert "reading" not in signals("coverage", "import", file, "--partial", "--dry-run")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich then takes any stream for a terminal
    assert "reading" in signals("coverage", "import", file, "--partial", "--dry-run")


def test_a_dry_run_of_organisations_changes_nothing(signals: Signals) -> None:
    file = signals.file("more.csv", TEAMS.replace("Amsterdam,", "Ander,").replace("GM0363", "GM0014"))
    kinds = [
        change["kind"] for change in signals.json("organisations", "import", file, "--dry-run")["changes"]
    ]
    assert "organisation_added" in kinds
    assert len(rows(signals, select(Organisation.id))) == 2


def test_a_file_in_another_encoding_is_refused(signals: Signals) -> None:
    (signals.folder / "latin.csv").write_bytes(TEAMS.replace("Amsterdam,", "Súdwest,").encode("latin-1"))
    assert "UTF-8" in signals("organisations", "import", str(signals.folder / "latin.csv"), code=1)


# staff
def test_a_person_is_added_and_told_the_totp_secret(signals: Signals) -> None:
    output = add_worker(signals)
    assert "otpauth://totp/" in output
    assert PASSWORD not in output
    assert [member.email for member in rows(signals, select(StaffMember))] == ["w@example.org"]


def test_a_person_is_refused_with_the_reasons(signals: Signals) -> None:
    arguments = ["--role", "worker", "--name", "W", "--email", "w@example.org", "--password-stdin"]
    output = signals("staff", "add", *arguments, code=1, stdin="short\n")
    assert "organisation_id: This is missing. (required)" in output
    assert "password: This is too short. (too_short)" in output
    signals("staff", "add", "--organisation", "Nergens", *arguments, code=2, stdin=f"{PASSWORD}\n")


def test_a_token_is_issued_and_ends_with_the_account(signals: Signals) -> None:
    add_worker(signals)
    assert signals.json("staff", "token", "W@example.org", "--label", "case system")["token"].startswith(
        "sig_"
    )
    assert "w@example.org  W, worker, Amsterdam" in signals("staff", "list", "--organisation", "Amsterdam")
    signals("staff", "disable", "w@example.org")
    assert [one["disabled"] for one in signals.json("staff", "list")] == [True]
    assert signals.json("staff", "list", "--organisation", "Landelijk") == []
    assert all(each.revoked_at for each in rows(signals, select(StaffSession)))
    assert "is disabled" in signals("staff", "token", "w@example.org", "--label", "again", code=1)


def test_the_operator_lets_in_again_where_nobody_of_the_team_could_approve_and_all_are_told(
    signals: Signals,
) -> None:
    add_worker(signals, "lead@example.org", role="lead")
    add_worker(signals, "fg@example.org", role="privacy_officer")
    admin = ["--role", "administrator", "--name", "B", "--email", "admin@example.org", "--password-stdin"]
    signals("staff", "add", *admin, stdin=f"{PASSWORD}\n")
    signals("staff", "disable", "lead@example.org")
    assert signals.json("staff", "reset", "Lead@example.org") == {"reset": True}
    lead = select(StaffMember).where(StaffMember.email == "lead@example.org")
    assert [member.disabled_at for member in rows(signals, lead)] == [None]
    messages = {(one.event, one.recipient) for one in rows(signals, select(OutboxMessage))}
    assert messages == {
        ("account_link", "lead@example.org"),
        ("account_changed", "fg@example.org"),
        ("account_changed", "admin@example.org"),
    }
    grounds = {entry.ground for entry in rows(signals, select(AuditEntry)) if entry.actor_role == "system"}
    assert {"reopened", "recovered"} <= grounds


def test_a_reset_lets_an_account_go_on_that_nobody_else_of_the_team_could_release(signals: Signals) -> None:
    add_worker(signals, "lead@example.org", role="lead")
    [lead] = rows(signals, select(StaffMember))
    engine = make_engine(settings_in(signals.folder).database.url)
    stopped = {"staff_member_id": lead.id, "organisation_id": lead.organisation_id, "stopped_at": MOMENT}
    with engine.begin() as connection:
        connection.execute(insert(StoppedAccount).values(stopped))
    engine.dispose()
    signals("staff", "reset", "lead@example.org")
    assert [one.released_at is not None for one in rows(signals, select(StoppedAccount))] == [True]


@pytest.mark.parametrize("command", [("disable",), ("reset",), ("token", "--label", "x")])
def test_nobody_by_that_address_is_called_wrongly(signals: Signals, command: tuple[str, ...]) -> None:
    signals("staff", command[0], "nobody@example.org", *command[1:], code=2)
