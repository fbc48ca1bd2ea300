"""`signals doctor`: what it calls a problem, and what it does not."""

import base64
import re
from datetime import date, timedelta
from pathlib import Path
from string import ascii_uppercase
from typing import cast
from uuid import uuid4

import pytest
from sqlalchemy import Table, delete, insert, make_url, select, update

from privacy.secret_files import write_new_secret_file
from signals.app import make_worker
from signals.clock import SystemClock, today
from signals.models import (
    CoverageArea,
    DeletionRecord,
    JobRun,
    MailboxPublicKey,
    MunicipalityOfPostcode,
    Organisation,
    SealedReport,
    StaffMember,
)
from signals.operations.job_runs import LATE
from signals.vocabulary import OrganisationKind
from tests.factories import DeletionRecordFactory, OutboxMessageFactory
from tests.factories.signals import SignalFactory
from tests.support.commands import Signals, insert_rows, problems, rows, statements, waiting_report
from tests.support.installation import settings_in


def test_a_healthy_installation_has_no_problem(signals: Signals) -> None:
    found = signals.json("doctor")
    assert [check["check"] for check in found["checks"] if not check["ok"]] == []
    assert len(found["checks"]) >= 9


def test_an_empty_database_is_a_problem(signals: Signals) -> None:
    signals("db", "downgrade", "base", "--yes")
    assert problems(signals) == {"database"}


def test_another_master_key_is_a_problem(signals: Signals) -> None:
    file = settings_in(signals.folder).keystore.master_key_file
    file.unlink()
    write_new_secret_file(file)
    assert "keystore" in problems(signals)


@pytest.mark.parametrize("gone", ["keystore", "master key"])
def test_a_keystore_that_was_never_made_is_mended_by_making_it(signals: Signals, gone: str) -> None:
    """`db upgrade` makes the tables of the database only: whoever stops there is told what comes next."""
    keystore = settings_in(signals.folder).keystore
    (Path(str(make_url(keystore.url).database)) if gone == "keystore" else keystore.master_key_file).unlink()
    found = signals.json("doctor", code=1)
    (mend,) = (check["mend"] for check in found["checks"] if check["check"] == "keystore")
    assert "signals init" in mend


def test_another_root_than_the_pinned_one_is_a_problem(signals: Signals) -> None:
    config = signals.folder / "config.toml"
    pinned = settings_in(signals.folder).front.root_public_key
    config.write_text(config.read_text().replace(pinned, base64.b64encode(bytes(32)).decode()))
    assert {"keystore", "routing"} <= problems(signals)


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "as-a-worker-has-it"])
def test_a_public_key_that_was_exchanged_in_the_database_is_a_problem(signals: Signals, pinned: bool) -> None:
    """The front refuses it; who looks with the worker's settings, which pin no root, must see it too."""
    config = signals.folder / "config.toml"
    if not pinned:
        root = settings_in(signals.folder).front.root_public_key
        config.write_text(config.read_text().replace(root, ""))
    assert signals.json("doctor")["ok"]
    national = select(Organisation.id).where(Organisation.name == "Landelijk").scalar_subquery()
    theirs = MailboxPublicKey.organisation_id == national
    statements(signals, update(MailboxPublicKey).where(theirs).values(public_key=bytes(range(32))))
    found = {check["check"]: check for check in signals.json("doctor", code=1)["checks"]}
    assert {name for name, check in found.items() if not check["ok"]} == {"routing", "public keys"}
    assert found["public keys"]["says"].startswith("5 are not as the keystore's root signed them: ")


def test_no_national_desk_is_a_problem(signals: Signals) -> None:
    statements(signals, update(Organisation).values(suspended_from=date(2024, 1, 1)))
    assert "routing" in problems(signals)


def test_an_installation_that_never_had_a_national_desk_is_a_problem(signals: Signals) -> None:
    statements(signals, update(Organisation).values(kind=OrganisationKind.SOCIAL_WORK), delete(CoverageArea))
    assert "routing" in problems(signals)


def test_municipalities_that_a_wrong_address_file_moved_are_a_problem(signals: Signals) -> None:
    moved = [f"{pc4}{one}{two}" for pc4 in range(1211, 1231) for one in "ABCDE" for two in ascii_uppercase]
    to_amsterdam = [{"first_pc6": pc6, "last_pc6": pc6, "municipality_code": "GM0363"} for pc6 in moved]
    statements(signals, insert(MunicipalityOfPostcode).values(to_amsterdam))
    assert problems(signals) == {"address file"}
    checked = signals.json("coverage", "check", "--on", "2026-11-24", code=1)["problems"]
    assert "Hilversum" in {found["name"] for found in checked if found["kind"] == "routes_elsewhere"}


