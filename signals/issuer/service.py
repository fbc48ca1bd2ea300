"""The issuer as a process works with it: keys, codes and signatures over one database of its own."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from privacy.tokens import TOKEN_TYPE, TokenRefused, TokenRequest
from signals.clock import AMSTERDAM, Clock, seconds_to_midnight, today
from signals.clock_guard import require_right_clock
from signals.db import session_factory, single_statements
from signals.errors import SignalsError
from signals.issuer.codes import count_token, forget_counts
from signals.issuer.tables import IssuerBase
from signals.issuer.week_keys import PublishedKey, WeekKeys
from signals.settings import IssuerSettings

DIRECTORY_PATH: Final = "/.well-known/private-token-issuer-directory"
REQUEST_PATH: Final = "/token-request"


class RequestRefused(SignalsError):
    """This token request is malformed or names a key that is not this week's."""

    code = "token_request_refused"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """One issuer; `url` is its public web address, `secret` its 32 bytes."""

    settings: IssuerSettings
    url: str
    clock: Clock
    engine: Engine
    secret: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Return the server name that challenges hold."""
        return urlsplit(self.url).netloc

    def link(self, code: str) -> str:
        """Return the carrier's page with a code behind the `#`, which no server sees."""
        page = (self.settings.page_url or self.url).rstrip("/")
        elsewhere = "" if urlsplit(page).netloc == self.name else f"&i={self.name}"
        return f"{page}/m#e={code}{elsewhere}"

    @cached_property
    def sessions(self) -> sessionmaker[Session]:
        return session_factory(self.engine)

    @cached_property
    def keys(self) -> WeekKeys:
        return WeekKeys(engine=self.engine, secret=self.secret)

    def keep(self) -> None:
        """Make missing tables and keys, destroy old keys and counts; safe at any time, in many processes.

        Raises `ClockApart` before anything is made or destroyed under a wrong clock.
        """
        require_right_clock(self.engine, self.clock)
        on = today(self.clock)
        IssuerBase.metadata.create_all(self.engine)
        self.keys.destroy_past(on)
        self.keys.make_once(on)
        with self.sessions.begin() as session:
            forget_counts(session, on)

    def directory(self) -> Mapping[str, Any]:
        """Return the directory (RFC 9578, section 4), with what a service and its phones need beside keys."""
        on = today(self.clock)
        return {
            "issuer-request-uri": REQUEST_PATH,
            "token-keys": [_entry(key) for key in self.keys.published(on)],
            "name": self.settings.name,
            "profession": self.settings.profession,
            "tokens-per-day": self.settings.tokens_per_phone_and_day,
            "stock": self.settings.tokens_in_stock,
        }

    def sign(self, code: str, body: bytes) -> bytes:
        """Return a blind signature for a phone with this enrolment code; count it by code and day only.

        Raises `RequestRefused`, `CodeUnknown` or `TokensGone`. A request without a code costs no signature.
        """
        on = today(self.clock)
        try:
            request = TokenRequest.parse(body)
            signer = self.keys.signer(request.short_key_id, on)
            self._count(code, on)
            return signer.sign(request.blinded)
        except TokenRefused:
            raise RequestRefused from None

    @cached_property
    def _counters(self) -> Engine:
        return single_statements(self.engine)

    def _count(self, code: str, on: date) -> None:
        per_phone = self.settings.tokens_per_phone_and_day
        retry_after = seconds_to_midnight(self.clock.now())
        count_token(self._counters, code, on, per_phone=per_phone, retry_after=retry_after)


def _entry(published: PublishedKey) -> Mapping[str, Any]:
    begins = datetime.combine(published.week, datetime.min.time(), AMSTERDAM)
    return {
        "token-type": TOKEN_TYPE,
        "token-key": urlsafe_b64encode(published.key.encoded).decode(),
        "not-before": int(begins.timestamp()),
    }
