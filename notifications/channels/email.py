"""E-mail by SMTP, over TLS or STARTTLS with the server's certificate checked.

Each message has a connection of its own: a few mails a day, and nothing to keep alive or share.
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Any

from notifications.channels import Outgoing, Sent
from notifications.channels.mail import compose_mail
from notifications.retry import DeliveryFailure, OutcomeUnknown, PermanentFailure, TemporaryFailure

AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})  # RFC 4954, section 6
"""Refusals that are about our sign-in, not about the message: it waits until somebody mends them."""


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"  # for a server on the same machine only


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where mail is handed in. `ca_file` names authorities to trust instead of the machine's own."""

    host: str
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 15.0
    ca_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class EmailChannel:
    """Sends from `sender`; our Message-IDs end in its domain."""

    server: SmtpServer
    sender: str

    def send(self, message: Outgoing) -> Sent:
        domain = self.sender.rpartition("@")[2]
        mail = compose_mail(message, sender=self.sender, message_id_host=domain)
        with _connection(self.server, domain) as smtp:
            _envelope(smtp, self.sender, message.recipient)
            _hand_over(smtp, mail)
        return Sent(provider_message_id=str(mail["Message-ID"]))

    def check(self) -> None:
        """Connect and sign in without sending anything. Raises a TemporaryFailure that says why not."""
        with _connection(self.server, self.sender.rpartition("@")[2]):
            pass


@contextmanager
def _connection(server: SmtpServer, domain: str) -> Iterator[smtplib.SMTP]:
    """A connection that is signed in; an error before the content is handed over is certain: not sent."""
    try:
        smtp = _connect(server, domain)
    except (smtplib.SMTPException, OSError) as problem:
        raise _not_connected(problem) from None
    try:
        yield smtp
    except (smtplib.SMTPException, OSError):
        raise TemporaryFailure("smtp_disconnected") from None
    finally:
        _part(smtp)


def _connect(server: SmtpServer, domain: str) -> smtplib.SMTP:
    """Says hello as the sender's domain: the library would ask the DNS for the name of this machine."""
    options: dict[str, Any] = {"local_hostname": domain, "timeout": server.timeout_seconds}
    if server.security is Security.TLS:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, context=_tls(server), **options)
    else:
        smtp = smtplib.SMTP(server.host, server.port, **options)
    try:
        if server.security is Security.STARTTLS:
            smtp.starttls(context=_tls(server))
        if server.user:
            smtp.login(server.user, server.password)
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _tls(server: SmtpServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file else None)


def _not_connected(problem: Exception) -> TemporaryFailure:
    """Whatever keeps us from the server says nothing about the message: always temporary."""
    if isinstance(problem, ssl.SSLError):
        return TemporaryFailure("smtp_tls")
    if isinstance(problem, smtplib.SMTPNotSupportedError):
        return TemporaryFailure("smtp_not_supported")
    if isinstance(problem, smtplib.SMTPAuthenticationError):
        return TemporaryFailure("smtp_sign_in")
    return TemporaryFailure("smtp_connection")


def _envelope(smtp: smtplib.SMTP, sender: str, recipient: str) -> None:
    _require(smtp.mail(sender))
    _require(smtp.rcpt(recipient))


def _hand_over(smtp: smtplib.SMTP, mail: EmailMessage) -> None:
    """From here on a silence is no refusal: the server may have taken the message."""
    try:
        answer = smtp.data(mail.as_bytes())
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
    """RFC 5321, section 4.2.1: 4yz may succeed later, 5yz will not."""
    if code in AUTHENTICATION_CODES or not 500 <= code <= 599:
        return TemporaryFailure(f"smtp_{code}")
    return PermanentFailure(f"smtp_{code}")


def _part(smtp: smtplib.SMTP) -> None:
    """Take leave; what the server says to that no longer matters."""
    try:
        smtp.quit()
    except (smtplib.SMTPException, OSError):
        smtp.close()
