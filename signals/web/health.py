"""Whether a process lives (`/healthz`) and whether it can do its work (`/readyz`)."""

import json
from collections.abc import Callable, Mapping

from flask import Blueprint, Response

AUTHENTICATION = "none"

Check = Callable[[], None]


def health_blueprint(checks: Mapping[str, Check]) -> Blueprint:
    """`checks`: name to a function that raises when the part is not usable."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return _answer({"status": "ok"}, 200)

    @blueprint.get("/readyz")
    def ready() -> Response:
        failed = [name for name, check in checks.items() if not _passes(check)]
        if failed:
            return _answer({"status": "unavailable", "failed": failed}, 503)
        return _answer({"status": "ok"}, 200)

    return blueprint


def _passes(check: Check) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 - whatever fails, the answer is "not ready"
        return False
    return True


def _answer(body: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")
