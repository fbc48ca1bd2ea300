"""Logging that tells nothing: JSON lines in which only ids, counts, codes and durations survive.

What is not on the allow-list loses its value, not its name; exceptions keep their type and code location
only, because the messages of database errors quote values. Libraries' lines pass the same rules.
"""

import errno
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import PurePath
from traceback import walk_tb
from types import TracebackType
from typing import Any, Final, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor

DROPPED: Final = "[dropped]"

COUNT_NAMES: Final = frozenset({
    "attempt", "attempts", "code", "count", "lineno", "pid", "port", "position", "size", "status", "total",
    "workers",
})  # fmt: skip
COUNT_ENDINGS: Final = ("_bytes", "_count", "_days", "_ms", "_s", "_seconds", "_total")
CODE_NAMES: Final = frozenset({
    "action", "channel", "code", "command", "database", "dialect", "error", "job", "kind", "language",
    "level", "logger", "method", "mode", "outcome", "quarter", "reason", "revision", "role", "state",
    "status", "table", "version", "week",
})  # fmt: skip

_EVENT: Final = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)*")
# A word, but neither a phone number nor a postcode.
_CODE: Final = re.compile(r"(?!.*[0-9]{5})(?!.*[0-9]{4}[A-Za-z]{2})[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}")
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,39}")
# Libraries whose format strings are constants (their arguments are dropped all the same). Not werkzeug,
# granian or sqlalchemy: these write addresses and statements into the format string itself.
_CONSTANT_MESSAGES: Final = ("alembic", "apscheduler")
# Loggers that bring handlers of their own, or whose ordinary lines would hold nothing but "[dropped]".
_NOISY: Final = (
    "_granian", "apscheduler.executors", "apscheduler.scheduler", "granian.access",
    "sqlalchemy.engine", "sqlalchemy.orm", "sqlalchemy.pool", "werkzeug",
)  # fmt: skip
_FOREIGN: Final = ("_granian", "alembic", "apscheduler", "granian", "sqlalchemy", *_NOISY)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STRUCTLOG_OWN: Final = ("_record", "_from_structlog")
_NOT_VALUES: Final = frozenset({*_STRUCTLOG_OWN, "exc_info", "exception", "stack_info"})
_MOST_FRAMES: Final = 30
_MOST_CAUSES: Final = 10


def configure_logging(stream: TextIO | None = None, level: str = "INFO", *, date_only: bool = False) -> None:
    """Send structlog and the standard library's logging to a stream (stderr) as JSON lines; may be repeated.

    `date_only` leaves the time of day out: for the front, where a line must not say when a report came. An
    event's name has to be dotted lower-case words ("arrival.batch_done"), or it is dropped too.
    """
    meta = structlog.stdlib.ProcessorFormatter
    common: list[Processor] = [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name]
    common.append(allow_only_safe_values)
    stamp = _Stamp(date_only=date_only)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *common, stamp, meta.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = meta(
        foreign_pre_chain=[_name_job, *common, _describe_foreign, stamp],
        processors=[meta.remove_processors_meta, _as_json],
        pass_foreign_args=True,
        use_get_message=False,  # the format string as it is, without its arguments
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    _take_over(handler, level)


def install_exception_hooks() -> None:
    """Log crashes of the process and of threads by the same rules: by default their messages are printed."""
    sys.excepthook = _log_crash
    threading.excepthook = _log_thread_crash


def allow_only_safe_values(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Keep ids, counts, codes, durations and dates; replace other values by `[dropped]` (structlog).

    Exceptions become a list of types and code locations. Give others the name of a rule above, not a bypass.
    """
    kept: EventDict = {name: event[name] for name in _STRUCTLOG_OWN if name in event}
    error = _exception_in(event.get("exc_info"))
    if error is not None:
        kept["exception"] = [_exception_facts(each) for each in _causes(error)]
    for name, value in event.items():
        if name not in _NOT_VALUES and _NAME.fullmatch(name):
            kept[name] = _safe(name, value)
    return kept


def _safe(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _safe_code(str(value.value))
    if isinstance(value, (int, float)):
        return value if name in COUNT_NAMES or name.endswith(COUNT_ENDINGS) else DROPPED
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return _safe_text(name, value)


def _safe_text(name: str, value: Any) -> str:
    if name == "id" or name.endswith("_id"):
        return _safe_id(value)
    if name == "event" and isinstance(value, str) and _EVENT.fullmatch(value):
        return value
    return _safe_code(value) if name in CODE_NAMES and isinstance(value, str) else DROPPED


def _safe_id(value: Any) -> str:
    # UUIDs only: a number or a word under this name may be a phone or an e-mail address.
    text = str(value) if isinstance(value, (UUID, str)) else ""
    return text if _UUID.fullmatch(text) else DROPPED


def _safe_code(value: str) -> str:
    return value if _CODE.fullmatch(value) else DROPPED


def _exception_in(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, what is grouped in it, and what caused it, each once and not without end."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting and len(seen) < _MOST_CAUSES:
        current = waiting.pop(0)
        if any(current is each for each in seen):
            continue
        seen.append(current)
        yield current
        inner = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        waiting += [each for each in (*inner, current.__cause__, current.__context__) if each is not None]


def _exception_facts(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    facts: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if isinstance(error, OSError) and error.errno is not None:
        facts["errno"] = errno.errorcode.get(error.errno, DROPPED)  # a full disk is no missing right
    return facts | {"at": _locations(error.__traceback__)}


def _locations(traceback: TracebackType | None) -> list[str]:
    codes = [(frame.f_code, line) for frame, line in walk_tb(traceback)]
    return [f"{_short(code.co_filename)}:{line} {code.co_name}" for code, line in codes[-_MOST_FRAMES:]]


def _short(filename: str) -> str:
    # The last three parts tell the module; the whole path tells the machine and who runs it.
    return "/".join(PurePath(filename).parts[-3:])


def _name_job(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Name the job of a line of the scheduler: "Execution skipped" must tell whose."""
    first = next(iter(event.pop("positional_args", None) or ()), None)
    job = getattr(first, "id", None)
    if event["_record"].name.startswith("apscheduler") and job:
        event["job"] = job
    return event


def _describe_foreign(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Give a library's line its constant format string, if it is one, and where it was written."""
    record: logging.LogRecord = event["_record"]
    constant = record.name.partition(".")[0] in _CONSTANT_MESSAGES and isinstance(record.msg, str)
    event["event"] = record.msg if constant else DROPPED
    event["at_code"] = f"{_short(record.pathname)}:{record.lineno}"
    return event


class _Stamp:
    """structlog processor: add the moment (UTC), or the date only."""

    def __init__(self, *, date_only: bool) -> None:
        self._date_only = date_only

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        now = datetime.now(UTC)
        event["at"] = now.date().isoformat() if self._date_only else now.isoformat(timespec="milliseconds")
        return event


def _as_json(_logger: Any, _method: str, event: EventDict) -> str:
    return json.dumps(event, sort_keys=True)


def _take_over(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    for old in root.handlers[:]:
        # Plain ones write unfiltered; those of other modules (a test runner's) are not ours to remove.
        if type(old).__module__.partition(".")[0] == "logging":
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _FOREIGN:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING if name in _NOISY else logging.NOTSET)
    logging.raiseExceptions = False  # a failing handler would print the record with all its values


def _log_crash(kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger(__name__).critical("process.crashed", exc_info=error)


def _log_thread_crash(args: threading.ExceptHookArgs) -> None:
    structlog.get_logger(__name__).critical("thread.crashed", exc_info=args.exc_value)
