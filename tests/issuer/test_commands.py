"""The commands of an issuer, and those with which a service trusts one."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from signals.clock import SystemClock, today
from signals.intake.authorisation import read_issuers
from tests.support.commands import Signals, installed, signals
from tests.support.token_side import Mint

__all__ = ["installed", "signals"]


@pytest.fixture
def published() -> Iterator[dict[str, Any]]:
    """An issuer on this machine; `directory` is what it publishes."""
    found: dict[str, Any] = {"status": 200}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(found["status"])
            self.end_headers()
            self.wfile.write(json.dumps(found["directory"]).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    found["url"] = f"http://127.0.0.1:{server.server_port}"
    found["directory"] = Mint(today(SystemClock()), url=found["url"]).directory()
    yield found
    server.shutdown()
    server.server_close()


def test_a_code_is_made_listed_and_revoked(signals: Signals) -> None:
    made = signals.json("issuer", "codes", "add", "--label", "Depot Zuid", "--phones", "40")
    assert made["link"].endswith(f"/m#e={made['code']}")
    assert made["warning"] == ""
    (listed,) = signals.json("issuer", "codes", "list")
    assert (listed["label"], listed["phones"], listed["revoked_on"]) == ("Depot Zuid", 40, None)
    assert made["code"] not in json.dumps(listed)
    signals("issuer", "codes", "revoke", made["id"])
    (listed,) = signals.json("issuer", "codes", "list")
    assert date.fromisoformat(listed["revoked_on"]) == today(SystemClock())
    signals("issuer", "codes", "revoke", "3f0c8f5e-8d0e-4c33-9d05-6a7e0d8f2a11", code=1)


def test_a_code_for_few_phones_comes_with_a_warning(signals: Signals) -> None:
    assert "easier to guess" in signals("issuer", "codes", "add", "--label", "Bus 3", "--phones", "4")


def test_administrators_come_and_go(signals: Signals) -> None:
    made = signals.json("issuer", "administrators", "add", "A. Bakker")
    assert made["totp_address"].startswith("otpauth://totp/")
    assert signals.json("issuer", "administrators", "list") == ["A. Bakker"]
    signals("issuer", "administrators", "remove", "A. Bakker")
    signals("issuer", "administrators", "remove", "A. Bakker", code=1)


@pytest.mark.parametrize("group", ["issuer", "issuers"])
def test_an_issuer_is_trusted_by_its_directory(
    signals: Signals, published: dict[str, Any], group: str
) -> None:
    found = signals.json(group, "trust", published["url"])
    week = timedelta(weeks=1)
    assert date.fromisoformat(found["until"]) - today(SystemClock()) <= week
    assert list(read_issuers(signals.folder / "var/issuers.json")) == [published["url"]]


def test_another_key_for_a_known_week_is_refused_until_somebody_says_so(
    signals: Signals, published: dict[str, Any]
) -> None:
    signals("issuers", "trust", published["url"])
    before = (signals.folder / "var/issuers.json").read_text()
    published["directory"] = Mint(today(SystemClock()), url=published["url"]).directory()
    assert "changed" in signals("issuers", "trust", published["url"], code=1)
    assert (signals.folder / "var/issuers.json").read_text() == before
    signals("issuers", "trust", published["url"], "--changed-keys")


def test_an_issuer_that_answers_nonsense_or_without_tls_is_refused(
    signals: Signals, published: dict[str, Any]
) -> None:
    for url in (
        "http://issuer.example.org",
        "http://[",
        "https://t\u00f6ken.example.org",
        "https://me:secret@a.nl",
    ):
        signals("issuers", "trust", url, code=2)
    for status, directory in ((404, {}), (200, []), (200, {"token-keys": []})):
        published.update(status=status, directory=directory)
        signals("issuers", "trust", published["url"], code=1)
    assert not (signals.folder / "var/issuers.json").exists()
