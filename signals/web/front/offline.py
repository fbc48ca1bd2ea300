"""Files that open the form without network: the service worker with its version, and the app's manifest."""

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version as version_of
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, current_app, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape

from signals.clock import today
from signals.settings import NotesSettings
from signals.vocabulary import ConcernType
from signals.web.bundles import hashes, without_comments
from signals.web.front.context import front
from signals.web.http.i18n import direction, language
from signals.web.http.openapi import API_VERSION
from signals.web.http.pages import mark_address
from signals.web.labels import EMERGENCY

front_offline = Blueprint("front_offline", __name__)

AUTHENTICATION = "none"

PAGES = ("/", "/m", "/voortgang")
FILES = ("page.css", "queue.js", "carrier.js")
"""The bundles that the pages need without network: with the pages themselves, all that a phone keeps."""
LATE = ("seal.js", "tokens.js", "note.js")
"""The bundles that the page loads once it needs them; it names each with its hash."""

ICON_SIZES = (192, 512)
_WORKER = "sw.js"
_HERE = Path(__file__).parent


@front_offline.get("/sw.js")
def service_worker() -> Response:
    """Give the service worker at the root, so that it may answer for every page of the public side."""
    assets = [url_for("bundle", name=name) for name in FILES]
    late, settings = [url_for("bundle", name=name) for name in LATE], front().settings
    page = (*assets, *late, settings.front.root_public_key, mark_address(), current_app.config["SCHEME"])
    page = (*page, *issuer_addresses())
    facts = {"VERSION": version(settings.notes, page), "ASSETS": assets, "PAGES": PAGES}
    lines = [f"const {name} = {json.dumps(value)};" for name, value in facts.items()]
    script = "\n".join([*lines, without_comments(_script().read_bytes()).decode()])
    return Response(script, content_type="text/javascript; charset=utf-8")


@front_offline.get("/.well-known/assets.json")
def assets() -> Response:
    """Give the hash of each file that a page can load, so that anybody can compare a site with a release."""
    content = {"version": version_of("signals"), "assets": hashes()}
    return Response(json.dumps(content), content_type="application/json")


@front_offline.get("/manifest.webmanifest")
def manifest() -> Response:
    """Describe the app as the phone shows it after installation."""
    icons = [
        {"src": _static(f"icons/signals-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in ICON_SIZES
    ]
    whole = {"src": _static("icons/signals-maskable-512.png"), "sizes": "512x512", "type": "image/png"}
    own = [{"src": mark_address(), "sizes": "any"}] if current_app.config["OWN_MARK"] else []
    content = {
        "id": "/",
        "name": f"{current_app.config['SCHEME']}: {_('Worried about a resident?')}",
        "short_name": current_app.config["SCHEME"],
        "lang": language(),
        "dir": direction(language()),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#8e1f14",
        "icons": own or [*icons, whole | {"purpose": "maskable"}],
    }
    return Response(json.dumps(content, ensure_ascii=False), content_type="application/manifest+json")


@lru_cache(maxsize=8)
def version(notes: NotesSettings, page: tuple[str, ...]) -> str:
    """Return a digest of everything that a phone keeps: the same version means the same page."""
    digest = hashlib.sha256(repr((API_VERSION, notes, page, EMERGENCY)).encode())
    for file in _sources():
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def issuer_addresses() -> list[str]:
    """Return the addresses of trusted issuers that are not this one."""
    context = front()
    trusted = context.issuers.issuers(today(context.clock))
    return [
        issuer.url for issuer, _key in trusted if issuer.url != context.settings.server.public_url.rstrip("/")
    ]


def icon(type_: ConcernType) -> Markup:
    """Return the drawing of a tile for the page itself: eight requests less on a slow network."""
    return _drawing(Path(str(current_app.static_folder)) / "icons" / f"{type_}.svg")


def icon_of_page() -> Markup:
    """Return the page's own icon, as a `data:` address where it is ours: one request less."""
    if current_app.config["OWN_MARK"]:
        return Markup(escape(mark_address()))  # noqa: S704 - escaped
    return _as_address(Path(str(current_app.static_folder)) / "icons" / "signals.svg")


def place(name: str) -> Markup:
    """Return the element for a text of the script."""
    return Markup("<bdi data-{}></bdi>").format(name)


@lru_cache(maxsize=len(ConcernType))
def _drawing(file: Path) -> Markup:
    # Our own file: no part of it comes from outside.
    return Markup(file.read_text(encoding="utf-8").strip().replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704


@lru_cache(maxsize=1)
def _as_address(file: Path) -> Markup:
    drawing = file.read_text(encoding="utf-8").strip().replace('"', "'")
    return Markup("data:image/svg+xml," + quote(drawing, safe=" '/=:,.-"))  # noqa: S704 - our own file, quoted


def _static(name: str) -> str:
    return url_for("static", filename=name)


def _script() -> Path:
    return Path(str(current_app.static_folder)) / _WORKER


def _sources() -> Iterator[Path]:
    yield _script()
    yield from sorted((Path(str(current_app.static_folder)) / "icons").glob("*.svg"))
    yield from sorted((_HERE / "templates").rglob("*.html"))
    yield _HERE.parent / "templates" / "base.html"
    yield from sorted(_HERE.parent.glob("translations/*/LC_MESSAGES/*.mo"))
