"""Logs: what comes through, and above all what does not."""

import errno
import io
import json
import logging
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
import structlog

from privacy.logs import DROPPED, allow_only_safe_values, configure_logging, install_exception_hooks

SECRET = "Dorpsstraat 12"
SIGNAL = UUID("3f2b8c52-6a0e-4a57-9f0b-0d1c2e3f4a5b")


class State(StrEnum):
    NEW = "new"


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    levels = {
        name: logging.getLogger(name).level for name in ("werkzeug", "sqlalchemy.engine", "granian.access")
    }
    yield
    root.handlers[:], logging.raiseExceptions = handlers, raising
    root.setLevel(level)
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)
    structlog.reset_defaults()


@pytest.fixture
def lines(restored_logging: None) -> Callable[[], list[dict[str, Any]]]:
    stream = io.StringIO()
    configure_logging(stream, "DEBUG")
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def safe(**values: Any) -> dict[str, Any]:
    return dict(allow_only_safe_values(None, "info", values))


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("event", "arrival.batch_done", "arrival.batch_done"),
        ("signal_id", SIGNAL, str(SIGNAL)),
        ("id", str(SIGNAL), str(SIGNAL)),
        ("signal_count", 100, 100),
        ("count", 0, 0),
        ("duration_ms", 1.5, 1.5),
        ("status", 409, 409),
        ("state", State.NEW, "new"),
        ("reason", "rate_limited", "rate_limited"),
        ("revision", "0001_initial_schema", "0001_initial_schema"),
        ("week", "2026-W41", "2026-W41"),
        ("period", date(2026, 10, 5), "2026-10-05"),
        ("found", True, True),
        ("anything", None, None),
    ],
)
def test_ids_counts_codes_and_durations_come_through(name: str, value: object, shown: object) -> None:
    assert safe(**{name: value}) == {name: shown}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event", f"report for {SECRET}"),
        ("event", "a report for jansen"),
        ("note", "hoi"),
        ("postcode", "1012AB"),
        ("number", 12),
        ("signal_id", "0612345678"),
        ("recipient_id", 31612345678),
        ("actor_id", "jansen@voorbeeld.example"),
        ("reason", SECRET),
        ("reason", "1012AB"),
        ("reason", "1012ab-12"),
        ("code", "0612345678"),
        ("state", State),
        ("count", "12"),
        ("count", [12]),
        ("status", {"code": 409}),
        ("received_on", datetime(2026, 10, 5, 8, 30, tzinfo=UTC)),
        ("key", b"bytes"),
        ("path", "/receipts/0123"),
        ("ip", "192.0.2.1"),
        ("exception", SECRET),
    ],
)
def test_anything_else_keeps_its_name_only(name: str, value: object) -> None:
    assert safe(**{name: value}) in ({name: DROPPED}, {})


@pytest.mark.parametrize("name", [SECRET, "Naam", "x" * 41, "_secret|", "exc_info", "stack_info"])
def test_the_log_leaves_out_the_whole_field_without_a_plain_name(name: str) -> None:
    assert safe(**{name: SECRET}) == {}


def test_a_line_is_json_with_moment_level_and_logger(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger("signals.arrival.batches").info("arrival.batch_done", signal_count=2, note=SECRET)
    (line,) = lines()
    assert datetime.fromisoformat(line.pop("at")).utcoffset() is not None
    assert line == {
        "event": "arrival.batch_done",
        "level": "info",
        "logger": "signals.arrival.batches",
        "note": DROPPED,
        "signal_count": 2,
    }


def test_the_front_logs_a_date_and_no_time(restored_logging: None) -> None:
    stream = io.StringIO()
    configure_logging(stream, date_only=True)
    structlog.get_logger("signals").info("front.started")
    assert len(json.loads(stream.getvalue())["at"]) == len("2026-10-05")


def test_an_exception_keeps_type_and_place_but_no_message(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        with closing(sqlite3.connect(":memory:")) as database:
            database.execute(f"SELECT '{SECRET}' FROM nowhere")
    except sqlite3.Error:
        try:
            raise ValueError(SECRET)
        except ValueError:
            structlog.get_logger("signals").exception("work.failed")
    (line,) = lines()
    assert [each["type"] for each in line["exception"]] == ["builtins.ValueError", "sqlite3.OperationalError"]
    assert line["exception"][0]["at"][0].startswith("tests/privacy/test_safe_logs.py:")
    assert SECRET not in json.dumps(line)


def test_an_error_of_the_system_says_which_and_not_about_what(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device", SECRET)
    except OSError:
        structlog.get_logger("test").exception("something.failed")
    (line,) = lines()
    assert (line["exception"][0]["type"], line["exception"][0]["errno"]) == ("builtins.OSError", "ENOSPC")
    assert SECRET not in json.dumps(line)


def test_grouped_exceptions_and_causes_are_named_once(lines: Callable[[], list[dict[str, Any]]]) -> None:
    cause = KeyError(SECRET)
    cause.__cause__ = group = ExceptionGroup(SECRET, [cause, OSError(SECRET)])
    structlog.get_logger("signals").error("work.failed", exc_info=group)
    assert [each["type"] for each in lines()[0]["exception"]] == [
        "builtins.ExceptionGroup",
        "builtins.KeyError",
        "builtins.OSError",
    ]


@pytest.mark.parametrize(
    "name", ["werkzeug", "sqlalchemy.engine", "granian.access", "_granian", "someone.else"]
)
def test_lines_of_libraries_lose_message_and_arguments(
    name: str, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    finished = f"192.0.2.1 {SECRET} %s"  # as werkzeug does it
    logging.getLogger(name).error(finished, SECRET)
    (line,) = lines()
    assert (line["event"], line["logger"]) == (DROPPED, name)
    assert line["at_code"].startswith("tests/privacy/test_safe_logs.py:")
    assert "192.0.2.1" not in json.dumps(line)
    assert SECRET not in json.dumps(line)


def test_ordinary_lines_of_access_logs_are_not_written(lines: Callable[[], list[dict[str, Any]]]) -> None:
    for name in ("werkzeug", "sqlalchemy.engine", "granian.access"):
        logging.getLogger(name).info("192.0.2.1")
    assert lines() == []


def test_an_unfiltered_handler_is_replaced(restored_logging: None) -> None:
    raw, filtered = io.StringIO(), io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(raw))
    configure_logging(filtered)
    configure_logging(filtered)
    logging.getLogger("someone").error("x")
    assert raw.getvalue() == ""
    assert len(filtered.getvalue().splitlines()) == 1


def test_crashes_are_logged_without_their_message(
    lines: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    install_exception_hooks()
    error = ValueError(SECRET)
    sys.excepthook(ValueError, error, None)
    thread = threading.Thread(target=lambda: int(SECRET))
    thread.start()
    thread.join()
    assert [line["event"] for line in lines()] == ["process.crashed", "thread.crashed"]
    assert SECRET not in json.dumps(lines()) + capsys.readouterr().err
