"""`signals statistics release`: what it says, and how it ends."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from click.testing import CliRunner, Result

from privacy.disclosure.folder import DESCRIPTION
from signals.cli import main
from signals.cli.database_findings import Finding
from signals.cli.doctor import examine
from signals.clock import FixedClock, SystemClock, today
from signals.db import make_engine, session_factory
from signals.demo.facts import closed_quarters
from signals.statistics.counting import last_day_of
from signals.statistics.exports import write_folder
from tests.support.figures import facts
from tests.support.installation import install, settings_in

Run = Callable[..., Result]

NATIONAL_DESK = """\
name,kind,level,area,valid_from,agreement_on,legal_basis,retention_basis,recipient_1,recipient_2
Landelijk,national,national,NL,2024-01-01,2024-01-01,Wmo,Lijst,a@example.org,b@example.org
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The console script on an installation whose last closed quarter has forty signals."""
    install(tmp_path)
    engine = make_engine(settings_in(tmp_path).database.url)
    with session_factory(engine).begin() as session:
        facts(session, [{"received_quarter": _closed(), "concluded_quarter": _closed()}] * 40)
    engine.dispose()

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(tmp_path / "config.toml"), "statistics", *arguments])

    return invoke


def test_a_closed_quarter_is_released_once(run: Run) -> None:
    first, second = run("release", _closed()), run("release", _closed())
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.output.startswith(f"{_closed()} is released: intake, follow_up, outcome_groups.\n\n")
    assert ": nothing done.\n\n# Verslag van de toets" in second.output


def test_the_protocol_is_printed_in_dutch_and_in_english_by_choice(run: Run) -> None:
    dutch, english = run("release", _closed()), run("release", _closed(), "--language", "en")
    assert "Elke verborgen cel houdt ten minste 5\nmogelijke waarden over." in dutch.output
    assert "Each hidden cell keeps at least 5 possible values" in english.output
    told = json.loads(run("release", _closed(), "--language", "en", "--json").stdout)
    assert (told["language"], told["protocol"][:10]) == ("en", "# Protocol")
    assert run("release", _closed(), "--language", "fr").exit_code == 2


def test_a_program_reads_what_was_done(run: Run) -> None:
    told: dict[str, Any] = json.loads(run("release", _closed(), "--json").stdout)
    assert (told["period"], told["is_new"], told["withheld"]) == (_closed(), True, [])
    assert json.loads(run("release", _closed(), "--json").stdout)["is_new"] is False


@pytest.mark.parametrize(
    ("period", "why"), [("2999-Q1", "not over yet"), ("soon", "not a period"), ("2001-Q1", "is next")]
)
def test_a_refusal_ends_with_1_and_says_why(run: Run, period: str, why: str) -> None:
    done = run("release", period)
    assert done.exit_code == 1
    assert why in done.output


def test_the_quarter_that_must_come_first_is_named_by_the_command(run: Run, tmp_path: Path) -> None:
    before, first = closed_quarters(today(SystemClock()))[-3:-1]
    engine = make_engine(settings_in(tmp_path).database.url)
    with session_factory(engine).begin() as session:
        facts(session, [{"received_quarter": first, "concluded_quarter": first}] * 40)
    engine.dispose()
    for refused in (before, _closed()):
        done = run("release", refused)
        assert done.exit_code == 1
        assert done.output == f"Error: {refused} cannot be released: {first} is next\n"
    assert [run("release", period).exit_code for period in (first, _closed())] == [0, 0]


def test_a_period_must_be_named(run: Run) -> None:
    assert run("release").exit_code == 2


def test_written_open_data_passes_the_check_of_an_outsider(run: Run, tmp_path: Path) -> None:
    run("release", _closed())
    engine = make_engine(settings_in(tmp_path).database.url)
    with session_factory(engine)() as session:
        assert write_folder(session, tmp_path / "figures", licence="CC0-1.0") == 3
    engine.dispose()
    done = run("verify", str(tmp_path / "figures"))
    assert done.exit_code == 0, done.output


# After a restore


@pytest.fixture
def published(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What was published of a release that the restored database knows nothing of; the keystore does.

    No cell is hidden by chance: what a test looks for or changes is shown on every run.
    """
    monkeypatch.setattr("privacy.disclosure.protection._hide_by_chance", lambda *_given: None)
    here, kept = tmp_path / "var" / "signals.db", tmp_path / "kept.db"
    _copy(here, kept)
    assert run("release", _closed()).exit_code == 0
    _write_folder(tmp_path)
    _copy(kept, here)
    return tmp_path / "figures"


