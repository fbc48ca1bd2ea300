"""Call addresses that a team chose, over HTTPS: never a private one, and never along a redirect.

The name is resolved once. All its addresses must be public, and the connection goes to the first of them. So
a name that changes in between leads nowhere else. Proxies of the environment do not count.
"""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from socket import SHUT_RDWR, SOCK_STREAM, getaddrinfo, socket
from typing import Final
from urllib.parse import SplitResult, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, SSLError

from notifications.retry import PermanentFailure, TemporaryFailure
from notifications.tls import trusting

MOST_BYTES: Final = 1_000_000
LONGEST_PAUSE_SECONDS: Final = 86_400
_PORTS: Final = {"https": 443, "http": 80}
_EMBEDDING: Final = tuple(map(ip_network, ("64:ff9b::/96", "2002::/16", "2001::/32")))
"""IPv6 networks whose addresses hold an IPv4 address, which may be a private one."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a call; its body is cut off after `MOST_BYTES`."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def pause(self) -> timedelta:
        """Return Retry-After in seconds (RFC 9110, section 10.2.3); zero when it is missing or no number."""
        value = self.headers.get("retry-after", "").strip()
        number = int(value[:9]) if value.isascii() and value.isdigit() else 0
        return timedelta(seconds=min(number, LONGEST_PAUSE_SECONDS))


@dataclass(frozen=True, kw_only=True)
class GuardedHttp:
    """A caller. `private_hosts`: names that may have a private address; `plain`: these may go without TLS.

    `seconds`: the longest that a call lasts, from connection to the last byte.
    """

    private_hosts: frozenset[str] = frozenset()
    plain: bool = False
    seconds: float = 10.0
    ca_file: Path | None = None

    def call(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Return the answer of an address, whatever its status.

        Raises `PermanentFailure` for an address that is not allowed, and `TemporaryFailure`.
        """
        parts = urlsplit(url)
        connection = self._connection(parts, self._address(parts))
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        with self._open(connection):
            sent = {**headers, "Host": parts.netloc}
            connection.request(method, target or "/", body=body, headers=sent, preload_content=False)
            response = connection.getresponse()
            known = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status, headers=known, body=response.read(MOST_BYTES))

    def is_allowed(self, url: str) -> bool:
        """Return whether an address may be called, as far as its text tells."""
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname, parts.port
        except ValueError:
            return False
        written = url.isascii() and url.isprintable() and not set(url) & set(" #@")
        named = self.plain and host in self.private_hosts
        return bool(host) and written and (parts.scheme == "https" or (parts.scheme == "http" and named))

    def _address(self, parts: SplitResult) -> str:
        """Return the address to connect to. Raises for a private one, and for a name without any."""
        if not self.is_allowed(parts.geturl()):
            raise PermanentFailure("https_address")
        host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
        try:
            found = [str(entry[4][0]) for entry in getaddrinfo(host, port, type=SOCK_STREAM)]
        except (OSError, UnicodeError):
            raise TemporaryFailure("https_connection") from None
        if host not in self.private_hosts and not all(map(_is_public, found)):
            raise PermanentFailure("https_private")
        return found[0]

    def _connection(self, parts: SplitResult, address: str) -> HTTPConnection:
        port, limit = parts.port or _PORTS[parts.scheme], self.seconds
        if parts.scheme == "http":
            return HTTPConnection(address, port, timeout=limit)
        return HTTPSConnection(
            address,
            port,
            timeout=limit,
            ssl_context=trusting(self.ca_file),
            server_hostname=parts.hostname,
            assert_hostname=parts.hostname,
        )

    @contextmanager
    def _open(self, connection: HTTPConnection) -> Iterator[None]:
        """Connect, cut the call off when it lasts too long, and turn errors into failures."""
        watch = threading.Timer(self.seconds, _cut, (connection,))
        watch.daemon = True
        watch.start()
        try:
            _connect(connection)
            yield
        except (HTTPError, OSError, ValueError):
            raise TemporaryFailure("https_no_answer") from None
        finally:
            watch.cancel()
            connection.close()


def _is_public(text: str) -> bool:
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    embeds = any(address in network for network in _EMBEDDING)
    return address.is_global and not address.is_multicast and not embeds


def _connect(connection: HTTPConnection) -> None:
    try:
        connection.connect()
    except (SSLError, ssl.SSLError):
        raise TemporaryFailure("https_tls") from None
    except (HTTPError, OSError):
        raise TemporaryFailure("https_connection") from None


def _cut(connection: HTTPConnection) -> None:
    """End a connection under the feet of its reader, who then sees its end."""
    if connection.sock is not None:
        with suppress(OSError):
            socket.shutdown(connection.sock, SHUT_RDWR)
