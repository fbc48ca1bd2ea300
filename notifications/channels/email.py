"""E-mail by SMTP, over TLS or STARTTLS, with a check of the server's certificate.

A batch goes over one connection, and one message does not affect the next. After a refusal comes RSET, a
closed connection is opened once more, and only silence after the content is doubt.
"""

import smtplib
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from notifications.channels import Outgoing, Sent
from notifications.channels.mail import compose_mail
from notifications.retry import DeliveryFailure, OutcomeUnknown, PermanentFailure, TemporaryFailure
from notifications.tls import trusting

AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})  # RFC 4954, section 6
"""Refusals of our sign-in, not of the message: the message waits until somebody fixes it."""


CLOSING = "smtp_421"
"""RFC 5321, section 3.8: the server ends the connection; it may answer so to any command."""
SENDER_REFUSED = "smtp_sender"
"""5xx to MAIL: it is about our sender address, so the message waits until somebody fixes that."""
OUT_OF_STEP = "smtp_503"
"""The server expects another command: it is about the connection, not about the message."""
MOST_ON_ONE = 100
"""The most messages over one connection."""


class Security(StrEnum):
    """The protection of the connection."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"  # for a server on the same machine only


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """The mail server. `ca_file`: authorities to trust besides those of the machine."""

    host: str
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 15.0
    ca_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class EmailChannel:
    """A channel that sends from `sender`; our Message-IDs end in its domain.

    Messages of one thread share a connection, until `rest()` or `MOST_ON_ONE` messages.
    """

    server: SmtpServer
    sender: str
    name: str = ""
    _kept: "_Kept" = field(default_factory=lambda: _Kept(), init=False, repr=False, compare=False)

    def send(self, message: Outgoing) -> Sent:
        mail = compose_mail(message, sender=self.sender, name=self.name, message_id_host=self._domain)
        content = mail.as_bytes()
        try:
            if not self._on_kept(message.recipient, content):
                self._kept.drop()
                self._on_new(message.recipient, content)
        except DeliveryFailure:
            raise
        except BaseException:  # in the middle of a message: no use for the next one
            self._kept.drop()
            raise
        return Sent(provider_message_id=str(mail["Message-ID"]))

    def rest(self) -> None:
        """End the connection of this thread, if there is one."""
        self._kept.part()

    def check(self) -> None:
        """Connect, sign in and name the sender. Raises a TemporaryFailure with the reason."""
        smtp = _connected(self.server, self._domain)
        try:
            _begin(smtp, self.sender)
        except (smtplib.SMTPException, OSError):
            raise TemporaryFailure("smtp_disconnected") from None
        finally:
            _part(smtp)

    @property
    def _domain(self) -> str:
        return self.sender.rpartition("@")[2]

    def _on_kept(self, recipient: str, content: bytes) -> bool:
        """Send over the open connection; return False when it was gone before the content.

        A server may end an idle connection at any time, with or without a 421: that is no failure yet.
        """
        if self._kept.smtp is None:
            return False
        try:
            _envelope(self._kept.smtp, self.sender, recipient)
        except DeliveryFailure as refusal:
            if refusal.problem in (CLOSING, OUT_OF_STEP):
                return False
            self._after(refusal)
        except (smtplib.SMTPServerDisconnected, ConnectionError):
            return False
        except (smtplib.SMTPException, OSError):
            self._kept.drop()
            raise TemporaryFailure("smtp_disconnected") from None
        self._content(content)
        return True

    def _on_new(self, recipient: str, content: bytes) -> None:
        self._kept.begin(_connected(self.server, self._domain))
        try:
            _envelope(self._kept.smtp, self.sender, recipient)
        except DeliveryFailure as refusal:
            self._after(refusal)
        except (smtplib.SMTPException, OSError):
            self._kept.drop()
            raise TemporaryFailure("smtp_disconnected") from None
        self._content(content)

    def _content(self, content: bytes) -> None:
        try:
            _hand_over(self._kept.smtp, content)
        except DeliveryFailure as failure:
            self._after(failure)
        self._kept.sent_one()

    def _after(self, failure: DeliveryFailure) -> NoReturn:
        """Raise a failure, with the connection ready for the next message (RFC 5321, 4.1.1.5) or gone."""
        if isinstance(failure, OutcomeUnknown) or failure.problem == CLOSING:
            self._kept.drop()
        else:
            self._kept.reset()
        raise failure


class _Kept(threading.local):
    """The connection of one thread: threads may not share one of smtplib."""

    smtp: smtplib.SMTP | None = None
    messages = 0

    def begin(self, smtp: smtplib.SMTP) -> None:
        self.smtp, self.messages = smtp, 0

    def sent_one(self) -> None:
        """Count a message: servers allow some hundred messages in a connection, and answer 421 to more."""
        self.messages += 1
        if self.messages >= MOST_ON_ONE:
            self.part()

    def reset(self) -> None:
        """Reset after a refused message; drop a connection that cannot."""
        with suppress(smtplib.SMTPException, OSError):
            if self.smtp is not None and self.smtp.rset()[0] == 250:
                return
        self.drop()

    def drop(self) -> None:
        """Close a broken connection without QUIT."""
        smtp, self.smtp = self.smtp, None
        if smtp is not None:
            smtp.close()

    def part(self) -> None:
        smtp, self.smtp = self.smtp, None
        if smtp is not None:
            _part(smtp)


def _connected(server: SmtpServer, domain: str) -> smtplib.SMTP:
    """Return a connection that is signed in. Raises TemporaryFailure."""
    try:
        return _connect(server, domain)
    except (smtplib.SMTPException, OSError) as problem:
        raise _not_connected(problem) from None


def _connect(server: SmtpServer, domain: str) -> smtplib.SMTP:
    """Connect and say hello as the sender's domain: the library would ask the DNS for this machine's name."""
    options: dict[str, Any] = {"local_hostname": domain, "timeout": server.timeout_seconds}
    if server.security is Security.TLS:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, context=trusting(server.ca_file), **options
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, **options)
    try:
        if server.security is Security.STARTTLS:
            smtp.starttls(context=trusting(server.ca_file))
        if server.user:
            smtp.login(server.user, server.password)
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _not_connected(problem: Exception) -> TemporaryFailure:
    """Return a failure to connect: always temporary, because it says nothing about the message."""
    if isinstance(problem, ssl.SSLError):
        return TemporaryFailure("smtp_tls")
    if isinstance(problem, smtplib.SMTPNotSupportedError):
        return TemporaryFailure("smtp_not_supported")
    if isinstance(problem, smtplib.SMTPAuthenticationError):
        return TemporaryFailure("smtp_sign_in")
    return TemporaryFailure("smtp_connection")


def _envelope(smtp: smtplib.SMTP | None, sender: str, recipient: str) -> None:
    assert smtp is not None
    _begin(smtp, sender)
    _require(smtp.rcpt(recipient))


def _begin(smtp: smtplib.SMTP, sender: str) -> None:
    try:
        _require(smtp.mail(sender))
    except PermanentFailure as refusal:
        raise refusal if refusal.problem == OUT_OF_STEP else TemporaryFailure(SENDER_REFUSED) from None


def _hand_over(smtp: smtplib.SMTP | None, content: bytes) -> None:
    """Send the content; silence after it is no refusal, because the server may have taken the message."""
    assert smtp is not None
    try:
        answer = smtp.data(content)
    except smtplib.SMTPDataError as refused:  # the server did not want to begin
        raise _refusal(refused.smtp_code) from None
    except (smtplib.SMTPException, OSError):
        raise OutcomeUnknown from None
    _require(answer)


def _require(answer: tuple[int, bytes]) -> None:
    code = answer[0]
    if not 200 <= code <= 299:
        raise _refusal(code)


def _refusal(code: int) -> DeliveryFailure:
    """Return the failure for a code: 4yz may succeed later, 5yz will not (RFC 5321, section 4.2.1)."""
    if code in AUTHENTICATION_CODES or not 500 <= code <= 599:
        return TemporaryFailure(f"smtp_{code}")
    return PermanentFailure(f"smtp_{code}")


def _part(smtp: smtplib.SMTP) -> None:
    """Quit; the answer of the server no longer matters."""
    try:
        smtp.quit()
    except (smtplib.SMTPException, OSError):
        smtp.close()
