"""The certified provider of `tests/oidc` as a peer, and a person who signs in with it by requests."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from tests.support.prism import free_port, node

FOLDER = Path(__file__).resolve().parents[1] / "oidc"
SECRET = "a secret of the tests, of 32 letters"
START_SECONDS = 60.0
_ONWARD = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


@dataclass
class Provider:
    """A provider in a process of its own; its plan is a file that it reads for every question."""

    plan_file: Path
    site: str
    team: str
    port: int = field(default_factory=free_port)
    accounts: dict[str, Any] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = None

    def reset(self) -> None:
        """Forget the accounts, and run with the first test's settings again."""
        self.accounts.clear()
        self.account("anna", amr=["pwd", "mfa"])
        if self._process is None:
            self.start()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def account(self, name: str, **claims: Any) -> None:
        """Add or change an account; with `amr` the provider states how it proved the person."""
        known = self.accounts.get(name, {"email": f"{name}@example.org", "email_verified": True})
        self.accounts[name] = known | claims
        self._write()

    def start(self) -> None:
        """Start it, with keys that are new each time."""
        self._write()
        self._process = subprocess.Popen(
            [node(), "provider.mjs", str(self.plan_file)],
            cwd=FOLDER,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                requests.get(f"{self.issuer}/jwks", timeout=5)
                return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise RuntimeError("oidc-provider did not start: run `make test`, or `npm ci` in tests/oidc")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def _write(self) -> None:
        client = {
            "client_id": f"signals-{self.port}",
            "client_secret": SECRET,
            "redirect_uris": [f"{self.site}/desk/provider/{self.team}/callback"],
            "post_logout_redirect_uris": [f"{self.site}/desk/sign-in?done=sign-out"],
            "backchannel_logout_uri": f"{self.site}/desk/provider/{self.team}/logout",
            "backchannel_logout_session_required": True,
        }
        plan = {"clients": {self.port: client}, "accounts": self.accounts}
        new = self.plan_file.with_suffix(".new")
        new.write_text(json.dumps(plan))
        new.replace(self.plan_file)


@contextmanager
def provider_at(plan_file: Path, site: str, team: object) -> Iterator[Provider]:
    made = Provider(plan_file=plan_file, site=site, team=str(team))
    made.start()
    try:
        yield made
    finally:
        made.stop()


@dataclass
class Visitor:
    """A browser without JavaScript, at the site and at providers."""

    site: str
    http: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> requests.Response:
        return self.http.get(f"{self.site}{path}", timeout=30, allow_redirects=False)

    def post(self, path: str, **values: str) -> requests.Response:
        return self.http.post(f"{self.site}{path}", data=values, timeout=30, allow_redirects=False)

    def begin(self, email: str = "anna@example.org", **more: str) -> str:
        """Ask for the sign-in of an address; return the provider's address for it."""
        answer = self.post("/desk/provider/start", email=email, **more)
        assert answer.status_code == 200, answer.text
        return onward(answer)

    def prove(self, url: str, name: str = "anna") -> str:
        """Sign in at the provider; return the address to which it sends the browser back."""
        answer = self.http.get(url, timeout=30, allow_redirects=False)
        while not answer.headers.get("Location", "").startswith(self.site):
            if answer.is_redirect:
                url = urljoin(answer.url, answer.headers["Location"])
                answer = self.http.get(url, timeout=30, allow_redirects=False)
            else:
                assert "<form" in answer.text, answer.text
                answer = self.http.post(answer.url, data={"login": name}, timeout=30, allow_redirects=False)
        return answer.headers["Location"]

    def land(self, url: str) -> requests.Response:
        return self.http.get(url, timeout=30, allow_redirects=False)

    def sign_in(self, name: str = "anna", email: str = "anna@example.org", **more: str) -> requests.Response:
        return self.land(self.prove(self.begin(email, **more), name))

    @property
    def is_in(self) -> bool:
        return self.get("/desk/account").status_code == 200


def onward(answer: requests.Response) -> str:
    """Return the address to which a page leads by itself."""
    found = _ONWARD.search(answer.text)
    assert found, answer.text
    return unescape(found[1])


def question(url: str) -> dict[str, str]:
    """Return the values in the query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
