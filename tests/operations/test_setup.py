"""`signals setup` on a fresh machine: a real PostgreSQL, and a worker that really runs."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from privacy.passwords import PasswordHasherSettings
from signals.app import make_worker
from signals.demo.organisations import go_live
from signals.models import Organisation
from signals.notices.drills import Drills
from signals.operations.setup.plan import keep_password, pending, settings_of_worker
from signals.organisations.csv_import import import_organisations
from signals.staff.accounts import add_staff
from signals.vocabulary import Role
from tests.support.commands import TEAMS
from tests.support.fresh_machine import PASSWORD, FreshMachine, fresh_machine

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FreshMachine]:
    for variable in ("SIGNALS_CONFIG", "SIGNALS__ROLE"):
        monkeypatch.delenv(variable, raising=False)
    with fresh_machine(tmp_path, monkeypatch) as here:
        yield here


def test_setup_makes_a_machine_on_which_doctor_finds_nothing(fresh: FreshMachine) -> None:
    keep_password(fresh.machine.secret("smtp.password"), PASSWORD)
    first = fresh.setup("--answers", str(fresh.root / "setup.toml"), "--yes")
    assert first.exit_code == 0, first.output
    assert [line for line in first.output.splitlines() if line.startswith("PROBLEM")] == [
        "PROBLEM routing: no national desk receives"
    ]
    assert "add the organisations" in first.output
    _go_live(fresh)
    before, told = fresh.everything(), fresh.told
    again = fresh.setup("--yes")
    assert again.exit_code == 0, again.output
    assert "Nothing to do" in again.output
    assert "PROBLEM" not in again.output
    assert fresh.everything() == before
    assert not [line for line in fresh.told[len(told) :] if not line.startswith("is-active")]


def _go_live(fresh: FreshMachine) -> None:
    worker = make_worker(settings_of_worker(fresh.machine))
    with worker.begin() as operation:
        import_organisations(operation, file=StringIO(TEAMS))
    with worker.begin() as operation:
        organisations = operation.session.scalars(select(Organisation)).all()
        for number, organisation in enumerate(organisations):
            add_staff(
                operation,
                organisation_id=organisation.id,
                role=Role.LEAD,
                name="L",
                email=f"lead{number}@example.org",
                password="een lange zin als wachtwoord",
                hasher=PasswordHasherSettings(memory_kib=8, time_cost=1),
            )
        go_live(operation, drills=Drills(public_url="https://desk.voorbeeld.nl"), organisations=organisations)
    worker.provision_keys()
    worker.close()


def test_after_an_interruption_at_any_step_the_next_run_does_the_rest(fresh: FreshMachine) -> None:
    """Each round is a run that stops after its first step."""
    keep_password(fresh.machine.secret("smtp.password"), PASSWORD)
    done: list[str] = []
    while steps := pending(fresh.machine):
        assert steps[0].says not in done, done
        steps[0].act()
        done.append(steps[0].says)
    made = fresh.everything()
    assert "start signals-worker.service" in done[-1]
    assert fresh.setup("--answers", str(fresh.root / "setup.toml"), "--yes").exit_code == 0
    assert fresh.everything() == made
    _front_cannot_enter_the_keystore(fresh)
    _plan_makes_no_table_of_the_keystore(fresh)


def _plan_makes_no_table_of_the_keystore(fresh: FreshMachine) -> None:
    there = "SELECT to_regclass('pseudonym_keys') IS NOT NULL"
    fresh.postgres.execute("DROP TABLE pseudonym_keys", "signals_keys")
    assert "make the keystore" in fresh.setup("--plan").output
    assert fresh.postgres.execute(there, "signals_keys") == "f"
    fresh.setup("--yes")
    assert fresh.postgres.execute(there, "signals_keys") == "t"


def _front_cannot_enter_the_keystore(fresh: FreshMachine) -> None:
    for database in ("signals", "signals_keys"):
        url = fresh.postgres.dsn(database).replace("postgres@", "signals_front@")
        with pytest.raises(psycopg.OperationalError, match=r"(?i)peer|denied"):
            psycopg.connect(url)
    may = "SELECT has_database_privilege('signals_front', '{}', 'CONNECT')"
    assert fresh.postgres.execute(may.format("signals_keys")) == "f"
    assert fresh.postgres.execute(may.format("signals")) == "t"


def test_nothing_happens_before_a_yes_and_without_what_others_give(fresh: FreshMachine) -> None:
    before = fresh.everything()
    answers = ("--answers", str(fresh.root / "setup.toml"))
    lacking = fresh.setup(*answers, "--yes")
    assert lacking.exit_code == 1
    assert "secrets/smtp.password" in lacking.output
    shown = fresh.setup(*answers, "--plan").output
    assert "CREATE ROLE signals_front LOGIN" in shown
    assert "server_name meldpunt.voorbeeld.nl;" in shown
    assert fresh.everything() == before
    assert fresh.postgres.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'signals%'") == "0"
