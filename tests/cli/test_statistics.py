"""`signals statistics`: what it says, and how it ends."""

from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from privacy.pseudonyms import quarter_of
from signals.app import make_worker
from signals.clock import SystemClock, today
from signals.models import Publication
from signals.statistics.periods import first_day_of, quarter_after
from signals.statistics.sealed_facts import store_facts
from tests.support.commands import Signals, rows
from tests.support.figures import USUAL
from tests.support.installation import settings_in
from tests.support.publications import publish, year_of
from tests.support.sealing import sealing_engine

CLOSED = quarter_of(first_day_of(quarter_of(today(SystemClock()))) - timedelta(days=1))


@pytest.fixture(autouse=True)
def forty_signals(signals: Signals) -> None:
    """Store the facts of forty signals of the last closed quarter."""
    worker = make_worker(settings_in(signals.folder))
    with worker.sessions.begin() as session:
        store_facts(session.connection(), worker.keystore, [USUAL._replace(received=CLOSED)] * 40)
    worker.close()


def test_a_closed_quarter_is_released_once(signals: Signals) -> None:
    assert signals("statistics", "release", CLOSED) == f"{CLOSED} is released: received.\n"
    assert signals("statistics", "release", CLOSED).endswith(": nothing done.\n")
    assert len(rows(signals, select(Publication))) == 1


def test_a_program_reads_what_was_done(signals: Signals) -> None:
    told = signals.json("statistics", "release", CLOSED)
    assert (told["period"], told["is_new"], told["tables"], told["adopted"]) == (
        CLOSED,
        True,
        ["received"],
        0,
    )


@pytest.mark.parametrize(
    ("period", "why"),
    [("2999-Q1", "year that is over"), ("soon", "no quarter"), (quarter_after(CLOSED), "no quarter")],
)
def test_a_refusal_ends_with_1_and_says_why(signals: Signals, period: str, why: str) -> None:
    assert why in signals("statistics", "release", period, code=1)


def test_verify_says_what_a_signal_spent(signals: Signals) -> None:
    signals("statistics", "release", CLOSED)
    told = signals("statistics", "verify")
    assert f"{CLOSED:8} received" in told
    assert "One signal spends at most 0.15 of 2.00." in told


def test_a_changed_ledger_is_a_finding(signals: Signals) -> None:
    signals("statistics", "release", CLOSED)
    file = settings_in(signals.folder).figures.ledger_file
    file.write_text(file.read_text().replace("cells", "cell5"))
    assert signals.json("statistics", "verify", code=1)["differing"] == [f"{CLOSED}/received"]


def test_printed_sheets_thank_carriers_with_the_released_number(signals: Signals) -> None:
    engine = sealing_engine(settings_in(signals.folder))
    publish(engine, ["2025"], year_of(5_000))
    engine.dispose()
    for file in signals.json("sheets", "--out", str(signals.folder / "sheets"))["files"]:
        (page,) = PdfReader(file).pages
        assert "ongeveer 1.000 mensen" in " ".join(page.extract_text().split())


def test_a_release_that_is_late_is_a_problem_for_the_doctor(signals: Signals) -> None:
    late = USUAL._replace(received="2024-Q1")
    worker = make_worker(settings_in(signals.folder))
    with worker.sessions.begin() as session:
        store_facts(session.connection(), worker.keystore, [late])
    worker.close()
    (found,) = [check for check in signals.json("doctor", code=1)["checks"] if not check["ok"]]
    assert (found["check"], found["says"]) == ("figures", "nothing released yet; 2024-Q1 is late")
