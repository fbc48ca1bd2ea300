"""A phone that routes and seals by itself, through the public API alone."""

import urllib.request
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from json import dumps
from typing import Any, Protocol

from werkzeug import Response

from privacy.sealing import seal_text_to_mailbox, verify_public_key
from signals.intake.content import Report, context_of
from signals.routing.postcodes import Address

BASE = "/api/v1"


class Sender(Protocol):
    """A client of the public calls: Flask's own, or one of a running server."""

    def post(self, path: str, /, *, json: Any, headers: Mapping[str, str] | None = None) -> Response:
        """Send JSON and return the answer."""
        ...


@dataclass(frozen=True)
class OverHttp:
    """A sender before a running server, as `http://127.0.0.1:8000`."""

    url: str

    def post(self, path: str, /, *, json: Any, headers: Mapping[str, str] | None = None) -> Response:
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data=dumps(json).encode(), headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Response(answer.read(), answer.status, content_type=answer.headers["Content-Type"])


@dataclass(frozen=True)
class Phone:
    """A sender with the root's public key, as the page pins it; without one it trusts every key."""

    client: Sender
    root: bytes | None

    def look_up(self, pc4: str) -> Mapping[str, Any]:
        answer = self.client.post(f"{BASE}/mailboxes/lookup", json={"pc4": pc4})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: Mapping[str, Any] = answer.get_json()
        return found

    def seal(self, report: Report, text: bytes | None = None, **changed: Any) -> dict[str, Any]:
        """Return the body that this phone sends; `text` replaces the content, `changed` any id."""
        found = self.look_up(report.address.postcode[:4])
        receiver = receiver_of(found, report.address)
        key = next(each["mailbox"] for each in found["organisations"] if each["id"] == receiver)
        public = _bytes(key["public_key"])
        if self.root:
            verify_public_key(
                self.root,
                key_id=uuid.UUID(key["key_id"]),
                organisation_id=uuid.UUID(receiver),
                week=date.fromisoformat(key["valid_from"]),
                public_key=public,
                signature=_bytes(key["signature"]),
            )
        ids = {"organisation_id": receiver, "mailbox_key_id": key["key_id"], "signal_id": str(uuid.uuid4())}
        ids |= changed
        context = context_of(
            *(uuid.UUID(ids[name]) for name in ("signal_id", "organisation_id", "mailbox_key_id"))
        )
        envelope = seal_text_to_mailbox(report.canonical() if text is None else text, public, context)
        return {**ids, "schema_version": 1, "envelope": urlsafe_b64encode(envelope).rstrip(b"=").decode()}

    def send(
        self, body: Mapping[str, Any], key: uuid.UUID | None = None, token: bytes | None = None
    ) -> Response:
        headers = {"Idempotency-Key": str(key or uuid.uuid4())}
        if token:
            headers["Authorization"] = f'PrivateToken token="{urlsafe_b64encode(token).decode()}"'
        return self.client.post(f"{BASE}/signals", json=body, headers=headers)


def receiver_of(found: Mapping[str, Any], address: Address) -> str:
    """Return the receiver by the first rule that fits, as api.md describes the rules."""
    for rule in found["rules"]:
        is_here = rule.get("postcode", address.postcode) == address.postcode
        if is_here and rule.get("from", 1) <= address.number <= rule.get("to", 99999):
            return str(rule["organisation_id"])
    raise AssertionError("no rule fits")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
