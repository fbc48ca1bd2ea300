"""A real SMTP server (aiosmtpd) on a free port of this machine, which answers as a test tells it to."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
DROP = "drop"  # end the connection without an answer
SILENCE = "silence"  # no answer at all


@dataclass
class Mailbox:
    """The handler: `inbox` holds what was accepted; the queues hold the next answers, `250 OK` when empty."""

    inbox: list[Envelope] = field(default_factory=list)
    rcpt_answers: deque[str] = field(default_factory=deque)
    data_answers: deque[str] = field(default_factory=deque)
    secure: list[bool] = field(default_factory=list)
    mail_answers: deque[str] = field(default_factory=deque)
    sessions: list[Session] = field(default_factory=list)

    @property
    def connections(self) -> int:
        """Over how many connections something was begun."""
        return len({id(session) for session in self.sessions})

    async def handle_MAIL(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions.append(session)
        answer = self.mail_answers.popleft() if self.mail_answers else "250 OK"
        if answer == DROP:
            _end(server)
        if answer.startswith("250"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.rcpt_answers.popleft() if self.rcpt_answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.data_answers.popleft() if self.data_answers else "250 OK"
        if answer == DROP:
            _end(server)
            return "250 nobody hears this"
        if answer == SILENCE:
            await asyncio.sleep(30)  # the test's end cancels it
        if answer.startswith("250"):
            self.inbox.append(envelope)
            self.secure.append(session.ssl is not None)
        return answer


def _end(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


class _OnFreePort(Controller):
    def _create_server(self) -> Any:
        listener = socket.create_server((HOST, 0))
        self.port = listener.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listener, ssl=self.ssl_context)


@contextmanager
def smtp_server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """Serves while the block lasts; gives the port."""
    controller = _OnFreePort(mailbox, hostname=HOST, server_hostname="mail.example.org", **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def accept_only(user: str, password: str) -> Any:
    """An authenticator for aiosmtpd that knows one account."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and data == LoginPassword(user.encode(), password.encode())
        return AuthResult(success=known, handled=False)

    return check


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context with a new self-made certificate for 127.0.0.1, and the file to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key)
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of the tests")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
