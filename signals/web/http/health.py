"""Tell whether a process did its work lately (`/healthz`) and whether it can do it (`/readyz`)."""

import json
from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, Response

from signals.operations.heartbeats import HEARTBEATS

AUTHENTICATION = "none"

Check = Callable[[], None]


def health_blueprint(checks: Mapping[str, Check], warnings: Mapping[str, Check]) -> Blueprint:
    """Return the two pages; each of `checks` raises when its part is not usable.

    A failure of `warnings` is named too, and the process still does its work.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        seconds = HEARTBEATS.seconds_since_work()
        return _answer([], {} if seconds is None else {"last_work_seconds": round(seconds)})

    @blueprint.get("/readyz")
    def ready() -> Response:
        warned = _failed(warnings)
        return _answer(_failed(checks), {"warned": warned} if warned else {})

    return blueprint


def _answer(unusable: Sequence[str], more: Mapping[str, object]) -> Response:
    """Answer with 503 for unusable parts, and for work that hangs or did not come back lately."""
    failed = [*unusable, *HEARTBEATS.late()]
    body: dict[str, object] = {"status": "unavailable", "failed": failed} if failed else {"status": "ok"}
    text = json.dumps({**body, **more})
    return Response(text, status=503 if failed else 200, content_type="application/json")


def _failed(checks: Mapping[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if not _passes(check)]


def _passes(check: Check) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 - any failure means "not ready"
        return False
    return True
