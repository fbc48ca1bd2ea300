"""Compare for `signals doctor --site` what a live site gives browsers with the files of this release."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import urllib3

from signals.cli.database_findings import Finding
from signals.cli.opening import progress_bar, server_at
from signals.settings import Settings

Fetch = Callable[[str], bytes]
"""Return the body at a path of the site; no body for any other answer than 200."""

_ASSETS: Final = "/.well-known/assets.json"
_FACTS: Final = re.compile(
    rb'const VERSION = "[0-9a-f]{16}";\nconst ASSETS = \[[^]\n]*\];\nconst PAGES = \[[^]\n]*\];\n'
)
"""The lines that the service puts before the service worker."""
_FIX: Final = (
    "run this command from the release that the site runs; if it differs there too, treat it as a break-in"
)


def examine_site(url: str) -> Iterator[Finding]:
    """Yield findings about the files, the page and the service worker of a site.

    Raises `click.UsageError` for another address than https://, except on this machine.
    """
    server = server_at(url)
    released, worker = _release()
    pool = urllib3.PoolManager(timeout=10, retries=False)

    def fetch(path: str) -> bytes:
        answer = pool.request("GET", server + path, redirect=False)
        return answer.data if answer.status == 200 else b""

    try:
        yield _files(released, fetch)
        yield _page(released, fetch("/"))
        yield _worker(worker, fetch("/sw.js"))
    except urllib3.exceptions.HTTPError as error:
        yield Finding(
            check="site", ok=False, says=f"does not answer: {type(error).__name__}", fix="try again later"
        )


def _release() -> tuple[Mapping[str, str], bytes]:
    """Return the hash of each file of this release by its path, and its service worker."""
    from signals.web.bundles import hashes, without_comments
    from signals.web.http.application import bare_application
    from signals.web.http.pages import register_pages

    settings = Settings()
    app, _api = bare_application("https://", settings.scheme)
    register_pages(app, settings)
    with app.test_request_context():
        return hashes(), without_comments(Path(str(app.static_folder), "sw.js").read_bytes())


def _files(released: Mapping[str, str], fetch: Fetch) -> Finding:
    """Check the bytes of each file, and what the site itself says about them."""
    from signals.web.bundles import sha384

    said = _said(fetch(_ASSETS))
    with progress_bar() as bar:
        live = {path: sha384(fetch(path)) for path in bar.track(released, description="files")}
    wrong = {path for path in live if live[path] != released[path]}
    wrong |= {path for path in {*said, *released} if said.get(path) != released.get(path)}
    return _finding("files of the site", wrong, f"{len(released)} files of this release")


def _said(body: bytes) -> Mapping[str, str]:
    try:
        said = json.loads(body)["assets"]
    except (ValueError, KeyError, TypeError):
        return {}
    return said if isinstance(said, dict) else {}


def _page(released: Mapping[str, str], body: bytes) -> Finding:
    """Check that the carrier's page loads files of this release only, each with its hash."""
    page = _Loads()
    page.feed(body.decode(errors="replace"))
    wrong = {path for path, its_hash in page.found if released.get(path) != (its_hash or "none")}
    right = (
        f"scripts and styles of this release; ask the operator whether the root key is {page.root or 'none'}"
    )
    return _finding("page of the site", wrong if page.found else {"/"}, right)


def _worker(worker: bytes, body: bytes) -> Finding:
    facts = _FACTS.match(body)
    is_ours = facts is not None and body[facts.end() :].strip() == worker.strip()
    return _finding("service worker of the site", set() if is_ours else {"/sw.js"}, "that of this release")


def _finding(check: str, wrong: set[str], right: str) -> Finding:
    says = f"differs: {', '.join(sorted(wrong))}" if wrong else right
    return Finding(check=check, ok=not wrong, says=says, fix=_FIX)


_FRAMES: Final = frozenset({"base", "embed", "iframe", "object"})


class _Loads(HTMLParser):
    """The (path, hash) of all that a page loads and runs; a script within the page has no hash.

    `root`: the public key under which the page trusts mailbox keys.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.root = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        late = [values[name].partition("#") for name in ("data-script", "data-tokens") if name in values]
        places = [(place, its_hash) for place, _, its_hash in late]
        if values.get("name") == "sealing":
            self.root = values.get("content", "")
        if tag in _FRAMES or any(_runs(*pair) for pair in values.items()):
            places.append(("", ""))
        if tag == "script":
            places.append((values.get("src", ""), values.get("integrity", "")))
        if tag == "link" and "stylesheet" in values.get("rel", "").split():
            places.append((values.get("href", ""), values.get("integrity", "")))
        for place, its_hash in places:
            self.found.append((place.partition("?")[0] or "a script in the page", its_hash))


def _runs(name: str, value: str) -> bool:
    return name.startswith("on") or value.strip().lower().startswith("javascript:")
