"""Tell whether a process lives (`/healthz`) and whether it can do its work (`/readyz`)."""

import json
from collections.abc import Callable, Mapping

from flask import Blueprint, Response

AUTHENTICATION = "none"

Check = Callable[[], None]


def health_blueprint(checks: Mapping[str, Check], warnings: Mapping[str, Check]) -> Blueprint:
    """Return the two pages; each of `checks` raises when its part is not usable.

    A failure of `warnings` is named too, and the process still does its work.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return _health({}, {})

    @blueprint.get("/readyz")
    def ready() -> Response:
        return _health(checks, warnings)

    return blueprint


def _health(checks: Mapping[str, Check], warnings: Mapping[str, Check]) -> Response:
    failed, warned = _failed(checks), _failed(warnings)
    body: dict[str, object] = {"status": "unavailable", "failed": failed} if failed else {"status": "ok"}
    body |= {"warned": warned} if warned else {}
    return Response(json.dumps(body), status=503 if failed else 200, content_type="application/json")


def _failed(checks: Mapping[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if not _passes(check)]


def _passes(check: Check) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 - any failure means "not ready"
        return False
    return True