def test_a_release_that_a_restore_lost_is_brought_back_from_what_was_published(
    run: Run, published: Path, tmp_path: Path
) -> None:
    refused = run("release", _closed())
    assert refused.exit_code == 1
    assert f"release {_closed()} --after FOLDER" in " ".join(refused.output.split())
    before = (published / DESCRIPTION).read_bytes()
    done = run("release", _closed(), "--after", str(published))
    assert done.exit_code == 0, done.output
    assert done.output.startswith(
        f"{_closed()} is brought back as it was published.\n{_closed()} was released"
    )
    again = json.loads(run("release", _closed(), "--after", str(published), "--json").stdout)
    assert (again["adopted"], again["is_new"]) == ([], False)
    shutil.copytree(published, tmp_path / "older")
    _write_folder(tmp_path)
    assert (published / DESCRIPTION).read_bytes() == before
    assert run("verify", str(published), "--against", str(tmp_path / "older")).exit_code == 0


def test_a_program_reads_what_was_brought_back_and_whether_it_was_recounted(
    run: Run, published: Path, tmp_path: Path
) -> None:
    engine = make_engine(settings_in(tmp_path).database.url)
    with session_factory(engine).begin() as session:  # what is there now is not what was counted then
        facts(session, [{"received_quarter": _closed(), "concluded_quarter": _closed()}] * 40)
    engine.dispose()
    told = json.loads(run("release", _closed(), "--after", str(published), "--json").stdout)
    assert told["adopted"] == [{"period": _closed(), "recounted": False}]


def test_a_folder_that_cannot_be_brought_back_is_refused_in_words(run: Run, published: Path) -> None:
    missing = run("release", _closed(), "--after", str(published / "nothing"))
    assert missing.exit_code == 2
    (published / DESCRIPTION).write_text("{}")
    broken = run("release", _closed(), "--after", str(published))
    assert broken.exit_code == 2
    assert "--after" in broken.output
    assert "Traceback" not in broken.output


def test_a_folder_of_another_history_is_refused(run: Run, published: Path) -> None:
    described = json.loads((published / DESCRIPTION).read_text())
    csv = published / described["resources"][0]["path"]
    assert run("release", _closed(), "--after", str(published)).exit_code == 0
    before = csv.read_text()
    csv.write_text(before.replace(",40\n", ",45\n"))
    assert csv.read_text() != before
    refused = run("release", _closed(), "--after", str(published))
    assert refused.exit_code == 1
    assert "was released otherwise here" in refused.output


def _copy(source: Path, target: Path) -> None:
    with closing(connect(source)) as here, closing(connect(target)) as there:
        here.backup(there)


def _write_folder(folder: Path) -> None:
    engine = make_engine(settings_in(folder).database.url)
    with session_factory(engine)() as session:
        write_folder(session, folder / "figures", licence="CC0-1.0")
    engine.dispose()


# Late


def test_the_doctor_tells_of_a_quarter_that_should_have_been_released(run: Run, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    teams = tmp_path / "teams.csv"
    teams.write_text(NATIONAL_DESK)
    config = str(tmp_path / "config.toml")
    CliRunner().invoke(main, ["--config", config, "organisations", "import", str(teams)])
    late = FixedClock(datetime.combine(last_day_of(_closed()) + timedelta(days=38), time(12), UTC))
    early = FixedClock(late.moment - timedelta(days=1))

    def look(clock: FixedClock) -> list[Finding]:
        return [finding for finding in examine(settings, clock) if finding.check == "figures"]

    assert [finding.ok for finding in look(early)] == [True]
    (finding,) = look(late)
    assert (finding.ok, finding.says) == (
        False,
        f"nothing released yet, 0 tables withheld; {_closed()} is late",
    )
    run("release", _closed())
    (finding,) = look(late)
    assert (finding.ok, finding.says) == (True, f"{_closed()} released last, 0 tables withheld")


def _closed() -> str:
    return closed_quarters(today(SystemClock()))[-1]
