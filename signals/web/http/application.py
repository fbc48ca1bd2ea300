"""The Flask application that every role starts from: languages, refusals and headers, and no page yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import Flask

from signals.operations.whole_requests import MAX_BODY
from signals.settings import SchemeSettings
from signals.web.http.headers import register_headers
from signals.web.http.i18n import register_languages
from signals.web.http.openapi import DescribedApi, make_api
from signals.web.http.pages import error_page
from signals.web.http.problems import register_problems

_PACKAGE: Final = Path(__file__).parents[2]


def bare_application(site: str, scheme: SchemeSettings) -> tuple[Flask, DescribedApi]:
    """Return an application without pages, and its API; a site on https tells browsers to come back so."""
    app = _Application(
        "signals", root_path=str(_PACKAGE), static_folder="web/static", template_folder="web/templates"
    )
    # Otherwise `/api//v1` redirects to `/api/v1` of any host that the request names. No address here has two.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    api = make_api(app, {"name": scheme.name, "url": site, "email": scheme.contact_email})
    register_languages(app)
    register_problems(app, error_page)
    register_headers(app, https=site.startswith("https://"))
    return app, api


class _Application(Flask):
    """Flask without its check, at each call, whether a function is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function unchanged: none is a coroutine, and the check took a tenth of a report."""
        return func
