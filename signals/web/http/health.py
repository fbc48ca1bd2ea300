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
        return _answer(*health({}))

    @blueprint.get("/readyz")
    def ready() -> Response:
        return _answer(*health(checks))

    return blueprint


def health(checks: Mapping[str, Check]) -> tuple[dict[str, object], int]:
    """Return body and status; with 503 the body names the unusable parts."""
    failed = [name for name, check in checks.items() if not _passes(check)]
    return ({"status": "unavailable", "failed": failed}, 503) if failed else ({"status": "ok"}, 200)


def _passes(check: Check) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 - any failure means "not ready"
        return False
    return True


def _answer(body: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")
