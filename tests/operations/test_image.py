"""The image: its account, its health check and its limit. `make image` builds and runs it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tools import image


@contextmanager
def a_process_that_answers(status: int) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_of_the_image_asks_the_process(status: int, code: int) -> None:
    program, *arguments = image.health_check()
    assert program == "python3"
    with a_process_that_answers(status) as port:
        asked = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "SIGNALS__SERVER__PORT": port},
            capture_output=True,
            check=False,
        )
    assert asked.returncode == code


def test_the_image_runs_as_an_account_that_owns_nothing_in_it() -> None:
    last_stage = image.CONTAINERFILE.read_text().rpartition("\nFROM ")[2]
    assert f"\nUSER {image.ACCOUNT}:{image.ACCOUNT}\n" in last_stage
    assert "--chown" not in last_stage
    assert "RUN" not in last_stage


@pytest.mark.parametrize(("megabytes", "code"), [(249.9, 0), (250.1, 1)])
def test_a_large_image_is_refused(monkeypatch: pytest.MonkeyPatch, megabytes: float, code: int) -> None:
    for step in ("_require_tools", "make_bases", "make_context", "build"):
        monkeypatch.setattr(image, step, lambda: None)
    monkeypatch.setattr(image, "size", lambda: megabytes)
    tried: list[str] = []
    monkeypatch.setattr(image, "try_roles", lambda: tried or iter([("front", 1.0)]))
    assert image.main() == code
