"""Tell whether a process lives (`/healthz`) and whether it can do its work (`/readyz`)."""

import json
from collections.abc import Callable, Mapping

from flask import Blueprint, Response

AUTHENTICATION = "none"

Check = Callable[[], None]


def health_blueprint(checks: Mapping[str, Check]) -> Blueprint:
    """Return the two pages; each of `checks` raises when its part is not usable."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return _health({})

    @blueprint.get("/readyz")
    def ready() -> Response:
        return _health(checks)

    return blueprint


def _health(checks: Mapping[str, Check]) -> Response:
    failed = [name for name, check in checks.items() if not _passes(check)]
    body = {"status": "unavailable", "failed": failed} if failed else {"status": "ok"}
    return Response(json.dumps(body), status=503 if failed else 200, content_type="application/json")


def _passes(check: Check) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 - any failure means "not ready"
        return False
    return True