def test_an_organisation_that_is_not_onboarded_is_a_problem(signals: Signals) -> None:
    statements(signals, update(Organisation).where(Organisation.name == "Amsterdam").values(legal_basis=None))
    assert problems(signals) == {"organisations"}


def test_mailbox_keys_that_run_out_are_a_problem(signals: Signals) -> None:
    ahead = MailboxPublicKey.week > today(SystemClock())
    statements(signals, delete(MailboxPublicKey).where(ahead))
    assert problems(signals) == {"mailbox keys"}


def test_doctor_shows_each_job_with_its_last_run_and_result(signals: Signals) -> None:
    worker = make_worker(settings_in(signals.folder))
    worker.runs.note("retention", "OSError", LATE)
    worker.close()
    (jobs,) = [check for check in signals.json("doctor", code=1)["checks"] if not check["ok"]]
    assert re.fullmatch(
        r"1 of 2 are late: retention never \(failed \d+ s ago: OSError\), arrival \d+ (s|min) ago",
        jobs["says"],
    )


def test_no_worker_at_all_is_a_problem(signals: Signals) -> None:
    statements(signals, delete(JobRun))
    assert problems(signals) == {"jobs"}


def test_reports_that_wait_or_were_refused_are_a_problem(signals: Signals) -> None:
    organisation_id = rows(signals, select(Organisation.id))[0]
    insert_rows(signals, waiting_report(organisation_id, uuid4()))
    assert problems(signals) == {"waiting reports"}
    statements(signals, update(SealedReport).values(refused_on=date(2026, 1, 6)))
    assert problems(signals) == {"refused reports"}
    (refused,) = signals.json("reports", "list")
    assert refused["refused_on"] == "2026-01-06"
    assert "0 arrived, 1 did not open." in signals("reports", "retry", code=1)
    signals("reports", "discard", refused["signal_id"], stdin="n\n", code=1)
    assert "1 deleted" in signals("reports", "discard", refused["signal_id"], "--yes")
    assert signals("reports", "list") == "No refused reports.\n"


def test_a_signal_that_nobody_can_read_is_a_problem_and_named(signals: Signals) -> None:
    organisation_id = rows(signals, select(Organisation.id))[0]
    lost = SignalFactory.build(organisation_id=organisation_id, unreadable_on=today(SystemClock()))
    lost.received_on = lost.claim_by = today(SystemClock())
    insert_rows(signals, lost)
    (found,) = [
        one for one in signals.json("doctor", code=1)["checks"] if one["check"] == "unreadable signals"
    ]
    assert (found["ok"], str(lost.id) in found["says"]) == (False, True)


def test_doctor_reports_overdue_data_that_still_exists_as_a_problem(signals: Signals) -> None:
    organisation_id = rows(signals, select(Organisation.id))[0]
    on = today(SystemClock())
    insert_rows(signals, DeletionRecordFactory.build(organisation_id=organisation_id, deleted_on=on))
    assert signals.json("doctor")["ok"]  # a minute's work, of today
    statements(signals, update(DeletionRecord).values(deleted_on=today(SystemClock()) - timedelta(days=1)))
    assert problems(signals) == {"retention"}
    statements(signals, update(DeletionRecord).values(key_destroyed_on=today(SystemClock())))
    assert signals.json("doctor")["ok"]


@pytest.mark.parametrize(("days", "is_problem"), [(29, False), (31, True)])
def test_a_signal_long_past_its_period_is_a_problem(signals: Signals, days: int, is_problem: bool) -> None:
    received_on = today(SystemClock()) - timedelta(days=days)
    owner = rows(signals, select(Organisation.id))[0]
    insert_rows(signals, SignalFactory.build(organisation_id=owner, received_on=received_on))
    checks = signals.json("doctor", code=1 if is_problem else 0)["checks"]
    assert {check["check"] for check in checks if not check["ok"]} == ({"retention"} if is_problem else set())


def test_mail_that_does_not_leave_is_a_problem(signals: Signals) -> None:
    insert_rows(signals, OutboxMessageFactory.build())
    assert problems(signals) == {"outbox"}


def test_an_account_that_somebody_changed_in_the_database_is_a_problem_until_it_is_accepted(
    signals: Signals,
) -> None:
    person = ("--organisation", "Amsterdam", "--role", "worker", "--name", "W", "--email", "w@example.org")
    signals("staff", "add", *person, "--password-stdin", stdin="zeven groene fietsen\n")
    changed = cast(Table, StaffMember.__table__)
    statements(signals, update(changed).values(role="lead"))
    assert problems(signals) == {"accounts"}
    assert "did not write" in signals("staff", "reset", "w@example.org", code=1)
    arguments = ("staff", "reset", "--accept-row", "w@example.org")
    assert "role: lead" in signals(*arguments, code=1, stdin="n\n")
    assert problems(signals) == {"accounts"}
    signals(*arguments, stdin="y\n")
    signals("doctor")
