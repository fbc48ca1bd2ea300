"""Signed calls of Twilio about the status of a text message: check them and write them down.

The core knows no web framework; `twilio_blueprint` adds it to a Flask application. The first call imports
Twilio.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from notifications import feedback
from notifications.clock import Clock

if TYPE_CHECKING:
    from flask import Blueprint

PATH = "/notifications/twilio/status"
AUTHENTICATION = "none"
"""The caller signs address and form, with the account's token as key."""

_SID = re.compile(r"[A-Za-z0-9]{2,64}")
_CODE = re.compile(r"[0-9]{1,6}")


class Verdict(Enum):
    """The answer, as an HTTP status."""

    NOTED = 204  # also for a repeat, and for an unknown status
    MALFORMED = 400
    FORGED = 403


@dataclass(frozen=True, kw_only=True)
class StatusCalls:
    """The receiver of Twilio's status calls. `public_url`: the address that Twilio calls.

    Behind a proxy the request has another host and scheme than the ones that Twilio signed.
    """

    sessions: sessionmaker[Session] = field(repr=False)
    clock: Clock
    auth_token: str = field(repr=False)
    public_url: str

    def take(self, *, query: str, form: Mapping[str, str], signature: str) -> Verdict:
        """Check one call and write it down. `query`: as received, without the question mark."""
        url = f"{self.public_url.rstrip('/')}{PATH}" + (f"?{query}" if query else "")
        if not self._is_signed(url, form, signature):
            return Verdict.FORGED
        provider_id, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
        if not _SID.fullmatch(provider_id) or not status:
            return Verdict.MALFORMED
        if status in feedback.STATUSES:
            code = form.get("ErrorCode", "")
            with self.sessions.begin() as session:
                feedback.note(
                    session,
                    self.clock,
                    message_id=_message_id(query),
                    provider_message_id=provider_id,
                    status=status,
                    code=int(code) if _CODE.fullmatch(code) else None,
                )
        return Verdict.NOTED

    def _is_signed(self, url: str, form: Mapping[str, str], signature: str) -> bool:
        from twilio.request_validator import RequestValidator

        return bool(RequestValidator(self.auth_token).validate(url, dict(form), signature))


def twilio_blueprint(calls: StatusCalls) -> "Blueprint":
    """Return a blueprint with `POST /notifications/twilio/status`."""
    from flask import Blueprint, Response, request

    blueprint = Blueprint("twilio_calls", __name__)

    @blueprint.post(PATH)
    def status() -> Response:
        verdict = calls.take(
            query=request.query_string.decode("latin-1"),
            form=request.form.to_dict(),
            signature=request.headers.get("X-Twilio-Signature", ""),
        )
        return Response(status=verdict.value)

    return blueprint


def _message_id(query: str) -> uuid.UUID | None:
    """Return our own id, which the channel added to the address of the callback."""
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name == "message":
            try:
                return uuid.UUID(value)
            except ValueError:
                return None
    return None
