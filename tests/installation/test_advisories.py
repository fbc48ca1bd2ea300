"""`make lint` compares packages with advisories, or says that it could not."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest.mock import Mock

import pytest

from tools import advisories


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The comparison, which finds an advisory."""
    run = Mock(return_value=Mock(returncode=1))
    monkeypatch.setattr("tools.advisories.subprocess.run", run)
    return run


@pytest.fixture
def refusing() -> Iterator[str]:
    """A source that refuses a request without a question, as the real one does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_finding_fails_where_the_source_answers(
    audit: Mock, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisories, "SOURCE", refusing)
    assert advisories.main() == 1
    assert "--require-hashes" in audit.call_args.args[0]


def test_a_source_out_of_reach_is_said_and_fails_nothing(
    audit: Mock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(advisories, "SOURCE", "http://127.0.0.1:9")
    assert advisories.main() == 0
    assert "were not compared" in "".join(capsys.readouterr())
    audit.assert_not_called()
