"""`signals statistics release`: what it says, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from signals.cli import main
from signals.clock import SystemClock, today
from signals.db import make_engine, session_factory
from signals.demo.facts import closed_quarters
from signals.statistics.exports import write_folder
from tests.support.figures import facts
from tests.support.installation import install, settings_in

Run = Callable[..., Result]


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
    assert first.output == f"{_closed()} is released: intake, follow_up, outcome_groups.\n"
    assert second.output.endswith(": nothing done.\n")


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


def test_a_period_must_be_named(run: Run) -> None:
    assert run("release").exit_code == 2


def test_what_is_written_as_open_data_passes_the_check_of_an_outsider(run: Run, tmp_path: Path) -> None:
    run("release", _closed())
    engine = make_engine(settings_in(tmp_path).database.url)
    with session_factory(engine)() as session:
        assert write_folder(session, tmp_path / "figures", licence="CC0-1.0") == 3
    engine.dispose()
    done = run("verify", str(tmp_path / "figures"))
    assert done.exit_code == 0, done.output


def _closed() -> str:
    return closed_quarters(today(SystemClock()))[-1]
