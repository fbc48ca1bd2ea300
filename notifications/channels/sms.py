"""Text messages by Twilio's own client; the first message imports it, because the import is slow."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from notifications.channels import Outgoing, Sent
from notifications.retry import DeliveryFailure, OutcomeUnknown, PermanentFailure, TemporaryFailure, Throttled
from notifications.tls import trusting_adapter

PERMANENT_CODES = frozenset(
    {
        21211,  # the number is invalid
        21408,  # no permission to send to that region
        21610,  # the recipient replied STOP
        21612,  # no route to that number
        21614,  # not a mobile number
        30004,  # the recipient blocks messages
        30005,  # unknown number
        30006,  # landline or unreachable carrier
        30007,  # filtered by a carrier: the same text would be filtered again
    }
)
TEMPORARY_CODES = frozenset(
    {
        20003,  # our sign-in was refused: says nothing about the message
        30001,  # queue overflow
        30002,  # account suspended
        30003,  # handset unreachable
        30008,  # unknown error
    }
)
THROTTLED_CODES = frozenset({429, 20429})
LONGEST_PAUSE_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True)
class TwilioAccount:
    """The account at Twilio. `status_callback`: the public address that gets the statuses.

    `api_url`: a mock server or a proxy instead of Twilio. `ca_file`: see `trusting`.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    messaging_service_sid: str
    status_callback: str
    timeout_seconds: float = 10.0
    api_url: str = "https://api.twilio.com"
    ca_file: Path | None = None


@dataclass(kw_only=True)
class SmsChannel:
    """A channel that sends the short text of a message; `close()` ends its connections."""

    account: TwilioAccount

    def send(self, message: Outgoing) -> Sent:
        with _failures():
            taken = self._client.messages.create(
                to=message.recipient,
                messaging_service_sid=self.account.messaging_service_sid,
                body=message.short,
                # Our id finds the message, even if this worker dies before Twilio's answer.
                status_callback=f"{self.account.status_callback}?message={message.id}",
            )
        return Sent(provider_message_id=str(taken.sid))

    def check(self) -> None:
        """Fetch the account, which needs its credentials and sends nothing. Raises a DeliveryFailure."""
        with _failures():
            self._client.api.v2010.accounts(self.account.account_sid).fetch()

    def close(self) -> None:
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.http_client.session.close()

    @cached_property
    def _client(self) -> Any:
        from twilio.rest import Client

        return Client(
            self.account.account_sid, self.account.auth_token, http_client=_http_client(self.account)
        )


@contextmanager
def _failures() -> Iterator[None]:
    """Turn errors of Twilio's client into failures of ours."""
    from requests.exceptions import RequestException
    from twilio.base.exceptions import TwilioException

    try:
        yield
    except TwilioException as refusal:
        status, code = getattr(refusal, "status", 0), getattr(refusal, "code", 0)
        raise classify(status=status, code=code) from None
    except RequestException as problem:
        raise _no_answer(problem) from None


def classify(*, status: int, code: int | None) -> DeliveryFailure:
    """Return the failure for a refusal by Twilio: by its own code if known, else by the HTTP status."""
    problem = f"twilio_{code or status}"
    if code in THROTTLED_CODES or status == 429:
        return Throttled(problem)
    if code in PERMANENT_CODES:
        return PermanentFailure(problem)
    if code in TEMPORARY_CODES or status in (401, 403, 408) or not 400 <= status <= 499:
        return TemporaryFailure(problem)
    return PermanentFailure(problem)


def _no_answer(problem: Exception) -> DeliveryFailure:
    """Return the failure for a missing answer; without a connection the message certainly did not go out."""
    from requests.exceptions import ConnectTimeout, ProxyError, SSLError
    from urllib3.exceptions import NewConnectionError

    cause = getattr(problem.args[0], "reason", None) if problem.args else None
    if isinstance(problem, ConnectTimeout | SSLError | ProxyError) or isinstance(cause, NewConnectionError):
        return TemporaryFailure("twilio_connection")
    return OutcomeUnknown()


def _http_client(account: TwilioAccount) -> Any:
    """Return Twilio's HTTP client with a time-out (its default is none), `api_url`, and Retry-After."""
    from twilio.http.http_client import TwilioHttpClient

    class HttpClient(TwilioHttpClient):  # type: ignore[misc]  # the package ships no types
        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            return super().request(
                method, url.replace("https://api.twilio.com", account.api_url, 1), *args, **kwargs
            )

    client = HttpClient(
        timeout=account.timeout_seconds,
        request_hooks={"response": _notice_throttling},
        logger=_silent_logger(),
    )
    if account.ca_file is not None:
        client.session.mount("https://", trusting_adapter(account.ca_file))
    return client


def _notice_throttling(response: Any, **_: Any) -> None:
    """Raise `Throttled` with the pause that Twilio asks for: the client's exception has no headers."""
    if response.status_code == 429:
        response.close()
        raise Throttled("twilio_429", pause(response.headers))


def pause(headers: Mapping[str, str]) -> timedelta:
    """Return Retry-After in seconds (RFC 9110, section 10.2.3); zero when it is missing or no number."""
    value = headers.get("Retry-After", "").strip()
    if not (value.isascii() and value.isdigit()):
        return timedelta(0)
    return timedelta(seconds=min(int(value[:9]), LONGEST_PAUSE_SECONDS))


def _silent_logger() -> logging.Logger:
    """Return a logger that writes nothing: the client logs whole answers with phone number and text."""
    logger = logging.Logger("twilio", level=logging.CRITICAL + 1)
    logger.propagate = False
    return logger
