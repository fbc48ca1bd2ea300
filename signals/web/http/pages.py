"""Pages that belong to no side: errors for people, the documentation of the API, and the icon."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, render_template, request, url_for
from flask_babel import LazyString, get_locale
from flask_babel import lazy_gettext as _

from privacy.pictures import harmless, media_type
from signals.settings import SchemeSettings, Settings
from signals.web.bundles import is_file, register_bundles
from signals.web.http import staff_answers
from signals.web.http.compression import register_compression
from signals.web.http.i18n import DEFAULT, direction, language
from signals.web.http.messages import detail_of, title_of
from signals.web.http.openapi import describe
from signals.web.http.problems import occurrence

A_YEAR = 365 * 24 * 60 * 60

# A page names buttons; a problem for a program names headers.
_PAGE_TITLES: Mapping[str, LazyString] = {"unsupported_media_type": _("This page takes only its own form")}
_PAGE_DETAILS: Mapping[str, LazyString] = {
    "invalid": _("Go back, mend the form and send it again."),
    "malformed": _("Go back, mend the form and send it again."),
    "control_characters": _("Go back, mend the form and send it again."),
    "unsupported_media_type": _("Go back, load the page again and send the form."),
    "too_large": _("Go back, make it shorter and send it again."),
    "method_not_allowed": _("Go to the start page and follow the buttons from there."),
    "not_signed_in": staff_answers.SIGN_IN_AGAIN,
    "idempotency_key_reused": _("Go back, load the page again and send the form."),
    "internal": _("Nothing was changed. Try again; if it stays, pass on the number below."),
}


def register_pages(app: Flask, settings: Settings) -> None:
    """Add `/docs` and `/favicon.ico`, and let browsers keep static files for a year."""
    app.add_url_rule("/docs", "docs", _docs)
    app.add_url_rule("/favicon.ico", "favicon", lambda: app.send_static_file("icons/favicon.ico"))
    app.jinja_env.globals.update(direction=direction, page_language=_page_language)
    app.config["SERVES_PUBLIC"] = settings.serves_public
    register_bundles(app)
    _add_scheme(app, settings.scheme)
    _version_static_files(app)
    register_compression(app)


def mark_address() -> str:
    """Return the address of the scheme's mark: its own, or the door that comes with the product."""
    own = current_app.config["OWN_MARK"]
    return url_for("mark", v=own) if own else url_for("static", filename="icons/signals.svg")


def _add_scheme(app: Flask, scheme: SchemeSettings) -> None:
    """Let every page say the name of the scheme and show its mark."""
    mark = harmless(scheme.mark_file.read_bytes()) if scheme.mark_file else b""
    app.config["SCHEME"] = scheme.name
    app.config["OWN_MARK"] = hashlib.sha256(mark).hexdigest()[:12] if mark else ""
    if mark:
        kind = media_type(mark)
        app.add_url_rule(f"{app.static_url_path}/mark", "mark", lambda: Response(mark, content_type=kind))
    app.jinja_env.globals.update(scheme=scheme.name, mark_address=mark_address)


def error_page(status: int, code: str) -> Response:
    """Return a refusal for people, in their language: the problem and the next step, never the typed text."""
    page = render_template(
        "error.html",
        code=_page_language(),
        status=status,
        title=str(_PAGE_TITLES.get(code) or title_of(code)),
        detail=str(_PAGE_DETAILS.get(code) or detail_of(code)),
        number=occurrence() if status >= 500 else "",
        start=_start(),
    )
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def _page_language() -> str:
    """Return the language of this page, for its `lang` attribute."""
    locale = get_locale()
    return str(locale.language) if locale else DEFAULT


def _start() -> str:
    """Return the page to begin again."""
    if request.path.startswith("/figures"):
        return "/figures"  # also for a reader without an account, and in a process without a desk
    if request.path.startswith(("/desk", "/admin")) or not current_app.config["SERVES_PUBLIC"]:
        return "/desk/"  # redirects each role to its first page
    return "/"


def _docs() -> str:
    """Show the OpenAPI description: a plain list that the viewer replaces once its script runs."""
    return render_template(
        "docs.html",
        code=language(),
        document=describe(),
        viewer=Path(str(current_app.static_folder), "vendor", "swagger-ui.js").is_file(),
    )


def _version_static_files(app: Flask) -> None:
    """Put `?v=<digest>` in the address of every static file, so that browsers can keep it."""
    folder = Path(str(app.static_folder))

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        file = folder / str(values.get("filename", ""))
        if endpoint == "static" and file.is_file():
            values.setdefault("v", _digest(file, file.stat().st_mtime_ns))

    @app.after_request
    def keep(response: Response) -> Response:
        if is_file(request.endpoint) and "v" in request.args and response.status_code in (200, 304):
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
        return response


@lru_cache(maxsize=256)
def _digest(file: Path, _modified: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
