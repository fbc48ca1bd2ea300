"""The console script in a process of the test, and rows for it to find."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from privacy.logs import configure_logging
from signals.app import make_worker
from signals.cli import main
from signals.clock import FixedClock
from signals.db import session_factory
from signals.models import Organisation, SealedReport
from tests.factories import SealedReportFactory
from tests.support.going_live import live_since
from tests.support.installation import install, settings_in
from tests.support.sealing import sealing_engine

TEAMS = """\
name,kind,level,area,valid_from,agreement_on,legal_basis,retention_basis,recipient_1,recipient_2
Landelijk,national,national,NL,2024-01-01,2024-01-01,Wmo,Lijst,a@example.org,b@example.org
Amsterdam,social_work,municipality,GM0363,2024-01-01,2024-01-01,Wmo,Lijst,c@example.org,d@example.org
"""


class Signals:
    """The console script on one installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
        """Return the command's output, errors included."""
        return self._run(arguments, code, stdin).output

    def json(self, *arguments: str, code: int = 0, stdin: str | None = None) -> Any:
        """Return the value that the command prints with `--json`."""
        return json.loads(self._run((*arguments, "--json"), code, stdin).stdout)

    def _run(self, arguments: tuple[str, ...], code: int, stdin: str | None) -> Result:
        config = str(self.folder / "config.toml")
        result: Result = CliRunner().invoke(main, ["--config", config, *arguments], input=stdin)
        assert result.exit_code == code, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with a national desk and one team, their keys made."""
    folder = tmp_path_factory.mktemp("installation")
    install(folder)
    signals = Signals(folder)
    teams = signals.file("teams.csv", TEAMS)
    take_on(signals, teams)
    worker = make_worker(settings_in(folder))
    worker.provision_keys()
    worker.runs.note("arrival", None, timedelta(days=1))
    worker.close()
    return folder


def take_on(signals: Signals, file: str) -> None:
    """Import organisations, and let each of them go live on 2 January 2024."""
    signals("organisations", "import", file)
    worker = make_worker(settings_in(signals.folder))
    then = replace(worker, clock=FixedClock(datetime(2024, 1, 2, 8, tzinfo=UTC)))
    with then.begin() as operation:
        live_since(operation, *operation.session.scalars(select(Organisation)))
    worker.close()


@pytest.fixture
def signals(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signals]:
    """The script on a copy of the installation."""
    for variable in ("SIGNALS_CONFIG", "SIGNALS__ROLE"):
        monkeypatch.delenv(variable, raising=False)
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    yield Signals(tmp_path)
    configure_logging()  # the runner's standard error is closed by now


def statements(signals: Signals, *changes: Any) -> None:
    """Change rows behind the product's back."""
    engine = sealing_engine(settings_in(signals.folder))
    with session_factory(engine).begin() as session:
        for change in changes:
            session.execute(change)
    engine.dispose()


def rows(signals: Signals, query: Any) -> list[Any]:
    engine = sealing_engine(settings_in(signals.folder))
    with session_factory(engine)() as session:
        found = list(session.scalars(query))
    engine.dispose()
    return found


def problems(signals: Signals) -> set[str]:
    found = signals.json("doctor", code=1)
    assert all(check["mend"] for check in found["checks"] if not check["ok"])
    return {check["check"] for check in found["checks"] if not check["ok"]}


def waiting_report(organisation_id: Any, key_id: Any, on: date | None = None) -> SealedReport:
    return SealedReportFactory.build(
        organisation_id=organisation_id, mailbox_key_id=key_id, received_on=on or date(2026, 1, 5)
    )


def insert_rows(signals: Signals, *found: Any) -> None:
    engine = sealing_engine(settings_in(signals.folder))
    with session_factory(engine).begin() as session:
        session.add_all(found)
    engine.dispose()
