"""The nginx of docs/deploy/nginx.conf on this machine: the same file, with other ports, folders and keys."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tools import proxy

CONFIG = Path(__file__).parents[2] / "docs/deploy/nginx.conf"
NAME = "meldpunt.example.org"
START_SECONDS = 20.0


class Nginx:
    """A running nginx in front of a front process; clients choose their address in 127.0.0.0/8."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder
        self._trusted = ssl.create_default_context(cafile=str(folder / f"{NAME}.crt"))

    def connect(self, client: str = "127.0.0.1", *, timeout: float = 20) -> ssl.SSLSocket:
        """Open a connection from an address of the loopback network."""
        bare = socket.create_connection(("127.0.0.1", self.port), timeout, source_address=(client, 0))
        return self._trusted.wrap_socket(bare, server_hostname=NAME)

    def ask(
        self, method: str, path: str, *, client: str = "127.0.0.1", body: bytes = b"", **headers: str
    ) -> int:
        """Return the status of one request on a connection of its own."""
        connection = HTTPSConnection(NAME, self.port, timeout=20)
        connection.sock = self.connect(client)
        with contextlib.closing(connection):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, names)
            return connection.getresponse().status

    def flood(self, request: str, client: str, *, times: int) -> set[int]:
        """Send a request without a body (`HEAD /`) many times at once; return the statuses of the answers."""
        one = f"{request} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
        last = one[:-2] + b"Connection: close\r\n\r\n"
        with self.connect(client) as connection:
            connection.sendall(one * (times - 1) + last)
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        return {int(status) for status in re.findall(rb"^HTTP/1.1 (\d+)", said, re.MULTILINE)}


@contextlib.contextmanager
def nginx_before(upstream: int, folder: Path, port: int) -> Iterator[Nginx]:
    """Run nginx on a port, before the server on another, and end it."""
    program = proxy.find()
    assert program, proxy.NO_NGINX
    folder.mkdir(mode=0o755, parents=True)
    for name in (NAME, "desk.example.org"):
        _write_certificate(folder, name)
    config = folder / "nginx.conf"
    config.write_text(_for_here(CONFIG.read_text(), upstream, folder, port))
    process = subprocess.Popen(
        [program, "-c", str(config), "-p", str(folder), "-e", str(folder / "start.log")]
    )
    try:
        _wait_for(port, folder)
        yield Nginx(port, folder)
    finally:
        process.terminate()
        process.wait(60)


def _for_here(text: str, upstream: int, folder: Path, port: int) -> str:
    """Change addresses, folders and the account; every limit stays as it is."""
    text = re.sub(r"\n *listen \[::\].*", "", text)
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{port} ")
    text = re.sub(r"\n    server \{\n *listen 80\b.*?\n    \}", "", text, flags=re.DOTALL)
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    text = re.sub(r"(pid|error_log|access_log) (/run|/var/log/nginx)/", rf"\1 {folder}/", text)
    text = text.replace("/etc/nginx/tls/", f"{folder}/").replace("    include /etc/nginx/mime.types;\n", "")
    places = "".join(
        f"    {name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    account = "user root;\n" if os.geteuid() == 0 else ""
    return f"daemon off;\n{account}" + text.replace("http {\n", f"http {{\n{places}", 1)


def _write_certificate(folder: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(private)


def _wait_for(port: int, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise AssertionError((folder / "start.log").read_text())
