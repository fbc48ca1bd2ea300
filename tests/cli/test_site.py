"""`signals doctor --site` against a real HTTP server that gives this release, or something else."""

import json
from collections.abc import Iterator
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner, Result
from werkzeug.test import run_wsgi_app

from signals.cli import main
from tests.support.world import World


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Site:
    """A live site; `changed` replaces (old, new) in the body at a path."""

    def __init__(self, world: World) -> None:
        self.changed: dict[str, tuple[bytes, bytes]] = {}
        self._application = world.app()
        self.server = make_server("127.0.0.1", 0, self._answer, handler_class=_Quiet)

    def _answer(self, environ: Any, start_response: Any) -> list[bytes]:
        old, new = self.changed.get(environ["PATH_INFO"], (b"", b""))
        parts, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        body = b"".join(parts)
        changed = body.replace(old, new, 1) if old else body
        assert not old or changed != body
        start_response(status, [pair for pair in headers if pair[0] != "Content-Length"])
        return [changed]

    def compare(self) -> Result:
        url = f"http://127.0.0.1:{self.server.server_port}"
        return CliRunner().invoke(main, ["doctor", "--json", "--site", url])


@pytest.fixture
def site(sqlite_world: World) -> Iterator[Site]:
    made = Site(sqlite_world)
    thread = Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_site_that_serves_this_release_has_no_problem_and_says_its_root_key(
    site: Site, sqlite_world: World
) -> None:
    result = site.compare()
    assert result.exit_code == 0, result.output
    assert sqlite_world.settings.front.root_public_key in result.output


@pytest.mark.parametrize(
    ("path", "old", "new", "named"),
    [
        ("/static/bundles/seal.js", b"signals/seal/v1", b"signals/seal/v2", "/static/bundles/seal.js"),
        ("/static/bundles/tokens.js", b"PATIENCE", b"PATIENCY", "/static/bundles/tokens.js"),
        ("/.well-known/assets.json", b"sha384-", b"sha384+", "/static/bundles/queue.js"),
        ("/", b"<main>", b"<script>steal()</script><main>", "a script in the page"),
        ("/", b"<main>", b'<main onclick="steal()">', "a script in the page"),
        ("/", b"<main>", b'<iframe src="/x"></iframe><main>', "a script in the page"),
        ("/", b" integrity=", b" integrity-of=", "/static/bundles/page.css"),
        ("/", b"</main>", b'<script src="/static/mark"></script></main>', "/static/mark"),
        ("/sw.js", b"const PAGES", b"steal(); const PAGES", "/sw.js"),
        ("/sw.js", b"skipWaiting", b"stealNow", "/sw.js"),
    ],
)
def test_a_file_that_differs_is_named(site: Site, path: str, old: bytes, new: bytes, named: str) -> None:
    site.changed[path] = (old, new)
    result = site.compare()
    assert result.exit_code == 1
    (problem,) = [each for each in json.loads(result.stdout)["checks"] if not each["ok"]]
    assert problem["says"] == f"differs: {named}"


def test_a_site_that_does_not_answer_is_a_problem(site: Site) -> None:
    site.server.server_close()
    result = site.compare()
    assert (result.exit_code, "does not answer" in result.output) == (1, True)


@pytest.mark.parametrize("url", ["http://example.org", "http://[", "https://ex\u00e4mple.org", "nonsense"])
def test_only_an_address_with_tls_is_compared(url: str) -> None:
    result = CliRunner().invoke(main, ["doctor", "--site", url])
    assert (result.exit_code, "https://" in result.output) == (2, True)
